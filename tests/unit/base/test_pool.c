#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/pool.h"
#include "base/ring.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

static void blocks_are_distinct_and_end_at_the_limit(void **state)
{
    void *b[10];
    struct sl_pool p;

    (void)state;
    sl_pool_init(&p, 100, 4, 10);
    assert_int_equal(p.bsize, 112);
    for (size_t i = 0; i < 10; i++) {
        b[i] = sl_pool_get(&p);
        assert_non_null(b[i]);
        assert_int_equal((uintptr_t)b[i] % 16, 0);
        memset(b[i], (int)i, 100);
    }
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(((uint8_t *)b[i])[99], i);
    assert_null(sl_pool_get(&p));
    assert_int_equal(p.used, 10);
    assert_int_equal(p.total, 10);
    sl_pool_put(&p, b[3]);
    assert_ptr_equal(sl_pool_get(&p), b[3]);
    sl_pool_put(&p, NULL);
    assert_int_equal(p.used, 10);
    sl_pool_fini(&p);
}

static void blocks_of_one_byte_have_room_for_the_free_list(void **state)
{
    struct sl_pool p;
    void *a, *b;

    (void)state;
    sl_pool_init(&p, 1, 0, 2);
    a = sl_pool_get(&p);
    b = sl_pool_get(&p);
    assert_non_null(a);
    assert_non_null(b);
    sl_pool_put(&p, a);
    sl_pool_put(&p, b);
    assert_ptr_equal(sl_pool_get(&p), b);
    assert_ptr_equal(sl_pool_get(&p), a);
    sl_pool_fini(&p);
}

static void what_others_give_back_is_used_before_new_memory(void **state)
{
    struct sl_pool p;
    void *a, *b;

    (void)state;
    sl_pool_init(&p, 64, 2, 100);
    a = sl_pool_get(&p);
    b = sl_pool_get(&p);
    sl_pool_put_remote(&p, a);
    sl_pool_put_remote(&p, b);
    assert_int_equal(p.used, 2);
    assert_non_null(sl_pool_get(&p));
    assert_int_equal(p.total, 2);
    assert_int_equal(p.used, 1);
    sl_pool_fini(&p);
}

static void without_memory_get_fails_and_recovers(void **state)
{
    struct sl_pool p;

    (void)state;
    sl_pool_init(&p, 64, 2, 100);
    oom_fail_at(1);
    assert_null(sl_pool_get(&p));
    assert_true(oom_happened());
    assert_int_equal(p.used, 0);
    assert_non_null(sl_pool_get(&p));
    sl_pool_fini(&p);
}

#define BLOCKS 20000

struct pipe {
    struct sl_pool pool;
    struct sl_ring ring;
};

static void *giver(void *arg)
{
    struct pipe *p = arg;
    size_t wrong = 0;

    for (size_t i = 0; i < BLOCKS;) {
        void **b = sl_ring_peek(&p->ring);

        if (!b) {
            sched_yield();
            continue;
        }
        wrong += *(size_t *)*b != i;
        sl_pool_put_remote(&p->pool, *b);
        sl_ring_pop(&p->ring);
        i++;
    }
    return (void *)wrong;
}

static void blocks_go_round_through_another_thread(void **state)
{
    void *wrong = NULL;
    struct pipe p;
    pthread_t t;

    (void)state;
    sl_pool_init(&p.pool, sizeof(size_t), 8, 32);
    assert_int_equal(sl_ring_init(&p.ring, 16, sizeof(void *)), 0);
    assert_int_equal(pthread_create(&t, NULL, giver, &p), 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        void **slot;
        size_t *b;

        while (!(b = sl_pool_get(&p.pool)))
            sched_yield();
        *b = i;
        while (!(slot = sl_ring_stage(&p.ring)))
            sched_yield();
        *slot = b;
        sl_ring_publish(&p.ring);
    }
    pthread_join(t, &wrong);
    assert_null(wrong);
    assert_in_range(p.pool.total, 1, 32);
    sl_ring_fini(&p.ring);
    sl_pool_fini(&p.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_distinct_and_end_at_the_limit),
        cmocka_unit_test(blocks_of_one_byte_have_room_for_the_free_list),
        cmocka_unit_test(what_others_give_back_is_used_before_new_memory),
        cmocka_unit_test(without_memory_get_fails_and_recovers),
        cmocka_unit_test(blocks_go_round_through_another_thread),
    };

    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
