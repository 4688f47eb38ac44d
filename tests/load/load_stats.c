#include "load_stats.h"

#include <time.h>

/* 0..63 as they are; then 64 steps for each power of two. */
static size_t bucket(uint64_t v)
{
    size_t at, shift;

    if (v < LOAD_HIST_SUB)
        return (size_t)v;
    shift = (size_t)(63 - __builtin_clzll(v)) - 6;
    at = (shift + 1) * LOAD_HIST_SUB + (size_t)((v >> shift) - LOAD_HIST_SUB);
    return at;
}

static uint64_t bucket_low(size_t at)
{
    size_t shift = at / LOAD_HIST_SUB;

    if (!shift)
        return at;
    return (uint64_t)(LOAD_HIST_SUB + at % LOAD_HIST_SUB) << (shift - 1);
}

void load_hist_add(struct load_hist *h, uint64_t ns)
{
    size_t at = bucket(ns), last = sizeof(h->n) / sizeof(h->n[0]) - 1;

    h->n[at < last ? at : last]++;
    h->count++;
    if (ns > h->max)
        h->max = ns;
}

uint64_t load_hist_at(const struct load_hist *h, double q)
{
    uint64_t want = (uint64_t)(q * (double)h->count), seen = 0;

    for (size_t i = 0; i < sizeof(h->n) / sizeof(h->n[0]); i++) {
        seen += h->n[i];
        if (seen > want)
            return bucket_low(i);
    }
    return h->max;
}

uint64_t load_wall_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
