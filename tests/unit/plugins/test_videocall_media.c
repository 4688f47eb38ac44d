/* VideoCall: what is negotiated, and what flows. */
#include "videocall_test.h"

#define ADD_VIDEO                                                                                  \
    MOCK_OFFER("audio 0 opus?useinbandfec=1 pcmu", "video 1 vp8 h264/42e01f", "video 2 vp8")

static void the_callee_is_offered_what_the_caller_has(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob,
          MOCK_OFFER("audio a opus?useinbandfec=1;stereo=1 pcmu red", "video b vp8 h264/42e01f sim",
                     "data c rejected", "video d vp8 recv", "video e vp8 rejected"));
    assert_int_equal(mock_nlines(bob), 3); /* what cannot be used is not offered */
    assert_string_equal(mock_session_name(bob), "VideoCall");
    assert_int_equal(mock_line(bob, 0)->noffered, 2);
    assert_int_equal(mock_line(bob, 0)->offered[1].codec, SL_CODEC_PCMU);
    assert_string_equal(mock_line(bob, 0)->offered[0].fmtp, "useinbandfec=1;stereo=1");
    assert_true(mock_line(bob, 0)->want.red);
    assert_int_equal(mock_line(bob, 1)->noffered, 2);
    assert_int_equal(mock_line(bob, 1)->want.nlayers, 0); /* one stream */
    assert_int_equal(mock_line(bob, 1)->want.dir, SL_DIR_SENDRECV);
    assert_int_equal(mock_line(bob, 2)->want.dir, SL_DIR_SEND);
    assert_true(mock_line(bob, 1)->want.exts & SL_EXT_BIT(SL_EXT_TWCC));
    assert_true(mock_line(bob, 1)->want.exts & SL_EXT_BIT(SL_EXT_COLOR_SPACE));
    assert_true(mock_line(bob, 1)->want.exts & SL_EXT_BIT(SL_EXT_VIDEO_LAYERS_ALLOCATION));
    assert_false(mock_line(bob, 1)->want.exts & SL_EXT_BIT(SL_EXT_TOFFSET));
    /* Nothing flows yet, and the caller has no answer. */
    assert_false(mock_route(bob, 0)->active);
    mock_expect_nothing(alice);
}

static void the_caller_is_answered_what_the_callee_chose(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob,
          MOCK_OFFER("audio 0 opus?useinbandfec=1;minptime=10 pcmu", "video 1 vp8 h264/42e01f sim",
                     "data 2 rejected", "video 3 vp8 recv"));
    mock_request(bob, "{'request':'accept'}",
                 mock_answer_with(
                     MOCK_OFFER("audio 0 pcmu", "video 1 h264/42e01f recv", "video 2 rejected")),
                 EVENT("accepted"), NONE);
    mock_expect(alice, 0, EVENT_BY("accepted", "bob"), ANSWER);
    assert_int_equal(mock_nlines(alice), 4);
    assert_int_equal(mock_line(alice, 0)->codec.codec, SL_CODEC_PCMU);
    assert_int_equal(mock_line(alice, 0)->codec.pt, 97); /* as alice numbers it */
    assert_int_equal(mock_line(alice, 1)->codec.codec, SL_CODEC_H264);
    assert_int_equal(mock_line(alice, 1)->want.dir, SL_DIR_SEND); /* bob only sends */
    assert_int_equal(mock_line(alice, 1)->want.nlayers, 3);
    assert_true(mock_line(alice, 2)->want.rejected);
    assert_true(mock_line(alice, 3)->want.rejected);
    assert_true(mock_route(bob, 0)->active);
    assert_int_equal(mock_route(bob, 0)->from.handle, alice);
    assert_true(mock_route(alice, 0)->active);
    assert_int_equal(mock_route(alice, 0)->from.handle, bob);
    assert_false(mock_route(bob, 1)->active);
    assert_true(mock_route(alice, 1)->active);
}

static void opus_parameters_are_mirrored(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, MOCK_OFFER("audio 0 opus?useinbandfec=1;minptime=10;usedtx=1"));
    assert_string_equal(mock_line(alice, 0)->codec.fmtp, "useinbandfec=1;usedtx=1");
}

