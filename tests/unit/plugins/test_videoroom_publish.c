#include "videoroom_test.h"

#define JOINED_EMPTY(id, more)                                                                     \
    "{'videoroom':'joined','room':1,'description':'Room 1','id':" id                               \
    ",'private_id':'*','publishers':[]" more "}"

static void join_errors(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *text;
    } v[] = {
        { "{'request':'configure'}", 424, "Invalid request on unconfigured participant" },
        { "{'request':'start'}", 424, "Invalid request on unconfigured participant" },
        { "{'request':'join'}", 429, "Missing mandatory element (ptype)" },
        { "{'request':'join','ptype':1}", 430, "Invalid element type (ptype should be a string)" },
        { "{'request':'join','ptype':'listener'}", 430, "Invalid element (ptype)" },
        { "{'request':'join','ptype':'publisher'}", 429, "Missing mandatory element (room)" },
        { "{'request':'join','ptype':'publisher','room':9}", 426, "No such room (9)" },
        { "{'request':'join','ptype':'publisher','room':1}", 429,
          "Missing mandatory element (pin)" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'x'}", 433,
          "Unauthorized (wrong pin)" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'p','id':'x'}", 430,
          "Invalid element type (id should be a positive integer)" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'p','id':10}", 436,
          "User ID 10 already exists" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'p','display':1}", 430,
          "Invalid element type (display should be a string)" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'p','metadata':1}", 430,
          "Invalid element type (metadata should be an object)" },
        { "{'request':'join','ptype':'publisher','room':1,'pin':'p','record':true}", 499,
          "recording is not available" },
        { "{'request':'joinandconfigure','ptype':'subscriber','room':1}", 430,
          "Invalid element (ptype)" },
        { "{'request':'joinandconfigure','room':1,'pin':'p','filename':'f'}", 499,
          "recording is not available" },
        { "{'request':'joinandconfigure','room':1,'pin':'p','bitrate':'x'}", 430,
          "Invalid element type (bitrate should be a positive integer)" },
    };
    const sl_hid h = mock_attach(), other = mock_attach();

    (void)state;
    room_make(",'pin':'p'");
    mock_send(other, "{'request':'join','ptype':'publisher','room':1,'id':10,'pin':'p'}", NULL);
    for (size_t i = 0; i < COUNT(v); i++)
        expect_error(h, v[i].body, NULL, v[i].code, v[i].text);
    /* A failed join leaves the handle free for another. */
    mock_request(h, "{'request':'JOIN','ptype':'Publisher','room':1,'id':11,'pin':'p'}", NULL,
                 JOINED_EMPTY("11", ""), NONE);
    expect_error(h, "{'request':'join','ptype':'subscriber','room':1}", NULL, 425,
                 "Already in as a publisher on this handle");
    expect_error(h, "{'request':'joinandconfigure','room':1}", NULL, 425,
                 "Already in as a publisher on this handle");
    expect_error(h, "{'request':'start'}", NULL, 423, "Unknown request 'start'");
    expect_error(h, "{'request':'subscribe'}", NULL, 423, "Unknown request 'subscribe'");
}

static void connections_of_a_room_are_placed_together(void **state)
{
    const sl_hid a = mock_attach(), b = mock_attach(), c = mock_attach();

    (void)state;
    room_make("");
    mock_send(a, "{'request':'join','ptype':'publisher','room':1,'id':10}", NULL);
    mock_send(b, "{'request':'join','ptype':'publisher','room':1,'id':11}", NULL);
    mock_send(c, "{'request':'join','ptype':'publisher','room':9}", NULL); /* none such */
    assert_int_not_equal(mock_group(a), 0);
    assert_int_equal(mock_group(b), mock_group(a));
    assert_int_equal(mock_group(c), 0);
}

static void notify_joining_tells_others_and_lists_attendees(void **state)
{
    const sl_hid a = mock_attach(), b = mock_attach();

    (void)state;
    room_make(",'notify_joining':true");
    mock_request(a, "{'request':'join','ptype':'publisher','room':1,'id':1,'display':'Eve'}", NULL,
                 JOINED_EMPTY("1", ",'attendees':[]"), NONE);
    mock_request(b, "{'request':'join','ptype':'publisher','room':1,'id':2,'metadata':{'k':[1]}}",
                 NULL, JOINED_EMPTY("2", ",'attendees':[{'id':1,'display':'Eve'}]"), NONE);
    mock_expect(a, 0, "{'videoroom':'event','room':1,'joining':{'id':2,'metadata':{'k':[1]}}}",
                NONE);
    mock_expect_nothing(b);
    mock_detach(b);
    mock_expect(a, 0, "{'videoroom':'event','room':1,'leaving':2,'metadata':{'k':[1]}}", NONE);
    mock_expect_nothing(a);
}

