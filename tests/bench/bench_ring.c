/*
 * bench_ring.c - handing packets to another thread: CPU of both sides per entry. With one entry per
 * wake the other side sleeps each time; with many the ring costs what it costs.
 */
#include "bench.h"
#include "base/door.h"
#include "base/ring.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#define CAPACITY 1024

static struct {
    struct sl_ring ring;
    struct sl_door there, back; /* the consumer's, the producer's */
    size_t batch, n;
    uint64_t taken, consumer_ns;
    atomic_size_t done; /* entries that the consumer took */
} w;

static void sleep_at(struct sl_door *d, bool (*is_ready)(void))
{
    struct pollfd p = { d->efd, POLLIN, 0 };

    sl_door_will_sleep(d);
    if (!is_ready())
        bench_must(poll(&p, 1, 5000) >= 0 || errno == EINTR);
    sl_door_woke(d);
}

static bool has_entries(void)
{
    return sl_ring_peek(&w.ring) != NULL;
}

static size_t expected;

static bool has_answer(void)
{
    return atomic_load(&w.done) >= expected;
}

static void *consume(void *arg)
{
    uint64_t t0 = bench_cpu_ns(), sum = 0;
    size_t n = 0;

    (void)arg;
    while (n < w.n) {
        uint64_t *e;

        if (!has_entries())
            sleep_at(&w.there, has_entries);
        while ((e = sl_ring_peek(&w.ring))) {
            sum += *e;
            sl_ring_pop(&w.ring);
            n++;
        }
        atomic_store(&w.done, n);
        sl_door_ring(&w.back);
    }
    w.taken = sum;
    w.consumer_ns = bench_cpu_ns() - t0;
    return NULL;
}

static uint64_t hand_over(void *arg, size_t n)
{
    uint64_t t0, sum = 0;
    pthread_t thread;

    w.batch = *(const size_t *)arg;
    w.n = n;
    atomic_store(&w.done, 0);
    bench_must(!pthread_create(&thread, NULL, consume, NULL));
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n;) {
        for (size_t k = 0; k < w.batch && i < n; k++, i++) {
            uint64_t *e = sl_ring_stage(&w.ring);

            bench_must(e != NULL);
            *e = i;
            sum += i;
        }
        sl_ring_publish(&w.ring);
        sl_door_ring(&w.there);
        /* The next batch when this one was taken, so that each needs its wake. */
        expected = i;
        while (!has_answer())
            sleep_at(&w.back, has_answer);
    }
    t0 = bench_cpu_ns() - t0;
    pthread_join(thread, NULL);
    bench_must(w.taken == sum);
    return t0 + w.consumer_ns;
}

int main(int argc, char **argv)
{
    static const size_t batches[] = { 1, 8, 64, 512 };

    bench_begin("ring hand-over, per entry", argc, argv);
    bench_must(!sl_ring_init(&w.ring, CAPACITY, sizeof(uint64_t)));
    bench_must(!sl_door_init(&w.there) && !sl_door_init(&w.back));
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        size_t batch = batches[i];
        char name[BENCH_NAME];

        snprintf(name, sizeof(name), "%zu per wake, both threads", batch);
        bench_run(name, 20000 * batch, hand_over, &batch);
    }
    sl_door_fini(&w.back);
    sl_door_fini(&w.there);
    sl_ring_fini(&w.ring);
    return bench_end();
}
