#include "../test_cmocka.h"

#include "pc/pc_place.h"

#include <stdbool.h>

#define WORKERS 4

static unsigned int home_of(uint64_t group)
{
    static const struct sl_place idle[WORKERS];

    return sl_place_pick(idle, WORKERS, group);
}

static void groups_are_kept_together_and_spread(void **state)
{
    unsigned int seen[WORKERS] = { 0 };

    (void)state;
    for (uint64_t g = 1; g <= 400; g++)
        seen[home_of(g)]++;
    for (unsigned int i = 0; i < WORKERS; i++)
        assert_in_range(seen[i], 60, 140);
}

static void a_group_stays_until_its_worker_is_loaded(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    unsigned int home = home_of(7);

    (void)state;
    for (unsigned int busy = 0; busy < SL_PLACE_SPILL; busy += 10) {
        w[home] = (struct sl_place){ busy, 100, 0 };
        assert_int_equal(sl_place_pick(w, WORKERS, 7), home);
    }
    w[home].busy_permille = SL_PLACE_SPILL;
    assert_int_not_equal(sl_place_pick(w, WORKERS, 7), home);
}

/* A packet crosses to one more worker, not to all of them. */
static void it_spills_to_one_other_as_long_as_that_has_room(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    unsigned int home = home_of(7), next = (home + 1) % WORKERS;

    (void)state;
    w[home].busy_permille = 900;
    for (unsigned int busy = 0; busy < SL_PLACE_SPILL; busy += 50) {
        w[next].busy_permille = busy;
        assert_int_equal(sl_place_pick(w, WORKERS, 7), next);
    }
    w[next].busy_permille = 900;
    assert_int_equal(sl_place_pick(w, WORKERS, 7), (home + 2) % WORKERS);
    w[home].busy_permille = 300; /* room again */
    assert_int_equal(sl_place_pick(w, WORKERS, 7), home);
}

static void when_all_are_loaded_the_least_loaded_takes_it(void **state)
{
    static const struct sl_place w[WORKERS] = {
        { 990, 10, 0 }, { 980, 10, 0 }, { 800, 10, 0 }, { 995, 10, 0 }
    };

    (void)state;
    for (uint64_t g = 0; g < 20; g++)
        assert_int_equal(sl_place_pick(w, WORKERS, g), 2);
}

static void without_a_group_the_least_loaded_takes_it(void **state)
{
    static const struct {
        struct sl_place w[3];
        unsigned int want;
    } v[] = {
        { { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }, 0 },
        { { { 0, 1, 0 }, { 0, 0, 0 }, { 0, 1, 0 } }, 1 },
        { { { 300, 5, 0 }, { 280, 9, 0 }, { 310, 7, 0 } }, 0 }, /* alike: the emptiest */
        { { { 300, 5, 0 }, { 100, 9, 0 }, { 310, 7, 0 } }, 1 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_place_pick(v[i].w, 3, 0), v[i].want);
}

/* Load is known once a second; a thousand viewers who come meanwhile do not all go to one. */
static void those_who_come_at_once_are_reckoned_with(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    unsigned int home = home_of(7);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        unsigned int at = sl_place_pick(w, WORKERS, 7);

        w[at].live++;
        w[at].fresh++;
    }
    assert_int_equal(w[home].live, SL_PLACE_SPILL / SL_PLACE_GUESS);
    for (unsigned int i = 0; i < WORKERS; i++)
        assert_true(w[i].live <= SL_PLACE_SPILL / SL_PLACE_GUESS);
}

/* New ones go to who has room, and so the load evens out. */
static void new_ones_balance_what_is_out_of_balance(void **state)
{
    struct sl_place w[2] = { { 600, 300, 0 }, { 0, 0, 0 } };

    (void)state;
    for (int second = 0; second < 60; second++) {
        for (int i = 0; i < 10; i++) {
            unsigned int at = sl_place_pick(w, 2, 0);

            w[at].live++;
            w[at].fresh++;
        }
        for (unsigned int i = 0; i < 2; i++) {
            w[i].busy_permille = 2 * w[i].live;
            w[i].fresh = 0;
        }
    }
    assert_in_range(w[0].live, 400, 500);
    assert_in_range(w[1].live, 400, 500);
}

static void one_worker_takes_all(void **state)
{
    static const struct sl_place w[1] = { { 1000, 5000, 100 } };

    (void)state;
    for (uint64_t g = 0; g < 10; g++)
        assert_int_equal(sl_place_pick(w, 1, g), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_kept_together_and_spread),
        cmocka_unit_test(a_group_stays_until_its_worker_is_loaded),
        cmocka_unit_test(it_spills_to_one_other_as_long_as_that_has_room),
        cmocka_unit_test(when_all_are_loaded_the_least_loaded_takes_it),
        cmocka_unit_test(without_a_group_the_least_loaded_takes_it),
        cmocka_unit_test(those_who_come_at_once_are_reckoned_with),
        cmocka_unit_test(new_ones_balance_what_is_out_of_balance),
        cmocka_unit_test(one_worker_takes_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
