#include "videoroom_test.h"
#include <stdlib.h>

#define LINE_DATA(i, mid, ready, n, ids)                                                           \
    "{'type':'data','active':true,'mindex':" #i ",'mid':'" mid "','ready':" ready                  \
    ",'send':true,'sources':" #n ",'source_ids':[" ids "]}"
#define JOIN(streams) "{'request':'join','ptype':'subscriber','room':1,'streams':" streams "}"

static void say(sl_hid h, const char *text)
{
    mock_data(h, "whatever", "", false, text, strlen(text));
}

static void both_hear(sl_hid a, sl_hid b, const char *want)
{
    mock_expect_data(a, want);
    mock_expect_data(b, want);
}

static void publishers_have_data_streams(void **state)
{
    const sl_hid p = (room_make(""), joined(1)), other = joined(2);

    (void)state;
    mock_request(p, "{'request':'publish','descriptions':[{'mid':'d','description':'chat'}]}",
                 MOCK_OFFER("audio a opus", "data d"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'opus','streams':["
                 "{'type':'audio','mindex':0,'mid':'a','codec':'opus','audiolevel_ext_id':1},"
                 "{'type':'data','mindex':1,'mid':'d'}]}",
                 ANSWER);
    assert_false(mock_line(p, 1)->want.rejected);
    mock_up(p);
    mock_expect(other, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':1,'display':'P1',"
                "'audio_codec':'opus','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','codec':'opus','talking':false},"
                "{'type':'data','mindex':1,'mid':'d','description':'chat'}]}]}",
                NONE);
    /* A line that is taken out again is disabled, and its subscribers hear nothing. */
    mock_send(p, "{'request':'configure'}",
              mock_update(MOCK_OFFER("audio a opus", "data d rejected"), false));
    mock_expect(other, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':1,'display':'P1',"
                "'audio_codec':'opus','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','codec':'opus','talking':false},"
                "{'type':'data','mindex':1,'mid':'d','disabled':true}]}]}",
                NONE);
}

static void one_line_serves_all_feeds(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "data d")));
    const sl_hid q = publishing(2, MOCK_OFFER("data d")), s = mock_attach();

    (void)state;
    mock_request(s, JOIN("[{'feed':1},{'feed':2}]"), NULL,
                 "{'videoroom':'attached','room':1,'streams':[" LINE_AUDIO(
                     0, "0", 1, "a", "false") "," LINE_DATA(1, "1", "false", 2, "1,2") "]}",
                 OFFER);
    assert_int_equal(mock_line(s, 1)->want.kind, SL_KIND_DATA);
    assert_false(mock_line(s, 1)->want.rejected);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_up(s);
    say(p, "one");
    say(q, "two");
    mock_data(p, "x", "y", true, "three", 5);
    mock_data(p, "x", "y", false, "", 0);
    mock_expect_data(s, "1||one");
    mock_expect_data(s, "2||two");
    mock_expect_data(s, "1||binary|three");
    mock_expect_data(s, "1||");
    assert_int_equal(mock_ndata(s), 0);
    /* What subscribers say reaches nobody. */
    say(s, "hello?");
    assert_int_equal(mock_ndata(p), 0);
    assert_int_equal(mock_ndata(s), 0);

    /* A feed more and a feed less. */
    mock_request(s, "{'request':'unsubscribe','streams':[{'feed':2}]}", NULL,
                 "{'videoroom':'updated','room':1,'streams':[" LINE_AUDIO(
                     0, "0", 1, "a", "true") "," LINE_DATA(1, "1", "true", 1, "1") "]}",
                 OFFER);
    mock_expect_data(s, "2|closed");
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    say(q, "gone");
    assert_int_equal(mock_ndata(s), 0);
    mock_request(s, "{'request':'subscribe','streams':[{'feed':2,'mid':'d'}]}", NULL,
                 "{'videoroom':'updated','room':1,'streams':[" LINE_AUDIO(
                     0, "0", 1, "a", "true") "," LINE_DATA(1, "1", "true", 2, "1,2") "]}",
                 OFFER);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_request(s, "{'request':'subscribe','streams':[{'feed':2,'mid':'d'}]}", NULL,
                 "{'videoroom':'updated','room':1}", NONE);
    say(q, "back");
    mock_expect_data(s, "2||back");
    mock_send(s, "{'request':'unsubscribe','streams':[{'sub_mid':'1'}]}", NULL);
    mock_expect_data(s, "1|closed");
    mock_expect_data(s, "2|closed");
    say(q, "gone");
    say(p, "gone");
    assert_int_equal(mock_ndata(s), 0);
}

