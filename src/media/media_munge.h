/*
 * media_munge.h - gives a subscriber one continuous numbering across source and layer switches.
 *
 * Spec:   RFC 3550 section 5.1 (sequence number, timestamp)
 * Thread: the owner's; reads no clock, allocates nothing.  Owner: the sink, embedded.
 * Units:  seq and ts extended to 64 bits on both sides (rtp_seq.h); low bits go on the wire;
 *         times in microseconds.
 *
 * For every packet of the current source, in the order of arrival, call exactly one of _map (it is
 * forwarded) and _drop (it is left out on purpose: the gap is closed). Packets of other sources
 * and layers are not told. No output number is ever given twice (under one key a repeated index
 * would break SRTP), and the numbering never restarts: keep the struct as long as the SSRC lives.
 * An input that jumps ahead by more than 2048 was restarted: the output goes on without the gap.
 */
#ifndef SL_MEDIA_MEDIA_MUNGE_H
#define SL_MEDIA_MEDIA_MUNGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_MUNGE_WINDOW  512 /* packets that reordering and retransmission may reach back */
#define SL_MUNGE_UNKNOWN INT64_MIN

struct sl_seqts {
    uint64_t seq;
    uint64_t ts;
};

/* What is remembered of the window. */
struct sl_munge_past {
    uint8_t state[SL_MUNGE_WINDOW];  /* by input seq */
    uint16_t out16[SL_MUNGE_WINDOW]; /* by input seq */
    uint16_t in16[SL_MUNGE_WINDOW];  /* by output seq */
};

struct sl_munge {
    struct sl_munge_past *past; /* given before the first switch, outlives us */
    uint32_t clock_rate;
    bool has_source;  /* a first switch was made */
    bool fresh;       /* nothing mapped since the last switch */
    uint64_t start;   /* first input seq of the current source */
    uint64_t in_max;  /* highest input seq told */
    uint64_t seq_off; /* out = in + seq_off, modulo 2^64, for packets after in_max */
    uint64_t ts_off;
    uint64_t ts_start;         /* input timestamp that the current source began with ... */
    uint64_t ts_least;         /* ... which is not to become less than this ... */
    uint64_t ts_tight;         /* ... and ticks until ts_off alone makes up for it */
    uint64_t out_next;         /* next unused output seq; all below are used or reserved */
    uint64_t out_ts;           /* highest output timestamp */
    uint64_t out_line;         /* what ts_off alone made of it */
    uint64_t out_ts_us;        /* when its packet came */
    uint64_t out_start;        /* first output seq of the current source */
    uint64_t late, dup, holes; /* counters */
};

/* @first_seq, @first_ts: random starts chosen by the caller; first_seq below 2^15 (RFC 3711
 * section 3.3.1: a lost first packet must not cost the receiver the roll-over count). */
void sl_munge_init(struct sl_munge *m, uint32_t clock_rate, uint16_t first_seq, uint32_t first_ts);

/* From now on packets come from another source or layer, beginning with the input packet @first
 * (that of a key frame, or any audio packet). Output goes on with the next number; the timestamp
 * advances by @elapsed_us of capture time since the newest frame forwarded before (by the
 * publisher's clock, media_sr.h), or SL_MUNGE_UNKNOWN: by the time
 * since that frame came. @now_us: when packet @first came.
 *
 * A source that is replayed begins before that newest frame: the difference is negative, down to
 * -SL_MUNGE_BACK_US. The timestamps still advance: those that would not are squeezed into as few
 * ticks as it takes, 256 into one, until the source is past that frame; so it is shown in time. */
#define SL_MUNGE_BACK_US 6000000
void sl_munge_switch(struct sl_munge *m, struct sl_seqts first, int64_t elapsed_us,
                     uint64_t now_us);

/* Maps @in, which came at @now_us, to the subscriber's numbering; @out is written on success only.
 * 0; -EAGAIN: older than the last switch or the window, drop it; -EEXIST: this one was mapped or
 * dropped before (a retransmission that was not needed); -ENOTCONN: no source yet. */
int sl_munge_map(struct sl_munge *m, struct sl_seqts in, uint64_t now_us, struct sl_seqts *out);

/* @seq is left out on purpose. 0: later packets close the gap. 1: it came late, its number was
 * reserved and stays a hole. -EAGAIN, -EEXIST, -ENOTCONN as above. */
int sl_munge_drop(struct sl_munge *m, uint64_t seq);

/* For NACKs from the subscriber: which input packet went out as @out_seq, and under which numbers.
 * 0; -ENOENT: own packet, hole, never sent, or older than the window or the last switch. */
int sl_munge_find(const struct sl_munge *m, uint16_t out_seq, uint64_t *in_seq, uint64_t *out);

/* The clock of the current source, for sender reports: out = in + this, modulo 2^64. Valid until
 * the next switch. */
static inline uint64_t sl_munge_ts_off(const struct sl_munge *m)
{
    return m->ts_off;
}

/* Output timestamp of an input timestamp of the current source. */
static inline uint64_t sl_munge_ts(const struct sl_munge *m, uint64_t ts)
{
    uint64_t since = ts - m->ts_start, out = ts + m->ts_off;

    if (since < m->ts_tight && (int64_t)(m->ts_least + since / 256 - out) > 0)
        return m->ts_least + since / 256;
    return out;
}

#endif
