/*
 * bench_nack.c - the NACK generator per packet of a source: without loss, and with every 50th
 * packet lost and coming back after it was asked for.
 */
#include "bench.h"
#include "media/media_nack.h"

#define PACKET_US 5000
#define BACK      20 /* packets until a lost one comes */

static uint64_t packets(void *arg, size_t n)
{
    static struct sl_nack nack;
    size_t lost = *(const size_t *)arg;
    uint64_t t0, asked = 0;
    uint16_t seqs[64];

    sl_nack_init(&nack);
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++) {
        uint64_t now_us = 1000000 + i * PACKET_US, seq = 65536 + i;

        if (!lost || i % lost)
            (void)sl_nack_on_packet(&nack, seq, false, now_us);
        if (lost && i > BACK && (i - BACK) % lost == 0)
            bench_must(sl_nack_on_packet(&nack, seq - BACK, false, now_us));
        if (sl_nack_next_us(&nack) <= now_us)
            asked += sl_nack_due(&nack, now_us, seqs, 64);
    }
    t0 = bench_cpu_ns() - t0;
    bench_must(nack.lost == 0 && (!lost ? asked == 0 : n < 2 * lost || asked > 0));
    return t0;
}

int main(int argc, char **argv)
{
    size_t none = 0, some = 50;

    bench_begin("NACK generator, per packet", argc, argv);
    bench_run("no loss", 5000000, packets, &none);
    bench_run("2 % lost, asked for, recovered", 5000000, packets, &some);
    return bench_end();
}
