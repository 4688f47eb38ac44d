#include "videoroom_test.h"

static void update_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { "{'request':'update'}", 429, "Missing mandatory element (subscribe|unsubscribe)" },
        { "{'request':'update','subscribe':1}", 430,
          "Invalid element type (subscribe should be an array)" },
        { "{'request':'subscribe'}", 429, "Missing mandatory element (streams)" },
        { "{'request':'subscribe','streams':[]}", 430,
          "Invalid element (streams should not be empty)" },
        { "{'request':'subscribe','streams':[{'feed':9}]}", 428, "No such feed (9)" },
        { "{'request':'subscribe','streams':[{'feed':1,'mid':'v','send':1}]}", 430,
          "Invalid element type (send should be a boolean)" },
        { "{'request':'update','unsubscribe':[{'feed':1}],'subscribe':[{'feed':9}]}", 428,
          "No such feed (9)" },
        { "{'request':'unsubscribe'}", 429, "Missing mandatory element (streams)" },
        { "{'request':'unsubscribe','streams':[]}", 430,
          "Invalid element (streams should not be empty)" },
        { "{'request':'unsubscribe','streams':[1]}", 430,
          "Invalid element type (streams should hold objects)" },
        { "{'request':'unsubscribe','streams':[{}]}", 429,
          "Missing mandatory element (feed|sub_mid)" },
        { "{'request':'unsubscribe','streams':[{'sub_mid':1}]}", 430,
          "Invalid element type (sub_mid should be a string)" },
        { "{'request':'unsubscribe','streams':[{'feed':'x'}]}", 430,
          "Invalid element type (feed should be a positive integer)" },
        { "{'request':'configure','mid':'7'}", 428, "No such mid '7' in subscription" },
        { "{'request':'configure','mid':'x'}", 428, "No such mid 'x' in subscription" },
        { "{'request':'configure','substream':3}", 430,
          "Invalid value (substream should be 0, 1 or 2)" },
        { "{'request':'configure','restart':1}", 430,
          "Invalid element type (restart should be a boolean)" },
        { "{'request':'configure','streams':[{},{}]}", 429, "Missing mandatory element (mid)" },
        { "{'request':'configure','streams':[1]}", 430,
          "Invalid element type (streams should hold objects)" },
        { "{'request':'switch'}", 429, "Missing mandatory element (streams)" },
        { "{'request':'switch','streams':[]}", 430, "Empty switch list" },
        { "{'request':'switch','streams':[1]}", 430,
          "Invalid element type (streams should hold objects)" },
        { "{'request':'switch','streams':[{'feed':1,'mid':'v'}]}", 429,
          "Missing mandatory element (sub_mid)" },
        { "{'request':'switch','streams':[{'feed':9,'mid':'v','sub_mid':'0'}]}", 428,
          "No such feed (9)" },
        { "{'request':'switch','streams':[{'feed':1,'mid':'x','sub_mid':'0'}]}", 428,
          "No such mid 'x' in feed (1)" },
        { "{'request':'switch','streams':[{'feed':1,'mid':'v','sub_mid':'9'}]}", 428,
          "No such mid '9' in subscription" },
        { "{'request':'switch','feed':9}", 428, "No such feed (9)" },
    };
    sl_hid s;

    (void)state;
    room_make("");
    publishing(1, MOCK_OFFER("video v vp8"));
    s = subscribed("[{'feed':1}]");
    for (size_t i = 0; i < COUNT(v); i++)
        expect_error(s, v[i].body, NULL, v[i].code, v[i].text);
    assert_true(mock_route(s, 0)->active); /* errors changed nothing */
}

