#include "rtcp/rtcp.h"

#include <errno.h>

#define HDR     4
#define RB_LEN  24
#define REMB_ID 0x52454d42u

struct sl_rtcp_it sl_rtcp_begin(const void *data, size_t len)
{
    const uint8_t *p = data;

    return (struct sl_rtcp_it){ p, p + len };
}

int sl_rtcp_next(struct sl_rtcp_it *it, struct sl_rtcp_pkt *out)
{
    const uint8_t *p = it->p;
    size_t left = (size_t)(it->end - p), len;

    if (left == 0)
        return 0;
    if (left < HDR || p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223)
        return -EBADMSG;
    len = (sl_get16(p + 2) + 1u) * 4u;
    if (len > left)
        return -EBADMSG;
    out->pt = p[1];
    out->fmt = p[0] & 0x1f;
    out->body = p + HDR;
    out->len = len - HDR;
    if (p[0] & 0x20) { /* browsers pad transport-cc by 1..3 bytes, and not only the last packet */
        uint8_t pad = p[len - 1];

        if (pad == 0 || pad > out->len)
            return -EBADMSG;
        out->len -= pad;
    }
    it->p = p + len;
    return 1;
}

/* Begins a packet; @end_packet fills in its length, or takes it back when it did not fit. */
static uint8_t *begin_packet(struct sl_writer *w, uint8_t pt, uint8_t fmt)
{
    uint8_t *h = w->p;

    sl_write8(w, (uint8_t)(0x80 | fmt));
    sl_write8(w, pt);
    sl_write16(w, 0);
    return h;
}

static void end_packet(struct sl_writer *w, uint8_t *h)
{
    if (w->failed)
        w->p = h;
    else
        sl_put16(h + 2, (uint16_t)((w->p - h) / 4 - 1));
}

static int read_blocks(struct sl_reader *r, unsigned count, struct sl_rtcp_rb *rb, size_t max)
{
    size_t n = 0;

    if (sl_reader_left(r) < (size_t)count * RB_LEN)
        return -EBADMSG;
    for (; n < count && n < max; n++) {
        uint32_t v;

        rb[n].ssrc = sl_read32(r);
        v = sl_read32(r);
        rb[n].fraction = (uint8_t)(v >> 24);
        rb[n].lost = (int32_t)(v << 8) >> 8;
        rb[n].ext_seq = sl_read32(r);
        rb[n].jitter = sl_read32(r);
        rb[n].lsr = sl_read32(r);
        rb[n].dlsr = sl_read32(r);
    }
    return (int)n;
}

static void write_blocks(struct sl_writer *w, const struct sl_rtcp_rb *rb, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t lost = rb[i].lost;

        if (lost > 0x7fffff)
            lost = 0x7fffff;
        if (lost < -0x800000)
            lost = -0x800000;
        sl_write32(w, rb[i].ssrc);
        sl_write8(w, rb[i].fraction);
        sl_write24(w, (uint32_t)lost & 0xffffff);
        sl_write32(w, rb[i].ext_seq);
        sl_write32(w, rb[i].jitter);
        sl_write32(w, rb[i].lsr);
        sl_write32(w, rb[i].dlsr);
    }
}

int sl_rtcp_sr_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_sr *sr, struct sl_rtcp_rb *rb,
                     size_t max)
{
    struct sl_reader r = sl_reader_make(p->body, p->len);
    struct sl_rtcp_sr v;
    int n;

    v.ssrc = sl_read32(&r);
    v.ntp = sl_read64(&r);
    v.rtp_ts = sl_read32(&r);
    v.packets = sl_read32(&r);
    v.octets = sl_read32(&r);
    if (r.failed)
        return -EBADMSG;
    n = read_blocks(&r, p->fmt, rb, max);
    if (n >= 0)
        *sr = v;
    return n;
}

int sl_rtcp_rr_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc, struct sl_rtcp_rb *rb, size_t max)
{
    struct sl_reader r = sl_reader_make(p->body, p->len);
    uint32_t v = sl_read32(&r);
    int n;

    if (r.failed)
        return -EBADMSG;
    n = read_blocks(&r, p->fmt, rb, max);
    if (n >= 0)
        *ssrc = v;
    return n;
}

