#include "bwe/bwe_rate.h"

#include <string.h>

#define MASK        (SL_RATE_BUCKETS - 1)
#define BUCKETS_MIN 5 /* 100 ms */
#define PACKETS_MIN 10
#define NEWEST_MAX  25 /* 500 ms */

void sl_rate_add(struct sl_rate *r, uint32_t bytes, uint64_t at_us)
{
    uint64_t n = at_us / SL_RATE_BUCKET_US;

    if (!r->newest || n >= r->newest + SL_RATE_BUCKETS) {
        memset(r->bucket, 0, sizeof(r->bucket));
        r->newest = r->oldest = n;
    }
    for (; r->newest < n; r->newest++)
        memset(&r->bucket[(r->newest + 1) & MASK], 0, sizeof(r->bucket[0]));
    if (n + SL_RATE_BUCKETS <= r->newest)
        return;
    if (n < r->oldest)
        r->oldest = n;
    r->bucket[n & MASK].bytes += bytes;
    r->bucket[n & MASK].packets++;
}

/* Of @n whole buckets up to @last. */
static double over(const struct sl_rate *r, uint64_t last, uint64_t n)
{
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < n && i <= last; i++)
        if (last - i <= r->newest && last - i + SL_RATE_BUCKETS > r->newest)
            bytes += r->bucket[(last - i) & MASK].bytes;
    return (double)bytes * 8e6 / (double)(n * SL_RATE_BUCKET_US);
}

double sl_rate_bps(const struct sl_rate *r, uint64_t window_us, uint64_t now_us)
{
    uint64_t now = now_us / SL_RATE_BUCKET_US, n = window_us / SL_RATE_BUCKET_US, have;

    if (!r->newest || !now || now < r->oldest)
        return 0;
    have = now - r->oldest; /* the bucket of this moment is not full yet */
    if (n > have)
        n = have;
    if (n < BUCKETS_MIN)
        n = BUCKETS_MIN;
    return over(r, now - 1, n);
}

double sl_rate_newest_bps(const struct sl_rate *r)
{
    uint64_t n = 0, packets = 0;

    if (!r->newest)
        return 0;
    while (n < NEWEST_MAX && r->newest - n > r->oldest &&
           (n < BUCKETS_MIN || packets < PACKETS_MIN)) {
        n++;
        packets += r->bucket[(r->newest - n) & MASK].packets;
    }
    return n < BUCKETS_MIN ? 0 : over(r, r->newest - 1, n);
}
