/* A sink's packets: header, extensions of this connection, payload; and resends. */
#include "media/media_sink.h"

#include "media/media_mirror.h"
#include "media/media_pad.h"
#include "media/media_pkt.h"

#include <stdlib.h>
#include <string.h>

#define SEALED_SLOTS 128

/* Ciphertexts of the last packets, for a peer that did not negotiate RTX: under one key an index is
 * encrypted once, so a resend is the same bytes again. */
struct sl_sealed {
    struct {
        uint16_t len; /* 0: empty */
        uint16_t seq;
        uint8_t data[SL_SLOT_MAX + 36];
    } slot[SEALED_SLOTS];
};

void sl_sink_keep_sealed(struct sl_sink *s, const uint8_t *data, size_t len)
{
    uint16_t seq;

    if (!s->sealed || len < SL_RTP_HDR || len > sizeof(s->sealed->slot[0].data))
        return;
    seq = sl_get16(data + 2);
    s->sealed->slot[seq % SEALED_SLOTS].len = (uint16_t)len;
    s->sealed->slot[seq % SEALED_SLOTS].seq = seq;
    memcpy(s->sealed->slot[seq % SEALED_SLOTS].data, data, len);
}

/* Extensions whose content is copied from the publisher's packet. */
static const enum sl_ext passed_on[] = {
    SL_EXT_AUDIO_LEVEL, SL_EXT_VIDEO_ORIENTATION,       SL_EXT_ABS_CAPTURE_TIME,
    SL_EXT_COLOR_SPACE, SL_EXT_VIDEO_LAYERS_ALLOCATION, SL_EXT_CSRC_AUDIO_LEVEL,
};

#define ITEMS_MAX (5 + sizeof(passed_on) / sizeof(passed_on[0]))

struct block {
    size_t len;
    uint16_t twcc, ast; /* offsets; 0: not there */
};

/* The descriptor as this subscriber is to see it; its length, 0: none. */
static size_t write_dd(struct sl_sink *s, const struct sl_pkt *pkt, uint8_t *buf, size_t cap)
{
    const struct sl_layers *l = &s->layers;
    int n = sl_dd_munge_write(&s->dd, pkt, l->mode == SL_LAYERS_SVC ? l->cur_sid : -1, l->cur_tid,
                              buf, cap);

    return n > 0 && n <= UINT8_MAX ? (size_t)n : 0;
}

/* Writes the extension block of one packet; @pkt NULL: what every packet has. */
static int write_block(struct sl_sink *s, const struct sl_pkt *pkt, uint8_t *buf, size_t cap,
                       struct block *out)
{
    struct sl_ext_item items[ITEMS_MAX];
    uint8_t delay[3], dd[UINT8_MAX + SL_DD_GROWTH];
    size_t n = 0, twcc = ITEMS_MAX, ast = ITEMS_MAX;
    int len;

    if (s->ext[SL_EXT_MID])
        items[n++] = (struct sl_ext_item){ s->ext[SL_EXT_MID], (uint8_t)strlen(s->mid), s->mid, 0 };
    if (s->ext[SL_EXT_ABS_SEND_TIME]) {
        ast = n;
        items[n++] = (struct sl_ext_item){ s->ext[SL_EXT_ABS_SEND_TIME], 3, NULL, 0 };
    }
    if (s->ext[SL_EXT_TWCC]) {
        twcc = n;
        items[n++] = (struct sl_ext_item){ s->ext[SL_EXT_TWCC], 2, NULL, 0 };
    }
    if (s->ext[SL_EXT_PLAYOUT_DELAY] && s->wish.min_delay >= 0 && s->wish.max_delay >= 0) {
        sl_put24(delay, ((uint32_t)s->wish.min_delay & 0xfff) << 12 |
                            ((uint32_t)s->wish.max_delay & 0xfff));
        items[n++] = (struct sl_ext_item){ s->ext[SL_EXT_PLAYOUT_DELAY], 3, delay, 0 };
    } else if (pkt && s->ext[SL_EXT_PLAYOUT_DELAY] &&
               (pkt->ext.present & SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY))) {
        items[n++] = (struct sl_ext_item){ s->ext[SL_EXT_PLAYOUT_DELAY], 3,
                                           pkt->data + pkt->ext.off[SL_EXT_PLAYOUT_DELAY], 0 };
    }
    if (pkt && pkt->dd.present && s->ext[SL_EXT_DEPENDENCY_DESCRIPTOR]) {
        size_t n_dd = write_dd(s, pkt, dd, sizeof(dd));

        if (n_dd)
            items[n++] =
                (struct sl_ext_item){ s->ext[SL_EXT_DEPENDENCY_DESCRIPTOR], (uint8_t)n_dd, dd, 0 };
    }
    for (size_t i = 0; pkt && i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
        enum sl_ext e = passed_on[i];

        if (s->ext[e] && (pkt->ext.present & SL_EXT_BIT(e)))
            items[n++] =
                (struct sl_ext_item){ s->ext[e], pkt->ext.len[e], pkt->data + pkt->ext.off[e], 0 };
    }
    *out = (struct block){ 0 };
    if (n == 0)
        return 0;
    len = sl_ext_write(buf, cap, items, n, s->ext_mixed);
    if (len < 0)
        return len;
    out->len = (size_t)len;
    out->twcc = twcc < n ? items[twcc].off : 0;
    out->ast = ast < n ? items[ast].off : 0;
    return 0;
}

