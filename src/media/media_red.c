#include "media/media_red.h"

#include "media/media_pkt.h"
#include "rtp/rtp_red.h"

#include <assert.h>

static unsigned int depth_for(uint8_t fraction)
{
    return fraction >= SL_RED_LOSS_HIGH ? 2 : fraction >= SL_RED_LOSS;
}

void sl_red_tx_on_loss(struct sl_red_tx *r, uint8_t fraction)
{
    r->more = depth_for(fraction) > r->depth ? r->more + 1 + (fraction >= SL_RED_LOSS_HIGH) : 0;
    r->less = depth_for(fraction > UINT8_MAX / 2 ? UINT8_MAX : (uint8_t)(2 * fraction)) < r->depth
                  ? r->less + 1
                  : 0;
    if (r->more < SL_RED_REPORTS_UP && r->less < SL_RED_REPORTS_DOWN)
        return;
    r->depth = r->more ? (uint8_t)depth_for(fraction) : r->depth - 1;
    r->more = r->less = 0;
    if (r->depth == 0)
        sl_red_tx_forget(r);
}

void sl_red_tx_off(struct sl_red_tx *r)
{
    sl_red_tx_forget(r);
    r->depth = r->more = r->less = 0;
}

static const uint8_t *payload(const struct sl_pkt *pkt)
{
    return pkt->data + pkt->rtp.payload_off;
}

unsigned int sl_red_tx_pick(const struct sl_red_tx *r, const struct sl_pkt *pkt)
{
    size_t bytes = pkt->rtp.payload_len + 1u;
    unsigned int n = 0;

    if (pkt->red_off || pkt->is_opaque) /* who encrypts, encrypts all of a payload */
        return 0;
    for (; n < r->depth && r->past[n]; n++) {
        const struct sl_pkt *old = r->past[n];

        bytes += old->rtp.payload_len + 4u;
        if (old->ts >= pkt->ts || pkt->ts - old->ts > SL_RED_BACK_MAX ||
            old->rtp.payload_len > SL_RED_LEN_MAX || bytes > SL_RED_BYTES)
            break;
    }
    return n;
}

size_t sl_red_tx_write(struct sl_red_tx *r, const struct sl_pkt *pkt, unsigned int n, uint8_t pt,
                       uint8_t *buf)
{
    struct sl_red_part parts[SL_RED_DEPTH + 1];
    int len;

    for (unsigned int i = 0; i < n; i++) {
        const struct sl_pkt *old = r->past[n - 1 - i];

        parts[i] = (struct sl_red_part){ pt, (uint16_t)(pkt->ts - old->ts), old->rtp.payload_len,
                                         payload(old) };
    }
    parts[n] = (struct sl_red_part){ pt, 0, pkt->rtp.payload_len, payload(pkt) };
    len = sl_red_write(parts, n + 1, buf, SL_RED_BYTES);
    assert(len > 0); /* it was picked so */
    r->packets++;
    return (size_t)len;
}

void sl_red_tx_note(struct sl_red_tx *r, const struct sl_pkt *pkt)
{
    if (!r->depth || (r->past[0] && pkt->ts <= r->past[0]->ts))
        return; /* off, or late */
    if (r->past[SL_RED_DEPTH - 1])
        sl_pkt_unref(r->past[SL_RED_DEPTH - 1]);
    for (int i = SL_RED_DEPTH - 1; i > 0; i--)
        r->past[i] = r->past[i - 1];
    r->past[0] = sl_pkt_ref((struct sl_pkt *)pkt); /* nothing but its count changes */
}

void sl_red_tx_forget(struct sl_red_tx *r)
{
    for (int i = 0; i < SL_RED_DEPTH; i++) {
        if (r->past[i])
            sl_pkt_unref(r->past[i]);
        r->past[i] = NULL;
    }
}
