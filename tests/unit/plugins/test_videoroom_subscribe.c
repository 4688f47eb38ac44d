#include "videoroom_test.h"

static void the_happy_path_has_the_order_of_the_protocol(void **state)
{
    const sl_hid p = mock_attach(), other = mock_attach(), s = mock_attach();

    (void)state;
    room_make("");
    mock_request(p, "{'request':'join','ptype':'publisher','room':1,'id':10,'display':'P10'}", NULL,
                 "{'videoroom':'joined','room':1,'description':'Room 1','id':10,'private_id':'*',"
                 "'publishers':[]}",
                 NONE);
    mock_send(other, "{'request':'join','ptype':'publisher','room':1,'id':20}", NULL);
    mock_skip(other);
    mock_request(p, "{'request':'publish'}", MOCK_OFFER("audio a opus", "video v vp8"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'opus',"
                 "'video_codec':'vp8','streams':["
                 "{'type':'audio','mindex':0,'mid':'a','codec':'opus','audiolevel_ext_id':1},"
                 "{'type':'video','mindex':1,'mid':'v','codec':'vp8','videoorient_ext_id':9,"
                 "'playoutdelay_ext_id':8}]}",
                 ANSWER);
    assert_string_equal(mock_session_name(p), "VideoRoom 1");
    mock_expect_nothing(other);
    mock_up(p);
    mock_expect(other, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':10,'display':'P10',"
                "'audio_codec':'opus','video_codec':'vp8','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','codec':'opus','talking':false},"
                "{'type':'video','mindex':1,'mid':'v','codec':'vp8'}]}]}",
                NONE);
    mock_expect_nothing(p);

    mock_request(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':10}]}",
                 NULL,
                 "{'videoroom':'attached','room':1,'streams':[" LINE_AUDIO(
                     0, "0", 10, "a", "false") "," LINE_VIDEO(1, "1", 10, "v", "false") "]}",
                 OFFER);
    assert_int_equal(mock_line(s, 1)->want.dir, SL_DIR_SEND);
    assert_false(mock_route(s, 0)->active);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_true(mock_route(s, 0)->active && !mock_route(s, 0)->paused);
    assert_int_equal(mock_route(s, 1)->from.handle, p);
    assert_int_equal(mock_route(s, 1)->from.mindex, 1);
    mock_up(s);
    assert_int_equal(mock_line(p, 1)->keyframes, 0); /* the worker knows whether one is needed */
    mock_expect_nothing(s);

    mock_request(p, "{'request':'unpublish'}", NULL,
                 "{'videoroom':'event','room':1,'unpublished':'ok'}", NONE);
    mock_expect_hangup(p, "Close PC");
    mock_expect_nothing(p);
    mock_expect(other, 0, "{'videoroom':'event','room':1,'unpublished':10,'display':'P10'}", NONE);
    mock_expect_nothing(other); /* once */
    mock_expect(s, 0,
                "{'videoroom':'updated','room':1,'streams':["
                "{'type':'audio','active':false,'mindex':0,'mid':'0','ready':true,'send':true},"
                "{'type':'video','active':false,'mindex':1,'mid':'1','ready':true,'send':true}]}",
                OFFER);
    assert_int_equal(mock_line(s, 0)->want.dir, SL_DIR_INACTIVE);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_expect_nothing(s);
}

static void join_errors(void **state)
{
    static const struct {
        const char *more;
        int code;
        const char *text;
    } v[] = {
        { "", 429, "Missing mandatory element (streams)" },
        { ",'streams':{}", 430, "Invalid element type (streams should be an array)" },
        { ",'streams':[]", 430, "Invalid element (streams should not be empty)" },
        { ",'streams':[1]", 430, "Invalid element type (streams should hold objects)" },
        { ",'streams':[{}]", 429, "Missing mandatory element (feed)" },
        { ",'streams':[{'feed':'1'}]", 430,
          "Invalid element type (feed should be a positive integer)" },
        { ",'streams':[{'feed':9}]", 428, "No such feed (9)" },
        { ",'streams':[{'feed':2}]", 428, "No such feed (2)" },
        { ",'streams':[{'feed':1,'mid':'x'}]", 428, "No such mid 'x' in feed (1)" },
        { ",'streams':[{'feed':1,'mid':5}]", 430, "Invalid element type (mid should be a string)" },
        { ",'streams':[{'feed':1,'crossrefid':5}]", 430,
          "Invalid element type (crossrefid should be a string)" },
        { ",'streams':[{'feed':1,'substream':3}]", 430,
          "Invalid value (substream should be 0, 1 or 2)" },
        { ",'streams':[{'feed':1,'temporal':3}]", 430,
          "Invalid value (temporal should be 0, 1 or 2)" },
        { ",'streams':[{'feed':1,'spatial_layer':3}]", 430,
          "Invalid value (spatial_layer should be 0, 1 or 2)" },
        { ",'streams':[{'feed':1,'temporal_layer':3}]", 430,
          "Invalid value (temporal_layer should be 0, 1 or 2)" },
        { ",'streams':[{'feed':1,'fallback':-3}]", 430,
          "Invalid element type (fallback should be a positive integer)" },
        { ",'streams':[{'feed':1,'width':-1,'height':1}]", 430,
          "Invalid element type (width should be a positive integer)" },
        { ",'streams':[{'feed':1,'width':640}]", 430,
          "Invalid value (width and height go together)" },
        { ",'streams':[{'feed':1,'priority':101}]", 430,
          "Invalid value (priority should be between -100 and 100)" },
        { ",'feed':1,'priority':'x'", 430, "Invalid element type (priority should be an integer)" },
        { ",'feed':1,'quality':1", 430, "Invalid element type (quality should be a boolean)" },
        { ",'streams':[{'feed':1,'min_delay':'x'}]", 430,
          "Invalid element type (min_delay should be an integer)" },
        { ",'streams':[{'feed':1},{'feed':3}]", 438,
          "Can't mix normal and end-to-end encrypted feeds in one subscription" },
        { ",'streams':[{'feed':1,'mid':'off'}]", 437, "Can't offer an SDP with no stream" },
        { ",'feed':9", 428, "No such feed (9)" },
        { ",'feed':1,'offer_audio':1", 430,
          "Invalid element type (offer_audio should be a boolean)" },
        { ",'feed':1,'substream':7", 430, "Invalid value (substream should be 0, 1 or 2)" },
        { ",'feed':1,'offer_audio':false,'offer_video':false", 437,
          "Can't offer an SDP with no stream" },
        { ",'feed':1,'autoupdate':1", 430,
          "Invalid element type (autoupdate should be a boolean)" },
        { ",'feed':1,'private_id':-1", 430,
          "Invalid element type (private_id should be a positive integer)" },
    };
    const sl_hid h = (room_make(",'publishers':9"), mock_attach());
    char body[200];

    (void)state;
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8", "audio off pcmu"));
    mock_send(joined(2), "{'request':'publish'}", MOCK_OFFER("audio a opus")); /* not up */
    publishing(3, mock_e2ee(MOCK_OFFER("audio a opus")));
    for (size_t i = 0; i < COUNT(v); i++) {
        snprintf(body, sizeof(body), "{'request':'join','ptype':'subscriber','room':1%s}",
                 v[i].more);
        expect_error(h, body, NULL, v[i].code, v[i].text);
    }
    expect_error(h, "{'request':'join','ptype':'subscriber','room':1,'feed':1}",
                 MOCK_OFFER("audio a opus"), 423, "Subscribers do not send an offer with join");
    expect_error(h, "{'request':'join','ptype':'subscriber','room':7,'feed':1}", NULL, 426,
                 "No such room (7)");
    mock_send(h, "{'request':'join','ptype':'subscriber','room':1,'feed':1}", NULL);
    mock_skip(h);
    expect_error(h, "{'request':'join','ptype':'subscriber','room':1,'feed':1}", NULL, 425,
                 "Already in as a subscriber on this handle");
    expect_error(h, "{'request':'publish'}", NULL, 423, "Unknown request 'publish'");
}

static void the_old_join_has_one_feed(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());

    (void)state;
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    mock_request(s,
                 "{'request':'join','ptype':'subscriber','room':1,'feed':1,'offer_audio':false,"
                 "'close_pc':true}",
                 NULL,
                 "{'videoroom':'attached','room':1,'id':1,'display':'P1',"
                 "'warning':'deprecated_api','streams':[" LINE_VIDEO(0, "0", 1, "v", "false") "]}",
                 OFFER);
}

