#include "jsep_util.h"

#define SUB_EXTS                                                                                   \
    (EXT(AUDIO_LEVEL) | EXT(ABS_SEND_TIME) | EXT(TWCC) | EXT(MID) | EXT(RID) | EXT(RRID) |         \
     EXT(PLAYOUT_DELAY) | EXT(VIDEO_ORIENTATION) | EXT(DEPENDENCY_DESCRIPTOR))

static const struct sl_mcodec opus = { SL_CODEC_OPUS, 0, "useinbandfec=1", "" };
static const struct sl_mcodec vp8 = { SL_CODEC_VP8, 0, "", "" };
static const struct sl_mcodec vp9 = { SL_CODEC_VP9, 0, "", "2" };
static const struct sl_mcodec h264 = { SL_CODEC_H264, 0, "", "42e01f" };
static const struct sl_mcodec h264_main = { SL_CODEC_H264, 0, "", "4d001f" };
static const struct sl_mcodec h265 = { SL_CODEC_H265, 0, "", "" };

/* What a browser answers to our text: takes all, sends nothing. */
static const char *browser_answer(const char *offer)
{
    const char *text = replaced_all(offer, "a=setup:actpass", "a=setup:active");

    if (strstr(text, "a=sendonly"))
        text = replaced_all(text, "a=sendonly", "a=recvonly");
    text = replaced_all(text, "a=ice-ufrag:sluf", "a=ice-ufrag:brow");
    text = replaced(text, "a=ice-lite\r\n", "");
    text = replaced(text, "sha-256 00:11:22", "sha-256 33:44:55");
    if (strstr(text, "cname:sluice"))
        text = replaced_all(text, "cname:sluice", "cname:other");
    return text;
}

static void answered(void) SL_ON_CONTROL
{
    remote_ok(SL_JSEP_ANSWER, browser_answer(local_text()));
}

static void offered(const struct sl_mline *lines, size_t n) SL_ON_CONTROL
{
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, n), 0);
}

static void offers_to_a_subscriber(void **state)
{
    struct sl_mline lines[3] = {
        wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
        wish(SL_KIND_DATA, SL_DIR_SENDRECV, NULL, 0),
    };
    const struct sl_mline *now;
    struct sl_media *m;
    size_t n;

    (void)state;
    SL_ASSUME(control);
    strcpy(lines[1].stream, "1000");
    strcpy(lines[1].track, "v");
    lines[0].red = true;
    offered(lines, 3);
    assert_true(sl_jsep_awaits_answer(jsep));
    assert_false(sl_jsep_is_negotiated(jsep));
    assert_null(sl_jsep_lines(jsep, &n));
    assert_null(sl_jsep_media(jsep));
    now = sl_jsep_offered(jsep, &n);
    assert_int_equal(n, 3);
    assert_string_equal(now[1].mid, "1");
    assert_int_equal(now[1].codecs[0].pt, 96);
    local_is("subscriber_offer.sdp");
    answered();
    assert_false(remote.update);
    assert_int_equal(remote.lines[1].dir, SL_DIR_SEND);
    assert_false(sl_jsep_is_dtls_client(jsep));
    now = sl_jsep_lines(jsep, &n);
    assert_int_equal(n, 3);
    assert_int_equal(now[0].dir, SL_DIR_SEND);
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[0].pt, 111);
    assert_int_equal(m->line[0].red_pt, 120);
    assert_int_equal(m->line[1].rtx_pt, 97);
    assert_int_equal(m->line[1].tx_ssrc, 1002);
    assert_int_equal(m->line[1].tx_rtx_ssrc, 1003);
    assert_int_equal(m->line[1].nlayers, 0);
    assert_int_equal(m->line[1].ext[SL_EXT_DEPENDENCY_DESCRIPTOR], 8);
    assert_int_equal(m->line[1].ext[SL_EXT_RID], 0);
    free(m);
}

