/*
 * bench_sink.c - the parts of what one subscriber costs: numbering, VP8 picture ids, and the whole
 * way from a shared packet to a filled send slot, with everything in the cache.
 */
#include "bench_media.h"

static struct bm_world w;

static uint64_t map_numbers(void *arg, size_t n)
{
    static struct sl_munge_past past;
    static struct sl_munge m;
    struct sl_seqts in = { 1 << 16, 1 << 20 }, out;
    uint64_t t0;

    (void)arg;
    sl_munge_init(&m, 90000, 1000, 1000);
    m.past = &past;
    sl_munge_switch(&m, in, SL_MUNGE_UNKNOWN, 1);
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++, in.seq++, in.ts += i % 6 ? 0 : 3000)
        bench_must(!sl_munge_map(&m, in, 1000 + i, &out));
    t0 = bench_cpu_ns() - t0;
    bench_must(out.seq == 1000 + n - 1);
    return t0;
}

static uint64_t map_picture_ids(void *arg, size_t n)
{
    static struct sl_vp8_munge m;
    struct sl_payload_info in = { .pid_bits = 15, .has_tl0 = true };
    struct sl_vp8_ids out;
    uint64_t t0;

    (void)arg;
    sl_vp8_munge_init(&m);
    t0 = bench_cpu_ns();
    for (size_t i = 0; i < n; i++) {
        in.pid = (i / 6) & 0x7fff;
        in.tl0 = (uint8_t)(i / 6);
        bench_must(!sl_vp8_munge_map(&m, &in, &out));
    }
    return bench_cpu_ns() - t0;
}

/* The same frame again and again under new numbers: parsing and the publisher's side stay out. */
static struct sl_pkt *frame[BM_TRAIN];
static size_t frame_len;

static void frame_make(void) SL_ON_WORKER
{
    frame_len = bm_frame(&w, true, frame);
    for (size_t i = 0; i < frame_len; i++) {
        frame[i]->codec = w.track->codec;
        frame[i]->epoch = w.sub[0].sink->epoch;
        frame[i]->dd.present = false;
        frame[i]->capture_us = 0;
        frame[i]->seq = (1 << 16) + i;
        frame[i]->ts = 1 << 20;
    }
}

static uint64_t forward(void *arg, size_t n)
{
    struct bm_sub *sub = &w.sub[0];
    uint64_t t0 = bench_cpu_ns(), before = sub->packets;
    size_t done = 0;

    SL_ASSUME(worker);
    (void)arg;
    for (; done < n; done += frame_len) {
        sl_sink_forward(sub->sink, frame, frame_len);
        bm_take(&sub->tx);
        for (size_t i = 0; i < frame_len; i++) {
            frame[i]->seq += frame_len;
            frame[i]->ts += 3000;
            frame[i]->payload.pid = (frame[i]->payload.pid + 1) & 0x7fff;
        }
    }
    t0 = bench_cpu_ns() - t0;
    bench_must(sub->packets - before == done);
    return t0 * n / done;
}

static void forward_row(const char *name, enum sl_kind kind) SL_ON_WORKER
{
    bm_init(&w, kind, 1);
    frame_make();
    bench_run(name, 3000000, forward, NULL);
    for (size_t i = 0; i < frame_len; i++)
        sl_pkt_unref(frame[i]);
    bm_fini(&w);
}

int main(int argc, char **argv)
{
    bench_begin("sink, per packet", argc, argv);
    sl_role_enter(&sl_role_worker);
    bench_run("numbers (munge)", 5000000, map_numbers, NULL);
    bench_run("vp8 picture ids", 5000000, map_picture_ids, NULL);
    forward_row("vp8 forward: all, with the slot", SL_KIND_VIDEO);
    forward_row("opus forward: all, with the slot", SL_KIND_AUDIO);
    return bench_end();
}
