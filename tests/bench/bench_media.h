/*
 * bench_media.h - a publisher's track and its subscribers on one worker without a worker: nothing
 * is encrypted or sent, staged packets go back to their pool.
 *
 * The lines are as Chromium negotiates them: mid, abs-send-time and transport-cc on all, audio
 * levels on audio, NACK and RTX on video.
 */
#ifndef TESTS_BENCH_BENCH_MEDIA_H
#define TESTS_BENCH_BENCH_MEDIA_H

#include "bench.h"
#include "media/media_mirror.h"
#include "media/media_pkt.h"
#include "media/media_sink.h"
#include "media/media_track.h"

#define BM_SINKS     100
#define BM_TRAIN     6 /* packets of a video frame */
#define BM_VIDEO_LEN 1100
#define BM_AUDIO_LEN 90

/* What a publisher sends. */
struct bm_stream {
    enum sl_kind kind;
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts;
};

struct bm_world {
    struct sl_mctx ctx;
    struct bm_stream in;
    struct sl_track *track;
    struct sl_mirror *mirror;
    size_t nsinks;
    struct bm_sub {
        struct sl_tx tx;
        struct sl_sink *sink;
        uint64_t packets, bytes;
    } sub[BM_SINKS];
    struct sl_ext_map map;
};

static inline void bm_receiving(void *arg, sl_id pc, uint16_t mindex, int substream, bool on)
{
    (void)arg, (void)pc, (void)mindex, (void)substream, (void)on;
}

static inline void bm_ask_key(void *arg, struct sl_track *t, struct sl_source *s)
{
    (void)arg, (void)t, (void)s;
}

/* What the connection would seal and send. */
static inline void bm_take(struct sl_tx *tx)
{
    struct bm_sub *sub = sl_container(tx, struct bm_sub, tx);
    struct sl_slot *next, *s;

    SL_ASSUME(worker);
    for (s = sl_tx_take(tx); s; s = next) {
        next = s->next;
        sub->packets++;
        sub->bytes += s->len;
        sl_pool_put(&tx->ctx->slots, s);
    }
}

/* As the worker does at the end of a turn. */
static inline void bm_flush(void *arg)
{
    struct bm_world *w = arg;

    while (!sl_list_is_empty(&w->ctx.dirty)) {
        struct sl_tx *tx = sl_container(w->ctx.dirty.next, struct sl_tx, dirty);

        tx->flush(tx);
    }
}

static inline struct sl_media_line bm_line(enum sl_kind kind, enum sl_dir dir, uint32_t ssrc)
{
    bool video = kind == SL_KIND_VIDEO;
    struct sl_media_line l = { .kind = kind,
                               .dir = dir,
                               .codec = video ? SL_CODEC_VP8 : SL_CODEC_OPUS,
                               .pt = video ? 96 : 111,
                               .rtx_pt = video ? 97 : SL_PT_NONE,
                               .red_pt = SL_PT_NONE,
                               .clock_rate = video ? 90000 : 48000,
                               .nack = video,
                               .tx_ssrc = ssrc,
                               .tx_rtx_ssrc = video ? ssrc + 1 : 0,
                               .mid = { video ? '0' : '1' } };

    l.ext[SL_EXT_MID] = 4;
    l.ext[SL_EXT_ABS_SEND_TIME] = 2;
    l.ext[SL_EXT_TWCC] = 3;
    if (video) {
        l.ext[SL_EXT_VIDEO_ORIENTATION] = 13;
        l.ext[SL_EXT_PLAYOUT_DELAY] = 5;
    } else {
        l.ext[SL_EXT_AUDIO_LEVEL] = 1;
    }
    return l;
}

static inline void bm_want(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, int layer)
{
    (void)arg, (void)worker, (void)pc, (void)mindex, (void)layer;
}

static inline void bm_init(struct bm_world *w, enum sl_kind kind, size_t nsinks) SL_ON_WORKER
{
    static const struct sl_media_cb cb = { .receiving = bm_receiving,
                                           .flush = bm_flush,
                                           .want = bm_want };
    struct sl_media_line in = bm_line(kind, SL_DIR_RECV, 0);

    memset(w, 0, sizeof(*w));
    w->in = (struct bm_stream){ kind, 0x1111, 0, 0 };
    sl_mctx_init(&w->ctx, 0, &cb, w);
    sl_pkt_thread_init(&w->ctx.pkts);
    w->ctx.now_us = 1000000000;
    sl_ext_map_init(&w->map, in.ext);
    bench_must(!sl_track_create(&w->ctx, 1, &in, bm_ask_key, w, &w->track));
    bench_must(!sl_mirror_create(&w->ctx, 1, 0, &w->mirror));
    sl_track_join(w->track, w->mirror);
    w->nsinks = nsinks;
    for (size_t i = 0; i < nsinks; i++) {
        struct sl_media_line out = bm_line(kind, SL_DIR_SEND, (uint32_t)(1000 + 2 * i));
        struct bm_sub *sub = &w->sub[i];

        sl_tx_init(&sub->tx, &w->ctx, bm_take);
        sub->tx.open = true;
        bench_must(!sl_sink_create(&w->ctx, &sub->tx, 2 + i, &out, &sub->sink));
        bench_must(!sl_mirror_add(w->mirror, sub->sink));
        sl_sink_set_source(sub->sink, 1, false);
    }
}

