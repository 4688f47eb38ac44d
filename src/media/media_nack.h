/*
 * media_nack.h - which packets of a source are missing, and when to ask for them.
 *
 * Spec:   RFC 4585 section 6.2.1
 * Thread: the owner's; reads no clock, allocates nothing.  Owner: the source, embedded.
 * Units:  extended sequence numbers; microseconds.
 *
 * A gap is asked for after a reordering tolerance, again after each round trip, and
 * given up after SL_NACK_TRIES or max_age_us. The start of a key frame clears what is older. The
 * round trip is learned from what comes again after one request.
 */
#ifndef SL_MEDIA_MEDIA_NACK_H
#define SL_MEDIA_MEDIA_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_NACK_MAX   256 /* missing packets tracked; beyond it the oldest are given up */
#define SL_NACK_GAP   512 /* a jump by more is a restart of the sender, not a loss */
#define SL_NACK_TRIES 10

struct sl_nack_entry {
    uint64_t seq;
    uint64_t due_us;
    uint64_t seen_us;  /* when the gap was seen */
    uint64_t asked_us; /* last; with tries */
    uint8_t tries;
};

struct sl_nack {
    /* Given. */
    uint64_t reorder_us; /* tolerance before the first request */
    uint64_t max_age_us;
    /* Owned. */
    uint64_t rtt_us, least_us; /* as measured: lately at most, and at least (0: not yet) */
    uint64_t max;              /* highest seq seen */
    bool started;
    uint16_t n;
    struct sl_nack_entry e[SL_NACK_MAX]; /* ascending by seq */
    /* Counters. */
    uint64_t missing;   /* gaps seen, in packets */
    uint64_t recovered; /* came after all (late or retransmitted) */
    uint64_t lost;      /* given up */
    uint64_t cleared;   /* not needed any more: older than a key frame */
    uint64_t asked;     /* sequence numbers put into NACKs */
};

/* Defaults: 12 ms of tolerance, 1 s of age, 100 ms of round trip until one was measured. */
void sl_nack_init(struct sl_nack *n);
/* Another SSRC of the same sender: as _init, but the round trip is known. */
void sl_nack_restart(struct sl_nack *n);

/* @seq comes as a retransmission: call before _on_packet. */
void sl_nack_on_resent(struct sl_nack *n, uint64_t seq, uint64_t now_us);
/* A packet arrived; @key: it begins a key frame. Returns true when it was missing until now. */
bool sl_nack_on_packet(struct sl_nack *n, uint64_t seq, bool key, uint64_t now_us);

/* When sl_nack_due has work; UINT64_MAX: nothing missing. */
uint64_t sl_nack_next_us(const struct sl_nack *n);

/* Sequence numbers to ask for now, ascending, at most @max; counts them as asked and gives up
 * those that were asked often enough. */
size_t sl_nack_due(struct sl_nack *n, uint64_t now_us, uint16_t *seqs, size_t max);

#endif
