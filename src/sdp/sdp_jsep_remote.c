#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UFRAG_MIN     4 /* RFC 8839 section 5.4 */
#define PWD_MIN       22
#define ICE_MAX       256
#define BYTES_OFFER   (256u << 10) /* the most that an operator may allow */
#define BYTES_LINE    (8u << 10) /* that each m-line of ours adds to what a description may have */
#define ERR(out, ...) (snprintf((out)->error, SL_SDP_ERROR_MAX, __VA_ARGS__), -EBADMSG)

static bool is_ice_text(const char *s, size_t min)
{
    size_t n = s ? strlen(s) : 0;

    if (n < min || n > ICE_MAX)
        return false;
    for (; *s; s++) {
        if (*s <= ' ' || *s > '~')
            return false;
    }
    return true;
}

/* ---- transport ------------------------------------------------------------------------------- */

/* Whether the offered m-line @i is to be used: port 0 is said of bundled lines too, and the first
 * line is where the transport is, unless it is left out of the group (a stopped transceiver). */
static bool is_offered(const struct sl_sdp *sdp, size_t i)
{
    const struct sl_sdp_section *s = &sdp->media[i];
    bool has_group, is_bundled = sl_sdp_is_bundled(sdp, s->mid, &has_group);

    return s->port || s->bundle_only || (i == 0 && (!has_group || is_bundled));
}

static const struct sl_sdp_fingerprint *fingerprint_best(const struct sl_sdp_section *s)
{
    static const char *const hashes[] = { "sha-256", "sha-384", "sha-512", "sha-1" };

    for (size_t h = 0; h < sizeof(hashes) / sizeof(hashes[0]); h++) {
        for (size_t i = 0; i < s->nfingerprints; i++) {
            if (!strcmp(s->fingerprints[i].hash, hashes[h]))
                return &s->fingerprints[i];
        }
    }
    return NULL;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; p && (p = strstr(p, word)); p += n) {
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    }
    return false;
}

static int transport_check(const struct sl_jsep *j, const struct jsep_round *r,
                           struct sl_jsep_remote *out)
{
    if (!is_ice_text(r->ufrag, UFRAG_MIN) || !is_ice_text(r->pwd, PWD_MIN))
        return ERR(out, "Error processing SDP (no usable ICE ufrag and pwd)");
    if (!r->fingerprint)
        return ERR(out, "Error processing SDP (no usable fingerprint)");
    if (r->setup == SL_SETUP_HOLDCONN || (r->ours && r->setup == SL_SETUP_ACTPASS))
        return ERR(out, "Error processing SDP (setup is neither active nor passive)");
    if (j->cur &&
        (strcmp(j->cur->hash, r->hash) != 0 || strcmp(j->cur->fingerprint, r->fingerprint) != 0))
        return ERR(out, "Error processing SDP (another fingerprint needs a new PeerConnection)");
    return 0;
}

/* Reads the transport of @sdp, which runs on m-line @t, into @r. */
static int transport_read(const struct sl_jsep *j, struct jsep_round *r, const struct sl_sdp *sdp,
                          size_t t, struct sl_jsep_remote *out)
{
    const struct sl_sdp_section *s = &sdp->session;
    const struct sl_sdp_section *m = t < sdp->nmedia ? &sdp->media[t] : s;
    const struct sl_sdp_fingerprint *fp = fingerprint_best(m);

    if (!fp)
        fp = fingerprint_best(s);
    r->transport = (uint16_t)(t < sdp->nmedia ? t : 0);
    r->ufrag = m->ufrag ? m->ufrag : s->ufrag;
    r->pwd = m->pwd ? m->pwd : s->pwd;
    r->hash = fp ? fp->hash : NULL;
    r->fingerprint = fp ? fp->value : NULL;
    r->setup = m->setup ? m->setup : s->setup;
    if (t >= sdp->nmedia && j->cur) { /* all media refused: the transport stays as it is */
        r->ufrag = r->ufrag ? r->ufrag : sl_arena_strdup(r->arena, j->cur->ufrag);
        r->pwd = r->pwd ? r->pwd : sl_arena_strdup(r->arena, j->cur->pwd);
        r->hash = r->hash ? r->hash : sl_arena_strdup(r->arena, j->cur->hash);
        if (!r->fingerprint)
            r->fingerprint = sl_arena_strdup(r->arena, j->cur->fingerprint);
    }
    return transport_check(j, r, out);
}

