/*
 * fuzz_media.c - packets of a publisher, as they are after decryption, through track, mirror and
 * two subscribers (with RTX and without): what leaves are RTP packets of the subscribers' SSRCs, no
 * number leaves twice but as the ciphertext that was kept, and nothing stays behind.
 *
 * The input: one byte the codec, one byte what the source is like, then steps: one byte what to do,
 * one byte how, and what the step reads.
 */
#include "base/bytes.h"
#include "fuzz.h"
#include "rtp/rtp_red.h"
#include "tests/unit/media/media_world.h"

#define SINKS    2
#define STREAMS  (2 * SINKS) /* of an odd index: RTX */
#define RED_PT   120
#define START_US UINT64_C(1000000000)
#define FIRST    0x10000000u /* the publisher's SSRCs, then those of sinks */

enum {
    STEP_PACKET,
    STEP_PACKET_AGAIN, /* packets are half of all */
    STEP_TIME,
    STEP_SECOND,
    STEP_RESEND,
    STEP_REPAIR,
    STEP_KEY,
    STEP_WISH,
    STEP_PAUSE,
    STEP_GATE,
    STEP_GRANT,
    STEP_PAD,
    STEP_KINDS
};

/* What left under a key, by number; @run: of this input. */
struct sent {
    unsigned run;
    uint64_t index;
};

struct run {
    struct media_world *w;
    struct sl_track *t;
    struct sl_mirror *m;
    struct sl_sink *s[SINKS];
    struct sl_ext_map map;
    uint8_t red_pt;
    uint16_t seq[SL_LAYERS_MAX];
    uint32_t ts[SL_LAYERS_MAX];
    uint64_t newest[STREAMS];
};

static struct sent sent[STREAMS][65536];
static unsigned runs;

static uint32_t tx_ssrc(int stream)
{
    return FIRST + SL_LAYERS_MAX + (uint32_t)stream;
}

/* ---- what left ------------------------------------------------------------------------------- */

static void check_out(struct run *r, const struct mw_out *o)
{
    struct sent *slot;
    struct sl_rtp rtp;
    uint64_t index;
    int k = 0;

    FUZZ_CHECK(o->len <= SL_SLOT_MAX && sl_rtp_parse(o->data, o->len, &rtp) == 0);
    while (k < STREAMS && rtp.ssrc != tx_ssrc(k))
        k++;
    FUZZ_CHECK(k < STREAMS && k != STREAMS - 1); /* the second has no RTX */
    if (!r->newest[k])
        r->newest[k] = 65536 + rtp.seq;
    index = r->newest[k] + (uint64_t)(int64_t)(int16_t)(rtp.seq - (uint16_t)r->newest[k]);
    if (index > r->newest[k])
        r->newest[k] = index;
    slot = &sent[k][rtp.seq];
    FUZZ_CHECK((slot->run == runs && slot->index == index) == o->is_sealed);
    *slot = (struct sent){ runs, index };
}

