/* What a worker did, copied once a second for others to read. */
#include "worker/worker_private.h"

#include <time.h>

#define SECOND_US  UINT64_C(1000000)
#define RECENT_SEC 10

static uint64_t thread_cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void sl_worker_stats_init(struct sl_worker *w)
{
    w->second_us = w->ctx.now_us;
    w->stats.cpu_us = thread_cpu_us();
}

static void collect(struct sl_worker *w, uint64_t cpu_us)
{
    struct sl_worker_stats *s = &w->stats;

    s->cpu_us = cpu_us;
    s->rx_datagrams = w->batch->datagrams;
    s->rx_messages = w->batch->messages;
    s->tx = *sl_txq_stats_get(w->txq);
    s->padded_packets = w->ctx.padded_packets;
    s->padded_bytes = w->ctx.padded_bytes;
    for (int i = 0; i < SL_DROP_MAX; i++)
        s->drops[i] = w->ctx.drops[i];
    for (int i = 0; i < SL_ICE_PATH_KINDS; i++)
        s->paths[i] = w->env.paths[i];
    if (w->seconds++ % RECENT_SEC == 0) {
        w->recent[0] = w->recent[1];
        w->recent[1] = s->latency;
    }
    sl_hist_since(&s->latency, &w->recent[0], &s->recent);
}

bool sl_worker_stats_second(struct sl_worker *w, uint64_t now_us)
{
    uint64_t cpu_us;

    if (now_us - w->second_us < SECOND_US)
        return false;
    cpu_us = thread_cpu_us();
    atomic_store_explicit(
        &w->busy_permille,
        (unsigned int)((cpu_us - w->stats.cpu_us) * 1000 / (now_us - w->second_us)),
        memory_order_relaxed);
    w->second_us = now_us;
    collect(w, cpu_us);
    pthread_mutex_lock(&w->told_lock);
    w->told = w->stats;
    pthread_mutex_unlock(&w->told_lock);
    atomic_fetch_add_explicit(&w->loads_told, 1, memory_order_relaxed);
    return true;
}

void sl_worker_stats_get(struct sl_worker *w, struct sl_worker_stats *out)
{
    pthread_mutex_lock(&w->told_lock);
    *out = w->told;
    pthread_mutex_unlock(&w->told_lock);
}

struct sl_worker_load sl_worker_load(const struct sl_worker *w)
{
    return (struct sl_worker_load){
        .busy_permille = atomic_load_explicit(&w->busy_permille, memory_order_relaxed),
        .told = atomic_load_explicit(&w->loads_told, memory_order_relaxed),
    };
}