static void signed_tokens_open_rooms_that_want_them(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_set_signed_tokens(true);
    room_make(",'signed_tokens':true,'pin':'p'");
    expect_error(h, "{'request':'join','ptype':'publisher','room':1,'pin':'p'}", NULL, 433,
                 "Unauthorized (wrong token)");
    expect_error(h, "{'request':'join','ptype':'subscriber','room':1,'token':'x'}", NULL, 433,
                 "Unauthorized (wrong token)");
    mock_request(h,
                 "{'request':'join','ptype':'publisher','room':1,'id':1,'pin':'p',"
                 "'token':'good/janus.plugin.videoroom/room=1'}",
                 NULL, JOINED_EMPTY("1", ""), NONE);
}

static void joinandconfigure_does_both_or_none(void **state)
{
    const sl_hid a = (room_make(",'publishers':1,'notify_joining':true"), joined(1));
    const sl_hid b = mock_attach(), c = mock_attach();

    (void)state;
    mock_request(b, "{'request':'joinandconfigure','room':1,'id':2,'bitrate':300000}",
                 MOCK_OFFER("audio 0 opus?useinbandfec=1"),
                 "{'videoroom':'joined','room':1,'description':'Room 1','id':2,'private_id':'*',"
                 "'publishers':[],'attendees':[{'id':1,'display':'P1'}],'audio_codec':'opus',"
                 "'streams':[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true,"
                 "'audiolevel_ext_id':1}]}",
                 ANSWER);
    assert_int_equal(mock_bitrate(b), 300000);
    mock_expect(a, 0, "{'videoroom':'event','room':1,'joining':{'id':2}}", NONE);
    expect_error(c, "{'request':'joinandconfigure','room':1,'id':3}", MOCK_OFFER("audio 0 opus"),
                 432, "Maximum number of publishers (1) already reached");
    mock_expect_nothing(a); /* nobody joined */
    mock_request(c, "{'request':'joinandconfigure','room':1,'id':3}", NULL,
                 JOINED_EMPTY("3", ",'attendees':'*'"), NONE);
}

static void answers_follow_the_codecs_of_the_room(void **state)
{
    static const struct {
        const char *room, *line;
        enum sl_codec codec;
        const char *fmtp;
        enum sl_dir dir;
    } v[] = {
        { "", "audio 0 pcmu opus?useinbandfec=1;usedtx=1;stereo=1", SL_CODEC_OPUS,
          "useinbandfec=1;stereo=1", SL_DIR_RECV },
        { ",'opus_dtx':true", "audio 0 opus?usedtx=1", SL_CODEC_OPUS, "usedtx=1", SL_DIR_RECV },
        { ",'opus_fec':false,'opus_dtx':true", "audio 0 opus?useinbandfec=1;usedtx=1;stereo=1",
          SL_CODEC_OPUS, "usedtx=1;stereo=1", SL_DIR_RECV },
        { ",'audiocodec':'pcma,opus'", "audio 0 opus pcma", SL_CODEC_PCMA, "", SL_DIR_RECV },
        { ",'audiocodec':'g722'", "audio 0 opus", SL_CODEC_OPUS, NULL, SL_DIR_INACTIVE },
        { ",'audiocodec':'red,opus'", "audio 0 opus red", SL_CODEC_OPUS, "", SL_DIR_RECV },
        { "", "audio 0 opus send", SL_CODEC_OPUS, NULL, SL_DIR_INACTIVE },
        { "", "video 0 h264 vp8", SL_CODEC_VP8, "", SL_DIR_RECV },
        { ",'videocodec':'h264','h264_profile':'42e01f'",
          "video 0 h264/640c1f?packetization-mode=1 "
          "h264/42e01f?packetization-mode=0;profile-level-id=42e01f "
          "h264/42e01f?packetization-mode=1;profile-level-id=42e01f",
          SL_CODEC_H264, "packetization-mode=1;profile-level-id=42e01f", SL_DIR_RECV },
        { ",'videocodec':'h264','h264_profile':'42001f'",
          "video 0 h264/640c1f?packetization-mode=1", SL_CODEC_H264, "packetization-mode=1",
          SL_DIR_RECV },
        { ",'videocodec':'vp9','vp9_profile':'2'", "video 0 vp9/0?profile-id=0 vp9/2?profile-id=2",
          SL_CODEC_VP9, "profile-id=2", SL_DIR_RECV },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(v); i++) {
        sl_hid p;

        room_make(v[i].room);
        p = joined(1);
        mock_send(p, "{'request':'publish'}", MOCK_OFFER(v[i].line));
        assert_int_equal(mock_line(p, 0)->codec.codec, v[i].codec);
        assert_int_equal(mock_line(p, 0)->want.dir, v[i].dir);
        if (v[i].fmtp)
            assert_string_equal(mock_line(p, 0)->codec.fmtp, v[i].fmtp);
        assert_false(mock_line(p, 0)->want.rejected);
        mock_call(p, "{'request':'destroy','room':1}",
                  "{'videoroom':'destroyed','room':1,'permanent':false}");
    }
}

