#include "media/media_tap.h"

#include "media/media_ctx.h"
#include "media/media_pkt.h"

static _Thread_local const char *running;

const char *sl_media_tap_running(void)
{
    return running;
}

static struct sl_tap_packet show(const struct sl_pkt *pkt)
{
    const bool has_level = pkt->ext.present & SL_EXT_BIT(SL_EXT_AUDIO_LEVEL);

    return (struct sl_tap_packet){
        .arrival_us = pkt->arrival_us,
        .seq = pkt->seq,
        .ts = pkt->ts,
        .payload = pkt->data + pkt->rtp.payload_off + pkt->red_off,
        .len = pkt->rtp.payload_len - (pkt->rtp.payload_len ? pkt->red_off : 0u),
        .codec = (enum sl_codec)pkt->codec,
        .substream = pkt->layer,
        .level = has_level ? pkt->ext.level : SL_TAP_NO_LEVEL,
        .voice = has_level && pkt->ext.voice,
        .marker = pkt->rtp.marker,
        .keyframe = pkt->payload.key && !pkt->is_opaque,
        .is_opaque = pkt->is_opaque,
    };
}

static void run(struct sl_media_tap *t) SL_ON_WORKER
{
    struct sl_tap_packet p[SL_TAP_BATCH];

    for (size_t i = 0; i < t->n; i++)
        p[i] = show(t->batch[i]);
    running = t->owner;
    t->tap.packets(t->tap.arg, p, t->n);
    running = NULL;
    for (size_t i = 0; i < t->n; i++)
        sl_pkt_unref(t->batch[i]);
    t->n = 0;
    sl_list_del(&t->waiting);
}

void sl_media_tap_push(struct sl_media_tap *t, struct sl_mctx *ctx, struct sl_pkt *pkt)
{
    if (!t->n)
        sl_list_add(&ctx->taps, &t->waiting);
    t->batch[t->n++] = sl_pkt_ref(pkt);
    if (t->n == SL_TAP_BATCH)
        run(t);
}

void sl_media_tap_end(struct sl_media_tap *t)
{
    if (t->n)
        run(t);
    t->done(t);
}

void sl_media_taps_run(struct sl_mctx *ctx)
{
    while (!sl_list_is_empty(&ctx->taps))
        run(sl_container(ctx->taps.next, struct sl_media_tap, waiting));
}
