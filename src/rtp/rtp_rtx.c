#include "rtp/rtp_rtx.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

int sl_rtx_unwrap(void *buf, const struct sl_rtp *rtp, uint8_t pt, uint32_t ssrc)
{
    uint8_t *p = buf;
    uint8_t *payload = p + rtp->payload_off;

    if (rtp->payload_len == 0)
        return -ENODATA;
    if (rtp->payload_len < SL_RTX_OSN)
        return -EBADMSG;
    if (rtp->payload_len == SL_RTX_OSN)
        return -ENODATA;
    p[0] &= (uint8_t)~SL_RTP_PADDING;
    p[1] = (uint8_t)((p[1] & SL_RTP_MARKER) | (pt & 0x7f));
    memcpy(p + 2, payload, SL_RTX_OSN);
    sl_put32(p + 8, ssrc);
    memmove(payload, payload + SL_RTX_OSN, (size_t)rtp->payload_len - SL_RTX_OSN);
    return rtp->payload_off + rtp->payload_len - SL_RTX_OSN;
}

int sl_rtx_wrap(void *buf, size_t cap, const void *pkt, const struct sl_rtp *rtp, uint8_t pt,
                uint32_t ssrc, uint16_t seq)
{
    uint8_t *p = buf;
    size_t len = (size_t)rtp->payload_off + SL_RTX_OSN + rtp->payload_len;

    if (len > cap || len > SL_RTP_MAX)
        return -EMSGSIZE;
    memcpy(p, pkt, rtp->payload_off);
    p[0] &= (uint8_t)~SL_RTP_PADDING;
    p[1] = (uint8_t)((p[1] & SL_RTP_MARKER) | (pt & 0x7f));
    sl_put16(p + 2, seq);
    sl_put32(p + 8, ssrc);
    sl_put16(p + rtp->payload_off, rtp->seq);
    memcpy(p + rtp->payload_off + SL_RTX_OSN, (const uint8_t *)pkt + rtp->payload_off,
           rtp->payload_len);
    return (int)len;
}
