#include "media/media_stats.h"
#include "media/media_sink.h"
#include "media/media_track.h"

static void of_source(const struct sl_source *s, struct sl_media_stats *out)
{
    out->ssrc = s->ssrc;
    out->clock_rate = s->clock_rate;
    out->lost = sl_rr_lost(&s->rr);
    out->jitter_us = s->rr.started ? sl_rr_jitter_us(&s->rr) : 0;
    out->packets_in = s->packets;
    out->bytes_in = s->bytes;
    out->bytes_in_second = s->bytes_second;
    out->nacks_out = s->nack.asked;
    out->repaired = s->nack.recovered;
}

static void of_sink(const struct sl_sink *s, struct sl_media_stats *out) SL_ON_WORKER
{
    out->clock_rate = s->clock_rate;
    out->rtt_us = (uint32_t)s->rtt_us;
    out->rtt = s->rtt;
    out->lost_remote = s->lost_seen;
    out->jitter_remote_us =
        s->clock_rate ? (uint32_t)((uint64_t)s->jitter_seen * 1000000 / s->clock_rate) : 0;
    out->packets_out = s->packets;
    out->bytes_out = s->bytes;
    out->bytes_out_second = s->bytes_second;
    out->nacks_in = s->nacked;
    out->resent = s->resent;
    out->redundant = s->red.packets;
    out->remb_bps = s->remb_bps;
    out->has_quality = s->mirror && s->enabled && sl_sink_quality(s, &out->quality);
}

size_t sl_endpoint_stats(const struct sl_endpoint *e, struct sl_media_stats *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < e->nlines; i++) {
        const struct sl_track *t = e->lines[i].track;
        const struct sl_sink *s = e->lines[i].sink;
        uint8_t layers = t ? t->nlayers : s ? 1 : 0;

        for (uint8_t l = 0; l < layers; l++, n++) {
            if (n >= max)
                continue;
            out[n] = (struct sl_media_stats){ .mindex = (uint16_t)i, .layer = l };
            if (t)
                of_source(&t->source[l], &out[n]);
            if (s && !l)
                of_sink(s, &out[n]);
        }
    }
    return n;
}
