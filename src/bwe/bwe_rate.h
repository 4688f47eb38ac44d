/*
 * bwe_rate.h - how many bits per second went by lately.
 *
 * Thread: the owner's; pure.  Owner: struct sl_bwe, src/media/, embedded.
 * Units:  bytes in, bits per second out; microseconds on any one clock.
 */
#ifndef SL_BWE_RATE_H
#define SL_BWE_RATE_H

#include <stdint.h>

#define SL_RATE_BUCKET_US 20000
#define SL_RATE_BUCKETS   64 /* a power of two; 1.28 s are remembered */

struct sl_rate {
    struct {
        uint32_t bytes, packets;
    } bucket[SL_RATE_BUCKETS];
    uint64_t newest; /* bucket number of the newest packet */
    uint64_t oldest; /* first one since the start or a long pause */
};

/* Adds a packet; those older than what is remembered are passed over. */
void sl_rate_add(struct sl_rate *r, uint32_t bytes, uint64_t at_us);
/* Over the last @window_us before @now_us, or what there is of it (a tenth of a second at least).
 */
double sl_rate_bps(const struct sl_rate *r, uint64_t window_us, uint64_t now_us);
/* Over the shortest time before the newest packet that holds enough of them to be believed; 0:
 * there is none yet. */
double sl_rate_newest_bps(const struct sl_rate *r);

#endif