static void takes_what_the_answer_leaves(void **state)
{
    struct sl_mline lines[3] = {
        wish(SL_KIND_AUDIO, SL_DIR_SENDRECV, &opus, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &h264, SUB_EXTS),
    };
    struct sl_media *m;
    const char *text;

    (void)state;
    SL_ASSUME(control);
    offered(lines, 3);
    text = browser_answer(local_text());
    text = replaced(text, "a=sendrecv", "a=recvonly");
    text = replaced_all(text, "SAVPF 96 97", "SAVPF 100 101");
    text = replaced_all(text, "a=rtpmap:96 ", "a=rtpmap:100 ");
    text = replaced_all(text, "a=rtpmap:97 rtx", "a=rtpmap:101 rtx");
    text = replaced_all(text, "a=fmtp:97 apt=96", "a=fmtp:101 apt=100");
    text = replaced(text, "a=rtcp-fb:96 nack\r\n", "a=rtcp-fb:100 nack\r\n");
    text = replaced(text, "a=extmap:1 ", "a=extmap:11 "); /* an id that was not offered */
    text = replaced(text, "a=extmap:2 ", "a=x-extmap:2 ");
    text = replaced(text, "m=video 9 UDP/TLS/RTP/SAVPF 107", "m=video 0 UDP/TLS/RTP/SAVPF 107");
    remote_ok(SL_JSEP_ANSWER, text);
    assert_true(remote.lines[2].rejected);
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[0].dir, SL_DIR_SEND);
    assert_int_equal(m->line[0].ext[SL_EXT_AUDIO_LEVEL], 0);
    assert_int_equal(m->line[0].ext[SL_EXT_ABS_SEND_TIME], 0);
    assert_int_equal(m->line[0].ext[SL_EXT_MID], 4);
    assert_int_equal(m->line[1].pt, 100);
    assert_int_equal(m->line[1].rtx_pt, 101);
    assert_true(m->line[1].nack);
    assert_false(m->line[1].pli);
    assert_int_equal(m->line[2].dir, SL_DIR_INACTIVE);
    free(m);
}

static void grows_shrinks_and_comes_back(void **state)
{
    struct sl_mline lines[3] = {
        wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
    };
    const struct sl_mline *now;
    struct sl_media *m;
    uint32_t first, later;
    size_t n;

    (void)state;
    SL_ASSUME(control);
    offered(lines, 2);
    answered();
    m = sl_jsep_media(jsep);
    first = m->line[1].tx_ssrc;
    free(m);

    offered(lines, 3);
    local_is("subscriber_offer_added.sdp");
    answered();
    assert_true(remote.update);
    assert_false(remote.restart);

    lines[1].dir = SL_DIR_INACTIVE; /* unsubscribed: the line stays */
    lines[1].ncodecs = 0;
    offered(lines, 3);
    local_is("subscriber_offer_removed.sdp");
    answered();
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[1].dir, SL_DIR_INACTIVE);
    free(m);

    lines[1] = lines[2]; /* used again: the same mid, another SSRC */
    offered(lines, 3);
    answered();
    m = sl_jsep_media(jsep);
    assert_int_not_equal(m->line[1].tx_ssrc, 0);
    assert_int_not_equal(m->line[1].tx_ssrc, first);
    free(m);

    lines[1].rejected = true; /* dropped, and its place taken with another mid */
    offered(lines, 3);
    assert_non_null(strstr(local_text(), "a=group:BUNDLE 0 2\r\n"));
    answered();
    lines[1].rejected = false;
    offered(lines, 3);
    local_is("subscriber_offer_recycled.sdp");
    now = sl_jsep_offered(jsep, &n);
    assert_string_equal(now[1].mid, "3");
    answered();
    m = sl_jsep_media(jsep);
    later = m->line[1].tx_ssrc;
    assert_true(later && later != first && later != m->line[2].tx_ssrc);
    free(m);

    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 2), -EINVAL);
    lines[0].kind = SL_KIND_VIDEO;
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 3), -EINVAL);
    lines[0].kind = SL_KIND_AUDIO;
    strcpy(lines[0].mid, "x");
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 3), -EINVAL);
}