static void unusable_lines_are_disabled(void **state)
{
    const sl_hid p = (room_make(""), joined(1));

    (void)state;
    mock_request(p, "{'request':'publish'}",
                 MOCK_OFFER("audio 0 pcmu", "video 1", "data 2 rejected", "video 3 vp8 rejected"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'none',"
                 "'video_codec':'none','streams':["
                 "{'type':'audio','mindex':0,'mid':'0','disabled':true},"
                 "{'type':'video','mindex':1,'mid':'1','disabled':true},"
                 "{'type':'data','mindex':2,'mid':'2','disabled':true},"
                 "{'type':'video','mindex':3,'mid':'3','disabled':true}]}",
                 ANSWER);
    assert_true(mock_line(p, 1)->want.rejected);
    assert_true(mock_line(p, 2)->want.rejected);
    assert_true(mock_line(p, 3)->want.rejected);
}

static void streams_tell_what_was_negotiated(void **state)
{
    const sl_hid p = (room_make(",'videocodec':'vp8,vp9,h264','opus_dtx':true,'bitrate':200000,"
                                "'bitrate_cap':true,'fir_freq':7,'audiolevel_event':true"),
                      joined(1));

    (void)state;
    mock_request(p,
                 "{'request':'publish','descriptions':[{'mid':'a','description':'mic'},"
                 "{'mid':'zz','description':'x'}]}",
                 MOCK_OFFER("audio a opus?useinbandfec=1;usedtx=1;stereo=1", "video v vp8 sim",
                            "video w vp9/0 svc=L3T3", "video x h264/42e01f"),
                 "{'videoroom':'event','room':1,'configured':'ok','audio_codec':'opus',"
                 "'video_codec':'vp8','streams':["
                 "{'type':'audio','mindex':0,'mid':'a','codec':'opus','stereo':true,'fec':true,"
                 "'dtx':true,'audiolevel_ext_id':1},"
                 "{'type':'video','mindex':1,'mid':'v','codec':'vp8','simulcast':true,"
                 "'videoorient_ext_id':9,'playoutdelay_ext_id':8},"
                 "{'type':'video','mindex':2,'mid':'w','codec':'vp9','vp9_profile':'0','svc':true,"
                 "'videoorient_ext_id':9,'playoutdelay_ext_id':8,'depdesc_ext_id':11},"
                 "{'type':'video','mindex':3,'mid':'x','codec':'h264','h264_profile':'42e01f',"
                 "'videoorient_ext_id':9,'playoutdelay_ext_id':8}]}",
                 ANSWER);
    assert_int_equal(mock_line(p, 1)->want.max_bitrate, 200000);
    assert_int_equal(mock_line(p, 0)->want.max_bitrate, 0);
    assert_int_equal(mock_line(p, 1)->want.nlayers, 3);
    assert_int_equal(mock_bitrate(p), 200000);
    assert_int_equal(mock_fir(p), 7);
    assert_int_equal(mock_line(p, 0)->talk_packets, 100);
    assert_int_equal(mock_line(p, 0)->talk_threshold, 25);
    assert_true(mock_line(p, 2)->want.exts & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
    assert_false(mock_line(p, 1)->want.exts & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
    assert_false(mock_line(p, 1)->want.exts & SL_EXT_BIT(SL_EXT_ABS_SEND_TIME));
    mock_request(mock_attach(), "{'request':'join','ptype':'publisher','room':1,'id':2}", NULL,
                 JOINED_EMPTY("2", ""), NONE); /* not up yet */
}

static void who_asks_is_told_which_layers_are_watched(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8 sim")));

    (void)state;
    mock_watched(p, 1, 1);
    mock_expect_nothing(p); /* it did not ask */
    mock_request(p, "{'request':'configure','watched':true}", NULL, CONFIGURED, NONE);
    mock_expect(p, 0, "{'videoroom':'event','room':1,'mid':'v','watched':1}", NONE);
    mock_watched(p, 1, 0);
    mock_expect(p, 0, "{'videoroom':'event','room':1,'mid':'v','watched':0}", NONE);
    mock_watched(p, 0, 0); /* no simulcast */
    mock_watched(p, 9, 0);
    mock_request(p, "{'request':'configure','watched':false}", NULL, CONFIGURED, NONE);
    mock_watched(p, 1, 2);
    mock_expect_nothing(p);
}

#define PASSED_VIDEO                                                                               \
    (SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME) | SL_EXT_BIT(SL_EXT_COLOR_SPACE) |                        \
     SL_EXT_BIT(SL_EXT_VIDEO_LAYERS_ALLOCATION))

static void of_svc_it_is_the_spatial_layer(void **state)
{
    const sl_hid p =
        (room_make(",'videocodec':'vp9'"), publishing(1, MOCK_OFFER("video v vp9 svc=L3T3")));

    (void)state;
    mock_request(p, "{'request':'configure','watched':true}", NULL, CONFIGURED, NONE);
    mock_watched(p, 0, 1);
    mock_expect(p, 0, "{'videoroom':'event','room':1,'mid':'v','watched':1}", NONE);
}

static void extensions_can_be_switched_off(void **state)
{
    const sl_hid p = (room_make(",'audiolevel_ext':false,'videoorient_ext':false,"
                                "'playoutdelay_ext':false,'transport_wide_cc_ext':false"),
                      joined(1));

    (void)state;
    mock_send(p, "{'request':'publish'}", MOCK_OFFER("audio 0 opus", "video 1 vp8"));
    assert_int_equal(mock_line(p, 0)->want.exts,
                     SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME));
    assert_int_equal(mock_line(p, 1)->want.exts, SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_RID) |
                                                     SL_EXT_BIT(SL_EXT_RRID) | PASSED_VIDEO);
    assert_int_equal(mock_line(p, 0)->talk_packets, 0);
}

