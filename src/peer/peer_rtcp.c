/* RTCP from the peer, and our reports and feedback to it. */
#include "peer/peer_private.h"

#include "base/clock.h"
#include "base/rand.h"

#include <errno.h>
#include <string.h>

#define CNAME          "sluice"
#define NACK_SEQS_MAX  128
#define REMB_PERIOD_US UINT64_C(5000000)
#define REMB_UNCAPPED  UINT64_C(10000000) /* what clients get told when there is no cap */

/* ---- from the peer --------------------------------------------------------------------------- */

static struct sl_sink *sink_by_ssrc(struct sl_peer *p, uint32_t ssrc)
{
    for (size_t i = 0; i < p->ep.nlines; i++) {
        struct sl_sink *s = p->ep.lines[i].sink;

        if (s && (s->ssrc == ssrc || (s->rtx_ssrc && s->rtx_ssrc == ssrc)))
            return s;
    }
    return NULL;
}

static void on_report_blocks(struct sl_peer *p, const struct sl_rtcp_rb *rb, int n) SL_ON_WORKER
{
    for (int i = 0; i < n; i++) {
        struct sl_sink *s = sink_by_ssrc(p, rb[i].ssrc);

        if (s && s->ssrc == rb[i].ssrc)
            sl_sink_on_rb(s, &rb[i]);
    }
}

static int on_sr(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    struct sl_rtcp_rb rb[SL_RTCP_RB_MAX];
    struct sl_rtcp_sr sr;
    const struct sl_rx_ssrc *rx;
    struct sl_track *t;
    int n = sl_rtcp_sr_parse(pkt, &sr, rb, SL_RTCP_RB_MAX);

    if (n < 0)
        return n;
    on_report_blocks(p, rb, n);
    rx = sl_peer_rx_find(p, sr.ssrc);
    t = rx && !rx->is_rtx ? sl_endpoint_track(&p->ep, rx->mindex) : NULL;
    if (t && t->source[rx->layer].ssrc == sr.ssrc) {
        struct sl_source *s = &t->source[rx->layer];

        (void)sl_sr_src_on_sr(&s->sr, &sr, sl_ts_peek(&s->ts, sr.rtp_ts), p->env->ctx->now_us);
    }
    return 0;
}

static int on_rr(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    struct sl_rtcp_rb rb[SL_RTCP_RB_MAX];
    uint32_t ssrc;
    int n = sl_rtcp_rr_parse(pkt, &ssrc, rb, SL_RTCP_RB_MAX);

    on_report_blocks(p, rb, n);
    return n;
}

static int on_rtpfb(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    uint16_t seqs[NACK_SEQS_MAX];
    struct sl_rtcp_fb fb;
    struct sl_sink *s;
    int n;

    if (pkt->fmt == SL_RTPFB_TWCC || pkt->fmt == SL_RTPFB_CCFB)
        return sl_peer_bwe_on_report(p, pkt);
    if (pkt->fmt != SL_RTPFB_NACK)
        return 0;
    n = sl_rtcp_nack_parse(pkt, &fb, seqs, NACK_SEQS_MAX);
    s = n > 0 ? sink_by_ssrc(p, fb.media) : NULL;
    if (s)
        sl_sink_resend(s, seqs, (size_t)n);
    return n;
}

static int on_fir(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    struct sl_rtcp_fir fir[SL_RTCP_SSRC_MAX];
    struct sl_rtcp_fb fb;
    int n = sl_rtcp_fir_parse(pkt, &fb, fir, SL_RTCP_SSRC_MAX);

    for (int i = 0; i < n; i++) {
        struct sl_sink *s = sink_by_ssrc(p, fir[i].ssrc);

        if (s)
            sl_sink_on_pli(s);
    }
    return n;
}

