/* A peer connection whose only way leads through a TURN server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/clock.h"
#include "mini_turn.h"
#include "nice_net.h"

static void relays_by_the_agent_and_gives_the_allocations_back(void **state)
{
    char server[SL_ADDR_TEXT_MAX];
    struct sl_nice_conf conf = { .turn_server = server, .turn_user = "u", .turn_password = "p" };
    struct turn turn;
    struct side s;
    uint64_t start;
    struct net *t;

    (void)state;
    assert_int_equal(turn_open(&turn, "u", "p"), 0);
    (void)sl_addr_format(&turn.addr, server);
    t = net_open(&conf, true);
    t->relayed = true;
    open_both(t);
    wait_for(t, 1, is_in_state, SL_ICE_CONNECTED);
    wait_for(t, 2, is_in_state, SL_ICE_CONNECTED);
    wait_for(t, 1, has_path, 1);
    s = side_get(t, 1);
    assert_int_equal(s.path.kind, SL_ICE_PATH_AGENT); /* nobody else may send there */
    wait_for(t, 2, has_path, 1);
    assert_int_equal(side_get(t, 2).path.kind, SL_ICE_PATH_DIRECT); /* to the relay's address */

    sl_nice_send(t->nice, 1, (const uint8_t *)"\x80 relayed", 9);
    wait_for(t, 2, has_data, 1);
    assert_memory_equal(side_get(t, 2).data, "\x80 relayed", 9);
    send_direct(t, 2, "\x80 back");
    wait_for(t, 1, has_data, 1);
    assert_memory_equal(side_get(t, 1).data, "\x80 back", 6);
    assert_int_equal(sl_nice_drops(t->nice), 0);
    assert_true(turn.nrelayed > 0);

    start = sl_now_us();
    net_close(t); /* waits for the agents to say goodbye, which takes no time here */
    assert_true(sl_now_us() - start < 1500000);
    assert_true(turn.nallocated >= 2);
    assert_int_equal(turn.nreleased, turn.nallocated);
    turn_close(&turn);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(relays_by_the_agent_and_gives_the_allocations_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