static void leave(struct run *r) SL_ON_WORKER;
static void leave(struct run *r)
{
    sl_mirrors_fan_out(&r->w->ctx);
    sl_steps_run(&r->w->ctx);
    mw_flush(r->w);
    for (size_t i = 0; i < r->w->nout; i++)
        check_out(r, &r->w->out[i]);
    r->w->nout = 0;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Like a peer connection does (peer_rx.c): false, it is dropped. */
static bool parse(struct run *r, struct sl_pkt *p)
{
    const uint8_t *payload;
    struct sl_red red;

    p->red_off = 0;
    memset(&p->payload, 0, sizeof(p->payload));
    if (sl_rtp_parse(p->data, p->len, &p->rtp) || sl_ext_parse(p->data, &p->rtp, &r->map, &p->ext))
        return false;
    payload = p->data + p->rtp.payload_off;
    if (!p->rtp.payload_len)
        return true;
    if (p->rtp.pt == r->red_pt) {
        if (sl_red_parse(payload, p->rtp.payload_len, &red) ||
            red.block[red.n - 1].pt != r->t->pt || !red.block[red.n - 1].len)
            return false;
        p->red_off = red.block[red.n - 1].off;
        return true;
    }
    return r->t->kind == SL_KIND_AUDIO ||
           !sl_payload_parse(r->t->codec, payload, p->rtp.payload_len, &p->payload) ||
           (p->ext.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
}

/* Of the layer @how, RTX if its highest bit is set. The step: how far numbers go on, half of the
 * first byte, marker, length, and what follows the SSRC. */
static void packet(struct run *r, uint8_t how, struct sl_reader *in) SL_ON_WORKER;
static void packet(struct run *r, uint8_t how, struct sl_reader *in)
{
    struct sl_pkt *p = sl_pkt_get(&r->w->ctx.pkts);
    uint8_t layer = (uint8_t)(how % r->t->nlayers), flags;
    const uint8_t *more;
    size_t len;

    FUZZ_CHECK(p);
    r->seq[layer] = (uint16_t)(r->seq[layer] + (int8_t)sl_read8(in));
    r->ts[layer] += (uint32_t)(int8_t)sl_read8(in) * 960;
    flags = sl_read8(in);
    len = sl_read8(in);
    if (how & 0x40)
        len = len << 3 | 7;
    if (len > sl_reader_left(in))
        len = sl_reader_left(in);
    if (len > SL_PKT_MAX - SL_RTP_HDR)
        len = SL_PKT_MAX - SL_RTP_HDR;
    more = sl_read_bytes(in, len);
    sl_rtp_write_header(p->data, flags >> 7, (how & 0x20) ? r->red_pt : r->t->pt, r->seq[layer],
                        r->ts[layer], FIRST + layer);
    p->data[0] |= flags & 0x3f;
    if (len)
        memcpy(p->data + SL_RTP_HDR, more, len);
    p->len = (uint16_t)(SL_RTP_HDR + len);
    p->layer = layer;
    p->rx_us = p->arrival_us = r->w->ctx.now_us;
    if (parse(r, p))
        sl_track_push(r->t, p, how >> 7);
    else
        sl_pkt_unref(p);
}

static void step_time(struct run *r, uint64_t us) SL_ON_WORKER;
static void step_time(struct run *r, uint64_t us)
{
    r->w->ctx.now_us += us;
    sl_track_tick(r->t);
    for (int i = 0; i < SINKS; i++)
        sl_sink_tick(r->s[i]);
}

static void step_second(struct run *r) SL_ON_WORKER;
static void step_second(struct run *r)
{
    struct sl_quality q;

    step_time(r, 1000000);
    sl_track_second(r->t);
    for (int i = 0; i < SINKS; i++) {
        sl_sink_second(r->s[i]);
        sl_sink_tell(r->s[i]);
        (void)sl_sink_quality(r->s[i], &q);
    }
    sl_mirror_expire(r->m);
}

static void wish(struct sl_sink *s, uint8_t how, struct sl_reader *in) SL_ON_WORKER;
static void wish(struct sl_sink *s, uint8_t how, struct sl_reader *in)
{
    struct sl_layer_wish w = SL_LAYER_WISH_INIT;

    w.substream = (int8_t)(sl_read8(in) % 4 - 1);
    w.temporal = (int8_t)(sl_read8(in) % 4 - 1);
    w.spatial = (int8_t)(sl_read8(in) % 4 - 1);
    w.svc_temporal = (int8_t)(sl_read8(in) % 4 - 1);
    w.width = (int8_t)sl_read8(in) * 16;
    w.height = w.width;
    w.tell = how;
    sl_sink_set_wish(s, &w);
    (void)sl_sink_limit(s);
}

/* What its path has room for. */
static void grant(struct sl_sink *s, uint8_t how) SL_ON_WORKER;
static void grant(struct sl_sink *s, uint8_t how)
{
    if (!sl_sink_bid(s))
        return;
    s->alloc.sub = (int8_t)((how >> 1) % 4 - 1);
    s->alloc.tid = (int8_t)((how >> 3) % 4);
    sl_sink_grant(s);
}

static void step(struct run *r, struct sl_reader *in) SL_ON_WORKER;
static void step(struct run *r, struct sl_reader *in)
{
    uint8_t what = sl_read8(in) % STEP_KINDS, how = sl_read8(in);
    struct sl_sink *s = r->s[how & 1];
    uint16_t seqs[32];

    switch (what) {
    case STEP_PACKET:
    case STEP_PACKET_AGAIN:
        packet(r, how, in);
        break;
    case STEP_TIME:
        step_time(r, how * UINT64_C(1000));
        break;
    case STEP_SECOND:
        step_second(r);
        break;
    case STEP_RESEND: /* those before the newest one */
        for (unsigned i = 0; i < 32; i++)
            seqs[i] = (uint16_t)(r->newest[2 * (how & 1)] - (i + 1) * (how >> 3));
        sl_sink_resend(s, seqs, 32);
        break;
    case STEP_REPAIR:
        sl_sink_repair(s, (uint16_t)(r->newest[2 * (how & 1)] - (how >> 1)));
        break;
    case STEP_KEY:
        sl_sink_on_pli(s);
        break;
    case STEP_WISH:
        wish(s, how, in);
        break;
    case STEP_PAUSE:
        sl_sink_set_paused(s, how & 2);
        break;
    case STEP_GATE:
        sl_track_set_gate(r->t, how & 2);
        break;
    case STEP_GRANT:
        grant(s, how);
        break;
    case STEP_PAD:
        (void)sl_sink_pad(s, how * 16u);
        break;
    }
    leave(r);
}

/* ---- one input ------------------------------------------------------------------------------- */

/* One for all inputs, since its pools are large; it begins at the same time. */
static void world_again(struct run *r)
{
    static struct media_world w;

    if (!w.out)
        mw_init(&w);
    sl_tx_init(&w.tx, &w.ctx, mw_take);
    w.tx.open = true;
    w.ctx.now_us = START_US;
    w.ctx.step_us = 0;
    r->w = &w;
}

static void start(struct run *r, uint8_t codec, uint8_t how) SL_ON_WORKER;
static void start(struct run *r, uint8_t codec, uint8_t how)
{
    static const enum sl_codec codecs[] = { SL_CODEC_VP8, SL_CODEC_VP9,  SL_CODEC_H264,
                                            SL_CODEC_AV1, SL_CODEC_H265, SL_CODEC_OPUS };
    const enum sl_codec c = codecs[codec % (sizeof(codecs) / sizeof(codecs[0]))];
    const enum sl_kind kind = c == SL_CODEC_OPUS ? SL_KIND_AUDIO : SL_KIND_VIDEO;
    struct sl_media_line in = mw_line(kind, SL_DIR_RECV), out = mw_line(kind, SL_DIR_SEND);

    world_again(r);
    in.codec = out.codec = c;
    in.nlayers = kind == SL_KIND_VIDEO ? (uint8_t)(1 + how % 3) : 1;
    in.is_e2ee = how & 0x40;
    r->red_pt = in.red_pt = kind == SL_KIND_AUDIO ? RED_PT : SL_PT_NONE;
    out.red_pt = (how & 0x20) ? in.red_pt : SL_PT_NONE;
    for (int e = 0; e < SL_EXT_MAX; e++)
        in.ext[e] = out.ext[e] = (uint8_t)(e + 1);
    out.ext_mixed = !(how & 0x10);
    sl_ext_map_init(&r->map, in.ext);
    FUZZ_CHECK(!sl_track_create(&r->w->ctx, 1, &in, mw_ask_key, r->w, &r->t));
    FUZZ_CHECK(!sl_mirror_create(&r->w->ctx, 1, 0, &r->m));
    sl_track_join(r->t, r->m);
    for (int i = 0; i < SINKS; i++) {
        out.tx_ssrc = tx_ssrc(2 * i);
        out.tx_rtx_ssrc = i || kind == SL_KIND_AUDIO ? 0 : tx_ssrc(1);
        out.rtx_pt = out.tx_rtx_ssrc ? 97 : SL_PT_NONE;
        FUZZ_CHECK(!sl_sink_create(&r->w->ctx, &r->w->tx, 2 + (sl_id)i, &out, &r->s[i]));
        FUZZ_CHECK(!sl_mirror_add(r->m, r->s[i]));
        sl_sink_set_source(r->s[i], in.nlayers, how & 0x80);
    }
}

static void stop(struct run *r) SL_ON_WORKER;
static void stop(struct run *r)
{
    for (int i = 0; i < SINKS; i++) {
        sl_mirror_del(r->m, r->s[i]);
        sl_sink_destroy(r->s[i]);
    }
    sl_track_join(r->t, NULL);
    sl_mirror_destroy(r->m);
    sl_track_destroy(r->t);
    sl_tx_fini(&r->w->tx);
    FUZZ_CHECK(!r->w->ctx.pkts.used && !r->w->ctx.slots.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_reader in = sl_reader_make(data, size);
    static struct run r;
    uint8_t codec = sl_read8(&in), how = sl_read8(&in);

    sl_role_enter(&sl_role_worker);
    memset(&r, 0, sizeof(r));
    runs++;
    start(&r, codec, how);
    while (sl_reader_left(&in) >= 2)
        step(&r, &in);
    stop(&r);
    sl_role_leave(&sl_role_worker);
    return 0;
}
