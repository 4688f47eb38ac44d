#include "sdp_util.h"
#include "sdp/sdp_codec.h"

static struct sl_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = sl_arena_create();
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sl_arena_destroy(arena);
    return 0;
}

static const struct sl_sdp_section *section(const char *lines)
{
    const char *text = sl_arena_printf(arena, "v=0\no=- 1 2 IN IP4 1.1.1.1\ns=-\n%s", lines);
    char err[SL_SDP_ERROR_MAX] = "";
    struct sl_sdp *sdp;

    if (sl_sdp_parse(arena, text, strlen(text), 0, &sdp, err))
        fail_msg("%s", err);
    return &sdp->media[0];
}

static void knows_codecs_by_name_rate_and_channels(void **state)
{
    static const struct {
        const char *line;
        enum sl_kind kind;
        uint8_t pt;
        enum sl_codec codec;
    } v[] = {
        { "a=rtpmap:111 OPUS/48000/2\n", SL_KIND_AUDIO, 111, SL_CODEC_OPUS },
        { "a=rtpmap:111 opus/48000\n", SL_KIND_AUDIO, 111, SL_CODEC_NONE },
        { "a=rtpmap:111 opus/48000/2\n", SL_KIND_VIDEO, 111, SL_CODEC_NONE },
        { "a=rtpmap:97 multiopus/48000/6\n", SL_KIND_AUDIO, 97, SL_CODEC_MULTIOPUS },
        { "a=rtpmap:97 multiopus/48000/2\n", SL_KIND_AUDIO, 97, SL_CODEC_NONE },
        { "a=rtpmap:63 red/48000/2\n", SL_KIND_AUDIO, 63, SL_CODEC_RED },
        { "a=rtpmap:118 red/90000\n", SL_KIND_VIDEO, 118, SL_CODEC_NONE },
        { "a=rtpmap:9 G722/8000/1\n", SL_KIND_AUDIO, 9, SL_CODEC_G722 },
        { "", SL_KIND_AUDIO, 0, SL_CODEC_PCMU },
        { "", SL_KIND_AUDIO, 8, SL_CODEC_PCMA },
        { "", SL_KIND_VIDEO, 8, SL_CODEC_NONE },
        { "", SL_KIND_AUDIO, 13, SL_CODEC_NONE },
        { "a=rtpmap:0 L16/16000\n", SL_KIND_AUDIO, 0, SL_CODEC_L16 },
        { "a=rtpmap:97 L16/48000\n", SL_KIND_AUDIO, 97, SL_CODEC_L16_48 },
        { "a=rtpmap:97 L16/44100\n", SL_KIND_AUDIO, 97, SL_CODEC_NONE },
        { "a=rtpmap:97 ISAC/32000\n", SL_KIND_AUDIO, 97, SL_CODEC_ISAC32 },
        { "a=rtpmap:97 vp8/90000\n", SL_KIND_VIDEO, 97, SL_CODEC_VP8 },
        { "a=rtpmap:97 H265/90000\n", SL_KIND_VIDEO, 97, SL_CODEC_H265 },
        { "a=rtpmap:97 AV1/90000\n", SL_KIND_VIDEO, 97, SL_CODEC_AV1 },
        { "a=rtpmap:97 rtx/90000\n", SL_KIND_VIDEO, 97, SL_CODEC_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        const char *text = sl_arena_printf(arena, "m=x 9 X %u\n%s", v[i].pt, v[i].line);

        assert_int_equal(sl_sdp_codec_of(section(text), v[i].kind, v[i].pt), v[i].codec);
    }
}

/* RFC 6184 section 8.2.2 and table 5 */
static void compares_streams_by_profile(void **state)
{
    static const struct {
        enum sl_codec codec;
        const char *a, *b;
        bool same;
    } v[] = {
        { SL_CODEC_H264, "profile-level-id=42e01f", "profile-level-id=42E034", true },
        { SL_CODEC_H264, "profile-level-id=42e01f", "profile-level-id=42001f", false },
        { SL_CODEC_H264, "profile-level-id=42c01f", "profile-level-id=42e01f", true },
        { SL_CODEC_H264, "profile-level-id=42e01f", "profile-level-id=4d801f", true },
        { SL_CODEC_H264, "profile-level-id=42e01f", "profile-level-id=58c01f", true },
        { SL_CODEC_H264, "profile-level-id=42001f", "profile-level-id=58801f", true },
        { SL_CODEC_H264, "profile-level-id=4d001f", "profile-level-id=4d401f", true },
        { SL_CODEC_H264, "profile-level-id=64001f", "profile-level-id=640c1f", false },
        { SL_CODEC_H264, "profile-level-id=64001f", "profile-level-id=4d001f", false },
        { SL_CODEC_H264, "profile-level-id=990001", "profile-level-id=99001f", true },
        { SL_CODEC_H264, "profile-level-id=990001", "profile-level-id=99011f", false },
        { SL_CODEC_H264, "", "profile-level-id=42001f", true },
        { SL_CODEC_H264, "", "packetization-mode=0", true },
        { SL_CODEC_H264, "packetization-mode=1", "packetization-mode=0", false },
        { SL_CODEC_H264, "packetization-mode=1; profile-level-id=42e01f",
          "profile-level-id=42e01f;packetization-mode=1", true },
        { SL_CODEC_VP9, "", "profile-id=0", true },
        { SL_CODEC_VP9, "profile-id=2", "profile-id=0", false },
        { SL_CODEC_AV1, "", "level-idx=5;profile=0;tier=0", true },
        { SL_CODEC_AV1, "profile=1", "", false },
        { SL_CODEC_H265, "profile-id=2", "", false },
        { SL_CODEC_VP8, "max-fs=12288", "", true },
        { SL_CODEC_OPUS, "stereo=1", "", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        if (sl_sdp_codec_is_compatible(v[i].codec, v[i].a, v[i].b) != v[i].same ||
            sl_sdp_codec_is_compatible(v[i].codec, v[i].b, v[i].a) != v[i].same)
            fail_msg("\"%s\" and \"%s\"", v[i].a, v[i].b);
    }
}

static void reads_one_parameter(void **state)
{
    char out[8], profile[16];

    (void)state;
    assert_true(sl_sdp_fmtp_value("a=1; B=22 ;c=", "b", out, sizeof(out)));
    assert_string_equal(out, "22");
    assert_true(sl_sdp_fmtp_value("a=1; b=2;c=", "c", out, sizeof(out)));
    assert_string_equal(out, "");
    assert_false(sl_sdp_fmtp_value("ab=1", "b", out, sizeof(out)));
    assert_false(sl_sdp_fmtp_value("b", "b", out, sizeof(out)));
    assert_false(sl_sdp_fmtp_value("b=12345678", "b", out, sizeof(out)));
    assert_false(sl_sdp_fmtp_value(";; ;", "b", out, sizeof(out)));
    sl_sdp_codec_profile(SL_CODEC_H264, "profile-level-id=42E01F", profile);
    assert_string_equal(profile, "42e01f");
    sl_sdp_codec_profile(SL_CODEC_VP9, "profile-id=2", profile);
    assert_string_equal(profile, "2");
    sl_sdp_codec_profile(SL_CODEC_VP9, "", profile);
    assert_string_equal(profile, "");
    sl_sdp_codec_profile(SL_CODEC_AV1, "profile=1", profile);
    assert_string_equal(profile, "");
}

static void finds_retransmission_and_red(void **state)
{
    const struct sl_sdp_section *s =
        section("m=x 9 X 96 97 98 99 111 63 64\na=rtpmap:97 RTX/90000\na=fmtp:97 apt=98\n"
                "a=rtpmap:99 rtx/90000\na=fmtp:99 rtx-time=3000;apt=96\na=fmtp:96 apt=1\n"
                "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 110/110\n"
                "a=rtpmap:64 red/48000/2\na=fmtp:64 111/111\na=rtpmap:100 rtx/90000\n"
                "a=fmtp:100 apt=111\n");

    (void)state;
    assert_int_equal(sl_sdp_rtx_of(s, 96), 99);
    assert_int_equal(sl_sdp_rtx_of(s, 98), 97);
    assert_int_equal(sl_sdp_rtx_of(s, 1), SL_PT_NONE);   /* 96 is not RTX */
    assert_int_equal(sl_sdp_rtx_of(s, 111), SL_PT_NONE); /* 100 is not on the m-line */
    assert_int_equal(sl_sdp_red_of(s, 111), 64);
    assert_int_equal(sl_sdp_red_of(s, 96), SL_PT_NONE);
}

static void knows_extensions_both_ways(void **state)
{
    bool taken[16] = { 0 };

    (void)state;
    for (int e = 0; e < SL_EXT_MAX; e++) {
        uint8_t id = sl_sdp_ext_default_id((enum sl_ext)e);

        assert_int_equal(sl_sdp_ext_from_uri(sl_sdp_ext_uri((enum sl_ext)e)), e);
        assert_true(id >= 1 && id <= 14 && !taken[id]);
        taken[id] = true;
    }
    assert_int_equal(sl_sdp_ext_from_uri("urn:x"), SL_EXT_MAX);
    assert_false(sl_sdp_ext_offerable(SL_KIND_VIDEO) & SL_EXT_BIT(SL_EXT_RID));
    assert_false(sl_sdp_ext_offerable(SL_KIND_VIDEO) & SL_EXT_BIT(SL_EXT_AUDIO_LEVEL));
    assert_true(sl_sdp_ext_offerable(SL_KIND_AUDIO) & SL_EXT_BIT(SL_EXT_TWCC));
    assert_int_equal(sl_sdp_ext_offerable(SL_KIND_DATA), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(knows_codecs_by_name_rate_and_channels),
        TEST(compares_streams_by_profile),
        TEST(reads_one_parameter),
        TEST(finds_retransmission_and_red),
        TEST(knows_extensions_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
