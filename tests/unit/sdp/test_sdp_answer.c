#include "jsep_util.h"

#define ECHO_EXTS                                                                                  \
    (EXT(AUDIO_LEVEL) | EXT(ABS_SEND_TIME) | EXT(TWCC) | EXT(MID) | EXT(RID) | EXT(RRID) |         \
     EXT(PLAYOUT_DELAY) | EXT(VIDEO_ORIENTATION) | EXT(TOFFSET) | EXT(DEPENDENCY_DESCRIPTOR))
#define PUB_EXTS                                                                                   \
    (EXT(AUDIO_LEVEL) | EXT(TWCC) | EXT(MID) | EXT(RID) | EXT(RRID) | EXT(PLAYOUT_DELAY) |         \
     EXT(VIDEO_ORIENTATION))

/* Echo: everything back, first codec of each line. */
static void answer_all(void) SL_ON_CONTROL
{
    for (size_t i = 0; i < remote.nlines; i++) {
        remote.lines[i].exts &= ECHO_EXTS;
        remote.lines[i].red = false;
        remote.lines[i].stream[0] = remote.lines[i].track[0] = '\0';
    }
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, remote.nlines), 0);
}

/* A publisher's: we only receive. */
static void answer_publisher(enum sl_codec video, const char *profile, bool red) SL_ON_CONTROL
{
    for (size_t i = 0; i < remote.nlines; i++) {
        struct sl_mline *l = &remote.lines[i];

        l->exts &= PUB_EXTS;
        l->dir &= SL_DIR_RECV;
        l->red = red;
        strcpy(l->stream, "1234");
        strcpy(l->track, l->mid);
        if (l->kind == SL_KIND_VIDEO && !l->rejected)
            l->codecs = offered_codec(l, video, profile);
    }
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, remote.nlines), 0);
}

static void tells_plugins_what_chromium_offers(void **state)
{
    const struct sl_mline *v;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    assert_false(remote.update);
    assert_false(remote.restart);
    assert_string_equal(remote.ufrag, "YckO");
    assert_string_equal(remote.pwd, "eoZhIK0HCCYpXYbSfrbstPiV");
    assert_string_equal(remote.hash, "sha-256");
    assert_memory_equal(remote.fingerprint, "E8:80:5F", 8);
    assert_int_equal(remote.setup, SL_SETUP_ACTPASS);
    assert_int_equal(remote.ncandidates, 8);
    assert_memory_equal(remote.candidates[0], "560124692 1 udp", 15);
    assert_false(remote.end_of_candidates);
    assert_true(remote.trickle);
    assert_string_equal(remote.mid, "0");
    assert_int_equal(remote.nlines, 3);
    assert_int_equal(remote.lines[0].kind, SL_KIND_AUDIO);
    assert_int_equal(remote.lines[0].dir, SL_DIR_SENDRECV);
    assert_int_equal(remote.lines[0].ncodecs, 4); /* opus, G722, PCMU, PCMA */
    assert_int_equal(remote.lines[0].codecs[1].codec, SL_CODEC_G722);
    assert_string_equal(remote.lines[0].codecs[0].fmtp, "minptime=10;useinbandfec=1");
    assert_true(remote.lines[0].red);
    assert_int_equal(remote.lines[0].ext_id[SL_EXT_AUDIO_LEVEL], 1);
    v = &remote.lines[1];
    assert_int_equal(v->ncodecs, 10); /* VP8, 6 H.264, AV1, 2 VP9 */
    assert_int_equal(v->codecs[0].codec, SL_CODEC_VP8);
    assert_string_equal(v->codecs[1].profile, "42001f");
    assert_int_equal(offered_codec(v, SL_CODEC_VP9, "2")->pt, 100);
    assert_int_equal(v->nlayers, 3);
    assert_false(v->red);
    assert_int_equal(v->ext_id[SL_EXT_DEPENDENCY_DESCRIPTOR], 12);
    assert_string_equal(v->track, "607d3d19-95d6-49ff-8d4a-66909075989a");
    assert_int_equal(remote.lines[2].kind, SL_KIND_DATA);
    assert_int_equal(remote.lines[2].ncodecs, 0);
    assert_true(sl_jsep_owes_answer(jsep));
    assert_false(sl_jsep_is_negotiated(jsep));
}