static void all_subscribers_hear_in_order(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("data d")));
    const sl_hid a = subscribed("[{'feed':1}]"), b = subscribed("[{'feed':1,'mid':'d'}]");
    char text[16], want[24];

    (void)state;
    mock_data_full(b, true);
    for (int i = 0; i < 9; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        say(p, text);
    }
    assert_int_equal(mock_ndata(a), 9);
    assert_int_equal(mock_ndata(b), 0);
    mock_data_full(b, false);
    say(p, "text 9");
    for (int i = 0; i < 10; i++) {
        snprintf(want, sizeof(want), "1||text %d", i);
        both_hear(a, b, want);
    }
    assert_false(mock_data_paused(p));
    /* The channel is closed after what waits. */
    mock_data_full(b, true);
    say(p, "last");
    mock_detach(p);
    mock_expect_data(a, "1||last");
    mock_expect_data(a, "1|closed");
    assert_int_equal(mock_ndata(b), 0);
    mock_data_full(b, false);
    mock_expect_data(b, "1||last");
    mock_expect_data(b, "1|closed");
}

static void slow_subscribers_lose_messages_and_hold_up_nobody(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("data d")));
    const sl_hid quick = subscribed("[{'feed':1}]"), slow = subscribed("[{'feed':1}]");
    const size_t len = 200000;
    char *big = calloc(1, len);

    (void)state;
    assert_non_null(big);
    memset(big, 'x', len);
    mock_data_full(slow, true);
    for (int i = 0; i < 7; i++)
        mock_data(p, "", "", false, big, len);
    assert_int_equal(mock_ndata(quick), 7);
    mock_query(slow,
               "{'type':'subscriber','room':1,'private_id':0,'answered':true,'pending_offer':false,"
               "'pending_restart':false,'paused':false,'e2ee':false,'streams':['*'],"
               "'data_waiting':1000640,'data_dropped':2,'hangingup':0,'destroyed':0}");
    say(p, "small ones still fit");
    assert_false(mock_data_paused(p));
    mock_data_full(slow, false);
    assert_int_equal(mock_ndata(slow), 6);
    /* Empty ones fill it, too. */
    mock_data_full(slow, true);
    for (int i = 0; i < 8192 + 5; i++)
        say(p, "");
    mock_query(slow,
               "{'type':'subscriber','room':1,'private_id':0,'answered':true,'pending_offer':false,"
               "'pending_restart':false,'paused':false,'e2ee':false,'streams':['*'],"
               "'data_waiting':1048576,'data_dropped':7,'hangingup':0,'destroyed':0}");
    /* What waits goes with the subscriber, and outlives the publisher. */
    mock_detach(p);
    mock_detach(quick);
    mock_data_full(slow, false);
    assert_int_equal(mock_ndata(slow), 6 + 8192 + 1); /* its channel is closed */
    mock_skip(0);
    free(big);
}

