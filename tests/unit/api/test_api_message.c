/* Messages, their answers, and events of a handle: control protocol, sections 2, 5.1 and 10. */

#include "api_message.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- answers of the plugin ------------------------------------------------------------------- */

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

static void bounds_requests_that_wait(void **state)
{
    for (int i = 0; i < 10; i++)
        t_exchange(MSG("later"), ACK);
    t_exchange(MSG("later"), ERR(490, "Too many requests of this handle wait for their answer"));
    t_exchange(MSG("sync"), ERR(490, "Too many requests of this handle wait for their answer"));
}

/* ---- core events ----------------------------------------------------------------------------- */

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
        T_H(tells_what_the_connection_does),
        T_H(messages_of_data_channels_reach_the_plugin),
        cmocka_unit_test_setup_teardown(tells_how_long_media_was_missing, setup_slow_media,
                                        t_teardown),
        T_H(bounds_requests_that_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
