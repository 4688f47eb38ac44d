#include "rtp/rtp_h265_sps.h"

#include <errno.h>

#include "rtp/rtp_bits.h"

#define PROFILE_BITS 88 /* of profile_tier_level, before each level */
#define LEVEL_BITS   8
#define SUBS         8 /* sub_layers that flags stand for, the highest included */
#define SIDE_MAX     16384

/* Names below follow the syntax table. */

static void profile_tier_level(struct sl_bits *b, unsigned sub_layers_minus1)
{
    unsigned profiles = 0, levels = 0;

    sl_bits_skip(b, PROFILE_BITS + LEVEL_BITS);
    for (unsigned i = 0; i < sub_layers_minus1; i++) {
        profiles += sl_bits_read(b, 1);
        levels += sl_bits_read(b, 1);
    }
    if (sub_layers_minus1)
        sl_bits_skip(b, 2 * (SUBS - sub_layers_minus1)); /* reserved */
    sl_bits_skip(b, profiles * PROFILE_BITS + levels * LEVEL_BITS);
}

int sl_h265_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height)
{
    uint8_t sps[SL_NAL_HEAD];
    struct sl_bits b = sl_bits_of_nal(nal, len, sps);
    uint32_t chroma;
    uint64_t w, h, crop_w = 0, crop_h = 0;

    sl_bits_skip(&b, 16 + 4);                               /* header, sps_video_parameter_set_id */
    profile_tier_level(&b, (sl_bits_read(&b, 4) >> 1) & 7); /* with temporal_id_nesting_flag */
    (void)sl_bits_ue(&b);                                   /* sps_seq_parameter_set_id */
    chroma = sl_bits_ue(&b);
    if (chroma == 3)
        sl_bits_skip(&b, 1); /* separate_colour_plane_flag */
    w = sl_bits_ue(&b);
    h = sl_bits_ue(&b);
    if (sl_bits_read(&b, 1)) { /* conformance_window_flag */
        crop_w = ((uint64_t)sl_bits_ue(&b) + sl_bits_ue(&b)) * (chroma == 1 || chroma == 2 ? 2 : 1);
        crop_h = ((uint64_t)sl_bits_ue(&b) + sl_bits_ue(&b)) * (chroma == 1 ? 2 : 1);
    }
    if (b.failed || w > SIDE_MAX || h > SIDE_MAX || crop_w >= w || crop_h >= h)
        return -EBADMSG;
    *width = (uint16_t)(w - crop_w);
    *height = (uint16_t)(h - crop_h);
    return 0;
}
