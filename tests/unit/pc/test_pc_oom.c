/* Peer connections with the 1st, 2nd, 3rd ... allocation of control failing: each fails or works,
 * and nothing is left behind. */
#include "pc_fix.h"

#include "tests/unit/test_oom.h"

#define MOST 5000 /* a round has some hundred */

static int ntold;

static void on_info(void *arg, json_t *info)
{
    (void)arg;
    ntold++;
    json_decref(info);
}

/* What a client and an administrator may ask for in the life of a connection; the first error. */
static int live(struct sl_pc *pc) SL_ON_CONTROL
{
    struct sl_jsep_in in;
    int err = set_remote(pc, fix.offer, &in);

    if (!err)
        err = answer(pc, &in);
    if (!err)
        err = sl_pc_route_add(&(struct sl_pc_source){ .id = pc->id, .nlayers = 1 }, pc, 1, NULL);
    if (!err)
        err = sl_pc_route_pause(pc, 1, true);
    if (!err)
        err = sl_pc_bitrate(pc, 100000);
    sl_pc_candidate(pc, "candidate:1 1 udp 1 192.0.2.1 1 typ host", "0", 0);
    sl_pc_stats_ask(pc);
    if (!err)
        err = sl_pc_info(pc, on_info, NULL);
    if (!err)
        err = set_remote(pc, fix.offer, &in);
    if (!err)
        err = answer(pc, &in);
    return err;
}

static uint32_t live_slots(void)
{
    return fix.world->slots[0].live;
}

static void a_connection_fails_or_works(void **state)
{
    unsigned int n, failed = 0;

    (void)state;
    SL_ASSUME(control);
    for (n = 1; n < MOST; n++) {
        struct sl_pc *pc = NULL;
        bool hit;
        int err;

        oom_fail_at(n);
        err = sl_pc_create(fix.world, &callbacks, &fix, 0, &pc);
        if (!err)
            err = live(pc);
        hit = oom_happened();
        failed += err != 0;
        assert_true(!err || hit); /* nothing else is wrong */
        sl_pc_destroy(pc);
        sl_arena_destroy(fix.arena);
        fix.arena = sl_arena_create();
        if (n % 20 == 0 || !hit)
            turn(10);
        if (!hit)
            break;
    }
    print_message("%u allocations, %u failures\n", n, failed);
    assert_true(n > 50 && n < MOST);
    assert_true(failed > n / 3);
    for (int i = 0; i < 6000 && live_slots(); i++)
        turn(5);
    assert_int_equal(live_slots(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_connection_fails_or_works, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
