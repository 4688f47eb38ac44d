#include "sdp/sdp_jsep_priv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum sl_dir jsep_dir_reverse(int dir)
{
    return (enum sl_dir)(((dir & SL_DIR_SEND) ? SL_DIR_RECV : 0) |
                         ((dir & SL_DIR_RECV) ? SL_DIR_SEND : 0));
}

int jsep_pick_codecs(struct sl_arena *a, const struct sl_sdp_section *s, enum sl_kind kind,
                     struct sl_mcodec **out, size_t *n)
{
    struct sl_mcodec *list = sl_arena_alloc(a, s->nfmts * sizeof(*list));
    bool seen[SL_PT_NONE + 1] = { 0 };
    size_t count = 0;

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < s->nfmts; i++) {
        uint8_t pt = sl_sdp_fmt_pt(s, i);
        const char *fmtp = sl_sdp_fmtp_get(s, pt);
        enum sl_codec codec = sl_sdp_codec_of(s, kind, pt);

        if (pt == SL_PT_NONE || seen[pt] || codec == SL_CODEC_NONE || codec == SL_CODEC_RED ||
            (fmtp && strlen(fmtp) > SL_FMTP_MAX))
            continue;
        seen[pt] = true;
        list[count].codec = codec;
        list[count].pt = pt;
        if (fmtp)
            strcpy(list[count].fmtp, fmtp);
        sl_sdp_codec_profile(codec, list[count].fmtp, list[count].profile);
        count++;
    }
    *out = list;
    *n = count;
    return 0;
}

bool jsep_has_red(const struct sl_sdp_section *s)
{
    for (size_t i = 0; i < s->nfmts; i++) {
        uint8_t pt = sl_sdp_fmt_pt(s, i);

        if (sl_sdp_codec_of(s, SL_KIND_AUDIO, pt) == SL_CODEC_OPUS &&
            sl_sdp_red_of(s, pt) != SL_PT_NONE)
            return true;
    }
    return false;
}

static void pick_exts_of(struct jsep_line *l, const struct sl_sdp_section *s, uint32_t wanted)
{
    for (size_t i = 0; i < s->nextmaps; i++) {
        const struct sl_sdp_extmap *x = &s->extmaps[i];
        enum sl_ext e = sl_sdp_ext_from_uri(x->uri);

        /* 15 is not an id in one-byte headers; ids above 14 need two-byte headers. */
        if (e == SL_EXT_MAX || !(wanted & SL_EXT_BIT(e)) || l->ext_id[e] || x->id == 15 ||
            x->id > (l->ext_mixed ? 255 : 14) || x->dir == SL_DIR_INACTIVE)
            continue;
        l->ext_id[e] = (uint8_t)x->id;
        l->ext_dir[e] =
            x->dir == SL_SDP_DIR_NONE ? SL_SDP_DIR_NONE : (int8_t)jsep_dir_reverse(x->dir);
    }
}

void jsep_pick_exts(struct jsep_line *l, const struct sl_sdp *sdp, const struct sl_sdp_section *s,
                    uint32_t wanted)
{
    memset(l->ext_id, 0, sizeof(l->ext_id));
    memset(l->ext_dir, SL_SDP_DIR_NONE, sizeof(l->ext_dir));
    if (l->kind == SL_KIND_DATA)
        return;
    pick_exts_of(l, s, wanted);
    pick_exts_of(l, &sdp->session, wanted);
}

uint32_t jsep_exts(const struct jsep_line *l)
{
    uint32_t bits = 0;

    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (l->ext_id[e])
            bits |= SL_EXT_BIT(e);
    }
    return bits;
}

void jsep_pick_feedback(struct jsep_line *l, const struct sl_sdp_section *s)
{
    uint8_t pt = l->codec.pt;

    l->nack = l->nack && sl_sdp_has_fb(s, pt, "nack");
    l->pli = l->pli && sl_sdp_has_fb(s, pt, "nack pli");
    l->fir = l->fir && sl_sdp_has_fb(s, pt, "ccm fir");
    l->remb = l->remb && sl_sdp_has_fb(s, pt, "goog-remb");
    l->twcc = l->twcc && l->ext_id[SL_EXT_TWCC] && sl_sdp_has_fb(s, pt, "transport-cc");
    l->ccfb = l->ccfb && !l->twcc && sl_sdp_has_fb(s, pt, "ack ccfb");
}

/* ---- layers ---------------------------------------------------------------------------------- */

