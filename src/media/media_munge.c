#include "media/media_munge.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MASK (SL_MUNGE_WINDOW - 1)

/* A larger jump of the input is a restart of its numbering: the output does not follow, for it
 * could take a receiver's roll-over count along. */
#define GAP_MAX 2048

enum { UNSEEN, MAPPED, DROPPED };

void sl_munge_init(struct sl_munge *m, uint32_t clock_rate, uint16_t first_seq, uint32_t first_ts)
{
    assert(clock_rate > 0);
    memset(m, 0, sizeof(*m));
    m->clock_rate = clock_rate;
    m->out_next = m->out_start = first_seq;
    m->out_ts = m->out_line = first_ts;
}

static int64_t ticks(const struct sl_munge *m, int64_t us)
{
    int64_t rate = m->clock_rate;

    return us / 1000000 * rate + us % 1000000 * rate / 1000000;
}

/* Goes on at @seq without a gap; whatever was before it is refused from now on. */
static void rebase(struct sl_munge *m, uint64_t seq)
{
    m->start = seq;
    m->in_max = seq - 1;
    m->seq_off = m->out_next - seq;
    m->out_start = m->out_next;
    memset(m->past->state, UNSEEN, sizeof(m->past->state));
}

void sl_munge_switch(struct sl_munge *m, struct sl_seqts first, int64_t elapsed_us, uint64_t now_us)
{
    uint64_t least = m->out_ts + (m->out_ts_us ? 1 : 0); /* something went out before */
    uint64_t line = m->out_line;
    int64_t behind;

    assert(m->past);
    if (elapsed_us == SL_MUNGE_UNKNOWN)
        elapsed_us = (int64_t)(now_us - m->out_ts_us);
    if (m->out_ts_us && elapsed_us > -SL_MUNGE_BACK_US)
        line += (uint64_t)ticks(m, elapsed_us);
    m->has_source = m->fresh = true;
    rebase(m, first.seq);
    behind = (int64_t)(least - line);
    m->ts_off = line - first.ts;
    m->ts_start = first.ts;
    m->ts_least = least;
    m->ts_tight = behind > 0 ? (uint64_t)(behind + behind / 255 + 1) : 0;
}

/* Steps to @seq, a number above in_max: those between are reserved for packets that may come late.
 * Numbers of the window that are passed become UNSEEN. */
static void advance(struct sl_munge *m, uint64_t seq)
{
    uint64_t s = m->in_max + 1;

    if (seq - s >= SL_MUNGE_WINDOW)
        s = seq - SL_MUNGE_WINDOW + 1;
    for (; s <= seq; s++) {
        m->past->state[s & MASK] = UNSEEN;
        m->past->out16[s & MASK] = (uint16_t)(s + m->seq_off);
    }
    m->in_max = seq;
}

/* What all input numbers have to pass: 0 with @late saying which way. */
static int admit(struct sl_munge *m, uint64_t seq, bool *late)
{
    if (!m->has_source)
        return -ENOTCONN;
    if ((int64_t)(seq - m->in_max) > 0) {
        if (seq - m->in_max > GAP_MAX)
            rebase(m, seq);
        *late = false;
        return 0;
    }
    if ((int64_t)(seq - m->start) < 0 || m->in_max - seq >= SL_MUNGE_WINDOW) {
        m->late++;
        return -EAGAIN;
    }
    if (m->past->state[seq & MASK] != UNSEEN) {
        m->dup++;
        return -EEXIST;
    }
    *late = true;
    return 0;
}

/* The 64-bit output number of a slot: all of the window lie shortly before out_next. */
static uint64_t widen(const struct sl_munge *m, uint16_t low)
{
    return m->out_next - 1 - (uint16_t)((uint16_t)(m->out_next - 1) - low);
}

int sl_munge_map(struct sl_munge *m, struct sl_seqts in, uint64_t now_us, struct sl_seqts *out)
{
    bool late;
    int err = admit(m, in.seq, &late);
    struct sl_seqts o;

    if (err)
        return err;
    if (!late) {
        advance(m, in.seq);
        o.seq = in.seq + m->seq_off;
        m->out_next = o.seq + 1;
    } else {
        o.seq = widen(m, m->past->out16[in.seq & MASK]);
    }
    o.ts = sl_munge_ts(m, in.ts);
    m->past->state[in.seq & MASK] = MAPPED;
    m->past->in16[o.seq & MASK] = (uint16_t)in.seq;
    if (m->fresh || (int64_t)(o.ts - m->out_ts) > 0) {
        m->out_ts = o.ts;
        m->out_line = in.ts + m->ts_off;
        m->out_ts_us = now_us ? now_us : 1;
        m->fresh = false;
    }
    *out = o;
    return 0;
}

int sl_munge_drop(struct sl_munge *m, uint64_t seq)
{
    bool late;
    int err = admit(m, seq, &late);

    if (err)
        return err;
    if (late) {
        m->past->state[seq & MASK] = DROPPED;
        m->holes++;
        return 1;
    }
    advance(m, seq);
    m->past->state[seq & MASK] = DROPPED;
    m->out_next = seq + m->seq_off; /* what was passed on the way stays reserved */
    m->seq_off--;
    return 0;
}

int sl_munge_find(const struct sl_munge *m, uint16_t out_seq, uint64_t *in_seq, uint64_t *out)
{
    uint64_t o, in;

    if (!m->has_source)
        return -ENOENT;
    o = widen(m, out_seq);
    if (o < m->out_start || m->out_next - o > SL_MUNGE_WINDOW)
        return -ENOENT;
    in = m->in_max - (uint16_t)((uint16_t)m->in_max - m->past->in16[o & MASK]);
    if ((int64_t)(in - m->start) < 0 || m->in_max - in >= SL_MUNGE_WINDOW ||
        m->past->state[in & MASK] != MAPPED || m->past->out16[in & MASK] != out_seq)
        return -ENOENT;
    *in_seq = in;
    *out = o;
    return 0;
}
