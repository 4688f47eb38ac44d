/* Requests with the 1st, 2nd, 3rd ... allocation failing, of ours or of the JSON library: each is
 * answered, by an error or as ever, and what was there goes on. */
#include "api_message.h"

#include "../test_oom.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 2000 /* a request has some dozen */

/* Of the main thread only: allocations that the JSON library makes for it are counted, too. */
static int setup(void **state)
{
    json_set_alloc_funcs(malloc, free);
    return t_handle(state);
}

static int teardown(void **state)
{
    int err = t_teardown(state);

    json_set_alloc_funcs(__real_malloc, free);
    return err;
}

static const char *const requests[] = {
    "{\"janus\":\"info\",\"transaction\":\"t\"}",
    "{\"janus\":\"create\",\"transaction\":\"t\"}",
    "{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"plugin\":\"test.plugin.one\","
    "\"opaque_id\":\"me\"}",
    "{\"janus\":\"attach\",\"transaction\":\"t\",\"session_id\":$S,\"plugin\":\"nobody\"}",
    "{\"janus\":\"keepalive\",\"transaction\":\"t\",\"session_id\":$S}",
    "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
    "\"candidate\":{\"candidate\":\"candidate:1 1 udp 1 192.0.2.1 1 typ host\",\"sdpMid\":\"0\"}}",
    "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"
    "\"candidates\":[{\"candidate\":\"candidate:1\",\"sdpMid\":\"0\"},{\"completed\":true}]}",
    MSG("sync"),
    MSG("async"),
    MSG("unacked"),
    MSG("later"),
    MSG("offer"),
    MSG("offer-and-event"),
    MSG_JSEP("answer", OFFER),
    MSG_JSEP("answer-unacked", OFFER),
    MSG_JSEP("keep", OFFER),
    MSG_JSEP("sync", OFFER),
    MSG("end"),
    MSG("close"),
    "{\"janus\":\"hangup\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}",
    "{\"janus\":\"claim\",\"transaction\":\"t\",\"session_id\":$S}",
    "{\"janus\":\"detach\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}",
    "{\"janus\":\"destroy\",\"transaction\":\"t\",\"session_id\":$S}",
    "{\"janus\":\"nothing\",\"transaction\":\"t\"}",
};

static size_t answers(uintptr_t tag)
{
    size_t n = 0;

    for (int i = 0; i < T.nrec; i++)
        n += !T.rec[i].pushed && T.rec[i].tag == tag;
    return n;
}

/* Whether the @n-th allocation of request @r failed. */
static bool fails(size_t r, unsigned int n)
{
    const uintptr_t tag = ++T.last_tag;
    struct sl_treq req = { .kind = SL_TREQ_MESSAGE,
                           .conn = T_CONN,
                           .tag = (void *)tag,
                           .root = t_json(requests[r]) };
    bool hit;

    T.core->request(&req); /* which ends the server when it cannot be queued */
    oom_fail_at(n);
    t_run(0);
    hit = oom_happened();
    if (answers(tag) != 1)
        fail_msg("%zu answers to %s without allocation %u", answers(tag), requests[r], n);
    t_run(60000); /* what was left to be done */
    return hit;
}

static void is_answered(void **state)
{
    unsigned int n = 1, most = 0;

    for (size_t r = 0; r < sizeof(requests) / sizeof(requests[0]); r++) {
        for (n = 1; n < MOST; n++) {
            bool hit;

            setup(state);
            hit = fails(r, n);
            teardown(state);
            if (!hit)
                break;
        }
        assert_in_range(n, 2, MOST - 1);
        most = n > most ? n : most;
    }
    print_message("%u allocations\n", most - 1);
    assert_true(most > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_answered) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