static void attached_tells_all_about_the_streams(void **state)
{
    const sl_hid s = (room_make(",'videocodec':'vp8,h264,vp9'"), mock_attach());
    const sl_hid p = mock_attach();

    (void)state;
    mock_send(p,
              "{'request':'join','ptype':'publisher','room':1,'id':1,'display':'P1',"
              "'metadata':{'m':1}}",
              NULL);
    mock_send(p, "{'request':'publish','descriptions':[{'mid':'a','description':'mic'}]}",
              MOCK_OFFER("audio a opus", "video v vp8 sim", "video w h264/42e01f",
                         "video x vp9/2 svc=L3T3"));
    mock_up(p);
    mock_request(s,
                 "{'request':'join','ptype':'subscriber','room':1,'use_msid':true,'streams':["
                 "{'feed':1,'mid':'a'},{'feed':1,'mid':'v','crossrefid':'x1','substream':1,"
                 "'fallback':9},{'feed':1,'mid':'w','min_delay':0,'max_delay':10},"
                 "{'feed':1,'mid':'x','spatial_layer':1}]}",
                 NULL,
                 "{'videoroom':'attached','room':1,'streams':["
                 "{'type':'audio','active':true,'mindex':0,'mid':'0','ready':false,'send':true,"
                 "'feed_id':1,'feed_display':'P1','feed_metadata':{'m':1},'feed_mid':'a',"
                 "'feed_description':'mic','codec':'opus'},"
                 "{'type':'video','active':true,'mindex':1,'mid':'1','ready':false,'send':true,"
                 "'crossrefid':'x1','feed_id':1,'feed_display':'P1','feed_metadata':{'m':1},"
                 "'feed_mid':'v','codec':'vp8','simulcast':{'substream':-1,'substream-target':1,"
                 "'temporal-layer':-1,'temporal-layer-target':2,'fallback':9}},"
                 "{'type':'video','active':true,'mindex':2,'mid':'2','ready':false,'send':true,"
                 "'feed_id':1,'feed_display':'P1','feed_metadata':{'m':1},'feed_mid':'w',"
                 "'codec':'h264','h264-profile':'42e01f',"
                 "'playout-delay':{'min-delay':0,'max-delay':10}},"
                 "{'type':'video','active':true,'mindex':3,'mid':'3','ready':false,'send':true,"
                 "'feed_id':1,'feed_display':'P1','feed_metadata':{'m':1},'feed_mid':'x',"
                 "'codec':'vp9','vp9-profile':'2','svc':{'spatial-layer':-1,"
                 "'target-spatial-layer':1,'temporal-layer':-1,'target-temporal-layer':2}}]}",
                 OFFER);
    assert_string_equal(mock_line(s, 1)->want.stream, "1");
    assert_string_equal(mock_line(s, 1)->want.track, "v");
    assert_true(mock_line(s, 0)->want.exts & SL_EXT_BIT(SL_EXT_ABS_SEND_TIME));
    assert_false(mock_line(s, 0)->want.exts & SL_EXT_BIT(SL_EXT_RID));
}

