/* Remote publisher: RTP of a forwarder elsewhere becomes tracks. */
#include "relay/relay_private.h"

#include "rtp/rtp_red.h"

#include <errno.h>
#include <string.h>

static void ask_key(void *arg, struct sl_track *t, struct sl_source *s);

static int set_line(struct sl_relay *r, const struct sl_media_line *m)
{
    uint32_t wire = (m->ssrc[0] - SL_RELAY_SSRC(0, 0)) / 10;
    struct sl_line *l = &r->ep.lines[m->mindex];
    int err = 0;

    SL_ASSUME(worker);
    if (l->track)
        sl_track_configure(l->track, m);
    else if (m->kind != SL_KIND_DATA && (m->dir & SL_DIR_RECV))
        err = sl_track_create(r->ep.ctx, r->ep.id, m, ask_key, r, &l->track);
    if (err == 0 && wire < RELAY_WIRE_MAX)
        r->by_wire[wire] = (uint16_t)(m->mindex + 1);
    return err;
}

/* NULL: no stream of ours. */
static struct sl_track *track_find(struct sl_relay *r, uint32_t ssrc, uint8_t *layer)
{
    uint32_t n = ssrc - SL_RELAY_SSRC(0, 0);
    struct sl_track *t;

    if (ssrc < SL_RELAY_SSRC(0, 0) || n / 10 >= RELAY_WIRE_MAX || !r->by_wire[n / 10])
        return NULL;
    t = sl_endpoint_track(&r->ep, (uint16_t)(r->by_wire[n / 10] - 1));
    if (!t || n % 10 >= t->nlayers)
        return NULL;
    *layer = (uint8_t)(n % 10);
    return t;
}

/* ---- RTP ------------------------------------------------------------------------------------- */

bool sl_relay_is_sender(struct sl_relay *r, const struct sl_addr *from)
{
    uint64_t now_us = r->ep.ctx->now_us;

    if (!sl_addr_is_equal(&r->rtp_from, from)) {
        if (sl_addr_len(&r->rtp_from) && !r->srtp && now_us - r->rtp_heard_us < SL_RELAY_LATCH_US)
            return false;
        r->rtp_from = *from;
    }
    r->rtp_heard_us = now_us;
    return true;
}

static enum sl_drop open_packet(struct sl_relay *r, struct sl_pkt *pkt,
                                const struct sl_udp_dgram *d) SL_ON_WORKER
{
    size_t n = d->len;
    int err;

    memcpy(pkt->data, d->data, n);
    err = r->srtp ? sl_srtp_unprotect(r->srtp, pkt->data, &n) : 0;
    if (err == -EALREADY)
        return SL_DROP_REPLAY;
    if (err < 0)
        return err == -EACCES ? SL_DROP_AUTH : SL_DROP_MALFORMED;
    pkt->len = (uint16_t)n;
    if (sl_rtp_parse(pkt->data, n, &pkt->rtp) < 0 ||
        sl_ext_parse(pkt->data, &pkt->rtp, &r->extmap, &pkt->ext) < 0)
        return SL_DROP_MALFORMED;
    return SL_DROP_NONE;
}

/* Nothing tells the payload types of the other end: a line with RED has nothing else. */
static enum sl_drop parse_payload(struct sl_pkt *pkt, const struct sl_media_line *m)
{
    struct sl_red red;

    pkt->codec = (uint8_t)m->codec;
    pkt->red_off = 0;
    memset(&pkt->payload, 0, sizeof(pkt->payload));
    if (!pkt->rtp.payload_len)
        return SL_DROP_NONE;
    if (m->red_pt != SL_PT_NONE) {
        if (sl_red_parse(pkt->data + pkt->rtp.payload_off, pkt->rtp.payload_len, &red) < 0 ||
            !red.block[red.n - 1].len)
            return SL_DROP_MALFORMED;
        pkt->red_off = red.block[red.n - 1].off;
    }
    /* With a dependency descriptor nothing is wanted of the payload, which may be encrypted. */
    if (m->kind == SL_KIND_VIDEO &&
        sl_payload_parse(m->codec, pkt->data + pkt->rtp.payload_off, pkt->rtp.payload_len,
                         &pkt->payload) < 0 &&
        !(pkt->ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR)))
        return SL_DROP_MALFORMED;
    return SL_DROP_NONE;
}

