/*
 * vc_media.c - the m-lines of a call: one user's offer becomes ours to the other, the other's
 * answer becomes ours to the first.
 */
#include "vc.h"
#include <errno.h>
#include <stdlib.h>

#define VC_EXTS                                                                                    \
    (SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_RID) | SL_EXT_BIT(SL_EXT_RRID) |                   \
     SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_VIDEO_ORIENTATION) |                       \
     SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY) | SL_EXT_BIT(SL_EXT_TWCC) |                                  \
     SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR) | SL_EXT_BIT(SL_EXT_ABS_SEND_TIME) |                 \
     SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME) | SL_EXT_BIT(SL_EXT_VIDEO_LAYERS_ALLOCATION) |            \
     SL_EXT_BIT(SL_EXT_COLOR_SPACE) | SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL))

struct vc_desc {
    bool e2ee, restart;
    size_t n;
    struct sl_mcodec *codecs; /* of all lines */
    struct sl_mline lines[];
};

static struct sl_mref ref(const struct vc_user *u, size_t i)
{
    return (struct sl_mref){ u->h, (uint16_t)i };
}

static enum sl_dir dir_reverse(enum sl_dir d)
{
    return (enum sl_dir)((d & SL_DIR_SEND ? SL_DIR_RECV : 0) | (d & SL_DIR_RECV ? SL_DIR_SEND : 0));
}

/* Line @i as it was agreed on last; NULL: there is none. */
static const struct sl_mline *line_now(const struct vc_user *u, size_t i)
{
    size_t n = 0;
    const struct sl_mline *lines = vc_core->lines(u->h, &n);

    return lines && i < n ? &lines[i] : NULL;
}

/* The entry of @l for the codec @c of another connection: the same parameters, else the same
 * profile. Payload types are others there. */
static const struct sl_mcodec *codec_like(const struct sl_mline *l, const struct sl_mcodec *c)
{
    for (size_t i = 0; i < l->ncodecs; i++)
        if (l->codecs[i].codec == c->codec && strcmp(l->codecs[i].fmtp, c->fmtp) == 0)
            return &l->codecs[i];
    return sl_mline_codec_find(l, c->codec, c->profile);
}

/* Data lines have no codec. */
static bool line_is_usable(const struct sl_mline *l)
{
    return l && !l->rejected && (l->ncodecs || l->kind == SL_KIND_DATA);
}

/* ---- offers that are kept -------------------------------------------------------------------- */

static void desc_destroy(struct vc_desc *d)
{
    if (d)
        free(d->codecs);
    free(d);
}

/* What is in use goes first, so that it stays. */
static void codec_prefer(const struct sl_mline *now, struct sl_mline *l, struct sl_mcodec *codecs)
{
    const struct sl_mcodec *c =
        now && now->ncodecs && !now->rejected ? codec_like(l, &now->codecs[0]) : NULL;

    if (c) {
        const size_t at = (size_t)(c - l->codecs);
        const struct sl_mcodec first = *c;

        memmove(codecs + 1, codecs, at * sizeof(*codecs));
        codecs[0] = first;
    }
}

/* NULL: out of memory. */
static struct vc_desc *desc_create(const struct vc_user *u, const struct sl_jsep_in *in,
                                   bool restart)
{
    struct vc_desc *d = calloc(1, sizeof(*d) + in->nlines * sizeof(d->lines[0]));
    size_t n = 0;

    for (size_t i = 0; i < in->nlines; i++)
        n += in->lines[i].ncodecs;
    if (d)
        d->codecs = calloc(n + 1, sizeof(*d->codecs));
    if (!d || !d->codecs) {
        desc_destroy(d);
        return NULL;
    }
    d->e2ee = in->e2ee;
    d->restart = restart;
    d->n = in->nlines;
    n = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct sl_mline *l = &d->lines[i];

        *l = in->lines[i];
        l->codecs = d->codecs + n;
        if (l->ncodecs)
            memcpy(d->codecs + n, in->lines[i].codecs, l->ncodecs * sizeof(*d->codecs));
        codec_prefer(line_now(u, i), l, d->codecs + n);
        n += l->ncodecs;
    }
    return d;
}

/* ---- which line belongs to which ------------------------------------------------------------- */

static void line_part(struct vc_user *u, size_t i)
{
    const int j = u->lines[i].peer;

    u->lines[i].peer = -1;
    if (j >= 0)
        u->peer->lines[j].peer = -1;
}

/* A line more; -1: there are too many. */
static int line_new(struct vc_user *u, enum sl_kind kind)
{
    if (u->nlines == VC_LINES_MAX)
        return -1;
    u->lines[u->nlines] = (struct vc_line){ .kind = kind, .peer = -1, .now = { -1, -1, -1, -1 } };
    return (int)u->nlines++;
}

