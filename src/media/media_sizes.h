/*
 * media_sizes.h - how large the pictures of a track's layers are, and which layer is enough for a
 * picture that is shown in a given size.
 *
 * Thread: the owner's; pure.  Owner: the mirror, embedded.
 * Units:  pixels; layers are simulcast or spatial ones, 0 the smallest.
 */
#ifndef SL_MEDIA_SIZES_H
#define SL_MEDIA_SIZES_H

#include <sluice/types.h>

struct sl_payload_info;

struct sl_sizes {
    uint16_t width[SL_LAYERS_MAX], height[SL_LAYERS_MAX]; /* 0: not known */
};

/* Of a packet of this simulcast layer. The spatial layers of one stream halve from one to the next
 * (of most streams only the largest is told). */
void sl_sizes_note(struct sl_sizes *z, uint8_t layer, const struct sl_payload_info *info);

/* The lowest layer that is hardly smaller than what is shown: a quarter of
 * its sides may be missing, and, for going down from @now, a tenth. Layers of unknown size are
 * enough for nothing, so the top is what remains. Compared by area: pictures may be turned, or cut.
 */
int sl_sizes_enough(const struct sl_sizes *z, int width, int height, int now);

#endif
