#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MESSAGE_MAX 262144 /* bytes of a data channel message that we take */

/* A description under construction. Running out of memory sticks. */
struct writer {
    const struct sl_jsep *jsep;
    const struct jsep_round *round;
    const struct sl_sdp_transport *t;
    struct sl_arena *arena;
    struct sl_sdp *sdp;
    struct sl_sdp_section *s; /* the m-line being made */
    const char *conn;
    enum sl_sdp_setup setup;
    bool failed;
};

/* Appends to an array of the section; assigns only when there is room. */
#define ADD(w, section, array, ...)                                                                \
    do {                                                                                           \
        __typeof__((section)->array) slot_ =                                                       \
            SL_SDP_PUSH((w)->arena, (section)->array, (section)->n##array);                        \
        if (slot_)                                                                                 \
            *slot_ = (__typeof__(*slot_))__VA_ARGS__;                                              \
        else                                                                                       \
            (w)->failed = true;                                                                    \
    } while (0)

static const char *text(struct writer *w, const char *s)
{
    w->failed = w->failed || !s;
    return s ? s : "";
}

#define TEXT(w, ...) text(w, sl_arena_printf((w)->arena, __VA_ARGS__))

static void add_fmt(struct writer *w, uint8_t pt)
{
    ADD(w, w->s, fmts, (const char *){ TEXT(w, "%u", pt) });
}

/* ---- parts of an m-line ---------------------------------------------------------------------- */

static void write_red(struct writer *w, const struct jsep_line *l, const struct jsep_codec *c)
{
    const char *fmtp = l->remote ? sl_sdp_fmtp_get(l->remote, c->red_pt) : NULL;

    if (!w->round->ours && !fmtp)
        fmtp = "";
    else if (!fmtp)
        fmtp = TEXT(w, "%u/%u", c->codec.pt, c->codec.pt);
    ADD(w, w->s, rtpmaps, { c->red_pt, "red", 48000, 2 });
    if (*fmtp)
        ADD(w, w->s, fmtps, { c->red_pt, fmtp });
}

static void write_codec(struct writer *w, const struct jsep_line *l, const struct jsep_codec *jc)
{
    const struct sl_sdp_codec *c = sl_sdp_codec_get(jc->codec.codec);
    uint8_t pt = jc->codec.pt;
    /* What comes first is what the peer sends. Where it sends nothing, those who do not know RED
     * find first what they know. */
    bool red_first = !w->round->ours || (l->dir & SL_DIR_RECV);

    if (jc->red_pt != SL_PT_NONE && red_first)
        add_fmt(w, jc->red_pt);
    add_fmt(w, pt);
    if (jc->red_pt != SL_PT_NONE && !red_first)
        add_fmt(w, jc->red_pt);
    if (jc->red_pt != SL_PT_NONE)
        write_red(w, l, jc);
    ADD(w, w->s, rtpmaps, { pt, c->name, c->clock, jc->channels });
    if (*jc->codec.fmtp)
        ADD(w, w->s, fmtps, { pt, text(w, sl_arena_strdup(w->arena, jc->codec.fmtp)) });
    if (jc->rtx_pt != SL_PT_NONE) {
        add_fmt(w, jc->rtx_pt);
        ADD(w, w->s, rtpmaps, { jc->rtx_pt, "rtx", c->clock, 0 });
        ADD(w, w->s, fmtps, { jc->rtx_pt, TEXT(w, "apt=%u", pt) });
    }
}

static void write_feedback(struct writer *w, const struct jsep_line *l, uint8_t pt)
{
    const struct {
        bool has;
        const char *type;
    } fbs[] = {
        { l->fir, "ccm fir" },    { l->nack, "nack" },         { l->pli, "nack pli" },
        { l->remb, "goog-remb" }, { l->twcc, "transport-cc" }, { l->ccfb, "ack ccfb" },
    };

    for (size_t i = 0; i < sizeof(fbs) / sizeof(fbs[0]); i++) {
        if (fbs[i].has)
            ADD(w, w->s, fbs, { pt, fbs[i].type });
    }
}

static void write_codecs(struct writer *w, const struct jsep_line *l)
{
    const struct jsep_codec first = { l->codec, l->channels, l->rtx_pt, l->red_pt };

    write_codec(w, l, &first);
    for (size_t i = 0; i < l->nmore; i++)
        write_codec(w, l, &l->more[i]);
    write_feedback(w, l, l->codec.pt);
    for (size_t i = 0; i < l->nmore; i++)
        write_feedback(w, l, l->more[i].codec.pt);
}

static void write_exts(struct writer *w, const struct jsep_line *l)
{
    /* In the order of the ids. */
    for (unsigned id = 1; id < 256; id++) {
        for (int e = 0; e < SL_EXT_MAX; e++) {
            if (l->ext_id[e] == id)
                ADD(w, w->s, extmaps,
                    { (uint16_t)id, l->ext_dir[e], sl_sdp_ext_uri((enum sl_ext)e), NULL });
        }
    }
}

static void write_ssrcs(struct writer *w, const struct jsep_line *l)
{
    const char *cname = w->jsep->cname;

    if (l->dir == SL_DIR_INACTIVE)
        return;
    if (*l->stream || *l->track)
        ADD(w, w->s, msids, { *l->stream ? l->stream : "-", *l->track ? l->track : NULL });
    else
        ADD(w, w->s, msids, { "janus", TEXT(w, "janus%s", l->mid) });
    if (!l->ssrc || (w->round->ours && !(l->dir & SL_DIR_SEND)))
        return;
    ADD(w, w->s, ssrcs, { l->ssrc, "cname", cname });
    if (l->rtx_ssrc && l->rtx_pt != SL_PT_NONE && (l->dir & SL_DIR_SEND)) {
        struct sl_sdp_ssrc_group g = { .semantics = "FID" };
        uint32_t *pair = sl_arena_alloc(w->arena, 2 * sizeof(*pair));

        if (!pair) {
            w->failed = true;
            return;
        }
        pair[0] = l->ssrc;
        pair[1] = l->rtx_ssrc;
        g.ssrcs = pair;
        g.n = 2;
        ADD(w, w->s, ssrc_groups, g);
        ADD(w, w->s, ssrcs, { l->rtx_ssrc, "cname", cname });
    }
}

/* The rids that the peer offered to send, in its order. */
static void write_layers(struct writer *w, const struct jsep_line *l)
{
    for (size_t i = 0; i < l->nlayers; i++) {
        const char *rid = l->rid[l->rid_lmh ? i : l->nlayers - 1u - i];
        struct sl_sdp_stream *st;

        if (!*rid)
            return; /* told by SSRC */
        ADD(w, w->s, rids, { rid, false, NULL });
        if (!w->s->sim_recv.n && !l->remote->sim_send.n)
            continue;
        st = SL_SDP_PUSH(w->arena, w->s->sim_recv.streams, w->s->sim_recv.n);
        if (st)
            *st = (struct sl_sdp_stream){ .rid = rid };
        else
            w->failed = true;
    }
}

static void write_bandwidth(struct writer *w, const struct jsep_line *l)
{
    if (!l->max_bitrate)
        return;
    ADD(w, w->s, bws, { "AS", (l->max_bitrate + 999) / 1000 });
    ADD(w, w->s, bws, { "TIAS", l->max_bitrate });
}

static void write_data(struct writer *w, const struct jsep_line *l)
{
    bool is_old = l->proto && !strcmp(l->proto, "DTLS/SCTP");

    if (is_old) {
        ADD(w, w->s, fmts, (const char *){ l->fmt });
        w->s->sctpmap = TEXT(w, "%s webrtc-datachannel 1024", l->fmt);
        return;
    }
    ADD(w, w->s, fmts, (const char *){ "webrtc-datachannel" });
    w->s->has_sctp_port = w->s->has_max_message = true;
    w->s->sctp_port = 5000;
    w->s->max_message = MESSAGE_MAX;
}

/* ---- m-lines and the whole ------------------------------------------------------------------- */

static void write_transport(struct writer *w)
{
    w->s->ufrag = w->t->ufrag;
    w->s->pwd = w->t->pwd;
    w->s->ice_options = "trickle";
    w->s->setup = w->setup;
    for (size_t i = 0; i < w->t->ncandidates; i++) {
        const char *c = w->t->candidates[i];

        ADD(w, w->s, candidates, (const char *){ strncmp(c, "candidate:", 10) ? c : c + 10 });
    }
    w->s->end_of_candidates = w->t->end_of_candidates;
}

static void write_line(struct writer *w, const struct jsep_line *l)
{
    w->s->type = l->type;
    w->s->proto = l->proto;
    w->s->conn = w->conn;
    w->s->mid = l->mid;
    w->s->dir = l->dir;
    if (l->refused) {
        w->s->dir = SL_DIR_INACTIVE;
        ADD(w, w->s, fmts, (const char *){ strcmp(l->type, "application") ? "0" : l->fmt });
        return;
    }
    w->s->port = 9;
    write_transport(w);
    if (l->kind == SL_KIND_DATA) {
        write_data(w, l);
        return;
    }
    w->s->rtcp_mux = true;
    w->s->rtcp_rsize = l->rsize;
    w->s->ext_mixed = l->ext_mixed && !w->sdp->session.ext_mixed;
    write_bandwidth(w, l);
    write_codecs(w, l);
    write_exts(w, l);
    write_ssrcs(w, l);
    write_layers(w, l);
}

/* All m-lines that are not refused, if the peer can bundle at all. */
static void write_bundle(struct writer *w)
{
    const struct jsep_round *r = w->round;
    struct sl_sdp_group g = { .semantics = "BUNDLE" };
    bool has_group = true;

    if (!r->ours)
        (void)sl_sdp_is_bundled(r->remote, NULL, &has_group);
    if (!has_group)
        return;
    for (size_t i = 0; i < r->n; i++) {
        const char **mid;

        if (r->lines[i].refused)
            continue;
        mid = SL_SDP_PUSH(w->arena, g.mids, g.n);
        if (!mid) {
            w->failed = true;
            return;
        }
        *mid = r->lines[i].mid;
    }
    if (g.n)
        ADD(w, &w->sdp->session, groups, g);
}

static void write_session(struct writer *w)
{
    struct sl_sdp *sdp = w->sdp;
    const struct jsep_round *r = w->round;
    bool is_v6 = strchr(w->t->address, ':') != NULL;

    w->conn = TEXT(w, "IN IP%c %s", is_v6 ? '6' : '4', w->t->address);
    sdp->origin.user = "-";
    sdp->origin.addr = w->conn;
    if (r->ours) {
        sdp->origin.id = TEXT(w, "%" PRIu64, w->jsep->conf.session_id);
        sdp->origin.version = TEXT(w, "%" PRIu64, r->version);
    } else {
        sdp->origin.id = r->remote->origin.id;
        sdp->origin.version = r->remote->origin.version;
    }
    sdp->name = w->t->session_name ? w->t->session_name : "Sluice";
    ADD(w, &sdp->session, lines, { 't', "0 0" });
    write_bundle(w);
    sdp->session.dir = SL_SDP_DIR_NONE;
    sdp->session.ice_lite = w->t->ice_lite;
    sdp->session.ice_options = "trickle";
    ADD(w, &sdp->session, fingerprints, { w->t->hash, w->t->fingerprint });
    sdp->session.ext_mixed = r->ours || r->remote->session.ext_mixed;
    ADD(w, &sdp->session, attrs, { "msid-semantic", " WMS *" });
}

static void write_all(struct writer *w)
{
    write_session(w);
    for (size_t i = 0; i < w->round->n && !w->failed; i++) {
        w->s = SL_SDP_PUSH(w->arena, w->sdp->media, w->sdp->nmedia);
        if (!w->s) {
            w->failed = true;
            return;
        }
        memset(w->s, 0, sizeof(*w->s));
        write_line(w, &w->round->lines[i]);
    }
}

int sl_jsep_write_local(const struct sl_jsep *j, const struct sl_sdp_transport *t,
                        struct sl_strbuf *out)
{
    struct writer w = { .jsep = j, .t = t };
    int err = 0;

    w.round = sl_jsep_awaits_answer(j) ? j->next : j->cur;
    if (!w.round || (w.round == j->cur && w.round->ours))
        return -EINVAL;
    w.setup = w.round->ours    ? SL_SETUP_ACTPASS
              : j->dtls_client ? SL_SETUP_ACTIVE
                               : SL_SETUP_PASSIVE;
    w.arena = sl_arena_create();
    w.sdp = w.arena ? sl_arena_alloc(w.arena, sizeof(*w.sdp)) : NULL;
    w.failed = !w.sdp;
    if (!w.failed)
        write_all(&w);
    if (!w.failed)
        sl_sdp_write(w.sdp, out);
    if (w.failed || out->failed)
        err = -ENOMEM;
    sl_arena_destroy(w.arena);
    return err;
}