static void subscriptions_reuse_inactive_lines_and_wait_for_answers(void **state)
{
    const sl_hid p = (room_make(",'publishers':9"), publishing(1, MOCK_OFFER("video v vp8")));
    const sl_hid q = publishing(2, MOCK_OFFER("audio a opus", "video v vp8"));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    (void)p;
    /* Nothing to do: known already, or never there. */
    mock_request(s, "{'request':'subscribe','streams':[{'feed':1}]}", NULL,
                 "{'videoroom':'updated','room':1}", NONE);
    mock_request(s, "{'request':'unsubscribe','streams':[{'feed':9},{'sub_mid':'7'}]}", NULL,
                 "{'videoroom':'updated','room':1}", NONE);

    mock_request(s, "{'request':'update','unsubscribe':[{'sub_mid':'0'}],'subscribe':[{'feed':2}]}",
                 NULL,
                 "{'videoroom':'updated','room':1,'streams':[" LINE_VIDEO(
                     0, "0", 2, "v", "true") "," LINE_AUDIO(1, "1", 2, "a", "false") "]}",
                 OFFER);
    /* An answer is outstanding. */
    mock_request(s, "{'request':'subscribe','streams':[{'feed':1,'mid':'v','send':false}]}", NULL,
                 "{'videoroom':'updating','room':1}", NONE);
    mock_request(s, "{'request':'unsubscribe','streams':[{'feed':2,'mid':'a'}]}", NULL,
                 "{'videoroom':'updating','room':1}", NONE);
    (void)q;
}

static void deferred_updates_follow_the_answer(void **state)
{
    const sl_hid p = (room_make(",'publishers':9"), publishing(1, MOCK_OFFER("video v vp8")));
    const sl_hid s = mock_attach();
    uint64_t tx;

    (void)state;
    (void)p;
    publishing(2, MOCK_OFFER("video v vp8"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'subscribe','streams':[{'feed':2}]}", NULL,
                 "{'videoroom':'updating','room':1}", NONE);
    mock_request(s, "{'request':'unsubscribe','streams':[{'feed':1}]}", NULL,
                 "{'videoroom':'updating','room':1}", NONE);
    tx = mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_expect(s, tx, STARTED, NONE);
    mock_expect(
        s, 0,
        "{'videoroom':'updated','room':1,'streams':[{'type':'video','active':false,"
        "'mindex':0,'mid':'0','ready':true,'send':true}," LINE_VIDEO(1, "1", 2, "v", "false") "]}",
        OFFER);
    assert_false(mock_route(s, 0)->active);
    assert_false(mock_route(s, 1)->active);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_true(mock_route(s, 1)->active);
    mock_expect_nothing(s);
}

