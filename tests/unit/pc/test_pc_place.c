#include "../test_cmocka.h"

#include "pc/pc_place.h"

#include <stdbool.h>

#define WORKERS 4

/* Places @group as the world does. */
static struct sl_home *join(struct sl_homes *h, struct sl_place *w, uint64_t group,
                            unsigned int *worker)
{
    struct sl_home *home;

    *worker = sl_homes_join(h, w, WORKERS, group, &home);
    w[*worker].live++;
    w[*worker].fresh++;
    return home;
}

static void groups_begin_where_there_is_least_to_do_and_stay_together(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    unsigned int first[3 * WORKERS], at;
    struct sl_homes h;

    (void)state;
    sl_homes_init(&h);
    for (uint64_t g = 1; g <= 3 * WORKERS; g++)
        assert_non_null(join(&h, w, g, &first[g - 1]));
    for (unsigned int i = 0; i < WORKERS; i++)
        assert_int_equal(w[i].live, 3);
    for (uint64_t g = 1; g <= 3 * WORKERS; g++) {
        (void)join(&h, w, g, &at);
        assert_int_equal(at, first[g - 1]);
    }
    sl_homes_fini(&h);
}

static void a_group_that_is_gone_has_no_home(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    struct sl_home *one, *two;
    unsigned int before, at;
    struct sl_homes h;

    (void)state;
    sl_homes_init(&h);
    one = join(&h, w, 7, &before);
    two = join(&h, w, 7, &at);
    sl_homes_leave(&h, one);
    w[before].busy_permille = 500;
    assert_ptr_equal(join(&h, w, 7, &at), two);
    assert_int_equal(at, before); /* one of it was left */
    sl_homes_leave(&h, two);
    sl_homes_leave(&h, two);
    assert_int_equal(h.groups.count, 0);
    (void)join(&h, w, 7, &at);
    assert_int_not_equal(at, before);
    assert_null(join(&h, w, 0, &at)); /* none */
    sl_homes_leave(&h, NULL);
    sl_homes_fini(&h);
}

static void a_group_stays_until_its_worker_is_loaded(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    const unsigned int home = 2;

    (void)state;
    for (unsigned int busy = 0; busy < SL_PLACE_SPILL; busy += 10) {
        w[home] = (struct sl_place){ busy, 100, 0 };
        assert_int_equal(sl_place_pick(w, WORKERS, (int)home), home);
    }
    w[home].busy_permille = SL_PLACE_SPILL;
    assert_int_not_equal(sl_place_pick(w, WORKERS, (int)home), home);
}

/* A packet crosses to one more worker, not to all of them. */
static void it_spills_to_one_other_as_long_as_that_has_room(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    const unsigned int home = 2, next = (home + 1) % WORKERS;

    (void)state;
    w[home].busy_permille = 900;
    for (unsigned int busy = 0; busy < SL_PLACE_SPILL; busy += 50) {
        w[next].busy_permille = busy;
        assert_int_equal(sl_place_pick(w, WORKERS, (int)home), next);
    }
    w[next].busy_permille = 900;
    assert_int_equal(sl_place_pick(w, WORKERS, (int)home), (home + 2) % WORKERS);
    w[home].busy_permille = 300; /* room again */
    assert_int_equal(sl_place_pick(w, WORKERS, (int)home), home);
}

static void when_all_are_loaded_the_least_loaded_takes_it(void **state)
{
    static const struct sl_place w[WORKERS] = {
        { 990, 10, 0 }, { 980, 10, 0 }, { 800, 10, 0 }, { 995, 10, 0 }
    };

    (void)state;
    for (int home = -1; home < WORKERS; home++)
        assert_int_equal(sl_place_pick(w, WORKERS, home), 2);
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
        assert_int_equal(sl_place_pick(v[i].w, 3, -1), v[i].want);
}

/* Load is known once a second; a thousand viewers who come meanwhile do not all go to one. */
static void those_who_come_at_once_are_reckoned_with(void **state)
{
    struct sl_place w[WORKERS] = { { 0 } };
    const unsigned int home = 2;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        unsigned int at = sl_place_pick(w, WORKERS, (int)home);

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
            unsigned int at = sl_place_pick(w, 2, -1);

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
    assert_int_equal(sl_place_pick(w, 1, -1), 0);
    assert_int_equal(sl_place_pick(w, 1, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_begin_where_there_is_least_to_do_and_stay_together),
        cmocka_unit_test(a_group_that_is_gone_has_no_home),
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