static int line_free(struct vc_user *u, enum sl_kind kind)
{
    for (size_t j = 0; j < u->nlines; j++)
        if (u->lines[j].peer < 0 && u->lines[j].kind == kind)
            return (int)j;
    return line_new(u, kind);
}

/* Every line that @u offers gets one of the other's. */
static void lines_join(struct vc_user *u, const struct vc_desc *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct sl_mline *in = &d->lines[i];
        struct vc_line *l = &u->lines[i];

        if (i >= u->nlines && line_new(u, in->kind) < 0)
            return;
        if (l->kind != in->kind) { /* recycled for another kind */
            line_part(u, i);
            l->kind = in->kind;
        }
        if (l->peer < 0 && line_is_usable(in)) {
            const int j = line_free(u->peer, in->kind);

            l->peer = j;
            if (j >= 0)
                u->peer->lines[j].peer = (int)i;
        }
    }
}

/* ---- what is offered and answered ------------------------------------------------------------ */

/* @in: what the other user offers for it, NULL: nothing. @now: as it is so far, NULL: new. */
static void line_offer(enum sl_kind kind, const struct sl_mline *in, const struct sl_mline *now,
                       struct sl_mline *out)
{
    *out = (struct sl_mline){ .kind = kind };
    if (line_is_usable(in)) {
        out->dir = dir_reverse(in->dir);
        out->codecs = in->codecs;
        out->ncodecs = in->ncodecs;
        out->red = in->red;
        out->exts = in->exts & VC_EXTS;
    } else if (now && !now->rejected && now->ncodecs) {
        out->codecs = now->codecs;
        out->ncodecs = 1;
    } else {
        out->rejected = true;
    }
}

/* Offers to @u what @d, the other's offer, has. Steals @event. */
static int offer_send(struct vc_user *u, const struct vc_desc *d, json_t *event)
{
    struct sl_mline lines[VC_LINES_MAX];
    const struct sl_jsep_out out = {
        .type = SL_JSEP_OFFER,
        .lines = lines,
        .nlines = u->nlines,
        .session_name = "VideoCall",
        .restart = d->restart,
        .e2ee = d->e2ee,
    };
    size_t used = 0;
    int err;

    for (size_t j = 0; j < u->nlines; j++) {
        const int i = u->lines[j].peer;

        line_offer(u->lines[j].kind, i >= 0 && (size_t)i < d->n ? &d->lines[i] : NULL,
                   line_now(u, j), &lines[j]);
        used += !lines[j].rejected;
    }
    if (!used) {
        json_decref(event);
        return -EINVAL;
    }
    err = vc_core->event(u->h, NULL, event, &out);
    if (err)
        return err;
    u->offered = true;
    u->stale = false;
    return 0;
}

/* @as: the line that it shall be like, with @dir; NULL: none. @codec is where its one codec lives.
 */
static void line_answer(const struct sl_mline *in, const struct sl_mline *as, enum sl_dir dir,
                        struct sl_mcodec *codec, struct sl_mline *out)
{
    const bool wanted = line_is_usable(as) && line_is_usable(in);
    const struct sl_mcodec *pick = wanted && as->ncodecs ? codec_like(in, &as->codecs[0]) : NULL;

    *out = *in;
    out->stream[0] = out->track[0] = '\0';
    out->max_bitrate = 0;
    out->exts = in->exts & VC_EXTS;
    if (wanted && in->kind == SL_KIND_DATA)
        return;
    if (!pick) {
        out->rejected = true;
        out->dir = SL_DIR_INACTIVE;
        out->ncodecs = 0;
        return;
    }
    *codec = *pick;
    if (codec->codec == SL_CODEC_OPUS)
        sl_fmtp_opus_answer(pick->fmtp, true, true, true, codec->fmtp);
    out->dir = in->dir & dir;
    out->red = in->red && as->red;
    out->codecs = codec;
    out->ncodecs = 1;
}

/* Answers the open offer of @u: with what the other has agreed to (@settle: with what was agreed on
 * before, since the other offers something else). Steals @event. */
