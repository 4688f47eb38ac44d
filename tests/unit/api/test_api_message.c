/* Messages, jsep, trickle and events of a handle: control protocol, sections 2, 5.1, 9 and 10. */

#include "api_harness.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MSG(request)                                                                               \
    "{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"             \
    "\"body\":{\"request\":\"" request "\"}}"
#define MSG_JSEP(request, jsep)                                                                    \
    "{\"janus\":\"message\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H,"             \
    "\"body\":{\"request\":\"" request "\"},\"jsep\":" jsep "}"
#define OFFER  "{\"type\":\"offer\",\"sdp\":\"v=0\"}"
#define ANSWER "{\"type\":\"answer\",\"sdp\":\"v=0\"}"
#define DATA(text)                                                                                 \
    "\"plugindata\":{\"plugin\":\"test.plugin.one\",\"data\":{\"test\":\"" text "\"}}"
#define SYNC(text)                                                                                 \
    "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(text) "}"
#define ACK "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\"}"
#define EVENT(text)                                                                                \
    "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(text) "}"
#define EVENT_JSEP(text, type, sdp)                                                                \
    "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H," DATA(            \
        text) ",\"jsep\":{\"type\":\"" type "\",\"sdp\":\"" sdp "\"}}"
#define FREE_EVENT(text) "{\"janus\":\"event\",\"session_id\":$S,\"sender\":$H," DATA(text) "}"
#define HANGUP(reason)                                                                             \
    "{\"janus\":\"hangup\",\"session_id\":$S,\"sender\":$H,\"reason\":\"" reason "\"}"
#define ERR(code, reason)                                                                          \
    "{\"janus\":\"error\",\"session_id\":$S,\"transaction\":\"t\",\"error\":{\"code\":" #code      \
    ",\"reason\":\"" reason "\"}}"

/* ---- answers of the plugin ----------------------------------------------------------------------
 */

static void gives_a_synchronous_answer(void **state)
{
    t_exchange(MSG("sync"), SYNC("sync"));
    t_expect_none();
}

static void acknowledges_before_the_event(void **state)
{
    t_exchange(MSG("async"),
               "{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\",\"hint\":\"wait\"}");
    t_pushed(T_CONN, EVENT("async"));
    t_expect_none();
    t_exchange(MSG("unacked"), ACK);
    t_pushed(T_CONN, EVENT("unacked"));
    t_expect_none();
    t_exchange(MSG("reply-late"), ACK);
    t_pushed(T_CONN, EVENT("reply-late"));
    t_expect_none();
}

static void tells_that_the_plugin_gave_no_answer(void **state)
{
    t_exchange(MSG("silent"), ERR(462, "Error sending message to plugin"));
    t_expect_none();
}

static void answers_later_once(void **state)
{
    t_exchange(MSG("later"), ACK);
    t_expect_none();
    sl_role_enter(&sl_role_control);
    assert_int_equal(
        T.pcore->event(T.plugin.hid, T.plugin.kept, json_pack("{s:s}", "test", "now"), NULL), 0);
    assert_int_equal(
        T.pcore->event(T.plugin.hid, T.plugin.kept, json_pack("{s:s}", "test", "again"), NULL), 0);
    sl_role_leave(&sl_role_control);
    t_pushed(T_CONN, EVENT("now"));
    t_pushed(T_CONN, FREE_EVENT("again")); /* the transaction was used up */
}

static void forgets_requests_of_a_handle_that_is_gone(void **state)
{
    t_exchange(MSG("later"), ACK);
    t_send("{\"janus\":\"detach\",\"transaction\":\"t\",\"session_id\":$S,\"handle_id\":$H}");
    T.read = T.nrec;
    sl_role_enter(&sl_role_control);
    assert_int_equal(T.pcore->event(T.plugin.hid, T.plugin.kept, json_object(), NULL), -ESTALE);
    T.pcore->reply(T.plugin.kept, json_object());
    T.pcore->ack(T.plugin.kept, NULL);
    T.pcore->close_pc(T.plugin.hid, NULL);
    T.pcore->end_handle(T.plugin.hid);
    sl_role_leave(&sl_role_control);
    t_expect_none();
}

