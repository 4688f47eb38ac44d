#include "load_tx.h"

#include "base/clock.h"
#include "base/rand.h"
#include "rtcp/rtcp.h"
#include "rtp/rtp_ext.h"
#include <errno.h>
#include <stdlib.h>

#define STAMP_MAGIC UINT32_C(0x51ADC0DE)
#define AUDIO_US    20000
#define AUDIO_TICKS 960
#define PAYLOAD_MAX 1110 /* of a video packet, before its descriptor */
#define KEY_FACTOR  4    /* a key frame is so many times larger */
#define DESCRIPTOR  6    /* bytes: picture id of 15 bits, TL0PICIDX, TID */
#define MID_US      1000000
#define REPORT_US   1000000
#define LAYERS_MAX  3
#define STREAMS_MAX (1 + LAYERS_MAX)

static const char *const rids[LAYERS_MAX] = { "h", "m", "l" };

struct out {
    const struct load_line *line;
    uint32_t ssrc, ts, packets, octets;
    uint16_t seq;
    const char *rid; /* NULL: no simulcast */
    uint64_t due_us; /* next frame */
    uint64_t frame_us;
    uint32_t frame_bytes; /* on average; audio: of a packet */
    /* The frame being sent. */
    size_t left, nparts, part_len, nlonger;
    uint64_t part_due_us;
    bool key;
    uint16_t picture;
    uint8_t tl0;
    bool want_key;
    uint64_t asked_us;
    struct load_asks asks;
};

struct load_tx {
    struct load_tx_conf conf;
    struct load_line audio, video;
    struct out out[STREAMS_MAX]; /* audio first */
    size_t nout;
    uint16_t twcc;
    uint64_t started_us, report_due_us;
    bool paused;
    uint64_t rng;
    struct {
        struct load_tally *tally;
        size_t n;
    } audience[LOAD_GROUPS];
};

bool load_stamp_read(const uint8_t *payload, size_t len, uint64_t *sent_ns)
{
    if (len < LOAD_STAMP_LEN || sl_get32(payload + len - LOAD_STAMP_LEN) != STAMP_MAGIC)
        return false;
    *sent_ns = sl_get64(payload + len - 8);
    return true;
}

/* xorshift64: sizes need no better one. 0 .. @n - 1. */
static uint32_t any(struct load_tx *tx, uint32_t n)
{
    tx->rng ^= tx->rng << 13;
    tx->rng ^= tx->rng >> 7;
    tx->rng ^= tx->rng << 17;
    return (uint32_t)(tx->rng >> 32) % n;
}

static void out_init(struct load_tx *tx, const struct load_line *line, uint32_t ssrc,
                     uint64_t now_us)
{
    struct out *o = &tx->out[tx->nout++];

    o->line = line;
    o->ssrc = ssrc;
    o->ts = sl_rand32();
    o->seq = (uint16_t)(sl_rand32() & 0x7fff);
    o->picture = (uint16_t)(sl_rand32() & 0x7fff);
    o->want_key = true;
    o->asks.least_us = UINT64_MAX;
    o->due_us = now_us + any(tx, 20000); /* publishers are not in step */
}

int load_tx_create(const struct load_tx_conf *conf, const struct load_line *audio,
                   const struct load_line *video, const uint32_t *video_ssrc, size_t nlayers,
                   uint32_t audio_ssrc, uint64_t now_us, struct load_tx **out)
{
    struct load_tx *tx = calloc(1, sizeof(*tx));

    if (!tx)
        return -ENOMEM;
    tx->conf = *conf;
    tx->rng = sl_rand64() | 1;
    tx->started_us = now_us;
    tx->report_due_us = now_us + REPORT_US;
    if (audio && conf->audio_bytes) {
        tx->audio = *audio;
        out_init(tx, &tx->audio, audio_ssrc, now_us);
        tx->out[0].frame_us = AUDIO_US;
        tx->out[0].frame_bytes = conf->audio_bytes;
    }
    for (size_t i = 0; video && i < nlayers; i++) {
        struct out *o = &tx->out[tx->nout];

        tx->video = *video;
        out_init(tx, &tx->video, video_ssrc[i], now_us);
        /* Layers share the frame clock; each has a third of the rate of the one above it. */
        o->due_us = tx->out[tx->nout - 1 - i].due_us;
        o->rid = nlayers > 1 ? rids[i] : NULL;
        o->frame_us = 1000000 / conf->fps;
        o->frame_bytes = conf->video_kbps * 125 / conf->fps / (i == 0 ? 1 : i == 1 ? 3 : 9);
    }
    *out = tx;
    return 0;
}

void load_tx_destroy(struct load_tx *tx)
{
    free(tx);
}

void load_tx_set_audience(struct load_tx *tx, size_t group, struct load_tally *tally, size_t n)
{
    tx->audience[group].tally = tally;
    tx->audience[group].n = n;
}

void load_tx_pause(struct load_tx *tx)
{
    tx->paused = true;
}