static int answer_send(struct vc_user *u, bool settle, bool e2ee, json_t *event)
{
    const struct vc_desc *d = u->offer;
    struct sl_mcodec codecs[VC_LINES_MAX];
    struct sl_mline lines[VC_LINES_MAX];
    const struct sl_jsep_out out = {
        .type = SL_JSEP_ANSWER,
        .lines = lines,
        .nlines = d->n,
        .session_name = "VideoCall",
        .e2ee = e2ee,
    };
    int err;

    for (size_t i = 0; i < d->n; i++) {
        const int j = u->lines[i].peer;
        const struct sl_mline *as = settle   ? line_now(u, i)
                                    : j >= 0 ? line_now(u->peer, (size_t)j)
                                             : NULL;

        line_answer(&d->lines[i], as,
                    !as      ? SL_DIR_INACTIVE
                    : settle ? as->dir
                             : dir_reverse(as->dir),
                    &codecs[i], &lines[i]);
    }
    err = vc_core->event(u->h, NULL, event, &out);
    if (err)
        return err;
    desc_destroy(u->offer);
    u->offer = NULL;
    return 0;
}

/* ---- what flows ------------------------------------------------------------------------------ */

static void line_gate(const struct vc_user *u, size_t i)
{
    const bool open = u->lines[i].kind == SL_KIND_AUDIO ? u->wish.audio : u->wish.video;

    vc_core->gate(ref(u, i), !open);
}

/* What @u sends on line @i goes to the other's line @j, or it does not. */
static bool line_flows(const struct vc_user *u, size_t i, size_t j)
{
    const struct sl_mline *from = line_now(u, i);
    struct sl_mcodec codec;

    if (!from || from->rejected || !from->ncodecs || !(from->dir & SL_DIR_RECV))
        return false;
    codec = from->codecs[0];
    from = line_now(u->peer, j);
    return from && !from->rejected && from->ncodecs && (from->dir & SL_DIR_SEND) &&
           from->codecs[0].codec == codec.codec;
}

static void media_join(struct vc_user *u)
{
    const struct vc_user *peer = u->peer;

    for (size_t j = 0; j < u->nlines; j++) {
        struct vc_line *l = &u->lines[j];

        if (l->peer >= 0 && line_flows(peer, (size_t)l->peer, j)) {
            l->routed =
                vc_core->route_add(ref(peer, (size_t)l->peer), ref(u, j), &u->wish.layers) == 0;
        } else if (l->routed) {
            vc_core->route_del(ref(u, j));
            l->routed = false;
        }
        line_gate(u, j);
    }
    vc_core->bitrate(u->h, u->wish.bitrate);
}

void vc_media_apply(struct vc_user *u, const struct vc_wish *old)
{
    const bool layers = memcmp(&old->layers, &u->wish.layers, sizeof(old->layers)) != 0;

    if (old->bitrate != u->wish.bitrate)
        vc_core->bitrate(u->h, u->wish.bitrate);
    for (size_t i = 0; i < u->nlines; i++) {
        const struct vc_line *l = &u->lines[i];

        line_gate(u, i);
        if (l->kind == SL_KIND_VIDEO && !old->video && u->wish.video)
            vc_core->keyframe(ref(u, i));
        if (l->kind == SL_KIND_VIDEO && l->routed && layers)
            vc_core->route_layers(ref(u, i), &u->wish.layers);
    }
}

void vc_media_reset(struct vc_user *u)
{
    desc_destroy(u->offer);
    u->offer = NULL;
    u->offered = u->stale = false;
    u->nlines = 0;
    u->slow_links = 0;
    vc_data_reset(u);
    vc_wish_reset(u);
}

/* ---- descriptions pass ----------------------------------------------------------------------- */

int vc_offer_pass(struct vc_user *u, const struct sl_jsep_in *offer, json_t *event, bool restart)
{
    struct vc_user *peer = u->peer;
    struct vc_desc *d = offer->nlines <= VC_LINES_MAX ? desc_create(u, offer, restart) : NULL;
    int err = d ? 0 : -ENOMEM;

    u->offered = false; /* ours, if any, was dropped for it */
    if (!err &&
        peer->offer) /* both offer: the last one wins, the first is answered as things are */
        err = answer_send(peer, true, peer->offer->e2ee, vc_result("update", NULL));
    if (!err)
        lines_join(u, d);
    if (!err && peer->offered)
        peer->stale = true;
    else if (!err)
        err = offer_send(peer, d, json_incref(event));
    json_decref(event);
    if (err) {
        desc_destroy(d);
        return err;
    }
    vc_core->offer_keep(u->h);
    desc_destroy(u->offer);
    u->offer = d;
    return 0;
}

int vc_answer_pass(struct vc_user *u, const struct sl_jsep_in *answer, json_t *event)
{
    struct vc_user *peer = u->peer;
    int err = 0;

    u->offered = false;
    if (!peer->offer) {
        json_decref(event);
    } else if (u->stale) {
        json_decref(event);
        err = offer_send(u, peer->offer, vc_result("update", NULL));
    } else {
        err = answer_send(peer, false, answer->e2ee, event);
    }
    if (err)
        return err;
    media_join(u);
    media_join(peer);
    return 0;
}