static void what_the_room_does_not_read_passes(void **state)
{
    sl_hid s;

    (void)state;
    room_make("");
    publishing(1, MOCK_OFFER("audio a opus", "video v vp8"));
    s = subscribed("[{'feed':1}]");
    assert_true(mock_line(s, 0)->want.exts & SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME));
    assert_true(mock_line(s, 0)->want.exts & SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL));
    assert_false(mock_line(s, 0)->want.exts & SL_EXT_BIT(SL_EXT_COLOR_SPACE));
    assert_int_equal(mock_line(s, 1)->want.exts & PASSED_VIDEO, PASSED_VIDEO);
}

static void slots_are_reserved_at_negotiation(void **state)
{
    const sl_hid a = (room_make(",'publishers':1"), joined(1)), b = joined(2);

    (void)state;
    mock_send(a, "{'request':'publish'}", MOCK_OFFER("audio 0 opus")); /* not up yet */
    expect_error(b, "{'request':'publish'}", MOCK_OFFER("audio 0 opus"), 432,
                 "Maximum number of publishers (1) already reached");
    mock_skip(a);
    mock_down(a, "ICE failed"); /* gives it back, without a word to others */
    mock_expect_nothing(b);
    mock_send(b, "{'request':'publish'}", MOCK_OFFER("audio 0 opus"));
    mock_send(b, "{'request':'configure'}", MOCK_OFFER("audio 0 opus", "video 1 vp8"));
}

static void renegotiation_announces_the_new_streams(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("audio a opus", "video v vp8")));
    const sl_hid q = joined(2), s = subscribed("[{'feed':1}]");

    (void)state;
    mock_send(p, "{'request':'configure','update':true}",
              MOCK_OFFER("audio a opus", "video v vp8 inactive", "video w vp8"));
    mock_expect(q, 0,
                "{'videoroom':'event','room':1,'publishers':[{'id':1,'display':'P1',"
                "'audio_codec':'opus','video_codec':'vp8','talking':false,'streams':["
                "{'type':'audio','mindex':0,'mid':'a','codec':'opus','talking':false},"
                "{'type':'video','mindex':1,'mid':'v','disabled':true},"
                "{'type':'video','mindex':2,'mid':'w','codec':'vp8'}]}]}",
                NONE);
    mock_expect_nothing(s); /* its line stays, for the stream to come back */
    assert_int_equal(mock_line(s, 1)->want.dir, SL_DIR_SEND);
    assert_true(mock_route(s, 1)->active);
}

