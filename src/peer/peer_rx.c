/* RTP from the peer: authenticate, parse once, find its source. */
#include "peer/peer_private.h"

#include "rtp/rtp_red.h"
#include "rtp/rtp_rtx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- SSRCs ----------------------------------------------------------------------------------- */

struct sl_rx_ssrc *sl_peer_rx_find(struct sl_peer *p, uint32_t ssrc)
{
    if (p->rx_last < p->nrx && p->rx[p->rx_last].ssrc == ssrc)
        return &p->rx[p->rx_last];
    for (size_t i = 0; i < p->nrx; i++) {
        if (p->rx[i].ssrc == ssrc) {
            p->rx_last = i;
            return &p->rx[i];
        }
    }
    return NULL;
}

/* NULL: out of memory. */
static struct sl_rx_ssrc *rx_append(struct sl_peer *p)
{
    if (p->nrx == p->rx_cap) {
        size_t cap = p->rx_cap ? 2 * p->rx_cap : 4;
        struct sl_rx_ssrc *rx = realloc(p->rx, cap * sizeof(*rx));

        if (!rx)
            return NULL;
        p->rx = rx;
        p->rx_cap = cap;
    }
    return &p->rx[p->nrx++];
}

/* A place that is free, or was last used longest ago, and a while ago. */
static struct sl_rx_ssrc *rx_place(struct sl_peer *p)
{
    size_t max = p->env->max_ssrcs;
    struct sl_rx_ssrc *oldest = p->rx;

    if (!max || max > SL_PEER_SSRCS_MAX)
        max = SL_PEER_SSRCS_MAX;
    if (p->nrx < max)
        return rx_append(p);
    for (size_t i = 1; i < p->nrx; i++)
        if (p->rx[i].last_us < oldest->last_us)
            oldest = &p->rx[i];
    return oldest->last_us + SL_PEER_SSRC_IDLE_US <= p->env->ctx->now_us ? oldest : NULL;
}

static const struct sl_rx_ssrc *rx_add(struct sl_peer *p, uint32_t ssrc, uint16_t mindex,
                                       uint8_t layer, bool is_rtx)
{
    struct sl_rx_ssrc *rx = rx_place(p);

    if (!rx)
        return NULL;
    *rx = (struct sl_rx_ssrc){ ssrc, mindex, layer, is_rtx, p->env->ctx->now_us };
    p->rx_last = (size_t)(rx - p->rx);
    return rx;
}

static bool is_announced(const struct sl_media_line *m, uint32_t ssrc)
{
    for (int l = 0; l < SL_LAYERS_MAX; l++)
        if (m->ssrc[l] == ssrc || m->rtx_ssrc[l] == ssrc)
            return true;
    return false;
}

/* Those that were learned from RTP stay when their m-line still receives that layer; what is
 * announced counts more than what was learned. */
static void keep_learned(struct sl_peer *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->nrx; i++) {
        const struct sl_rx_ssrc *rx = &p->rx[i];
        const struct sl_media_line *m;
        bool keep = rx->mindex < p->media->n;

        for (size_t k = 0; keep && k < p->media->n; k++)
            keep = !is_announced(&p->media->line[k], rx->ssrc);
        if (!keep)
            continue;
        m = &p->media->line[rx->mindex];
        if ((m->dir & SL_DIR_RECV) && rx->layer < (m->nlayers > 1 ? m->nlayers : 1))
            p->rx[n++] = *rx;
    }
    p->nrx = n;
    p->rx_last = 0;
}

void sl_peer_rx_reset(struct sl_peer *p)
{
    keep_learned(p);
    for (size_t i = 0; i < p->media->n; i++) {
        const struct sl_media_line *m = &p->media->line[i];

        if (!(m->dir & SL_DIR_RECV) || m->kind == SL_KIND_DATA)
            continue;
        for (uint8_t l = 0; l < SL_LAYERS_MAX; l++) {
            if (m->ssrc[l] && !sl_peer_rx_find(p, m->ssrc[l]))
                (void)rx_add(p, m->ssrc[l], (uint16_t)i, l, false);
            if (m->rtx_ssrc[l] && !sl_peer_rx_find(p, m->rtx_ssrc[l]))
                (void)rx_add(p, m->rtx_ssrc[l], (uint16_t)i, l, true);
        }
    }
}