static void answers_the_connection_that_asked_and_tells_the_owner(void **state)
{
    t_send_conn(99, MSG("async"));
    assert_int_equal(T.rec[T.read].conn, 99);
    t_answer("{\"janus\":\"ack\",\"session_id\":$S,\"transaction\":\"t\",\"hint\":\"wait\"}");
    t_pushed(T_CONN, EVENT("async"));
}

static void ends_a_handle_at_the_plugins_wish(void **state)
{
    t_exchange(MSG("end"), SYNC("ended"));
    t_pushed(T_CONN, "{\"janus\":\"detached\",\"session_id\":$S,\"sender\":$H}");
    assert_int_equal(T.plugin.detached, 1);
    t_expect_none();
}

static void adds_the_opaque_id_when_asked_to(void **state)
{
    t_send("{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":$S,"
           "\"plugin\":\"test.plugin.one\",\"opaque_id\":\"me\"}");
    T.handle = (uint64_t)json_integer_value(
        json_object_get(json_object_get(t_next()->json, "data"), "id"));
    t_exchange(MSG("sync"), "{\"janus\":\"success\",\"session_id\":$S,\"transaction\":\"t\","
                            "\"sender\":$H,\"opaque_id\":\"me\"," DATA("sync") "}");
    t_exchange(MSG("unacked"), ACK);
    t_pushed(T_CONN, "{\"janus\":\"event\",\"session_id\":$S,\"transaction\":\"t\",\"sender\":$H,"
                     "\"opaque_id\":\"me\"," DATA("unacked") "}");
}

static int setup_opaque(void **state)
{
    t_setup(state);
    t_teardown(state);
    t_api_conf.opaqueid_in_api = true;
    return t_session(state);
}

/* ---- jsep
 * ------------------------------------------------------------------------------------------ */

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

/* ---- hangup
 * ----------------------------------------------------------------------------------------- */

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

/* ---- core events
 * -------------------------------------------------------------------------------------- */

static void tells_what_the_connection_does(void **state)
{
    const struct sl_pc_cb *cb;
    void *arg;

    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    cb = mock_pc_cb(mock_pc.last);
    arg = mock_pc_arg(mock_pc.last);
    sl_role_enter(&sl_role_control);
    mock_pc_set_up(mock_pc.last);
    assert_true(T.pcore->is_up(T.plugin.hid));
    cb->receiving(arg, 0, -1, true);
    cb->receiving(arg, 1, 2, false);
    cb->receiving(arg, 9, -1, true); /* no such line */
    cb->slow_link(arg, 1, true, 3);  /* below the threshold */
    cb->slow_link(arg, 1, true, 4);
    cb->ice_failed(arg);
    cb->trickle(arg, "0", "candidate:1 1 udp 1 192.0.2.1 9 typ host");
    cb->trickle(arg, NULL, NULL);
    cb->talking(arg, 0, true, 20.0);
    cb->layer(arg, 1, &(struct sl_layer_event){ .substream = 1 });
    cb->down(arg, "DTLS alert");
    sl_role_leave(&sl_role_control);
    t_pushed(T_CONN, "{\"janus\":\"webrtcup\",\"session_id\":$S,\"sender\":$H}");
    t_pushed(T_CONN, "{\"janus\":\"media\",\"session_id\":$S,\"sender\":$H,\"mid\":\"0\","
                     "\"type\":\"audio\",\"receiving\":true}");
    t_pushed(T_CONN, "{\"janus\":\"media\",\"session_id\":$S,\"sender\":$H,\"mid\":\"1\","
                     "\"type\":\"video\",\"substream\":2,\"receiving\":false}");
    t_pushed(T_CONN, "{\"janus\":\"slowlink\",\"session_id\":$S,\"sender\":$H,\"mid\":\"1\","
                     "\"media\":\"video\",\"uplink\":true,\"lost\":4}");
    t_pushed(T_CONN, "{\"janus\":\"ice-failed\",\"session_id\":$S,\"sender\":$H}");
    t_pushed(T_CONN, "{\"janus\":\"trickle\",\"session_id\":$S,\"sender\":$H,\"candidate\":{"
                     "\"sdpMid\":\"0\",\"sdpMLineIndex\":0,\"candidate\":"
                     "\"candidate:1 1 udp 1 192.0.2.1 9 typ host\"}}");
    t_pushed(T_CONN, "{\"janus\":\"trickle\",\"session_id\":$S,\"sender\":$H,\"candidate\":{"
                     "\"completed\":true}}");
    t_pushed(T_CONN, HANGUP("DTLS alert"));
    t_expect_none();
    assert_int_equal(T.plugin.ups, 1);
    assert_int_equal(T.plugin.downs, 1);
    assert_int_equal(T.plugin.receiving, 2);
    assert_int_equal(T.plugin.slow, 1);
    assert_int_equal(T.plugin.talking, 1);
    assert_int_equal(T.plugin.layers, 1);
}

