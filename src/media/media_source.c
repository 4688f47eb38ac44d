#include "media/media_source.h"

#include <string.h>

void sl_source_init(struct sl_source *s, uint32_t clock_rate, bool wants_nack)
{
    memset(s, 0, sizeof(*s));
    s->clock_rate = clock_rate;
    s->wants_nack = wants_nack;
    sl_source_restart(s, 0);
}

void sl_source_restart(struct sl_source *s, uint32_t ssrc)
{
    s->ssrc = ssrc;
    s->seq = (struct sl_seq){ 0 };
    s->ts = (struct sl_ts){ 0 };
    memset(s->seen, 0, sizeof(s->seen));
    sl_nack_restart(&s->nack);
    sl_rr_init(&s->rr, s->clock_rate);
    sl_sr_src_init(&s->sr, s->clock_rate);
    s->lost_told = 0;
}

/* Notes @seq; false when it was noted before or is older than the window. */
static enum sl_drop note_seen(struct sl_source *s, uint64_t seq, uint64_t old_max, bool first)
{
    uint64_t bit = UINT64_C(1) << (seq % 64);
    uint64_t *word = &s->seen[(seq / 64) % (SL_SOURCE_WINDOW / 64)];

    if (first || seq > old_max + SL_SOURCE_WINDOW) {
        memset(s->seen, 0, sizeof(s->seen));
    } else if (seq > old_max) {
        for (uint64_t i = old_max + 1; i < seq; i++)
            s->seen[(i / 64) % (SL_SOURCE_WINDOW / 64)] &= ~(UINT64_C(1) << (i % 64));
        *word &= ~bit;
    } else if (seq + SL_SOURCE_WINDOW <= old_max) {
        return SL_DROP_OLD;
    } else if (*word & bit) {
        return SL_DROP_DUPLICATE;
    }
    *word |= bit;
    return SL_DROP_NONE;
}

static void note_key(struct sl_source *s, uint64_t now_us)
{
    uint64_t us = now_us - s->key_since_us;

    if (s->key_since_us)
        s->key_answer_us = s->key_answer_us ? (3 * s->key_answer_us + us) / 4 : us;
    s->key_since_us = 0;
    s->key_us = now_us;
}

enum sl_drop sl_source_push(struct sl_source *s, struct sl_pkt *pkt, bool is_rtx, uint64_t now_us)
{
    uint64_t old_max = s->seq.max;
    bool first = !s->seq.started;
    enum sl_drop why;

    pkt->seq = sl_seq_extend(&s->seq, pkt->rtp.seq);
    why = note_seen(s, pkt->seq, old_max, first);
    if (why != SL_DROP_NONE)
        return why;
    pkt->ts = sl_ts_extend(&s->ts, pkt->rtp.ts);
    pkt->arrival_us = now_us;
    if (sl_sr_src_capture_us(&s->sr, pkt->ts, &pkt->capture_us) < 0)
        pkt->capture_us = 0;
    if (s->wants_nack && is_rtx)
        sl_nack_on_resent(&s->nack, pkt->seq, now_us);
    if (s->wants_nack)
        (void)sl_nack_on_packet(&s->nack, pkt->seq, pkt->payload.key && pkt->payload.start, now_us);
    if (!is_rtx)
        sl_rr_on_packet(&s->rr, pkt->seq, pkt->rtp.ts, now_us);
    s->packets++;
    s->bytes += pkt->len;
    s->last_us = now_us;
    if (pkt->payload.key)
        note_key(s, now_us);
    return SL_DROP_NONE;
}