static void pause_and_start(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("video v vp8")));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    mock_request(s, "{'request':'pause'}", NULL, "{'videoroom':'event','room':1,'paused':'ok'}",
                 NONE);
    assert_true(mock_route(s, 0)->paused);
    mock_request(s, "{'request':'start'}", NULL, STARTED, NONE);
    assert_false(mock_route(s, 0)->paused);
    mock_request(s, "{'request':'start'}", NULL, STARTED, NONE);
    assert_int_equal(mock_line(p, 0)->keyframes, 0);
}

static void nothing_flows_before_start_or_on_refused_lines(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());
    struct sl_mline lines[2];
    struct sl_jsep_in answer;

    (void)state;
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    mock_skip(s);
    answer = *mock_answer(s);
    memcpy(lines, answer.lines, sizeof(lines));
    lines[1].dir = SL_DIR_INACTIVE;
    answer.lines = lines;
    /* Any request may carry the answer; only `start` starts. */
    mock_request(s, "{'request':'configure','send':true}", &answer, CONFIGURED, NONE);
    assert_true(mock_route(s, 0)->active && mock_route(s, 0)->paused);
    assert_false(mock_route(s, 1)->active);
    mock_request(s, "{'request':'start'}", NULL, STARTED, NONE);
    assert_false(mock_route(s, 0)->paused);
    mock_send(s, "{'request':'configure','update':true}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    assert_true(mock_route(s, 1)->active);
}

static void crossrefs_tell_twins_apart(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());

    (void)state;
    publishing(1, MOCK_OFFER("video v vp8"));
    mock_send(s,
              "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1},"
              "{'feed':1,'crossrefid':'again'},{'feed':1,'mid':'v'}]}",
              NULL);
    assert_int_equal(mock_nlines(s), 2);
}

