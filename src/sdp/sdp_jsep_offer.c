#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sluice/codec.h>

/*
 * The numbers of an offer. With BUNDLE a payload type or an extension id means the same in all
 * m-lines: browsers refuse a payload type that stands for two configurations. What was negotiated
 * keeps its number.
 */
struct numbers {
    struct {
        enum sl_codec codec; /* SL_CODEC_NONE: free, or RTX */
        const char *fmtp;
        bool is_taken;
        uint8_t rtx; /* of this codec; SL_PT_NONE: none yet */
    } pt[128];
    uint8_t ext_id[SL_EXT_MAX]; /* 0: none yet */
    bool ext_taken[256];
};

static void numbers_claim(struct numbers *n, uint8_t pt, enum sl_codec codec, const char *fmtp)
{
    if (pt < 128 && !n->pt[pt].is_taken) {
        n->pt[pt].is_taken = true;
        n->pt[pt].codec = codec;
        n->pt[pt].fmtp = fmtp;
        n->pt[pt].rtx = SL_PT_NONE;
    }
}

static bool numbers_has(const struct numbers *n, uint8_t pt, enum sl_codec codec, const char *fmtp)
{
    return pt < 128 && n->pt[pt].is_taken && n->pt[pt].codec == codec && n->pt[pt].fmtp &&
           !strcmp(n->pt[pt].fmtp, fmtp);
}

static bool pt_is_default(uint8_t pt)
{
    for (int c = SL_CODEC_NONE + 1; c < SL_CODEC_MAX; c++) {
        if (sl_codec_info_get((enum sl_codec)c)->pt == pt)
            return true;
    }
    return false;
}

/* The first free dynamic number from @from on, then from the start of each range. */
static uint8_t pt_free(const struct numbers *n, uint8_t from)
{
    for (unsigned pt = from; pt < 128; pt++) {
        if (pt >= 96 && !n->pt[pt].is_taken && !pt_is_default((uint8_t)pt))
            return (uint8_t)pt;
    }
    for (unsigned pt = 96; pt < 128; pt++) {
        if (!n->pt[pt].is_taken && !pt_is_default((uint8_t)pt))
            return (uint8_t)pt;
    }
    for (unsigned pt = 35; pt < 64; pt++) { /* RFC 5761 section 4 leaves them to RTP */
        if (!n->pt[pt].is_taken)
            return (uint8_t)pt;
    }
    return SL_PT_NONE;
}

/* When peers made up so many configurations that numbers are used up: one that fits, else the
 * default, whatever it stands for by now. */
static uint8_t pt_share(const struct numbers *n, enum sl_codec codec, const char *fmtp)
{
    for (unsigned i = 0; i < 128; i++) {
        if (n->pt[i].is_taken && n->pt[i].codec == codec &&
            sl_sdp_codec_is_compatible(codec, n->pt[i].fmtp, fmtp))
            return (uint8_t)i;
    }
    return sl_codec_info_get(codec)->pt;
}

/* The number of a codec with its parameters: the one it has, its default, or a free one. */
static uint8_t pt_assign(struct numbers *n, enum sl_codec codec, const char *fmtp)
{
    uint8_t pt = sl_codec_info_get(codec)->pt;

    for (unsigned i = 0; i < 128; i++) {
        if (numbers_has(n, (uint8_t)i, codec, fmtp))
            return (uint8_t)i;
    }
    if (n->pt[pt].is_taken)
        pt = pt_free(n, 112); /* leaves those behind the defaults to RTX */
    if (pt == SL_PT_NONE)
        return pt_share(n, codec, fmtp);
    numbers_claim(n, pt, codec, fmtp);
    return pt;
}

static uint8_t rtx_assign(struct numbers *n, uint8_t pt)
{
    if (n->pt[pt].rtx == SL_PT_NONE) {
        uint8_t rtx = pt_free(n, (uint8_t)(pt + 1));

        numbers_claim(n, rtx, SL_CODEC_NONE, NULL);
        n->pt[pt].rtx = rtx;
    }
    return n->pt[pt].rtx;
}

/* What the current round has in use. */
static void numbers_seed(struct numbers *n, const struct sl_jsep *j, struct sl_arena *a)
{
    const char *fmtp;

    memset(n, 0, sizeof(*n));
    for (size_t i = 0; j->cur && i < j->cur->n; i++) {
        const struct jsep_line *l = &j->cur->lines[i];

        if (l->refused || l->codec.codec == SL_CODEC_NONE)
            continue;
        numbers_claim(n, l->codec.pt, l->codec.codec, l->codec.fmtp);
        if (numbers_has(n, l->codec.pt, l->codec.codec, l->codec.fmtp) && l->rtx_pt < 128 &&
            n->pt[l->codec.pt].rtx == SL_PT_NONE && !n->pt[l->rtx_pt].is_taken) {
            numbers_claim(n, l->rtx_pt, SL_CODEC_NONE, NULL);
            n->pt[l->codec.pt].rtx = l->rtx_pt;
        }
        if (l->red_pt < 128 && (fmtp = sl_arena_printf(a, "%u/%u", l->codec.pt, l->codec.pt)))
            numbers_claim(n, l->red_pt, SL_CODEC_RED, fmtp);
        for (size_t e = 0; e < l->remote->nextmaps; e++) {
            if (l->remote->extmaps[e].id < 256)
                n->ext_taken[l->remote->extmaps[e].id] = true;
        }
        for (int e = 0; e < SL_EXT_MAX; e++) {
            if (!n->ext_id[e])
                n->ext_id[e] = l->ext_id[e];
        }
    }
    for (int e = 0; e < SL_EXT_MAX; e++)
        n->ext_taken[n->ext_id[e]] = true;
}