static void encryption_end_to_end_is_told(void **state)
{
    sl_hid alice, bob;

    (void)state;
    rings(&alice, &bob, mock_e2ee(AV));
    assert_true(mock_is_e2ee(bob));
    mock_request(bob, "{'request':'accept'}", mock_e2ee(mock_answer(bob)), EVENT("accepted"), NONE);
    mock_expect(alice, 0, EVENT_BY("accepted", "bob"), ANSWER);
    assert_true(mock_is_e2ee(alice));
}

/* ---- set ------------------------------------------------------------------------------------- */

static void set_works_before_and_in_a_call(void **state)
{
    const sl_hid h = mock_attach();
    sl_hid alice, bob;

    (void)state;
    mock_request(h, "{'request':'set','audio':false}", NULL, EVENT("set"), NONE);
    mock_detach(h);
    rings(&alice, &bob, AV);
    mock_request(bob, "{'request':'set','audio':false,'bitrate':128000,'record':false}", NULL,
                 EVENT("set"), NONE);
    mock_request(bob, "{'request':'accept'}", mock_answer(bob), EVENT("accepted"), NONE);
    mock_skip(0);
    assert_true(mock_line(bob, 0)->closed);
    assert_false(mock_line(bob, 1)->closed);
    assert_int_equal(mock_bitrate(bob), 128000);
    assert_int_equal(mock_bitrate(alice), 0);

    mock_request(alice, "{'request':'set','video':false,'bitrate':64000}", NULL, EVENT("set"),
                 NONE);
    assert_true(mock_line(alice, 1)->closed);
    assert_int_equal(mock_bitrate(alice), 64000);
    mock_request(alice, "{'request':'set','video':true}", NULL, EVENT("set"), NONE);
    assert_false(mock_line(alice, 1)->closed);
    assert_int_equal(mock_line(alice, 1)->keyframes, 1);
    assert_int_equal(mock_notified("configured"), 4);
    /* The next call begins anew. */
    mock_send(bob, "{'request':'hangup'}", NULL);
    mock_query(bob, "{'state':'idle','audio_active':true,'video_active':true,'bitrate':0,"
                    "'slowlink_count':0,'username':'bob'}");
}

static void the_callee_chooses_layers_of_a_caller_who_sends_several(void **state)
{
    const struct sl_layer_event first = { 2, 1, -1, -1, 3, 3 }, next = { 0, -1, -1, -1, 3, 3 };
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, MOCK_OFFER("audio 0 opus", "video 1 vp8 sim"));
    assert_int_equal(mock_route(bob, 1)->wish.substream, 2);
    assert_int_equal(mock_route(bob, 1)->wish.fallback_us, 250000);
    mock_layer(bob, 1, &first);
    mock_expect(bob, 0, RESULT("'event':'simulcast','videocodec':'vp8','substream':2"), NONE);
    mock_expect(bob, 0, RESULT("'event':'simulcast','videocodec':'vp8','temporal':1"), NONE);
    mock_request(bob, "{'request':'set','substream':0,'temporal':2,'fallback':500000}", NULL,
                 EVENT("set"), NONE);
    assert_int_equal(mock_route(bob, 1)->wish.substream, 0);
    assert_int_equal(mock_route(bob, 1)->wish.fallback_us, 500000);
    mock_request(bob, "{'request':'set','width':320,'height':180}", NULL, EVENT("set"), NONE);
    assert_int_equal(mock_route(bob, 1)->wish.height, 180);
    assert_int_equal(mock_route(alice, 1)->wish.substream, 2);
    mock_layer(bob, 1, &next);
    mock_expect(bob, 0, RESULT("'event':'simulcast','videocodec':'vp8','substream':0"), NONE);
    /* What stands is confirmed. */
    mock_send(bob, "{'request':'set','substream':0}", NULL);
    mock_expect(bob, 0, RESULT("'event':'simulcast','videocodec':'vp8','substream':0"), NONE);
    mock_skip(bob);
    mock_layer(bob, 7, &next); /* no such line */
    mock_expect_nothing(bob);
}