static void gives_a_number_one_meaning(void **state)
{
    struct sl_mline lines[6] = {
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &h264, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &h264_main, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &h265, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp9, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &h264, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
    };
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    offered(lines, 6);
    answered();
    offered(lines, 6); /* and the same in the next offer */
    answered();
    m = sl_jsep_media(jsep);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < i; k++) {
            bool same = m->line[i].codec == m->line[k].codec && (i == 4) && (k == 0);

            assert_int_equal(m->line[i].pt == m->line[k].pt, same);
            assert_int_equal(m->line[i].rtx_pt == m->line[k].rtx_pt, same);
            assert_true(m->line[i].pt != m->line[k].rtx_pt && m->line[i].rtx_pt != m->line[k].pt);
            assert_true(m->line[i].tx_ssrc != m->line[k].tx_ssrc);
        }
    }
    assert_int_equal(m->line[0].pt, 107); /* the defaults, as far as they go round */
    assert_int_equal(m->line[0].rtx_pt, 108);
    assert_int_equal(m->line[2].pt, 100);
    assert_int_equal(m->line[3].pt, 101);
    assert_int_equal(m->line[5].pt, 96);
    free(m);
}

static void keeps_the_numbers_of_the_peer(void **state)
{
    struct sl_mline lines[4];
    const struct sl_mline *now;
    size_t n;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    for (size_t i = 0; i < 3; i++)
        lines[i] = remote.lines[i];
    lines[0].exts &= EXT(MID);
    lines[1].exts &= EXT(MID) | EXT(RID) | EXT(TWCC);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, lines, 3), 0);
    /* Now we offer, with a line more: ids and payload types of the peer hold for the session. */
    lines[3] = wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, EXT(MID) | EXT(TOFFSET) | EXT(PLAYOUT_DELAY));
    lines[1].codecs = &vp8;
    lines[1].ncodecs = 1;
    offered(lines, 4);
    now = sl_jsep_offered(jsep, &n);
    assert_int_equal(now[0].codecs[0].pt, 111);
    assert_int_equal(now[3].codecs[0].pt, 96);
    assert_int_equal(now[3].ext_id[SL_EXT_MID], 4);
    assert_int_not_equal(now[3].ext_id[SL_EXT_PLAYOUT_DELAY], 12); /* that is another one there */
    assert_string_equal(now[3].mid, "3");
    assert_true(sl_jsep_awaits_answer(jsep));
    assert_non_null(strstr(local_text(), "o=- 1700000000000000 1 IN"));
}

static void rolls_back(void **state)
{
    struct sl_mline lines[2] = {
        wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
    };
    struct sl_strbuf b;
    size_t n;

    (void)state;
    SL_ASSUME(control);
    offered(lines, 1);
    sl_jsep_rollback(jsep);
    assert_false(sl_jsep_awaits_answer(jsep));
    sl_strbuf_init(&b);
    assert_int_equal(sl_jsep_write_local(jsep, &(struct sl_sdp_transport){ .address = "" }, &b),
                     -EINVAL);
    offered(lines, 1);
    assert_non_null(strstr(local_text(), "o=- 1700000000000000 2 IN"));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 1), -EBUSY);
    answered();
    offered(lines, 2);
    sl_jsep_rollback(jsep);
    assert_non_null(sl_jsep_lines(jsep, &n));
    assert_int_equal(n, 1);
    assert_int_equal(remote_set(SL_JSEP_ANSWER, golden("chromium_offer.sdp")), -EPROTO);
    offered(lines, 2);
    answered();
    assert_non_null(sl_jsep_lines(jsep, &n));
    assert_int_equal(n, 2);
}

static void the_last_offer_wins(void **state)
{
    struct sl_mline lines[1] = { wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, SUB_EXTS) };

    (void)state;
    SL_ASSUME(control);
    offered(lines, 1);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    assert_true(remote.dropped);
    assert_true(sl_jsep_owes_answer(jsep));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, 1), -EBUSY);
    remote_ok(SL_JSEP_OFFER, golden("firefox_offer.sdp"));
    assert_false(remote.dropped);
    assert_int_equal(remote.lines[0].codecs[0].pt, 109);
    sl_jsep_rollback(jsep);
    assert_false(sl_jsep_owes_answer(jsep));
}

