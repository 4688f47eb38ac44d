#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sluice/mock.h>

extern const struct sl_plugin sl_plugin;

#define OK   "{'echotest':'event','result':'ok'}"
#define DONE "{'echotest':'event','result':'done'}"

static int setup(void **state)
{
    (void)state;
    return mock_start(&sl_plugin, NULL);
}

static int teardown(void **state)
{
    (void)state;
    mock_stop();
    return 0;
}

static void answers_each_line_with_one_codec_and_sends_it_back(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'audio':true,'video':true}",
                 MOCK_OFFER("audio 0 pcmu opus?minptime=10;useinbandfec=1;stereo=1",
                            "video 1 h264/42e01f vp8 sim", "data 2", "audio 3 opus send",
                            "video 4 vp8 recv"),
                 OK, SL_JSEP_ANSWER);
    assert_int_equal(mock_line(h, 0)->codec.codec, SL_CODEC_OPUS);
    assert_int_equal(mock_line(h, 0)->codec.pt, 97);
    assert_string_equal(mock_line(h, 0)->codec.fmtp, "useinbandfec=1;stereo=1");
    assert_int_equal(mock_line(h, 0)->want.dir, SL_DIR_SENDRECV);
    assert_int_equal(mock_line(h, 1)->codec.codec, SL_CODEC_VP8);
    assert_int_equal(mock_line(h, 1)->want.nlayers, 3);
    assert_false(mock_line(h, 2)->want.rejected);
    assert_int_equal(mock_line(h, 3)->want.dir, SL_DIR_INACTIVE);
    assert_int_equal(mock_line(h, 4)->want.dir, SL_DIR_RECV);
    assert_false(mock_line(h, 0)->want.exts & SL_EXT_BIT(SL_EXT_TOFFSET));
    assert_true(mock_line(h, 1)->want.exts & SL_EXT_BIT(SL_EXT_TWCC));
    assert_true(mock_line(h, 1)->want.exts & SL_EXT_BIT(SL_EXT_COLOR_SPACE));
    for (uint16_t i = 0; i < 5; i++) {
        assert_int_equal(mock_route(h, i)->active, i < 2);
        if (i < 2)
            assert_int_equal(mock_route(h, i)->from.mindex, i);
    }
}

static sl_hid with_data(void)
{
    const sl_hid h = mock_attach();

    mock_request(h, "{'audio':true}", MOCK_OFFER("audio 0 opus", "data 1"), OK, SL_JSEP_ANSWER);
    mock_up(h);
    return h;
}

static void text_comes_back_behind_a_prefix_and_binary_as_it_is(void **state)
{
    const sl_hid h = with_data();

    (void)state;
    mock_data_open(h, "chat", "p");
    mock_data(h, "chat", "p", false, "hello", 5);
    mock_expect_data(h, "chat|p|Janus EchoTest here! You wrote: hello");
    mock_data(h, "chat", "", false, "", 0);
    mock_expect_data(h, "chat||Janus EchoTest here! You wrote: ");
    mock_data(h, "other", "q", true, "bytes", 5);
    mock_expect_data(h, "other|q|binary|bytes");
    assert_int_equal(mock_ndata(h), 0);
}

static void answers_wait_for_room_and_the_client_with_them(void **state)
{
    const sl_hid h = with_data();

    (void)state;
    mock_data_full(h, true);
    mock_data(h, "a", "", false, "1", 1);
    assert_true(mock_data_paused(h));
    mock_data(h, "a", "", true, "2", 1); /* was under way */
    assert_int_equal(mock_ndata(h), 0);
    mock_data_full(h, false);
    assert_false(mock_data_paused(h));
    mock_expect_data(h, "a||Janus EchoTest here! You wrote: 1");
    mock_expect_data(h, "a||binary|2");
    mock_data(h, "a", "", true, "3", 1);
    mock_expect_data(h, "a||binary|3");

    /* What waits goes with the connection. */
    mock_data_full(h, true);
    mock_data(h, "a", "", true, "4", 1);
    mock_down(h, "DTLS alert");
    mock_skip(h);
    mock_request(h, "{'audio':true}", MOCK_OFFER("audio 0 opus", "data 1"), OK, SL_JSEP_ANSWER);
    mock_data(h, "a", "", true, "5", 1);
    mock_expect_data(h, "a||binary|5");
    mock_data_full(h, true);
    mock_data(h, "a", "", true, "6", 1); /* the end of the handle frees it */
}

