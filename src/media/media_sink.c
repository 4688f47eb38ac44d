#include "media/media_sink.h"

#include "base/clock.h"
#include "base/rand.h"
#include "media/media_mirror.h"
#include "media/media_pkt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Packets that are worth a system call while others wait: the same few slots are used again, and
 * are in the cache until the kernel copied them. */
#define FLUSH_AT 64

#define HEARD_US 250000 /* a layer of which something came so lately goes on */

int sl_sink_create(struct sl_mctx *ctx, struct sl_tx *tx, sl_id pc,
                   const struct sl_media_line *line, struct sl_sink **out)
{
    struct sl_sink *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->ctx = ctx;
    s->tx = tx;
    s->pc = pc;
    s->mindex = line->mindex;
    s->ssrc = line->tx_ssrc;
    s->clock_rate = line->clock_rate;
    s->kind = line->kind;
    s->wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    s->size_layer = s->load_layer = SL_LAYERS_MAX - 1;
    sl_alloc_init(&s->alloc, SL_ALLOC_PRIORITY);
    s->rtx_seq = sl_rand32() & 0x7fff;
    sl_munge_init(&s->munge, line->clock_rate, (uint16_t)(sl_rand32() & 0x7fff), sl_rand32());
    sl_list_init(&s->replay.node);
    sl_layers_init(&s->layers, SL_LAYERS_SINGLE, line->kind == SL_KIND_VIDEO, 1);
    sl_sink_configure(s, line);
    *out = s;
    return 0;
}

void sl_sink_destroy(struct sl_sink *s)
{
    if (!s)
        return;
    assert(!s->mirror);
    sl_tx_forget(s->tx, s);
    sl_sink_tx_fini(s);
    sl_red_tx_forget(&s->red);
    free(s->past);
    free(s);
}

void sl_sink_configure(struct sl_sink *s, const struct sl_media_line *line)
{
    bool enabled = (line->dir & SL_DIR_SEND) && line->clock_rate, was_enabled = s->enabled;

    s->enabled = enabled;
    s->only = (int8_t)((int)line->tx_layer - 1);
    if (!enabled) { /* a line that is off says nothing about the rest */
        sl_replay_stop(s);
        return;
    }
    if (s->clock_rate != line->clock_rate)
        s->clock_rate = s->munge.clock_rate = line->clock_rate;
    s->codec = line->codec;
    s->pt = line->pt;
    s->red_pt = line->red_pt;
    s->may_red = line->codec == SL_CODEC_OPUS && line->red_pt != SL_PT_NONE &&
                 line->red_pt != line->pt; /* a forwarder's: as the publisher has it */
    if (!s->may_red)
        sl_red_tx_off(&s->red);
    s->rtx_pt = line->tx_rtx_ssrc ? line->rtx_pt : SL_PT_NONE;
    s->rtx_ssrc = line->tx_rtx_ssrc;
    memcpy(s->mid, line->mid, sizeof(s->mid));
    memcpy(s->ext, line->ext, sizeof(s->ext));
    s->ext_mixed = line->ext_mixed;
    s->nack = line->nack;
    sl_sink_tx_configure(s);
    if (!was_enabled)
        sl_sink_resume(s);
}

void sl_sink_set_mirror(struct sl_sink *s, struct sl_mirror *m)
{
    sl_red_tx_forget(&s->red);
    sl_replay_stop(s);
    s->mirror = m;
    memset(s->layer_ssrc, 0, sizeof(s->layer_ssrc));
    s->cur_ssrc = 0;
    s->source_us = 0;
    s->last_capture_us = 0;
}

struct sl_mirror *sl_sink_mirror(const struct sl_sink *s)
{
    return s->mirror;
}

/* Which layers go on is known before their next packets come. */
static void hear_mirror(struct sl_sink *s)
{
    uint64_t now_us = s->ctx->now_us;

    for (int i = 0; s->ctx->gop_us && s->mirror && i < s->layers.nlayers; i++) {
        const struct sl_gop *g = &s->mirror->gop[i];

        if (s->layers.mode == SL_LAYERS_SIMULCAST && g->ssrc && now_us <= g->last_us + HEARD_US)
            sl_layers_heard(&s->layers, i, g->key_ts, now_us);
    }
}

