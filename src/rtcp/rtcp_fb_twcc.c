#include "rtcp/rtcp_fb_twcc.h"

#include <errno.h>

#define FIXED    16    /* SSRCs, base, count, reference time, feedback count */
#define REF_US   64000 /* unit of the reference time */
#define DELTA_US 250

enum { SYM_LOST, SYM_SMALL, SYM_LARGE, SYM_RESERVED };

/* ---- writing --------------------------------------------------------------------------------- */

struct plan {
    uint8_t sym[SL_TWCC_MAX];
    int16_t delta[SL_TWCC_MAX]; /* of received ones */
    size_t count;               /* statuses */
    size_t taken;               /* records */
    uint64_t ref;
};

/* Which records this message holds, and their symbols. */
static void make_plan(struct plan *pl, uint64_t base, const struct sl_twcc_rec *rec, size_t n)
{
    uint64_t at;

    pl->count = pl->taken = 0;
    pl->ref = rec[0].arrival_us / REF_US;
    at = pl->ref * REF_US / DELTA_US;
    for (size_t i = 0; i < n; i++) {
        uint64_t idx = rec[i].seq - base;
        int64_t d = (int64_t)(rec[i].arrival_us / DELTA_US - at);

        if (idx >= SL_TWCC_MAX || idx < pl->count || d > INT16_MAX || d < INT16_MIN)
            return;
        while (pl->count < idx)
            pl->sym[pl->count++] = SYM_LOST;
        pl->sym[pl->count] = d >= 0 && d <= 255 ? SYM_SMALL : SYM_LARGE;
        pl->delta[pl->count++] = (int16_t)d;
        at += (uint64_t)d;
        pl->taken++;
    }
}

static size_t run_length(const struct plan *pl, size_t i)
{
    size_t n = 1;

    while (i + n < pl->count && pl->sym[i + n] == pl->sym[i])
        n++;
    return n;
}

/* The chunk that begins at status @i; how many statuses it holds. A vector may reach past the end:
 * the count in the header tells. */
static size_t write_chunk(struct sl_writer *w, const struct plan *pl, size_t i)
{
    size_t left = pl->count - i, run = run_length(pl, i), n = 0;
    bool two = false; /* bits per status */
    uint16_t v;

    if (run >= 14 || run == left || (run >= 7 && pl->sym[i] == SYM_LARGE)) {
        sl_write16(w, (uint16_t)(pl->sym[i] << 13 | run));
        return run;
    }
    for (; n < 14 && n < left; n++)
        two = two || pl->sym[i + n] == SYM_LARGE;
    if (two && n > 7)
        n = 7;
    v = two ? 0xc000 : 0x8000;
    for (size_t k = 0; k < n; k++)
        v = (uint16_t)(v | pl->sym[i + k] << (two ? 12 - 2 * k : 13 - k));
    sl_write16(w, v);
    return n;
}

size_t sl_twcc_write(struct sl_writer *w, uint32_t sender, uint32_t media, uint8_t fb_count,
                     uint64_t base, const struct sl_twcc_rec *rec, size_t n)
{
    uint8_t *h = w->p;
    struct plan pl;
    unsigned pad;

    if (n == 0)
        return 0;
    if (rec[0].seq - base >= SL_TWCC_MAX)
        base = rec[0].seq;
    make_plan(&pl, base, rec, n);
    sl_write8(w, 0x80 | SL_RTPFB_TWCC);
    sl_write8(w, SL_RTCP_RTPFB);
    sl_write16(w, 0);
    sl_write32(w, sender);
    sl_write32(w, media);
    sl_write16(w, (uint16_t)base);
    sl_write16(w, (uint16_t)pl.count);
    sl_write24(w, (uint32_t)(pl.ref & 0xffffff));
    sl_write8(w, fb_count);
    for (size_t i = 0; i < pl.count;)
        i += write_chunk(w, &pl, i);
    for (size_t i = 0; i < pl.count; i++) {
        if (pl.sym[i] == SYM_SMALL)
            sl_write8(w, (uint8_t)pl.delta[i]);
        else if (pl.sym[i] == SYM_LARGE)
            sl_write16(w, (uint16_t)pl.delta[i]);
    }
    pad = (unsigned)(-(w->p - h) & 3);
    for (unsigned i = 0; i < pad; i++) /* RFC 3550 padding: the last byte counts it */
        sl_write8(w, (uint8_t)(i + 1 == pad ? pad : 0));
    if (w->failed) {
        w->p = h;
        return 0;
    }
    if (pad)
        h[0] |= 0x20;
    sl_put16(h + 2, (uint16_t)((w->p - h) / 4 - 1));
    return pl.taken;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void load_chunk(struct sl_twcc_it *it)
{
    uint16_t v = sl_get16(it->chunk);

    it->chunk += 2;
    if (!(v & 0x8000)) {
        it->width = 0;
        it->symbol = (v >> 13) & 3;
        it->run = v & 0x1fff;
    } else {
        it->width = v & 0x4000 ? 2 : 1;
        it->run = v & 0x4000 ? 7 : 14;
        it->bits = (uint16_t)(v << 2);
    }
    if (it->run > it->left)
        it->run = it->left;
}

static uint8_t next_symbol(struct sl_twcc_it *it)
{
    uint8_t s = it->symbol;

    if (it->width) {
        s = (uint8_t)(it->bits >> (16 - it->width));
        it->bits = (uint16_t)(it->bits << it->width);
    }
    it->run--;
    it->left--;
    return s;
}

static size_t delta_len(uint8_t symbol)
{
    return symbol == SYM_SMALL ? 1 : symbol == SYM_LARGE ? 2 : 0;
}

int sl_twcc_begin(const struct sl_rtcp_pkt *p, struct sl_twcc_it *it)
{
    const uint8_t *b = p->body, *end = b + p->len;
    struct sl_twcc_it i = { 0 };
    size_t need = 0;

    if (p->len < FIXED + 2)
        return -EBADMSG;
    i.sender = sl_get32(b);
    i.media = sl_get32(b + 4);
    i.base = i.seq = sl_get16(b + 8);
    i.count = i.left = sl_get16(b + 10);
    i.time_us = (int64_t)sl_get24(b + 12) * REF_US;
    i.fb_count = b[15];
    i.chunk = b + FIXED;
    i.end = end;
    if (i.count == 0)
        return -EBADMSG;
    *it = i;
    /* One walk over the chunks tells where the deltas begin and how many bytes they are. */
    while (i.left) {
        if (end - i.chunk < 2)
            return -EBADMSG;
        load_chunk(&i);
        if (i.run == 0)
            return -EBADMSG; /* an empty run would let a message repeat itself */
        if (i.width == 0) {
            need += delta_len(i.symbol) * i.run;
            i.left = (uint16_t)(i.left - i.run);
        } else {
            while (i.run)
                need += delta_len(next_symbol(&i));
        }
    }
    if ((size_t)(end - i.chunk) < need)
        return -EBADMSG;
    it->delta = i.chunk;
    return 0;
}

bool sl_twcc_next(struct sl_twcc_it *it, struct sl_twcc_status *out)
{
    uint8_t s;

    if (it->left == 0)
        return false;
    if (it->run == 0)
        load_chunk(it);
    s = next_symbol(it);
    out->seq = it->seq++;
    out->received = delta_len(s) > 0;
    if (s == SYM_SMALL)
        it->time_us += *it->delta * DELTA_US;
    else if (s == SYM_LARGE)
        it->time_us += (int16_t)sl_get16(it->delta) * DELTA_US;
    it->delta += delta_len(s);
    out->arrival_us = out->received ? it->time_us : 0;
    return true;
}
