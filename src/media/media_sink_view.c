/* What a subscriber sees of its video: the size that it is shown in, and how well it does. */
#include "media/media_sink.h"

#include "bwe/bwe_verdict.h"
#include "media/media_mirror.h"

#define LOOK_US UINT64_C(200000) /* between looks for a change */

static int8_t or_all(int8_t layer, int8_t all)
{
    return layer < 0 || layer > all ? all : layer;
}

static int lower(int a, int b)
{
    return a < b ? a : b;
}

static int8_t size_layer(const struct sl_sink *s)
{
    if (s->wish.width <= 0 || s->wish.height <= 0 || !s->mirror)
        return SL_LAYERS_MAX - 1;
    return (int8_t)sl_sizes_enough(&s->mirror->sizes, s->wish.width, s->wish.height, s->size_layer);
}

bool sl_sink_limit(struct sl_sink *s)
{
    int was = s->layers.wish_sub, was_sid = s->layers.wish_sid;
    const struct sl_layer_wish *w = &s->wish;
    int limit;

    s->size_layer = size_layer(s);
    limit = lower(s->size_layer, s->load_layer);
    if (s->layers.mode == SL_LAYERS_SVC)
        sl_layers_wish(&s->layers, -1, or_all(w->svc_temporal, SL_ALLOC_TIDS - 1),
                       lower(or_all(w->spatial, SL_LAYERS_MAX - 1), limit));
    else
        sl_layers_wish(&s->layers, lower(or_all(w->substream, SL_LAYERS_MAX - 1), limit),
                       or_all(w->temporal, SL_ALLOC_TIDS - 1), -1);
    return was != s->layers.wish_sub || was_sid != s->layers.wish_sid;
}

int sl_sink_wants(const struct sl_sink *s)
{
    if (!s->enabled || s->paused)
        return -1;
    if (s->only >= 0)
        return s->only;
    if (s->layers.mode == SL_LAYERS_SVC)
        return s->layers.wish_sid;
    return s->layers.mode == SL_LAYERS_SIMULCAST ? s->layers.wish_sub : SL_LAYERS_MAX - 1;
}

void sl_sink_set_load(struct sl_sink *s, int8_t layer)
{
    s->load_layer = layer;
    if (sl_sink_limit(s))
        sl_sink_tick(s);
}

bool sl_sink_quality(const struct sl_sink *s, struct sl_quality *out)
{
    const struct sl_layers *l = &s->layers;
    bool svc = l->mode == SL_LAYERS_SVC;
    const struct sl_layer_wish *w = &s->wish;
    struct sl_verdict_in in = {
        .paused = s->pause_asked || !s->enabled,
        .hidden = s->paused,
        .max = or_all(svc ? w->spatial : w->substream, SL_LAYERS_MAX - 1),
        .size = s->size_layer,
        .load = s->load_layer,
        .max_tid = or_all(svc ? w->svc_temporal : w->temporal, SL_ALLOC_TIDS - 1),
        .alloc = s->kind == SL_KIND_VIDEO && s->only < 0 ? s->alloc.reason : SL_ALLOC_WANTED,
        .loss = s->loss,
        .known = true,
    };

    *out = (struct sl_quality){ .svc = svc, .layer = -1, .tid = -1 };
    if (s->mirror) {
        const struct sl_rates *r = &s->mirror->rates;
        int layer = l->mode == SL_LAYERS_SIMULCAST && l->cur_sub > 0 ? l->cur_sub : 0;

        in.known = sl_rates_sent(r, s->ctx->now_us, &in.sent);
        in.seen = r->seen;
        in.sender_loss = r->count[s->only >= 0 ? s->only : layer].lost;
    }
    if (l->mode == SL_LAYERS_SIMULCAST)
        in.top = (uint8_t)(l->nlayers - 1);
    else if (svc)
        in.top = (uint8_t)(in.seen >> 2 & 1 ? 2 : in.seen >> 1 & 1);
    else if (in.sent)
        in.sent = in.seen = 1; /* whatever they are, all of them */
    out->reason = sl_verdict_reason(&in);
    out->has_layers = l->mode != SL_LAYERS_SINGLE;
    if (!s->paused && !s->starved) {
        out->layer = svc ? l->cur_sid : l->cur_sub;
        out->tid = l->cur_tid;
    }
    out->want_layer = sl_verdict_wanted(&in);
    out->want_tid = in.max_tid;
    out->estimate_bps = s->tx->path.estimate_bps;
    out->target_bps = s->tx->path.target_bps;
    out->queue_ms = s->tx->path.queue_ms;
    out->rtt_ms = (uint32_t)(s->rtt_us / 1000);
    out->loss = s->loss;
    out->sender_loss = in.sender_loss;
    return in.known;
}

static bool is_same(const struct sl_quality *a, const struct sl_quality *b)
{
    return a->reason == b->reason && a->layer == b->layer && a->tid == b->tid &&
           a->want_layer == b->want_layer && a->want_tid == b->want_tid;
}

void sl_sink_tell(struct sl_sink *s)
{
    uint64_t now_us = s->ctx->now_us;
    bool first = !s->tell_us;
    struct sl_quality q;

    if (!s->wish.tell || now_us < s->tell_us)
        return;
    if (!sl_sink_quality(s, &q) || (!first && is_same(&q, &s->told))) {
        s->tell_us = first ? 0 : now_us + LOOK_US;
        return;
    }
    s->told = q;
    s->tell_us = now_us + SL_SINK_TELL_US;
    s->ctx->cb.quality(s->ctx->arg, s->pc, s->mindex, &q);
}
