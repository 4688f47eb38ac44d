/* Player: packets that a plugin makes become tracks. There is no network in it. */
#include "relay/relay_private.h"

#include "base/clock.h"
#include "base/rand.h"
#include "rtp/rtp_pkt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_US UINT64_C(1000000) /* between what tells how sound and picture belong together */

/* One m-line. */
struct relay_play {
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts_off;
    uint64_t report_us; /* when the last report was made; 0: none */
};

static void ask_key(void *arg, struct sl_track *t, struct sl_source *s)
{
    struct sl_relay *r = arg;

    SL_ASSUME(worker);
    (void)s;
    r->env->keyframe(r->env->arg, r->ep.id, t->mindex);
}

static int set_line(struct sl_relay *r, const struct sl_media_line *m)
{
    struct sl_line *l = &r->ep.lines[m->mindex];
    struct relay_play *plays = realloc(r->plays, (m->mindex + 1u) * sizeof(*plays));

    SL_ASSUME(worker);
    if (!plays)
        return -ENOMEM;
    r->plays = plays;
    plays[m->mindex] = (struct relay_play){
        .ssrc = r->own_ssrc + m->mindex,
        .seq = sl_rand32() & 0x7fff,
        .ts_off = sl_rand32(),
    };
    return sl_track_create(r->ep.ctx, r->ep.id, m, ask_key, r, &l->track);
}

static uint32_t ts_of(const struct relay_play *p, const struct sl_media_line *m, uint64_t time_us)
{
    const uint64_t s = time_us / 1000000, us = time_us % 1000000;

    return p->ts_off + (uint32_t)(s * m->clock_rate + us * m->clock_rate / 1000000);
}

/* What a sender report of its own would have said. */
static void report(struct sl_relay *r, struct relay_play *p, struct sl_source *s, uint32_t ts,
                   uint64_t time_us) SL_ON_WORKER
{
    const uint64_t now_us = r->ep.ctx->now_us;
    struct sl_rtcp_sr sr = { .ssrc = p->ssrc, .rtp_ts = ts };

    if (p->report_us && now_us - p->report_us < REPORT_US)
        return;
    if (!r->play_wall_us)
        r->play_wall_us = sl_wall_us() - time_us;
    sr.ntp = sl_ntp_from_wall_us(r->play_wall_us + time_us);
    p->report_us = now_us;
    (void)sl_sr_src_on_sr(&s->sr, &sr, sl_ts_peek(&s->ts, ts), now_us);
}

static enum sl_drop play(struct sl_relay *r, struct sl_track *t, const struct sl_relay_packet *h,
                         const uint8_t *payload) SL_ON_WORKER
{
    const struct sl_media_line *m = &r->media->line[t->mindex];
    struct relay_play *p = &r->plays[t->mindex];
    const uint32_t ts = ts_of(p, m, h->time_us);
    struct sl_pkt *pkt = sl_pkt_get(&r->ep.ctx->pkts);

    if (!pkt)
        return SL_DROP_NO_MEMORY;
    sl_rtp_write_header(pkt->data, h->marker, m->pt, p->seq++, ts, p->ssrc);
    memcpy(pkt->data + SL_RTP_HDR, payload, h->len);
    pkt->len = (uint16_t)(SL_RTP_HDR + h->len);
    memset(&pkt->ext, 0, sizeof(pkt->ext));
    memset(&pkt->payload, 0, sizeof(pkt->payload));
    pkt->red_off = 0;
    pkt->layer = 0;
    if (sl_rtp_parse(pkt->data, pkt->len, &pkt->rtp) < 0 ||
        (m->kind == SL_KIND_VIDEO &&
         sl_payload_parse(m->codec, payload, h->len, &pkt->payload) < 0)) {
        sl_pkt_unref(pkt);
        return SL_DROP_MALFORMED;
    }
    sl_track_push(t, pkt, false);
    report(r, p, &t->source[0], ts, h->time_us);
    return SL_DROP_NONE;
}

void sl_relay_play(struct sl_relay *r, uint16_t mindex, const uint8_t *packets, size_t len)
{
    struct sl_mctx *ctx = r->ep.ctx;
    struct sl_track *t = r->media ? sl_endpoint_track(&r->ep, mindex) : NULL;
    const uint64_t rx_us = ctx->rx_us;
    struct sl_relay_packet h;
    enum sl_drop why;

    ctx->rx_us = 0; /* they did not come to this machine */
    for (size_t at = 0; t && at < len; at += h.len) {
        memcpy(&h, packets + at, sizeof(h));
        at += sizeof(h);
        why = play(r, t, &h, packets + at);
        if (why != SL_DROP_NONE) /* what went through is counted by the track */
            ctx->drops[why]++;
    }
    ctx->rx_us = rx_us;
    sl_relay_data_done(r, len);
}

const struct relay_kind sl_relay_player = { .set_line = set_line };
