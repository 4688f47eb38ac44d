/*
 * timer.h - hierarchical timer wheel, 1 ms ticks, intrusive timers; set, cancel and fire are O(1).
 *
 * Owner: one thread. Times are microseconds of sl_now_us(), handed in; the wheel reads no clock.
 * A timer never fires early; it fires at most one tick plus the loop's delay late.
 */
#ifndef SL_BASE_TIMER_H
#define SL_BASE_TIMER_H

#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

struct sl_timer;
typedef void (*sl_timer_fn)(struct sl_timer *t, uint64_t now_us);

struct sl_timer {
    struct sl_list link;
    uint64_t at_us; /* 0: not set */
    sl_timer_fn fn;
    struct sl_wheel *wheel;
};

#define SL_WHEEL_BITS   6
#define SL_WHEEL_LEVELS 6

struct sl_wheel {
    struct sl_list slot[SL_WHEEL_LEVELS][1 << SL_WHEEL_BITS];
    uint64_t pending[SL_WHEEL_LEVELS]; /* bit per slot that may hold timers */
    struct sl_list due;                /* set for the past: fire at the next run */
    struct sl_list far;                /* beyond the last level (2 years) */
    uint64_t tick;                     /* ms handled so far */
    uint64_t count;
};

void sl_wheel_init(struct sl_wheel *w, uint64_t now_us);

void sl_timer_init(struct sl_timer *t, sl_timer_fn fn);
/* (Re)arms @t for @at_us; in the past means at the next sl_wheel_run. */
void sl_timer_set(struct sl_wheel *w, struct sl_timer *t, uint64_t at_us);
void sl_timer_cancel(struct sl_timer *t);
static inline bool sl_timer_is_set(const struct sl_timer *t)
{
    return t->at_us != 0;
}

/* Fires what is due. Callbacks may set and cancel any timer, their own included. */
void sl_wheel_run(struct sl_wheel *w, uint64_t now_us);

/* Milliseconds until the next timer may fire, rounded up; -1: none set. For epoll_wait. */
int sl_wheel_timeout_ms(const struct sl_wheel *w, uint64_t now_us);

#endif
