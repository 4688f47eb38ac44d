/* How much may leave when: time is an argument. */
#include "../test_cmocka.h"
#include "bwe/bwe_pace.h"

#define MS     UINT64_C(1000)
#define SECOND UINT64_C(1000000)
#define PACKET 1200

static const struct sl_pace at_1200 = { .bps = 1.2e6 }; /* 150 bytes per millisecond */

/* Sends what may leave of @waiting bytes that came at @since_us; how many are left. */
static size_t step(struct sl_pace *p, size_t waiting, uint64_t since_us, uint64_t now_us)
{
    size_t may = sl_pace_may(p, waiting, since_us, now_us), done = 0;

    while (done < may && done < waiting)
        done += PACKET;
    done = done < waiting ? done : waiting;
    sl_pace_on_sent(p, done);
    return waiting - done;
}

/* When the last of @bytes left. */
static uint64_t takes(struct sl_pace *p, size_t bytes, uint64_t now_us)
{
    uint64_t since_us = now_us;

    for (bytes = step(p, bytes, since_us, now_us); bytes; now_us += SL_PACE_STEP_US)
        bytes = step(p, bytes, since_us, now_us + SL_PACE_STEP_US);
    return now_us - since_us;
}

static void nothing_waits_where_no_limit_is_known(void **state)
{
    struct sl_pace p = { .bps = 0 };

    (void)state;
    assert_int_equal(sl_pace_may(&p, 1000000, SECOND, SECOND), 1000000);
    sl_pace_on_sent(&p, 1000000);
    assert_int_equal(sl_pace_may(&p, 1000000, SECOND, SECOND), 1000000);
}

static void what_the_path_takes_at_once_leaves_at_once(void **state)
{
    struct sl_pace p = { .bps = 10e6 };

    (void)state;
    assert_int_equal(takes(&p, 12000, SECOND), 0); /* 9.6 ms */
    assert_int_equal(takes(&p, 12000, SECOND + 33 * MS), 0);
}

static void a_frame_leaves_at_the_rate_of_the_path(void **state)
{
    static const struct {
        size_t bytes;
        uint64_t least_ms, most_ms;
    } t[] = { { 1200, 0, 0 }, { 2400, 0, 5 }, { 6000, 25, 35 }, { 15000, 80, 95 } };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct sl_pace p = at_1200;

        assert_in_range(takes(&p, t[i].bytes, SECOND), t[i].least_ms * MS, t[i].most_ms * MS);
    }
}

static void in_the_long_run_it_is_the_rate(void **state)
{
    struct sl_pace p = at_1200;
    size_t waiting = 0, sent = 0;
    uint64_t now_us = SECOND;

    (void)state;
    for (; now_us < 11 * SECOND; now_us += SL_PACE_STEP_US) {
        size_t left;

        waiting = 20 * PACKET; /* never so old that it has to hurry */
        left = step(&p, waiting, now_us, now_us);
        sent += waiting - left;
    }
    assert_in_range(sent, 1490000, 1510000);
}

static void what_waited_long_enough_leaves(void **state)
{
    struct sl_pace p = at_1200;

    (void)state;
    /* Five times what the rate allows within the bound; and no rush at its end. */
    assert_in_range(takes(&p, 5 * 150 * SL_PACE_MAX_US / MS, SECOND), SL_PACE_MAX_US - 30 * MS,
                    SL_PACE_MAX_US);
    p = at_1200;
    sl_pace_on_sent(&p, 1000000);
    assert_int_equal(sl_pace_may(&p, PACKET, SECOND, SECOND + SL_PACE_MAX_US), PACKET);
}

static void audio_is_counted_though_it_does_not_ask(void **state)
{
    struct sl_pace p = at_1200;

    (void)state;
    assert_true(sl_pace_may(&p, PACKET, SECOND, SECOND) > 0);
    sl_pace_on_sent(&p, 3000);
    assert_int_equal(sl_pace_may(&p, PACKET, SECOND, SECOND), 0);
    assert_true(sl_pace_may(&p, PACKET, SECOND, SECOND + 20 * MS) > 0);
}

/* Owners have clocks that jump, at worst. */
static void a_clock_that_stands_still_or_goes_back_does_no_harm(void **state)
{
    struct sl_pace p = at_1200;

    (void)state;
    (void)step(&p, 20 * PACKET, SECOND, SECOND);
    assert_true(sl_pace_may(&p, PACKET, SECOND, SECOND) <= PACKET);
    assert_true(sl_pace_may(&p, PACKET, SECOND, SECOND - 10 * MS) <= PACKET);
    assert_int_equal(sl_pace_may(&p, PACKET, SECOND, 10 * SECOND), PACKET);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_where_no_limit_is_known),
        cmocka_unit_test(what_the_path_takes_at_once_leaves_at_once),
        cmocka_unit_test(a_frame_leaves_at_the_rate_of_the_path),
        cmocka_unit_test(in_the_long_run_it_is_the_rate),
        cmocka_unit_test(what_waited_long_enough_leaves),
        cmocka_unit_test(audio_is_counted_though_it_does_not_ask),
        cmocka_unit_test(a_clock_that_stands_still_or_goes_back_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
