#include "rtp/rtp_pkt.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum sl_demux sl_demux(const void *data, size_t len)
{
    const uint8_t *p = data;

    if (len < 1)
        return SL_DEMUX_UNKNOWN;
    if (p[0] <= 3)
        return len >= 20 ? SL_DEMUX_STUN : SL_DEMUX_UNKNOWN;
    if (p[0] >= 20 && p[0] <= 63)
        return len >= 13 ? SL_DEMUX_DTLS : SL_DEMUX_UNKNOWN;
    if (p[0] >= 64 && p[0] <= 79)
        return len >= 4 ? SL_DEMUX_TURN_CHANNEL : SL_DEMUX_UNKNOWN;
    if (p[0] >= 128 && p[0] <= 191) {
        if (len < 8)
            return SL_DEMUX_UNKNOWN;
        /* RFC 5761 section 4: RTP payload types 64..95 would be these with the marker bit. */
        if (p[1] >= 192 && p[1] <= 223)
            return SL_DEMUX_RTCP;
        return len >= SL_RTP_HDR ? SL_DEMUX_RTP : SL_DEMUX_UNKNOWN;
    }
    return SL_DEMUX_UNKNOWN;
}

int sl_rtp_parse_header(const void *data, size_t len, struct sl_rtp *out)
{
    const uint8_t *p = data;
    struct sl_rtp r = { 0 };
    size_t off = SL_RTP_HDR;

    if (len < SL_RTP_HDR || len > SL_RTP_MAX || p[0] >> 6 != 2)
        return -EBADMSG;
    r.csrc_count = p[0] & 0x0f;
    r.marker = p[1] & SL_RTP_MARKER;
    r.pt = p[1] & 0x7f;
    r.seq = sl_get16(p + 2);
    r.ts = sl_get32(p + 4);
    r.ssrc = sl_get32(p + 8);
    off += r.csrc_count * 4u;
    if (off > len)
        return -EBADMSG;
    if (p[0] & SL_RTP_EXT) {
        if (len - off < 4)
            return -EBADMSG;
        r.has_ext = true;
        r.ext_profile = sl_get16(p + off);
        r.ext_off = (uint16_t)(off + 4);
        if (sl_get16(p + off + 2) * 4u > len - off - 4)
            return -EBADMSG;
        r.ext_len = (uint16_t)(sl_get16(p + off + 2) * 4u);
        off += 4u + r.ext_len;
    }
    r.payload_off = (uint16_t)off;
    r.payload_len = (uint16_t)(len - off);
    *out = r;
    return 0;
}

int sl_rtp_parse(const void *data, size_t len, struct sl_rtp *out)
{
    const uint8_t *p = data;
    struct sl_rtp r;
    int err = sl_rtp_parse_header(data, len, &r);

    if (err)
        return err;
    if (p[0] & SL_RTP_PADDING) {
        r.pad_len = p[len - 1];
        if (r.payload_len == 0 || r.pad_len == 0 || r.pad_len > r.payload_len)
            return -EBADMSG;
        r.payload_len = (uint16_t)(r.payload_len - r.pad_len);
    }
    *out = r;
    return 0;
}

void sl_rtp_write_header(void *buf, bool marker, uint8_t pt, uint16_t seq, uint32_t ts,
                         uint32_t ssrc)
{
    uint8_t *p = buf;

    p[0] = 0x80;
    p[1] = (uint8_t)((marker ? SL_RTP_MARKER : 0) | (pt & 0x7f));
    sl_put16(p + 2, seq);
    sl_put32(p + 4, ts);
    sl_put32(p + 8, ssrc);
}

int sl_rtp_pad(void *buf, size_t len, size_t cap, uint8_t pad)
{
    uint8_t *p = buf;

    if (pad == 0)
        return (int)len;
    if (len > cap || cap - len < pad || len + pad > SL_RTP_MAX)
        return -EMSGSIZE;
    memset(p + len, 0, pad);
    p[len + pad - 1] = pad;
    p[0] |= SL_RTP_PADDING;
    return (int)(len + pad);
}
