/*
 * bwe_loss.h - is loss a sign of too much, or of a path that loses packets at any rate?
 *
 * Where delay is flat, loss may be a policer or a bad radio link. The rate is lowered on trial: a
 * policer at rate C loses 1 - C/S of S, so that less is lost; where as much is lost as before, the
 * loss is the path's own, the rate comes back, and only what is lost beyond that counts from then
 * on. (Where delay grows, bwe_trend.h decides, and this does nothing; what was lost until the queue
 * is gone is forgotten with it.)
 *
 * Thread: the owner's; pure.  Owner: struct sl_bwe, embedded.
 * Units:  fractions of packets; bits per second; microseconds.
 */
#ifndef SL_BWE_LOSS_H
#define SL_BWE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

struct sl_loss {
    uint32_t reported, lost; /* in the window so far */
    uint64_t since_us;
    double window; /* of the last one */
    double recent; /* of the last ones, smoothed */
    double own;    /* the path's */
    bool on_trial, settled;
    bool queued;                  /* at the last report */
    double trial_loss, trial_bps; /* when it began */
    double trial_estimate;        /* what to go back to */
};

enum sl_loss_verdict {
    SL_LOSS_FINE,
    SL_LOSS_LESS,    /* lower the rate */
    SL_LOSS_RESTORE, /* it was the path's own: go back to trial_estimate */
};

/* What one report told. A packet that arrived after it was reported lost counts as -1. */
void sl_loss_add(struct sl_loss *l, uint32_t reported, int32_t lost);
/* After each report. @sent_bps, @estimate: of now; @queued: delay says that there is a queue. */
enum sl_loss_verdict sl_loss_judge(struct sl_loss *l, double sent_bps, double estimate, bool queued,
                                   uint64_t now_us);
/* What is lost beyond the path's own loss, lately. */
double sl_loss_beyond(const struct sl_loss *l);

#endif
