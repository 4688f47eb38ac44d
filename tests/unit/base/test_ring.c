#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/ring.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>

static void entries_are_seen_only_after_publishing(void **state)
{
    struct sl_ring r;
    int *e;

    (void)state;
    assert_int_equal(sl_ring_init(&r, 4, sizeof(int)), 0);
    assert_int_equal(sl_ring_publish(&r), 0);
    for (int i = 0; i < 3; i++)
        *(int *)sl_ring_stage(&r) = i;
    assert_null(sl_ring_peek(&r));
    assert_int_equal(sl_ring_publish(&r), 3);
    for (int i = 0; i < 3; i++) {
        e = sl_ring_peek(&r);
        assert_non_null(e);
        assert_int_equal(*e, i);
        sl_ring_pop(&r);
    }
    assert_null(sl_ring_peek(&r));
    sl_ring_fini(&r);
}

static void a_full_ring_refuses_until_an_entry_is_released(void **state)
{
    static const struct {
        size_t asked, got;
    } v[] = { { 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 4 }, { 8, 8 }, { 9, 16 } };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_ring r;

        assert_int_equal(sl_ring_init(&r, v[i].asked, 1), 0);
        for (size_t k = 0; k < v[i].got; k++)
            assert_non_null(sl_ring_stage(&r));
        assert_null(sl_ring_stage(&r));
        sl_ring_publish(&r);
        assert_null(sl_ring_stage(&r));
        sl_ring_pop(&r);
        assert_non_null(sl_ring_stage(&r));
        assert_null(sl_ring_stage(&r));
        sl_ring_fini(&r);
    }
}

static void absurd_sizes_are_out_of_memory(void **state)
{
    struct sl_ring r;

    (void)state;
    assert_int_equal(sl_ring_init(&r, SIZE_MAX, 1), -ENOMEM);
    assert_int_equal(sl_ring_init(&r, SIZE_MAX / 4, 64), -ENOMEM);
    oom_fail_at(1);
    assert_int_equal(sl_ring_init(&r, 16, 64), -ENOMEM);
    assert_true(oom_happened());
}

#define ENTRIES 200000

static void *producer(void *arg)
{
    struct sl_ring *r = arg;

    for (uint64_t i = 0; i < ENTRIES;) {
        uint64_t *e;

        for (int k = 0; k < 7 && i < ENTRIES && (e = sl_ring_stage(r)); k++)
            *e = i++;
        if (!sl_ring_publish(r))
            sched_yield();
    }
    return NULL;
}

static void another_thread_gets_all_in_order(void **state)
{
    struct sl_ring r;
    pthread_t t;
    size_t wrong = 0;

    (void)state;
    assert_int_equal(sl_ring_init(&r, 64, sizeof(uint64_t)), 0);
    assert_int_equal(pthread_create(&t, NULL, producer, &r), 0);
    for (uint64_t want = 0; want < ENTRIES;) {
        uint64_t *e = sl_ring_peek(&r);

        if (!e) {
            sched_yield();
            continue;
        }
        wrong += *e != want++;
        sl_ring_pop(&r);
    }
    pthread_join(t, NULL);
    assert_int_equal(wrong, 0);
    assert_null(sl_ring_peek(&r));
    sl_ring_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_seen_only_after_publishing),
        cmocka_unit_test(a_full_ring_refuses_until_an_entry_is_released),
        cmocka_unit_test(absurd_sizes_are_out_of_memory),
        cmocka_unit_test(another_thread_gets_all_in_order),
    };

    return cmocka_run_group_tests_name("base/ring", tests, NULL, NULL);
}
