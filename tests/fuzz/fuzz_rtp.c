/*
 * fuzz_rtp.c - what sl_rtp_parse finds lies inside the packet; extensions and RTX written out again
 * parse to the same.
 */
#include <string.h>

#include "fuzz.h"
#include "rtp/rtp_ext.h"
#include "rtp/rtp_rtx.h"

/* Ids 1..13 are enum sl_ext + 1, so that every known extension can come in either form. */
static void check_ext(const uint8_t *data, size_t size, const struct sl_rtp *r)
{
    uint8_t ids[SL_EXT_MAX], again[70000];
    struct sl_ext_item items[SL_EXT_MAX];
    struct sl_ext_map map;
    struct sl_ext_info x, y;
    struct sl_rtp r2;
    size_t n = 0;
    int len;

    for (int e = 0; e < SL_EXT_MAX; e++)
        ids[e] = (uint8_t)(e + 1);
    sl_ext_map_init(&map, ids);
    if (sl_ext_parse(data, r, &map, &x))
        return;
    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (!(x.present & SL_EXT_BIT(e)))
            continue;
        FUZZ_CHECK(x.off[e] >= r->ext_off);
        FUZZ_CHECK((size_t)x.off[e] + x.len[e] <= (size_t)r->ext_off + r->ext_len);
        FUZZ_CHECK(x.off[e] + x.len[e] <= (int)size);
        items[n++] = (struct sl_ext_item){ ids[e], x.len[e], data + x.off[e], 0 };
    }
    sl_rtp_write_header(again, r->marker, r->pt, r->seq, r->ts, r->ssrc);
    len = sl_ext_write(again + SL_RTP_HDR, sizeof(again) - SL_RTP_HDR, items, n, true);
    FUZZ_CHECK(len >= 0 && (len > 0) == (n > 0));
    if (len > 0)
        again[0] |= SL_RTP_EXT;
    FUZZ_CHECK(sl_rtp_parse(again, SL_RTP_HDR + (size_t)len, &r2) == 0);
    FUZZ_CHECK(sl_ext_parse(again, &r2, &map, &y) == 0);
    FUZZ_CHECK(x.present == y.present);
    for (int e = 0; e < SL_EXT_MAX; e++)
        if (x.present & SL_EXT_BIT(e))
            FUZZ_CHECK(x.len[e] == y.len[e] &&
                       !memcmp(data + x.off[e], again + y.off[e], x.len[e]));
}

static void check_rtx(const uint8_t *data, const struct sl_rtp *r)
{
    static uint8_t rtx[70000];
    struct sl_rtp x;
    size_t len = (size_t)r->payload_off + r->payload_len;
    int n = sl_rtx_wrap(rtx, sizeof(rtx), data, r, 97, 2, 3);

    if (n < 0)
        return;
    FUZZ_CHECK((size_t)n == len + SL_RTX_OSN);
    FUZZ_CHECK(sl_rtp_parse(rtx, (size_t)n, &x) == 0);
    FUZZ_CHECK(x.pt == 97 && x.ssrc == 2 && x.seq == 3 && x.ts == r->ts);
    n = sl_rtx_unwrap(rtx, &x, r->pt, r->ssrc);
    if (r->payload_len == 0) {
        FUZZ_CHECK(n < 0);
        return;
    }
    FUZZ_CHECK((size_t)n == len);
    FUZZ_CHECK(rtx[0] == (data[0] & ~SL_RTP_PADDING));
    FUZZ_CHECK(!memcmp(rtx + 1, data + 1, len - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_rtp r, h;
    enum sl_demux d = sl_demux(data, size);

    if (sl_rtp_parse(data, size, &r))
        return 0;
    FUZZ_CHECK(d == SL_DEMUX_RTP || d == SL_DEMUX_RTCP);
    FUZZ_CHECK((size_t)r.payload_off + r.payload_len + r.pad_len == size);
    FUZZ_CHECK(sl_rtp_parse_header(data, size, &h) == 0 && h.payload_off == r.payload_off);
    check_ext(data, size, &r);
    check_rtx(data, &r);
    return 0;
}
