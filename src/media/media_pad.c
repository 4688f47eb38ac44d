#include "media/media_pad.h"

#include "rtp/rtp_pkt.h"

bool sl_pad_suits(enum sl_codec codec)
{
    static const bool suits[SL_CODEC_MAX] = {
        [SL_CODEC_VP8] = true,
        [SL_CODEC_VP9] = true,
        [SL_CODEC_H264] = true,
    };

    return suits[codec];
}

static void pad(struct sl_mctx *ctx, struct sl_slot *s, uint16_t len)
{
    uint8_t n = (uint8_t)(len - s->len);

    if (!n || sl_rtp_pad(s->data, s->len, SL_SLOT_MAX, n) < 0)
        return;
    s->len = len;
    ctx->padded_packets++;
    ctx->padded_bytes += n;
}

void sl_pad_even_out(struct sl_mctx *ctx, struct sl_slot *first)
{
    struct sl_slot *s, *end;

    for (; first; first = end) {
        uint16_t least = first->len, most = first->len;

        /* Those whose sizes differ by no more than we may add are one train. */
        for (end = first->next; end && first->may_pad && end->may_pad; end = end->next) {
            uint16_t low = end->len < least ? end->len : least;
            uint16_t high = end->len > most ? end->len : most;

            if (high - low > SL_PAD_MAX)
                break;
            least = low;
            most = high;
        }
        for (s = first; s != end; s = s->next)
            if (s->next) /* the last of all may be shorter */
                pad(ctx, s, most);
    }
}
