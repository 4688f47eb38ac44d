#include "base/hist.h"

uint64_t sl_hist_floor(unsigned int bucket)
{
    unsigned int shift;

    if (bucket < 2u << SL_HIST_SUB_BITS)
        return bucket;
    shift = (bucket >> SL_HIST_SUB_BITS) - 1;
    return (uint64_t)(bucket - (shift << SL_HIST_SUB_BITS)) << shift;
}

void sl_hist_since(const struct sl_hist *h, const struct sl_hist *before, struct sl_hist *out)
{
    out->count = h->count - before->count;
    for (unsigned int i = 0; i < SL_HIST_BUCKETS; i++)
        out->bucket[i] = h->bucket[i] - before->bucket[i];
}

uint64_t sl_hist_quantile(const struct sl_hist *h, unsigned int permille)
{
    uint64_t rank = (h->count * permille + 999) / 1000, below = 0;

    if (!h->count)
        return 0;
    if (!rank)
        rank = 1;
    for (unsigned int i = 0; i < SL_HIST_BUCKETS; i++) {
        uint64_t n = h->bucket[i];

        if (below + n >= rank) {
            uint64_t low = sl_hist_floor(i), width = sl_hist_floor(i + 1) - low;

            return low + (width - 1) * (rank - below) / n;
        }
        below += n;
    }
    return SL_HIST_VALUE_MAX;
}