static void slow_links_are_told(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set','bitrate':128000}", NULL, EVENT("set"), NONE);
    mock_slow_link(alice, 1, false, 20);
    mock_expect(alice, 0, RESULT("'event':'slow_link','media':'video','current-bitrate':128000"),
                NONE);
    mock_slow_link(alice, 1, true, 20);
    mock_slow_link(alice, 9, false, 20);
    mock_expect_nothing(alice);
    mock_expect_nothing(bob);
}

/* ---- renegotiation --------------------------------------------------------------------------- */

static void an_offer_goes_round(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set'}", mock_update(ADD_VIDEO, true), EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    assert_false(mock_restart(bob));
    assert_int_equal(mock_nlines(bob), 3);
    mock_expect_nothing(alice);
    mock_request(bob, "{'request':'set'}", mock_answer(bob), EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_int_equal(mock_nlines(alice), 3);
    assert_int_equal(mock_route(bob, 2)->from.mindex, 2);
    assert_true(mock_route(alice, 2)->active);

    /* From the other end, with new credentials for alice, too. */
    mock_request(bob, "{'request':'set','restart':true}", mock_update(ADD_VIDEO, true),
                 EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), OFFER);
    assert_true(mock_restart(alice));
    mock_request(alice, "{'request':'set'}", mock_answer(alice), EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), ANSWER);
}

