/*
 * pc_place.h - which worker a new peer connection is placed on. No I/O.
 *
 * A peer connection stays on its worker for life, so load is balanced by where new ones go. Those
 * of one group (a room) are kept together while their worker has room, so that a packet crosses to
 * another worker as seldom as possible; then they spill to the next worker that has room, always in
 * the same order. A group begins where there is least to do, and this is its home until nobody of
 * it is left: few large rooms would be unevenly spread by a hash of their names.
 *
 * Load is CPU time, measured once a second. What was placed since is estimated: as much as those
 * that are there cost on the average, at least SL_PLACE_GUESS.
 */
#ifndef SL_PC_PLACE_H
#define SL_PC_PLACE_H

#include "base/hmap.h"

#define SL_PLACE_SPILL 700 /* permille of a worker above which it takes no more of a group */
#define SL_PLACE_GUESS 2   /* permille that a new peer connection will take */

struct sl_place {
    unsigned int busy_permille; /* measured */
    uint32_t live;              /* placed there and not closed */
    uint32_t fresh;             /* of these, placed since it was measured */
};

/* @n workers, at least one. @home: of its group; -1: any worker will do. The index. */
unsigned int sl_place_pick(const struct sl_place *w, unsigned int n, int home);

/* The homes of groups that somebody is in. */
struct sl_homes {
    struct sl_hmap groups;
};
struct sl_home;

void sl_homes_init(struct sl_homes *h);
void sl_homes_fini(struct sl_homes *h);
/* The worker of one more of @group (0: none), who is counted in *@home until he leaves it. */
unsigned int sl_homes_join(struct sl_homes *h, const struct sl_place *w, unsigned int n,
                           uint64_t group, struct sl_home **home);
void sl_homes_leave(struct sl_homes *h, struct sl_home *home); /* NULL is fine */

#endif
