/* Descriptions and candidates of a handle, and its hangup: control protocol, sections 5.1 and 9. */

#include "api_message.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- jsep ------------------------------------------------------------------------------------ */

static void checks_jsep(void **state)
{
    static const struct {
        const char *jsep, *want;
    } rows[] = {
        { "7", ERR(455, "Invalid jsep object") },
        { "[]", ERR(455, "Invalid jsep object") },
        { "{}", ERR(456, "JSEP error: missing mandatory element (type)") },
        { "{\"type\":7}", ERR(467, "JSEP error: invalid element type (type should be a string)") },
        { "{\"type\":\"offer\"}", ERR(456, "JSEP error: missing mandatory element (sdp)") },
        { "{\"type\":\"offer\",\"sdp\":[]}",
          ERR(467, "JSEP error: invalid element type (sdp should be a string)") },
        { "{\"type\":\"offer\",\"sdp\":\"v=0\",\"trickle\":1}",
          ERR(467, "JSEP error: invalid element type (trickle should be a boolean)") },
        { "{\"type\":\"offer\",\"sdp\":\"v=0\",\"e2ee\":1}",
          ERR(467, "JSEP error: invalid element type (e2ee should be a boolean)") },
        { "{\"type\":\"pranswer\",\"sdp\":\"v=0\"}",
          ERR(464, "JSEP error: unknown message type 'pranswer'") },
        { "{\"type\":\"offer\",\"sdp\":\"x\"}", ERR(465, "Invalid SDP (doesn't start with v=)") },
        { ANSWER, ERR(469, "Unexpected ANSWER (did we offer?)") },
    };
    char text[512];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), MSG_JSEP("sync", "%s"), rows[i].jsep);
        t_exchange(text, rows[i].want);
        t_expect_none();
    }
    assert_int_equal(mock_pc.created, mock_pc.destroyed);
}

static void passes_on_what_jsep_says(void **state)
{
    t_send(MSG_JSEP("answer", "{\"type\":\"OFFER\",\"sdp\":\"v=0\",\"rid_order\":\"lmh\","
                              "\"e2ee\":true,\"trickle\":null,\"svc\":[{\"mindex\":1,"
                              "\"svc\":\"L3T3\"}]}"));
    assert_true(mock_pc.remote.rid_lmh);
    assert_true(mock_pc.remote.e2ee);
    assert_non_null(mock_pc.remote.svc);
    t_answer(ACK);
    t_pushed(T_CONN,
             "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(
                 "described") ",\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0 answer 1\","
                              "\"e2ee\":true}}");
    t_send(MSG_JSEP("answer", "{\"type\":\"offer\",\"sdp\":\"v=0\",\"svc\":[{\"mindex\":1}]}"));
    assert_null(mock_pc.remote.svc);
    assert_false(mock_pc.remote.rid_lmh);
}

static void answers_an_offer(void **state)
{
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_pushed(T_CONN, EVENT_JSEP("described", "answer", "v=0 answer 1"));
    assert_int_equal(T.plugin.jsep, SL_JSEP_OFFER);
    t_exchange(MSG_JSEP("answer-unacked", OFFER), ACK); /* renegotiates */
    t_pushed(T_CONN, EVENT_JSEP("described", "answer", "v=0 answer 2"));
    assert_int_equal(mock_pc.created, 1);
    t_expect_none();
}

static void drops_an_offer_that_the_plugin_did_not_answer(void **state)
{
    t_exchange(MSG_JSEP("sync", OFFER), SYNC("sync"));
    assert_int_equal(mock_pc.destroyed, 1);
    assert_int_equal(T.plugin.downs, 0);
    t_exchange(MSG_JSEP("silent", OFFER), ERR(462, "Error sending message to plugin"));
    assert_int_equal(mock_pc.destroyed, 2);
    t_exchange(MSG_JSEP("async", OFFER),
               "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\",\"hint\":\"wait\"}");
    t_pushed(T_CONN, EVENT("async"));
    assert_int_equal(mock_pc.destroyed, 3);
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    t_exchange(MSG_JSEP("sync", OFFER), SYNC("sync")); /* negotiated before: it stays */
    assert_int_equal(mock_pc.rollbacks, 1);
    assert_int_equal(mock_pc.destroyed, 3);
    t_expect_none();
}

