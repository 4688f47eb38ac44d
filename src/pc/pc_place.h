/*
 * pc_place.h - which worker a new peer connection is placed on. Pure.
 *
 * A peer connection stays on its worker for life, so load is balanced by where new ones go. Those
 * of one group (a room) are kept together while their worker has room, so that a packet crosses to
 * another worker as seldom as possible; then they spill to the next worker that has room, always in
 * the same order.
 *
 * Load is CPU time, measured once a second. What was placed since is estimated: as much as those
 * that are there cost on the average, at least SL_PLACE_GUESS.
 */
#ifndef SL_PC_PLACE_H
#define SL_PC_PLACE_H

#include <stdint.h>

#define SL_PLACE_SPILL 700 /* permille of a worker above which it takes no more of a group */
#define SL_PLACE_GUESS 2   /* permille that a new peer connection will take */

struct sl_place {
    unsigned int busy_permille; /* measured */
    uint32_t live;              /* placed there and not closed */
    uint32_t fresh;             /* of these, placed since it was measured */
};

/* @n workers, at least one. @group 0: none, any worker will do. The index. */
unsigned int sl_place_pick(const struct sl_place *w, unsigned int n, uint64_t group);

#endif
