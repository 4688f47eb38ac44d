/*
 * rtp_h265.h - reads the H.265 payload for sl_payload_parse.
 *
 * Spec:   RFC 7798
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_H265_H
#define SL_RTP_RTP_H265_H

#include "rtp/rtp_payload.h"

/* @out comes zeroed. 0 or -EBADMSG. */
int sl_h265_parse(const uint8_t *p, size_t len, struct sl_payload_info *out);

#endif