/* Noted for statistics. */
static int on_remb(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    uint32_t sender, ssrc[SL_RTCP_SSRC_MAX];
    uint64_t bps;
    int n = sl_rtcp_remb_parse(pkt, &sender, &bps, ssrc, SL_RTCP_SSRC_MAX);

    for (int i = 0; i < n; i++) {
        struct sl_sink *s = sink_by_ssrc(p, ssrc[i]);

        if (s)
            s->remb_bps = bps;
    }
    if (n >= 0)
        sl_peer_bwe_on_remb(p, bps);
    return n == -ENOENT ? 0 : n; /* something else that an application understands */
}

static int on_psfb(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    struct sl_rtcp_fb fb;
    struct sl_sink *s;

    if (pkt->fmt == SL_PSFB_FIR)
        return on_fir(p, pkt);
    if (pkt->fmt == SL_PSFB_AFB)
        return on_remb(p, pkt);
    if (pkt->fmt != SL_PSFB_PLI)
        return 0;
    if (sl_rtcp_fb_parse(pkt, &fb) < 0)
        return -EBADMSG;
    s = sink_by_ssrc(p, fb.media);
    if (s)
        sl_sink_on_pli(s);
    return 0;
}

/* Of one packet of a compound. Negative: malformed. */
static int on_packet(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER
{
    switch (pkt->pt) {
    case SL_RTCP_SR:
        return on_sr(p, pkt);
    case SL_RTCP_RR:
        return on_rr(p, pkt);
    case SL_RTCP_RTPFB:
        return on_rtpfb(p, pkt);
    case SL_RTCP_PSFB:
        return on_psfb(p, pkt);
    default:
        return 0;
    }
}

void sl_peer_rx_rtcp(struct sl_peer *p, uint8_t *data, size_t len)
{
    struct sl_mctx *ctx = p->env->ctx;
    struct sl_rtcp_pkt pkt;
    struct sl_rtcp_it it;
    int err;

    if (!p->srtp) {
        ctx->drops[SL_DROP_NO_KEYS]++;
        return;
    }
    err = sl_srtcp_unprotect(p->srtp, data, &len);
    if (err < 0) {
        ctx->drops[sl_peer_why_unread(err)]++;
        return;
    }
    if (p->capture)
        sl_peer_captured(p, true, data, len);
    it = sl_rtcp_begin(data, len);
    while ((err = sl_rtcp_next(&it, &pkt)) > 0)
        if (on_packet(p, &pkt) < 0)
            ctx->drops[SL_DROP_MALFORMED]++;
    if (err < 0)
        ctx->drops[SL_DROP_MALFORMED]++;
}

/* ---- to the peer ----------------------------------------------------------------------------- */

/* The SSRC that our feedback comes from: a stream of ours when there is one. */
static uint32_t sender_ssrc(const struct sl_peer *p)
{
    for (size_t i = 0; p->media && i < p->media->n; i++)
        if (p->media->line[i].tx_ssrc)
            return p->media->line[i].tx_ssrc;
    return p->own_ssrc;
}

static struct sl_slot *rtcp_begin(struct sl_peer *p, struct sl_writer *w) SL_ON_WORKER
{
    struct sl_slot *slot = sl_tx_reserve(&p->tx);

    if (!slot)
        return NULL;
    slot->is_rtcp = true;
    *w = sl_writer_make(slot->data, p->env->mtu < SL_SLOT_MAX ? p->env->mtu : SL_SLOT_MAX);
    return slot;
}

/* Stages what was written; a packet that did not fit was left out by its writer. */
static void rtcp_end(struct sl_peer *p, struct sl_slot *slot, struct sl_writer *w) SL_ON_WORKER
{
    slot->len = (uint16_t)sl_writer_len(w);
    if (slot->len)
        sl_tx_commit(&p->tx, slot);
    else
        sl_tx_cancel(&p->tx, slot);
}

void sl_peer_ask_key(void *arg, struct sl_track *t, struct sl_source *s)
{
    struct sl_peer *p = arg;
    const struct sl_media_line *m;
    struct sl_rtcp_fir fir;
    struct sl_writer w;
    struct sl_slot *slot;

    SL_ASSUME(worker);
    if (!p->tx.open)
        return;
    m = &p->media->line[t->mindex];
    if (!m->pli && !m->fir)
        return;
    slot = rtcp_begin(p, &w);
    if (!slot)
        return;
    if (m->pli) {
        sl_rtcp_pli_write(&w, sender_ssrc(p), s->ssrc);
    } else {
        fir = (struct sl_rtcp_fir){ s->ssrc, s->fir_seq++ };
        sl_rtcp_fir_write(&w, sender_ssrc(p), &fir, 1);
    }
    rtcp_end(p, slot, &w);
}

static void send_nacks(struct sl_peer *p, struct sl_source *s) SL_ON_WORKER
{
    uint16_t seqs[NACK_SEQS_MAX];
    size_t n = sl_nack_due(&s->nack, p->env->ctx->now_us, seqs, NACK_SEQS_MAX);
    struct sl_writer w;
    struct sl_slot *slot;

    if (!n)
        return;
    slot = rtcp_begin(p, &w);
    if (!slot)
        return;
    sl_rtcp_nack_write(&w, sender_ssrc(p), s->ssrc, seqs, n);
    rtcp_end(p, slot, &w);
}

static void send_twcc(struct sl_peer *p) SL_ON_WORKER
{
    uint64_t now_us = p->env->ctx->now_us;
    bool more = true;

    for (int i = 0; more && i < 8 && sl_twcc_rx_due_us(p->twcc) <= now_us; i++) {
        struct sl_writer w;
        struct sl_slot *slot = rtcp_begin(p, &w);

        if (!slot)
            return;
        more = sl_twcc_rx_write(p->twcc, &w, sender_ssrc(p), p->twcc_media_ssrc, now_us);
        rtcp_end(p, slot, &w);
    }
}

static void send_ccfb(struct sl_peer *p) SL_ON_WORKER
{
    uint64_t now_us = p->env->ctx->now_us;
    bool more = true;

    for (int i = 0; more && i < 8 && sl_ccfb_rx_due_us(p->ccfb) <= now_us; i++) {
        struct sl_writer w;
        struct sl_slot *slot = rtcp_begin(p, &w);

        if (!slot)
            return;
        more = sl_ccfb_rx_write(p->ccfb, &w, sender_ssrc(p), now_us);
        rtcp_end(p, slot, &w);
    }
}

/* The first moment of the grid from @at_us on: the worker wakes up once for all its peers. */
static uint64_t on_grid(uint64_t at_us, uint64_t step_us)
{
    return (at_us + step_us - 1) / step_us * step_us;
}

void sl_peer_rtcp_need(struct sl_peer *p, uint64_t due_us)
{
    uint64_t now_us = p->env->ctx->now_us, at_us;

    if (due_us >= p->fast_timer.at_us) /* nothing is due, or the peer is not up */
        return;
    at_us = on_grid(due_us > now_us ? due_us : now_us + 1, SL_PEER_FAST_US);
    if (at_us < p->fast_timer.at_us)
        sl_timer_set(p->env->wheel, &p->fast_timer, at_us);
}

/* NACK and transport-cc at their time, layers and deferred key frames several times a second. */
static void on_fast(struct sl_timer *t, uint64_t now_us)
{
    struct sl_peer *p = sl_container(t, struct sl_peer, fast_timer);
    bool tick = now_us >= p->tick_us + SL_PEER_TICK_US - SL_PEER_FAST_US / 2;

    SL_ASSUME(worker);
    if (tick)
        p->tick_us = now_us;
    sl_timer_set(p->env->wheel, t, on_grid(now_us + 1, SL_PEER_TICK_US));
    for (size_t i = 0; i < p->ep.nlines; i++) {
        struct sl_track *track = p->ep.lines[i].track;

        for (int l = 0; track && l < track->nlayers; l++) {
            if (!track->source[l].wants_nack)
                continue;
            if (sl_nack_next_us(&track->source[l].nack) <= now_us)
                send_nacks(p, &track->source[l]);
            sl_peer_rtcp_need(p, sl_nack_next_us(&track->source[l].nack));
        }
        if (tick && track)
            sl_track_tick(track);
        if (tick && p->ep.lines[i].sink)
            sl_sink_tick(p->ep.lines[i].sink);
    }
    if (p->twcc) {
        send_twcc(p);
        sl_peer_rtcp_need(p, sl_twcc_rx_due_us(p->twcc));
    }
    if (p->ccfb) {
        send_ccfb(p);
        sl_peer_rtcp_need(p, sl_ccfb_rx_due_us(p->ccfb));
    }
    sl_peer_bwe_tick(p);
}

/* SSRCs that REMB and receiver reports are about. */
static size_t video_ssrcs(const struct sl_peer *p, uint32_t *ssrc, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < p->ep.nlines; i++) {
        const struct sl_track *t = p->ep.lines[i].track;

        for (int l = 0; t && t->kind == SL_KIND_VIDEO && l < t->nlayers && n < max; l++)
            if (t->source[l].ssrc && p->media->line[i].remb)
                ssrc[n++] = t->source[l].ssrc;
    }
    return n;
}