static uint8_t ext_assign(struct numbers *n, enum sl_ext e)
{
    uint8_t id = sl_sdp_ext_default_id(e);

    if (n->ext_id[e])
        return n->ext_id[e];
    if (n->ext_taken[id]) {
        for (id = 1; id <= 14 && (n->ext_taken[id]); id++)
            ;
        if (id > 14)
            return 0; /* no more one-byte ids: left out */
    }
    n->ext_taken[id] = true;
    n->ext_id[e] = id;
    return id;
}

/* ---- m-lines --------------------------------------------------------------------------------- */

static bool mid_is_taken(const struct sl_jsep *j, const struct jsep_line *lines, size_t n,
                         size_t self, const char *mid)
{
    for (size_t i = 0; i < n; i++) {
        if (i != self && !strcmp(lines[i].mid, mid))
            return true;
    }
    for (size_t i = 0; j->cur && i < j->cur->n; i++) {
        if (!strcmp(j->cur->lines[i].mid, mid))
            return true;
    }
    return false;
}

/* Whether line @old sends on under its SSRCs. One that rested gets new ones: libwebrtc forgets the
 * renderer of a stream that stops, and does not connect it again for an SSRC that it knew. */
static bool keeps_ssrcs(const struct jsep_line *old, const struct sl_mline *wish)
{
    return (old->dir & SL_DIR_SEND) || !(wish->dir & SL_DIR_SEND);
}

/* The mid of line @i, and what stays of a line that was there before. @lines up to @i are done. */
static int line_identify(const struct sl_jsep *j, struct jsep_line *lines, size_t i,
                         const struct sl_mline *wish)
{
    const struct jsep_line *old = j->cur && i < j->cur->n ? &j->cur->lines[i] : NULL;
    struct jsep_line *l = &lines[i];
    bool recycles = old && old->refused && !wish->rejected;

    if (old && old->kind != wish->kind && !wish->rejected)
        return -EINVAL;
    if (old && (!recycles || !strcmp(wish->mid, old->mid))) {
        if (*wish->mid && strcmp(wish->mid, old->mid) != 0)
            return -EINVAL;
        strcpy(l->mid, old->mid);
        if (keeps_ssrcs(old, wish)) {
            l->ssrc = old->ssrc;
            l->rtx_ssrc = old->rtx_ssrc;
        }
        l->kind = old->kind;
        return 0;
    }
    l->kind = wish->kind;
    if (*wish->mid) {
        strcpy(l->mid, wish->mid);
        return mid_is_taken(j, lines, i, i, l->mid) ? -EINVAL : 0;
    }
    for (unsigned k = (unsigned)i; k < i + 2 * SL_SDP_MLINES_MAX + 2; k++) {
        (void)snprintf(l->mid, sizeof(l->mid), "%u", k);
        if (!mid_is_taken(j, lines, i, i, l->mid))
            return 0;
    }
    return -EINVAL;
}

/* The parameters as given, or from the profile alone. */
static void codec_fmtp(struct sl_mcodec *c)
{
    if (*c->fmtp)
        return;
    if (c->codec == SL_CODEC_H264)
        (void)snprintf(c->fmtp, sizeof(c->fmtp),
                       "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=%s",
                       *c->profile ? c->profile : "42e01f");
    else if (c->codec == SL_CODEC_VP9 && *c->profile)
        (void)snprintf(c->fmtp, sizeof(c->fmtp), "profile-id=%s", c->profile);
}

static int offer_codec(struct jsep_round *r, enum sl_kind kind, struct jsep_codec *c,
                       struct numbers *n, bool red)
{
    c->rtx_pt = c->red_pt = SL_PT_NONE;
    c->channels = sl_sdp_codec_get(c->codec.codec)->channels;
    codec_fmtp(&c->codec);
    c->codec.pt = pt_assign(n, c->codec.codec, c->codec.fmtp);
    if (kind == SL_KIND_VIDEO)
        c->rtx_pt = rtx_assign(n, c->codec.pt);
    if (red && c->codec.codec == SL_CODEC_OPUS) {
        const char *fmtp = sl_arena_printf(r->arena, "%u/%u", c->codec.pt, c->codec.pt);

        if (!fmtp)
            return -ENOMEM;
        c->red_pt = pt_assign(n, SL_CODEC_RED, fmtp);
    }
    return 0;
}

