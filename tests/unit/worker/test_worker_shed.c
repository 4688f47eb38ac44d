/* When a worker takes layers away, from whom, and when it gives them back. */
#include "tests/unit/test_cmocka.h"

#include "worker/worker_shed.h"

#define LIMIT 900

static void seconds(struct sl_shed *s, int n, unsigned int busy)
{
    while (n-- > 0)
        sl_shed_second(s, busy, LIMIT, false);
}

static void nothing_is_taken_below_the_limit_and_everything_above_it(void **state)
{
    struct sl_shed s = { 0 };

    (void)state;
    seconds(&s, 100, LIMIT - 1);
    assert_int_equal(s.step, 0);
    seconds(&s, 1, LIMIT);
    assert_int_equal(s.step, 1);
    seconds(&s, 1, 1000); /* no time left at all: faster */
    assert_int_equal(s.step, 3);
    sl_shed_second(&s, LIMIT / 2, LIMIT, true); /* packets are lost: whatever the clock says */
    assert_int_equal(s.step, 5);
    sl_shed_second(&s, LIMIT / 2 - 1, LIMIT, true); /* but others keep us from the core */
    assert_int_equal(s.step, 5);
    seconds(&s, 100, 1000);
    assert_int_equal(s.step, SL_SHED_STEPS);
    sl_shed_second(&s, 1000, 0, true); /* off */
    assert_int_equal(s.step, 0);
}

static void it_is_given_back_step_by_step_when_there_is_room(void **state)
{
    struct sl_shed s = { 0 };

    (void)state;
    seconds(&s, 3, LIMIT);
    seconds(&s, 1000, LIMIT - 1); /* just enough */
    assert_int_equal(s.step, 3);
    seconds(&s, SL_SHED_CALM - 1, 500);
    seconds(&s, 1, 800); /* not in a row */
    seconds(&s, SL_SHED_CALM - 1, 500);
    assert_int_equal(s.step, 3);
    seconds(&s, 1, 500);
    assert_int_equal(s.step, 2);
    seconds(&s, 2 * SL_SHED_CALM, 500);
    assert_int_equal(s.step, 0);
    seconds(&s, 1000, 500);
    assert_int_equal(s.step, 0);
}

static void what_was_given_back_too_early_waits_longer_the_next_time(void **state)
{
    struct sl_shed s = { 0 };
    int calm, least = SL_SHED_CALM;

    (void)state;
    seconds(&s, 4, LIMIT);
    for (int i = 0; i < 6; i++) {
        unsigned int step = s.step;

        for (calm = 0; s.step == step; calm++)
            seconds(&s, 1, 500);
        assert_int_equal(calm, least);
        seconds(&s, 1, LIMIT); /* it was too much */
        least = 2 * least < SL_SHED_CALM_MAX ? 2 * least : SL_SHED_CALM_MAX;
    }
    seconds(&s, 4 * SL_SHED_CALM_MAX, 500);
    assert_int_equal(s.step, 0);
    seconds(&s, 1, LIMIT); /* a new day */
    seconds(&s, SL_SHED_CALM, 500);
    assert_int_equal(s.step, 0);
}

static void the_least_important_lose_first_and_nobody_more_than_two(void **state)
{
    struct sl_shed s = { 0 };
    int lost = 0;

    (void)state;
    for (; s.step <= SL_SHED_STEPS; s.step++) {
        int sum = 0;

        for (unsigned int rank = 0; rank < 1000; rank++) {
            int n = sl_shed_layers(&s, rank);

            assert_in_range(n, 0, 2);
            assert_true(rank == 0 || n <= sl_shed_layers(&s, rank - 1));
            sum += n;
        }
        assert_int_equal(sum, lost);
        lost += 2 * 1000 / SL_SHED_STEPS;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_taken_below_the_limit_and_everything_above_it),
        cmocka_unit_test(it_is_given_back_step_by_step_when_there_is_room),
        cmocka_unit_test(what_was_given_back_too_early_waits_longer_the_next_time),
        cmocka_unit_test(the_least_important_lose_first_and_nobody_more_than_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