static const struct sl_media_line *line_by_mid(const struct sl_peer *p, const char *mid)
{
    for (size_t i = 0; i < p->media->n; i++)
        if ((p->media->line[i].dir & SL_DIR_RECV) && strcmp(p->media->line[i].mid, mid) == 0)
            return &p->media->line[i];
    return NULL;
}

static int layer_by_rid(const struct sl_media_line *m, const char *rid)
{
    for (int l = 0; l < m->nlayers; l++)
        if (m->rid[l][0] && strcmp(m->rid[l], rid) == 0)
            return l;
    return -1;
}

/* An SSRC that no description announced: its first packets say mid and rid (RFC 8843 section 9.2,
 * RFC 8852). */
static enum sl_drop learn(struct sl_peer *p, const struct sl_rtp *rtp,
                          const struct sl_ext_info *ext, const struct sl_rx_ssrc **out)
{
    const struct sl_media_line *m;
    bool is_rtx;
    int layer = 0;

    if (!(ext->present & SL_EXT_BIT(SL_EXT_MID)))
        return SL_DROP_UNKNOWN_SSRC;
    m = line_by_mid(p, ext->mid);
    if (!m || m->kind == SL_KIND_DATA)
        return SL_DROP_UNKNOWN_SSRC;
    is_rtx = m->rtx_pt != SL_PT_NONE && rtp->pt == m->rtx_pt;
    if (is_rtx && (ext->present & SL_EXT_BIT(SL_EXT_RRID)))
        layer = layer_by_rid(m, ext->rrid);
    else if (ext->present & SL_EXT_BIT(SL_EXT_RID))
        layer = layer_by_rid(m, ext->rid);
    else if (m->nlayers > 1)
        return SL_DROP_UNKNOWN_SSRC;
    if (layer < 0)
        return SL_DROP_UNKNOWN_SSRC;
    *out = rx_add(p, rtp->ssrc, m->mindex, (uint8_t)layer, is_rtx);
    return *out ? SL_DROP_NONE : SL_DROP_SSRC_LIMIT;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* Makes a retransmission the original again; SL_DROP_NONE when there is one inside. */
static enum sl_drop unwrap_rtx(struct sl_peer *p, struct sl_pkt *pkt, const struct sl_media_line *m,
                               const struct sl_rx_ssrc *rx)
{
    uint32_t ssrc = p->ep.lines[rx->mindex].track->source[rx->layer].ssrc;
    int len;

    if (pkt->rtp.pt != m->rtx_pt)
        return SL_DROP_WRONG_PT;
    if (!ssrc) /* probing came before the first packet of the primary SSRC */
        return SL_DROP_PADDING;
    len = sl_rtx_unwrap(pkt->data, &pkt->rtp, m->pt, ssrc);
    if (len < 0)
        return len == -ENODATA ? SL_DROP_PADDING : SL_DROP_MALFORMED;
    pkt->len = (uint16_t)len;
    return sl_rtp_parse(pkt->data, pkt->len, &pkt->rtp) < 0 ? SL_DROP_MALFORMED : SL_DROP_NONE;
}

/* Finds the primary block of redundant audio. */
static enum sl_drop parse_red(struct sl_pkt *pkt, const struct sl_media_line *m)
{
    const struct sl_red_block *last;
    struct sl_red red;

    if (!pkt->rtp.payload_len)
        return SL_DROP_NONE;
    if (sl_red_parse(pkt->data + pkt->rtp.payload_off, pkt->rtp.payload_len, &red) < 0)
        return SL_DROP_MALFORMED;
    last = &red.block[red.n - 1];
    if (last->pt != m->pt)
        return SL_DROP_WRONG_PT;
    if (!last->len)
        return SL_DROP_MALFORMED;
    pkt->red_off = last->off;
    return SL_DROP_NONE;
}

static enum sl_drop parse_payload(struct sl_pkt *pkt, const struct sl_media_line *m)
{
    pkt->red_off = 0;
    memset(&pkt->payload, 0, sizeof(pkt->payload));
    if (m->red_pt != SL_PT_NONE && pkt->rtp.pt == m->red_pt)
        return parse_red(pkt, m);
    if (pkt->rtp.pt != m->pt)
        return SL_DROP_WRONG_PT;
    /* With a dependency descriptor nothing is wanted of the payload, which may be encrypted. */
    if (m->kind == SL_KIND_VIDEO && pkt->rtp.payload_len &&
        sl_payload_parse(m->codec, pkt->data + pkt->rtp.payload_off, pkt->rtp.payload_len,
                         &pkt->payload) < 0 &&
        !(pkt->ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR)))
        return SL_DROP_MALFORMED;
    return SL_DROP_NONE;
}

