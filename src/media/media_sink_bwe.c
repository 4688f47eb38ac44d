/* What a sink asks of its path, and what it may have. */
#include "bwe/bwe.h"
#include "media/media_mirror.h"
#include "media/media_sink.h"

/* Layers that are not chosen from are one. */
static void flatten(double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS])
{
    for (int l = 1; l < SL_LAYERS_MAX; l++)
        for (int t = 0; t < SL_ALLOC_TIDS; t++) {
            bps[0][t] += bps[l][t];
            bps[l][t] = 0;
        }
}

bool sl_sink_bid(struct sl_sink *s)
{
    const struct sl_layers *l = &s->layers;
    struct sl_alloc_video *v = &s->alloc;
    int8_t sub = 0;

    if (s->kind != SL_KIND_VIDEO || !s->enabled || s->paused || !s->mirror || s->only >= 0)
        return false;
    if (l->mode == SL_LAYERS_SVC)
        sub = l->wish_sid;
    else if (l->mode == SL_LAYERS_SIMULCAST)
        sub = l->wish_sub < l->nlayers ? l->wish_sub : (int8_t)(l->nlayers - 1);
    v->priority = (uint8_t)(SL_ALLOC_PRIORITY + s->wish.priority);
    if (sub != v->max_sub || l->wish_tid != v->max_tid)
        sl_alloc_want(v, sub, l->wish_tid);
    sl_rates_get(&s->mirror->rates, l->mode == SL_LAYERS_SVC, s->ctx->now_us, v->bps);
    if (l->mode == SL_LAYERS_SINGLE)
        flatten(v->bps);
    return true;
}

void sl_sink_begin_bid(struct sl_sink *s)
{
    struct sl_path_state *path = &s->tx->path;
    struct sl_alloc_video *v = &s->alloc;

    if (!path->why || s->packets || !sl_sink_bid(s))
        return;
    path->free_bps -= sl_alloc_run(&v, 1, SL_BWE_MAX, path->free_bps, s->ctx->now_us);
    sl_sink_grant(s);
}

void sl_sink_grant(struct sl_sink *s)
{
    bool starved = s->alloc.sub == SL_ALLOC_PAUSED;

    if (!starved)
        sl_layers_grant(&s->layers, s->alloc.sub, s->alloc.tid, s->alloc.sub);
    if (s->starved == starved)
        return;
    s->starved = starved;
    if (!starved)
        sl_sink_resume(s);
}

double sl_sink_cost(const struct sl_sink *s, bool numbered)
{
    double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS];

    if (!s->mirror || !s->enabled || s->paused || (numbered && !s->ext[SL_EXT_TWCC]))
        return 0;
    sl_rates_get(&s->mirror->rates, false, s->ctx->now_us, bps);
    return bps[0][SL_ALLOC_TIDS - 1] * (1 + s->red.depth);
}
