#include "../test_cmocka.h"
#include "base/timer.h"
#include <stdlib.h>
#include <string.h>

struct alarm {
    struct sl_timer t;
    uint64_t fired_us; /* when it fired last */
    unsigned int times;
    struct sl_wheel *wheel;
    struct alarm *other;
    uint64_t again_us;
};

static void on_alarm(struct sl_timer *t, uint64_t now_us)
{
    struct alarm *a = sl_container(t, struct alarm, t);

    assert_false(sl_timer_is_set(t));
    a->fired_us = now_us;
    a->times++;
}

static void timers_fire_at_their_tick_and_never_early(void **state)
{
    static const struct {
        uint64_t start_us, at_us, ms; /* fires at this ms after the start of time */
    } v[] = {
        { 0, 1, 1 },
        { 0, 1000, 1 },
        { 0, 1001, 2 },
        { 0, 63000, 63 },
        { 0, 64000, 64 },
        { 0, 64001, 65 },
        { 0, 4096000, 4096 },
        { 0, 262144000, 262144 },
        { 63500, 64000, 64 },
        { 4095999, 4096000, 4096 },
        { 16777215000, 16777216000, 16777216 },
        { 1000, 20000000000, 20000000 },
        /* Over the end of the last level, and beyond. */
        { 68719476735000, 68719476736000, 68719476736 },
        { 68719476000000, 68719480000001, 68719480001 },
        { 5000, 68719476736000, 68719476736 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct alarm a = { .times = 0 };
        static struct sl_wheel w;
        uint64_t due_us = v[i].ms * 1000;
        unsigned int wakes = 0;
        uint64_t now = v[i].start_us;

        sl_wheel_init(&w, now);
        sl_timer_init(&a.t, on_alarm);
        sl_timer_set(&w, &a.t, v[i].at_us);
        assert_true(sl_timer_is_set(&a.t));
        /* Sleep as the loop does. */
        while (!a.times) {
            int ms = sl_wheel_timeout_ms(&w, now);

            assert_true(ms >= 0);
            assert_in_range(wakes++, 0, 100);
            now = (now / 1000 + (uint64_t)ms) * 1000;
            sl_wheel_run(&w, now);
        }
        assert_int_equal(a.fired_us, due_us);
        assert_int_equal(sl_wheel_timeout_ms(&w, now), -1);

        /* In one leap, one microsecond too early and then in time. */
        sl_wheel_init(&w, v[i].start_us);
        sl_timer_set(&w, &a.t, v[i].at_us);
        sl_wheel_run(&w, due_us - 1);
        assert_int_equal(a.times, 1);
        sl_wheel_run(&w, due_us);
        assert_int_equal(a.times, 2);
    }
}

static void a_time_in_the_past_fires_at_the_next_run(void **state)
{
    struct alarm a = { .times = 0 };
    static struct sl_wheel w;

    (void)state;
    sl_wheel_init(&w, 5000700);
    sl_timer_init(&a.t, on_alarm);
    sl_timer_set(&w, &a.t, 0);
    assert_int_equal(sl_wheel_timeout_ms(&w, 5000700), 0);
    sl_wheel_run(&w, 5000701);
    assert_int_equal(a.times, 1);
}

static void a_cancelled_timer_stays_silent(void **state)
{
    static const uint64_t at[] = { 0, 5000, 100000, 50000000, 70000000000000 };
    static struct sl_wheel w;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(at); i++) {
        struct alarm a = { .times = 0 };

        sl_wheel_init(&w, 1000);
        sl_timer_init(&a.t, on_alarm);
        sl_timer_cancel(&a.t);
        sl_timer_set(&w, &a.t, at[i]);
        sl_timer_set(&w, &a.t, at[i] + 1); /* moves it, does not add one */
        assert_int_equal(w.count, 1);
        sl_timer_cancel(&a.t);
        sl_timer_cancel(&a.t);
        assert_int_equal(w.count, 0);
        assert_int_equal(sl_wheel_timeout_ms(&w, 1000), -1);
        for (size_t l = 0; l < SL_WHEEL_LEVELS; l++)
            assert_int_equal(w.pending[l], 0);
        sl_wheel_run(&w, at[i] + 10000);
        assert_int_equal(a.times, 0);
    }
}