static void a_line_ends_and_comes_back(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set'}",
                 mock_update(MOCK_OFFER("audio 0 opus pcmu", "video 1 rejected"), false),
                 EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    assert_int_equal(mock_line(bob, 1)->want.dir, SL_DIR_INACTIVE);
    mock_request(bob, "{'request':'set'}", mock_answer(bob), EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_true(mock_line(alice, 1)->want.rejected);
    assert_false(mock_route(bob, 1)->active);
    assert_true(mock_route(bob, 0)->active);

    mock_request(alice, "{'request':'set'}",
                 mock_update(MOCK_OFFER("audio 0 opus pcmu", "video 2 h264/42e01f vp8"), false),
                 EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    assert_int_equal(mock_nlines(bob), 2);
    mock_request(bob, "{'request':'set'}", mock_answer(bob), EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_true(mock_route(bob, 1)->active);
}

static void a_line_comes_back_as_another_kind(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set'}",
                 mock_update(MOCK_OFFER("audio 0 opus", "audio 2 opus"), false), EVENT("set"),
                 NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    assert_int_equal(mock_nlines(bob), 3);
    assert_int_equal(mock_line(bob, 1)->want.dir, SL_DIR_INACTIVE);
    assert_int_equal(mock_line(bob, 2)->want.kind, SL_KIND_AUDIO);
    mock_request(bob, "{'request':'set'}", mock_answer(bob), EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_int_equal(mock_route(bob, 2)->from.mindex, 1);
    assert_int_equal(mock_route(alice, 1)->from.mindex, 2);
}

/* Two offers of alice before bob answers: his answer is to the first, so he gets another. */
static void a_newer_offer_waits_for_the_answer_to_the_older(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set'}", mock_update(AV, false), EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    mock_request(alice, "{'request':'set'}", mock_update(ADD_VIDEO, false), EVENT("set"), NONE);
    mock_expect_nothing(bob);
    mock_send(bob, "{'request':'set'}", mock_answer(bob));
    mock_expect(bob, 0, EVENT("update"), OFFER);
    mock_expect_nothing(alice);
    assert_int_equal(mock_nlines(bob), 3);
    mock_skip(bob);
    mock_request(bob, "{'request':'set'}", mock_answer(bob), EVENT("set"), NONE);
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_int_equal(mock_nlines(alice), 3);
}

/* Both offer at once: who came first is answered as things are, who came last goes on. */
static void offers_of_both_end_in_one_round(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, AV);
    mock_request(alice, "{'request':'set'}", mock_update(ADD_VIDEO, false), EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), OFFER);
    mock_send(
        bob, "{'request':'set'}",
        mock_update(MOCK_OFFER("audio 0 opus?useinbandfec=1 pcmu", "video 1 vp8", "audio 9 opus"),
                    false));
    mock_expect(alice, 0, EVENT("update"), ANSWER);
    assert_true(mock_line(alice, 2)->want.rejected); /* not agreed on */
    mock_expect(alice, 0, EVENT("update"), OFFER);
    assert_int_equal(mock_nlines(alice), 4);
    mock_skip(bob);
    mock_request(alice, "{'request':'set'}", mock_answer(alice), EVENT("set"), NONE);
    mock_expect(bob, 0, EVENT("update"), ANSWER);
    assert_int_equal(mock_route(bob, 2)->from.mindex, 3);
    assert_int_equal(mock_route(alice, 3)->from.mindex, 2);
    assert_true(mock_route(bob, 1)->active);
}

static void data_goes_both_ways(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, MOCK_OFFER("audio 0 opus", "data 1"));
    assert_int_equal(mock_line(bob, 1)->want.kind, SL_KIND_DATA);
    assert_false(mock_line(alice, 1)->want.rejected);
    mock_data(alice, "chat", "p", false, "hello", 5);
    mock_expect_data(bob, "chat|p|hello");
    mock_data(bob, "chat", "p", true, "\1\2", 2);
    mock_expect_data(alice, "chat|p|binary|\1\2");
    assert_int_equal(mock_ndata(alice), 0);
}

static void a_full_channel_stops_the_other(void **state)
{
    sl_hid alice, bob;

    (void)state;
    talks(&alice, &bob, MOCK_OFFER("data 0"));
    mock_data_full(bob, true);
    mock_data(alice, "a", "", false, "1", 1);
    assert_true(mock_data_paused(alice));
    mock_data(alice, "b", "", true, "2", 1); /* was under way */
    assert_int_equal(mock_ndata(bob), 0);
    mock_data_full(bob, false);
    mock_expect_data(bob, "a||1");
    mock_expect_data(bob, "b||binary|2");
    assert_false(mock_data_paused(alice));
    /* What waits ends with the call. */
    mock_data_full(bob, true);
    mock_data(alice, "a", "", false, "3", 1);
    mock_send(bob, "{'request':'hangup'}", NULL);
    mock_skip(0);
    mock_send(alice, "{'request':'call','username':'bob'}", MOCK_OFFER("data 0"));
    mock_skip(0);
    mock_data(bob, "a", "", false, "early", 5); /* before it is accepted */
    mock_send(bob, "{'request':'accept'}", mock_answer(bob));
    assert_int_equal(mock_ndata(alice), 0);
    assert_int_equal(mock_ndata(bob), 0);
}

static void set_takes_descriptions_in_calls_only(void **state)
{
    const sl_hid carol = registered("carol");
    sl_hid alice, bob;

    (void)state;
    mock_request(carol, "{'request':'set','audio':false}", AV, ERROR(481, "No call to renegotiate"),
                 NONE);
    mock_query(carol, "{'state':'idle','audio_active':true,'video_active':true,'bitrate':0,"
                      "'slowlink_count':0,'username':'carol'}");
    rings(&alice, &bob, AV);
    mock_request(bob, "{'request':'set'}", mock_answer(bob),
                 ERROR(483, "Invalid SDP: the call is not accepted yet"), NONE);
    mock_expect_hangup(bob, "Close PC");
    mock_expect(alice, 0, HANGUP("bob", "Remote WebRTC hangup"), NONE);
    mock_expect_hangup(alice, "Close PC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_callee_is_offered_what_the_caller_has),
        T(the_caller_is_answered_what_the_callee_chose),
        T(opus_parameters_are_mirrored),
        T(encryption_end_to_end_is_told),
        T(set_works_before_and_in_a_call),
        T(the_callee_chooses_layers_of_a_caller_who_sends_several),
        T(slow_links_are_told),
        T(an_offer_goes_round),
        T(a_line_ends_and_comes_back),
        T(a_line_comes_back_as_another_kind),
        T(a_newer_offer_waits_for_the_answer_to_the_older),
        T(offers_of_both_end_in_one_round),
        T(data_goes_both_ways),
        T(a_full_channel_stops_the_other),
        T(set_takes_descriptions_in_calls_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
