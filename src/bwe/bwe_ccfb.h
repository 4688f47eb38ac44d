/*
 * bwe_ccfb.h - RFC 8888 reports for the estimator, which knows packets by one number for all
 * streams: what a packet of a stream was numbered is remembered here.
 *
 * Thread: the owner's; pure.  Owner: the peer connection, for peers without transport-cc.
 */
#ifndef SL_BWE_CCFB_H
#define SL_BWE_CCFB_H

#include "bwe/bwe.h"

#define SL_BWE_CCFB_MAX SL_BWE_HISTORY_MAX /* packets remembered */

struct sl_bwe_ccfb {
    struct {
        uint32_t ssrc;
        uint16_t seq, number;
        bool used;
    } slot[SL_BWE_CCFB_MAX];
};

/* The packet @seq of @ssrc goes out as @number (sl_bwe_on_sent). One that falls on the place of
 * another makes that one unknown. */
void sl_bwe_ccfb_on_sent(struct sl_bwe_ccfb *c, uint32_t ssrc, uint16_t seq, uint16_t number);
/* One report. 0 or -EBADMSG; packets that are unknown or were reported are passed over. */
int sl_bwe_on_ccfb(struct sl_bwe *b, const struct sl_bwe_ccfb *c, const struct sl_rtcp_pkt *p,
                   uint64_t now_us);

#endif
