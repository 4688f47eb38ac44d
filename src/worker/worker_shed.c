#include "worker/worker_shed.h"

#include "base/log.h"

#include "media/media_sink.h"
#include "worker/worker_private.h"

/* ---- deciding -------------------------------------------------------------------------------- */

static bool is_far_above(unsigned int busy, unsigned int limit)
{
    return 3 * busy >= 2 * 1000 + limit; /* two thirds of what is left above it */
}

void sl_shed_second(struct sl_shed *s, unsigned int busy, unsigned int limit, bool is_losing)
{
    unsigned int step = s->step;

    is_losing = is_losing && 2 * busy >= limit;
    if (s->step == 0) {
        s->patience = SL_SHED_CALM;
        s->has_eased = false;
    }
    if (!limit) {
        *s = (struct sl_shed){ 0 };
    } else if (is_losing || busy >= limit) {
        if (s->has_eased && s->patience < SL_SHED_CALM_MAX)
            s->patience *= 2;
        step += is_losing || is_far_above(busy, limit) ? 2 : 1;
        s->step = (uint8_t)(step < SL_SHED_STEPS ? step : SL_SHED_STEPS);
        s->has_eased = false;
        s->calm = 0;
    } else if (s->step == 0 || 100 * busy >= SL_SHED_CALM_PART * limit) {
        s->calm = 0;
    } else if (++s->calm >= s->patience) {
        s->step--;
        s->has_eased = true;
        s->calm = 0;
    }
}

int sl_shed_layers(const struct sl_shed *s, unsigned int rank)
{
    int first = s->step * 2 * 1000 / SL_SHED_STEPS, second = first - 1000;

    return ((int)rank < first) + ((int)rank < second);
}

/* ---- doing ----------------------------------------------------------------------------------- */

#define PRIORITIES 256

struct count {
    uint32_t below[PRIORITIES + 1]; /* videos of lower priorities */
    uint32_t reduced;
};

static uint8_t priority_of(const struct sl_sink *s)
{
    return (uint8_t)(SL_ALLOC_PRIORITY + s->wish.priority);
}

static bool has_layers(const struct sl_sink *s)
{
    return s && s->mirror && s->enabled && s->layers.mode != SL_LAYERS_SINGLE;
}

static void count(struct sl_sink *s, struct count *c)
{
    if (has_layers(s))
        c->below[priority_of(s) + 1]++;
}

/* Those of one priority stand in an order that does not change. */
static unsigned int rank_of(const struct sl_sink *s, const struct count *c)
{
    uint8_t p = priority_of(s);
    uint64_t n = c->below[p + 1] - c->below[p];
    uint64_t part = sl_hash_u64(s->pc ^ (uint64_t)s->mindex << 40) & 0xffff;

    return (unsigned int)((c->below[p] + part * n / 0x10000) * 1000 / c->below[PRIORITIES]);
}

static void reduce(struct sl_worker *w, struct sl_sink *s, struct count *c) SL_ON_WORKER
{
    int top = s->layers.mode == SL_LAYERS_SVC ? SL_LAYERS_MAX - 1 : s->layers.nlayers - 1;
    int layers = c->below[PRIORITIES] ? sl_shed_layers(&w->shed, rank_of(s, c)) : 0;
    int8_t limit = SL_LAYERS_MAX - 1;

    if (layers)
        limit = (int8_t)(top > layers ? top - layers : 0);
    c->reduced += layers > 0;
    if (s->load_layer != limit)
        sl_sink_set_load(s, limit);
}

void sl_worker_shed(struct sl_worker *w)
{
    unsigned int was = w->shed.step;
    struct count c = { 0 };

    sl_shed_second(&w->shed, atomic_load(&w->busy_permille), w->conf.busy_limit,
                   w->overflows != w->overflows_seen);
    w->overflows_seen = w->overflows;
    w->stats.shed_step = w->shed.step;
    w->stats.shed_videos = 0;
    if (!was && !w->shed.step)
        return;
    for (uint32_t i = 0; i < w->nslots; i++)
        for (size_t k = 0; w->slots[i].ep && k < w->slots[i].ep->nlines; k++)
            count(w->slots[i].ep->lines[k].sink, &c);
    for (int p = 0; p < PRIORITIES; p++)
        c.below[p + 1] += c.below[p];
    for (uint32_t i = 0; i < w->nslots; i++)
        for (size_t k = 0; w->slots[i].ep && k < w->slots[i].ep->nlines; k++)
            if (has_layers(w->slots[i].ep->lines[k].sink))
                reduce(w, w->slots[i].ep->lines[k].sink, &c);
    w->stats.shed_videos = c.reduced;
    if (was != w->shed.step)
        sl_info("worker", w->shed.step > was ? "reduces layers" : "gives layers back",
                "worker=%u busy_permille=%u step=%u videos=%u", w->conf.index,
                atomic_load(&w->busy_permille), w->shed.step, c.reduced);
}