static void lines_of_another_codec_are_not_reused(void **state)
{
    const sl_hid s = (room_make(",'videocodec':'vp8,vp9','publishers':9"), mock_attach());

    (void)state;
    publishing(1, MOCK_OFFER("video v vp8"));
    publishing(2, MOCK_OFFER("video v vp9"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_send(s, "{'request':'update','subscribe':[{'feed':2}],'unsubscribe':[{'feed':1}]}", NULL);
    assert_int_equal(mock_nlines(s), 2);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_send(s, "{'request':'subscribe','streams':[{'feed':1}]}", NULL);
    assert_int_equal(mock_nlines(s), 2); /* back on its old line */
    assert_int_equal(mock_line(s, 0)->want.dir, SL_DIR_SEND);
}

static void switch_changes_sources_without_negotiation(void **state)
{
    sl_hid q, s;

    (void)state;
    room_make(",'publishers':9,'videocodec':'vp8,vp9'");
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    q = publishing(2, MOCK_OFFER("video v vp8", "audio a opus", "video w vp9"));
    s = subscribed("[{'feed':1}]");
    mock_send(s, "{'request':'configure','mid':'1','substream':0,'send':false}", NULL);
    mock_skip(s);
    mock_request(
        s,
        "{'request':'switch','streams':[{'feed':2,'mid':'v','sub_mid':'1'},"
        "{'feed':2,'mid':'w','sub_mid':'1'},{'feed':2,'mid':'v','sub_mid':'0'}]}",
        NULL,
        SWITCHED("1", LINE_AUDIO(0, "0", 1, "a", "true") "," LINE_VIDEO(1, "1", 2, "v", "true")),
        NONE);
    assert_int_equal(mock_route(s, 1)->from.handle, q);
    assert_int_equal(mock_route(s, 1)->from.mindex, 0);
    assert_int_equal(mock_route(s, 1)->wish.substream, 2); /* as new */
    assert_false(mock_route(s, 1)->paused);
    /* The old form finds what fits. */
    mock_request(s, "{'request':'switch','feed':1}", NULL,
                 "{'videoroom':'event','switched':'ok','room':1,'changes':2,'id':1,"
                 "'display':'P1','streams':[" LINE_AUDIO(0, "0", 1, "a", "true") "," LINE_VIDEO(
                     1, "1", 1, "v", "true") "]}",
                 NONE);
    mock_request(s, "{'request':'switch','feed':2}", NULL,
                 "{'videoroom':'event','switched':'ok','room':1,'changes':2,'id':2,"
                 "'display':'P2','streams':[" LINE_AUDIO(0, "0", 2, "a", "true") "," LINE_VIDEO(
                     1, "1", 2, "v", "true") "]}",
                 NONE);
    assert_int_equal(mock_route(s, 0)->from.mindex, 1);
}

static void switch_fills_inactive_lines_with_an_offer(void **state)
{
    uint64_t tx;
    sl_hid s;

    (void)state;
    room_make(",'publishers':9");
    publishing(1, MOCK_OFFER("video v vp8"));
    publishing(2, MOCK_OFFER("video v vp8"));
    s = subscribed("[{'feed':1}]");
    mock_send(s, "{'request':'unsubscribe','streams':[{'sub_mid':'0'}]}", NULL);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_skip(s);
    tx = mock_send(s, "{'request':'switch','streams':[{'feed':2,'mid':'v','sub_mid':'0'}]}", NULL);
    mock_expect(
        s, 0, "{'videoroom':'updated','room':1,'streams':[" LINE_VIDEO(0, "0", 2, "v", "true") "]}",
        OFFER);
    mock_expect(s, tx, SWITCHED("1", LINE_VIDEO(0, "0", 2, "v", "true")), NONE);
    assert_false(mock_route(s, 0)->active);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    assert_true(mock_route(s, 0)->active);
}

static void a_dummy_holds_a_line_until_somebody_is_there(void **state)
{
    json_t *list, *dummy;
    char body[200];
    sl_hid p, s;

    (void)state;
    room_make(",'dummy_publisher':true");
    p = publishing(1, MOCK_OFFER("video v vp8"));
    list = mock_call_json(p, "{'request':'listparticipants','room':1}");
    dummy = json_object_get(json_array_get(json_object_get(list, "participants"), 0), "id");
    snprintf(body, sizeof(body), "[{'feed':%lld,'mid':'1'}]", (long long)json_integer_value(dummy));
    snprintf(body + 100, 100, "{'request':'kick','room':1,'id':%lld}",
             (long long)json_integer_value(dummy));
    json_decref(list);
    s = subscribed(body);
    assert_false(mock_route(s, 0)->active);
    mock_send(s, "{'request':'switch','streams':[{'feed':1,'mid':'v','sub_mid':'0'}]}", NULL);
    assert_true(mock_route(s, 0)->active);
    assert_int_equal(mock_route(s, 0)->from.handle, p);
    list = mock_call_json(p, body + 100);
    assert_int_equal(json_integer_value(json_object_get(list, "error_code")), 428);
    json_decref(list);
}

static void the_streams_of_a_dummy_can_be_chosen(void **state)
{
    json_t *joined, *dummy;
    char body[100];
    sl_hid h, s;

    (void)state;
    room_make(",'videocodec':'vp8,vp9','dummy_publisher':true,'dummy_streams':["
              "{'codec':'opus','fmtp':'useinbandfec=1'},{'codec':'vp9','fmtp':'profile-id=2'},"
              "{'codec':'vp9'}]");
    h = mock_attach();
    mock_send(h, "{'request':'join','ptype':'publisher','room':1,'id':1}", NULL);
    joined = mock_take(h);
    dummy = json_array_get(json_object_get(joined, "publishers"), 0);
    mock_data_check(dummy, "{'id':'*','display':'Dummy publisher','dummy':true,"
                           "'audio_codec':'opus','video_codec':'vp9','streams':["
                           "{'type':'audio','mindex':0,'mid':'0','codec':'opus'},"
                           "{'type':'video','mindex':1,'mid':'1','codec':'vp9'},"
                           "{'type':'video','mindex':2,'mid':'2','codec':'vp9'}]}");
    snprintf(body, sizeof(body), "[{'feed':%lld}]",
             (long long)json_integer_value(json_object_get(dummy, "id")));
    json_decref(joined);
    s = subscribed(body);
    assert_string_equal(mock_line(s, 0)->codec.fmtp, "useinbandfec=1");
    assert_string_equal(mock_line(s, 1)->codec.fmtp, "profile-id=2");
    assert_string_equal(mock_line(s, 2)->codec.fmtp, "");
}

static void updates_of_the_server(void **state)
{
    sl_hid p, s, quiet;

    (void)state;
    room_make(",'publishers':9");
    p = publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    publishing(2, MOCK_OFFER("audio a opus"));
    s = subscribed("[{'feed':1},{'feed':2}]");
    quiet = mock_attach();
    mock_send(quiet,
              "{'request':'join','ptype':'subscriber','room':1,'autoupdate':false,"
              "'streams':[{'feed':1}]}",
              NULL);
    mock_send(quiet, "{'request':'start'}", mock_answer(quiet));
    mock_skip(quiet);
    mock_send(p, "{'request':'leave'}", NULL);
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':["
                "{'type':'audio','active':false,'mindex':0,'mid':'0','ready':true,'send':true},"
                "{'type':'video','active':false,'mindex':1,'mid':'1','ready':true,'send':true}"
                "," LINE_AUDIO(2, "2", 2, "a", "true") "]}",
                OFFER);
    mock_expect_nothing(s); /* one event for all its streams */
    mock_expect_nothing(quiet);
    mock_request(quiet, "{'request':'unsubscribe','streams':[{'feed':1}]}", NULL,
                 "{'videoroom':'updated','room':1,'streams':['*','*']}", OFFER);
    /* While an answer is out, changes wait for it. */
    p = publishing(1, MOCK_OFFER("audio a opus"));
    mock_down(p, "ICE failed");
    mock_expect_nothing(s);
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_skip(s);
    mock_detach(p);
    mock_expect_nothing(s); /* it watched nothing of that */
}

static void a_changed_codec_ends_subscriptions(void **state)
{
    const sl_hid p =
        (room_make(",'videocodec':'vp8,vp9'"), publishing(1, MOCK_OFFER("video v vp8")));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    mock_send(p, "{'request':'configure','videocodec':'vp9'}", MOCK_OFFER("video v vp8 vp9"));
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':[{'type':'video','active':false,"
                "'mindex':0,'mid':'0','ready':true,'send':true}]}",
                OFFER);
}