static void configure_sets_layers_and_gates(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8 sim")));
    const sl_hid s = subscribed("[{'feed':1}]");
    const struct sl_layer_event ev = { 1, 2, -1, -1, 3, 3 };

    (void)state;
    mock_request(s,
                 "{'request':'configure','mid':'1','substream':1,'temporal':0,'fallback':1000,"
                 "'min_delay':1,'max_delay':2}",
                 NULL, CONFIGURED, NONE);
    assert_int_equal(mock_route(s, 1)->wish.substream, 1);
    assert_int_equal(mock_route(s, 1)->wish.temporal, 0);
    assert_int_equal(mock_route(s, 1)->wish.fallback_us, 1000);
    assert_int_equal(mock_route(s, 1)->wish.min_delay, 1);
    mock_layer(s, 1, &ev);
    mock_expect(s, 0, "{'videoroom':'event','room':1,'mid':'1','substream':1}", NONE);
    mock_expect(s, 0, "{'videoroom':'event','room':1,'mid':'1','temporal':2}", NONE);
    mock_send(s, "{'request':'configure','streams':[{'mid':'1','substream':1}]}", NULL);
    mock_expect(s, 0, "{'videoroom':'event','room':1,'mid':'1','substream':1}", NONE);
    mock_skip(s);
    mock_layer(s, 9, &ev);
    mock_expect_nothing(s);
    mock_request(s, "{'request':'configure','streams':[{'mid':'1','send':false}]}", NULL,
                 CONFIGURED, NONE);
    assert_true(mock_route(s, 1)->paused);
    assert_false(mock_route(s, 0)->paused);
    mock_request(s, "{'request':'configure','mid':'1','send':true}", NULL, CONFIGURED, NONE);
    assert_false(mock_route(s, 1)->paused);
    assert_int_equal(mock_line(p, 1)->keyframes, 0);
    mock_request(s, "{'request':'configure','audio':false}", NULL, CONFIGURED, NONE);
    assert_true(mock_route(s, 0)->paused);
    mock_slow_link(s, 1, false, 1);
    mock_expect_nothing(s);
    mock_slow_link(s, 1, true, 1);
    mock_expect(s, 0, "{'videoroom':'slow_link'}", NONE);
}

static void the_size_shown_and_the_priority_are_of_the_line(void **state)
{
    static const struct {
        const char *body;
        int width, height, priority;
    } t[] = {
        { "'mid':'1','width':640,'height':360,'priority':-5", 640, 360, -5 },
        { "'mid':'1','priority':100", 640, 360, 100 },
        { "'streams':[{'mid':'1','width':0,'height':0}]", -1, -1, 100 },
        { "'width':99999,'height':1", 16384, 1, 100 },
        { "'mid':'1','width':0,'height':8", -1, -1, 100 },
    };
    const sl_hid s = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8 sim")),
                      subscribed("[{'feed':1,'width':320,'height':180,'priority':7}]"));
    char body[200];
    sl_hid old;

    (void)state;
    assert_int_equal(mock_route(s, 1)->wish.width, 320);
    assert_int_equal(mock_route(s, 1)->wish.height, 180);
    assert_int_equal(mock_route(s, 1)->wish.priority, 7);
    for (size_t i = 0; i < COUNT(t); i++) {
        snprintf(body, sizeof(body), "{'request':'configure',%s}", t[i].body);
        mock_request(s, body, NULL, CONFIGURED, NONE);
        assert_int_equal(mock_route(s, 1)->wish.width, t[i].width);
        assert_int_equal(mock_route(s, 1)->wish.height, t[i].height);
        assert_int_equal(mock_route(s, 1)->wish.priority, t[i].priority);
    }
    /* It is the element's, whoever is in it. */
    publishing(2, MOCK_OFFER("video v vp8 sim"));
    mock_send(s, "{'request':'switch','streams':[{'feed':2,'mid':'v','sub_mid':'1'}]}", NULL);
    mock_skip(s);
    assert_int_equal(mock_route(s, 1)->wish.priority, 100);
    assert_int_equal(mock_route(s, 1)->wish.width, -1);
    old = mock_attach();
    mock_send(old,
              "{'request':'join','ptype':'subscriber','room':1,'feed':1,'width':64,'height':36}",
              NULL);
    mock_skip(old);
    mock_request(old, "{'request':'start'}", mock_answer(old), STARTED, NONE);
    assert_int_equal(mock_route(old, 1)->wish.width, 64);
}

