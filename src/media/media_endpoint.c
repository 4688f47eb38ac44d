#include "media/media_endpoint.h"

#include "media/media_sink.h"
#include "media/media_track.h"

#include <errno.h>
#include <stdlib.h>

void sl_endpoint_init(struct sl_endpoint *e, const struct sl_endpoint_ops *ops, struct sl_mctx *ctx,
                      sl_id id)
{
    *e = (struct sl_endpoint){ .ops = ops, .ctx = ctx, .id = id };
    sl_list_init(&e->lossy);
}

void sl_endpoint_fini(struct sl_endpoint *e)
{
    for (size_t i = 0; i < e->nlines; i++) {
        sl_track_destroy(e->lines[i].track);
        sl_sink_destroy(e->lines[i].sink);
    }
    sl_list_del(&e->lossy);
    free(e->lines);
    e->lines = NULL;
    e->nlines = 0;
}

int sl_endpoint_grow(struct sl_endpoint *e, size_t n)
{
    struct sl_line *lines;

    if (n <= e->nlines)
        return 0;
    lines = realloc(e->lines, n * sizeof(*lines));
    if (!lines)
        return -ENOMEM;
    for (size_t i = e->nlines; i < n; i++)
        lines[i] = (struct sl_line){ 0 };
    e->lines = lines;
    e->nlines = n;
    return 0;
}

void sl_endpoint_drop_sink(struct sl_endpoint *e, uint16_t mindex)
{
    struct sl_sink *s = sl_endpoint_sink(e, mindex);

    if (!s)
        return;
    e->ctx->cb.sink_gone(e->ctx->arg, s);
    sl_sink_destroy(s);
    e->lines[mindex].sink = NULL;
}

void sl_endpoint_lost(struct sl_endpoint *e)
{
    if (sl_list_is_empty(&e->lossy))
        sl_list_add(&e->ctx->lossy, &e->lossy);
}

static void recover(struct sl_endpoint *e) SL_ON_WORKER
{
    uint64_t now_us = e->ctx->now_us;

    if (e->key_us && now_us - e->key_us < SL_ENDPOINT_KEY_US)
        return;
    e->key_us = now_us;
    for (size_t i = 0; i < e->nlines; i++) {
        struct sl_sink *s = e->lines[i].sink;

        if (s && s->kind == SL_KIND_VIDEO && s->enabled && !s->paused)
            sl_sink_on_pli(s);
    }
}

void sl_endpoints_recover(struct sl_mctx *ctx)
{
    while (!sl_list_is_empty(&ctx->lossy)) {
        struct sl_endpoint *e = sl_container(ctx->lossy.next, struct sl_endpoint, lossy);

        sl_list_del(&e->lossy);
        recover(e);
    }
}

void sl_endpoint_set_mirror(struct sl_endpoint *e, uint16_t mindex, unsigned int worker, bool on)
{
    struct sl_line *l = mindex < e->nlines ? &e->lines[mindex] : NULL;

    if (!l)
        return;
    if (on)
        l->remote |= UINT64_C(1) << worker;
    else
        l->remote &= ~(UINT64_C(1) << worker);
    if (l->track)
        sl_track_set_remote(l->track, worker, on);
    if (!on)
        sl_endpoint_want(e, mindex, worker, -1);
}

void sl_line_tell_track(struct sl_line *l)
{
    int layer = 0;

    for (int i = 0; i < SL_LAYERS_MAX - 1; i++)
        if (l->want[i])
            layer = i + 1;
    sl_track_set_watched(l->track, (uint8_t)layer);
}

void sl_endpoint_want(struct sl_endpoint *e, uint16_t mindex, unsigned int worker, int layer)
{
    struct sl_line *l = mindex < e->nlines ? &e->lines[mindex] : NULL;

    for (int i = 0; l && i < SL_LAYERS_MAX - 1; i++)
        if (layer > i)
            l->want[i] |= UINT64_C(1) << worker;
        else
            l->want[i] &= ~(UINT64_C(1) << worker);
    if (l && l->track)
        sl_line_tell_track(l);
}
