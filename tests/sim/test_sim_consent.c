/* Consent of ICE-lite on a virtual clock: half an hour passes in a moment. */
#include "tests/unit/test_cmocka.h"

#include "../unit/ice/lite_world.h"

#define SECOND 1000000u

struct fixture {
    struct world w;
    struct world_peer a;
    struct sl_addr x, y;
};

static int setup(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(world_init(&f->w), 0);
    assert_int_equal(world_peer_init(&f->w, &f->a, "ufragAAA", "password-of-agent-aaaaaa"), 0);
    f->x = world_addr("198.51.100.1", 4000);
    f->y = world_addr("198.51.100.2", 4001);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    sl_lite_agent_destroy(f->a.agent);
    sl_ice_lite_destroy(f->w.lite);
    free(f);
    return 0;
}

static void lives_as_long_as_the_peer_checks(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    for (int i = 0; i < 360; i++) {
        assert_int_equal(world_check(&f->w, &f->a, &f->x, 100, true), 200);
        world_run(&f->w, 5 * SECOND);
        assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    }
    assert_int_equal(f->a.npaths, 1);
    assert_int_equal(f->a.nstates, 2);
}

static void ends_thirty_seconds_after_the_last_check(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    uint64_t last;

    world_check(&f->w, &f->a, &f->x, 100, true);
    world_run(&f->w, 17 * SECOND);
    world_check(&f->w, &f->a, &f->x, 100, true);
    last = f->w.now_us;
    world_run(&f->w, 30 * SECOND - 2000);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    world_run(&f->w, 10000);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
    assert_int_equal(f->a.path.kind, SL_ICE_PATH_NONE);
    assert_true(f->a.state_us >= last + 30 * SECOND);
    assert_null(
        sl_ice_lite_find(f->w.lite, &f->x, NULL)); /* and nothing is taken from there any more */
}

static void comes_back_with_the_next_check(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    world_check(&f->w, &f->a, &f->x, 100, true);
    world_run(&f->w, 31 * SECOND);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
    world_run(&f->w, 40 * SECOND);
    assert_int_equal(world_check(&f->w, &f->a, &f->y, 50, false), 200);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_true(sl_addr_is_equal(&f->a.path.remote, &f->y));
    world_run(&f->w, 31 * SECOND);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
}

static void is_not_renewed_by_strangers(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;
    struct raw_check c = { "ufragAAA:them", "wrong", 100, true, false };
    struct raw r;

    world_check(&f->w, &f->a, &f->x, 100, true);
    for (int i = 0; i < 10; i++) {
        world_run(&f->w, 3 * SECOND);
        raw_check_write(&r, &c, (uint32_t)i);
        assert_int_equal(world_input(&f->w, &f->x, r.b, r.n), 0);
    }
    world_run(&f->w, SECOND);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
}

static void falls_back_to_an_address_that_is_still_checked(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    world_check(&f->w, &f->a, &f->x, 100, true);
    for (int i = 0; i < 8; i++) {
        world_check(&f->w, &f->a, &f->y, 50, false);
        world_run(&f->w, 4 * SECOND);
    }
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
    assert_int_equal(f->a.path.kind, SL_ICE_PATH_DIRECT);
    assert_true(sl_addr_is_equal(&f->a.path.remote, &f->y));
    assert_null(sl_ice_lite_find(f->w.lite, &f->x, NULL));
    assert_int_equal(f->a.nstates, 2);
}

static void ends_also_before_a_nomination(void **state)
{
    SL_ASSUME(worker);
    struct fixture *f = *state;

    world_check(&f->w, &f->a, &f->x, 100, false);
    world_run(&f->w, 31 * SECOND);
    assert_int_equal(f->a.state, SL_ICE_DISCONNECTED);
    world_check(&f->w, &f->a, &f->x, 100, false);
    assert_int_equal(f->a.state, SL_ICE_CONNECTING);
    world_check(&f->w, &f->a, &f->x, 100, true);
    assert_int_equal(f->a.state, SL_ICE_CONNECTED);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(lives_as_long_as_the_peer_checks),
        T(ends_thirty_seconds_after_the_last_check),
        T(comes_back_with_the_next_check),
        T(is_not_renewed_by_strangers),
        T(falls_back_to_an_address_that_is_still_checked),
        T(ends_also_before_a_nomination),
    };
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_role_leave(&sl_role_worker);
    return failed;
}
