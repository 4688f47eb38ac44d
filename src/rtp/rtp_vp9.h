/*
 * rtp_vp9.h - reads the VP9 payload for sl_payload_parse.
 *
 * Spec:   RFC 9628 section 4.2
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_VP9_H
#define SL_RTP_RTP_VP9_H

#include "rtp/rtp_payload.h"

/* @out comes zeroed. 0 or -EBADMSG. */
int sl_vp9_parse(const uint8_t *p, size_t len, struct sl_payload_info *out);

#endif
