/*
 * hist.h - how often which values came: a histogram with buckets of one eighth of a power of two.
 *
 * Owner: one thread adds; copies are read anywhere. An add costs a bit scan and two increments;
 * nothing is allocated. Values (of any unit) are told with an error of 1/8 at most; those beyond
 * SL_HIST_VALUE_MAX are counted in the last bucket.
 */
#ifndef SL_BASE_HIST_H
#define SL_BASE_HIST_H

#include <stdint.h>

#define SL_HIST_SUB_BITS 3 /* a power of two has 8 buckets */
#define SL_HIST_BITS     24
#define SL_HIST_BUCKETS  ((SL_HIST_BITS - SL_HIST_SUB_BITS + 1) << SL_HIST_SUB_BITS)

#define SL_HIST_VALUE_MAX ((UINT64_C(1) << SL_HIST_BITS) - 1)

struct sl_hist {
    uint64_t count;
    uint64_t bucket[SL_HIST_BUCKETS];
};

static inline unsigned int sl_hist_bucket(uint64_t value)
{
    unsigned int shift;

    if (value > SL_HIST_VALUE_MAX)
        value = SL_HIST_VALUE_MAX;
    if (value < 1u << SL_HIST_SUB_BITS)
        return (unsigned int)value;
    shift = 63 - SL_HIST_SUB_BITS - (unsigned int)__builtin_clzll(value);
    return (shift << SL_HIST_SUB_BITS) + (unsigned int)(value >> shift);
}

static inline void sl_hist_add(struct sl_hist *h, uint64_t value)
{
    h->count++;
    h->bucket[sl_hist_bucket(value)]++;
}

/* The least value of @bucket; of SL_HIST_BUCKETS: one more than the greatest of all. */
uint64_t sl_hist_floor(unsigned int bucket);

/* What came to @h since it was as @before. */
void sl_hist_since(const struct sl_hist *h, const struct sl_hist *before, struct sl_hist *out);

/* The value that @permille of all values do not exceed, by interpolation; 0: there are none. */
uint64_t sl_hist_quantile(const struct sl_hist *h, unsigned int permille);

#endif
