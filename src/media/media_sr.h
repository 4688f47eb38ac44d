/*
 * media_sr.h - the publisher's clock, from its sender reports to those of our subscribers.
 *
 * Spec:   RFC 3550 sections 6.4.1 (NTP and RTP timestamp pairs) and A.8
 * Thread: the owner's; reads no clock.  Owner: struct sl_sr_src by the source, struct sl_sr_sent by
 *         the sink; embedded.
 * Units:  microseconds since 1900 for NTP times (sl_us_from_ntp), RTP ticks extended to 64 bits.
 *
 * Each source maps its RTP timestamps to the publisher's NTP clock. Reports to subscribers carry
 * that clock, with the munged timestamp, so that audio and video of one publisher stay in sync
 * after any switch.
 */
#ifndef SL_MEDIA_MEDIA_SR_H
#define SL_MEDIA_MEDIA_SR_H

#include <stdbool.h>
#include <stdint.h>

#include "rtcp/rtcp.h"

struct sl_sr_src {
    uint32_t clock_rate;
    bool valid;
    /* The line: capture = ntp_us0 + (ts - ts0) / clock_rate. Moved by each report. */
    uint64_t ts0;
    int64_t ntp_us0;
    /* A report that did not fit: believed when a second one agrees with it. */
    bool doubt;
    uint64_t doubt_ts;
    int64_t doubt_ntp_us;
    /* For our RR. */
    uint32_t lsr;
    uint64_t lsr_us;
    uint64_t refused; /* counter */
};

void sl_sr_src_init(struct sl_sr_src *s, uint32_t clock_rate);

/* A sender report came. @ts: its RTP timestamp extended next to the packets' (sl_ts_peek).
 * 0, or -EINVAL: it does not fit the earlier ones and was not believed yet. */
int sl_sr_src_on_sr(struct sl_sr_src *s, const struct sl_rtcp_sr *sr, uint64_t ts, uint64_t now_us);

/* When the sample with @ts was captured, on the publisher's clock. -EAGAIN before a report. */
int sl_sr_src_capture_us(const struct sl_sr_src *s, uint64_t ts, int64_t *ntp_us);
/* For publishers that send no reports: our own clock @wall_ntp at @now_us, and the newest outgoing
 * timestamp @out_ts that was forwarded at @out_us. */
void sl_sr_make_local(uint32_t clock_rate, uint64_t out_ts, uint64_t out_us, uint64_t wall_ntp,
                      uint64_t now_us, uint64_t *ntp, uint32_t *rtp_ts);

#define SL_SR_SENT 8

/* Reports that we sent: their NTP is not our clock, so the round trip needs their sending time. */
struct sl_sr_sent {
    uint32_t mid[SL_SR_SENT];
    uint64_t at_us[SL_SR_SENT];
    uint8_t next;
};

/* What a round trip was made of, in 1/65536 s: ntp (when the block came) - lsr - dlsr. lsr 0: there
 * was none. */
struct sl_rtt_values {
    uint32_t ntp, lsr, dlsr;
};

void sl_sr_sent_add(struct sl_sr_sent *t, uint64_t ntp, uint64_t now_us);
/* 0 and the round trip, -ENOENT: the block names no report of ours, -ERANGE: nonsense. */
int sl_sr_sent_rtt(const struct sl_sr_sent *t, const struct sl_rtcp_rb *rb, uint64_t now_us,
                   uint64_t *rtt_us);

#endif