static void talking_is_told_to_everybody(void **state)
{
    const sl_hid p =
        (room_make(",'audiolevel_event':true"), publishing(1, MOCK_OFFER("audio a opus")));
    const sl_hid q = joined(2);

    (void)state;
    mock_talking(p, 0, true, 21.5);
    mock_expect(p, 0,
                "{'videoroom':'talking','room':1,'id':1,'mindex':0,'mid':'a',"
                "'audio-level-dBov-avg':21.5}",
                NONE);
    mock_expect(q, 0,
                "{'videoroom':'talking','room':1,'id':1,'mindex':0,'mid':'a',"
                "'audio-level-dBov-avg':21.5}",
                NONE);
    mock_talking(p, 0, true, 20.0); /* no change */
    mock_talking(p, 9, true, 20.0); /* no such line */
    mock_expect_nothing(q);
    mock_call(q, "{'request':'listparticipants','room':1}",
              "{'videoroom':'participants','room':1,'participants':["
              "{'id':1,'display':'P1','publisher':true,'talking':true},"
              "{'id':2,'display':'P2','publisher':false}]}");
    mock_talking(p, 0, false, 80.0);
    mock_expect(q, 0,
                "{'videoroom':'stopped-talking','room':1,'id':1,'mindex':0,'mid':'a',"
                "'audio-level-dBov-avg':80.0}",
                NONE);
}

static void personal_talk_detection(void **state)
{
    const sl_hid p = (room_make(""), mock_attach());

    (void)state;
    mock_send(p,
              "{'request':'join','ptype':'publisher','room':1,'audio_active_packets':5,"
              "'audio_level_average':300}",
              NULL);
    mock_send(p, "{'request':'publish'}", MOCK_OFFER("audio a opus"));
    assert_int_equal(mock_line(p, 0)->talk_packets, 5);
    assert_int_equal(mock_line(p, 0)->talk_threshold, 127);
    mock_send(p, "{'request':'configure','audio_active_packets':50,'audio_level_average':30}",
              NULL);
    assert_int_equal(mock_line(p, 0)->talk_packets, 50);
    assert_int_equal(mock_line(p, 0)->talk_threshold, 30);
    mock_skip(p);
    mock_up(p);
    mock_talking(p, 0, true, 3.0);
    mock_expect_nothing(p); /* audiolevel_event is off */
}

static void slow_links_tell_the_publisher_its_bitrate(void **state)
{
    const sl_hid p = (room_make(",'bitrate':512000"), publishing(1, MOCK_OFFER("video v vp8")));

    (void)state;
    mock_slow_link(p, 0, true, 9);
    mock_expect_nothing(p);
    mock_slow_link(p, 0, false, 9);
    mock_expect(p, 0, "{'videoroom':'slow_link','current-bitrate':512000}", NONE);
}

