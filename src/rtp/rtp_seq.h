/*
 * rtp_seq.h - sequence numbers (16 bits) and timestamps (32 bits) extended to 64 bits.
 *
 * Spec:   RFC 3550 appendix A.1
 * Thread: any; pure.
 * The low bits of a result are always the number on the wire. A number that begins in the lower
 * half starts one cycle up, so that packets from just before the first one never go below zero.
 */
#ifndef SL_RTP_RTP_SEQ_H
#define SL_RTP_RTP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as { 0 }. */
struct sl_seq {
    uint64_t max; /* highest seen */
    bool started;
};

/* The extended number nearest to the highest one so far; moves the highest one forward. */
uint64_t sl_seq_extend(struct sl_seq *s, uint16_t seq);
/* The same without moving: for numbers that a peer names in feedback. */
uint64_t sl_seq_peek(const struct sl_seq *s, uint16_t seq);

/* Starts as { 0 }. */
struct sl_ts {
    uint64_t max;
    bool started;
};

uint64_t sl_ts_extend(struct sl_ts *s, uint32_t ts);
uint64_t sl_ts_peek(const struct sl_ts *s, uint32_t ts);

/* The 64-bit number with the low 16 or 32 bits @low that is nearest to @ref. */
uint64_t sl_seq_near(uint64_t ref, uint16_t low);
uint64_t sl_ts_near(uint64_t ref, uint32_t low);

#endif
