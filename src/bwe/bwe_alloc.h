/*
 * bwe_alloc.h - which layers of all videos of one subscriber fit into what its path carries.
 *
 * A video's layers are a ladder: of each simulcast substream (or spatial layer) all temporal
 * layers, then without the topmost; of the lowest one also the base layer alone. So what goes first
 * when it gets tight is half of the frames, which needs no key frame, then the size.
 *  - Everybody gets the lowest rung first, in the order of priority; for whom it is not enough
 *    pauses: the least important rather than all.
 *  - Then the more important climb before the less important, those of one priority in turns.
 *  - Climbing takes a tenth more than the rung needs, and some time since the last fall; the more,
 *    the sooner a climb was followed by a fall. Falling takes nothing.
 * Audio is the caller's: what it needs is not in the budget.
 *
 * Thread: the owner's; pure, allocates nothing.  Owner: src/media/, embedded.
 * Units:  bits per second, microseconds.
 */
#ifndef SL_BWE_ALLOC_H
#define SL_BWE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <sluice/types.h>

#define SL_ALLOC_TIDS     3 /* temporal layers that are told apart; the last one is all there are */
#define SL_ALLOC_MARGIN   1.1 /* climbing takes so much more than the rung needs */
#define SL_ALLOC_PAUSED   (-1)
#define SL_ALLOC_PRIORITY 128 /* of those about whom nothing was said */

/* Why a video gets what it gets. */
enum sl_alloc_reason {
    SL_ALLOC_WANTED,    /* all that the subscriber wants */
    SL_ALLOC_NOT_SENT,  /* all that there is; wanted was more */
    SL_ALLOC_BANDWIDTH, /* more would not fit */
    SL_ALLOC_HOLDING,   /* more might fit, but not long enough ago it did not */
    SL_ALLOC_NO_ROOM,   /* paused: others matter more */
};

struct sl_alloc_video {
    /* Given. */
    uint8_t priority;                         /* higher: more important */
    int8_t max_sub, max_tid;                  /* what is wanted at most */
    double bps[SL_LAYERS_MAX][SL_ALLOC_TIDS]; /* a layer with those below; 0: not sent */
    /* Chosen. */
    int8_t sub, tid; /* SL_ALLOC_PAUSED */
    enum sl_alloc_reason reason;
    /* Owned. */
    uint64_t climbed_us, hold_us;
    uint8_t falls;       /* that came soon after a climb, in a row */
    int8_t rung, target; /* during a run */
    uint8_t nrungs;
    struct {
        int8_t sub, tid;
        double bps;
    } ladder[SL_LAYERS_MAX + SL_ALLOC_TIDS + 1];
};

/* Starts with everything that is wanted. */
void sl_alloc_init(struct sl_alloc_video *v, uint8_t priority);

/* What is wanted from now on, at most: tried at once, as far as it fits. */
void sl_alloc_want(struct sl_alloc_video *v, int8_t sub, int8_t tid);

/* Chooses for all. @estimate_bps decides who pauses, @target_bps (which is lower while a queue
 * drains) what the others get. What they take, together. */
double sl_alloc_run(struct sl_alloc_video *const *v, size_t n, double estimate_bps,
                    double target_bps, uint64_t now_us);
/* What all of them could use. */
double sl_alloc_wanted(struct sl_alloc_video *const *v, size_t n);

#endif