static void answers_chromium_like_an_echo(void **state)
{
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    answer_all();
    assert_true(sl_jsep_is_negotiated(jsep));
    assert_false(sl_jsep_owes_answer(jsep));
    assert_false(sl_jsep_is_dtls_client(jsep));
    local_is("chromium_echo_answer.sdp");
    m = sl_jsep_media(jsep);
    assert_non_null(m);
    assert_int_equal(m->n, 3);
    assert_int_equal(m->line[0].codec, SL_CODEC_OPUS);
    assert_int_equal(m->line[0].clock_rate, 48000);
    assert_int_equal(m->line[0].channels, 2);
    assert_int_equal(m->line[0].ssrc[0], 2010559287);
    assert_int_equal(m->line[0].rtx_pt, SL_PT_NONE);
    assert_false(m->line[0].nack);
    assert_true(m->line[0].twcc);
    assert_int_equal(m->line[1].pt, 96);
    assert_int_equal(m->line[1].rtx_pt, 97);
    assert_true(m->line[1].nack && m->line[1].pli && m->line[1].fir && m->line[1].remb);
    assert_int_equal(m->line[1].nlayers, 3);
    assert_string_equal(m->line[1].rid[0], "l");
    assert_string_equal(m->line[1].rid[2], "h");
    assert_int_equal(m->line[1].ssrc[0], 0);
    assert_int_equal(m->line[1].npairs, 0);
    assert_true(m->line[1].ext_mixed);
    assert_int_equal(m->line[1].ext[SL_EXT_RID], 10);
    assert_int_equal(m->line[1].ext[SL_EXT_COLOR_SPACE], 0);
    assert_true(m->line[1].tx_ssrc && m->line[1].tx_rtx_ssrc);
    assert_int_equal(m->line[2].kind, SL_KIND_DATA);
    assert_int_equal(m->line[2].sctp_port, 5000);
    assert_int_equal(m->line[2].sctp_message_max, 262144);
    free(m);
}

static void answers_chromium_like_a_publisher(void **state)
{
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    remote.lines[1].max_bitrate = 1500000;
    remote.lines[2].rejected = true;
    answer_publisher(SL_CODEC_H264, "42e01f", true);
    local_is("chromium_publisher_answer.sdp");
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[0].dir, SL_DIR_RECV);
    assert_int_equal(m->line[0].red_pt, 63);
    assert_int_equal(m->line[1].pt, 108);
    assert_int_equal(m->line[1].tx_rtx_ssrc, 0);
    assert_int_equal(m->line[2].dir, SL_DIR_INACTIVE);
    free(m);
}

static void answers_firefox_like_a_publisher(void **state)
{
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("firefox_offer.sdp"));
    assert_true(remote.end_of_candidates);
    assert_memory_equal(remote.fingerprint, "57:25:D4", 8); /* of the session level */
    assert_false(remote.lines[1].rejected);                 /* port 0 and bundle-only */
    answer_publisher(SL_CODEC_VP8, NULL, false);
    local_is("firefox_publisher_answer.sdp");
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[0].pt, 109);
    assert_int_equal(m->line[0].ssrc[0], 649618973);
    assert_string_equal(m->line[1].rid[0], "l");
    assert_int_equal(m->line[1].ssrc[0], 0);
    assert_int_equal(m->line[1].npairs, 3);
    assert_int_equal(m->line[1].pair[1].ssrc, 4104167992);
    assert_int_equal(m->line[1].pair[1].rtx_ssrc, 836434911);
    assert_int_equal(m->line[2].sctp_message_max, 1073741823);
    free(m);
}

static void takes_rids_from_low_to_high(void **state)
{
    const char *text = golden("chromium_offer.sdp");
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    assert_int_equal(
        sl_jsep_set_remote(jsep, arena, SL_JSEP_OFFER, text, strlen(text), true, &remote), 0);
    answer_all();
    m = sl_jsep_media(jsep);
    assert_string_equal(m->line[1].rid[0], "h");
    assert_string_equal(m->line[1].rid[2], "l");
    free(m);
    assert_non_null(strstr(local_text(), "a=simulcast:recv h;m;l\r\n"));
}