static bool pt_is_listed(const struct jsep_line *l, uint8_t pt)
{
    for (size_t i = 0; i < l->nmore; i++) {
        if (l->more[i].codec.pt == pt)
            return true;
    }
    return l->codec.pt == pt;
}

/* What the peer may choose instead of the first codec. */
static int offer_more(struct jsep_round *r, struct jsep_line *l, const struct sl_mline *wish,
                      struct numbers *n)
{
    struct jsep_codec *more;

    if (wish->ncodecs < 2)
        return 0;
    more = sl_arena_alloc(r->arena, (wish->ncodecs - 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    l->more = more;
    for (size_t i = 1; i < wish->ncodecs; i++) {
        struct jsep_codec *c = &more[l->nmore];
        int err;

        if (!jsep_codec_is_sound(&wish->codecs[i], l->kind))
            return -EINVAL;
        c->codec = wish->codecs[i];
        err = offer_codec(r, l->kind, c, n, wish->red);
        if (err)
            return err;
        if (!pt_is_listed(l, c->codec.pt)) /* numbers are used up, or it was listed twice */
            l->nmore++;
    }
    return 0;
}

/* What audio and video have beyond data. */
static int offer_media(struct sl_jsep *j, struct jsep_round *r, struct jsep_line *l,
                       const struct jsep_line *old, const struct sl_mline *wish, struct numbers *n)
{
    uint32_t exts = wish->exts & sl_sdp_ext_offerable(l->kind);
    struct jsep_codec first = { 0 };
    int err;

    if (wish->ncodecs)
        first.codec = wish->codecs[0];
    else if (old && l->dir == SL_DIR_INACTIVE) /* an unused line keeps the codec it had */
        first.codec = old->codec;
    if (!jsep_codec_is_sound(&first.codec, l->kind))
        return -EINVAL;
    err = offer_codec(r, l->kind, &first, n, wish->red);
    if (err)
        return err;
    jsep_line_codec(l, &first);
    err = offer_more(r, l, wish, n);
    if (err)
        return err;
    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (exts & SL_EXT_BIT(e))
            l->ext_id[e] = ext_assign(n, (enum sl_ext)e);
    }
    l->nack = l->pli = l->fir = l->remb = l->kind == SL_KIND_VIDEO;
    l->twcc = l->ext_id[SL_EXT_TWCC] != 0;
    return jsep_ssrcs(j, r, l, false);
}

static int offer_line(struct sl_jsep *j, struct jsep_round *r, size_t i,
                      const struct sl_mline *wish, struct numbers *n)
{
    static const char *const types[] = { "audio", "video", "application" };
    struct jsep_line *l = &r->lines[i];
    const struct jsep_line *old;
    int err;

    l->rtx_pt = l->red_pt = SL_PT_NONE;
    memset(l->ext_dir, SL_SDP_DIR_NONE, sizeof(l->ext_dir));
    err = line_identify(j, r->lines, i, wish);
    if (err)
        return err;
    old = jsep_line_before(j, i, l->mid);
    l->type = types[l->kind];
    l->proto = l->kind == SL_KIND_DATA ? "UDP/DTLS/SCTP" : "UDP/TLS/RTP/SAVPF";
    if (old && old->proto && !old->refused)
        l->proto = sl_arena_strdup(r->arena, old->proto);
    if (!l->proto)
        return -ENOMEM;
    l->fmt = l->kind != SL_KIND_DATA              ? "0"
             : strcmp(l->proto, "DTLS/SCTP") == 0 ? "5000"
                                                  : "webrtc-datachannel";
    l->refused = wish->rejected;
    if (l->refused)
        return 0;
    l->ext_mixed = l->rsize = true;
    l->dir = wish->dir;
    jsep_line_wishes(l, wish);
    if (l->kind == SL_KIND_DATA) {
        l->dir = SL_DIR_SENDRECV;
        return 0;
    }
    return offer_media(j, r, l, old, wish, n);
}

static int offer_lines(struct sl_jsep *j, struct jsep_round *r, const struct sl_mline *wishes)
{
    struct numbers n;

    numbers_seed(&n, j, r->arena);
    r->lines = sl_arena_alloc(r->arena, r->n * sizeof(*r->lines));
    if (!r->lines)
        return -ENOMEM;
    for (size_t i = 0; i < r->n; i++) {
        int err = jsep_wish_is_sound(&wishes[i]) ? offer_line(j, r, i, &wishes[i], &n) : -EINVAL;

        if (err)
            return err;
    }
    r->views = jsep_views(r->arena, r->lines, r->n);
    return r->views ? 0 : -ENOMEM;
}

int jsep_local_offer(struct sl_jsep *j, const struct sl_mline *wishes, size_t n)
{
    struct jsep_round *r;
    int err;

    if (j->next)
        return -EBUSY;
    if (j->cur && n < j->cur->n)
        return -EINVAL;
    r = jsep_round_create(true);
    if (!r)
        return -ENOMEM;
    r->n = n;
    err = offer_lines(j, r, wishes);
    if (err) {
        jsep_round_destroy(r);
        return err;
    }
    r->version = ++j->version;
    j->next = r;
    return 0;
}