static bool needs_own_block(const struct sl_sink *s, const struct sl_pkt *pkt)
{
    if (s->ext[SL_EXT_PLAYOUT_DELAY] && (pkt->ext.present & SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY)))
        return true;
    if (pkt->dd.present && s->ext[SL_EXT_DEPENDENCY_DESCRIPTOR])
        return true;
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        if (s->ext[passed_on[i]] && (pkt->ext.present & SL_EXT_BIT(passed_on[i])))
            return true;
    return false;
}

void sl_sink_tx_configure(struct sl_sink *s)
{
    struct block b;

    s->tmpl_len = 0;
    if (write_block(s, NULL, s->tmpl, sizeof(s->tmpl), &b) == 0) {
        s->tmpl_len = (uint8_t)b.len;
        s->tmpl_twcc = b.twcc;
        s->tmpl_ast = b.ast;
    }
    if (s->nack && !s->rtx_ssrc && !s->sealed) {
        s->sealed = calloc(1, sizeof(*s->sealed));
    } else if (!s->nack || s->rtx_ssrc) {
        sl_tx_forget(s->tx, s);
        sl_sink_tx_fini(s);
    }
}

void sl_sink_tx_fini(struct sl_sink *s)
{
    free(s->sealed);
    s->sealed = NULL;
}

/* What differs between a packet and its retransmission. */
struct numbers {
    uint8_t pt;
    bool marker;
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts;
    bool is_rtx;
    uint16_t osn;
    bool is_probe;
    unsigned int nred; /* packets of before that go along (media_red.h) */
};

/* What differs in each packet that is sent is written when it leaves. @at: where the block is. */
static void finish_block(struct sl_slot *slot, struct block b, size_t at)
{
    if (!b.len)
        return;
    slot->data[0] |= SL_RTP_EXT;
    slot->twcc_off = b.twcc ? (uint16_t)(at + b.twcc) : 0;
    slot->ast_off = b.ast ? (uint16_t)(at + b.ast) : 0;
}

void sl_slot_stamp(struct sl_tx *tx, struct sl_slot *slot)
{
    if (slot->twcc_off) {
        slot->twcc = tx->twcc_seq++;
        sl_ext_patch_twcc(slot->data, slot->twcc_off, slot->twcc);
    }
    if (slot->ast_off)
        sl_ext_patch_abs_send_time(slot->data, slot->ast_off, tx->ctx->now_us);
}

/* Header and those whom a mixer mixed (CSRCs); its length. */
static size_t write_header(uint8_t *p, const struct sl_pkt *pkt, const struct numbers *n)
{
    const size_t csrcs = 4u * pkt->rtp.csrc_count;

    sl_rtp_write_header(p, n->marker, n->pt, n->seq, n->ts, n->ssrc);
    if (csrcs) {
        p[0] |= pkt->rtp.csrc_count;
        memcpy(p + SL_RTP_HDR, pkt->data + SL_RTP_HDR, csrcs);
    }
    return SL_RTP_HDR + csrcs;
}

