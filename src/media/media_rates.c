#include "media/media_rates.h"

#include "media/media_pkt.h"

#include <string.h>

/* Half of what the last window says, half of what was known; none in a whole window: it stopped. */
static void end_window(struct sl_rates *r, uint64_t us)
{
    for (int l = 0; l < SL_LAYERS_MAX; l++)
        for (int t = 0; t < SL_ALLOC_TIDS; t++) {
            double bps = r->bytes[l][t] * 8e6 / (double)us, *known = &r->bps[l][t];

            *known = *known > 0 && bps > 0 ? (*known + bps) / 2 : bps;
        }
    memset(r->bytes, 0, sizeof(r->bytes));
    r->known = true;
}

void sl_rates_add(struct sl_rates *r, const struct sl_pkt *pkt, uint64_t now_us)
{
    uint64_t us = now_us - r->since_us;
    int layer =
        pkt->payload.has_sid && pkt->payload.sid > pkt->layer ? pkt->payload.sid : pkt->layer;
    int tid = pkt->payload.has_tid ? pkt->payload.tid : 0;

    if (!r->since_us || us > SL_RATES_STALE_US) {
        memset(r, 0, sizeof(*r));
        r->since_us = now_us;
    } else if (us >= (r->known ? SL_RATES_WINDOW_US : SL_RATES_FIRST_US)) {
        end_window(r, us);
        r->since_us = now_us;
    }
    if (layer >= SL_LAYERS_MAX)
        layer = SL_LAYERS_MAX - 1;
    if (tid >= SL_ALLOC_TIDS)
        tid = SL_ALLOC_TIDS - 1;
    r->bytes[layer][tid] += pkt->len;
}

void sl_rates_get(const struct sl_rates *r, bool svc, uint64_t now_us,
                  double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS])
{
    bool known = r->known && now_us < r->since_us + SL_RATES_STALE_US;

    for (int l = 0; l < SL_LAYERS_MAX; l++) {
        double own = 0;

        for (int t = 0; t < SL_ALLOC_TIDS; t++) {
            own += known ? r->bps[l][t] : 0;
            bps[l][t] = own > 0 && svc && l > 0 ? own + bps[l - 1][t] : own;
        }
    }
}
