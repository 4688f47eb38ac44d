/*
 * bwe_trend.h - does the queue of the path grow? From when packets were sent and when they arrived.
 *
 * Spec:   draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4 (groups, adaptive threshold), with the
 *         trendline (a line fitted to the smoothed delay) in place of the Kalman filter
 * Thread: the owner's; pure.  Owner: struct sl_bwe, embedded.
 * Units:  microseconds; the two clocks differ by a constant, which does not matter.
 */
#ifndef SL_BWE_TREND_H
#define SL_BWE_TREND_H

#include <stdbool.h>
#include <stdint.h>

#define SL_TREND_WINDOW 20 /* groups that the line is fitted to */

enum sl_usage { SL_USAGE_NORMAL, SL_USAGE_OVER, SL_USAGE_UNDER };

struct sl_trend_group {
    uint64_t first_send_us, last_send_us;
    int64_t first_arrival_us, last_arrival_us;
};

struct sl_trend {
    struct sl_trend_group cur, prev;
    bool has_cur, has_prev;
    double delay_ms, smooth_ms; /* summed differences */
    struct {
        double arrival_ms, delay_ms;
    } point[SL_TREND_WINDOW];
    unsigned int npoints; /* so far; the next place modulo SL_TREND_WINDOW */
    int64_t start_us;
    double slope; /* of the line: 0.1 is 100 ms more of delay per second */
    double threshold;
    int64_t adapted_us;
    double over_ms; /* above the threshold for so long */
    unsigned int over_count;
    enum sl_usage usage;
};

void sl_trend_init(struct sl_trend *t);
/* One packet that arrived, in the order of sending. */
void sl_trend_add(struct sl_trend *t, uint64_t send_us, int64_t arrival_us);

#endif
