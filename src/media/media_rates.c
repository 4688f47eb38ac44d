#include "media/media_rates.h"

#include "media/media_pkt.h"

#include <string.h>

#define JUMP 1000 /* packets that nobody loses in a row */

/* Half of what the last window says, half of what was known; none in a whole window: it stopped. */
static void end_window(struct sl_rates *r, uint64_t us)
{
    for (int l = 0; l < SL_LAYERS_MAX; l++)
        for (int t = 0; t < SL_ALLOC_TIDS; t++) {
            double bps = r->bytes[l][t] * 8e6 / (double)us, *known = &r->bps[l][t];

            *known = *known > 0 && bps > 0 ? (*known + bps) / 2 : bps;
        }
    memset(r->bytes, 0, sizeof(r->bytes));
    for (int l = 0; l < SL_LAYERS_MAX; l++) {
        struct sl_rates_count *c = &r->count[l];
        uint64_t sent = c->to - c->from;

        c->lost = sent > c->came ? 100.0 * (double)(sent - c->came) / (double)sent : 0;
        c->from = c->to;
        c->came = 0;
    }
    r->known = true;
}

static void count(struct sl_rates_count *c, uint64_t seq)
{
    if (!c->to || seq > c->to + JUMP || seq + JUMP < c->to) /* it begins anew */
        *c = (struct sl_rates_count){ .from = seq - 1, .to = seq };
    if (seq > c->to)
        c->to = seq;
    c->came++;
}

void sl_rates_add(struct sl_rates *r, const struct sl_pkt *pkt, uint64_t now_us)
{
    uint64_t us = now_us - r->since_us;
    int layer =
        pkt->payload.has_sid && pkt->payload.sid > pkt->layer ? pkt->payload.sid : pkt->layer;
    int tid = pkt->payload.has_tid ? pkt->payload.tid : 0;

    if (!r->since_us || us > SL_RATES_STALE_US) {
        *r = (struct sl_rates){ .since_us = now_us, .seen = r->seen };
    } else if (us >= (r->known ? SL_RATES_WINDOW_US : SL_RATES_FIRST_US)) {
        end_window(r, us);
        r->since_us = now_us;
    }
    if (layer >= SL_LAYERS_MAX)
        layer = SL_LAYERS_MAX - 1;
    if (tid >= SL_ALLOC_TIDS)
        tid = SL_ALLOC_TIDS - 1;
    r->bytes[layer][tid] += pkt->len;
    r->seen |= (uint8_t)(1u << layer);
    count(&r->count[pkt->layer], pkt->seq);
}

bool sl_rates_sent(const struct sl_rates *r, uint64_t now_us, uint8_t *sent)
{
    bool stale = now_us >= r->since_us + SL_RATES_STALE_US;

    *sent = 0;
    for (int l = 0; l < SL_LAYERS_MAX && !stale; l++)
        for (int t = 0; t < SL_ALLOC_TIDS; t++)
            if (r->bps[l][t] > 0)
                *sent |= (uint8_t)(1u << l);
    return r->since_us && (r->known || stale);
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
