/*
 * load_stats.h - what is counted: a histogram of latencies, and the tally of one group of
 * receivers.
 *
 * Thread: the loop's.  Units: nanoseconds of CLOCK_REALTIME.
 */
#ifndef TESTS_LOAD_STATS_H
#define TESTS_LOAD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_HIST_SUB  64 /* steps in a power of two: 1.6 % */
#define LOAD_HIST_BITS 40 /* up to 18 minutes */

struct load_hist {
    uint32_t n[(LOAD_HIST_BITS - 6) * LOAD_HIST_SUB];
    uint64_t count, max;
};

void load_hist_add(struct load_hist *h, uint64_t ns);
/* The value that the share @q (0..1) stays below; 0 when there is none. */
uint64_t load_hist_at(const struct load_hist *h, double q);

/* Only packets whose stamp is in [from_ns, to_ns) count, so that what was sent and what has
 * arrived are about the same packets. */
struct load_tally {
    uint64_t from_ns, to_ns;
    uint64_t sent;      /* by publishers, all streams */
    uint64_t expected;  /* sent, times who should get it */
    uint64_t delivered; /* to receivers, each once */
    uint64_t bytes;     /* of these, RTP payload */
    uint64_t repaired;  /* of these, by RTX or sent again after a NACK */
    uint64_t duplicates;
    uint64_t unreadable;  /* failed authentication, or no stamp in it */
    uint64_t holes;       /* numbers skipped in a stream, as far as later ones came */
    uint64_t dropped;     /* by ourselves: --loss */
    uint64_t overflowed;  /* by the kernel, at receivers that were not read in time */
    uint64_t nacks, plis; /* numbers asked for; key frames that publishers were asked for */
    uint64_t padding;     /* bytes of RTP padding */
    struct load_hist latency;
};

static inline bool load_tally_wants(const struct load_tally *t, uint64_t stamp_ns)
{
    return stamp_ns >= t->from_ns && stamp_ns < t->to_ns;
}

uint64_t load_wall_ns(void);

#endif