static enum sl_drop stage(struct sl_sink *s, const struct sl_pkt *pkt, const struct numbers *n,
                          const struct sl_vp8_ids *ids) SL_ON_WORKER
{
    struct sl_slot *slot = sl_tx_reserve(s->tx);
    size_t len;
    size_t skip = pkt->red_off && n->pt != s->red_pt && s->pt != SL_PT_NONE ? pkt->red_off : 0;
    size_t n_payload = (size_t)pkt->rtp.payload_len - skip;
    struct block b;
    uint8_t *p;

    if (!slot)
        return SL_DROP_NO_MEMORY;
    p = slot->data;
    len = write_header(p, pkt, n);
    /* What this connection cannot carry (a long element without two-byte headers) is left out. */
    if (!needs_own_block(s, pkt) || write_block(s, pkt, p + len, SL_SLOT_MAX - len, &b) < 0) {
        b = (struct block){ s->tmpl_len, s->tmpl_twcc, s->tmpl_ast };
        memcpy(p + len, s->tmpl, s->tmpl_len);
    }
    if (len + b.len + 2 + (n->nred ? SL_RED_BYTES : n_payload) > SL_SLOT_MAX) {
        sl_tx_cancel(s->tx, slot);
        return SL_DROP_TOO_LONG;
    }
    finish_block(slot, b, len);
    len += b.len;
    if (n->is_rtx) {
        sl_put16(p + len, n->osn);
        len += 2;
    }
    if (n->nred)
        n_payload = sl_red_tx_write(&s->red, pkt, n->nred, s->pt, p + len);
    else
        memcpy(p + len, pkt->data + pkt->rtp.payload_off + skip, n_payload);
    if (ids)
        sl_vp8_munge_write(p + len, &pkt->payload, ids);
    slot->len = (uint16_t)(len + n_payload);
    slot->rank = s->kind != SL_KIND_VIDEO ? SL_RANK_NOW
                 : n->is_rtx              ? SL_RANK_RESEND
                                          : SL_RANK_MEDIA;
    slot->may_pad = sl_pad_suits(s->codec) && !n->is_rtx;
    slot->rx_us = n->is_rtx || s->replay.on ? 0 : pkt->rx_us;
    slot->keep = s->sealed && !n->is_rtx ? s : NULL;
    slot->repair_line = s->rtx_ssrc && s->nack && !n->is_probe ? (uint16_t)(s->mindex + 1) : 0;
    slot->repair_seq = n->is_rtx ? n->osn : n->seq;
    sl_tx_commit(s->tx, slot);
    return SL_DROP_NONE;
}

enum sl_drop sl_sink_tx_packet(struct sl_sink *s, const struct sl_pkt *pkt,
                               const struct sl_seqts *out, bool marker,
                               const struct sl_vp8_ids *ids)
{
    enum sl_drop why;
    struct numbers n = { s->pt, marker, s->ssrc, (uint16_t)out->seq, (uint32_t)out->ts, false,
                         0,     false,  0 };

    if (pkt->red_off && s->red_pt != SL_PT_NONE)
        n.pt = s->red_pt;
    if (n.pt == SL_PT_NONE)
        n.pt = pkt->rtp.pt;
    if (!n.ssrc)
        n.ssrc = s->ssrc = pkt->rtp.ssrc;
    if (!s->may_red)
        return stage(s, pkt, &n, ids);
    n.nred = sl_red_tx_pick(&s->red, pkt);
    if (n.nred)
        n.pt = s->red_pt;
    why = stage(s, pkt, &n, ids);
    if (why == SL_DROP_NONE)
        sl_red_tx_note(&s->red, pkt);
    return why;
}

static bool resend_sealed(struct sl_sink *s, uint16_t seq) SL_ON_WORKER
{
    struct sl_slot *slot;
    size_t i = seq % SEALED_SLOTS;

    if (!s->sealed || !s->sealed->slot[i].len || s->sealed->slot[i].seq != seq)
        return false;
    slot = sl_tx_reserve(s->tx);
    if (!slot)
        return false;
    memcpy(slot->data, s->sealed->slot[i].data, s->sealed->slot[i].len);
    slot->len = s->sealed->slot[i].len;
    slot->is_sealed = true;
    slot->rank = s->kind == SL_KIND_VIDEO ? SL_RANK_RESEND : SL_RANK_NOW;
    sl_tx_commit(s->tx, slot);
    return true;
}

