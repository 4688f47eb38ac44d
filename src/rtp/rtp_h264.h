/*
 * rtp_h264.h - reads the H.264 payload for sl_payload_parse.
 *
 * Spec:   RFC 6184
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_H264_H
#define SL_RTP_RTP_H264_H

#include "rtp/rtp_payload.h"

/* @out comes zeroed. 0 or -EBADMSG. */
int sl_h264_parse(const uint8_t *p, size_t len, struct sl_payload_info *out);

#endif
