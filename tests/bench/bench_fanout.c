/*
 * bench_fanout.c - one publisher's packets to 100 subscribers, from the track to filled send slots:
 * layers, numbering, header extensions, the copy. No crypto, no kernel. Per packet and subscriber.
 */
#include "bench_media.h"

static struct bm_world w;

/* @n packets and subscribers; a turn is a frame, as it comes in one read. */
static uint64_t fan_out(void *arg, size_t n)
{
    static bool key;
    uint64_t ns = 0, before = 0, after = 0;
    size_t done = 0;

    SL_ASSUME(worker);
    (void)arg;
    key = w.in.seq == 0;
    for (size_t i = 0; i < BM_SINKS; i++)
        before += w.sub[i].packets;
    while (done < n) {
        struct sl_pkt *pkts[BM_TRAIN];
        size_t count = bm_frame(&w, key, pkts);
        uint64_t t0 = bench_cpu_ns();

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
    } cases[] = { { "vp8, frames of 6 x 1100 bytes", SL_KIND_VIDEO },
                  { "opus, 90 bytes", SL_KIND_AUDIO } };

    bench_begin("fan-out to 100, per packet and sink", argc, argv);
    sl_role_enter(&sl_role_worker);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        bm_init(&w, cases[c].kind, BM_SINKS);
        bench_run(cases[c].name, 1200000, fan_out, NULL);
        bm_fini(&w);
    }
    return bench_end();
}