static inline void bm_fini(struct bm_world *w) SL_ON_WORKER
{
    for (size_t i = 0; i < w->nsinks; i++) {
        sl_mirror_del(w->mirror, w->sub[i].sink);
        sl_sink_destroy(w->sub[i].sink);
        sl_tx_fini(&w->sub[i].tx);
    }
    sl_track_join(w->track, NULL);
    sl_mirror_destroy(w->mirror);
    sl_track_destroy(w->track);
    bench_must(w->ctx.pkts.used == 0 && w->ctx.slots.used == 0);
    sl_pkt_thread_init(NULL);
    sl_mctx_fini(&w->ctx);
}

/* The stream goes on to its next frame, or audio packet. */
static inline void bm_next_frame(struct bm_stream *s)
{
    s->ts += s->kind == SL_KIND_VIDEO ? 3000 : 960;
}

/* Writes the next packet of the frame: mid, abs-send-time, transport-cc, audio level; opus, or VP8
 * with a 15-bit picture id, tl0picidx and tid. Its length. */
static inline size_t bm_write(struct bm_stream *s, uint8_t *d, bool first, bool last, bool key)
{
    static const uint8_t video_ext[] = { 0xbe, 0xde, 0,    3, 0x40, '0', 0x22, 1,
                                         2,    3,    0x31, 0, 0,    0,   0,    0 };
    static const uint8_t audio_ext[] = { 0xbe, 0xde, 0,    3, 0x10, 0x9e, 0x22, 1,
                                         2,    3,    0x31, 0, 0,    0x40, '1',  0 };
    bool video = s->kind == SL_KIND_VIDEO;
    size_t off = SL_RTP_HDR, len = video ? BM_VIDEO_LEN : BM_AUDIO_LEN;

    sl_rtp_write_header(d, last, video ? 96 : 111, s->seq++, s->ts, s->ssrc);
    d[0] |= SL_RTP_EXT;
    memcpy(d + off, video ? video_ext : audio_ext, 16);
    off += 16;
    memset(d + off, 0x11, len - off);
    if (!video)
        return len;
    d[off] = first ? 0x90 : 0x80; /* X, S */
    d[off + 1] = 0xe0;            /* I, L, T */
    sl_put16(d + off + 2, (uint16_t)(0x8000 | ((s->ts / 3000) & 0x7fff)));
    d[off + 4] = (uint8_t)(s->ts / 3000);
    d[off + 5] = 0;
    if (first && key)
        memcpy(d + off + 6, "\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01", 10);
    return len;
}

/* The same, parsed as the receive path does it. */
static inline struct sl_pkt *bm_pkt(struct bm_world *w, bool first, bool last,
                                    bool key) SL_ON_WORKER
{
    struct sl_pkt *p = sl_pkt_get(&w->ctx.pkts);

    bench_must(p != NULL);
    p->len = (uint16_t)bm_write(&w->in, p->data, first, last, key);
    p->layer = 0;
    p->red_off = 0;
    bench_must(!sl_rtp_parse(p->data, p->len, &p->rtp) &&
               !sl_ext_parse(p->data, &p->rtp, &w->map, &p->ext));
    memset(&p->payload, 0, sizeof(p->payload));
    if (w->in.kind == SL_KIND_VIDEO)
        bench_must(!sl_payload_parse(SL_CODEC_VP8, p->data + p->rtp.payload_off, p->rtp.payload_len,
                                     &p->payload));
    return p;
}

/* One frame, or one audio packet: @pkts has BM_TRAIN entries. How many. */
static inline size_t bm_frame(struct bm_world *w, bool key, struct sl_pkt **pkts) SL_ON_WORKER
{
    size_t n = w->in.kind == SL_KIND_VIDEO ? BM_TRAIN : 1;

    bm_next_frame(&w->in);
    w->ctx.now_us += w->in.kind == SL_KIND_VIDEO ? 33333 : 20000;
    for (size_t i = 0; i < n; i++)
        pkts[i] = bm_pkt(w, i == 0, i == n - 1, key);
    return n;
}

#endif