static enum sl_drop deliver(struct sl_relay *r, struct sl_pkt *pkt,
                            const struct sl_addr *from) SL_ON_WORKER
{
    struct sl_track *t = track_find(r, pkt->rtp.ssrc, &pkt->layer);
    enum sl_drop why;

    if (!t)
        return SL_DROP_UNKNOWN_SSRC;
    if (!t->receives)
        return SL_DROP_NOT_RECEIVING;
    why = parse_payload(pkt, &r->media->line[t->mindex]);
    if (why != SL_DROP_NONE)
        return why;
    if (!sl_relay_is_sender(r, from))
        return SL_DROP_UNKNOWN_ADDRESS;
    sl_track_push(t, pkt, false);
    return SL_DROP_NONE;
}

static void take_rtp(struct sl_relay *r, const struct sl_udp_dgram *d)
{
    struct sl_mctx *ctx = r->ep.ctx;
    enum sl_drop why;
    struct sl_pkt *pkt;

    SL_ASSUME(worker);
    if (sl_relay_data_take(r, d))
        return;
    if (d->len > SL_PKT_MAX) {
        ctx->drops[SL_DROP_TOO_LONG]++;
        return;
    }
    pkt = sl_pkt_get(&ctx->pkts);
    if (!pkt) {
        ctx->drops[SL_DROP_NO_MEMORY]++;
        return;
    }
    why = open_packet(r, pkt, d);
    if (why == SL_DROP_NONE)
        why = deliver(r, pkt, d->remote);
    if (why != SL_DROP_NONE) {
        ctx->drops[why]++;
        sl_pkt_unref(pkt);
    }
}

/* ---- RTCP ------------------------------------------------------------------------------------ */

static void take_sr(struct sl_relay *r, const struct sl_rtcp_pkt *pkt)
{
    struct sl_rtcp_sr sr;
    struct sl_track *t;
    struct sl_source *s;
    uint8_t layer = 0;

    if (sl_rtcp_sr_parse(pkt, &sr, NULL, 0) < 0)
        return;
    t = track_find(r, sr.ssrc, &layer);
    s = t ? &t->source[layer] : NULL;
    if (s && s->ssrc == sr.ssrc)
        (void)sl_sr_src_on_sr(&s->sr, &sr, sl_ts_peek(&s->ts, sr.rtp_ts), r->ep.ctx->now_us);
}

static void take_rtcp(struct sl_relay *r, uint8_t *data, size_t len, const struct sl_addr *from)
{
    struct sl_rtcp_it it = sl_rtcp_begin(data, len);
    struct sl_rtcp_pkt pkt;
    int err;

    SL_ASSUME(worker);
    /* Reports come from another port than media may, but not from another machine. */
    if (!r->srtp && sl_addr_len(&r->rtp_from) && !sl_addr_is_same_ip(&r->rtp_from, from)) {
        r->ep.ctx->drops[SL_DROP_UNKNOWN_ADDRESS]++;
        return;
    }
    while ((err = sl_rtcp_next(&it, &pkt)) > 0)
        if (pkt.pt == SL_RTCP_SR)
            take_sr(r, &pkt);
    if (err < 0)
        r->ep.ctx->drops[SL_DROP_MALFORMED]++;
    else
        r->rtcp_to = *from;
}

static void ask_key(void *arg, struct sl_track *t, struct sl_source *s)
{
    struct sl_relay *r = arg;
    struct sl_writer w;
    struct sl_slot *slot;

    SL_ASSUME(worker);
    (void)t;
    slot = sl_relay_rtcp_begin(r, &w);
    if (!slot)
        return;
    sl_rtcp_rr_write(&w, r->own_ssrc, NULL, 0);
    sl_rtcp_pli_write(&w, r->own_ssrc, s->ssrc);
    sl_relay_rtcp_end(r, slot, &w);
}

const struct relay_kind sl_relay_remote = {
    .set_line = set_line,
    .rtp = take_rtp,
    .rtcp = take_rtcp,
};