/* Makes room for @n more bytes: what was written goes out, and the next packet begins. */
static bool rtcp_room(struct sl_peer *p, struct sl_slot **slot, struct sl_writer *w,
                      size_t n) SL_ON_WORKER
{
    if ((size_t)(w->end - w->p) >= n)
        return true;
    rtcp_end(p, *slot, w);
    *slot = rtcp_begin(p, w);
    return *slot != NULL;
}

/* The next blocks from source *@at on (m-line * SL_LAYERS_MAX + layer), which moves on. */
static size_t report_blocks(struct sl_peer *p, size_t *at, struct sl_rtcp_rb *rb, size_t max)
{
    size_t n = 0;

    for (; *at < p->ep.nlines * SL_LAYERS_MAX && n < max; (*at)++) {
        struct sl_track *t = p->ep.lines[*at / SL_LAYERS_MAX].track;
        size_t layer = *at % SL_LAYERS_MAX;
        struct sl_source *s = t ? &t->source[layer] : NULL;

        if (s && t->receives && layer < t->nlayers && s->ssrc &&
            sl_rr_report(&s->rr, s->ssrc, s->sr.lsr, s->sr.lsr_us, p->env->ctx->now_us, &rb[n]) ==
                0)
            n++;
    }
    return n;
}

#define SDES_BYTES    (8 + 16)          /* with our cname */
#define SR_SDES_BYTES (28 + SDES_BYTES) /* with a sender report before it */
#define REMB_BYTES    (20 + SL_RTCP_SSRC_MAX * 4)

