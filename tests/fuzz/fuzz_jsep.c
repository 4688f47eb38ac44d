/*
 * fuzz_jsep.c - the negotiator takes any description of a peer, and what it answers is a
 * description that a peer can parse, with one m-line per offered one.
 *
 * The first byte picks the situation: bit 0: the input answers an offer of ours; bit 1: a round was
 * complete before; bit 2: rids from low to high; bit 3: lines are refused; bit 4: we only receive.
 */
#include "fuzz.h"
#include "base/role.h"
#include "sdp/sdp_jsep.h"
#include <errno.h>
#include <string.h>

#define BYTES_MAX ((size_t)4 << 20) /* of our own text, checked with the parser */

static uint32_t count(void *arg)
{
    return ++*(uint32_t *)arg;
}

static void check_local(const struct sl_jsep *j, struct sl_arena *a, size_t nlines) SL_ON_CONTROL
{
    static const char *const candidates[] = { "candidate:1 1 udp 1 192.0.2.1 9 typ host" };
    static const struct sl_sdp_transport t = {
        .ufrag = "ufrag",
        .pwd = "password",
        .candidates = candidates,
        .ncandidates = 1,
        .hash = "sha-256",
        .fingerprint = "00",
        .address = "::1",
    };
    char err[SL_SDP_ERROR_MAX];
    struct sl_strbuf text, again;
    struct sl_sdp *sdp;

    sl_strbuf_init(&text);
    sl_strbuf_init(&again);
    FUZZ_CHECK(!sl_jsep_write_local(j, &t, &text));
    FUZZ_CHECK(!sl_sdp_parse(a, text.text, text.len, BYTES_MAX, &sdp, err));
    FUZZ_CHECK(sdp->nmedia == nlines);
    sl_sdp_write(sdp, &again);
    FUZZ_CHECK(!strcmp(text.text, again.text));
    sl_strbuf_fini(&text);
    sl_strbuf_fini(&again);
}

static void check_media(const struct sl_jsep *j) SL_ON_CONTROL
{
    struct sl_media *m = sl_jsep_media(j);
    size_t n;

    FUZZ_CHECK(m && sl_jsep_lines(j, &n) && n == m->n);
    for (size_t i = 0; i < m->n; i++) {
        const struct sl_media_line *l = &m->line[i];

        FUZZ_CHECK(l->nlayers <= SL_LAYERS_MAX && l->npairs <= SL_LAYERS_MAX);
        FUZZ_CHECK(l->dir == SL_DIR_INACTIVE || l->kind == SL_KIND_DATA || l->pt < 128);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!l->tx_ssrc || l->tx_ssrc != m->line[k].tx_ssrc);
    }
    free(m);
}

/* The peer's offer and our answer, taking all that is there. 0 or -errno. */
static int round_of_peer(struct sl_jsep *j, struct sl_arena *a, const char *text, size_t len,
                         uint8_t how) SL_ON_CONTROL
{
    struct sl_jsep_remote r;
    int err = sl_jsep_set_remote(j, a, SL_JSEP_OFFER, text, len, how & 4, &r);

    FUZZ_CHECK(!err || err == -EBADMSG || err == -ENOMEM);
    FUZZ_CHECK(err != -EBADMSG || *r.error);
    if (err)
        return err;
    FUZZ_CHECK(r.ufrag && r.pwd && r.hash && r.fingerprint && r.mid);
    for (size_t i = 0; i < r.nlines; i++) {
        struct sl_mline *l = &r.lines[i];

        if ((how & 8) && i % 2)
            l->rejected = true;
        if (how & 16)
            l->dir &= SL_DIR_RECV;
        if (l->kind != SL_KIND_DATA && !l->ncodecs)
            l->rejected = true;
    }
    err = sl_jsep_set_local(j, SL_JSEP_ANSWER, r.lines, r.nlines);
    if (err) { /* a msid that cannot be given back */
        FUZZ_CHECK(err == -EINVAL || err == -ENOMEM);
        sl_jsep_rollback(j);
        return err;
    }
    check_local(j, a, r.nlines);
    check_media(j);
    return 0;
}

static void round_of_ours(struct sl_jsep *j, struct sl_arena *a, const char *text,
                          size_t len) SL_ON_CONTROL
{
    static const struct sl_mcodec opus = { SL_CODEC_OPUS, 0, "", "" };
    static const struct sl_mcodec h264 = { SL_CODEC_H264, 0, "", "42e01f" };
    const uint32_t exts = (1u << SL_EXT_MAX) - 1;
    const struct sl_mline *now;
    struct sl_mline lines[SL_SDP_MLINES_MAX] = {
        { .kind = SL_KIND_AUDIO, .dir = SL_DIR_SEND, .codecs = &opus, .ncodecs = 1, .exts = exts },
        { .kind = SL_KIND_VIDEO,
          .dir = SL_DIR_SENDRECV,
          .codecs = &h264,
          .ncodecs = 1,
          .exts = exts },
        { .kind = SL_KIND_DATA },
    };
    struct sl_jsep_remote r;
    size_t n;
    int err;

    now = sl_jsep_lines(j, &n);
    if (now)
        memcpy(lines, now, n * sizeof(lines[0]));
    for (size_t i = 0; i < n; i++)
        lines[i].stream[0] = lines[i].track[0] = '\0';
    n = n ? n : 3;
    err = sl_jsep_set_local(j, SL_JSEP_OFFER, lines, n);
    FUZZ_CHECK(!err || err == -EINVAL || err == -ENOMEM);
    if (err)
        return;
    check_local(j, a, n);
    err = sl_jsep_set_remote(j, a, SL_JSEP_ANSWER, text, len, false, &r);
    FUZZ_CHECK(!err || err == -EBADMSG || err == -ENOMEM);
    FUZZ_CHECK(sl_jsep_awaits_answer(j) == (err != 0));
    if (!err)
        check_media(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool has_role;
    uint32_t ssrc = 0;
    const struct sl_jsep_conf conf = { .cname = "c", .rand32 = count, .rand_arg = &ssrc };
    struct sl_arena *a;
    struct sl_jsep *j;
    const char *second;

    if (!has_role)
        sl_role_enter(&sl_role_control);
    has_role = true;
    SL_ASSUME(control);
    if (!size)
        return 0;
    a = sl_arena_create();
    FUZZ_CHECK(a && !sl_jsep_create(&conf, &j));
    /* "----" on a line of its own parts two descriptions. */
    second = memmem(data + 1, size - 1, "----\n", 5);
    if (second && (data[0] & 2)) {
        size_t first = (size_t)(second - (const char *)data) - 1;

        (void)round_of_peer(j, a, (const char *)data + 1, first, data[0]);
        second += 5;
    } else {
        second = (const char *)data + 1;
    }
    size -= (size_t)(second - (const char *)data);
    if (data[0] & 1)
        round_of_ours(j, a, second, size);
    else
        (void)round_of_peer(j, a, second, size, data[0]);
    sl_jsep_destroy(j);
    sl_arena_destroy(a);
    return 0;
}
