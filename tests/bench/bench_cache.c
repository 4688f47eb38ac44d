/*
 * bench_cache.c - the retransmission cache: keeping a packet, finding one, and the throttle of
 * resends.
 */
#include "bench.h"
#include "media/media_cache.h"

#define CAPACITY 512
#define KEEP_US  1500000

static struct sl_cache cache;
static uint64_t seq, refs;

static void unref(void *ref)
{
    (void)ref;
    refs--;
}

static uint64_t put(void *arg, size_t n)
{
    uint64_t t0 = bench_cpu_ns();

    (void)arg;
    for (size_t i = 0; i < n; i++, seq++) {
        refs++;
        (void)sl_cache_expire(&cache, 1 + seq * 5000);
        sl_cache_put(&cache, seq, &cache, 1 + seq * 5000);
    }
    return bench_cpu_ns() - t0;
}

static uint64_t get(void *arg, size_t n)
{
    uint64_t t0, now_us = 1 + seq * 5000;

    (void)arg;
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++)
        bench_must(sl_cache_peek(&cache, seq - 1 - i % 200, now_us) == &cache);
    return bench_cpu_ns() - t0;
}

static uint64_t may_resend(void *arg, size_t n)
{
    static struct sl_resend r;
    uint64_t t0 = bench_cpu_ns();

    (void)arg;
    memset(&r, 0, sizeof(r));
    for (size_t i = 0; i < n; i++) {
        bench_must(!sl_resend_may(&r, (uint16_t)i, 20000, 1 + i * 5000));
        sl_resend_pay(&r);
    }
    return bench_cpu_ns() - t0;
}

int main(int argc, char **argv)
{
    bench_begin("retransmission cache", argc, argv);
    bench_must(!sl_cache_init(&cache, CAPACITY, KEEP_US, unref));
    bench_run("put, expiring what is old", 5000000, put, NULL);
    for (size_t i = 0; i < CAPACITY; i++) /* a smoke run put less than is looked for */
        (void)put(NULL, 1);
    bench_run("get", 5000000, get, NULL);
    bench_run("throttle of one resend", 5000000, may_resend, NULL);
    sl_cache_fini(&cache);
    bench_must(refs == 0);
    return bench_end();
}