static void takes_the_codecs_and_profiles_that_are_asked_for(void **state)
{
    static const struct {
        const char *body;
        enum sl_codec audio, video;
        const char *profile;
        bool red;
    } v[] = {
        { "{'audio':true}", SL_CODEC_OPUS, SL_CODEC_VP8, "", false },
        { "{'audiocodec':'pcma'}", SL_CODEC_PCMA, SL_CODEC_VP8, "", false },
        { "{'videocodec':'H264'}", SL_CODEC_OPUS, SL_CODEC_H264, "640c1f", false },
        { "{'videocodec':'h264','videoprofile':'42e01f'}", SL_CODEC_OPUS, SL_CODEC_H264, "42e01f",
          false },
        { "{'videocodec':'vp9','videoprofile':'2'}", SL_CODEC_OPUS, SL_CODEC_VP9, "2", false },
        { "{'opusred':true}", SL_CODEC_OPUS, SL_CODEC_VP8, "", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        const sl_hid h = mock_attach();

        mock_request(
            h, v[i].body,
            MOCK_OFFER("audio 0 opus pcma red", "video 1 vp8 vp9/0 vp9/2 h264/640c1f h264/42e01f"),
            OK, SL_JSEP_ANSWER);
        assert_int_equal(mock_line(h, 0)->codec.codec, v[i].audio);
        assert_int_equal(mock_line(h, 1)->codec.codec, v[i].video);
        assert_string_equal(mock_line(h, 1)->codec.profile, v[i].profile);
        assert_int_equal(mock_line(h, 0)->want.red, v[i].red);
    }
}

static void a_codec_that_was_not_offered_leaves_the_line_inactive(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'videocodec':'av1'}", MOCK_OFFER("video 0 vp8", "audio 1"), OK,
                 SL_JSEP_ANSWER);
    assert_int_equal(mock_line(h, 0)->want.dir, SL_DIR_INACTIVE);
    assert_false(mock_line(h, 0)->want.rejected);
    assert_true(mock_line(h, 1)->want.rejected); /* no codec at all */
}

static void gates_bitrate_and_layers_follow_requests(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'video':false,'bitrate':64000,'substream':0}",
                 MOCK_OFFER("audio 0 opus", "video 1 vp8 sim"), OK, SL_JSEP_ANSWER);
    assert_true(mock_route(h, 1)->paused);
    assert_false(mock_route(h, 0)->paused);
    assert_int_equal(mock_route(h, 1)->wish.substream, 0);
    assert_int_equal(mock_route(h, 1)->wish.temporal, 2);
    assert_int_equal(mock_bitrate(h), 64000);

    mock_request(h, "{'audio':false}", NULL, OK, SL_JSEP_NONE);
    assert_true(mock_route(h, 0)->paused);
    mock_request(h, "{'video':true}", NULL, OK, SL_JSEP_NONE);
    assert_false(mock_route(h, 1)->paused);
    assert_int_equal(mock_line(h, 1)->keyframes, 1);
    mock_request(h, "{'temporal':1,'fallback':500000,'min_delay':1,'max_delay':20}", NULL, OK,
                 SL_JSEP_NONE);
    assert_int_equal(mock_route(h, 1)->wish.temporal, 1);
    assert_int_equal(mock_route(h, 1)->wish.fallback_us, 500000);
    assert_int_equal(mock_route(h, 1)->wish.min_delay, 1);
    assert_int_equal(mock_route(h, 1)->wish.max_delay, 20);
    mock_request(h, "{'width':320,'height':180}", NULL, OK, SL_JSEP_NONE);
    assert_int_equal(mock_route(h, 1)->wish.width, 320);
    mock_request(h, "{'bitrate':0}", NULL, OK, SL_JSEP_NONE);
    assert_int_equal(mock_bitrate(h), 0);
}