static bool has_rid(const struct sl_sdp_section *s, const char *id)
{
    for (size_t i = 0; i < s->nrids; i++) {
        if (s->rids[i].send && !strcmp(s->rids[i].id, id))
            return true;
    }
    return false;
}

/* Up to SL_LAYERS_MAX rids in the order they are listed; a=simulcast knows the order best. */
static size_t rids_list(const struct sl_sdp_section *s, const char *ids[SL_LAYERS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < s->sim_send.n && n < SL_LAYERS_MAX; i++) {
        const struct sl_sdp_stream *st = &s->sim_send.streams[i];

        if (!st->alternative && has_rid(s, st->rid))
            ids[n++] = st->rid;
    }
    if (n)
        return n;
    for (size_t i = 0; i < s->nrids && n < SL_LAYERS_MAX; i++) {
        if (s->rids[i].send)
            ids[n++] = s->rids[i].id;
    }
    return n;
}

static const struct sl_sdp_ssrc_group *group_get(const struct sl_sdp_section *s,
                                                 const char *semantics, size_t nmin)
{
    for (size_t i = 0; i < s->nssrc_groups; i++) {
        if (!strcmp(s->ssrc_groups[i].semantics, semantics) && s->ssrc_groups[i].n >= nmin)
            return &s->ssrc_groups[i];
    }
    return NULL;
}

/* The retransmission SSRC of @ssrc, or 0. */
static uint32_t rtx_of(const struct sl_sdp_section *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->nssrc_groups; i++) {
        const struct sl_sdp_ssrc_group *g = &s->ssrc_groups[i];

        if (!strcmp(g->semantics, "FID") && g->n == 2 && g->ssrcs[0] == ssrc)
            return g->ssrcs[1];
    }
    return 0;
}

static bool is_rtx(const struct sl_sdp_section *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->nssrc_groups; i++) {
        const struct sl_sdp_ssrc_group *g = &s->ssrc_groups[i];

        if (!strcmp(g->semantics, "FID") && g->n == 2 && g->ssrcs[1] == ssrc)
            return true;
    }
    return false;
}

static bool pair_is_known(const struct jsep_line *l, uint32_t ssrc)
{
    for (size_t i = 0; i < l->npairs; i++) {
        if (l->pair_ssrc[i] == ssrc)
            return true;
    }
    return false;
}

/* The distinct primary SSRCs, in the order of their a=ssrc lines. */
static void pick_pairs(struct jsep_line *l, const struct sl_sdp_section *s)
{
    l->npairs = 0;
    for (size_t i = 0; i < s->nssrcs && l->npairs < SL_LAYERS_MAX; i++) {
        uint32_t ssrc = s->ssrcs[i].ssrc;

        if (!ssrc || is_rtx(s, ssrc) || pair_is_known(l, ssrc))
            continue;
        l->pair_ssrc[l->npairs] = ssrc;
        l->pair_rtx[l->npairs++] = rtx_of(s, ssrc);
    }
}

void jsep_pick_layers(struct jsep_line *l, const struct sl_sdp_section *s, bool rids, bool lmh)
{
    const struct sl_sdp_ssrc_group *sim = group_get(s, "SIM", 2);
    const char *ids[SL_LAYERS_MAX];
    size_t n = rids && l->kind == SL_KIND_VIDEO ? rids_list(s, ids) : 0;

    l->nlayers = 0;
    l->rid_lmh = lmh;
    memset(l->rid, 0, sizeof(l->rid));
    memset(l->layer_ssrc, 0, sizeof(l->layer_ssrc));
    memset(l->layer_rtx, 0, sizeof(l->layer_rtx));
    pick_pairs(l, s);
    if (n) {
        for (size_t i = 0; i < n; i++)
            strcpy(l->rid[lmh ? i : n - 1 - i], ids[i]);
        l->nlayers = (uint8_t)n;
    } else if (sim && l->kind == SL_KIND_VIDEO) {
        l->nlayers = (uint8_t)(sim->n < SL_LAYERS_MAX ? sim->n : SL_LAYERS_MAX);
        for (size_t i = 0; i < l->nlayers; i++) {
            l->layer_ssrc[i] = sim->ssrcs[i];
            l->layer_rtx[i] = rtx_of(s, sim->ssrcs[i]);
        }
        l->npairs = 0;
    } else if (l->npairs) {
        l->layer_ssrc[0] = l->pair_ssrc[0];
        l->layer_rtx[0] = l->pair_rtx[0];
        l->npairs = 0;
    }
}