void sl_rtcp_sr_write(struct sl_writer *w, const struct sl_rtcp_sr *sr, const struct sl_rtcp_rb *rb,
                      size_t n)
{
    uint8_t *h;

    n = n > SL_RTCP_RB_MAX ? SL_RTCP_RB_MAX : n;
    h = begin_packet(w, SL_RTCP_SR, (uint8_t)n);
    sl_write32(w, sr->ssrc);
    sl_write64(w, sr->ntp);
    sl_write32(w, sr->rtp_ts);
    sl_write32(w, sr->packets);
    sl_write32(w, sr->octets);
    write_blocks(w, rb, n);
    end_packet(w, h);
}

void sl_rtcp_rr_write(struct sl_writer *w, uint32_t ssrc, const struct sl_rtcp_rb *rb, size_t n)
{
    uint8_t *h;

    n = n > SL_RTCP_RB_MAX ? SL_RTCP_RB_MAX : n;
    h = begin_packet(w, SL_RTCP_RR, (uint8_t)n);
    sl_write32(w, ssrc);
    write_blocks(w, rb, n);
    end_packet(w, h);
}

/* Items of one chunk up to its end; 1 with the CNAME, 0 without. */
static int read_chunk(struct sl_reader *r, const uint8_t *start, char cname[SL_RTCP_CNAME_MAX + 1])
{
    int found = 0;
    uint8_t type;

    while ((type = sl_read8(r)) != 0) {
        uint8_t len = sl_read8(r);
        const uint8_t *text = sl_read_bytes(r, len);

        if (!text)
            return -EBADMSG;
        if (type == 1 && !found) {
            memcpy(cname, text, len);
            cname[len] = '\0';
            found = 1;
        }
    }
    while (!r->failed && (r->p - start) % 4)
        sl_read8(r);
    return r->failed ? -EBADMSG : found;
}

int sl_rtcp_sdes_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc,
                       char cname[SL_RTCP_CNAME_MAX + 1])
{
    struct sl_reader r = sl_reader_make(p->body, p->len);
    char text[SL_RTCP_CNAME_MAX + 1];

    for (unsigned i = 0; i < p->fmt; i++) {
        uint32_t v = sl_read32(&r);
        int n = r.failed ? -EBADMSG : read_chunk(&r, p->body, text);

        if (n < 0)
            return n;
        if (n > 0) {
            *ssrc = v;
            memcpy(cname, text, strlen(text) + 1);
            return 0;
        }
    }
    return -ENOENT;
}

void sl_rtcp_sdes_write(struct sl_writer *w, uint32_t ssrc, const char *cname)
{
    size_t len = strlen(cname);
    uint8_t *h = begin_packet(w, SL_RTCP_SDES, 1);

    len = len > SL_RTCP_CNAME_MAX ? SL_RTCP_CNAME_MAX : len;
    sl_write32(w, ssrc);
    sl_write8(w, 1);
    sl_write8(w, (uint8_t)len);
    sl_write_bytes(w, cname, len);
    do /* at least one zero ends the chunk */
        sl_write8(w, 0);
    while (!w->failed && (w->p - h) % 4);
    end_packet(w, h);
}

int sl_rtcp_bye_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc, size_t max)
{
    size_t n = 0;

    if (p->len < p->fmt * 4u)
        return -EBADMSG;
    for (; n < p->fmt && n < max; n++)
        ssrc[n] = sl_get32(p->body + 4 * n);
    return (int)n;
}

void sl_rtcp_bye_write(struct sl_writer *w, const uint32_t *ssrc, size_t n)
{
    uint8_t *h;

    n = n > 31 ? 31 : n;
    h = begin_packet(w, SL_RTCP_BYE, (uint8_t)n);
    for (size_t i = 0; i < n; i++)
        sl_write32(w, ssrc[i]);
    end_packet(w, h);
}

int sl_rtcp_fb_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *out)
{
    if (p->len < 8)
        return -EBADMSG;
    out->sender = sl_get32(p->body);
    out->media = sl_get32(p->body + 4);
    return 0;
}

static uint8_t *begin_fb(struct sl_writer *w, uint8_t pt, uint8_t fmt, uint32_t sender,
                         uint32_t media)
{
    uint8_t *h = begin_packet(w, pt, fmt);

    sl_write32(w, sender);
    sl_write32(w, media);
    return h;
}