static void takes_no_simulcast_without_the_rid_extension(void **state)
{
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    remote.lines[1].exts &= ~EXT(RID);
    answer_all();
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[1].nlayers, 0);
    free(m);
    assert_null(strstr(local_text(), "a=simulcast"));
    assert_null(strstr(local_text(), "a=rid"));
}

static void knows_layers_by_ssrc(void **state)
{
    const char *text = golden("firefox_offer.sdp");
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    text = replaced(text, "a=simulcast:send h;m;l\r\n",
                    "a=ssrc-group:SIM 729207988 4104167992 1183178622\r\n");
    text = replaced_all(text, "a=rid:", "a=x-rid:");
    remote_ok(SL_JSEP_OFFER, text);
    assert_int_equal(remote.lines[1].nlayers, 3);
    answer_all();
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[1].nlayers, 3);
    assert_int_equal(m->line[1].ssrc[0], 729207988);
    assert_int_equal(m->line[1].rtx_ssrc[2], 1850709334);
    assert_string_equal(m->line[1].rid[0], "");
    free(m);
}

static void answers_only_what_is_on_the_line(void **state)
{
    const char *text;

    (void)state;
    SL_ASSUME(control);
    /* transport-cc in the feedback without the extension that carries its numbers */
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    for (size_t i = 0; i < 2; i++)
        remote.lines[i].exts &= ~EXT(TWCC);
    answer_all();
    assert_null(strstr(local_text(), "transport-cc"));
    /* NACK for audio is not offered but taken */
    text = replaced(golden("chromium_offer.sdp"), "a=rtcp-fb:111 transport-cc\r\n",
                    "a=rtcp-fb:111 nack\r\n");
    text = replaced(text, "a=rtcp-rsize\r\n", "");
    remote_ok(SL_JSEP_OFFER, text);
    answer_all();
    assert_non_null(strstr(local_text(), "a=rtcp-fb:111 nack\r\n"));
    assert_null(strstr(local_text(), "a=rtcp-fb:111 transport-cc"));
}

static void takes_rfc_8888_where_there_is_no_transport_cc(void **state)
{
    const char *both = replaced_all(golden("chromium_offer.sdp"), "a=rtcp-rsize\r\n",
                                    "a=rtcp-rsize\r\na=rtcp-fb:* ack ccfb\r\n");
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, both);
    answer_all();
    assert_null(strstr(local_text(), "ccfb"));
    m = sl_jsep_media(jsep);
    assert_true(m->line[0].twcc && !m->line[0].ccfb);
    free(m);
    remote_ok(SL_JSEP_OFFER, replaced_all(both, " transport-cc\r\n", " x\r\n"));
    answer_all();
    assert_null(strstr(local_text(), "a=rtcp-fb:111 transport-cc"));
    assert_non_null(strstr(local_text(), "a=rtcp-fb:111 ack ccfb\r\n"));
    m = sl_jsep_media(jsep);
    for (size_t i = 0; i < 2; i++)
        assert_true(!m->line[i].twcc && m->line[i].ccfb);
    free(m);
}

static void refuses_what_it_cannot_do(void **state)
{
    const char *text = golden("chromium_offer.sdp");

    (void)state;
    SL_ASSUME(control);
    text = sl_arena_printf(arena, "%s%s", replaced(text, "BUNDLE 0 1 2", "BUNDLE 0 1 2 3 4 5"),
                           "m=application 9 DTLS/SCTP 5000\r\na=mid:3\r\na=sctpmap:5000 x 9\r\n"
                           "m=text 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:4\r\n"
                           "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:5\r\na=rtpmap:111 opus/48000/2"
                           "\r\n"
                           "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:6\r\na=rtpmap:111 opus/48000/2"
                           "\r\n");
    remote_ok(SL_JSEP_OFFER, text);
    assert_false(remote.lines[2].rejected);
    for (size_t i = 3; i < 7; i++) {
        assert_true(remote.lines[i].rejected);
        assert_int_equal(remote.lines[i].dir, SL_DIR_INACTIVE);
        assert_int_equal(remote.lines[i].ncodecs, 0);
    }
    answer_all();
    text = local_text();
    assert_non_null(strstr(text, "a=group:BUNDLE 0 1 2\r\n"));
    assert_non_null(strstr(text, "m=application 0 DTLS/SCTP 5000\r\nc=IN IP4 198.51.100.7\r\n"
                                 "a=inactive\r\na=mid:3\r\n"));
    assert_non_null(strstr(text, "m=text 0 UDP/TLS/RTP/SAVPF 0\r\n"));
}

