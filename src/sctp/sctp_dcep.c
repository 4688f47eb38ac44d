#include "sctp/sctp_dcep.h"
#include "base/bytes.h"
#include <errno.h>

#define TYPE_ACK       0x02
#define TYPE_OPEN      0x03
#define FLAG_UNORDERED 0x80

const uint8_t sl_dcep_ack = TYPE_ACK;

/* Bytes that follow the first one, by RFC 3629 section 4; -1: no first byte. */
static int utf8_tail(const uint8_t *p, size_t len)
{
    static const struct {
        uint8_t first, last; /* of the first byte */
        uint8_t low, high;   /* of the second one */
        int tail;
    } rows[] = {
        { 0x01, 0x7f, 0, 0xff, 0 },    { 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 },
        { 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 },
        { 0xf0, 0xf0, 0x90, 0xbf, 3 }, { 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last)
            continue;
        if ((size_t)rows[i].tail >= len)
            return -1;
        if (rows[i].tail && (p[1] < rows[i].low || p[1] > rows[i].high))
            return -1;
        return rows[i].tail;
    }
    return -1;
}

/* Becomes a string of ours: no NUL inside, and UTF-8 as RFC 8832 section 5.1 wants it. */
static bool is_name(const uint8_t *p, size_t len)
{
    while (len > 0) {
        int tail = utf8_tail(p, len);

        if (tail < 0)
            return false;
        for (int i = 2; i <= tail; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += tail + 1;
        len -= (size_t)tail + 1;
    }
    return true;
}

int sl_dcep_open_parse(const uint8_t *data, size_t len, struct sl_dcep_open *out)
{
    struct sl_reader r = sl_reader_make(data, len);
    struct sl_dcep_open o = { 0 };
    uint8_t type = sl_read8(&r), channel = sl_read8(&r);
    const uint8_t *label, *protocol;

    o.priority = sl_read16(&r);
    o.limit = sl_read32(&r);
    o.label_len = sl_read16(&r);
    o.protocol_len = sl_read16(&r);
    label = sl_read_bytes(&r, o.label_len);
    protocol = sl_read_bytes(&r, o.protocol_len);
    if (r.failed || type != TYPE_OPEN || (channel & ~FLAG_UNORDERED) > SL_RELIABLE_TIMED)
        return -EBADMSG;
    if (o.label_len > SL_DCEP_NAME_MAX || o.protocol_len > SL_DCEP_NAME_MAX)
        return -E2BIG;
    if (!is_name(label, o.label_len) || !is_name(protocol, o.protocol_len))
        return -EILSEQ;
    o.ordered = !(channel & FLAG_UNORDERED);
    o.reliability = (enum sl_reliability)(channel & ~FLAG_UNORDERED);
    if (o.reliability == SL_RELIABLE)
        o.limit = 0; /* to be ignored */
    o.label = (const char *)label;
    o.protocol = (const char *)protocol;
    *out = o;
    return 0;
}

int sl_dcep_open_write(const struct sl_dcep_open *in, uint8_t *out, size_t cap)
{
    struct sl_writer w = sl_writer_make(out, cap);

    if (in->label_len > SL_DCEP_NAME_MAX || in->protocol_len > SL_DCEP_NAME_MAX)
        return -EINVAL;
    sl_write8(&w, TYPE_OPEN);
    sl_write8(&w, (uint8_t)(in->reliability | (in->ordered ? 0 : FLAG_UNORDERED)));
    sl_write16(&w, in->priority);
    sl_write32(&w, in->reliability == SL_RELIABLE ? 0 : in->limit);
    sl_write16(&w, (uint16_t)in->label_len);
    sl_write16(&w, (uint16_t)in->protocol_len);
    sl_write_bytes(&w, in->label, in->label_len);
    sl_write_bytes(&w, in->protocol, in->protocol_len);
    return w.failed ? -ENOSPC : (int)sl_writer_len(&w);
}

bool sl_dcep_is_open(const uint8_t *data, size_t len)
{
    return len > 0 && data[0] == TYPE_OPEN;
}

bool sl_dcep_is_ack(const uint8_t *data, size_t len)
{
    return len == 1 && data[0] == TYPE_ACK;
}