int sl_rtcp_nack_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *fb, uint16_t *seqs,
                       size_t max)
{
    size_t n = 0;

    if (p->len % 4 || sl_rtcp_fb_parse(p, fb))
        return -EBADMSG;
    for (size_t off = 8; off < p->len; off += 4) {
        uint16_t pid = sl_get16(p->body + off);
        uint16_t blp = sl_get16(p->body + off + 2);

        if (n < max)
            seqs[n++] = pid;
        for (unsigned i = 0; i < 16 && n < max; i++)
            if (blp >> i & 1)
                seqs[n++] = (uint16_t)(pid + i + 1);
    }
    return (int)n;
}

void sl_rtcp_nack_write(struct sl_writer *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                        size_t n)
{
    uint8_t *h = begin_fb(w, SL_RTCP_RTPFB, SL_RTPFB_NACK, sender, media);

    for (size_t i = 0; i < n;) {
        uint16_t pid = seqs[i++];
        uint16_t blp = 0;

        for (; i < n; i++) {
            uint16_t d = (uint16_t)(seqs[i] - pid);

            if (d == 0 || d > 16)
                break;
            blp = (uint16_t)(blp | 1u << (d - 1));
        }
        sl_write16(w, pid);
        sl_write16(w, blp);
    }
    end_packet(w, h);
}

void sl_rtcp_pli_write(struct sl_writer *w, uint32_t sender, uint32_t media)
{
    end_packet(w, begin_fb(w, SL_RTCP_PSFB, SL_PSFB_PLI, sender, media));
}

int sl_rtcp_fir_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *fb, struct sl_rtcp_fir *out,
                      size_t max)
{
    size_t n = 0;

    if (sl_rtcp_fb_parse(p, fb) || (p->len - 8) % 8)
        return -EBADMSG;
    for (size_t off = 8; off < p->len && n < max; off += 8, n++) {
        out[n].ssrc = sl_get32(p->body + off);
        out[n].seq = p->body[off + 4];
    }
    return (int)n;
}

void sl_rtcp_fir_write(struct sl_writer *w, uint32_t sender, const struct sl_rtcp_fir *fir,
                       size_t n)
{
    uint8_t *h = begin_fb(w, SL_RTCP_PSFB, SL_PSFB_FIR, sender, 0);

    for (size_t i = 0; i < n; i++) {
        sl_write32(w, fir[i].ssrc);
        sl_write8(w, fir[i].seq);
        sl_write24(w, 0);
    }
    end_packet(w, h);
}

int sl_rtcp_remb_parse(const struct sl_rtcp_pkt *p, uint32_t *sender, uint64_t *bps, uint32_t *ssrc,
                       size_t max)
{
    struct sl_rtcp_fb fb;
    const uint8_t *b = p->body;
    size_t n;
    uint32_t v;

    if (sl_rtcp_fb_parse(p, &fb))
        return -EBADMSG;
    if (p->len < 12 || sl_get32(b + 8) != REMB_ID)
        return -ENOENT;
    if (p->len < 16 || p->len < 16 + b[12] * 4u)
        return -EBADMSG;
    v = sl_get24(b + 13);
    if ((v >> 18) > 46) /* 2^64 would be passed: nobody means it */
        return -EBADMSG;
    *sender = fb.sender;
    *bps = (uint64_t)(v & 0x3ffff) << (v >> 18);
    for (n = 0; n < b[12] && n < max; n++)
        ssrc[n] = sl_get32(b + 16 + 4 * n);
    return (int)n;
}

void sl_rtcp_remb_write(struct sl_writer *w, uint32_t sender, uint64_t bps, const uint32_t *ssrc,
                        size_t n)
{
    uint8_t *h = begin_fb(w, SL_RTCP_PSFB, SL_PSFB_AFB, sender, 0);
    uint32_t exp = 0;

    n = n > 255 ? 255 : n;
    while (bps >> exp > 0x3ffff)
        exp++;
    sl_write32(w, REMB_ID);
    sl_write8(w, (uint8_t)n);
    sl_write24(w, exp << 18 | (uint32_t)(bps >> exp));
    for (size_t i = 0; i < n; i++)
        sl_write32(w, ssrc[i]);
    end_packet(w, h);
}
