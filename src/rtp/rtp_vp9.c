#include "rtp/rtp_vp9.h"

#include <errno.h>

#include "base/bytes.h"

/* Scalability structure (RFC 9628 section 4.2.1). */
static void read_ss(struct sl_reader *r, struct sl_payload_info *out)
{
    uint8_t b = sl_read8(r);
    unsigned n;

    out->has_ss = true;
    out->nspatial = (uint8_t)((b >> 5) + 1);
    if (b & 0x10) { /* Y: the sizes; the largest one comes last */
        for (unsigned i = 0; i < out->nspatial; i++) {
            out->width = sl_read16(r);
            out->height = sl_read16(r);
        }
    }
    if (b & 0x08) { /* G: the picture group */
        n = sl_read8(r);
        for (unsigned i = 0; i < n && !r->failed; i++)
            sl_read_bytes(r, (sl_read8(r) >> 2) & 3);
    }
}

static int read_layers(struct sl_reader *r, const uint8_t *start, struct sl_payload_info *out)
{
    uint8_t b = sl_read8(r);

    out->has_tid = out->has_sid = true;
    out->tid = b >> 5;
    out->sync = b & 0x10;
    out->sid = (b >> 1) & 7;
    out->inter_layer = b & 1;
    if (!out->flexible) {
        out->has_tl0 = true;
        out->tl0_off = (uint16_t)(r->p - start);
        out->tl0 = sl_read8(r);
    }
    return r->failed ? -EBADMSG : 0;
}

int sl_vp9_parse(const uint8_t *p, size_t len, struct sl_payload_info *out)
{
    struct sl_reader r = sl_reader_make(p, len);
    uint8_t f = sl_read8(&r);
    uint8_t b;

    out->inter_pic = f & 0x40;
    out->flexible = f & 0x10;
    out->start = f & 0x08;
    out->end = f & 0x04;
    out->discardable = f & 0x01; /* Z: no reference for upper spatial layers */
    if (f & 0x80) {
        out->pid_off = (uint16_t)(r.p - p);
        b = sl_read8(&r);
        out->pid_bits = b & 0x80 ? 15 : 7;
        out->pid = b & 0x7f;
        if (b & 0x80)
            out->pid = (uint16_t)(out->pid << 8 | sl_read8(&r));
    }
    if ((f & 0x20) && read_layers(&r, p, out))
        return -EBADMSG;
    if ((f & 0x50) == 0x50) { /* F and P: up to three references */
        int n = 0;

        do {
            if (++n > 3)
                return -EBADMSG;
        } while (sl_read8(&r) & 1);
    }
    if (f & 0x02)
        read_ss(&r, out);
    if (r.failed || sl_reader_left(&r) == 0)
        return -EBADMSG;
    out->hdr_len = (uint16_t)(r.p - p);
    out->key =
        !out->inter_pic && out->start && (!out->has_sid || (out->sid == 0 && !out->inter_layer));
    return 0;
}
