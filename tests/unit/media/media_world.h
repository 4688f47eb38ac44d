/*
 * media_world.h - one worker's media objects without a worker: callbacks that count, a connection
 * whose packets are looked at instead of sent, packets made by hand.
 */
#ifndef SL_TEST_MEDIA_WORLD_H
#define SL_TEST_MEDIA_WORLD_H

#include "tests/unit/test_cmocka.h"

#include "media/media_mirror.h"
#include "media/media_pkt.h"
#include "media/media_sink.h"
#include "media/media_track.h"

#include <stdlib.h>
#include <string.h>

#define MW_OUT_MAX 4096

struct mw_out {
    uint16_t len;
    bool is_sealed;
    uint8_t data[SL_SLOT_MAX];
};

struct media_world {
    struct sl_mctx ctx;
    struct sl_tx tx;
    /* One publisher and one subscriber, of those tests that need no more (mw_connect). */
    struct sl_track *t;
    struct sl_mirror *m;
    struct sl_sink *s;
    struct mw_out *out;
    size_t nout;
    bool ring_full; /* other workers take nothing */
    size_t forgotten, forwarded, asked[SL_LAYERS_MAX], remote_asked, flushes;
    size_t receiving_on, receiving_off, slow, layers, talk_on, talk_off, voices, told;
    struct sl_voice_report voice; /* the last one */
    struct sl_quality quality;    /* told last */
    size_t wants, watches;
    int want, watched; /* told last */
};

static inline void mw_receiving(void *arg, sl_id pc, uint16_t mindex, int substream, bool on)
{
    struct media_world *w = arg;

    (void)pc, (void)mindex, (void)substream;
    if (on)
        w->receiving_on++;
    else
        w->receiving_off++;
}

static inline void mw_slow(void *arg, sl_id pc, uint16_t mindex, bool uplink, uint32_t lost)
{
    (void)pc, (void)mindex, (void)uplink, (void)lost;
    ((struct media_world *)arg)->slow++;
}

static inline void mw_talking(void *arg, sl_id pc, uint16_t mindex, bool on, double level)
{
    struct media_world *w = arg;

    (void)pc, (void)mindex, (void)level;
    if (on)
        w->talk_on++;
    else
        w->talk_off++;
}

static inline void mw_voice(void *arg, sl_id pc, uint16_t mindex, const struct sl_voice_report *v)
{
    struct media_world *w = arg;

    (void)pc, (void)mindex;
    w->voices++;
    w->voice = *v;
}

static inline void mw_layer(void *arg, sl_id pc, uint16_t mindex, const struct sl_layer_event *ev)
{
    (void)pc, (void)mindex, (void)ev;
    ((struct media_world *)arg)->layers++;
}

static inline void mw_quality(void *arg, sl_id pc, uint16_t mindex, const struct sl_quality *q)
{
    struct media_world *w = arg;

    (void)pc, (void)mindex;
    w->told++;
    w->quality = *q;
}

static inline void mw_want(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, int layer)
{
    struct media_world *w = arg;

    (void)worker, (void)pc, (void)mindex;
    w->wants++;
    w->want = layer;
}

static inline void mw_watched(void *arg, sl_id pc, uint16_t mindex, int layer)
{
    struct media_world *w = arg;

    (void)pc, (void)mindex;
    w->watches++;
    w->watched = layer;
}

static inline bool mw_forward(void *arg, unsigned int worker, sl_id pc, uint16_t mindex,
                              struct sl_pkt *pkt)
{
    struct media_world *w = arg;

    (void)worker, (void)pc, (void)mindex, (void)pkt;
    if (w->ring_full)
        return false;
    if (pkt)
        w->forwarded++;
    else
        w->forgotten++;
    return true;
}

static inline void mw_keyframe(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, int layer)
{
    (void)worker, (void)pc, (void)mindex, (void)layer;
    ((struct media_world *)arg)->remote_asked++;
}

/* What the connection's owner would encrypt and send. */
static inline void mw_take(struct sl_tx *tx)
{
    struct media_world *w = sl_container(tx, struct media_world, tx);
    struct sl_slot *next, *s;

    SL_ASSUME(worker);
    for (s = sl_hold_pass(tx, sl_tx_take(tx)); s; s = next) {
        next = s->next;
        sl_slot_stamp(tx, s);
        assert_true(w->nout < MW_OUT_MAX);
        w->out[w->nout].len = s->len;
        w->out[w->nout].is_sealed = s->is_sealed;
        memcpy(w->out[w->nout++].data, s->data, s->len);
        if (s->keep)
            sl_sink_keep_sealed(s->keep, s->data, s->len);
        sl_pool_put(&w->ctx.slots, s);
    }
}

static inline void mw_flush(void *arg)
{
    struct media_world *w = arg;

    w->flushes++;
    mw_take(&w->tx);
}

static inline void mw_ask_key(void *arg, struct sl_track *t, struct sl_source *s)
{
    ((struct media_world *)arg)->asked[s - t->source]++;
}

/* All tests of a program play the worker. */
static inline int mw_group_setup(void **state)
{
    (void)state;
    sl_role_enter(&sl_role_worker);
    return 0;
}

static inline int mw_group_teardown(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    sl_role_leave(&sl_role_worker);
    return 0;
}

static inline void mw_init(struct media_world *w)
{
    static const struct sl_media_cb cb = {
        .receiving = mw_receiving,
        .slow_link = mw_slow,
        .talking = mw_talking,
        .voice = mw_voice,
        .layer = mw_layer,
        .quality = mw_quality,
        .forward = mw_forward,
        .keyframe = mw_keyframe,
        .want = mw_want,
        .watched = mw_watched,
        .flush = mw_flush,
    };

    memset(w, 0, sizeof(*w));
    sl_mctx_init(&w->ctx, 0, &cb, w);
    sl_pkt_thread_init(&w->ctx.pkts);
    w->ctx.now_us = 1000000000;
    sl_tx_init(&w->tx, &w->ctx, mw_take);
    w->tx.open = true;
    w->out = calloc(MW_OUT_MAX, sizeof(*w->out));
    assert_non_null(w->out);
}