static void layer_changes_are_told_and_standing_ones_confirmed(void **state)
{
    const sl_hid h = mock_attach();
    const struct sl_layer_event low = { 1, 2, -1, -1, 3, 3 }, svc = { -1, -1, 1, 2, 3, 3 };

    (void)state;
    mock_request(h, "{'video':true}", MOCK_OFFER("video 0 vp8 sim", "video 1 vp9 svc=L3T3"), OK,
                 SL_JSEP_ANSWER);
    mock_layer(h, 0, &low);
    mock_expect(h, 0,
                "{'echotest':'event','videocodec':'vp8','substream':1,'temporal':2,"
                "'tot_temporal_layers':3}",
                SL_JSEP_NONE);
    mock_layer(h, 1, &svc);
    mock_expect(h, 0,
                "{'echotest':'event','videocodec':'vp9','spatial_layer':1,'temporal_layer':2,"
                "'tot_spatial_layers':3,'tot_temporal_layers':3}",
                SL_JSEP_NONE);
    mock_layer(h, 2, &low);     /* no such line */
    mock_layer(h, 65535, &low); /* far outside */
    mock_expect_nothing(h);
    mock_send(h, "{'substream':1}", NULL);
    mock_expect(h, 0, "{'echotest':'event','substream':1}", SL_JSEP_NONE);
    mock_skip(h);
    mock_request(h, "{'substream':2}", NULL, OK, SL_JSEP_NONE);
}

static void bad_requests_get_their_error(void **state)
{
    static const struct {
        const char *body, *text;
    } v[] = {
        { "{}", "Message error: no supported attributes found" },
        { "{'request':'x','audio':null}", "Message error: no supported attributes found" },
        { "{'audio':1}", "Invalid element type (audio should be a boolean)" },
        { "{'video':'yes'}", "Invalid element type (video should be a boolean)" },
        { "{'bitrate':-1}", "Invalid element type (bitrate should be a positive integer)" },
        { "{'bitrate':1.0}", "Invalid element type (bitrate should be a positive integer)" },
        { "{'substream':3}", "Invalid value (substream should be 0, 1 or 2)" },
        { "{'temporal':3}", "Invalid value (temporal should be 0, 1 or 2)" },
        { "{'spatial_layer':3}", "Invalid value (spatial_layer should be 0, 1 or 2)" },
        { "{'temporal_layer':9}", "Invalid value (temporal_layer should be 0, 1 or 2)" },
        { "{'fallback':'x'}", "Invalid element type (fallback should be a positive integer)" },
        { "{'svc':0}", "Invalid element type (svc should be a boolean)" },
        { "{'audiocodec':5}", "Invalid element type (audiocodec should be a string)" },
        { "{'videocodec':'opus'}", "Invalid value (videocodec is no codec that the server knows)" },
        { "{'videoprofile':'0123456789abcdef'}", "Invalid value (videoprofile is too long)" },
        { "{'opusred':1}", "Invalid element type (opusred should be a boolean)" },
        { "{'min_delay':'1'}", "Invalid element type (min_delay should be an integer)" },
        { "{'max_delay':'1'}", "Invalid element type (max_delay should be an integer)" },
        { "{'record':true}", "Invalid value (record: recording is not available)" },
        { "{'record':1}", "Invalid element type (record should be a boolean)" },
        { "{'filename':'x'}", "Invalid value (filename: recording is not available)" },
    };
    const sl_hid h = mock_attach();
    char want[256];

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        snprintf(want, sizeof(want), "{'echotest':'event','error_code':413,'error':'%s'}",
                 v[i].text);
        mock_request(h, v[i].body, NULL, want, SL_JSEP_NONE);
    }
    mock_request(h, "{'record':false}", NULL, OK, SL_JSEP_NONE);
    mock_request(h, "{}", &(struct sl_jsep_in){ .type = SL_JSEP_ANSWER },
                 "{'echotest':'event','error_code':414,"
                 "'error':'Error parsing answer: EchoTest takes offers only'}",
                 SL_JSEP_NONE);
}