static void publishers_and_moderators_gate(void **state)
{
    static const struct {
        const char *shut, *open;
    } gates[] = {
        { "{'request':'configure','mid':'d','send':false}",
          "{'request':'configure','mid':'d','send':true}" },
        { "{'request':'configure','streams':[{'mid':'d','send':false}]}",
          "{'request':'configure','streams':[{'mid':'d','send':true}]}" },
        { "{'request':'configure','data':false}", "{'request':'configure','data':true}" },
    };
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "data d")));
    const sl_hid s = subscribed("[{'feed':1,'mid':'d'}]");

    (void)state;
    for (size_t i = 0; i < COUNT(gates); i++) {
        mock_request(p, gates[i].shut, NULL, CONFIGURED, NONE);
        say(p, "no");
        assert_int_equal(mock_ndata(s), 0);
        mock_request(p, gates[i].open, NULL, CONFIGURED, NONE);
        say(p, "yes");
        mock_expect_data(s, "1||yes");
    }
    mock_call(mock_attach(), "{'request':'moderate','room':1,'id':1,'mid':'d','mute':true}",
              "{'videoroom':'success'}");
    mock_expect(p, 0, "{'videoroom':'event','room':1,'id':1,'mid':'d','moderation':'muted'}", NONE);
    say(p, "no");
    assert_int_equal(mock_ndata(s), 0);
    mock_call(mock_attach(), "{'request':'moderate','room':1,'id':1,'mid':'d','mute':false}",
              "{'videoroom':'success'}");
    say(p, "yes");
    mock_expect_data(s, "1||yes");
}

static void subscribers_gate(void **state)
{
    static const struct {
        const char *shut, *shut_reply, *open, *open_reply;
    } gates[] = {
        { "{'request':'pause'}", "{'videoroom':'event','room':1,'paused':'ok'}",
          "{'request':'start'}", STARTED },
        { "{'request':'configure','data':false}", CONFIGURED, "{'request':'configure','data':true}",
          CONFIGURED },
        { "{'request':'configure','mid':'0','send':false}", CONFIGURED,
          "{'request':'configure','mid':'0','send':true}", CONFIGURED },
    };
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("data d")));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    for (size_t i = 0; i < COUNT(gates); i++) {
        mock_data_full(s, true);
        say(p, "waits, and is dropped");
        mock_request(s, gates[i].shut, NULL, gates[i].shut_reply, NONE);
        mock_data_full(s, false);
        say(p, "no");
        assert_int_equal(mock_ndata(s), 0);
        mock_request(s, gates[i].open, NULL, gates[i].open_reply, NONE);
        say(p, "yes");
        mock_expect_data(s, "1||yes");
    }
}

static void nothing_is_said_before_start(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("data d"))), s = mock_attach();

    (void)state;
    mock_send(s, JOIN("[{'feed':1}]"), NULL);
    mock_skip(s);
    say(p, "no");
    mock_send(s, "{'request':'configure','send':true}", mock_answer(s));
    say(p, "no");
    assert_int_equal(mock_ndata(s), 0);
    mock_send(s, "{'request':'start'}", NULL);
    say(p, "yes");
    mock_expect_data(s, "1||yes");
}

static void leaving_with_data_alone_makes_no_offer(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("data d")));
    const sl_hid q = publishing(2, MOCK_OFFER("audio a opus", "data d"));
    const sl_hid s = subscribed("[{'feed':1},{'feed':2}]");

    (void)state;
    mock_detach(p);
    mock_expect_nothing(s);
    mock_expect_data(s, "1|closed");
    say(q, "x");
    mock_expect_data(s, "2||x");
    /* With audio there is one, and the data line stays. */
    mock_send(q, "{'request':'unpublish'}", NULL);
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':["
                "{'type':'data','active':true,'mindex':0,'mid':'0','ready':true,'send':true,"
                "'sources':0,'source_ids':[]},"
                "{'type':'audio','active':false,'mindex':1,'mid':'1','ready':true,'send':true}]}",
                OFFER);
    assert_false(mock_line(s, 0)->want.rejected);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    /* A connection that ends leaves nothing behind. */
    publishing(3, MOCK_OFFER("data d"));
    mock_skip(s);
    mock_send(s, "{'request':'subscribe','streams':[{'feed':3}]}", NULL);
    mock_down(s, "ICE failed");
    mock_skip(0);
    mock_request(
        s, "{'request':'subscribe','streams':[{'feed':3}]}", NULL,
        "{'videoroom':'updated','room':1,'streams':[" LINE_DATA(0, "0", "false", 1, "3") "]}",
        OFFER);
}

