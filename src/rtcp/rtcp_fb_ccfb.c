#include "rtcp/rtcp_fb_ccfb.h"

#include <errno.h>

/* ---- writing --------------------------------------------------------------------------------- */

uint8_t *sl_ccfb_open(struct sl_writer *w, uint32_t sender)
{
    uint8_t *h = w->p;

    sl_write8(w, 0x80 | SL_RTPFB_CCFB);
    sl_write8(w, SL_RTCP_RTPFB);
    sl_write16(w, 0);
    sl_write32(w, sender);
    return h;
}

bool sl_ccfb_stream(struct sl_writer *w, uint32_t ssrc, uint16_t begin_seq, const uint16_t *metric,
                    size_t n)
{
    if (w->failed || n > SL_CCFB_STREAM_MAX ||
        (size_t)(w->end - w->p) < SL_CCFB_STREAM_LEN(n) + 4) /* and the report timestamp */
        return false;
    sl_write32(w, ssrc);
    sl_write16(w, begin_seq);
    sl_write16(w, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        sl_write16(w, metric[i]);
    if (n & 1)
        sl_write16(w, 0);
    return true;
}

void sl_ccfb_close(struct sl_writer *w, uint8_t *opened, uint32_t stamp)
{
    sl_write32(w, stamp);
    if (w->failed)
        w->p = opened;
    else
        sl_put16(opened + 2, (uint16_t)((w->p - opened) / 4 - 1));
}

/* ---- reading --------------------------------------------------------------------------------- */

int sl_ccfb_begin(const struct sl_rtcp_pkt *p, struct sl_ccfb_it *it)
{
    struct sl_reader r = sl_reader_make(p->body, p->len);
    const uint8_t *first;

    if (p->pt != SL_RTCP_RTPFB || p->fmt != SL_RTPFB_CCFB || p->len < 8 || p->len % 4)
        return -EBADMSG;
    *it = (struct sl_ccfb_it){ .sender = sl_read32(&r) };
    first = p->body + 4;
    while (!r.failed && sl_reader_left(&r) > 4) {
        uint16_t n;

        (void)sl_read32(&r);
        (void)sl_read16(&r);
        n = sl_read16(&r);
        if (n > SL_CCFB_STREAM_MAX)
            return -EBADMSG;
        (void)sl_read_bytes(&r, ((size_t)n + (n & 1)) * 2);
    }
    it->stamp = sl_read32(&r);
    if (r.failed || sl_reader_left(&r))
        return -EBADMSG;
    it->p = first;
    it->end = p->body + p->len - 4;
    return 0;
}

bool sl_ccfb_next(struct sl_ccfb_it *it, struct sl_ccfb_status *out)
{
    uint16_t m;

    while (!it->left) {
        if (it->odd)
            it->p += 2;
        it->odd = false;
        if (it->p >= it->end)
            return false;
        it->ssrc = sl_get32(it->p);
        it->seq = sl_get16(it->p + 4);
        it->left = sl_get16(it->p + 6);
        it->odd = it->left & 1;
        it->p += 8;
    }
    m = sl_get16(it->p);
    it->p += 2;
    it->left--;
    *out = (struct sl_ccfb_status){ it->ssrc, it->seq++, m, m & SL_CCFB_ARRIVED, false, 0 };
    out->has_time = out->arrived && (m & SL_CCFB_OFFSET) <= SL_CCFB_LONGEST;
    if (out->has_time)
        out->arrival_us =
            (int64_t)it->stamp * 1000000 / 65536 - (int64_t)(m & SL_CCFB_OFFSET) * 1000000 / 1024;
    return true;
}
