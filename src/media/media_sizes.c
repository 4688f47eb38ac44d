#include "media/media_sizes.h"

#include "rtp/rtp_payload.h"

void sl_sizes_note(struct sl_sizes *z, uint8_t layer, const struct sl_payload_info *info)
{
    int n = info->nspatial;

    if (!info->width || !info->height)
        return;
    if (n > SL_LAYERS_MAX)
        n = SL_LAYERS_MAX;
    if (n <= 1) {
        z->width[layer] = info->width;
        z->height[layer] = info->height;
    }
    for (int i = 0; n > 1 && i < n; i++) {
        z->width[i] = (uint16_t)(info->width >> (info->nspatial - 1 - i));
        z->height[i] = (uint16_t)(info->height >> (info->nspatial - 1 - i));
    }
}

int sl_sizes_enough(const struct sl_sizes *z, int width, int height, int now)
{
    uint64_t shown = (uint64_t)width * (uint64_t)height;

    for (int i = 0; i < SL_LAYERS_MAX - 1; i++) {
        uint64_t area = (uint64_t)z->width[i] * z->height[i];

        /* 3/4 and 9/10 of each side */
        if (area && area * 100 >= shown * (i < now ? 81 : 56))
            return i;
    }
    return SL_LAYERS_MAX - 1;
}