static void refuses_answers_that_do_not_fit(void **state)
{
    static const struct {
        const char *from, *to, *error;
    } v[] = {
        { "m=video 9", "m=audio 9", "Invalid SDP (m-line 1: video answered as audio)" },
        { "a=mid:1", "a=mid:7", "Invalid SDP (m-line 1: mid 1 answered as 7)" },
        { "m=video 9", "m=video 9 RTP/AVP 0\r\nm=video 9",
          "Invalid SDP (2 m-lines answered as 3)" },
        { "a=setup:active", "a=setup:actpass",
          "Error processing SDP (setup is neither active nor passive)" },
        { "a=ice-ufrag:brow\r\n", "", "Error processing SDP (no usable ICE ufrag and pwd)" },
    };
    struct sl_mline lines[2] = {
        wish(SL_KIND_AUDIO, SL_DIR_SEND, &opus, SUB_EXTS),
        wish(SL_KIND_VIDEO, SL_DIR_SEND, &vp8, SUB_EXTS),
    };

    (void)state;
    SL_ASSUME(control);
    offered(lines, 2);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        const char *text = replaced(browser_answer(local_text()), v[i].from, v[i].to);

        assert_int_equal(remote_set(SL_JSEP_ANSWER, text), -EBADMSG);
        assert_string_equal(remote.error, v[i].error);
        assert_true(sl_jsep_awaits_answer(jsep));
    }
    remote_ok(SL_JSEP_ANSWER,
              replaced_all(browser_answer(local_text()), "a=setup:active", "a=setup:passive"));
    assert_true(sl_jsep_is_dtls_client(jsep));
}

static void restarts_ice(void **state)
{
    const char *text;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    assert_true(remote.update);
    assert_false(remote.restart);
    text = replaced_all(golden("chromium_offer.sdp"), "a=ice-ufrag:YckO", "a=ice-ufrag:else");
    remote_ok(SL_JSEP_OFFER, text);
    assert_true(remote.restart);
    assert_string_equal(remote.ufrag, "else");
    text = replaced_all(text, "a=fingerprint:sha-256 E8:80", "a=fingerprint:sha-256 E8:81");
    assert_int_equal(remote_set(SL_JSEP_OFFER, text), -EBADMSG);
    assert_string_equal(remote.error,
                        "Error processing SDP (another fingerprint needs a new PeerConnection)");
}

/* A stopped transceiver, and its m-line used again with a new mid. */
static void follows_a_recycled_line(void **state)
{
    const char *first = golden("chromium_offer.sdp"), *text;
    uint32_t ssrc;
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, first);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    m = sl_jsep_media(jsep);
    ssrc = m->line[1].tx_ssrc;
    free(m);
    assert_int_equal(remote_set(SL_JSEP_OFFER, replaced(first, "a=mid:1", "a=mid:3")), -EBADMSG);
    assert_string_equal(remote.error, "Invalid SDP (m-line 1: mid changed from 1 to 3)");
    text = replaced(first, "BUNDLE 0 1 2", "BUNDLE 0 2");
    text = replaced(text, "m=video 9", "m=video 0");
    remote_ok(SL_JSEP_OFFER, text);
    assert_true(remote.lines[1].rejected);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    assert_non_null(strstr(local_text(), "m=video 0 UDP/TLS/RTP/SAVPF 0\r\n"));
    assert_non_null(strstr(local_text(), "BUNDLE 0 2\r\n"));
    text = replaced(first, "BUNDLE 0 1 2", "BUNDLE 0 3 2");
    text = replaced(text, "a=mid:1", "a=mid:3");
    remote_ok(SL_JSEP_OFFER, text);
    assert_false(remote.lines[1].rejected);
    assert_string_equal(remote.lines[1].mid, "3");
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    assert_non_null(strstr(local_text(), "BUNDLE 0 3 2\r\n"));
    m = sl_jsep_media(jsep);
    assert_true(m->line[1].tx_ssrc && m->line[1].tx_ssrc != ssrc);
    free(m);
    text = sl_arena_strndup(arena, first, (size_t)(strstr(first, "m=application") - first));
    assert_int_equal(remote_set(SL_JSEP_OFFER, text), -EBADMSG);
    assert_string_equal(remote.error, "Invalid SDP (2 m-lines where there were 3)");
}

