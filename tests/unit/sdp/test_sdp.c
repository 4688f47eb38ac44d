#include "sdp_util.h"
#include "sdp/sdp.h"
#include <errno.h>

static struct sl_arena *arena;
static char err[SL_SDP_ERROR_MAX];

static int setup(void **state)
{
    (void)state;
    arena = sl_arena_create();
    err[0] = '\0';
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sl_arena_destroy(arena);
    return 0;
}

static struct sl_sdp *parsed(const char *text)
{
    struct sl_sdp *sdp = NULL;
    int rc = sl_sdp_parse(arena, text, strlen(text), 0, &sdp, err);

    if (rc)
        fail_msg("%d: %s", rc, err);
    return sdp;
}

static char *written(const struct sl_sdp *sdp)
{
    struct sl_strbuf b;
    char *text;

    sl_strbuf_init(&b);
    sl_sdp_write(sdp, &b);
    text = sl_strbuf_take(&b);
    assert_non_null(text);
    return text;
}

#define HEAD  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t sorted_lines(char *text, char **lines, size_t max)
{
    size_t n = 0;

    for (char *l = strtok(text, "\r\n"); l && n < max; l = strtok(NULL, "\r\n"))
        lines[n++] = l;
    qsort(lines, n, sizeof(*lines), by_text);
    return n;
}

static void writes_every_line_of_a_browser(void **state)
{
    static const char *const names[] = { "chromium_offer.sdp", "firefox_offer.sdp" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *in = golden_read(names[i]);
        char *out = written(parsed(in));
        char *again = written(parsed(out));
        char *a[512], *b[512];
        size_t n;

        assert_string_equal(out, again);
        n = sorted_lines(in, a, 512);
        assert_int_equal(sorted_lines(out, b, 512), n);
        for (size_t k = 0; k < n; k++)
            assert_string_equal(a[k], b[k]);
        free(in);
        free(out);
        free(again);
    }
}

static void understands_chromium(void **state)
{
    char *text = golden_read("chromium_offer.sdp");
    const struct sl_sdp *s = parsed(text);
    const struct sl_sdp_section *v = &s->media[1];
    bool has_group;

    (void)state;
    free(text);
    assert_string_equal(s->origin.id, "4698898326328076710");
    assert_string_equal(s->origin.version, "2");
    assert_int_equal(s->nmedia, 3);
    assert_true(s->session.ext_mixed);
    assert_true(sl_sdp_is_bundled(s, "2", &has_group) && has_group);
    assert_false(sl_sdp_is_bundled(s, "3", &has_group));
    assert_int_equal(s->media[0].port, 58247);
    assert_int_equal(s->media[0].ncandidates, 8);
    assert_string_equal(s->media[0].ufrag, "YckO");
    assert_int_equal(s->media[0].setup, SL_SETUP_ACTPASS);
    assert_string_equal(s->media[0].fingerprints[0].hash, "sha-256");
    assert_int_equal(s->media[0].ssrcs[0].ssrc, 2010559287);
    assert_string_equal(s->media[0].ssrcs[0].value, "BmhK22NT4uruFa3p");
    assert_int_equal(v->nfmts, 23);
    assert_int_equal(sl_sdp_fmt_pt(v, 0), 96);
    assert_string_equal(sl_sdp_rtpmap_get(v, 96)->name, "VP8");
    assert_string_equal(sl_sdp_fmtp_get(v, 97), "apt=96");
    assert_null(sl_sdp_fmtp_get(v, 96));
    assert_true(sl_sdp_has_fb(v, 96, "nack pli"));
    assert_false(sl_sdp_has_fb(v, 97, "nack pli"));
    assert_int_equal(v->dir, SL_DIR_SENDRECV);
    assert_int_equal(v->nrids, 3);
    assert_true(v->rids[0].send);
    assert_int_equal(v->sim_send.n, 3);
    assert_string_equal(v->sim_send.streams[2].rid, "l");
    assert_string_equal(v->msids[0].track, "607d3d19-95d6-49ff-8d4a-66909075989a");
    assert_int_equal(s->media[2].sctp_port, 5000);
    assert_int_equal(s->media[2].max_message, 262144);
}