/* Another mid is another stream: who watched the one before did not ask for it. */
static void a_line_that_is_used_again_ends_subscriptions(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8")));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    mock_send(p, "{'request':'configure'}", MOCK_OFFER("audio a opus", "video v rejected"));
    mock_expect_nothing(s); /* it may come back */
    mock_send(p, "{'request':'configure'}", MOCK_OFFER("audio a opus", "video w vp8 sim"));
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':[" LINE_AUDIO(
                    0, "0", 1, "a", "true") ",{'type':'video','active':false,'mindex':1,'mid':'1',"
                                            "'ready':true,'send':true}]}",
                OFFER);
    assert_false(mock_route(s, 1)->active);
    assert_true(mock_route(s, 0)->active);
}

static void leave_closes_and_hangup_starts_over(void **state)
{
    sl_hid s;

    (void)state;
    room_make("");
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    s = subscribed("[{'feed':1}]");
    mock_down(s, "DTLS alert");
    mock_skip(s);
    mock_request(
        s, "{'request':'subscribe','streams':[{'feed':1,'mid':'v'}]}", NULL,
        "{'videoroom':'updated','room':1,'streams':[" LINE_VIDEO(0, "0", 1, "v", "false") "]}",
        OFFER);
    mock_request(s, "{'request':'leave'}", NULL, "{'videoroom':'event','room':1,'left':'ok'}",
                 NONE);
    mock_expect_hangup(s, "Close PC");
    expect_error(s, "{'request':'join','ptype':'subscriber','room':1,'feed':1}", NULL, 425,
                 "Not in a room (create a new handle)");
}