static void answers_the_older_data_channel_form(void **state)
{
    static const char old[] = "m=application 9 DTLS/SCTP 5000\r\na=mid:2\r\n"
                              "a=sctpmap:5000 webrtc-datachannel 1024\r\n";
    const char *text = golden("chromium_offer.sdp");
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    text = sl_arena_printf(arena, "%.*s%s", (int)(strstr(text, "m=application") - text), text, old);
    remote_ok(SL_JSEP_OFFER, text);
    answer_all();
    assert_non_null(strstr(local_text(), "m=application 9 DTLS/SCTP 5000\r\n"));
    assert_non_null(strstr(local_text(), "a=sctpmap:5000 webrtc-datachannel 1024\r\n"));
    assert_null(strstr(local_text(), "a=sctp-port"));
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[2].sctp_port, 5000);
    assert_int_equal(m->line[2].sctp_message_max, 65536);
    free(m);
}

static void refuses_a_transport_of_its_own(void **state)
{
    const char *text = golden("chromium_offer.sdp");

    (void)state;
    SL_ASSUME(control);
    text = replaced(text, "a=group:BUNDLE 0 1 2\r\n", "");
    remote_ok(SL_JSEP_OFFER, text);
    assert_false(remote.lines[1].rejected); /* the same credentials */
    text = replaced(text, "a=ice-ufrag:YckO\r\n", "a=ice-ufrag:first\r\n");
    remote_ok(SL_JSEP_OFFER, text);
    assert_false(remote.lines[0].rejected);
    assert_true(remote.lines[1].rejected);
    answer_all();
    assert_null(strstr(local_text(), "BUNDLE"));
}

static void keeps_an_inactive_line(void **state)
{
    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    remote.lines[1].dir = SL_DIR_INACTIVE;
    remote.lines[1].ncodecs = 0;
    answer_all();
    assert_non_null(strstr(local_text(), "a=group:BUNDLE 0 1 2\r\n"));
    assert_non_null(strstr(local_text(), "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"));
    assert_null(strstr(local_text(), "janus1"));
}

static void refuses_an_answer_that_does_not_fit(void **state)
{
    static const struct sl_mcodec g711 = { SL_CODEC_PCMU, 0, "", "" },
                                  h265 = { SL_CODEC_H265, 96, "", "" },
                                  h264_high = { SL_CODEC_H264, 1, "profile-level-id=64001f", "" },
                                  evil = { SL_CODEC_VP8, 96, "a\r\na=x", "" };
    struct sl_mline good[3], lines[3];

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER,
              replaced(golden("chromium_offer.sdp"), "a=sendrecv\r\n", "a=sendonly\r\n"));
    memcpy(good, remote.lines, sizeof(good));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, good, 2), -EINVAL);
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        memcpy(lines, good, sizeof(lines));                                                        \
        change;                                                                                    \
        assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, lines, 3), -EINVAL);              \
    } while (0)
    REFUSED(lines[0].dir = SL_DIR_SENDRECV);
    REFUSED(lines[0].kind = SL_KIND_VIDEO);
    REFUSED(lines[1].codecs = &h265);
    REFUSED(lines[1].codecs = &g711);
    REFUSED(lines[1].codecs = &h264_high);
    REFUSED(lines[1].codecs = &evil);
    REFUSED(lines[1].ncodecs = 0);
    REFUSED(strcpy(lines[0].track, "a b"));
    assert_false(sl_jsep_is_negotiated(jsep));
    assert_true(sl_jsep_owes_answer(jsep));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, good, 3), 0);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, good, 3), -EINVAL);
}

