#include "bwe/bwe_loss.h"

#define WINDOW_US   1000000
#define WINDOW_MAX  4000000
#define REPORTS_MIN 60
#define TOO_MUCH    0.08
#define LESS_ENOUGH 0.9  /* of the rate: then the loss can be compared */
#define OWN_MAX     0.25 /* who loses more is better off with less */

void sl_loss_add(struct sl_loss *l, uint32_t reported, int32_t lost)
{
    l->reported += reported;
    if (lost >= 0 || l->lost >= (uint32_t)-lost)
        l->lost += (uint32_t)lost;
    else
        l->lost = 0;
}

double sl_loss_beyond(const struct sl_loss *l)
{
    return l->recent > l->own ? l->recent - l->own : 0;
}

/* Is the loss at the lower rate nearer to what it was than to what a policer would leave? */
static bool is_own(const struct sl_loss *l, double sent_bps)
{
    double policed = 1 - (1 - l->trial_loss) * l->trial_bps / sent_bps;

    if (policed < 0)
        policed = 0;
    return l->window > (l->trial_loss + policed) / 2;
}

static enum sl_loss_verdict judge(struct sl_loss *l, double sent_bps, double estimate, bool queued)
{
    double beyond = sl_loss_beyond(l);

    if (l->recent < l->own)
        l->own += (l->recent - l->own) / 8;
    if (queued || beyond < TOO_MUCH / 2) { /* nothing can be learned, or needs to be */
        l->on_trial = false;
        return SL_LOSS_FINE;
    }
    if (!l->on_trial) {
        if (beyond <= TOO_MUCH)
            return SL_LOSS_FINE;
        l->on_trial = true;
        l->settled = false;
        l->trial_loss = l->recent;
        l->trial_bps = sent_bps;
        l->trial_estimate = estimate;
        return SL_LOSS_LESS;
    }
    if (sent_bps > LESS_ENOUGH * l->trial_bps) {
        l->settled = false;
        return SL_LOSS_LESS;
    }
    if (!l->settled) { /* this window began before there was less */
        l->settled = true;
        return SL_LOSS_FINE;
    }
    l->on_trial = false;
    if (l->window > OWN_MAX || !is_own(l, sent_bps))
        return beyond > TOO_MUCH ? SL_LOSS_LESS : SL_LOSS_FINE;
    l->own = (l->trial_loss + l->window) / 2;
    return SL_LOSS_RESTORE;
}

enum sl_loss_verdict sl_loss_judge(struct sl_loss *l, double sent_bps, double estimate, bool queued,
                                   uint64_t now_us)
{
    uint64_t us = now_us - l->since_us;
    bool drained = l->queued && !queued; /* what overflowed says nothing about the path without */

    l->queued = queued;
    if (drained && l->recent > l->own)
        l->recent = l->own;
    if (drained || (l->since_us && us > 2 * WINDOW_MAX)) /* or nothing was sent meanwhile */
        l->reported = l->lost = 0;
    if (drained || !l->since_us || us > 2 * WINDOW_MAX) {
        l->since_us = now_us;
        return SL_LOSS_FINE;
    }
    if (us < WINDOW_US || (l->reported < REPORTS_MIN && us < WINDOW_MAX))
        return SL_LOSS_FINE;
    l->window = l->reported ? (double)l->lost / l->reported : 0;
    if (l->window > 1)
        l->window = 1;
    l->recent = (l->recent + l->window) / 2; /* one burst is no reason yet */
    l->reported = l->lost = 0;
    l->since_us = now_us;
    return judge(l, sent_bps, estimate, queued);
}
