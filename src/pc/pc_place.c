#include "pc/pc_place.h"

#include "base/list.h"

#include <stdbool.h>
#include <stdlib.h>

#define NEAR 50 /* permille: loads that differ less are alike */

static unsigned int expected(const struct sl_place *w)
{
    uint32_t old = w->live > w->fresh ? w->live - w->fresh : 0;
    uint64_t each = old ? w->busy_permille / old : 0;

    return w->busy_permille +
           (unsigned int)((each > SL_PLACE_GUESS ? each : SL_PLACE_GUESS) * w->fresh);
}

static bool is_better(const struct sl_place *a, const struct sl_place *b)
{
    unsigned int load_a = expected(a), load_b = expected(b);

    if (load_a + NEAR < load_b || load_b + NEAR < load_a)
        return load_a < load_b;
    return a->live < b->live;
}

unsigned int sl_place_pick(const struct sl_place *w, unsigned int n, int home)
{
    unsigned int first = home < 0 ? 0 : (unsigned int)home, best = first;

    for (unsigned int i = 0; i < n; i++) {
        unsigned int at = (first + i) % n;

        if (home >= 0 && expected(&w[at]) < SL_PLACE_SPILL)
            return at;
        if (is_better(&w[at], &w[best]))
            best = at;
    }
    return best;
}

/* ---- homes ----------------------------------------------------------------------------------- */

struct sl_home {
    struct sl_hnode node;
    uint64_t group;
    unsigned int worker;
    uint32_t live;
};

void sl_homes_init(struct sl_homes *h)
{
    sl_hmap_init(&h->groups);
}

void sl_homes_fini(struct sl_homes *h)
{
    for (size_t i = 0; i < h->groups.nbuckets; i++)
        while (h->groups.buckets[i]) {
            struct sl_home *home = sl_container(h->groups.buckets[i], struct sl_home, node);

            sl_hmap_del(&h->groups, &home->node);
            free(home);
        }
    sl_hmap_fini(&h->groups);
}

static struct sl_home *find(const struct sl_homes *h, uint64_t group)
{
    struct sl_hnode *n = sl_hmap_first(&h->groups, sl_hash_u64(group));

    while (n && sl_container(n, struct sl_home, node)->group != group)
        n = sl_hmap_next(n);
    return n ? sl_container(n, struct sl_home, node) : NULL;
}

unsigned int sl_homes_join(struct sl_homes *h, const struct sl_place *w, unsigned int n,
                           uint64_t group, struct sl_home **home)
{
    struct sl_home *at = group ? find(h, group) : NULL;
    unsigned int worker = sl_place_pick(w, n, at ? (int)at->worker : -1);

    if (group && !at) {
        at = calloc(1, sizeof(*at));
        if (at && sl_hmap_add(&h->groups, &at->node, sl_hash_u64(group)) < 0) {
            free(at); /* without a home it is placed as others are */
            at = NULL;
        }
        if (at) {
            at->group = group;
            at->worker = worker;
        }
    }
    if (at)
        at->live++;
    *home = at;
    return worker;
}

void sl_homes_leave(struct sl_homes *h, struct sl_home *home)
{
    if (!home || --home->live > 0)
        return;
    sl_hmap_del(&h->groups, &home->node);
    free(home);
}
