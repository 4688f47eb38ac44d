#include "rtcp/rtcp_ccfb.h"

#include <string.h>

#define MASK (SL_CCFB_WINDOW - 1)
#define FULL (SL_CCFB_WINDOW / 2) /* arrivals that make a report due before its time */

void sl_ccfb_rx_init(struct sl_ccfb_rx *rx, uint64_t period_us)
{
    memset(rx, 0, sizeof(*rx));
    rx->period_us = period_us;
}

static struct sl_ccfb_stream_rx *stream_of(struct sl_ccfb_rx *rx, uint32_t ssrc)
{
    struct sl_ccfb_stream_rx *oldest = &rx->stream[0];

    for (size_t i = 0; i < SL_CCFB_STREAMS; i++) {
        struct sl_ccfb_stream_rx *s = &rx->stream[i];

        if (s->used && s->ssrc == ssrc)
            return s;
        if (!s->used || (oldest->used && s->last_us < oldest->last_us))
            oldest = s;
    }
    rx->pending -= oldest->pending;
    *oldest = (struct sl_ccfb_stream_rx){ .ssrc = ssrc };
    return oldest;
}

void sl_ccfb_rx_add(struct sl_ccfb_rx *rx, uint32_t ssrc, uint16_t seq, uint64_t now_us)
{
    struct sl_ccfb_stream_rx *s = stream_of(rx, ssrc);
    uint64_t max = s->seq.max, n = sl_seq_extend(&s->seq, seq);

    if (!s->used) {
        s->used = true;
        s->next = n;
        if (!rx->sent_us)
            rx->sent_us = now_us;
    } else if (n > max) {
        uint64_t gap = n - max < SL_CCFB_WINDOW ? n - max : SL_CCFB_WINDOW;

        for (uint64_t i = 0; i < gap; i++)
            s->arrival[(n - i) & MASK] = 0;
    } else if (max - n >= SL_CCFB_WINDOW || s->arrival[n & MASK]) {
        return;
    }
    if (n < s->next) /* late: what was told as lost is told again */
        s->next = n;
    s->arrival[n & MASK] = now_us ? now_us : 1;
    s->last_us = now_us;
    s->pending++;
    rx->pending++;
}

uint64_t sl_ccfb_rx_due_us(const struct sl_ccfb_rx *rx)
{
    if (rx->pending == 0)
        return UINT64_MAX;
    return rx->pending >= FULL ? rx->sent_us : rx->sent_us + rx->period_us;
}

static uint16_t metric_of(uint64_t arrival_us, uint64_t now_us)
{
    uint64_t ago;

    if (!arrival_us)
        return 0;
    ago = (now_us - arrival_us) * 1024 / 1000000;
    return (uint16_t)(SL_CCFB_ARRIVED | (ago <= SL_CCFB_LONGEST ? ago : SL_CCFB_TOO_OLD));
}

/* As much of @s as there is room for. */
static void write_stream(struct sl_ccfb_rx *rx, struct sl_ccfb_stream_rx *s, struct sl_writer *w,
                         uint64_t now_us)
{
    size_t room = (size_t)(w->end - w->p), n = 0, most;
    uint16_t metric[SL_CCFB_WINDOW];
    uint32_t told = 0;

    if (room < SL_CCFB_STREAM_LEN(2) + 4)
        return;
    most = (room - SL_CCFB_STREAM_LEN(0) - 4) / 4 * 2; /* an even number takes no padding */
    if (s->seq.max - s->next >= SL_CCFB_WINDOW)
        s->next = s->seq.max - SL_CCFB_WINDOW + 1;
    for (; s->next + n <= s->seq.max && n < most && n < SL_CCFB_WINDOW; n++) {
        metric[n] = metric_of(s->arrival[(s->next + n) & MASK], now_us);
        told += metric[n] != 0;
    }
    if (!sl_ccfb_stream(w, s->ssrc, (uint16_t)s->next, metric, n))
        return;
    s->next += n;
    if (s->next > s->seq.max) /* some were told before, or are out of reach by now */
        told = s->pending;
    else if (told >= s->pending)
        told = s->pending - 1;
    s->pending -= told;
    rx->pending -= told;
}

bool sl_ccfb_rx_write(struct sl_ccfb_rx *rx, struct sl_writer *w, uint32_t sender, uint64_t now_us)
{
    uint8_t *opened;

    if (!rx->pending)
        return false;
    opened = sl_ccfb_open(w, sender);
    for (size_t i = 0; i < SL_CCFB_STREAMS; i++)
        if (rx->stream[i].pending)
            write_stream(rx, &rx->stream[i], w, now_us);
    sl_ccfb_close(w, opened, sl_ccfb_stamp(now_us));
    rx->sent_us = now_us;
    return rx->pending > 0;
}
