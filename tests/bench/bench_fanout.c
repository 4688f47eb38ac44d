/*
 * bench_fanout.c - one publisher's packets to 100 subscribers, from the track to filled send slots:
 * layers, numbering, header extensions, the copy. No crypto, no kernel. Per packet and subscriber.
 */
#include "bench_media.h"

#define OTHER_BYTES (64 << 20)

static struct bm_world w;

/* A server that does other things between two frames, or shares its machine, finds little of its
 * state in the caches. */
static void forget_caches(void)
{
    static uint8_t other[OTHER_BYTES];

    for (size_t i = 0; i < sizeof(other); i += 64)
        other[i]++;
}

/* @n packets and subscribers; a turn is a frame, as it comes in one read. */
static uint64_t fan_out(void *arg, size_t n)
{
    bool cold = *(const bool *)arg, key = w.in.seq == 0;
    uint64_t ns = 0, before = 0, after = 0;
    size_t done = 0;

    SL_ASSUME(worker);
    for (size_t i = 0; i < BM_SINKS; i++)
        before += w.sub[i].packets;
    while (done < n) {
        struct sl_pkt *pkts[BM_TRAIN];
        size_t count = bm_frame(&w, key, pkts);
        uint64_t t0;

        if (cold)
            forget_caches();
        t0 = bench_cpu_ns();
        for (size_t i = 0; i < count; i++)
            sl_track_push(w.track, pkts[i], false);
        sl_mirrors_fan_out(&w.ctx);
        bm_flush(&w);
        ns += bench_cpu_ns() - t0;
        done += count * BM_SINKS;
        key = false;
    }
    for (size_t i = 0; i < BM_SINKS; i++)
        after += w.sub[i].packets;
    bench_must(after - before == done);
    return ns * n / done;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum sl_kind kind;
        bool cold;
        size_t n;
    } cases[] = {
        { "vp8, frames of 6 x 1100 bytes", SL_KIND_VIDEO, false, 1200000 },
        { "vp8, the same with cold caches", SL_KIND_VIDEO, true, 36000 },
        { "opus, 90 bytes", SL_KIND_AUDIO, false, 1200000 },
        { "opus, the same with cold caches", SL_KIND_AUDIO, true, 6000 },
    };

    bench_begin("fan-out to 100, per packet and sink", argc, argv);
    sl_role_enter(&sl_role_worker);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        bool cold = cases[c].cold;

        bm_init(&w, cases[c].kind, BM_SINKS);
        bench_run(cases[c].name, cases[c].n, fan_out, &cold);
        bm_fini(&w);
    }
    return bench_end();
}
