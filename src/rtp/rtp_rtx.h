/*
 * rtp_rtx.h - retransmission packets on an SSRC of their own.
 *
 * Spec:   RFC 4588 section 4 (the original sequence number before the payload)
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_RTX_H
#define SL_RTP_RTP_RTX_H

#include <stddef.h>
#include <stdint.h>

#include "rtp/rtp_pkt.h"

#define SL_RTX_OSN 2 /* bytes that wrapping adds */

/* Makes the RTX packet @buf, parsed as @rtp, the original again, in place: sequence number, payload
 * type and SSRC put back, padding removed; extensions stay. The new length, -ENODATA for probing
 * packets that carry no payload, -EBADMSG. @rtp is not updated. */
int sl_rtx_unwrap(void *buf, const struct sl_rtp *rtp, uint8_t pt, uint32_t ssrc);

/* Writes @pkt (parsed as @rtp) as an RTX packet to @buf, without its padding; @buf must not overlap
 * it. The length or -EMSGSIZE. */
int sl_rtx_wrap(void *buf, size_t cap, const void *pkt, const struct sl_rtp *rtp, uint8_t pt,
                uint32_t ssrc, uint16_t seq);

#endif
