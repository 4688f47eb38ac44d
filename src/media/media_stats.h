/*
 * media_stats.h - what was counted of one m-line, for administrators and event handlers.
 *
 * Thread: filled on the worker, then passed to control by value.
 * Counters grow for as long as the track or sink lives; a source that begins anew (another SSRC)
 * begins with lost 0.
 */
#ifndef SL_MEDIA_STATS_H
#define SL_MEDIA_STATS_H

#include "media/media_endpoint.h"
#include "media/media_sr.h"

/* Of an m-line and what is received on one simulcast layer; what is sent is told with layer 0. */
struct sl_media_stats {
    uint16_t mindex;
    uint8_t layer;
    uint32_t ssrc, rtx_ssrc; /* received; 0: nothing came yet */
    uint32_t clock_rate;
    uint32_t rtt_us; /* 0: not known */
    struct sl_rtt_values rtt;
    int64_t lost;    /* of what we should have received, before repair */
    int64_t lost_remote;
    uint32_t jitter_us, jitter_remote_us;
    uint64_t packets_in, bytes_in, packets_out, bytes_out;
    uint64_t bytes_in_second, bytes_out_second; /* in the last full one */
    uint64_t nacks_in, nacks_out;               /* packets asked for, by the peer and by us */
    uint64_t repaired;                          /* packets that came late or again */
    uint64_t redundant;                         /* packets that others went along with (RED, ours) */
    uint64_t resent;                            /* packets that the peer missed, and got */
    uint64_t remb_bps; /* that the peer says it can take; 0: it says nothing */
    bool has_quality;  /* of what is sent */
    struct sl_quality quality;
};

/* At most @max; how many there are (for NULL and 0: how much room it takes). */
size_t sl_endpoint_stats(const struct sl_endpoint *e, struct sl_media_stats *out,
                         size_t max) SL_ON_WORKER;

#endif