static void finds_a_codec_by_its_profile(void **state)
{
    /* Constrained Baseline written in another way, another level, no payload type */
    struct sl_mcodec c = { SL_CODEC_H264, SL_PT_NONE,
                           "packetization-mode=1;profile-level-id=4d801e", "" };

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    remote.lines[1].codecs = &c;
    answer_all();
    assert_non_null(strstr(local_text(), "m=video 9 UDP/TLS/RTP/SAVPF 108 109\r\n"));
}

static void tells_why_an_offer_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *error;
    } v[] = {
        { "v=0", "x=0", "Invalid SDP (doesn't start with v=)" },
        { "a=ice-ufrag:YckO\r\n", "", "Error processing SDP (no usable ICE ufrag and pwd)" },
        { "a=ice-ufrag:YckO\r\n", "a=ice-ufrag:abc\r\n",
          "Error processing SDP (no usable ICE ufrag and pwd)" },
        { "a=ice-pwd:eoZhIK0HCCYpXYbSfrbstPiV\r\n", "",
          "Error processing SDP (no usable ICE ufrag and pwd)" },
        { "a=fingerprint:sha-256", "a=fingerprint:md5",
          "Error processing SDP (no usable fingerprint)" },
        { "a=setup:actpass", "a=setup:holdconn",
          "Error processing SDP (setup is neither active nor passive)" },
        { "a=mid:1", "a=mid:0", "Invalid SDP (mid 0 is there twice)" },
    };

    (void)state;
    SL_ASSUME(control);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        const char *text = replaced(golden("chromium_offer.sdp"), v[i].from, v[i].to);

        assert_int_equal(remote_set(SL_JSEP_OFFER, text), -EBADMSG);
        assert_string_equal(remote.error, v[i].error);
        assert_false(sl_jsep_owes_answer(jsep));
    }
    assert_int_equal(remote_set(SL_JSEP_ANSWER, golden("chromium_offer.sdp")), -EPROTO);
    assert_string_equal(remote.error, "Unexpected ANSWER (no OFFER)");
}

static void answers_each_setup(void **state)
{
    static const struct {
        const char *offer, *answer;
        bool client;
    } v[] = {
        { "a=setup:actpass", "a=setup:passive", false },
        { "a=setup:active", "a=setup:passive", false },
        { "a=setup:passive", "a=setup:active", true },
    };

    SL_ASSUME(control);
    for (size_t i = 0; i < 3; i++) {
        const char *text;

        jsep_teardown(state);
        assert_int_equal(jsep_setup(state), 0);
        text = golden("chromium_offer.sdp");
        if (i)
            text = replaced_all(text, "a=setup:actpass", v[i].offer);
        remote_ok(SL_JSEP_OFFER, text);
        answer_all();
        assert_int_equal(sl_jsep_is_dtls_client(jsep), v[i].client);
        assert_non_null(strstr(local_text(), v[i].answer));
        /* Later rounds keep the role, whatever is offered. */
        remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
        assert_true(remote.update);
        answer_all();
        assert_int_equal(sl_jsep_is_dtls_client(jsep), v[i].client);
        assert_non_null(strstr(local_text(), v[i].answer));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jsep_setup, jsep_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tells_plugins_what_chromium_offers),
        TEST(answers_chromium_like_an_echo),
        TEST(answers_chromium_like_a_publisher),
        TEST(answers_firefox_like_a_publisher),
        TEST(takes_rids_from_low_to_high),
        TEST(takes_no_simulcast_without_the_rid_extension),
        TEST(knows_layers_by_ssrc),
        TEST(answers_only_what_is_on_the_line),
        TEST(takes_rfc_8888_where_there_is_no_transport_cc),
        TEST(refuses_what_it_cannot_do),
        TEST(answers_the_older_data_channel_form),
        TEST(refuses_a_transport_of_its_own),
        TEST(keeps_an_inactive_line),
        TEST(refuses_an_answer_that_does_not_fit),
        TEST(finds_a_codec_by_its_profile),
        TEST(tells_why_an_offer_is_refused),
        TEST(answers_each_setup),
    };

    sl_role_enter(&sl_role_control);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
