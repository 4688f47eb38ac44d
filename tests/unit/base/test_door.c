#include "../test_cmocka.h"
#include "base/door.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

static bool is_rung(const struct sl_door *d, int ms)
{
    struct pollfd p = { .fd = d->efd, .events = POLLIN };

    return poll(&p, 1, ms) == 1;
}

static void nobody_rings_for_one_who_is_awake(void **state)
{
    struct sl_door d;

    (void)state;
    assert_int_equal(sl_door_init(&d), 0);
    sl_door_ring(&d);
    assert_false(is_rung(&d, 0));
    sl_door_will_sleep(&d);
    sl_door_woke(&d);
    sl_door_ring(&d);
    assert_false(is_rung(&d, 0));
    sl_door_fini(&d);
}

static void a_sleeper_is_woken_once_however_many_ring(void **state)
{
    struct sl_door d;

    (void)state;
    assert_int_equal(sl_door_init(&d), 0);
    sl_door_will_sleep(&d);
    for (int i = 0; i < 5; i++)
        sl_door_ring(&d);
    assert_true(is_rung(&d, 0));
    assert_int_equal(d.owed, 0);
    sl_door_woke(&d);
    assert_false(is_rung(&d, 0));
    sl_door_fini(&d);
}

static void waking_without_having_slept_is_harmless(void **state)
{
    struct sl_door d;

    (void)state;
    assert_int_equal(sl_door_init(&d), 0);
    sl_door_woke(&d);
    sl_door_woke(&d);
    assert_int_equal(d.owed, 0);
    sl_door_will_sleep(&d);
    sl_door_ring(&d);
    assert_true(is_rung(&d, 0));
    sl_door_woke(&d);
    assert_false(is_rung(&d, 0));
    sl_door_fini(&d);
}

/* The waker took the flag down, and the sleeper looks before the write is there. */
static void a_ring_that_comes_late_is_read_at_the_next_waking(void **state)
{
    struct sl_door d;

    (void)state;
    assert_int_equal(sl_door_init(&d), 0);
    sl_door_will_sleep(&d);
    atomic_store(&d.asleep, false); /* first half of a ring */
    sl_door_woke(&d);
    assert_int_equal(d.owed, 1);
    atomic_store(&d.asleep, true);
    sl_door_ring(&d); /* second half */
    sl_door_will_sleep(&d);
    assert_true(is_rung(&d, 0));
    sl_door_woke(&d);
    assert_int_equal(d.owed, 0);
    assert_false(is_rung(&d, 0));
    sl_door_fini(&d);
}

#define ROUNDS 20000

struct counter {
    struct sl_door door;
    atomic_int published;
};

static void *publisher(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(&c->published, 1);
        sl_door_ring(&c->door);
    }
    return NULL;
}

static void no_work_is_slept_over(void **state)
{
    struct counter c;
    pthread_t t[2];
    bool lost = false;

    (void)state;
    assert_int_equal(sl_door_init(&c.door), 0);
    atomic_init(&c.published, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, publisher, &c), 0);
    for (int seen = 0; seen < 2 * ROUNDS && !lost;) {
        int now;

        sl_door_will_sleep(&c.door);
        now = atomic_load(&c.published);
        if (now == seen && !is_rung(&c.door, 5000))
            lost = atomic_load(&c.published) != seen;
        sl_door_woke(&c.door);
        seen = atomic_load(&c.published);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert_false(lost);
    sl_door_fini(&c.door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_rings_for_one_who_is_awake),
        cmocka_unit_test(a_sleeper_is_woken_once_however_many_ring),
        cmocka_unit_test(waking_without_having_slept_is_harmless),
        cmocka_unit_test(a_ring_that_comes_late_is_read_at_the_next_waking),
        cmocka_unit_test(no_work_is_slept_over),
    };

    return cmocka_run_group_tests_name("base/door", tests, NULL, NULL);
}
