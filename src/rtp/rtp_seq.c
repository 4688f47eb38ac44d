#include "rtp/rtp_seq.h"

uint64_t sl_seq_near(uint64_t ref, uint16_t low)
{
    return ref + (uint64_t)(int64_t)(int16_t)(uint16_t)(low - (uint16_t)ref);
}

uint64_t sl_ts_near(uint64_t ref, uint32_t low)
{
    return ref + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)ref);
}

uint64_t sl_seq_peek(const struct sl_seq *s, uint16_t seq)
{
    if (!s->started)
        return seq < 0x8000 ? seq + 0x10000u : seq;
    return sl_seq_near(s->max, seq);
}

uint64_t sl_seq_extend(struct sl_seq *s, uint16_t seq)
{
    uint64_t v = sl_seq_peek(s, seq);

    if (!s->started || v > s->max) {
        s->started = true;
        s->max = v;
    }
    return v;
}

uint64_t sl_ts_peek(const struct sl_ts *s, uint32_t ts)
{
    if (!s->started)
        return ts < 0x80000000u ? ts + 0x100000000u : ts;
    return sl_ts_near(s->max, ts);
}

uint64_t sl_ts_extend(struct sl_ts *s, uint32_t ts)
{
    uint64_t v = sl_ts_peek(s, ts);

    if (!s->started || v > s->max) {
        s->started = true;
        s->max = v;
    }
    return v;
}
