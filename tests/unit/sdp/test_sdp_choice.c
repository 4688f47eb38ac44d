/* Offers of ours that leave the codec to the peer. */
#include "jsep_util.h"

static const struct sl_mcodec audio[] = {
    { SL_CODEC_OPUS, 0, "minptime=10;useinbandfec=1", "" },
    { SL_CODEC_PCMU, 0, "", "" },
};
static const struct sl_mcodec video[] = {
    { SL_CODEC_VP8, 0, "", "" },
    { SL_CODEC_H264, 0, "packetization-mode=1;profile-level-id=42e01f", "42e01f" },
    { SL_CODEC_H264, 0, "packetization-mode=1;profile-level-id=640c1f", "640c1f" },
    { SL_CODEC_VP8, 0, "", "" }, /* twice: offered once */
};

static struct sl_mline wishes[2];

static void offered(void) SL_ON_CONTROL
{
    wishes[0] = wish(SL_KIND_AUDIO, SL_DIR_SENDRECV, audio, EXT(MID));
    wishes[1] = wish(SL_KIND_VIDEO, SL_DIR_SENDRECV, video, EXT(MID));
    wishes[0].ncodecs = 2;
    wishes[0].red = true;
    wishes[1].ncodecs = 4;
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, wishes, 2), 0);
}

/* The peer's answer with these formats in its m-lines. */
static const char *answer(const char *a, const char *v) SL_ON_CONTROL
{
    const char *text = replaced_all(local_text(), "a=setup:actpass", "a=setup:active");

    text = replaced(text, "UDP/TLS/RTP/SAVPF 120 111 0\r\n",
                    sl_arena_printf(arena, "UDP/TLS/RTP/SAVPF %s\r\n", a));
    text = replaced(text, "UDP/TLS/RTP/SAVPF 96 97 107 108 112 113\r\n",
                    sl_arena_printf(arena, "UDP/TLS/RTP/SAVPF %s\r\n", v));
    text = replaced_all(text, "cname:sluice", "cname:other");
    return replaced(text, "a=ice-lite\r\n", "");
}

static void offers_all_codecs_with_numbers_of_their_own(void **state)
{
    const char *text;

    (void)state;
    SL_ASSUME(control);
    offered();
    text = local_text();
    assert_non_null(strstr(text, "m=audio 9 UDP/TLS/RTP/SAVPF 120 111 0\r\n"));
    assert_non_null(strstr(text, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 107 108 112 113\r\n"));
    assert_non_null(strstr(text, "a=rtpmap:107 H264/90000\r\n"));
    assert_non_null(strstr(text, "a=fmtp:112 packetization-mode=1;profile-level-id=640c1f\r\n"));
    assert_non_null(strstr(text, "a=fmtp:113 apt=112\r\n"));
    assert_non_null(strstr(text, "a=rtcp-fb:112 nack pli\r\n"));
    assert_non_null(strstr(text, "a=rtcp-fb:96 nack pli\r\n"));
}

static void takes_what_the_peer_lists_first(void **state)
{
    static const struct {
        const char *audio, *video;
        enum sl_codec want_audio, want_video;
        const char *profile;
        uint8_t pt, rtx, red;
    } v[] = {
        { "120 111 0", "96 97 107 108 112 113", SL_CODEC_OPUS, SL_CODEC_VP8, "", 96, 97, 120 },
        { "0 111", "107 108", SL_CODEC_PCMU, SL_CODEC_H264, "42e01f", 107, 108, SL_PT_NONE },
        { "111 0", "112 113 96 97", SL_CODEC_OPUS, SL_CODEC_H264, "640c1f", 112, 113, SL_PT_NONE },
        { "111", "112", SL_CODEC_OPUS, SL_CODEC_H264, "640c1f", 112, SL_PT_NONE, SL_PT_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct sl_media *m;

        SL_ASSUME(control);
        jsep_teardown(NULL);
        jsep_setup(NULL);
        offered();
        remote_ok(SL_JSEP_ANSWER, answer(v[i].audio, v[i].video));
        assert_int_equal(remote.lines[0].ncodecs, 1);
        assert_int_equal(remote.lines[0].codecs[0].codec, v[i].want_audio);
        assert_int_equal(remote.lines[1].codecs[0].codec, v[i].want_video);
        assert_string_equal(remote.lines[1].codecs[0].profile, v[i].profile);
        m = sl_jsep_media(jsep);
        assert_int_equal(m->line[1].pt, v[i].pt);
        assert_int_equal(m->line[1].rtx_pt, v[i].rtx);
        assert_int_equal(m->line[0].red_pt, v[i].red);
        free(m);
    }
}

static void finds_the_codec_under_another_number(void **state)
{
    const char *text;

    (void)state;
    SL_ASSUME(control);
    offered();
    text = answer("111", "99");
    text = replaced(text, "a=rtpmap:107 H264", "a=rtpmap:99 H264");
    text = replaced(text, "a=fmtp:107 ", "a=fmtp:99 ");
    remote_ok(SL_JSEP_ANSWER, text);
    assert_int_equal(remote.lines[1].codecs[0].codec, SL_CODEC_H264);
    assert_string_equal(remote.lines[1].codecs[0].profile, "42e01f");
    assert_int_equal(remote.lines[1].codecs[0].pt, 99);
}

static void refuses_codecs_of_another_kind(void **state)
{
    const struct sl_mcodec mixed[] = { audio[0], video[0] };
    struct sl_mline l = wish(SL_KIND_AUDIO, SL_DIR_SENDRECV, mixed, 0);

    (void)state;
    SL_ASSUME(control);
    l.ncodecs = 2;
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, &l, 1), -EINVAL);
    assert_false(sl_jsep_awaits_answer(jsep));
}

/* What was agreed on keeps its number when the same codecs are offered again. */
static void keeps_numbers_over_rounds(void **state)
{
    (void)state;
    SL_ASSUME(control);
    offered();
    remote_ok(SL_JSEP_ANSWER, answer("111 0", "107 108"));
    offered();
    assert_non_null(strstr(local_text(), "m=audio 9 UDP/TLS/RTP/SAVPF 120 111 0\r\n"));
    assert_non_null(strstr(local_text(), "m=video 9 UDP/TLS/RTP/SAVPF 96 97 107 108 112 113\r\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jsep_setup, jsep_teardown)
    const struct CMUnitTest tests[] = {
        TEST(offers_all_codecs_with_numbers_of_their_own),
        TEST(takes_what_the_peer_lists_first),
        TEST(finds_the_codec_under_another_number),
        TEST(refuses_codecs_of_another_kind),
        TEST(keeps_numbers_over_rounds),
    };

    sl_role_enter(&sl_role_control);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