static void keeps_an_offer_for_a_later_answer(void **state)
{
    t_exchange(MSG("keep"), ACK); /* there is none */
    assert_int_equal(T.plugin.event_err, -ENOENT);
    t_pushed(T_CONN, EVENT("kept"));
    t_exchange(MSG_JSEP("keep", OFFER), ACK);
    t_pushed(T_CONN, EVENT("kept"));
    assert_int_equal(mock_pc.destroyed, 0);
    t_exchange(MSG("answer-kept"), ACK);
    t_pushed(T_CONN,
             "{\"janus\":\"event\",\"session_id\":$S,\"sender\":$H,\"plugindata\":{\"plugin\":"
             "\"test.plugin.one\",\"data\":{\"test\":\"described\"}},\"jsep\":{\"type\":\"answer\","
             "\"sdp\":\"v=0 answer 1\"}}");
    t_pushed(T_CONN, EVENT("answered"));
    t_exchange(MSG_JSEP("keep", OFFER), ACK); /* renegotiates; then a newer offer is dropped */
    t_pushed(T_CONN, EVENT("kept"));
    t_exchange(MSG_JSEP("sync", OFFER), SYNC("sync"));
    assert_int_equal(mock_pc.rollbacks, 2);
    t_exchange(MSG("answer-kept"), ACK);
    assert_int_equal(T.plugin.event_err, -EINVAL);
    assert_int_equal(mock_pc.destroyed, 0);
}

static void refuses_descriptions_that_do_not_fit(void **state)
{
    t_exchange(MSG("answer-unacked"), SYNC("refused")); /* nothing was offered */
    assert_int_equal(T.plugin.event_err, -EINVAL);
    mock_pc.local_err = -EINVAL;
    t_exchange(MSG_JSEP("answer-unacked", OFFER), SYNC("refused"));
    assert_int_equal(T.plugin.event_err, -EINVAL);
    mock_pc.local_err = 0;
    t_expect_none();
}

static void makes_an_offer(void **state)
{
    t_exchange(MSG("offer"), ACK);
    t_pushed(T_CONN, EVENT_JSEP("described", "offer", "v=0 offer 1"));
    t_exchange(MSG_JSEP("sync", ANSWER), SYNC("sync"));
    assert_int_equal(T.plugin.jsep, SL_JSEP_ANSWER);
    assert_int_equal(mock_pc.destroyed, 0);
    t_exchange(MSG_JSEP("sync", ANSWER), ERR(469, "Unexpected ANSWER (did we offer?)"));
}

static void refuses_a_second_offer_while_one_is_out(void **state)
{
    t_exchange(MSG("offer"), ACK);
    t_next();
    t_exchange(MSG("offer"), ERR(462, "Error sending message to plugin"));
    assert_int_equal(T.plugin.event_err, -EBUSY);
    t_expect_none();
}

static void keeps_the_order_behind_a_description(void **state)
{
    mock_pc.hold_local = true;
    t_exchange(MSG("offer-and-event"), ACK);
    t_expect_none();
    t_exchange(MSG("unacked"), ACK);
    t_expect_none();
    sl_role_enter(&sl_role_control);
    mock_pc_finish(mock_pc.last);
    sl_role_leave(&sl_role_control);
    t_pushed(T_CONN, EVENT_JSEP("described", "offer", "v=0 offer 1"));
    t_pushed(T_CONN, FREE_EVENT("behind"));
    t_pushed(T_CONN, EVENT("unacked"));
    t_expect_none();
}

static void hangs_up_when_a_description_fails(void **state)
{
    mock_pc.fail_local = true;
    t_exchange(MSG("offer"), ACK);
    t_pushed(T_CONN, EVENT("described"));
    t_pushed(T_CONN, HANGUP("Gathering error"));
    assert_int_equal(mock_pc.destroyed, 1);
    assert_int_equal(T.plugin.downs, 1);
    t_expect_none();
}

