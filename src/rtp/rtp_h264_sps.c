#include "rtp/rtp_h264_sps.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "rtp/rtp_bits.h"

#define POC_CYCLE 255
#define SIDE_MAX  16384

/* Names below follow the syntax table. */

static int32_t se(struct sl_bits *b)
{
    uint32_t k = sl_bits_ue(b);

    return k & 1 ? (int32_t)(k / 2 + 1) : -(int32_t)(k / 2);
}

static void scaling_list(struct sl_bits *b, int n)
{
    int last = 8, next = 8;

    for (int i = 0; i < n && next; i++) {
        const int32_t delta = se(b); /* delta_scale */

        if (delta < -128 || delta > 127) {
            b->failed = true;
            return;
        }
        next = (last + delta + 256) & 255;
        last = next ? next : last;
    }
}

/* What the high profiles have more; chroma_format_idc. */
static uint32_t high(struct sl_bits *b)
{
    uint32_t chroma = sl_bits_ue(b);

    if (chroma == 3)
        (void)sl_bits_read(b, 1); /* separate_colour_plane_flag */
    (void)sl_bits_ue(b);          /* bit_depth_luma_minus8 */
    (void)sl_bits_ue(b);          /* bit_depth_chroma_minus8 */
    (void)sl_bits_read(b, 1);     /* qpprime_y_zero_transform_bypass_flag */
    if (sl_bits_read(b, 1))       /* seq_scaling_matrix_present_flag */
        for (int i = 0; i < (chroma == 3 ? 12 : 8); i++)
            if (sl_bits_read(b, 1))
                scaling_list(b, i < 6 ? 16 : 64);
    return chroma;
}

static bool is_high(uint32_t profile_idc)
{
    static const uint8_t profiles[] = {
        100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135
    };

    return memchr(profiles, (int)profile_idc, sizeof(profiles)) != NULL;
}

static void order_count(struct sl_bits *b)
{
    uint32_t type = sl_bits_ue(b), n;

    if (type == 0)
        (void)sl_bits_ue(b); /* log2_max_pic_order_cnt_lsb_minus4 */
    if (type != 1)
        return;
    (void)sl_bits_read(b, 1); /* delta_pic_order_always_zero_flag */
    (void)se(b);              /* offset_for_non_ref_pic */
    (void)se(b);              /* offset_for_top_to_bottom_field */
    n = sl_bits_ue(b);
    if (n > POC_CYCLE)
        b->failed = true;
    for (uint32_t i = 0; i < n && !b->failed; i++)
        (void)se(b);
}

int sl_h264_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height)
{
    uint8_t sps[SL_NAL_HEAD];
    struct sl_bits b = sl_bits_of_nal(nal, len, sps);
    uint32_t profile_idc, chroma = 1, fields;
    uint64_t w, h, crop_w = 0, crop_h = 0;

    sl_bits_skip(&b, 8); /* header */
    profile_idc = sl_bits_read(&b, 8);
    sl_bits_skip(&b, 16); /* constraints, level_idc */
    (void)sl_bits_ue(&b); /* seq_parameter_set_id */
    if (is_high(profile_idc))
        chroma = high(&b);
    (void)sl_bits_ue(&b); /* log2_max_frame_num_minus4 */
    order_count(&b);
    (void)sl_bits_ue(&b);      /* max_num_ref_frames */
    (void)sl_bits_read(&b, 1); /* gaps_in_frame_num_value_allowed_flag */
    w = (sl_bits_ue(&b) + UINT64_C(1)) * 16;
    h = (sl_bits_ue(&b) + UINT64_C(1)) * 16;
    fields = 2 - sl_bits_read(&b, 1); /* frame_mbs_only_flag */
    if (fields == 2)
        (void)sl_bits_read(&b, 1); /* mb_adaptive_frame_field_flag */
    (void)sl_bits_read(&b, 1);     /* direct_8x8_inference_flag */
    if (sl_bits_read(&b, 1)) {     /* frame_cropping_flag */
        crop_w = ((uint64_t)sl_bits_ue(&b) + sl_bits_ue(&b)) * (chroma == 1 || chroma == 2 ? 2 : 1);
        crop_h = ((uint64_t)sl_bits_ue(&b) + sl_bits_ue(&b)) * (chroma == 1 ? 2 : 1) * fields;
    }
    h *= fields;
    if (b.failed || w > SIDE_MAX || h > SIDE_MAX || crop_w >= w || crop_h >= h)
        return -EBADMSG;
    *width = (uint16_t)(w - crop_w);
    *height = (uint16_t)(h - crop_h);
    return 0;
}
