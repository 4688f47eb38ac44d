/*
 * rtp_h264_sps.h - the size of H.264 pictures, from a sequence parameter set.
 *
 * Spec:   ITU-T H.264 sections 7.3.2.1.1 (syntax), 7.3.1 (emulation prevention), 9.1 (Exp-Golomb)
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_H264_SPS_H
#define SL_RTP_RTP_H264_SPS_H

#include <stddef.h>
#include <stdint.h>

/* @nal with its header byte. 0 or -EBADMSG; then @width and @height are untouched. */
int sl_h264_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height);

#endif
