#include "rtp/rtp_red.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

int sl_red_parse(const void *payload, size_t len, struct sl_red *out)
{
    struct sl_reader r = sl_reader_make(payload, len);
    struct sl_red red = { 0 };
    bool more = true;

    if (len > UINT16_MAX)
        return -EBADMSG;
    while (more) {
        struct sl_red_block *b = &red.block[red.n];
        uint8_t first = sl_read8(&r);
        uint32_t v;

        if (r.failed || red.n == SL_RED_MAX)
            return -EBADMSG;
        more = first & 0x80;
        b->pt = first & 0x7f;
        if (more) {
            v = sl_read24(&r);
            b->ts_back = (uint16_t)(v >> 10);
            b->len = v & 0x3ff;
        }
        red.n++;
    }
    for (unsigned i = 0; i < red.n; i++) {
        struct sl_red_block *b = &red.block[i];
        const uint8_t *p;

        if (i + 1u == red.n)
            b->len = (uint16_t)sl_reader_left(&r);
        p = sl_read_bytes(&r, b->len);
        if (!p)
            return -EBADMSG;
        b->off = (uint16_t)(p - (const uint8_t *)payload);
    }
    *out = red;
    return 0;
}

int sl_red_write(const struct sl_red_part *parts, size_t n, uint8_t *buf, size_t cap)
{
    uint8_t *p = buf;
    size_t len = 0;

    if (n == 0 || n > SL_RED_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;

        if (!last && (parts[i].ts_back > SL_RED_BACK_MAX || parts[i].len > SL_RED_LEN_MAX))
            return -EINVAL;
        len += parts[i].len + (last ? 1u : 4u);
    }
    if (len > cap)
        return -ENOBUFS;
    for (size_t i = 0; i + 1 < n; i++, p += 4) {
        p[0] = 0x80 | parts[i].pt;
        sl_put24(p + 1, (uint32_t)parts[i].ts_back << 10 | parts[i].len);
    }
    *p++ = parts[n - 1].pt & 0x7f;
    for (size_t i = 0; i < n; i++) {
        memcpy(p, parts[i].data, parts[i].len);
        p += parts[i].len;
    }
    return (int)len;
}