static size_t write_exts(struct load_tx *tx, const struct out *o, uint64_t now_us, uint8_t *buf,
                         size_t cap)
{
    const uint8_t *id = o->line->ext;
    const uint8_t level = 0x80 | 20; /* voice, -20 dBov */
    struct sl_ext_item items[8];
    uint8_t twcc[2], abs[3];
    bool early = now_us - tx->started_us < MID_US;
    size_t n = 0;
    int len;

    sl_put16(twcc, tx->twcc);
    sl_put24(abs, sl_ext_abs_send_time(now_us));
    if (o->line->kind == SL_KIND_AUDIO && id[SL_EXT_AUDIO_LEVEL])
        items[n++] = (struct sl_ext_item){ id[SL_EXT_AUDIO_LEVEL], 1, &level, 0 };
    if (id[SL_EXT_ABS_SEND_TIME])
        items[n++] = (struct sl_ext_item){ id[SL_EXT_ABS_SEND_TIME], 3, abs, 0 };
    if (id[SL_EXT_TWCC]) {
        items[n++] = (struct sl_ext_item){ id[SL_EXT_TWCC], 2, twcc, 0 };
        tx->twcc++;
    }
    if (early && id[SL_EXT_MID])
        items[n++] =
            (struct sl_ext_item){ id[SL_EXT_MID], (uint8_t)strlen(o->line->mid), o->line->mid, 0 };
    if (early && o->rid && id[SL_EXT_RID])
        items[n++] = (struct sl_ext_item){ id[SL_EXT_RID], (uint8_t)strlen(o->rid), o->rid, 0 };
    len = n ? sl_ext_write(buf, cap, items, n, false) : 0;
    return len > 0 ? (size_t)len : 0;
}

/* Of several layers a receiver gets the best one. */
static bool is_expected(const struct out *o)
{
    return !o->rid || o->rid == rids[0];
}

static void stamp(struct load_tx *tx, struct out *o, uint8_t *end)
{
    uint64_t now_ns = load_wall_ns();

    sl_put32(end - LOAD_STAMP_LEN, STAMP_MAGIC);
    sl_put64(end - 8, now_ns);
    for (size_t g = 0; g < LOAD_GROUPS; g++) {
        struct load_tally *t = tx->audience[g].tally;

        if (!t || !load_tally_wants(t, now_ns))
            continue;
        if (g == 0)
            t->sent++;
        if (is_expected(o))
            t->expected += tx->audience[g].n;
    }
    o->packets++;
}

/* Header and extensions; returns where the payload begins. */
static size_t begin_pkt(struct load_tx *tx, struct out *o, bool marker, uint64_t now_us,
                        struct load_pkt *p)
{
    size_t ext;

    sl_rtp_write_header(p->data, marker, o->line->pt, o->seq++, o->ts, o->ssrc);
    ext = write_exts(tx, o, now_us, p->data + SL_RTP_HDR, 64);
    if (ext)
        p->data[0] |= SL_RTP_EXT;
    return SL_RTP_HDR + ext;
}

static void audio_pkt(struct load_tx *tx, struct out *o, uint64_t now_us, struct load_pkt *p)
{
    size_t at = begin_pkt(tx, o, false, now_us, p);
    size_t len = o->frame_bytes / 2 + any(tx, o->frame_bytes) + LOAD_STAMP_LEN;

    memset(p->data + at, 0xa5, len);
    p->data[at] = 0x78; /* TOC: CELT, 20 ms */
    p->len = at + len;
    o->octets += (uint32_t)len;
    o->ts += AUDIO_TICKS;
    stamp(tx, o, p->data + p->len);
}

/* As libwebrtc splits: equal parts, and what does not divide goes to the last ones, a byte each. */
static void begin_frame(struct load_tx *tx, struct out *o)
{
    size_t bytes = o->frame_bytes * 3 / 4 + any(tx, o->frame_bytes / 2 + 1);

    o->key = o->want_key;
    o->want_key = false;
    if (o->key)
        bytes *= KEY_FACTOR;
    o->nparts = (bytes + PAYLOAD_MAX - 1) / PAYLOAD_MAX;
    o->part_len = bytes / o->nparts;
    o->nlonger = bytes % o->nparts;
    o->left = o->nparts;
    o->part_due_us = o->due_us;
    o->picture = (o->picture + 1) & 0x7fff;
    o->tl0++;
    o->ts += 90000 / tx->conf.fps;
}