static void lets_events_go_when_their_connection_is_closed(void **state)
{
    mock_pc.hold_local = true;
    t_exchange(MSG("offer"), ACK);
    t_exchange("{\"janus\":\"hangup\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_pushed(T_CONN, EVENT("described"));
    t_pushed(T_CONN, HANGUP("Janus API"));
    t_expect_none();
}

static void tells_when_no_worker_has_room(void **state)
{
    mock_pc.create_err = -EAGAIN;
    t_exchange(MSG_JSEP("answer", OFFER),
               ERR(490, "No room for another peer connection: Resource temporarily unavailable"));
    t_exchange(MSG("offer"), ERR(462, "Error sending message to plugin"));
    assert_int_equal(T.plugin.event_err, -EAGAIN);
}

static void the_last_offer_wins(void **state)
{
    t_exchange(MSG_JSEP("later", OFFER), ACK);
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_pushed(T_CONN, EVENT_JSEP("described", "answer", "v=0 answer 1"));
    t_exchange(MSG("offer"), ACK); /* ours is out, and the client offers */
    t_next();
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_pushed(T_CONN, EVENT_JSEP("described", "answer", "v=0 answer 3"));
    t_expect_none();
}

/* ---- hangup ---------------------------------------------------------------------------------- */

static void hangs_up_and_takes_a_new_offer_at_once(void **state)
{
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    t_exchange("{\"janus\":\"hangup\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_pushed(T_CONN, HANGUP("Janus API"));
    assert_string_equal(T.plugin.reason, "Janus API");
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_pushed(T_CONN, EVENT_JSEP("described", "answer", "v=0 answer 2"));
    assert_int_equal(mock_pc.created, 2);
    assert_int_equal(T.plugin.downs, 1);
}

static void closes_at_the_plugins_wish(void **state)
{
    t_exchange(MSG("close"), SYNC("closed"));
    t_expect_none(); /* there was nothing to close */
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    t_exchange(MSG("close"), SYNC("closed"));
    t_pushed(T_CONN, HANGUP("Close PC"));
    assert_int_equal(T.plugin.downs, 1);
    t_expect_none();
}

static void detach_hides_the_hangup(void **state)
{
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    t_exchange("{\"janus\":\"detach\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}",
               "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\"}");
    t_pushed(T_CONN, "{\"janus\":\"detached\",\"session_id\":$S,\"sender\":$H}");
    t_expect_none();
    assert_int_equal(T.plugin.downs, 1);
}

static void bounds_offers(void **state)
{
    char text[4096], filler[2100];

    memset(filler, 'x', sizeof(filler));
    filler[sizeof(filler) - 1] = '\0';
    snprintf(text, sizeof(text), MSG_JSEP("sync", "{\"type\":\"offer\",\"sdp\":\"v=0%s\"}"),
             filler);
    t_exchange(text, ERR(465, "Invalid SDP (longer than 2000 bytes)"));
    t_exchange(
        MSG_JSEP("sync", "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\nm=a\\r\\nm=a\\nm=a\\nm=\"}"),
        ERR(465, "Invalid SDP (more than 3 m-lines)"));
    assert_int_equal(mock_pc.created, 0);
}

/* ---- trickle --------------------------------------------------------------------------------- */

#define TRICKLE(rest)                                                                              \
    "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H" rest "}"

static void takes_every_form_of_candidates(void **state)
{
    static const struct {
        const char *send, *want, *candidate;
    } rows[] = {
        { TRICKLE(",\"candidate\":{\"candidate\":\"c1\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}"),
          ACK, "c1|0|0" },
        { TRICKLE(",\"candidate\":{\"candidate\":\"c2\",\"sdpMLineIndex\":0}"), ACK, "c2|-|0" },
        { TRICKLE(",\"candidate\":{\"candidate\":\"c3\",\"sdpMid\":\"a\",\"sdpMLineIndex\":null}"),
          ACK, "c3|a|-1" },
        { TRICKLE(",\"candidate\":{\"completed\":true}"), ACK, "-|-|0" },
        { TRICKLE(",\"candidate\":{\"completed\":7}"), ACK, "-|-|0" },
        { TRICKLE(",\"candidate\":null"), ACK, "-|-|0" },
        { TRICKLE(",\"candidate\":7"), ACK, "-|-|0" },
        { TRICKLE(",\"candidate\":{\"candidate\":\"\",\"sdpMid\":\"0\"}"), ACK, "-|0|-1" },
        { TRICKLE(",\"candidate\":{\"candidate\":\"a=end-of-candidates\",\"sdpMLineIndex\":0}"),
          ACK, "-|-|0" },
        { TRICKLE(",\"candidates\":[{\"candidate\":\"c4\",\"sdpMid\":\"0\"}]"), ACK, "c4|0|-1" },
        { TRICKLE(",\"candidates\":[7,{\"candidate\":\"x\"},{\"candidate\":\"c5\","
                  "\"sdpMid\":\"0\"}]"),
          ACK, "c5|0|-1" },
        { TRICKLE(",\"candidates\":[]"), ACK, NULL },
        { TRICKLE(""), ERR(456, "Missing mandatory element (candidate|candidates)"), NULL },
        { TRICKLE(",\"candidate\":{},\"candidates\":[]"),
          ERR(454, "Can't have both candidate and candidates"), NULL },
        { TRICKLE(",\"candidates\":{}"), ERR(467, "candidates is not an array"), NULL },
        { TRICKLE(",\"candidate\":{\"candidate\":\"c\"}"),
          ERR(456, "Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)"), NULL },
        { TRICKLE(",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":0}"),
          ERR(467, "Trickle error: invalid element type (sdpMid should be a string)"), NULL },
        { TRICKLE(",\"candidate\":{\"candidate\":\"c\",\"sdpMLineIndex\":-1}"),
          ERR(467, "Trickle error: invalid element type (sdpMLineIndex should be a positive "
                   "integer)"),
          NULL },
        { TRICKLE(",\"candidate\":{\"sdpMid\":\"0\"}"),
          ERR(456, "Trickle error: missing mandatory element (candidate)"), NULL },
    };

    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mock_pc.ncandidates = 0;
        t_exchange(rows[i].send, rows[i].want);
        if (!rows[i].candidate)
            assert_int_equal(mock_pc.ncandidates, 0);
        else
            assert_string_equal(mock_pc.candidates[mock_pc.ncandidates - 1], rows[i].candidate);
    }
    t_expect_none();
}

static void keeps_candidates_that_come_before_the_offer(void **state)
{
    t_exchange(TRICKLE(",\"candidate\":{\"candidate\":\"old\",\"sdpMid\":\"0\"}"), ACK);
    for (int i = 0; i < 9; i++) { /* the session must not time out meanwhile */
        t_run(5001);
        t_exchange(TRICKLE(",\"candidates\":[]"), ACK);
    }
    t_exchange(TRICKLE(",\"candidate\":{\"candidate\":\"new\",\"sdpMid\":\"0\"}"), ACK);
    assert_int_equal(mock_pc.ncandidates, 0);
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    assert_int_equal(mock_pc.ncandidates, 1);
    assert_string_equal(mock_pc.candidates[0], "new|0|-1");
}

static void bounds_candidates_that_wait(void **state)
{
    for (int i = 0; i < 150; i++)
        t_exchange(TRICKLE(",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":\"0\"}"), ACK);
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    assert_int_equal(mock_pc.ncandidates, 100);
}

static void bounds_the_length_of_candidates(void **state)
{
    char big[4096], text[8192];

    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    for (int i = 0; i < 2; i++) { /* before the offer, and after it */
        snprintf(text, sizeof(text),
                 TRICKLE(",\"candidate\":{\"candidate\":\"%s\",\"sdpMid\":\"0\"}"), big);
        t_exchange(text, ACK);
        snprintf(text, sizeof(text),
                 TRICKLE(",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":\"%s\"}"), big);
        t_exchange(text, ACK);
        if (i == 0) {
            t_exchange(MSG_JSEP("answer", OFFER), ACK);
            t_next();
        }
    }
    assert_int_equal(mock_pc.ncandidates, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_H(checks_jsep),
        T_H(passes_on_what_jsep_says),
        T_H(answers_an_offer),
        T_H(drops_an_offer_that_the_plugin_did_not_answer),
        T_H(keeps_an_offer_for_a_later_answer),
        T_H(refuses_descriptions_that_do_not_fit),
        T_H(makes_an_offer),
        T_H(refuses_a_second_offer_while_one_is_out),
        T_H(keeps_the_order_behind_a_description),
        T_H(hangs_up_when_a_description_fails),
        T_H(lets_events_go_when_their_connection_is_closed),
        T_H(tells_when_no_worker_has_room),
        T_H(the_last_offer_wins),
        T_H(hangs_up_and_takes_a_new_offer_at_once),
        T_H(closes_at_the_plugins_wish),
        T_H(detach_hides_the_hangup),
        T_H(takes_every_form_of_candidates),
        T_H(keeps_candidates_that_come_before_the_offer),
        T_H(bounds_candidates_that_wait),
        T_H(bounds_the_length_of_candidates),
        T_H(bounds_offers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