static void understands_firefox(void **state)
{
    char *text = golden_read("firefox_offer.sdp");
    const struct sl_sdp *s = parsed(text);
    const struct sl_sdp_section *v = &s->media[1];

    (void)state;
    free(text);
    assert_int_equal(s->session.nfingerprints, 1);
    assert_int_equal(s->session.dir, SL_DIR_SENDRECV);
    assert_true(v->bundle_only);
    assert_int_equal(v->port, 0);
    assert_int_equal(v->nssrc_groups, 3);
    assert_int_equal(v->ssrc_groups[1].ssrcs[1], 836434911);
    assert_int_equal(v->extmaps[0].dir, SL_SDP_DIR_NONE);
    assert_int_equal(v->extmaps[6].dir, SL_DIR_SEND);
    assert_string_equal(v->extmaps[6].uri, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    assert_true(s->media[0].end_of_candidates);
}

static void understands_what_browsers_do_not_write(void **state)
{
    const struct sl_sdp *s = parsed(
        "v=0\no=x y z IN IP6 ::1\ns= \ni=info\nu=u\nt=1 2\nb=AS:500\n"
        "m=video 5/2 RTP/AVP 96 97\nc=IN IP6 ::1\nb=TIAS:100000\n"
        "a=rtcp-fb:* ccm fir\na=simulcast:recv a;~b,c send ~d\na=rid:d send pt=96;max-fps=3\n"
        "a=extmap:4097/inactive urn:x some thing\na=ssrc-group:SIM 1 2 3\n"
        "a=ssrc:4294967295 label\na=msid:only\na=sctpmap:5000 webrtc-datachannel 16\n"
        "a=unknown:\na=flag\na=rtpmap:97 L16/44100/2");
    const struct sl_sdp_section *v = &s->media[0];
    char *text = written(s), *again;

    (void)state;
    assert_string_equal(s->origin.addr, "IN IP6 ::1");
    assert_int_equal(s->session.bws[0].value, 500);
    assert_int_equal(v->nports, 2);
    assert_true(sl_sdp_has_fb(v, 96, "ccm fir"));
    assert_int_equal(v->sim_recv.n, 3);
    assert_true(v->sim_recv.streams[1].paused);
    assert_true(v->sim_recv.streams[2].alternative);
    assert_true(v->sim_send.streams[0].paused);
    assert_string_equal(v->rids[0].params, "pt=96;max-fps=3");
    assert_int_equal(v->extmaps[0].id, 4097);
    assert_string_equal(v->extmaps[0].params, "some thing");
    assert_int_equal(v->ssrc_groups[0].n, 3);
    assert_null(v->ssrcs[0].value);
    assert_null(v->msids[0].track);
    assert_int_equal(v->nattrs, 2);
    assert_string_equal(v->attrs[0].value, "");
    assert_null(v->attrs[1].value);
    assert_int_equal(v->rtpmaps[0].channels, 2);
    again = written(parsed(text));
    assert_string_equal(text, again);
    free(text);
    free(again);
}

static void tells_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *err;
    } v[] = {
        { "", "Invalid SDP (doesn't start with v=)" },
        { "o=- 1 2 IN IP4 1.1.1.1\r\n", "Invalid SDP (doesn't start with v=)" },
        { "v=0\r\n", "Missing mandatory lines (o=, s= or m=)" },
        { HEAD, "Missing mandatory lines (o=, s= or m=)" },
        { "v=0\r\ns=-\r\n" AUDIO, "Missing mandatory lines (o=, s= or m=)" },
        { "v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\n" AUDIO, "Missing mandatory lines (o=, s= or m=)" },
        { "v=1\r\n", "Invalid SDP (line 1: unknown version)" },
        { "v=0\r\no=- 1 2 IN IP4\r\n", "Invalid SDP (line 2: bad o= line)" },
        { HEAD "m=audio 65536 X 1\r\n", "Invalid SDP (line 5: bad m= line)" },
        { HEAD "m=audio 9 X\r\n", "Invalid SDP (line 5: bad m= line)" },
        { HEAD "m=audio 9/0 X 1\r\n", "Invalid SDP (line 5: bad m= line)" },
        { HEAD AUDIO "v=0\r\n", "Invalid SDP (line 6: in the wrong place)" },
        { HEAD AUDIO "x=0\r\n", "Invalid SDP (line 6: not a known type=value)" },
        { HEAD AUDIO "hello\r\n", "Invalid SDP (line 6: not a known type=value)" },
        { HEAD AUDIO "a=\r\n", "Invalid SDP (line 6: attribute without a name)" },
        { HEAD AUDIO "a=b\001\r\n", "Invalid SDP (line 6: control character)" },
        { HEAD AUDIO "a=rtpmap:128 x/1\r\n", "Invalid SDP (line 6: bad rtpmap)" },
        { HEAD AUDIO "a=rtpmap:1 x/0\r\n", "Invalid SDP (line 6: bad rtpmap)" },
        { HEAD AUDIO "a=rtpmap:1 x\r\n", "Invalid SDP (line 6: bad rtpmap)" },
        { HEAD AUDIO "a=rtpmap\r\n", "Invalid SDP (line 6: bad rtpmap)" },
        { HEAD AUDIO "a=fmtp:1\r\n", "Invalid SDP (line 6: bad fmtp)" },
        { HEAD AUDIO "a=rtcp-fb:x nack\r\n", "Invalid SDP (line 6: bad rtcp-fb)" },
        { HEAD AUDIO "a=extmap:0 u\r\n", "Invalid SDP (line 6: bad extmap)" },
        { HEAD AUDIO "a=extmap:1/up u\r\n", "Invalid SDP (line 6: bad extmap)" },
        { HEAD AUDIO "a=mid:12345678901234567\r\n",
          "Invalid SDP (line 6: mid has more than 16 characters)" },
        { HEAD AUDIO "a=mid:\r\n", "Invalid SDP (line 6: bad mid)" },
        { HEAD AUDIO "a=rid:h up\r\n", "Invalid SDP (line 6: bad rid)" },
        { HEAD AUDIO "a=rid:12345678901234567 send\r\n", "Invalid SDP (line 6: bad rid)" },
        { HEAD AUDIO "a=simulcast:send\r\n", "Invalid SDP (line 6: bad simulcast)" },
        { HEAD AUDIO "a=simulcast:send h;;l\r\n", "Invalid SDP (line 6: bad simulcast)" },
        { HEAD AUDIO "a=simulcast:send h send l\r\n", "Invalid SDP (line 6: bad simulcast)" },
        { HEAD AUDIO "a=ssrc:4294967296 cname:x\r\n", "Invalid SDP (line 6: bad ssrc)" },
        { HEAD AUDIO "a=ssrc-group:FID 1 x\r\n", "Invalid SDP (line 6: bad ssrc-group)" },
        { HEAD AUDIO "a=fingerprint:sha-256 XX\r\n", "Invalid SDP (line 6: bad fingerprint)" },
        { HEAD AUDIO "a=setup:none\r\n", "Invalid SDP (line 6: bad setup)" },
        { HEAD AUDIO "a=sctp-port:65536\r\n", "Invalid SDP (line 6: bad sctp-port)" },
        { HEAD AUDIO "a=ice-pwd\r\n", "Invalid SDP (line 6: attribute without a value)" },
        { HEAD "b=AS:-1\r\n" AUDIO, "Invalid SDP (line 5: bad b= line)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct sl_sdp *sdp;

        err[0] = '\0';
        assert_int_equal(sl_sdp_parse(arena, v[i].text, strlen(v[i].text), 0, &sdp, err), -EBADMSG);
        assert_string_equal(err, v[i].err);
    }
}