/* What is not shown is not sent. */
static void update_paused(struct sl_sink *s) SL_ON_WORKER
{
    bool paused = s->pause_asked || (s->kind == SL_KIND_VIDEO && s->wish.width < 0);

    if (s->paused == paused)
        return;
    s->paused = paused;
    if (paused)
        sl_replay_stop(s);
    else
        sl_sink_resume(s);
}

static void apply_wish(struct sl_sink *s) SL_ON_WORKER
{
    (void)sl_sink_limit(s);
    sl_layers_set_fallback(&s->layers,
                           s->wish.fallback_us ? s->wish.fallback_us : SL_LAYERS_FALLBACK);
    sl_sink_tx_configure(s); /* the playout delay is in every packet */
    update_paused(s);
}

static enum sl_layers_mode mode_of(const struct sl_sink *s, uint8_t nlayers, bool svc)
{
    if (svc)
        return SL_LAYERS_SVC;
    return nlayers > 1 && s->only < 0 ? SL_LAYERS_SIMULCAST : SL_LAYERS_SINGLE;
}

bool sl_sink_has_source(const struct sl_sink *s, uint8_t nlayers, bool svc)
{
    return s->layers.mode == mode_of(s, nlayers, svc) &&
           s->layers.nlayers == (nlayers ? nlayers : 1);
}

void sl_sink_set_source(struct sl_sink *s, uint8_t nlayers, bool svc)
{
    sl_replay_stop(s);
    sl_layers_init(&s->layers, mode_of(s, nlayers, svc), s->kind == SL_KIND_VIDEO,
                   nlayers ? nlayers : 1);
    if (s->alloc.sub != SL_ALLOC_PAUSED) /* the path is the same */
        sl_layers_grant(&s->layers, s->alloc.sub, s->alloc.tid, s->alloc.sub);
    hear_mirror(s);
    apply_wish(s);
    sl_sink_begin_bid(s);
    sl_sink_tick(s);
}

void sl_sink_set_wish(struct sl_sink *s, const struct sl_layer_wish *wish)
{
    if (s->wish.tell != wish->tell)
        s->tell_us = 0;
    s->wish = *wish;
    apply_wish(s);
    sl_sink_tick(s);
}

void sl_sink_resume(struct sl_sink *s)
{
    if (!s->mirror)
        return;
    sl_replay_stop(s);
    sl_layers_restart(&s->layers);
    hear_mirror(s);
    sl_sink_tick(s);
}

void sl_sink_set_paused(struct sl_sink *s, bool paused)
{
    s->pause_asked = paused;
    update_paused(s);
}

/* ---- forwarding ------------------------------------------------------------------------------ */

static void after_decision(struct sl_sink *s, const struct sl_layer_out *d) SL_ON_WORKER
{
    struct sl_layer_event ev = { -1, -1, -1, -1, 0, 0 };
    int layer = s->only >= 0 ? s->only : d->key_sub;

    if (d->key_sub != SL_LAYER_NONE && s->mirror && s->tx->open && !sl_replay_begin(s, layer))
        sl_mirror_keyframe(s->mirror, layer);
    if (!d->events || s->layers.mode == SL_LAYERS_SINGLE)
        return;
    if (d->events & SL_LAYER_EV_SUBSTREAM)
        ev.substream = s->layers.cur_sub;
    if (d->events & SL_LAYER_EV_SPATIAL)
        ev.spatial = s->layers.cur_sid;
    if (d->events & SL_LAYER_EV_TEMPORAL) {
        if (s->layers.mode == SL_LAYERS_SVC)
            ev.svc_temporal = s->layers.cur_tid;
        else
            ev.temporal = s->layers.cur_tid;
    }
    ev.nsubstreams = (int8_t)s->layers.nlayers;
    s->ctx->cb.layer(s->ctx->arg, s->pc, s->mindex, &ev);
}