/* How many bytes went out; 0: it is not to be had any more. */
static size_t resend_rtx(struct sl_sink *s, uint16_t seq, bool is_probe) SL_ON_WORKER
{
    struct sl_vp8_ids ids;
    struct sl_pkt *pkt;
    uint64_t in_seq, out_seq;
    struct numbers n;

    if (sl_munge_find(&s->munge, seq, &in_seq, &out_seq) < 0)
        return 0;
    pkt = sl_mirror_find(s->mirror, s->cur_layer, s->cur_ssrc, in_seq);
    if (!pkt)
        return 0;
    if (s->codec == SL_CODEC_VP8 && sl_vp8_munge_find(&s->past->vp8, &pkt->payload, &ids) < 0)
        return 0;
    n = (struct numbers){ s->rtx_pt,
                          pkt->rtp.marker,
                          s->rtx_ssrc,
                          (uint16_t)s->rtx_seq,
                          (uint32_t)sl_munge_ts(&s->munge, pkt->ts),
                          true,
                          seq,
                          is_probe,
                          0 };
    if (stage(s, pkt, &n, s->codec == SL_CODEC_VP8 ? &ids : NULL) != SL_DROP_NONE)
        return 0;
    s->rtx_seq++;
    return pkt->len;
}

#define PADDING 255 /* bytes: as much as RTP has in a packet */

/* RTX of nothing, which receivers pass over. */
static size_t stage_padding(struct sl_sink *s) SL_ON_WORKER
{
    struct sl_slot *slot = sl_tx_reserve(s->tx);
    uint8_t *p;

    if (!slot)
        return 0;
    p = slot->data;
    sl_rtp_write_header(p, false, s->rtx_pt, (uint16_t)s->rtx_seq++, (uint32_t)s->last_out_ts,
                        s->rtx_ssrc);
    memcpy(p + SL_RTP_HDR, s->tmpl, s->tmpl_len);
    finish_block(slot, (struct block){ s->tmpl_len, s->tmpl_twcc, s->tmpl_ast }, SL_RTP_HDR);
    slot->len = (uint16_t)sl_rtp_pad(p, SL_RTP_HDR + (size_t)s->tmpl_len, SL_SLOT_MAX, PADDING);
    sl_tx_commit(s->tx, slot);
    return slot->len;
}

size_t sl_sink_pad(struct sl_sink *s, size_t bytes)
{
    size_t done = 0;

    if (!s->enabled || s->paused || !s->rtx_ssrc || !s->packets || !s->tx->open)
        return 0;
    if (s->starved || !s->mirror) {
        for (int i = 0; i < SL_SINK_PAD_MAX && done < bytes; i++)
            done += stage_padding(s);
        return done;
    }
    for (uint16_t i = 1; i <= SL_SINK_PAD_MAX && done < bytes; i++)
        done += resend_rtx(s, (uint16_t)(s->munge.out_next - i), true);
    return done;
}

static bool can_resend(const struct sl_sink *s)
{
    return s->mirror && s->enabled && s->nack && s->past;
}

static void resend(struct sl_sink *s, uint16_t seq) SL_ON_WORKER
{
    if (sl_resend_may(&s->past->resend, seq, s->rtt_us, s->ctx->now_us) < 0)
        return;
    if (s->rtx_ssrc ? resend_rtx(s, seq, false) : resend_sealed(s, seq))
        s->resent++;
    else
        sl_resend_pay(&s->past->resend);
}

void sl_sink_resend(struct sl_sink *s, const uint16_t *seqs, size_t n)
{
    if (!can_resend(s))
        return;
    s->nacked += n;
    for (size_t i = 0; i < n; i++)
        resend(s, seqs[i]);
}

void sl_sink_repair(struct sl_sink *s, uint16_t seq)
{
    if (can_resend(s))
        resend(s, seq);
}