static void on_set_again(struct sl_timer *t, uint64_t now_us)
{
    struct alarm *a = sl_container(t, struct alarm, t);

    a->times++;
    sl_timer_set(a->wheel, t, a->again_us ? now_us + a->again_us : 0);
}

static void a_callback_may_set_its_own_timer(void **state)
{
    static struct sl_wheel w;
    struct alarm a = { .wheel = &w, .again_us = 0 };

    (void)state;
    sl_wheel_init(&w, 1000);
    sl_timer_init(&a.t, on_set_again);
    sl_timer_set(&w, &a.t, 2000);
    for (unsigned int i = 1; i < 5; i++) { /* once per run, however much it is in the past */
        sl_wheel_run(&w, 100000);
        assert_int_equal(a.times, i);
    }
    a.again_us = 20000;
    a.times = 0;
    for (uint64_t now = 100000; now <= 300000; now += 1000)
        sl_wheel_run(&w, now);
    assert_int_equal(a.times, 11);
}

static void on_cancel_other(struct sl_timer *t, uint64_t now_us)
{
    struct alarm *a = sl_container(t, struct alarm, t);

    on_alarm(t, now_us);
    sl_timer_cancel(&a->other->t);
}

static void a_callback_may_cancel_one_that_is_due_with_it(void **state)
{
    struct alarm a = { .times = 0 }, b = { .times = 0 };
    static struct sl_wheel w;

    (void)state;
    a.other = &b;
    b.other = &a;
    sl_wheel_init(&w, 1000);
    sl_timer_init(&a.t, on_cancel_other);
    sl_timer_init(&b.t, on_cancel_other);
    sl_timer_set(&w, &a.t, 70000);
    sl_timer_set(&w, &b.t, 70000);
    sl_wheel_run(&w, 90000);
    assert_int_equal(a.times + b.times, 1);
    assert_int_equal(w.count, 0);
}

#define ALARMS 500

/* Against the plain rule: due when the whole milliseconds have passed. */
static void many_timers_behave_as_a_plain_list_does(void **state)
{
    static struct alarm a[ALARMS];
    static struct sl_wheel w;
    uint64_t now = 7654321;

    (void)state;
    srandom(1);
    memset(a, 0, sizeof(a));
    sl_wheel_init(&w, now);
    for (size_t i = 0; i < ALARMS; i++)
        sl_timer_init(&a[i].t, on_alarm);
    for (int step = 0; step < 3000; step++) {
        uint64_t at[ALARMS];
        int ms;

        for (int k = 0; k < 5; k++) {
            struct alarm *x = &a[random() % ALARMS];

            if (random() % 4 == 0)
                sl_timer_cancel(&x->t);
            else
                sl_timer_set(&w, &x->t, now + (uint64_t)random() % (1u << (random() % 27)));
        }
        for (size_t i = 0; i < ALARMS; i++)
            at[i] = a[i].t.at_us;
        ms = sl_wheel_timeout_ms(&w, now);
        for (size_t i = 0; i < ALARMS; i++) {
            a[i].times = 0;
            /* The loop wakes up before anything is late. */
            if (at[i])
                assert_in_range(ms, 0,
                                at[i] <= now / 1000 * 1000 ? 0 : (at[i] + 999) / 1000 - now / 1000);
        }
        now += (uint64_t)random() % (1u << (random() % 20));
        sl_wheel_run(&w, now);
        for (size_t i = 0; i < ALARMS; i++) {
            bool due = at[i] && at[i] <= now / 1000 * 1000;

            /* What was in the past already when it was set fires too. */
            if (at[i] && at[i] <= now && !due)
                continue;
            assert_int_equal(a[i].times, due);
            assert_int_equal(sl_timer_is_set(&a[i].t), at[i] && !due);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_at_their_tick_and_never_early),
        cmocka_unit_test(a_time_in_the_past_fires_at_the_next_run),
        cmocka_unit_test(a_cancelled_timer_stays_silent),
        cmocka_unit_test(a_callback_may_set_its_own_timer),
        cmocka_unit_test(a_callback_may_cancel_one_that_is_due_with_it),
        cmocka_unit_test(many_timers_behave_as_a_plain_list_does),
    };

    return cmocka_run_group_tests_name("base/timer", tests, NULL, NULL);
}
