/*
 * bench_txq.c - the send queue with the kernel below: packets to 100 sockets of the loopback, by
 * how many of them one after the other are of equal size. Per packet; what the receivers cost to be
 * read stays out, what the kernel does for them on our time is in.
 */
#include "bench.h"
#include "net/net_udp.h"
#include <netinet/udp.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define PEERS      100
#define TRAIN_MAX  8
#define PACKET_LEN 1116

static struct {
    struct sl_udp *from, *to[PEERS];
    struct sl_udp_batch *batch;
    struct sl_txq *txq;
    uint8_t data[PEERS][TRAIN_MAX][PACKET_LEN];
} w;

struct train {
    const char *name;
    size_t n;
    size_t shrink; /* by so many bytes from packet to packet, against the order that GSO takes */
};

static void drain(size_t expected)
{
    size_t got = 0;

    for (size_t i = 0; i < PEERS; i++) {
        int n;

        while ((n = sl_udp_recv(w.to[i], w.batch)) > 0)
            got += (size_t)n;
    }
    bench_must(got == expected);
}

static uint64_t send_trains(void *arg, size_t n)
{
    const struct train *t = arg;
    size_t done = 0;
    uint64_t ns = 0;

    while (done < n) {
        uint64_t t0 = bench_cpu_ns();

        for (size_t i = 0; i < PEERS; i++)
            for (size_t k = 0; k < t->n; k++)
                sl_txq_add(w.txq, w.from->fd, &w.to[i]->local, NULL, SL_ID_NONE, w.data[i][k],
                           PACKET_LEN - t->shrink * (t->n - k));
        bench_must(sl_txq_flush(w.txq) == PEERS * t->n);
        ns += bench_cpu_ns() - t0;
        drain(PEERS * t->n);
        done += PEERS * t->n;
    }
    return ns * n / done;
}

int main(int argc, char **argv)
{
    static const struct train trains[] = {
        { "1 packet each", 1, 0 },
        { "2 equal packets each", 2, 0 },
        { "4 equal packets each", 4, 0 },
        { "6 equal packets each", 6, 0 },
        { "8 equal packets each", 8, 0 },
        { "6 packets each, a byte longer from one to the next", 6, 1 },
    };
    struct sl_addr any;
    int off = 0; /* receivers take single packets, as browsers do */

    bench_begin("send queue, 1116 bytes, per packet", argc, argv);
    bench_must(!sl_addr_from_ip("127.0.0.1", 0, &any));
    bench_must(!sl_udp_open(&any, 0, &w.from) && !sl_udp_batch_create(&w.batch) &&
               !sl_txq_create(PEERS * TRAIN_MAX, &w.txq));
    for (size_t i = 0; i < PEERS; i++)
        bench_must(!sl_udp_open(&any, 1 << 20, &w.to[i]) &&
                   !setsockopt(w.to[i]->fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off)));
    for (size_t i = 0; i < sizeof(trains) / sizeof(trains[0]); i++) {
        struct train t = trains[i];

        bench_run(t.name, 120000, send_trains, &t);
    }
    sl_txq_destroy(w.txq);
    sl_udp_batch_destroy(w.batch);
    for (size_t i = 0; i < PEERS; i++)
        sl_udp_close(w.to[i]);
    sl_udp_close(w.from);
    return bench_end();
}
