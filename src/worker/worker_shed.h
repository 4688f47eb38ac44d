/*
 * worker_shed.h - a worker that is short of time sends less: layers of video go down before packets
 * are lost.
 *
 * Once a second: a worker that was busy for longer than media.busy_limit, or whose sockets
 * overflowed, takes a layer from some more of its subscribed videos, the least important first
 * (priority); in SL_SHED_STEPS steps, after half of which everybody has one layer less, and at the
 * end two. When it was calm for a while it gives one step back. What was given back too early is
 * given back later the next time. The lowest layer always goes on, and audio is never touched.
 *
 * Thread: the functions on struct sl_shed are pure.
 */
#ifndef SL_WORKER_WORKER_SHED_H
#define SL_WORKER_WORKER_SHED_H

#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

struct sl_worker;

#define SL_SHED_STEPS     16
#define SL_SHED_CALM      10 /* seconds until a step is given back */
#define SL_SHED_CALM_MAX  80
#define SL_SHED_CALM_PART 75 /* percent of the limit; above it is not calm */

struct sl_shed {
    uint8_t step;
    bool has_eased;        /* the last change gave a step back */
    unsigned int calm;     /* seconds in a row */
    unsigned int patience; /* as many as it takes */
};

/* A second passed. @limit: of @busy, in 1/1000 of a core; 0: off. @is_losing: packets came that
 * were not read in time, which counts when that much is to be done (a burst is no load). */
void sl_shed_second(struct sl_shed *s, unsigned int busy, unsigned int limit, bool is_losing);
/* How many layers a video loses. @rank: how many of 1000 videos are less important. */
int sl_shed_layers(const struct sl_shed *s, unsigned int rank);

/* Once a second, after sl_worker_stats_second. */
void sl_worker_shed(struct sl_worker *w) SL_ON_WORKER;

#endif