/* Tells the caller about it, in memory of @a. */
static int transport_tell(const struct sl_jsep *j, struct sl_arena *a, const struct jsep_round *r,
                          const struct sl_sdp *sdp, struct sl_jsep_remote *out)
{
    const struct sl_sdp_section *s = &sdp->session, *m = &sdp->media[r->transport];
    const char **candidates = sl_arena_alloc(a, m->ncandidates * sizeof(*candidates));

    out->update = j->cur != NULL;
    out->restart =
        j->cur && (strcmp(j->cur->ufrag, r->ufrag) != 0 || strcmp(j->cur->pwd, r->pwd) != 0);
    out->transport_mindex = r->transport;
    out->mid = sl_arena_strdup(a, r->lines[r->transport].mid);
    out->ufrag = sl_arena_strdup(a, r->ufrag);
    out->pwd = sl_arena_strdup(a, r->pwd);
    out->hash = sl_arena_strdup(a, r->hash);
    out->fingerprint = sl_arena_strdup(a, r->fingerprint);
    out->setup = r->setup;
    out->ice_lite = s->ice_lite;
    out->trickle = has_word(s->ice_options, "trickle") || has_word(m->ice_options, "trickle");
    out->end_of_candidates = m->end_of_candidates || s->end_of_candidates;
    if (!candidates || !out->mid || !out->ufrag || !out->pwd || !out->hash || !out->fingerprint)
        return -ENOMEM;
    for (size_t i = 0; i < m->ncandidates; i++) {
        candidates[i] = sl_arena_strdup(a, m->candidates[i]);
        if (!candidates[i])
            return -ENOMEM;
    }
    out->candidates = candidates;
    out->ncandidates = m->ncandidates;
    return 0;
}

/* ---- m-lines of an offer --------------------------------------------------------------------- */

/* SL_KIND_MAX: a kind, or a kind on a protocol, that we cannot do. */
static enum sl_kind section_kind(const struct sl_sdp_section *s)
{
    if (strstr(s->proto, "RTP/")) {
        if (!strcmp(s->type, "audio"))
            return SL_KIND_AUDIO;
        if (!strcmp(s->type, "video"))
            return SL_KIND_VIDEO;
    }
    if (!strcmp(s->type, "application") && strstr(s->proto, "DTLS/SCTP"))
        return SL_KIND_DATA;
    return SL_KIND_MAX;
}

/* Everything runs over one transport: a line with another one of its own cannot be had. */
static bool is_on_transport(const struct jsep_round *r, const struct sl_sdp *sdp, size_t i)
{
    const struct sl_sdp_section *s = &sdp->media[i];
    bool has_group, is_bundled = sl_sdp_is_bundled(sdp, s->mid, &has_group);

    if (i == r->transport || is_bundled)
        return true;
    return !has_group && (!s->ufrag || !strcmp(s->ufrag, r->ufrag));
}

/* The mid, and whether this m-line may be what it is at its place. */
static int line_identify(const struct sl_jsep *j, const struct jsep_round *r, size_t i,
                         struct jsep_line *l, struct sl_jsep_remote *out)
{
    const struct sl_sdp_section *s = l->remote;
    const struct jsep_line *old = j->cur && i < j->cur->n ? &j->cur->lines[i] : NULL;
    enum sl_kind kind = section_kind(s);

    if (s->mid)
        strcpy(l->mid, s->mid);
    else if (old)
        strcpy(l->mid, old->mid);
    else
        (void)snprintf(l->mid, sizeof(l->mid), "%u", (unsigned)i);
    for (size_t k = 0; k < i; k++) {
        if (!strcmp(r->lines[k].mid, l->mid))
            return ERR(out, "Invalid SDP (mid %s is there twice)", l->mid);
    }
    if (kind == SL_KIND_MAX) {
        l->refused = true;
        kind = SL_KIND_DATA;
    }
    l->kind = kind;
    if (old && !old->refused && strcmp(old->mid, l->mid) != 0)
        return ERR(out, "Invalid SDP (m-line %zu: mid changed from %s to %s)", i, old->mid, l->mid);
    if (old && !old->refused && old->kind != kind)
        return ERR(out, "Invalid SDP (m-line %zu: its type changed)", i);
    if (old && !strcmp(old->mid, l->mid)) {
        l->ssrc = old->ssrc;
        l->rtx_ssrc = old->rtx_ssrc;
    }
    return 0;
}

