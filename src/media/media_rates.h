/*
 * media_rates.h - what each layer of a track costs: bits per second by simulcast or spatial layer
 * and temporal layer.
 *
 * Thread: the owner's; reads no clock.  Owner: the mirror, embedded.
 * Units:  bits per second; microseconds.
 */
#ifndef SL_MEDIA_RATES_H
#define SL_MEDIA_RATES_H

#include "bwe/bwe_alloc.h"

struct sl_pkt;

#define SL_RATES_WINDOW_US UINT64_C(1000000)
#define SL_RATES_FIRST_US  UINT64_C(300000)
#define SL_RATES_STALE_US  UINT64_C(3000000) /* nothing came: nothing is known */

/* Of one simulcast layer: numbers of packets in this window. */
struct sl_rates_count {
    uint64_t from, to; /* the highest one before it, and now; 0: none yet */
    uint32_t came;
    double lost; /* percent of the last window that did not come, by resends neither */
};

struct sl_rates {
    uint64_t since_us;                            /* when this window began */
    uint32_t bytes[SL_LAYERS_MAX][SL_ALLOC_TIDS]; /* in it */
    struct sl_rates_count count[SL_LAYERS_MAX];
    uint8_t seen; /* bit per layer (simulcast or spatial) of which ever something came */
    bool known;   /* one window is over */
    double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS]; /* of each layer alone */
};

/* Bit per layer of which something comes; false: not known yet (nothing came lately: none). */
bool sl_rates_sent(const struct sl_rates *r, uint64_t now_us, uint8_t *sent);

void sl_rates_add(struct sl_rates *r, const struct sl_pkt *pkt, uint64_t now_us);

/* What a subscriber would get: a temporal layer with those below, with @svc also the spatial layers
 * below. All 0 when nothing is known. */
void sl_rates_get(const struct sl_rates *r, bool svc, uint64_t now_us,
                  double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS]);

#endif
