/*
 * bwe_pace.h - how much may leave now, so that a big frame does not overrun a thin path.
 *
 * A frame comes from its publisher at once, and would leave at once. Where the path carries it in a
 * few milliseconds that is what it should do: one message to the kernel. Where the path is known to
 * carry little, a frame is a queue of its own: it delays the audio behind it, and its end is lost
 * where buffers are short. There it leaves in portions of SL_PACE_BURST_US.
 *
 * Nothing is lost here: what would wait longer than SL_PACE_MAX_US makes all leave faster, so the
 * queue is bounded in time, and what cannot be carried is lost where it always was, on the path.
 *
 * Thread: the owner's; pure, allocates nothing.  Owner: the connection, embedded.
 * Units:  bytes as on the wire, bits per second, microseconds of the owner's clock.
 */
#ifndef SL_BWE_PACE_H
#define SL_BWE_PACE_H

#include <stddef.h>
#include <stdint.h>

#define SL_PACE_STEP_US  UINT64_C(5000)   /* ask so often while something waits */
#define SL_PACE_BURST_US UINT64_C(10000)  /* what the path carries in it may leave at once */
#define SL_PACE_MAX_US   UINT64_C(250000) /* what came leaves until then */

struct sl_pace {
    double bps;     /* sl_bwe_pace_bps; 0: everything leaves at once */
    double ahead;   /* bytes that left before their time */
    uint64_t at_us; /* as of when */
};

/* Bytes that may leave now: whole packets while it is above zero, so that the last one may be
 * longer. @waiting: of all that would leave; @oldest_us: when the first of it came. */
size_t sl_pace_may(struct sl_pace *p, size_t waiting, uint64_t oldest_us, uint64_t now_us);
/* So much left; also what was not asked for (audio, reports). */
void sl_pace_on_sent(struct sl_pace *p, size_t bytes);

#endif
