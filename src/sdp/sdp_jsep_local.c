#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <string.h>
#include <sluice/codec.h>

void jsep_line_wishes(struct jsep_line *l, const struct sl_mline *wish)
{
    memcpy(l->stream, wish->stream, sizeof(l->stream));
    memcpy(l->track, wish->track, sizeof(l->track));
    l->max_bitrate = wish->max_bitrate;
}

/* msid and fmtp of a plugin go into our text as they are: nothing may end the line early. */
static bool is_text(const char *s, size_t size, bool blanks)
{
    size_t n = strnlen(s, size);

    if (n == size)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < (blanks ? ' ' : '!') || s[i] == 0x7f)
            return false;
    }
    return true;
}

static bool codec_is_text(const struct sl_mcodec *c)
{
    return c->codec > SL_CODEC_NONE && c->codec < SL_CODEC_MAX &&
           is_text(c->fmtp, sizeof(c->fmtp), true) &&
           is_text(c->profile, sizeof(c->profile), false);
}

bool jsep_codec_is_sound(const struct sl_mcodec *c, enum sl_kind kind)
{
    return codec_is_text(c) && c->codec != SL_CODEC_RED &&
           sl_codec_info_get(c->codec)->kind == kind;
}

void jsep_line_codec(struct jsep_line *l, const struct jsep_codec *c)
{
    l->codec = c->codec;
    l->channels = c->channels;
    l->rtx_pt = c->rtx_pt;
    l->red_pt = c->red_pt;
}

bool jsep_wish_is_sound(const struct sl_mline *w)
{
    if ((unsigned)w->kind >= SL_KIND_MAX || (unsigned)w->dir > SL_DIR_SENDRECV)
        return false;
    if (!is_text(w->mid, sizeof(w->mid), false) || !is_text(w->stream, sizeof(w->stream), false) ||
        !is_text(w->track, sizeof(w->track), false))
        return false;
    if (w->rejected || w->kind == SL_KIND_DATA || !w->ncodecs)
        return true;
    return codec_is_text(&w->codecs[0]);
}

/* ---- answer ---------------------------------------------------------------------------------- */

/* The offered payload type for the codec that the plugin chose; SL_PT_NONE: none fits. */
static uint8_t offered_pt(const struct jsep_line *l, const struct sl_mcodec *c)
{
    uint8_t best = SL_PT_NONE;

    for (size_t i = 0; i < l->remote->nfmts; i++) {
        uint8_t pt = sl_sdp_fmt_pt(l->remote, i);
        const char *fmtp = sl_sdp_fmtp_get(l->remote, pt);

        if (pt == SL_PT_NONE || sl_sdp_codec_of(l->remote, l->kind, pt) != c->codec)
            continue;
        if (pt == c->pt)
            return pt;
        if (best == SL_PT_NONE && sl_sdp_codec_is_compatible(c->codec, fmtp ? fmtp : "", c->fmtp))
            best = pt;
    }
    return best;
}

/* An inactive line needs a payload type to be written with: any that we know. */
static bool codec_any(struct sl_arena *a, struct jsep_line *l)
{
    struct sl_mcodec *codecs;
    size_t n;

    if (jsep_pick_codecs(a, l->remote, l->kind, &codecs, &n) < 0 || !n)
        return false;
    l->codec = codecs[0];
    return true;
}

/* The codec and what hangs on it. */
static int answer_codec(struct sl_arena *a, struct jsep_line *l, const struct sl_mline *wish)
{
    const struct sl_sdp_rtpmap *m;
    uint8_t pt;

    if (wish->ncodecs) {
        pt = offered_pt(l, &wish->codecs[0]);
        if (pt == SL_PT_NONE)
            return -EINVAL;
        l->codec = wish->codecs[0];
        l->codec.pt = pt;
    } else if (l->dir != SL_DIR_INACTIVE) {
        return -EINVAL;
    } else if (!codec_any(a, l)) {
        l->refused = true;
        return 0;
    }
    m = sl_sdp_rtpmap_get(l->remote, l->codec.pt);
    l->channels = m ? m->channels : 0;
    if (l->kind == SL_KIND_VIDEO)
        l->rtx_pt = sl_sdp_rtx_of(l->remote, l->codec.pt);
    if (wish->red && l->codec.codec == SL_CODEC_OPUS)
        l->red_pt = sl_sdp_red_of(l->remote, l->codec.pt);
    l->nack = l->twcc = l->ccfb = true;
    l->pli = l->fir = l->remb = l->kind == SL_KIND_VIDEO;
    jsep_pick_feedback(l, l->remote);
    return 0;
}

static int answer_line(struct sl_jsep *j, struct jsep_line *l, const struct sl_mline *wish)
{
    struct jsep_round *r = j->next;
    bool lmh = l->rid_lmh;
    int err;

    if (wish->rejected)
        l->refused = true;
    if (l->refused) { /* also by the peer, whatever the kind is */
        l->dir = SL_DIR_INACTIVE;
        l->nlayers = 0;
        memset(l->ext_id, 0, sizeof(l->ext_id));
        return 0;
    }
    if (wish->kind != l->kind || (wish->dir & ~l->dir))
        return -EINVAL;
    jsep_line_wishes(l, wish);
    if (l->kind == SL_KIND_DATA)
        return 0;
    l->dir = wish->dir;
    jsep_pick_exts(l, r->remote, l->remote, wish->exts);
    err = answer_codec(r->arena, l, wish);
    if (err)
        return err;
    jsep_pick_layers(l, l->remote, (l->dir & SL_DIR_RECV) && l->ext_id[SL_EXT_RID], lmh);
    if (!(l->dir & SL_DIR_RECV))
        l->nlayers = 0;
    return jsep_ssrcs(j, r, l, true);
}

int jsep_local_answer(struct sl_jsep *j, const struct sl_mline *wishes, size_t n)
{
    struct jsep_round *r = j->next;
    struct jsep_line *lines;
    struct sl_mline *views;
    int err;

    if (!sl_jsep_owes_answer(j) || n != r->n)
        return -EINVAL;
    lines = sl_arena_grow(r->arena, r->lines, n * sizeof(*lines), n * sizeof(*lines));
    if (!lines)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!jsep_wish_is_sound(&wishes[i]))
            return -EINVAL;
        err = answer_line(j, &lines[i], &wishes[i]);
        if (err)
            return err;
    }
    views = jsep_views(r->arena, lines, n);
    if (!views)
        return -ENOMEM;
    if (!j->cur) /* we are the server whenever free to choose */
        j->dtls_client = r->setup == SL_SETUP_PASSIVE;
    jsep_round_complete(j, lines, views);
    return 0;
}
