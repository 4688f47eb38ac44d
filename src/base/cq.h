/*
 * cq.h - the control thread's queue: calls posted by other threads, and its timers.
 *
 * Thread: sl_cq_post from any thread; all else control.
 * Owner: src/control/ (or a test), which turns it: sleep (sl_cq_wait), then sl_cq_run.
 * Units: microseconds of sl_now_us(). Code on the control thread takes the time from @now_us, which
 * is set once per turn, so tests turn the queue with a clock of their own.
 */
#ifndef SL_CQ_H
#define SL_CQ_H

#include "base/door.h"
#include "base/mailbox.h"
#include "base/role.h"
#include "base/timer.h"

struct sl_cq {
    struct sl_door door;
    struct sl_mailbox box;
    struct sl_wheel wheel;
    uint64_t now_us; /* of this turn */
};

int sl_cq_init(struct sl_cq *q, uint64_t now_us); /* 0 or -errno */
/* Runs what is still posted, then frees. Senders must have stopped. */
void sl_cq_fini(struct sl_cq *q) SL_ON_CONTROL;

void sl_cq_post(struct sl_cq *q, struct sl_cq_mail *m);

/* One turn: all posted calls, then the timers that are due at @now_us. */
void sl_cq_run(struct sl_cq *q, uint64_t now_us) SL_ON_CONTROL;
/* Sleeps until there is something to run, a timer is due, or @fd (-1: none) is readable. True when
 * @fd is. */
bool sl_cq_wait(struct sl_cq *q, int fd) SL_ON_CONTROL;

#endif
