/*
 * rtp_vp8.h - reads the VP8 payload for sl_payload_parse.
 *
 * Spec:   RFC 7741
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_VP8_H
#define SL_RTP_RTP_VP8_H

#include "rtp/rtp_payload.h"

/* @out comes zeroed. 0 or -EBADMSG. */
int sl_vp8_parse(const uint8_t *p, size_t len, struct sl_payload_info *out);

#endif