static void messages_of_data_channels_reach_the_plugin(void **state)
{
    const struct sl_pc_message text = { "l", "p", false, "hi", 2 },
                               binary = { "l", "", true, "b", 1 };
    const struct sl_pc_cb *cb;
    void *arg;

    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    cb = mock_pc_cb(mock_pc.last);
    arg = mock_pc_arg(mock_pc.last);
    sl_role_enter(&sl_role_control);
    cb->data_open(arg, "l", "p");
    cb->data(arg, &text);
    cb->data(arg, &binary);
    cb->data_writable(arg);
    cb->data_close(arg, "l", "p");
    sl_role_leave(&sl_role_control);
    t_expect_none(); /* the client is told nothing */
    assert_string_equal(T.plugin.data,
                        "open(l,p,) text(l,p,hi) binary(l,,b) writable(,,) close(l,p,) ");
}

static int setup_slow_media(void **state)
{
    t_setup(state);
    t_teardown(state);
    t_api_conf.no_media_timer_s = 5;
    return t_handle(state);
}

static void tells_how_long_media_was_missing(void **state)
{
    t_exchange(MSG_JSEP("answer", OFFER), ACK);
    t_next();
    sl_role_enter(&sl_role_control);
    mock_pc_cb(mock_pc.last)->receiving(mock_pc_arg(mock_pc.last), 0, -1, false);
    sl_role_leave(&sl_role_control);
    t_pushed(T_CONN, "{\"janus\":\"media\",\"session_id\":$S,\"sender\":$H,\"mid\":\"0\","
                     "\"type\":\"audio\",\"receiving\":false,\"seconds\":5}");
}

/* ---- trickle
 * --------------------------------------------------------------------------------------------- */

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

static void bounds_requests_that_wait(void **state)
{
    for (int i = 0; i < 10; i++)
        t_exchange(MSG("later"), ACK);
    t_exchange(MSG("later"), ERR(490, "Too many requests of this handle wait for their answer"));
    t_exchange(MSG("sync"), ERR(490, "Too many requests of this handle wait for their answer"));
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

#define T_H(f) cmocka_unit_test_setup_teardown(f, t_handle, t_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_H(gives_a_synchronous_answer),
        T_H(acknowledges_before_the_event),
        T_H(tells_that_the_plugin_gave_no_answer),
        T_H(answers_later_once),
        T_H(forgets_requests_of_a_handle_that_is_gone),
        T_H(answers_the_connection_that_asked_and_tells_the_owner),
        T_H(ends_a_handle_at_the_plugins_wish),
        cmocka_unit_test_setup_teardown(adds_the_opaque_id_when_asked_to, setup_opaque, t_teardown),
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
        T_H(tells_what_the_connection_does),
        T_H(messages_of_data_channels_reach_the_plugin),
        cmocka_unit_test_setup_teardown(tells_how_long_media_was_missing, setup_slow_media,
                                        t_teardown),
        T_H(takes_every_form_of_candidates),
        T_H(keeps_candidates_that_come_before_the_offer),
        T_H(bounds_candidates_that_wait),
        T_H(bounds_the_length_of_candidates),
        T_H(bounds_requests_that_wait),
        T_H(bounds_offers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