/* The first transceiver stopped: the transport moves to the next line. */
static void survives_the_end_of_the_first_line(void **state)
{
    const char *text = golden("chromium_offer.sdp");

    (void)state;
    SL_ASSUME(control);
    remote_ok(SL_JSEP_OFFER, text);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    text = replaced(text, "m=audio 58247", "m=audio 0");
    remote_ok(SL_JSEP_OFFER, text);
    assert_false(remote.lines[0].rejected); /* still in the group: only a port that is not known */
    text = replaced(text, "BUNDLE 0 1 2", "BUNDLE 1 2");
    remote_ok(SL_JSEP_OFFER, text);
    assert_true(remote.lines[0].rejected);
    assert_int_equal(remote.transport_mindex, 1);
    assert_string_equal(remote.mid, "1");
    assert_false(remote.restart);
    text = replaced(replaced(text, "m=video 9", "m=video 0"), "m=application 9", "m=application 0");
    text = replaced_all(text, "a=ice-ufrag:YckO\r\n", "");
    remote_ok(SL_JSEP_OFFER, replaced(text, "a=group:BUNDLE 1 2", "a=group:BUNDLE"));
    assert_true(remote.lines[2].rejected);
    assert_string_equal(remote.ufrag, "YckO"); /* nothing left: the transport stays */
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
}

static void never_uses_an_ssrc_of_the_peer(void **state)
{
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    next_ssrc = 2010559287;
    remote_ok(SL_JSEP_OFFER, golden("chromium_offer.sdp"));
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_ANSWER, remote.lines, 3), 0);
    m = sl_jsep_media(jsep);
    assert_int_equal(m->line[0].tx_ssrc, 2010559288);
    assert_int_equal(m->line[1].tx_ssrc, 2010559289);
    free(m);
}

static void offers_many_lines(void **state)
{
    struct sl_mline *lines = calloc(SL_SDP_MLINES_MAX + 1, sizeof(*lines));
    const char *text;

    (void)state;
    SL_ASSUME(control);
    assert_non_null(lines);
    for (size_t i = 0; i <= SL_SDP_MLINES_MAX; i++)
        lines[i] = wish(SL_KIND_VIDEO, SL_DIR_SEND, &h264, SUB_EXTS);
    assert_int_equal(sl_jsep_set_local(jsep, SL_JSEP_OFFER, lines, SL_SDP_MLINES_MAX + 1), -EINVAL);
    offered(lines, SL_SDP_MLINES_MAX);
    text = local_text();
    assert_true(strlen(text) > SL_SDP_BYTES_MAX); /* and the answer may be as long */
    answered();
    assert_int_equal(remote.nlines, SL_SDP_MLINES_MAX);
    free(lines);
}

/* Publishers that make up parameters cannot keep a subscriber from being served. */
static void goes_on_when_numbers_run_out(void **state)
{
    struct sl_mcodec codecs[80];
    struct sl_mline lines[80];
    struct sl_media *m;

    (void)state;
    SL_ASSUME(control);
    for (unsigned i = 0; i < 80; i++) {
        codecs[i] = i == 79 ? h264 : i == 78 ? opus : vp8;
        if (i < 78)
            (void)snprintf(codecs[i].fmtp, sizeof(codecs[i].fmtp), "max-fr=%u", i);
        lines[i] = wish(i == 78 ? SL_KIND_AUDIO : SL_KIND_VIDEO, SL_DIR_SEND, &codecs[i], SUB_EXTS);
    }
    offered(lines, 80);
    answered();
    m = sl_jsep_media(jsep);
    for (size_t i = 0; i < 80; i++)
        assert_int_equal(m->line[i].dir, SL_DIR_SEND);
    assert_int_equal(m->line[79].pt, 107); /* defaults are never given to others */
    assert_int_equal(m->line[78].pt, 111);
    assert_int_equal(m->line[77].codec, SL_CODEC_VP8);
    free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, jsep_setup, jsep_teardown)
    const struct CMUnitTest tests[] = {
        TEST(offers_to_a_subscriber),
        TEST(takes_what_the_answer_leaves),
        TEST(grows_shrinks_and_comes_back),
        TEST(gives_a_number_one_meaning),
        TEST(keeps_the_numbers_of_the_peer),
        TEST(rolls_back),
        TEST(the_last_offer_wins),
        TEST(refuses_answers_that_do_not_fit),
        TEST(restarts_ice),
        TEST(follows_a_recycled_line),
        TEST(survives_the_end_of_the_first_line),
        TEST(never_uses_an_ssrc_of_the_peer),
        TEST(offers_many_lines),
        TEST(goes_on_when_numbers_run_out),
    };

    sl_role_enter(&sl_role_control);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
