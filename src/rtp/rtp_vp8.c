#include "rtp/rtp_vp8.h"

#include <errno.h>

#include "base/bytes.h"

static void read_extended(struct sl_reader *r, const uint8_t *start, struct sl_payload_info *out)
{
    uint8_t x = sl_read8(r);
    uint8_t b;

    if (x & 0x80) { /* I */
        out->pid_off = (uint16_t)(r->p - start);
        b = sl_read8(r);
        out->pid_bits = b & 0x80 ? 15 : 7;
        out->pid = b & 0x7f;
        if (b & 0x80)
            out->pid = (uint16_t)(out->pid << 8 | sl_read8(r));
    }
    if (x & 0x40) { /* L */
        out->has_tl0 = true;
        out->tl0_off = (uint16_t)(r->p - start);
        out->tl0 = sl_read8(r);
    }
    if (x & 0x30) { /* T, K */
        out->keyidx_off = (uint16_t)(r->p - start);
        b = sl_read8(r);
        if (x & 0x20) {
            out->has_tid = true;
            out->tid = b >> 6;
            out->sync = b & 0x20;
        }
        if (x & 0x10) {
            out->has_keyidx = true;
            out->keyidx = b & 0x1f;
        }
    }
}

int sl_vp8_parse(const uint8_t *p, size_t len, struct sl_payload_info *out)
{
    struct sl_reader r = sl_reader_make(p, len);
    uint8_t first = sl_read8(&r);
    const uint8_t *h;

    if (first & 0x80) /* X */
        read_extended(&r, p, out);
    if (r.failed || sl_reader_left(&r) == 0)
        return -EBADMSG;
    out->hdr_len = (uint16_t)(r.p - p);
    out->discardable = first & 0x20;
    out->start = (first & 0x10) && (first & 0x0f) == 0; /* S, partition 0 */
    if (!out->start || (r.p[0] & 1))
        return 0;
    /* RFC 6386 section 9.1: a key frame begins with tag, start code, width, height. */
    out->key = true;
    h = sl_read_bytes(&r, 10);
    if (h && sl_get24(h + 3) == 0x9d012a) {
        out->width = (uint16_t)((h[6] | h[7] << 8) & 0x3fff);
        out->height = (uint16_t)((h[8] | h[9] << 8) & 0x3fff);
    }
    return 0;
}