static void slow_links_of_the_client_are_told(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'bitrate':128000}", MOCK_OFFER("video 0 vp8"), OK, SL_JSEP_ANSWER);
    mock_slow_link(h, 0, true, 9);
    mock_expect_nothing(h);
    mock_slow_link(h, 0, false, 9);
    mock_expect(h, 0,
                "{'echotest':'event','event':'slow_link','media':'video','current-bitrate':128000}",
                SL_JSEP_NONE);
}

static void done_ends_the_connection_and_the_next_starts_afresh(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{'audio':false}", MOCK_OFFER("audio 0 opus"), OK, SL_JSEP_ANSWER);
    mock_up(h);
    mock_down(h, "DTLS alert");
    mock_expect(h, 0, DONE, SL_JSEP_NONE);
    mock_expect_hangup(h, "DTLS alert");
    mock_request(h, "{}", MOCK_OFFER("audio 0 opus"), OK, SL_JSEP_ANSWER);
    assert_false(mock_route(h, 0)->paused);
}

static void renegotiation_takes_routes_away_and_adds_them(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_request(h, "{}", MOCK_OFFER("audio 0 opus", "video 1 vp8"), OK, SL_JSEP_ANSWER);
    mock_request(h, "{}", MOCK_OFFER("audio 0 opus", "video 1 vp8 inactive", "video 2 vp9"), OK,
                 SL_JSEP_ANSWER);
    assert_true(mock_route(h, 0)->active);
    assert_false(mock_route(h, 1)->active);
    assert_true(mock_route(h, 2)->active);
}

static void tells_the_administrator(void **state)
{
    const sl_hid h = mock_attach();

    (void)state;
    mock_admin("{'x':1}", "{'x':1}");
    mock_request(h, "{'bitrate':1}", mock_e2ee(MOCK_OFFER("audio 0 opus", "video 1 vp8 sim")), OK,
                 SL_JSEP_ANSWER);
    assert_true(mock_is_e2ee(h));
    mock_query(h, "{'audio_active':true,'video_active':true,'bitrate':1,'slowlink_count':0,"
                  "'e2ee':true,'hangingup':0,'destroyed':0,'audio_codec':'opus','audio_red':false,"
                  "'video_codec':'vp8','simulcast':true,'substream':-1,'substream-target':2,"
                  "'temporal-layer':-1,'temporal-layer-target':2,'fallback':250000}");
    mock_request(h, "{'spatial_layer':1,'temporal_layer':0}", MOCK_OFFER("video 1 vp9 svc=L3T3"),
                 OK, SL_JSEP_ANSWER);
    mock_query(h, "{'audio_active':true,'video_active':true,'bitrate':1,'slowlink_count':0,"
                  "'e2ee':false,'hangingup':0,'destroyed':0,'video_codec':'vp9','svc':true,"
                  "'spatial-layer':-1,'target-spatial-layer':1,'temporal-layer':-1,"
                  "'target-temporal-layer':0}");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(answers_each_line_with_one_codec_and_sends_it_back),
        T(text_comes_back_behind_a_prefix_and_binary_as_it_is),
        T(answers_wait_for_room_and_the_client_with_them),
        T(takes_the_codecs_and_profiles_that_are_asked_for),
        T(a_codec_that_was_not_offered_leaves_the_line_inactive),
        T(gates_bitrate_and_layers_follow_requests),
        T(layer_changes_are_told_and_standing_ones_confirmed),
        T(bad_requests_get_their_error),
        T(slow_links_of_the_client_are_told),
        T(done_ends_the_connection_and_the_next_starts_afresh),
        T(renegotiation_takes_routes_away_and_adds_them),
        T(tells_the_administrator),
    };

    return cmocka_run_group_tests_name("echotest", tests, NULL, NULL);
}