/* Reports about all sources, in as many packets as it takes (RFC 3550 section 6.1); one at least,
 * which other packets may follow. False: there was no room. */
static bool write_rrs(struct sl_peer *p, struct sl_slot **slot, struct sl_writer *w) SL_ON_WORKER
{
    struct sl_rtcp_rb rb[SL_RTCP_RB_MAX];
    size_t at = 0, n, max = (p->env->mtu - 8 - SDES_BYTES) / 24;

    if (max > SL_RTCP_RB_MAX)
        max = SL_RTCP_RB_MAX;
    do {
        n = report_blocks(p, &at, rb, max);
        if (!rtcp_room(p, slot, w, 8 + n * 24 + SDES_BYTES))
            return false;
        sl_rtcp_rr_write(w, sender_ssrc(p), rb, n);
        sl_rtcp_sdes_write(w, sender_ssrc(p), CNAME);
    } while (n == max);
    return true;
}

/* Four steps up to the cap at the start, then a reminder every five seconds. */
static bool write_remb(struct sl_peer *p, struct sl_slot **slot, struct sl_writer *w) SL_ON_WORKER
{
    uint64_t bps = p->bitrate_cap ? p->bitrate_cap : REMB_UNCAPPED;
    uint32_t ssrc[SL_RTCP_SSRC_MAX];
    size_t n;

    if (p->env->ctx->now_us < p->remb_at_us)
        return true;
    n = video_ssrcs(p, ssrc, SL_RTCP_SSRC_MAX);
    if (!n)
        return true;
    if ((size_t)(w->end - w->p) < REMB_BYTES) {
        if (!rtcp_room(p, slot, w, REMB_BYTES))
            return false;
        sl_rtcp_rr_write(w, sender_ssrc(p), NULL, 0); /* a compound begins with a report */
    }
    if (p->remb_step < 4) {
        p->remb_step++;
        bps = bps * p->remb_step / 4;
        p->remb_at_us = 0;
    } else {
        p->remb_at_us = p->env->ctx->now_us + REMB_PERIOD_US;
    }
    sl_rtcp_remb_write(w, sender_ssrc(p), bps, ssrc, n);
    return true;
}