static void the_old_join_asks_with_offer_data(void **state)
{
    const sl_hid s = (room_make(""), mock_attach()), t = mock_attach();
    const sl_hid p = publishing(1, MOCK_OFFER("audio a opus", "data d"));
    const sl_hid q = publishing(2, MOCK_OFFER("audio a opus", "data d"));

    (void)state;
    mock_request(t, "{'request':'join','ptype':'subscriber','room':1,'feed':1,'offer_data':false}",
                 NULL,
                 "{'videoroom':'attached','room':1,'id':1,'display':'P1',"
                 "'warning':'deprecated_api','streams':[" LINE_AUDIO(0, "0", 1, "a", "false") "]}",
                 OFFER);
    mock_request(s, "{'request':'join','ptype':'subscriber','room':1,'feed':1}", NULL,
                 "{'videoroom':'attached','room':1,'id':1,'display':'P1',"
                 "'warning':'deprecated_api','streams':[" LINE_AUDIO(
                     0, "0", 1, "a", "false") "," LINE_DATA(1, "1", "false", 1, "1") "]}",
                 OFFER);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_skip(s);
    /* Another feed in its place: data follows. */
    mock_request(
        s, "{'request':'switch','feed':2}", NULL,
        "{'videoroom':'event','switched':'ok','room':1,'changes':2,'id':2,'display':'P2',"
        "'streams':[" LINE_AUDIO(0, "0", 2, "a", "true") "," LINE_DATA(1, "1", "true", 1, "2") "]}",
        NONE);
    mock_expect_data(s, "1|closed");
    say(p, "no");
    say(q, "yes");
    mock_expect_data(s, "2||yes");
    assert_int_equal(mock_ndata(s), 0);
    /* Audio does not fit. */
    mock_request(
        s, "{'request':'switch','streams':[{'feed':1,'mid':'a','sub_mid':'1'}]}", NULL,
        SWITCHED("0", LINE_AUDIO(0, "0", 2, "a", "true") "," LINE_DATA(1, "1", "true", 1, "2")),
        NONE);
}

static void kicked_participants_take_their_data_with_them(void **state)
{
    const sl_hid p = (room_make(",'require_pvtid':true"), publishing(1, MOCK_OFFER("data d")));
    const sl_hid q = mock_attach(), s = mock_attach();
    json_t *joined_event;
    char body[200];

    (void)state;
    mock_send(q, "{'request':'join','ptype':'publisher','room':1,'id':2}", NULL);
    joined_event = mock_take(q);
    snprintf(body, sizeof(body),
             "{'request':'join','ptype':'subscriber','room':1,'private_id':%lld,'feed':1}",
             (long long)json_integer_value(json_object_get(joined_event, "private_id")));
    json_decref(joined_event);
    mock_send(s, body, NULL);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    say(p, "yes");
    mock_expect_data(s, "1||yes");
    mock_call(mock_attach(), "{'request':'kick','room':1,'id':2}", "{'videoroom':'success'}");
    say(p, "no");
    assert_int_equal(mock_ndata(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(publishers_have_data_streams),      T(one_line_serves_all_feeds),
        T(all_subscribers_hear_in_order),     T(slow_subscribers_lose_messages_and_hold_up_nobody),
        T(publishers_and_moderators_gate),    T(subscribers_gate),
        T(nothing_is_said_before_start),      T(leaving_with_data_alone_makes_no_offer),
        T(the_old_join_asks_with_offer_data), T(kicked_participants_take_their_data_with_them),
    };

    return cmocka_run_group_tests_name("videoroom, data", tests, NULL, NULL);
}