static void video_pkt(struct load_tx *tx, struct out *o, uint64_t now_us, struct load_pkt *p)
{
    bool is_first = o->left == o->nparts;
    size_t at = begin_pkt(tx, o, o->left == 1, now_us, p);
    size_t len = o->part_len + (o->left <= o->nlonger);
    uint8_t *d = p->data + at;

    memset(d + DESCRIPTOR, 0x5a, len);
    d[0] = 0x80 | (is_first ? 0x10 : 0);
    d[1] = 0x80 | 0x40 | 0x20; /* picture id, TL0PICIDX, TID */
    sl_put16(d + 2, 0x8000 | o->picture);
    d[4] = o->tl0;
    d[5] = 0;
    if (is_first) {
        static const uint8_t start[7] = { 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02 }; /* 1280x720 */

        d[DESCRIPTOR] = o->key ? 0x10 : 0x11; /* shown; P bit */
        if (o->key)
            memcpy(d + DESCRIPTOR + 3, start, sizeof(start));
    }
    p->len = at + DESCRIPTOR + len;
    o->octets += (uint32_t)(DESCRIPTOR + len);
    stamp(tx, o, p->data + p->len);
    o->left--;
    o->part_due_us += tx->conf.spread_us;
}

static size_t take_of(struct load_tx *tx, struct out *o, uint64_t now_us, struct load_pkt *out,
                      size_t room)
{
    size_t n = 0;

    if (o->left == 0 && o->due_us <= now_us) {
        if (now_us - o->due_us > 10 * o->frame_us)
            o->due_us = now_us; /* we were held up: do not make up for it in a burst */
        if (o->line->kind == SL_KIND_AUDIO) {
            audio_pkt(tx, o, now_us, &out[n++]);
            o->due_us += o->frame_us;
            return n;
        }
        begin_frame(tx, o);
        o->due_us += o->frame_us;
    }
    while (n < room && o->left && o->part_due_us <= now_us)
        video_pkt(tx, o, now_us, &out[n++]);
    return n;
}

size_t load_tx_take(struct load_tx *tx, uint64_t now_us, struct load_pkt *out)
{
    size_t n = 0;

    for (size_t i = 0; !tx->paused && i < tx->nout && n < LOAD_TRAIN_MAX; i++)
        n += take_of(tx, &tx->out[i], now_us, out + n, LOAD_TRAIN_MAX - n);
    return n;
}

uint64_t load_tx_due_us(const struct load_tx *tx)
{
    uint64_t due = UINT64_MAX;

    for (size_t i = 0; !tx->paused && i < tx->nout; i++) {
        const struct out *o = &tx->out[i];
        uint64_t d = o->left ? o->part_due_us : o->due_us;

        if (d < due)
            due = d;
    }
    return due;
}

void load_tx_reports(struct load_tx *tx, uint64_t now_us, struct sl_writer *w)
{
    uint64_t ntp = sl_ntp_from_wall_us(sl_wall_us());

    if (tx->report_due_us > now_us || tx->paused)
        return;
    tx->report_due_us = now_us + REPORT_US;
    for (size_t i = 0; i < tx->nout; i++) {
        const struct out *o = &tx->out[i];
        struct sl_rtcp_sr sr = { o->ssrc, ntp, o->ts, o->packets, o->octets };

        sl_rtcp_sr_write(w, &sr, NULL, 0);
    }
    sl_rtcp_sdes_write(w, tx->out[0].ssrc, "load");
}

static void note_ask(struct out *o, uint64_t now_us)
{
    o->want_key = true;
    if (o->asks.n++ && now_us - o->asked_us < o->asks.least_us)
        o->asks.least_us = now_us - o->asked_us;
    o->asked_us = now_us;
}

static void key_frame(struct load_tx *tx, uint32_t ssrc)
{
    for (size_t i = 0; i < tx->nout; i++)
        if (tx->out[i].ssrc == ssrc)
            note_ask(&tx->out[i], sl_now_us());
    if (tx->audience[0].tally)
        tx->audience[0].tally->plis++;
}

void load_tx_feedback(struct load_tx *tx, const uint8_t *rtcp, size_t len)
{
    struct sl_rtcp_it it = sl_rtcp_begin(rtcp, len);
    struct sl_rtcp_fir fir[STREAMS_MAX];
    struct sl_rtcp_pkt p;
    struct sl_rtcp_fb fb;

    while (sl_rtcp_next(&it, &p) > 0) {
        if (p.pt != SL_RTCP_PSFB)
            continue;
        if (p.fmt == SL_PSFB_PLI && sl_rtcp_fb_parse(&p, &fb) == 0)
            key_frame(tx, fb.media);
        if (p.fmt == SL_PSFB_FIR) {
            int n = sl_rtcp_fir_parse(&p, &fb, fir, STREAMS_MAX);

            for (int i = 0; i < n; i++)
                key_frame(tx, fir[i].ssrc);
        }
    }
}

struct load_asks load_tx_asks(const struct load_tx *tx)
{
    struct load_asks all = { 0, UINT64_MAX };

    for (size_t i = 0; i < tx->nout; i++) {
        const struct load_asks *a = &tx->out[i].asks;

        all.n = a->n > all.n ? a->n : all.n;
        all.least_us = a->least_us < all.least_us ? a->least_us : all.least_us;
    }
    return all;
}

void load_tx_forget_asks(struct load_tx *tx)
{
    for (size_t i = 0; i < tx->nout; i++)
        tx->out[i].asks = (struct load_asks){ 0, UINT64_MAX };
}