static void begin_anew(struct sl_sink *s) SL_ON_WORKER
{
    sl_replay_stop(s);
    sl_layers_restart(&s->layers);
}

/* Another SSRC on the layer that we follow, or a gap on purpose: the publisher began anew. */
static void note_ssrc(struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER
{
    uint32_t *seen = &s->layer_ssrc[pkt->layer];

    if (s->cur_ssrc && s->epoch != pkt->epoch)
        begin_anew(s);
    s->epoch = pkt->epoch;
    if (*seen == pkt->rtp.ssrc)
        return;
    if (*seen && *seen == s->cur_ssrc)
        begin_anew(s);
    *seen = pkt->rtp.ssrc;
}

static bool make_past(struct sl_sink *s)
{
    s->past = calloc(1, sizeof(*s->past));
    if (!s->past)
        return false;
    s->munge.past = &s->past->munge;
    sl_vp8_munge_init(&s->past->vp8);
    return true;
}

/* False: out of memory. */
static bool switch_to(struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER
{
    int64_t elapsed = SL_MUNGE_UNKNOWN;

    if (!s->past && !make_past(s))
        return false;
    if (s->last_capture_us && pkt->capture_us)
        elapsed = pkt->capture_us - s->last_capture_us;
    if (elapsed < -10000000 || elapsed > 10000000)
        elapsed = SL_MUNGE_UNKNOWN;
    sl_munge_switch(&s->munge, (struct sl_seqts){ pkt->seq, pkt->ts }, elapsed, pkt->arrival_us);
    sl_vp8_munge_switch(&s->past->vp8);
    sl_dd_munge_switch(&s->dd);
    sl_red_tx_forget(&s->red);
    s->cur_ssrc = pkt->rtp.ssrc;
    s->cur_layer = pkt->layer;
    return true;
}

static void begin_replay(struct sl_sink *s) SL_ON_WORKER
{
    int layer = s->layers.mode == SL_LAYERS_SIMULCAST ? s->layers.key_layer : 0;

    (void)sl_replay_begin(s, s->only >= 0 ? s->only : layer);
}

static enum sl_drop verdict_drop(struct sl_sink *s, const struct sl_pkt *pkt,
                                 enum sl_layer_verdict v) SL_ON_WORKER
{
    if (v == SL_LAYER_WAIT_KEY) /* what was missing may have come */
        begin_replay(s);
    if (v == SL_LAYER_DROP) {
        (void)sl_munge_drop(&s->munge, pkt->seq);
        if (s->codec == SL_CODEC_VP8 && s->past)
            sl_vp8_munge_drop(&s->past->vp8, &pkt->payload);
    }
    return v == SL_LAYER_WAIT_KEY ? SL_DROP_NO_KEYFRAME : SL_DROP_LAYER;
}

static enum sl_drop forward_one(struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER
{
    struct sl_layer_pkt lp = { pkt->layer, pkt->rtp.marker, pkt->ts, &pkt->payload };
    struct sl_layer_out d;
    struct sl_seqts out;
    struct sl_vp8_ids ids;
    enum sl_drop why;
    int err;

    if (s->only >= 0 && pkt->layer != s->only)
        return SL_DROP_LAYER;
    note_ssrc(s, pkt);
    if (pkt->codec != s->codec)
        return SL_DROP_CODEC;
    if (pkt->rtp.payload_len == 0) { /* probing of the publisher: close the gap */
        if (pkt->rtp.ssrc == s->cur_ssrc)
            (void)sl_munge_drop(&s->munge, pkt->seq);
        return SL_DROP_PADDING;
    }
    sl_layers_decide(&s->layers, &lp, s->ctx->now_us, &d);
    after_decision(s, &d);
    if (d.verdict == SL_LAYER_SWITCH) {
        if (!switch_to(s, pkt))
            return SL_DROP_NO_MEMORY;
    } else if (d.verdict != SL_LAYER_FORWARD) {
        return verdict_drop(s, pkt, d.verdict);
    }
    err = sl_munge_map(&s->munge, (struct sl_seqts){ pkt->seq, pkt->ts }, pkt->arrival_us, &out);
    if (err < 0)
        return err == -EEXIST ? SL_DROP_DUPLICATE : SL_DROP_OLD;
    if (s->codec == SL_CODEC_VP8 && sl_vp8_munge_map(&s->past->vp8, &pkt->payload, &ids) < 0)
        return SL_DROP_OLD;
    if (pkt->dd.present)
        sl_dd_munge_map(&s->dd, &pkt->dd);
    why = sl_sink_tx_packet(s, pkt, &out, pkt->rtp.marker || d.set_marker,
                            s->codec == SL_CODEC_VP8 ? &ids : NULL);
    if (why != SL_DROP_NONE)
        return why;
    if (!s->source_us) {
        s->source_us = s->ctx->now_us;
        s->tx->report_due = true;
    }
    if (pkt->ts >= s->last_in_ts || d.verdict == SL_LAYER_SWITCH) {
        s->last_in_ts = pkt->ts;
        s->last_out_ts = pkt->ts + sl_munge_ts_off(&s->munge);
        s->last_capture_us = pkt->capture_us;
        s->last_arrival_us = pkt->arrival_us;
    }
    s->packets++;
    sl_resend_pay(&s->past->resend);
    s->bytes += pkt->rtp.payload_len;
    return SL_DROP_NONE;
}

static void prefetch(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += 64)
        __builtin_prefetch((const char *)p + i, 1);
}

void sl_sink_prefetch(const struct sl_sink *s)
{
    /* Nothing is read of @s itself: that would be the wait that this is to save. */
    prefetch(s, offsetof(struct sl_sink, layers) + 64);
    prefetch(&s->munge, sizeof(s->munge));
    prefetch(&s->drops[SL_DROP_NONE], 1);
}

void sl_sink_prefetch_out(const struct sl_sink *s, const struct sl_pkt *pkt)
{
    const struct sl_sink_past *past = s->past;
    size_t slot = pkt->seq % SL_MUNGE_WINDOW;

    prefetch(s->tx, sizeof(*s->tx));
    if (!past)
        return;
    prefetch(&past->munge.state[slot], 1);
    prefetch(&past->munge.out16[slot], 1);
    prefetch(&past->munge.in16[s->munge.out_next % SL_MUNGE_WINDOW], 1);
    prefetch(&past->resend.debt, 1);
    if (pkt->codec == SL_CODEC_VP8) {
        prefetch(&past->vp8, offsetof(struct sl_vp8_munge, pic));
        prefetch(&past->vp8.pic[pkt->payload.pid % SL_VP8_WINDOW], 1);
    }
}

static void forward_counted(struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER
{
    enum sl_drop why = forward_one(s, pkt);

    s->drops[why]++;
    if (why != SL_DROP_NONE)
        s->ctx->drops[why]++;
}

void sl_sink_forward(struct sl_sink *s, struct sl_pkt *const *pkts, size_t n)
{
    if (!s->enabled || s->paused) {
        s->drops[SL_DROP_PAUSED] += n;
        return;
    }
    if (s->starved) {
        s->drops[SL_DROP_BANDWIDTH] += n;
        s->ctx->drops[SL_DROP_BANDWIDTH] += n;
        return;
    }
    if (!s->tx->open) {
        s->drops[SL_DROP_NO_PATH] += n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (s->ctx->gop_us && pkts[i]->arrival_us + SL_REPLAY_PAST_US < s->ctx->now_us)
            begin_replay(s); /* another worker sent it for that */
        if (!sl_replay_holds(&s->replay, pkts[i]))
            forward_counted(s, pkts[i]);
    }
}

void sl_sink_replay(struct sl_sink *s, const struct sl_pkt *pkt)
{
    if (s->enabled && !s->paused && !s->starved && s->tx->open)
        forward_counted(s, pkt);
    else
        sl_replay_stop(s); /* it begins anew when that changes */
}

void sl_sink_flush(struct sl_sink *s)
{
    if (s->tx->nstaged)
        s->tx->flush(s->tx);
    if (s->ctx->slots.used >= FLUSH_AT + s->ctx->nheld)
        s->ctx->cb.flush(s->ctx->arg);
}

/* ---- feedback -------------------------------------------------------------------------------- */

void sl_sink_on_pli(struct sl_sink *s)
{
    if (s->mirror && !s->replay.on) /* which has what is wanted */
        sl_mirror_keyframe(s->mirror, s->only >= 0                            ? s->only
                                      : s->layers.mode == SL_LAYERS_SIMULCAST ? s->layers.cur_sub
                                                                              : -1);
}

void sl_sink_on_rb(struct sl_sink *s, const struct sl_rtcp_rb *rb)
{
    uint64_t rtt;

    if (rb->lost > s->lost_seen)
        s->lost_second += (uint32_t)(rb->lost - s->lost_seen);
    s->lost_seen = rb->lost;
    if (s->may_red)
        sl_red_tx_on_loss(&s->red, rb->fraction);
    s->jitter_seen = rb->jitter;
    s->loss += (rb->fraction * 100.0 / 256 - s->loss) / 4;
    if (sl_sr_sent_rtt(&s->sr_sent, rb, s->ctx->now_us, &rtt) == 0) {
        s->rtt_us = s->rtt_us ? (7 * s->rtt_us + rtt) / 8 : rtt;
        s->rtt = (struct sl_rtt_values){ rb->lsr + rb->dlsr + (uint32_t)(rtt * 65536 / 1000000),
                                         rb->lsr, rb->dlsr };
    }
}

/* Publishers report about once a second. Until their first report their clock is unknown, and a
 * report by ours would pull audio and video apart as soon as one of them had theirs. */
bool sl_sink_has_sr(const struct sl_sink *s)
{
    if (!s->enabled || !s->source_us)
        return false;
    return s->last_capture_us || s->ctx->now_us >= s->source_us + SL_SINK_SR_WAIT_US;
}

void sl_sink_write_sr(struct sl_sink *s, struct sl_writer *w, uint64_t wall_ntp)
{
    struct sl_rtcp_sr sr = { .ssrc = s->ssrc };
    uint64_t now_us = s->ctx->now_us, since_us;

    if (!sl_sink_has_sr(s))
        return;
    /* A packet from another worker may be stamped a little later than this turn. */
    since_us = now_us > s->last_arrival_us ? now_us - s->last_arrival_us : 0;
    /* A point on the publisher's line: both times of its newest packet, moved on to now. */
    if (s->last_capture_us) {
        sr.ntp = sl_ntp_from_us((uint64_t)s->last_capture_us + since_us);
        sr.rtp_ts = (uint32_t)(s->last_out_ts + since_us * s->clock_rate / 1000000);
    } else {
        sl_sr_make_local(s->clock_rate, s->last_out_ts, s->last_arrival_us, wall_ntp,
                         s->ctx->now_us, &sr.ntp, &sr.rtp_ts);
    }
    sr.packets = (uint32_t)s->packets;
    sr.octets = (uint32_t)s->bytes;
    sl_rtcp_sr_write(w, &sr, NULL, 0);
    sl_sr_sent_add(&s->sr_sent, sr.ntp, s->ctx->now_us);
}

void sl_sink_tick(struct sl_sink *s)
{
    struct sl_layer_out d;

    sl_sink_tell(s);
    if (!s->mirror || !s->enabled || s->paused || s->starved || !s->tx->open)
        return;
    if (s->wish.width > 0)
        (void)sl_sink_limit(s);
    sl_mirror_want(s->mirror, sl_sink_wants(s));
    sl_layers_tick(&s->layers, s->ctx->now_us, &d);
    after_decision(s, &d);
}

void sl_sink_second(struct sl_sink *s)
{
    uint32_t lost = s->lost_second;

    s->lost_second = 0;
    s->bytes_second = s->bytes - s->bytes_told;
    s->bytes_told = s->bytes;
    if (s->ctx->slowlink_threshold && lost >= s->ctx->slowlink_threshold)
        s->ctx->cb.slow_link(s->ctx->arg, s->pc, s->mindex, true, lost);
}
