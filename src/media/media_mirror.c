#include "media/media_mirror.h"

#include "media/media_pkt.h"
#include "media/media_sink.h"
#include "media/media_track.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int sl_mirror_create(struct sl_mctx *ctx, sl_id pc, uint16_t mindex, struct sl_mirror **out)
{
    struct sl_mirror *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->ctx = ctx;
    m->pc = pc;
    m->mindex = mindex;
    m->open_us = ctx->now_us;
    sl_list_init(&m->waiting);
    m->wanted = -1;
    *out = m;
    return 0;
}

static void fan_out(struct sl_mirror *m) SL_ON_WORKER
{
    m->fanning = true;
    for (size_t i = 0; i < m->nsinks; i++) {
        struct sl_sink *s = m->sinks[i];

        if (i + 2 < m->nsinks)
            sl_sink_prefetch(m->sinks[i + 2]);
        if (i + 1 < m->nsinks)
            sl_sink_prefetch_out(m->sinks[i + 1], m->batch[0]);
        sl_sink_forward(s, m->batch, m->nbatch);
        sl_sink_flush(s);
    }
    m->fanning = false;
    for (size_t i = 0; i < m->nbatch; i++)
        sl_pkt_unref(m->batch[i]);
    m->nbatch = 0;
    sl_list_del(&m->waiting);
}

void sl_mirror_destroy(struct sl_mirror *m)
{
    if (!m)
        return;
    assert(!m->fanning);
    if (m->nbatch) /* who leaves is heard to the end */
        fan_out(m);
    if (m->track)
        sl_track_join(m->track, NULL);
    for (size_t i = 0; i < m->nsinks; i++)
        sl_sink_set_mirror(m->sinks[i], NULL);
    for (int i = 0; i < SL_LAYERS_MAX; i++)
        if (m->cache_ssrc[i])
            sl_cache_fini(&m->cache[i]);
    free(m->sinks);
    free(m);
}

int sl_mirror_add(struct sl_mirror *m, struct sl_sink *s)
{
    assert(!m->fanning);
    if (m->nsinks == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 4;
        struct sl_sink **sinks = realloc(m->sinks, cap * sizeof(*sinks));

        if (!sinks)
            return -ENOMEM;
        m->sinks = sinks;
        m->cap = cap;
    }
    m->sinks[m->nsinks++] = s;
    m->nnack += s->nack;
    s->counted_nack = s->nack;
    sl_sink_set_mirror(s, m);
    return 0;
}

void sl_mirror_del(struct sl_mirror *m, struct sl_sink *s)
{
    assert(!m->fanning);
    for (size_t i = 0; i < m->nsinks; i++) {
        if (m->sinks[i] != s)
            continue;
        m->sinks[i] = m->sinks[--m->nsinks];
        m->nnack -= s->counted_nack;
        sl_sink_set_mirror(s, NULL);
        return;
    }
}

static void cache_unref(void *ref)
{
    SL_ASSUME(worker);
    sl_pkt_unref(ref);
}

/* A source that restarted under another SSRC counts anew: what its layer held is useless. */
static void cache_put(struct sl_mirror *m, struct sl_pkt *pkt)
{
    struct sl_cache *c = &m->cache[pkt->layer];
    uint32_t *ssrc = &m->cache_ssrc[pkt->layer];
    uint64_t keep_us = SL_MIRROR_CACHE_US;

    if (*ssrc != pkt->rtp.ssrc) {
        if (*ssrc)
            sl_cache_fini(c);
        *ssrc = 0;
        if (m->ctx->gop_us && keep_us < m->ctx->gop_us + SL_MIRROR_REPLAY_US)
            keep_us = m->ctx->gop_us + SL_MIRROR_REPLAY_US;
        if (sl_cache_init(c, SL_MIRROR_CACHE_PKTS, keep_us, cache_unref) < 0)
            return;
        *ssrc = pkt->rtp.ssrc;
    }
    /* The pool of packets is one for all: what is too old to be asked for goes back at once. */
    (void)sl_cache_expire(c, m->ctx->now_us);
    sl_cache_put(c, pkt->seq, sl_pkt_ref(pkt), m->ctx->now_us);
}

void sl_mirror_push(struct sl_mirror *m, struct sl_pkt *pkt)
{
    bool keep = m->nnack;

    if (pkt->payload.key && !pkt->is_opaque)
        sl_sizes_note(&m->sizes, pkt->layer, &pkt->payload);
    if (m->ctx->gop_us)
        keep |= sl_gop_note(&m->gop[pkt->layer], pkt, m->ctx->gop_bytes);
    if (keep)
        cache_put(m, pkt);
    if (!m->nsinks)
        return;
    if (pkt->arrival_us >= m->open_us) /* what another worker had is no rate */
        sl_rates_add(&m->rates, pkt, m->ctx->now_us);
    if (!m->nbatch)
        sl_list_add(&m->ctx->mirrors, &m->waiting);
    m->batch[m->nbatch++] = sl_pkt_ref(pkt);
    if (m->nbatch == SL_MIRROR_BATCH)
        fan_out(m);
}

void sl_mirrors_fan_out(struct sl_mctx *ctx)
{
    while (!sl_list_is_empty(&ctx->mirrors))
        fan_out(sl_container(ctx->mirrors.next, struct sl_mirror, waiting));
}

struct sl_pkt *sl_mirror_find(const struct sl_mirror *m, uint8_t layer, uint32_t ssrc, uint64_t seq)
{
    if (m->cache_ssrc[layer] != ssrc || !ssrc)
        return NULL;
    return sl_cache_peek(&m->cache[layer], seq, m->ctx->now_us);
}

void sl_mirror_forget(struct sl_mirror *m)
{
    for (int i = 0; i < SL_LAYERS_MAX; i++)
        m->gop[i].on = false;
}

static void set_wanted(struct sl_mirror *m, int layer) SL_ON_WORKER
{
    m->wanted = (int8_t)layer;
    m->ctx->cb.want(m->ctx->arg, sl_id_worker(m->pc), m->pc, m->mindex, layer);
}

void sl_mirror_want(struct sl_mirror *m, int layer)
{
    if (layer > m->wanted)
        set_wanted(m, layer);
}

void sl_mirror_expire(struct sl_mirror *m)
{
    int wanted = -1;

    for (size_t i = 0; i < m->nsinks; i++) {
        int layer = sl_sink_wants(m->sinks[i]);

        wanted = layer > wanted ? layer : wanted;
    }
    if (wanted != m->wanted) {
        set_wanted(m, wanted);
        /* What stops now was asked to. */
        m->rates.seen &= (uint8_t)((2u << (wanted < 0 ? 0 : wanted)) - 1);
    }
    for (int i = 0; i < SL_LAYERS_MAX; i++)
        if (m->cache_ssrc[i])
            (void)sl_cache_expire(&m->cache[i], m->ctx->now_us);
}

void sl_mirror_keyframe(struct sl_mirror *m, int layer)
{
    unsigned int owner = sl_id_worker(m->pc);

    if (m->track)
        sl_track_keyframe(m->track, layer);
    else if (owner != m->ctx->worker)
        m->ctx->cb.keyframe(m->ctx->arg, owner, m->pc, m->mindex, layer);
}
