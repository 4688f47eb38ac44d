#include "bwe/bwe_alloc.h"

#include <string.h>

#define HOLD_US   UINT64_C(1000000)
#define SOON_US   UINT64_C(30000000) /* a fall so soon after a climb doubles the hold */
#define FALLS_MAX 6
#define STEP_US   UINT64_C(500000) /* per rung; only the first climb goes straight to the top */
#define PLENTY    1.5              /* then it need not hold */

void sl_alloc_init(struct sl_alloc_video *v, uint8_t priority)
{
    memset(v, 0, sizeof(*v));
    v->priority = priority;
    v->max_sub = v->sub = SL_LAYERS_MAX - 1;
    v->max_tid = v->tid = SL_ALLOC_TIDS - 1;
}

void sl_alloc_want(struct sl_alloc_video *v, int8_t sub, int8_t tid)
{
    v->max_sub = v->sub = sub < SL_LAYERS_MAX ? sub : SL_LAYERS_MAX - 1;
    v->max_tid = v->tid = tid < SL_ALLOC_TIDS ? tid : SL_ALLOC_TIDS - 1;
    v->climbed_us = v->hold_us = 0;
}

/* A rung that costs no more than the one below is in its place. */
static void add_rung(struct sl_alloc_video *v, int sub, int tid)
{
    double bps = v->bps[sub][tid];

    if (v->nrungs && bps <= v->ladder[v->nrungs - 1].bps)
        v->nrungs--;
    v->ladder[v->nrungs].sub = (int8_t)sub;
    v->ladder[v->nrungs].tid = (int8_t)tid;
    v->ladder[v->nrungs++].bps = bps;
}

static bool is_up_to(const struct sl_alloc_video *v, int i)
{
    return v->ladder[i].sub < v->sub || (v->ladder[i].sub == v->sub && v->ladder[i].tid <= v->tid);
}

/* @v->rung: where it is now, -1: paused. */
static void make_ladder(struct sl_alloc_video *v)
{
    bool lowest = true;

    v->nrungs = 0;
    for (int sub = 0; sub <= v->max_sub; sub++) {
        int top = v->max_tid;

        if (v->bps[sub][top] <= 0)
            continue;
        for (int tid = lowest || top < 1 ? 0 : top - 1; tid <= top; tid++)
            add_rung(v, sub, tid);
        lowest = false;
    }
    v->rung = -1;
    for (int i = 0; i < v->nrungs && v->sub != SL_ALLOC_PAUSED; i++)
        if (i == 0 || is_up_to(v, i))
            v->rung = (int8_t)i;
}

double sl_alloc_wanted(struct sl_alloc_video *const *v, size_t n)
{
    double bps = 0;

    for (size_t i = 0; i < n; i++) {
        make_ladder(v[i]);
        if (v[i]->nrungs)
            bps += v[i]->ladder[v[i]->nrungs - 1].bps;
    }
    return bps;
}

/* From @v->target to the next rung, if that keeps @used within @budget. */
static bool climb(struct sl_alloc_video *v, double *used, double budget, uint64_t now_us)
{
    int next = v->target + 1;
    double more;

    if (next >= v->nrungs)
        return false;
    more = v->ladder[next].bps - (v->target < 0 ? 0 : v->ladder[v->target].bps);
    if (next > v->rung) {
        if (*used + more > budget / SL_ALLOC_MARGIN)
            return false;
        if (now_us<v->hold_us && * used + more> budget / PLENTY) {
            v->reason = SL_ALLOC_HOLDING;
            return false;
        }
        if (v->climbed_us && (next > v->rung + 1 || now_us < v->climbed_us + STEP_US))
            return false;
    } else if (*used + more > budget) {
        return false;
    }
    v->target = (int8_t)next;
    *used += more;
    return true;
}

/* The priority that comes after @p; -1: none. */
static int next_priority(struct sl_alloc_video *const *v, size_t n, int p)
{
    int next = -1;

    for (size_t i = 0; i < n; i++)
        if (v[i]->priority < p && v[i]->priority > next)
            next = v[i]->priority;
    return next;
}

static void climb_all(struct sl_alloc_video *const *v, size_t n, double *used, double budget,
                      uint64_t now_us)
{
    for (int p = next_priority(v, n, UINT8_MAX + 1); p >= 0; p = next_priority(v, n, p)) {
        bool any = true;

        while (any) {
            any = false;
            for (size_t i = 0; i < n; i++)
                if (v[i]->priority == p && v[i]->target >= 0)
                    any |= climb(v[i], used, budget, now_us);
        }
    }
}

static void settle(struct sl_alloc_video *v, uint64_t now_us)
{
    bool all = v->target + 1 == v->nrungs;

    if (v->target < v->rung) {
        v->falls = now_us < v->climbed_us + SOON_US && v->climbed_us ? v->falls + 1 : 0;
        if (v->falls > FALLS_MAX)
            v->falls = FALLS_MAX;
        v->hold_us = now_us + (HOLD_US << v->falls);
    } else if (v->target > v->rung) {
        v->climbed_us = now_us;
    }
    if (all) { /* there is, which may be nothing yet: what comes on top of it is not held back */
        v->sub = v->max_sub;
        v->tid = v->max_tid;
        v->reason = v->bps[v->max_sub][0] > 0 ? SL_ALLOC_WANTED : SL_ALLOC_NOT_SENT;
    } else {
        v->sub = v->target < 0 ? SL_ALLOC_PAUSED : v->ladder[v->target].sub;
        v->tid = v->target < 0 ? SL_ALLOC_PAUSED : v->ladder[v->target].tid;
    }
}

double sl_alloc_run(struct sl_alloc_video *const *v, size_t n, double estimate_bps,
                    double target_bps, uint64_t now_us)
{
    double used = 0;

    for (size_t i = 0; i < n; i++) {
        make_ladder(v[i]);
        v[i]->target = -1;
        v[i]->reason = SL_ALLOC_BANDWIDTH;
    }
    for (int p = next_priority(v, n, UINT8_MAX + 1); p >= 0; p = next_priority(v, n, p))
        for (size_t i = 0; i < n; i++)
            if (v[i]->priority == p && !climb(v[i], &used, estimate_bps, now_us))
                v[i]->reason = SL_ALLOC_NO_ROOM;
    climb_all(v, n, &used, target_bps, now_us);
    for (size_t i = 0; i < n; i++)
        settle(v[i], now_us);
    return used;
}