static int line_read(const struct sl_jsep *j, struct jsep_round *r, size_t i, bool lmh,
                     bool *has_data, struct sl_jsep_remote *out)
{
    const struct sl_sdp *sdp = r->remote;
    const struct sl_sdp_section *s = &sdp->media[i];
    struct jsep_line *l = &r->lines[i];
    int dir = s->dir >= 0 ? s->dir : sdp->session.dir >= 0 ? sdp->session.dir : SL_DIR_SENDRECV;
    int err;

    l->remote = s;
    l->type = s->type;
    l->proto = s->proto;
    l->fmt = s->fmts[0];
    l->rtx_pt = l->red_pt = SL_PT_NONE;
    err = line_identify(j, r, i, l, out);
    if (err)
        return err;
    if (!is_offered(sdp, i) || !is_on_transport(r, sdp, i))
        l->refused = true;
    if (l->kind == SL_KIND_DATA && !l->refused) {
        l->refused = *has_data;
        *has_data = true;
        dir = SL_DIR_SENDRECV;
    }
    l->dir = l->refused ? SL_DIR_INACTIVE : jsep_dir_reverse(dir);
    l->rsize = s->rtcp_rsize;
    l->ext_mixed = s->ext_mixed || sdp->session.ext_mixed;
    jsep_pick_exts(l, sdp, s, l->refused ? 0 : ~0u);
    jsep_pick_layers(l, s, l->ext_id[SL_EXT_RID] != 0, lmh);
    return 0;
}

static void copy_msid(char out[SL_MSID_MAX + 1], const char *text)
{
    if (text && strlen(text) <= SL_MSID_MAX)
        strcpy(out, text);
}

/* The offered line as plugins see it: all codecs that both know. */
static int line_tell(struct sl_arena *a, const struct jsep_line *l, struct sl_mline *out)
{
    const struct sl_sdp_section *s = l->remote;
    struct sl_mcodec *codecs;
    int err;

    jsep_view(l, out);
    if (s->nmsids) {
        if (strcmp(s->msids[0].stream, "-") != 0)
            copy_msid(out->stream, s->msids[0].stream);
        copy_msid(out->track, s->msids[0].track);
    }
    if (l->refused || !(l->dir & SL_DIR_RECV))
        out->nlayers = 0;
    if (l->refused || l->kind == SL_KIND_DATA)
        return 0;
    err = jsep_pick_codecs(a, s, l->kind, &codecs, &out->ncodecs);
    if (err)
        return err;
    out->codecs = codecs;
    out->red = l->kind == SL_KIND_AUDIO && jsep_has_red(s);
    return 0;
}

static int offer_lines(struct sl_jsep *j, struct sl_arena *a, struct jsep_round *r, bool lmh,
                       struct sl_jsep_remote *out)
{
    bool has_data = false;
    int err;

    for (size_t i = 0; i < r->n; i++) {
        err = line_read(j, r, i, lmh, &has_data, out);
        if (err)
            return err;
    }
    err = transport_tell(j, a, r, r->remote, out);
    if (err)
        return err;
    out->lines = sl_arena_alloc(a, r->n * sizeof(*out->lines));
    if (!out->lines)
        return -ENOMEM;
    out->nlines = r->n;
    for (size_t i = 0; i < r->n && !err; i++)
        err = line_tell(a, &r->lines[i], &out->lines[i]);
    return err;
}

static size_t bytes_max(const struct sl_jsep *j)
{
    size_t n = j->next && j->next->ours ? j->next->n : j->cur ? j->cur->n : 0;

    return BYTES_OFFER + n * BYTES_LINE;
}