static enum sl_drop deliver(struct sl_peer *p, struct sl_pkt *pkt) SL_ON_WORKER
{
    struct sl_rx_ssrc *known = sl_peer_rx_find(p, pkt->rtp.ssrc);
    const struct sl_rx_ssrc *rx = known;
    const struct sl_media_line *m;
    struct sl_track *t;
    enum sl_drop why;

    /* All that arrived is told to the sender's congestion control, whatever it was. */
    if (p->twcc && (pkt->ext.present & SL_EXT_BIT(SL_EXT_TWCC))) {
        sl_twcc_rx_add(p->twcc, pkt->ext.twcc, p->env->ctx->now_us);
        p->twcc_media_ssrc = pkt->rtp.ssrc;
        sl_peer_rtcp_need(p, sl_twcc_rx_due_us(p->twcc));
    } else if (p->ccfb) {
        sl_ccfb_rx_add(p->ccfb, pkt->rtp.ssrc, pkt->rtp.seq, p->env->ctx->now_us);
        sl_peer_rtcp_need(p, sl_ccfb_rx_due_us(p->ccfb));
    }
    if (known)
        known->last_us = p->env->ctx->now_us;
    why = known ? SL_DROP_NONE : learn(p, &pkt->rtp, &pkt->ext, &rx);
    if (why != SL_DROP_NONE)
        return why;
    m = &p->media->line[rx->mindex];
    t = p->ep.lines[rx->mindex].track;
    if (!(m->dir & SL_DIR_RECV) || !t)
        return SL_DROP_NOT_RECEIVING;
    why = rx->is_rtx ? unwrap_rtx(p, pkt, m, rx) : SL_DROP_NONE;
    if (why == SL_DROP_NONE)
        why = parse_payload(pkt, m);
    if (why != SL_DROP_NONE)
        return why;
    pkt->layer = rx->layer;
    sl_track_push(t, pkt, rx->is_rtx);
    sl_peer_rtcp_need(p, sl_nack_next_us(&t->source[rx->layer].nack));
    return SL_DROP_NONE;
}

enum sl_drop sl_peer_why_unread(int err)
{
    switch (err) {
    case -EALREADY:
        return SL_DROP_REPLAY;
    case -ENOBUFS:
        return SL_DROP_SSRC_LIMIT;
    case -ENOMEM:
        return SL_DROP_NO_MEMORY;
    case -EBADMSG:
        return SL_DROP_MALFORMED;
    default:
        return SL_DROP_AUTH;
    }
}

static enum sl_drop unprotect(struct sl_peer *p, struct sl_pkt *pkt, const uint8_t *data,
                              size_t len) SL_ON_WORKER
{
    size_t n = len;
    int err;

    memcpy(pkt->data, data, len);
    err = sl_srtp_unprotect(p->srtp, pkt->data, &n);
    if (err < 0)
        return sl_peer_why_unread(err);
    pkt->len = (uint16_t)n;
    if (p->capture)
        sl_peer_captured(p, true, pkt->data, n);
    if (sl_rtp_parse(pkt->data, n, &pkt->rtp) < 0 ||
        sl_ext_parse(pkt->data, &pkt->rtp, &p->extmap, &pkt->ext) < 0)
        return SL_DROP_MALFORMED;
    return SL_DROP_NONE;
}

void sl_peer_rx_rtp(struct sl_peer *p, const uint8_t *data, size_t len)
{
    struct sl_mctx *ctx = p->env->ctx;
    enum sl_drop why;
    struct sl_pkt *pkt;

    if (!p->srtp || !p->media) {
        ctx->drops[SL_DROP_NO_KEYS]++;
        return;
    }
    if (len > SL_PKT_MAX) {
        ctx->drops[SL_DROP_TOO_LONG]++;
        return;
    }
    pkt = sl_pkt_get(&ctx->pkts);
    if (!pkt) {
        ctx->drops[SL_DROP_NO_MEMORY]++;
        return;
    }
    why = unprotect(p, pkt, data, len);
    if (why == SL_DROP_NONE)
        why = deliver(p, pkt);
    if (why != SL_DROP_NONE) { /* else the track has it, and counted it */
        ctx->drops[why]++;
        sl_pkt_unref(pkt);
    }
}