static void offers_from_both_ends(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());

    (void)state;
    publishing(1, MOCK_OFFER("audio a opus"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    mock_skip(s);
    mock_roll_back(s); /* what the core does with our offer then */
    expect_error(s, "{'request':'start'}", MOCK_OFFER("audio a opus"), 431,
                 "Invalid SDP type: subscribers send answers");
    mock_request(s, "{'request':'unsubscribe','streams':[{'feed':9}]}", NULL,
                 "{'videoroom':'updated','room':1,'streams':['*']}", OFFER);
}

static void lists_without_end_are_refused(void **state)
{
    static const char *const v[] = {
        "{'request':'unsubscribe','streams':[",
        "{'request':'subscribe','streams':[",
        "{'request':'configure','streams':[",
        "{'request':'switch','streams':[",
    };
    static char body[70000];
    size_t len;
    sl_hid s;

    (void)state;
    room_make("");
    publishing(1, MOCK_OFFER("video v vp8"));
    s = subscribed("[{'feed':1}]");
    for (size_t i = 0; i < COUNT(v); i++) {
        len = (size_t)snprintf(body, sizeof(body), "%s{'sub_mid':'0'}", v[i]);
        for (int k = 0; k < 256; k++)
            len += (size_t)snprintf(body + len, sizeof(body) - len, ",{'sub_mid':'0'}");
        snprintf(body + len, sizeof(body) - len, "]}");
        expect_error(s, body, NULL, 430, "Invalid element (streams should not hold more than 256)");
    }
    /* Nor are feeds of many streams that are named again and again. */
    publishing(
        2, MOCK_OFFER("video a vp8", "video b vp8", "video c vp8", "video d vp8", "video e vp8"));
    len = (size_t)snprintf(body, sizeof(body), "%s{'feed':2}", v[1]);
    for (int k = 1; k < 256; k++)
        len += (size_t)snprintf(body + len, sizeof(body) - len, ",{'feed':2}");
    snprintf(body + len, sizeof(body) - len, "]}");
    mock_skip(0);
    expect_error(s, body, NULL, 430, "Too many streams in one subscription");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(update_errors),
        T(lists_without_end_are_refused),
        T(subscriptions_reuse_inactive_lines_and_wait_for_answers),
        T(deferred_updates_follow_the_answer),
        T(lines_of_another_codec_are_not_reused),
        T(switch_changes_sources_without_negotiation),
        T(switch_fills_inactive_lines_with_an_offer),
        T(a_dummy_holds_a_line_until_somebody_is_there),
        T(the_streams_of_a_dummy_can_be_chosen),
        T(updates_of_the_server),
        T(a_changed_codec_ends_subscriptions),
        T(a_line_that_is_used_again_ends_subscriptions),
        T(leave_closes_and_hangup_starts_over),
        T(offers_from_both_ends),
    };

    return cmocka_run_group_tests_name("videoroom, changes of subscriptions", tests, NULL, NULL);
}