static void e2ee_is_required_where_the_room_says_so(void **state)
{
    const sl_hid p = (room_make(",'require_e2ee':true"), joined(1));

    (void)state;
    expect_error(p, "{'request':'publish'}", MOCK_OFFER("video v vp8"), 433,
                 "Room requires end-to-end encrypted media");
    mock_send(p, "{'request':'publish'}", mock_e2ee(MOCK_OFFER("video v vp8")));
    assert_true(mock_is_e2ee(p));
    /* Nothing else tells a key frame in an encrypted payload. */
    assert_true(mock_line(p, 0)->want.exts & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
}

static void unpublish_and_publish_again(void **state)
{
    const sl_hid p = (room_make(""), joined(1));
    const sl_hid q = joined(2);

    (void)state;
    expect_error(p, "{'request':'unpublish'}", NULL, 435, "Can't unpublish, not published");
    for (int i = 0; i < 3; i++) {
        mock_send(p, "{'request':'publish'}", MOCK_OFFER("video v vp8"));
        mock_up(p);
        mock_skip(0);
        mock_request(p, "{'request':'unpublish'}", NULL,
                     "{'videoroom':'event','room':1,'unpublished':'ok'}", NONE);
        mock_expect_hangup(p, "Close PC");
        mock_expect(q, 0, "{'videoroom':'event','room':1,'unpublished':1,'display':'P1'}", NONE);
        mock_expect_nothing(q);
    }
    expect_error(p, "{'request':'unpublish'}", NULL, 435, "Can't unpublish, not published");
}

static void loss_and_leave_are_told_once_and_in_order(void **state)
{
    const sl_hid q = (room_make(""), joined(2));
    sl_hid p;

    (void)state;
    p = publishing(1, MOCK_OFFER("video v vp8"));
    mock_down(p, "DTLS alert"); /* connection lost */
    mock_expect(q, 0, "{'videoroom':'event','room':1,'unpublished':1,'display':'P1'}", NONE);
    mock_expect_nothing(q);
    mock_detach(p);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'leaving':1,'display':'P1'}", NONE);
    mock_expect_nothing(q);

    p = publishing(1, MOCK_OFFER("video v vp8"));
    mock_detach(p); /* session ended while publishing */
    mock_expect(q, 0, "{'videoroom':'event','room':1,'unpublished':1,'display':'P1'}", NONE);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'leaving':1,'display':'P1'}", NONE);
    mock_expect_nothing(q);

    p = publishing(1, MOCK_OFFER("video v vp8"));
    mock_request(p, "{'request':'leave'}", NULL, "{'videoroom':'event','room':1,'leaving':'ok'}",
                 NONE);
    mock_expect_hangup(p, "Close PC");
    mock_expect(q, 0, "{'videoroom':'event','room':1,'unpublished':1,'display':'P1'}", NONE);
    mock_expect(q, 0, "{'videoroom':'event','room':1,'leaving':1,'display':'P1'}", NONE);
    mock_expect_nothing(q);
    expect_error(p, "{'request':'join','ptype':'publisher','room':1}", NULL, 425,
                 "Not in a room (create a new handle)");
    expect_error(p, "{'request':'leave'}", NULL, 426, "No such room");
    mock_query(p, "{'type':'none','hangingup':0,'destroyed':1}");
}

static void five_hundred_join_one_room(void **state)
{
    json_t *first, *second;
    sl_hid last;

    (void)state;
    room_make(",'publishers':1000,'notify_joining':true");
    for (int i = 1; i <= 500; i++)
        publishing(i, MOCK_OFFER("audio a opus"));
    /* What is told about a publisher is one object, however many hear of it. */
    last = joined(501);
    mock_send(last, "{'request':'publish'}", MOCK_OFFER("audio a opus"));
    mock_up(last);
    first = mock_take(2);
    second = mock_take(3);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    json_decref(first);
    json_decref(second);
}

static void tells_the_administrator(void **state)
{
    const sl_hid p = (room_make(""), publishing(1, MOCK_OFFER("video v vp8")));
    const sl_hid s = subscribed("[{'feed':1}]");

    (void)state;
    mock_query(p, "{'type':'publisher','room':1,'id':1,'private_id':'*','display':'P1',"
                  "'bitrate':0,'e2ee':false,'hangingup':0,'destroyed':0,'streams':["
                  "{'type':'video','mindex':0,'mid':'v','codec':'vp8','videoorient_ext_id':9,"
                  "'playoutdelay_ext_id':8,'subscribers':1}]}");
    mock_query(s, "{'type':'subscriber','room':1,'private_id':0,'answered':true,"
                  "'pending_offer':false,'pending_restart':false,'paused':false,'e2ee':false,"
                  "'streams':['*'],'hangingup':0,'destroyed':0}");
    mock_query(mock_attach(), "{'type':'none','hangingup':0,'destroyed':0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(join_errors),
        T(connections_of_a_room_are_placed_together),
        T(notify_joining_tells_others_and_lists_attendees),
        T(signed_tokens_open_rooms_that_want_them),
        T(joinandconfigure_does_both_or_none),
        T(answers_follow_the_codecs_of_the_room),
        T(unusable_lines_are_disabled),
        T(streams_tell_what_was_negotiated),
        T(who_asks_is_told_which_layers_are_watched),
        T(of_svc_it_is_the_spatial_layer),
        T(extensions_can_be_switched_off),
        T(what_the_room_does_not_read_passes),
        T(slots_are_reserved_at_negotiation),
        T(renegotiation_announces_the_new_streams),
        T(talking_is_told_to_everybody),
        T(personal_talk_detection),
        T(slow_links_tell_the_publisher_its_bitrate),
        T(e2ee_is_required_where_the_room_says_so),
        T(unpublish_and_publish_again),
        T(loss_and_leave_are_told_once_and_in_order),
        T(five_hundred_join_one_room),
        T(tells_the_administrator),
    };

    return cmocka_run_group_tests_name("videoroom, publishers", tests, NULL, NULL);
}
