#include "bwe/bwe_trend.h"

#include <math.h>
#include <string.h>

#define BURST_US     5000   /* sent within this: one group */
#define BURST_MAX_US 100000 /* arrived together for longer: not one group any more */
#define JUMP_US      3000000
#define SMOOTH       0.9
#define GAIN         4.0
#define COUNTED_MAX  60
#define OVER_MS      10.0 /* has to last so long */
#define THRESHOLD    12.5
#define K_UP         0.0087
#define K_DOWN       0.039
#define SPIKE        15.0 /* what is this far above the threshold says nothing about it */

void sl_trend_init(struct sl_trend *t)
{
    memset(t, 0, sizeof(*t));
    t->threshold = THRESHOLD;
}

static void begin_group(struct sl_trend *t, uint64_t send_us, int64_t arrival_us)
{
    t->cur = (struct sl_trend_group){ send_us, send_us, arrival_us, arrival_us };
    t->has_cur = true;
}

/* What was sent in a burst, and what came in a burst though it was sent apart (something on the way
 * held it back), is one measurement. */
static bool is_in_group(const struct sl_trend_group *g, uint64_t send_us, int64_t arrival_us)
{
    int64_t later_us = arrival_us - g->last_arrival_us;

    if (send_us - g->first_send_us <= BURST_US)
        return true;
    return later_us <= BURST_US && later_us < (int64_t)(send_us - g->last_send_us) &&
           arrival_us - g->first_arrival_us < BURST_MAX_US;
}

static double fit(const struct sl_trend *t)
{
    unsigned int n = t->npoints < SL_TREND_WINDOW ? t->npoints : SL_TREND_WINDOW;
    double mx = 0, my = 0, num = 0, den = 0;

    for (unsigned int i = 0; i < n; i++) {
        mx += t->point[i].arrival_ms / n;
        my += t->point[i].delay_ms / n;
    }
    for (unsigned int i = 0; i < n; i++) {
        double dx = t->point[i].arrival_ms - mx;

        num += dx * (t->point[i].delay_ms - my);
        den += dx * dx;
    }
    return den > 0 ? num / den : 0;
}

static void adapt(struct sl_trend *t, double trend, int64_t now_us)
{
    double ms = (double)(now_us - t->adapted_us) / 1000;

    t->adapted_us = now_us;
    if (fabs(trend) > t->threshold + SPIKE)
        return;
    ms = ms > 100 ? 100 : ms < 0 ? 0 : ms;
    t->threshold +=
        (fabs(trend) < t->threshold ? K_DOWN : K_UP) * (fabs(trend) - t->threshold) * ms;
    t->threshold = t->threshold < 6 ? 6 : t->threshold > 600 ? 600 : t->threshold;
}

static void detect(struct sl_trend *t, double slope, double send_ms, int64_t now_us)
{
    double counted = t->npoints < COUNTED_MAX ? t->npoints : COUNTED_MAX;
    double trend = slope * counted * GAIN;

    if (trend > t->threshold) {
        t->over_ms += t->over_count ? send_ms : send_ms / 2;
        t->over_count++;
        if (t->over_ms > OVER_MS && t->over_count > 1 && slope >= t->slope)
            t->usage = SL_USAGE_OVER;
    } else {
        t->over_ms = 0;
        t->over_count = 0;
        t->usage = trend < -t->threshold ? SL_USAGE_UNDER : SL_USAGE_NORMAL;
    }
    t->slope = slope;
    adapt(t, trend, now_us);
}

static void compare_groups(struct sl_trend *t)
{
    double send_ms = (double)(t->cur.last_send_us - t->prev.last_send_us) / 1000;
    double arrival_ms = (double)(t->cur.last_arrival_us - t->prev.last_arrival_us) / 1000;
    int64_t now_us = t->cur.last_arrival_us;
    unsigned int at = t->npoints % SL_TREND_WINDOW;

    if (arrival_ms < 0) /* overtaken */
        return;
    if (arrival_ms * 1000 > JUMP_US || send_ms * 1000 > JUMP_US) {
        sl_trend_init(t);
        return;
    }
    if (!t->npoints)
        t->start_us = t->adapted_us = now_us;
    t->delay_ms += arrival_ms - send_ms;
    t->smooth_ms = SMOOTH * t->smooth_ms + (1 - SMOOTH) * t->delay_ms;
    t->point[at].arrival_ms = (double)(now_us - t->start_us) / 1000;
    t->point[at].delay_ms = t->smooth_ms;
    t->npoints++;
    detect(t, t->npoints < SL_TREND_WINDOW ? t->slope : fit(t), send_ms, now_us);
}

void sl_trend_add(struct sl_trend *t, uint64_t send_us, int64_t arrival_us)
{
    if (!t->has_cur) {
        begin_group(t, send_us, arrival_us);
        return;
    }
    if (send_us < t->cur.first_send_us)
        return;
    if (is_in_group(&t->cur, send_us, arrival_us)) {
        t->cur.last_send_us = send_us;
        if (arrival_us > t->cur.last_arrival_us)
            t->cur.last_arrival_us = arrival_us;
        return;
    }
    if (t->has_prev)
        compare_groups(t);
    if (t->has_cur) { /* a jump in time begins anew */
        t->prev = t->cur;
        t->has_prev = true;
    }
    begin_group(t, send_us, arrival_us);
}
