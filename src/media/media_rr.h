/*
 * media_rr.h - reception statistics of a source, for its receiver reports.
 *
 * Spec:   RFC 3550 sections 6.4.1, A.1, A.3, A.8
 * Thread: the owner's; reads no clock.  Owner: the source, embedded.
 * Units:  microseconds; jitter in RTP ticks.
 */
#ifndef SL_MEDIA_MEDIA_RR_H
#define SL_MEDIA_MEDIA_RR_H

#include <stdbool.h>
#include <stdint.h>

#include "rtcp/rtcp.h"

struct sl_rr {
    uint32_t clock_rate;
    bool started;
    uint64_t base;   /* first extended seq */
    uint64_t origin; /* its bits above 16, which were no cycles yet */
    uint64_t max;
    uint64_t received;
    uint64_t expected_prior, received_prior;
    uint64_t transit; /* relative, ticks */
    uint32_t last_ts;
    uint32_t jitter16; /* jitter * 16 */
};

void sl_rr_init(struct sl_rr *r, uint32_t clock_rate);
/* A packet of the primary SSRC arrived (not: recovered by RTX). @ts as on the wire. */
void sl_rr_on_packet(struct sl_rr *r, uint64_t seq, uint32_t ts, uint64_t now_us);
/* Fills the block and begins the next interval. @lsr, @lsr_us: middle NTP bits of the last SR and
 * when it came; 0: none. 0 or -EAGAIN before the first packet. */
int sl_rr_report(struct sl_rr *r, uint32_t ssrc, uint32_t lsr, uint64_t lsr_us, uint64_t now_us,
                 struct sl_rtcp_rb *out);
/* Without beginning an interval: for statistics. */
int64_t sl_rr_lost(const struct sl_rr *r);
uint32_t sl_rr_jitter_us(const struct sl_rr *r);

#endif