static void who_asks_is_told_of_the_quality(void **state)
{
    const struct sl_quality q = {
        SL_REASON_BANDWIDTH, true, false, 0, 1, 2, 2, 600000, 500000, 40, 7, 0.5, 0
    };
    const sl_hid s =
        (room_make(""), publishing(1, MOCK_OFFER("video v vp8 sim")), subscribed("[{'feed':1}]"));

    (void)state;
    assert_int_equal(mock_route(s, 0)->wish.tell, 0);
    mock_quality(s, 0, &q); /* of before it changed its mind */
    mock_expect_nothing(s);
    mock_request(s, "{'request':'configure','quality':true}", NULL, CONFIGURED, NONE);
    assert_int_equal(mock_route(s, 0)->wish.tell, 1);
    mock_quality(s, 0, &q);
    mock_expect(s, 0,
                "{'videoroom':'event','room':1,'mid':'0','quality':{'verdict':'receiver',"
                "'reason':'bandwidth','substream':0,'temporal':1,'wanted':{'substream':2,"
                "'temporal':2},'estimate':600000,'target':500000,'rtt':40,'queue':7,'loss':0.5,"
                "'sender_loss':0.0}}",
                NONE);
    mock_quality(s, 9, &q);
    mock_expect_nothing(s);
    mock_request(s, "{'request':'configure','quality':true}", NULL, CONFIGURED, NONE);
    assert_int_equal(mock_route(s, 0)->wish.tell, 2); /* once more, now */
    mock_request(s, "{'request':'configure','quality':false}", NULL, CONFIGURED, NONE);
    assert_int_equal(mock_route(s, 0)->wish.tell, 0);
}

static void svc_layers_have_their_own_events(void **state)
{
    const struct sl_layer_event ev = { -1, -1, 1, 2, 3, 3 };
    sl_hid s;

    (void)state;
    room_make(",'videocodec':'vp9'");
    publishing(1, MOCK_OFFER("video v vp9 svc=L3T3"));
    s = subscribed("[{'feed':1}]");
    mock_layer(s, 0, &ev);
    mock_expect(s, 0, "{'videoroom':'event','room':1,'mid':'0','spatial_layer':1}", NONE);
    mock_expect(s, 0, "{'videoroom':'event','room':1,'mid':'0','temporal_layer':2}", NONE);
}

static void restarts_are_answered_at_once(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());
    uint64_t tx;

    (void)state;
    publishing(1, MOCK_OFFER("video v vp8"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    mock_skip(s);
    mock_request(s, "{'request':'configure','restart':true}", NULL, CONFIGURED, NONE);
    tx = mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_expect(s, tx, STARTED, NONE);
    mock_expect(s, 0, "{'videoroom':'updated','room':1,'streams':['*']}", OFFER);
    assert_true(mock_restart(s));
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_request(s, "{'request':'configure','restart':true}", NULL, CONFIGURED, OFFER);
    assert_true(mock_restart(s));
    mock_request(s, "{'request':'start'}", mock_answer(s), STARTED, NONE);
    mock_request(s, "{'request':'configure','update':true}", NULL, CONFIGURED, OFFER);
    assert_false(mock_restart(s));
}

static void e2ee_is_passed_on(void **state)
{
    const sl_hid s = (room_make(""), mock_attach());

    (void)state;
    publishing(1, mock_e2ee(MOCK_OFFER("video v vp8")));
    publishing(2, MOCK_OFFER("video v vp8"));
    mock_send(s, "{'request':'join','ptype':'subscriber','room':1,'streams':[{'feed':1}]}", NULL);
    assert_true(mock_is_e2ee(s));
    mock_send(s, "{'request':'start'}", mock_answer(s));
    mock_skip(s);
    expect_error(s, "{'request':'subscribe','streams':[{'feed':2}]}", NULL, 438,
                 "Can't mix normal and end-to-end encrypted feeds in one subscription");
    mock_request(s, "{'request':'switch','feed':2}", NULL,
                 "{'videoroom':'event','switched':'ok','room':1,'changes':0,'id':2,"
                 "'display':'P2','streams':['*']}",
                 NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_happy_path_has_the_order_of_the_protocol),
        T(join_errors),
        T(the_old_join_has_one_feed),
        T(attached_tells_all_about_the_streams),
        T(pause_and_start),
        T(nothing_flows_before_start_or_on_refused_lines),
        T(crossrefs_tell_twins_apart),
        T(configure_sets_layers_and_gates),
        T(the_size_shown_and_the_priority_are_of_the_line),
        T(who_asks_is_told_of_the_quality),
        T(svc_layers_have_their_own_events),
        T(restarts_are_answered_at_once),
        T(e2ee_is_passed_on),
    };

    return cmocka_run_group_tests_name("videoroom, subscribers", tests, NULL, NULL);
}