static int offer_read(struct sl_jsep *j, struct sl_arena *a, struct jsep_round *r, const char *text,
                      size_t len, bool lmh, struct sl_jsep_remote *out)
{
    struct sl_sdp *sdp;
    size_t t = 0;
    int err = sl_sdp_parse(r->arena, text, len, bytes_max(j), &sdp, out->error);

    if (err)
        return err;
    r->remote = sdp;
    r->n = sdp->nmedia;
    if (j->cur && r->n < j->cur->n)
        return ERR(out, "Invalid SDP (%zu m-lines where there were %zu)", r->n, j->cur->n);
    while (t < r->n && !is_offered(sdp, t))
        t++;
    err = transport_read(j, r, sdp, t, out);
    if (err)
        return err;
    r->lines = sl_arena_alloc(r->arena, r->n * sizeof(*r->lines));
    if (!r->lines)
        return -ENOMEM;
    return offer_lines(j, a, r, lmh, out);
}

int jsep_remote_offer(struct sl_jsep *j, struct sl_arena *a, const char *sdp, size_t len, bool lmh,
                      struct sl_jsep_remote *out)
{
    struct jsep_round *r = jsep_round_create(false);
    int err;

    if (!r)
        return -ENOMEM;
    err = offer_read(j, a, r, sdp, len, lmh, out);
    if (err) {
        jsep_round_destroy(r);
        return err;
    }
    out->dropped = sl_jsep_awaits_answer(j);
    jsep_round_destroy(j->next);
    j->next = r;
    return 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool answer_fits(const struct sl_mcodec *c, const struct sl_sdp_section *s,
                        enum sl_codec codec, uint8_t pt)
{
    const char *fmtp = sl_sdp_fmtp_get(s, pt);

    return c->codec == codec && sl_sdp_codec_is_compatible(codec, c->fmtp, fmtp ? fmtp : c->fmtp);
}

/* Of several codecs that we offered, the one that comes first in the answer. The same payload type
 * is the surest sign; another one for the same codec is taken, too. */
static void answer_choose(struct jsep_line *l, const struct sl_sdp_section *s)
{
    const struct jsep_codec *best = NULL;
    size_t n = l->nmore;

    l->nmore = 0;
    for (size_t i = 0; n && i < s->nfmts && !best; i++) {
        uint8_t pt = sl_sdp_fmt_pt(s, i);
        enum sl_codec codec = pt == SL_PT_NONE ? SL_CODEC_NONE : sl_sdp_codec_of(s, l->kind, pt);

        if (codec == SL_CODEC_NONE)
            continue;
        if (pt == l->codec.pt && answer_fits(&l->codec, s, codec, pt))
            return;
        for (size_t k = 0; k < n && !best; k++) {
            if (l->more[k].codec.pt == pt && answer_fits(&l->more[k].codec, s, codec, pt))
                best = &l->more[k];
        }
        if (!best && answer_fits(&l->codec, s, codec, pt))
            return;
        for (size_t k = 0; k < n && !best; k++) {
            if (answer_fits(&l->more[k].codec, s, codec, pt))
                best = &l->more[k];
        }
    }
    if (best)
        jsep_line_codec(l, best);
}

/* The payload type in the answer of the codec that we offered, or SL_PT_NONE. */
static uint8_t answer_pt(const struct jsep_line *l, const struct sl_sdp_section *s)
{
    uint8_t best = SL_PT_NONE;

    for (size_t i = 0; i < s->nfmts; i++) {
        uint8_t pt = sl_sdp_fmt_pt(s, i);
        const char *fmtp = sl_sdp_fmtp_get(s, pt);

        if (pt == SL_PT_NONE || sl_sdp_codec_of(s, l->kind, pt) != l->codec.codec ||
            !sl_sdp_codec_is_compatible(l->codec.codec, l->codec.fmtp, fmtp ? fmtp : l->codec.fmtp))
            continue;
        if (pt == l->codec.pt)
            return pt;
        if (best == SL_PT_NONE)
            best = pt;
    }
    return best;
}

static void answer_exts(struct jsep_line *l, const struct sl_sdp *sdp)
{
    uint8_t offered[SL_EXT_MAX];

    memcpy(offered, l->ext_id, sizeof(offered));
    jsep_pick_exts(l, sdp, l->remote, jsep_exts(l));
    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (l->ext_id[e] != offered[e])
            l->ext_id[e] = 0;
    }
}

