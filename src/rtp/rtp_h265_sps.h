/*
 * rtp_h265_sps.h - the size of H.265 pictures, from a sequence parameter set.
 *
 * Spec:   ITU-T H.265 sections 7.3.2.2.1 (syntax), 7.3.3 (profile_tier_level), 7.3.1.1 (emulation
 *         prevention)
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_H265_SPS_H
#define SL_RTP_RTP_H265_SPS_H

#include <stddef.h>
#include <stdint.h>

/* @nal with its header of two bytes. 0 or -EBADMSG; then @width and @height are untouched. */
int sl_h265_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height);

#endif