/* Ends what mw_connect began. All packets are back in their pool then. */
static inline void mw_fini(struct media_world *w) SL_ON_WORKER
{
    if (w->s) {
        mw_flush(w);
        sl_mirror_del(w->m, w->s);
        sl_sink_destroy(w->s);
    }
    if (w->m) {
        sl_track_join(w->t, NULL);
        sl_mirror_destroy(w->m);
        sl_track_destroy(w->t);
    }
    sl_tx_fini(&w->tx);
    assert_int_equal(w->ctx.pkts.used, 0);
    assert_int_equal(w->ctx.slots.used, 0);
    sl_pkt_thread_init(NULL);
    sl_mctx_fini(&w->ctx);
    free(w->out);
}

static inline struct sl_media_line mw_line(enum sl_kind kind, enum sl_dir dir)
{
    struct sl_media_line l = { .kind = kind,
                               .dir = dir,
                               .codec = kind == SL_KIND_AUDIO ? SL_CODEC_OPUS : SL_CODEC_VP8,
                               .pt = kind == SL_KIND_AUDIO ? 111 : 96,
                               .rtx_pt = kind == SL_KIND_AUDIO ? SL_PT_NONE : 97,
                               .red_pt = SL_PT_NONE,
                               .clock_rate = kind == SL_KIND_AUDIO ? 48000 : 90000,
                               .nack = kind == SL_KIND_VIDEO,
                               .pli = kind == SL_KIND_VIDEO,
                               .tx_ssrc = 0x22222222,
                               .tx_rtx_ssrc = kind == SL_KIND_AUDIO ? 0 : 0x33333333 };

    strcpy(l.mid, "0");
    return l;
}

/* A publisher's line, on this worker, and a subscriber of it. */
static inline void mw_connect(struct media_world *w, const struct sl_media_line *in,
                              const struct sl_media_line *out, bool svc) SL_ON_WORKER
{
    assert_int_equal(sl_track_create(&w->ctx, 1, in, mw_ask_key, w, &w->t), 0);
    assert_int_equal(sl_mirror_create(&w->ctx, 1, 0, &w->m), 0);
    sl_track_join(w->t, w->m);
    assert_int_equal(sl_sink_create(&w->ctx, &w->tx, 2, out, &w->s), 0);
    assert_int_equal(sl_mirror_add(w->m, w->s), 0);
    sl_sink_set_source(w->s, in->nlayers, svc);
}

/* One packet as the receive path hands it to a track: @mark tells packets apart. Video is VP8, with
 * a 15-bit picture id @mark, one frame a packet. */
static inline struct sl_pkt *mw_pkt(struct media_world *w, const struct sl_track *t, uint32_t ssrc,
                                    uint16_t seq, uint32_t ts, bool key) SL_ON_WORKER
{
    struct sl_pkt *p = sl_pkt_get(&w->ctx.pkts);
    uint8_t *d;

    assert_non_null(p);
    d = p->data + SL_RTP_HDR;
    memset(p->data, 0, 64);
    sl_rtp_write_header(p->data, true, t->pt, seq, ts, ssrc);
    if (t->kind == SL_KIND_VIDEO) {
        d[0] = 0x90;
        d[1] = 0x80;
        sl_put16(d + 2, 0x8000 | (seq & 0x7fff));
        d[4] = key ? 0x10 : 0x11;
        d[5] = 0x02;
        memcpy(d + 7, "\x9d\x01\x2a\x80\x02\xe0\x01", 7);
    }
    sl_put16(d + 20, seq);
    p->len = SL_RTP_HDR + 40;
    p->layer = 0;
    p->red_off = 0;
    memset(&p->ext, 0, sizeof(p->ext));
    memset(&p->payload, 0, sizeof(p->payload));
    assert_int_equal(sl_rtp_parse(p->data, p->len, &p->rtp), 0);
    if (t->kind == SL_KIND_VIDEO)
        assert_int_equal(sl_payload_parse(t->codec, d, p->rtp.payload_len, &p->payload), 0);
    return p;
}

/* A packet and the end of its turn, but for the flush. */
static inline void mw_push_pkt(struct media_world *w, struct sl_track *t, struct sl_pkt *p,
                               bool is_rtx) SL_ON_WORKER
{
    sl_track_push(t, p, is_rtx);
    sl_mirrors_fan_out(&w->ctx);
}

static inline void mw_push(struct media_world *w, struct sl_track *t, uint16_t seq, uint32_t ts,
                           bool key) SL_ON_WORKER
{
    mw_push_pkt(w, t, mw_pkt(w, t, 0x11111111, seq, ts, key), false);
}

static inline void mw_push_layer(struct media_world *w, struct sl_track *t, uint8_t layer,
                                 uint16_t seq, uint32_t ts, bool key) SL_ON_WORKER
{
    struct sl_pkt *p = mw_pkt(w, t, 0x11111111u + layer, seq, ts, key);

    p->layer = layer;
    mw_push_pkt(w, t, p, false);
}

/* Fields of what went out. */
static inline uint16_t mw_seq(const struct media_world *w, size_t i)
{
    return sl_get16(w->out[i].data + 2);
}

static inline uint32_t mw_ts(const struct media_world *w, size_t i)
{
    return sl_get32(w->out[i].data + 4);
}

static inline uint32_t mw_ssrc(const struct media_world *w, size_t i)
{
    return sl_get32(w->out[i].data + 8);
}

#endif
