#include "pc/pc_place.h"

#include "base/hmap.h"

#include <stdbool.h>

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

unsigned int sl_place_pick(const struct sl_place *w, unsigned int n, uint64_t group)
{
    unsigned int home = group ? (unsigned int)(sl_hash_u64(group) % n) : 0, best = home;

    for (unsigned int i = 0; i < n; i++) {
        unsigned int at = (home + i) % n;

        if (group && expected(&w[at]) < SL_PLACE_SPILL)
            return at;
        if (is_better(&w[at], &w[best]))
            best = at;
    }
    return best;
}