static int answer_line(struct jsep_line *l, const struct sl_sdp *sdp, size_t i, bool lmh,
                       struct sl_jsep_remote *out)
{
    const struct sl_sdp_section *s = &sdp->media[i];
    int dir = s->dir >= 0 ? s->dir : sdp->session.dir >= 0 ? sdp->session.dir : SL_DIR_SENDRECV;

    if (s->mid && strcmp(s->mid, l->mid) != 0)
        return ERR(out, "Invalid SDP (m-line %zu: mid %s answered as %s)", i, l->mid, s->mid);
    if (strcmp(s->type, l->type) != 0)
        return ERR(out, "Invalid SDP (m-line %zu: %s answered as %s)", i, l->type, s->type);
    l->remote = s;
    l->refused = l->refused || !s->port || section_kind(s) != l->kind;
    if (l->kind != SL_KIND_DATA) {
        uint8_t pt;

        answer_choose(l, s);
        pt = answer_pt(l, s);
        l->dir &= jsep_dir_reverse(dir);
        if (pt == SL_PT_NONE && l->dir != SL_DIR_INACTIVE)
            l->refused = true;
        if (pt != SL_PT_NONE)
            l->codec.pt = pt;
        if (l->rtx_pt != SL_PT_NONE)
            l->rtx_pt = sl_sdp_rtx_of(s, l->codec.pt);
        if (l->red_pt != SL_PT_NONE)
            l->red_pt = sl_sdp_red_of(s, l->codec.pt);
        l->ext_mixed = s->ext_mixed || sdp->session.ext_mixed;
        answer_exts(l, sdp);
        jsep_pick_feedback(l, s);
        jsep_pick_layers(l, s, false, lmh);
    }
    if (l->refused)
        l->dir = SL_DIR_INACTIVE;
    return 0;
}

/* @lines, in @a: as they are with the answer. Changes the open round only in fields that a failed
 * answer may leave behind: the transport. */
static int answer_read(struct sl_jsep *j, struct sl_arena *a, const char *text, size_t len,
                       bool lmh, struct sl_jsep_remote *out, struct jsep_line **lines)
{
    struct jsep_round *r = j->next;
    struct sl_sdp *sdp;
    size_t t = 0;
    int err = sl_sdp_parse(r->arena, text, len, bytes_max(j), &sdp, out->error);

    if (err)
        return err;
    if (sdp->nmedia != r->n)
        return ERR(out, "Invalid SDP (%zu m-lines answered as %zu)", r->n, sdp->nmedia);
    *lines = sl_arena_grow(a, r->lines, r->n * sizeof(**lines), r->n * sizeof(**lines));
    if (!*lines)
        return -ENOMEM;
    for (size_t i = 0; i < r->n; i++) {
        err = answer_line(&(*lines)[i], sdp, i, lmh, out);
        if (err)
            return err;
    }
    while (t < r->n && (*lines)[t].refused)
        t++;
    err = transport_read(j, r, sdp, t, out);
    if (err)
        return err;
    r->remote = sdp;
    return transport_tell(j, a, r, sdp, out);
}

int jsep_remote_answer(struct sl_jsep *j, struct sl_arena *a, const char *sdp, size_t len, bool lmh,
                       struct sl_jsep_remote *out)
{
    struct jsep_round *r = j->next;
    struct jsep_line *lines;
    int err;

    if (!sl_jsep_awaits_answer(j)) {
        (void)snprintf(out->error, sizeof(out->error), "Unexpected ANSWER (no OFFER)");
        return -EPROTO;
    }
    err = answer_read(j, a, sdp, len, lmh, out, &lines);
    if (err)
        return err;
    out->lines = jsep_views(a, lines, r->n);
    if (!out->lines)
        return -ENOMEM;
    out->nlines = r->n;
    if (!j->cur)
        j->dtls_client = r->setup == SL_SETUP_PASSIVE;
    memcpy(r->lines, lines, r->n * sizeof(*lines));
    for (size_t i = 0; i < r->n; i++)
        jsep_view(&r->lines[i], &r->views[i]);
    jsep_round_complete(j, r->lines, r->views);
    return 0;
}
