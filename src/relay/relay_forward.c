/* Forwarder: sinks whose packets leave as plain RTP or SRTP, and the receiver's feedback. */
#include "relay/relay_private.h"

#include "base/clock.h"

#define CNAME         "sluice"
#define SR_SDES_BYTES (28 + 8 + 16)

static int set_line(struct sl_relay *r, const struct sl_media_line *m)
{
    struct sl_line *l = &r->ep.lines[m->mindex];

    SL_ASSUME(worker);
    if (l->sink && m->tx_ssrc && m->tx_ssrc != l->sink->ssrc)
        sl_endpoint_drop_sink(&r->ep, m->mindex);
    if (l->sink)
        sl_sink_configure(l->sink, m);
    else if (m->dir & SL_DIR_SEND)
        return sl_sink_create(r->ep.ctx, &r->tx, r->ep.id, m, &l->sink);
    return 0;
}

/* Nobody sends us media here. */
static void take_rtp(struct sl_relay *r, const struct sl_udp_dgram *d)
{
    (void)d;
    r->ep.ctx->drops[SL_DROP_NOT_RECEIVING]++;
}

/* Receivers that know only of the one stream name it loosely: then all of ours are meant. */
static void want_key(struct sl_relay *r, uint32_t ssrc) SL_ON_WORKER
{
    struct sl_sink *exact = NULL;

    for (size_t i = 0; i < r->ep.nlines; i++)
        if (r->ep.lines[i].sink && r->ep.lines[i].sink->ssrc == ssrc)
            exact = r->ep.lines[i].sink;
    for (size_t i = 0; i < r->ep.nlines; i++) {
        struct sl_sink *s = r->ep.lines[i].sink;

        if (s && s->kind == SL_KIND_VIDEO && (!exact || exact == s))
            sl_sink_on_pli(s);
    }
}

static void take_feedback(struct sl_relay *r, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    struct sl_rtcp_fir fir[SL_RTCP_SSRC_MAX];
    struct sl_rtcp_fb fb;
    int n;

    if (pkt->fmt == SL_PSFB_PLI && sl_rtcp_fb_parse(pkt, &fb) == 0)
        want_key(r, fb.media);
    if (pkt->fmt != SL_PSFB_FIR)
        return;
    n = sl_rtcp_fir_parse(pkt, &fb, fir, SL_RTCP_SSRC_MAX);
    for (int i = 0; i < n; i++)
        want_key(r, fir[i].ssrc);
}

static void take_rtcp(struct sl_relay *r, uint8_t *data, size_t len, const struct sl_addr *from)
{
    struct sl_rtcp_it it = sl_rtcp_begin(data, len);
    struct sl_rtcp_pkt pkt;
    int err;

    SL_ASSUME(worker);
    if (!sl_addr_is_same_ip(from, &r->conf->rtp_to) && !sl_addr_is_multicast(&r->conf->rtp_to)) {
        r->ep.ctx->drops[SL_DROP_UNKNOWN_ADDRESS]++;
        return;
    }
    while ((err = sl_rtcp_next(&it, &pkt)) > 0)
        if (pkt.pt == SL_RTCP_PSFB)
            take_feedback(r, &pkt);
    if (err < 0)
        r->ep.ctx->drops[SL_DROP_MALFORMED]++;
}

/* Reports keep the clocks of audio and video together, and tell the receiver where feedback is
 * taken, also before there is media. */
static void report(struct sl_relay *r)
{
    uint64_t wall_ntp = sl_ntp_from_wall_us(sl_wall_us());
    struct sl_writer w;
    struct sl_slot *slot;

    SL_ASSUME(worker);
    slot = sl_relay_rtcp_begin(r, &w);
    for (size_t i = 0; slot && i < r->ep.nlines; i++) {
        struct sl_sink *s = r->ep.lines[i].sink;

        if (!s || !sl_sink_has_sr(s))
            continue;
        if ((size_t)(w.end - w.p) < SR_SDES_BYTES) {
            sl_relay_rtcp_end(r, slot, &w);
            slot = sl_relay_rtcp_begin(r, &w);
            if (!slot)
                return;
        }
        sl_sink_write_sr(s, &w, wall_ntp);
        sl_rtcp_sdes_write(&w, s->ssrc, CNAME);
    }
    if (!slot)
        return;
    if (!sl_writer_len(&w)) {
        sl_rtcp_rr_write(&w, r->own_ssrc, NULL, 0);
        sl_rtcp_sdes_write(&w, r->own_ssrc, CNAME);
    }
    sl_relay_rtcp_end(r, slot, &w);
}

const struct relay_kind sl_relay_forward = {
    .set_line = set_line,
    .rtp = take_rtp,
    .rtcp = take_rtcp,
    .second = report,
};
