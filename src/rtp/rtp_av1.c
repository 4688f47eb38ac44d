#include "rtp/rtp_av1.h"

#include <errno.h>

#include "base/bytes.h"

/* Aggregation header bits (section 4.4). */
enum { AV1_Z = 0x80, AV1_Y = 0x40, AV1_N = 0x08 };
enum { OBU_SEQUENCE_HEADER = 1 };

/* leb128 of at most 32 bits (AV1 specification section 4.10.5). */
static uint32_t read_leb128(struct sl_reader *r)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t b = sl_read8(r);

        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80))
            break;
        if (i == 7)
            r->failed = true;
    }
    if (v > UINT32_MAX)
        r->failed = true;
    return r->failed ? 0 : (uint32_t)v;
}

static void look_at_obu(const uint8_t *obu, size_t len, struct sl_payload_info *out)
{
    uint8_t type = (obu[0] >> 3) & 0x0f;

    if ((obu[0] & 0x04) && len >= 2) { /* extension: temporal and spatial id */
        out->has_tid = out->has_sid = true;
        out->tid = obu[1] >> 5;
        out->sid = (obu[1] >> 3) & 3;
    }
    if (type == OBU_SEQUENCE_HEADER)
        out->key = true;
}

int sl_av1_parse(const uint8_t *p, size_t len, struct sl_payload_info *out)
{
    struct sl_reader r = sl_reader_make(p, len);
    uint8_t h = sl_read8(&r);
    unsigned w = (h >> 4) & 3;
    unsigned i = 0;
    bool continued = h & AV1_Z; /* the first element has no OBU header then */

    if ((h & AV1_Z) && (h & AV1_N))
        return -EBADMSG; /* "the bit MUST be 0 if Z is 1" */
    out->hdr_len = 1;
    out->start = !(h & AV1_Z);
    out->end = !(h & AV1_Y);
    if (sl_reader_left(&r) == 0)
        return -EBADMSG;
    while (sl_reader_left(&r)) {
        bool last = w && ++i == w;
        size_t n = last ? sl_reader_left(&r) : read_leb128(&r);
        const uint8_t *obu = sl_read_bytes(&r, n);

        if (!obu)
            return -EBADMSG;
        if (n && !continued)
            look_at_obu(obu, n, out);
        continued = false;
        if (last)
            break;
    }
    if (sl_reader_left(&r) || (w && i != w))
        return -EBADMSG;
    /* A coded video sequence begins with N and its sequence header; that is the key frame. */
    out->key = out->key && out->start;
    return 0;
}
