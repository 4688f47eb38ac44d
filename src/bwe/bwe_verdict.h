/*
 * bwe_verdict.h - why a subscriber gets of one m-line what it gets.
 *
 * Thread: any; pure.
 * Units:  percent; layers by number, 0 the lowest.
 *
 * The cause that is nearest to the receiver counts: what its own application asked for not to come
 * at all, then what keeps layers from it (the server's load, its link), then what damages what
 * comes, then what there is, and last what it asked for as a maximum.
 */
#ifndef SL_BWE_VERDICT_H
#define SL_BWE_VERDICT_H

#include "bwe/bwe_alloc.h"
#include <sluice/quality.h>

#define SL_VERDICT_LOSS        5.0 /* percent on the way to the receiver that matter */
#define SL_VERDICT_SENDER_LOSS 2.0 /* and of what could not be repaired before */

struct sl_verdict_in {
    bool paused, hidden;
    bool known;                 /* what is sent was measured */
    uint8_t top;                /* the highest layer that was negotiated */
    uint8_t sent, seen;         /* bit per layer: now, and ever */
    int8_t max, size, load;     /* highest layers that are allowed: on request, by size, by load */
    int8_t max_tid;             /* SL_ALLOC_TIDS - 1: all */
    enum sl_alloc_reason alloc; /* SL_ALLOC_WANTED where nothing is chosen from */
    double loss, sender_loss;
};

enum sl_reason sl_verdict_reason(const struct sl_verdict_in *in);
/* The layer that would be, if only the receiver were asked. */
int8_t sl_verdict_wanted(const struct sl_verdict_in *in);

#endif