/* Sender reports of all sinks, receiver reports of all sources, REMB; as few packets as possible.
 */
void sl_peer_send_reports(struct sl_peer *p)
{
    uint64_t wall_ntp = sl_ntp_from_wall_us(sl_wall_us());
    struct sl_writer w;
    struct sl_slot *slot = rtcp_begin(p, &w);

    if (!slot)
        return;
    for (size_t i = 0; i < p->ep.nlines; i++) {
        struct sl_sink *s = p->ep.lines[i].sink;

        if (!s || !sl_sink_has_sr(s))
            continue;
        if (!rtcp_room(p, &slot, &w, SR_SDES_BYTES))
            return;
        sl_sink_write_sr(s, &w, wall_ntp);
        sl_rtcp_sdes_write(&w, s->ssrc, CNAME);
    }
    if (write_rrs(p, &slot, &w) && write_remb(p, &slot, &w))
        rtcp_end(p, slot, &w);
}

static void every_second(struct sl_peer *p) SL_ON_WORKER
{
    uint64_t now_us = p->env->ctx->now_us;
    bool fir = p->fir_interval_us && now_us >= p->fir_at_us;

    for (size_t i = 0; i < p->ep.nlines; i++) {
        struct sl_track *t = p->ep.lines[i].track;

        if (t)
            sl_track_second(t);
        if (t && fir)
            sl_track_keyframe(t, -1);
        if (p->ep.lines[i].sink)
            sl_sink_second(p->ep.lines[i].sink);
    }
    if (fir)
        p->fir_at_us = now_us + p->fir_interval_us;
}

static void on_rtcp(struct sl_timer *t, uint64_t now_us)
{
    struct sl_peer *p = sl_container(t, struct sl_peer, rtcp_timer);
    uint64_t at_us;

    SL_ASSUME(worker);
    every_second(p);
    sl_peer_send_reports(p);
    /* 0.75 to 1.25 s, so that the reports of many peers spread (RFC 3550 section 6.2). */
    at_us = now_us + SL_PEER_RTCP_US * 3 / 4 + sl_rand32() % (SL_PEER_RTCP_US / 2);
    sl_timer_set(p->env->wheel, t, on_grid(at_us, SL_PEER_TICK_US));
}

void sl_peer_rtcp_init(struct sl_peer *p)
{
    sl_timer_init(&p->rtcp_timer, on_rtcp);
    sl_timer_init(&p->fast_timer, on_fast);
}

void sl_peer_rtcp_start(struct sl_peer *p)
{
    uint64_t now_us = p->env->ctx->now_us;

    sl_timer_set(p->env->wheel, &p->rtcp_timer, now_us + SL_PEER_RTCP_US / 4);
    sl_timer_set(p->env->wheel, &p->fast_timer, now_us + SL_PEER_FAST_US);
}

void sl_peer_rtcp_stop(struct sl_peer *p)
{
    sl_timer_cancel(&p->rtcp_timer);
    sl_timer_cancel(&p->fast_timer);
}

void sl_peer_set_bitrate(struct sl_peer *p, uint32_t bps)
{
    p->bitrate_cap = bps;
    p->remb_at_us = 0;
    if (p->is_up)
        p->remb_step = 4; /* a change takes effect whole */
}

void sl_peer_set_fir_interval(struct sl_peer *p, uint32_t seconds)
{
    p->fir_interval_us = (uint64_t)seconds * 1000000;
    p->fir_at_us = p->env->ctx->now_us + p->fir_interval_us;
}