/* HEAD, then @line @n times, then @tail. */
static int parse_many(const char *line, size_t n, const char *tail, size_t bytes_max)
{
    struct sl_strbuf b;
    struct sl_sdp *sdp;
    int rc;

    sl_strbuf_init(&b);
    sl_strbuf_add(&b, HEAD);
    for (size_t i = 0; i < n; i++)
        sl_strbuf_add(&b, line);
    sl_strbuf_add(&b, tail);
    assert_false(b.failed);
    rc = sl_sdp_parse(arena, b.text, b.len, bytes_max, &sdp, err);
    sl_strbuf_fini(&b);
    return rc;
}

static void keeps_to_its_limits(void **state)
{
    char fmts[1024] = "m=audio 9 X";

    (void)state;
    assert_int_equal(parse_many(AUDIO, SL_SDP_MLINES_MAX, "", 0), 0);
    assert_int_equal(parse_many(AUDIO, SL_SDP_MLINES_MAX + 1, "", 0), -EBADMSG);
    assert_string_equal(err, "Invalid SDP (line 261: too many m-lines)");
    assert_int_equal(parse_many("a=x\n", SL_SDP_ATTRS_MAX, AUDIO, 0), 0);
    assert_int_equal(parse_many("a=x\n", SL_SDP_ATTRS_MAX + 1, AUDIO, 0), -EBADMSG);
    assert_int_equal(parse_many("\n", SL_SDP_BYTES_MAX, AUDIO, 0), -EBADMSG);
    assert_string_equal(err, "Invalid SDP (longer than 65536 bytes)");
    assert_int_equal(parse_many("\n", SL_SDP_BYTES_MAX, AUDIO, 2 * SL_SDP_BYTES_MAX), 0);
    for (size_t i = 0; i < SL_SDP_FMTS_MAX; i++)
        strcat(fmts, " 0");
    assert_int_equal(parse_many(fmts, 1, "\n", 0), 0);
    assert_int_equal(parse_many(fmts, 1, " 0\n", 0), -EBADMSG);
}

static void refuses_a_nul(void **state)
{
    static const char text[] = HEAD AUDIO "a=x\0y\r\n";
    struct sl_sdp *sdp;

    (void)state;
    assert_int_equal(sl_sdp_parse(arena, text, sizeof(text) - 1, 0, &sdp, err), -EBADMSG);
    assert_string_equal(err, "Invalid SDP (line 6: control character)");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(writes_every_line_of_a_browser),
        TEST(understands_chromium),
        TEST(understands_firefox),
        TEST(understands_what_browsers_do_not_write),
        TEST(tells_what_is_wrong),
        TEST(keeps_to_its_limits),
        TEST(refuses_a_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
