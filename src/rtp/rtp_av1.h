/*
 * rtp_av1.h - reads the AV1 payload for sl_payload_parse.
 *
 * Spec:   AV1 RTP payload specification section 4.4
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_AV1_H
#define SL_RTP_RTP_AV1_H

#include "rtp/rtp_payload.h"

/* @out comes zeroed. 0 or -EBADMSG. */
int sl_av1_parse(const uint8_t *p, size_t len, struct sl_payload_info *out);

#endif
