#include "rtcp/rtcp_twcc.h"

#include <string.h>

#define MASK       (SL_TWCC_WINDOW - 1)
#define FULL       (SL_TWCC_MAX / 2) /* arrivals that make a report due before its time */
#define PER_REPORT 256               /* records of one message: fits 1200 bytes at two each */

void sl_twcc_rx_init(struct sl_twcc_rx *rx, uint64_t period_us)
{
    memset(rx, 0, sizeof(*rx));
    rx->period_us = period_us;
}

void sl_twcc_rx_add(struct sl_twcc_rx *rx, uint16_t seq, uint64_t now_us)
{
    uint64_t max = rx->seq.max;
    uint64_t s = sl_seq_extend(&rx->seq, seq);

    if (!rx->started) {
        rx->started = true;
        rx->next = rx->low = s;
        rx->sent_us = now_us;
    } else if (s > max) {
        /* Slots between the old and the new highest belong to numbers not seen yet. */
        uint64_t n = s - max < SL_TWCC_WINDOW ? s - max : SL_TWCC_WINDOW;

        for (uint64_t i = 0; i < n; i++)
            rx->arrival[(s - i) & MASK] = 0;
    } else if (max - s >= SL_TWCC_WINDOW || rx->arrival[s & MASK]) {
        rx->dup++;
        return;
    }
    if (rx->pending == 0 || s < rx->low)
        rx->low = s;
    rx->arrival[s & MASK] = now_us ? now_us : 1;
    rx->pending++;
}

uint64_t sl_twcc_rx_due_us(const struct sl_twcc_rx *rx)
{
    if (rx->pending == 0)
        return UINT64_MAX;
    return rx->pending >= FULL ? rx->sent_us : rx->sent_us + rx->period_us;
}

bool sl_twcc_rx_write(struct sl_twcc_rx *rx, struct sl_writer *w, uint32_t sender, uint32_t media,
                      uint64_t now_us)
{
    struct sl_twcc_rec rec[PER_REPORT];
    uint64_t s = rx->low, max = rx->seq.max, base;
    size_t n = 0, done;

    if (rx->pending == 0)
        return false;
    if (max - s >= SL_TWCC_WINDOW)
        s = max - SL_TWCC_WINDOW + 1;
    base = rx->next < s ? rx->next : s; /* what was lost right before is told too */
    for (; s <= max && n < PER_REPORT; s++)
        if (rx->arrival[s & MASK])
            rec[n++] = (struct sl_twcc_rec){ s, rx->arrival[s & MASK] };
    if (n == 0)
        return false;
    done = sl_twcc_write(w, sender, media, rx->fb_count, base, rec, n);
    if (done == 0)
        return false;
    rx->fb_count++;
    rx->sent_us = now_us;
    if (done == n && s > max) {
        rx->pending = 0;
        rx->next = max + 1;
    } else {
        rx->low = done < n ? rec[done].seq : s;
        rx->pending = (uint32_t)(max - rx->low + 1); /* an upper bound; 0 only when all is told */
        rx->next = rx->low;
    }
    return true;
}
