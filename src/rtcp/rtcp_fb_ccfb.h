/*
 * rtcp_fb_ccfb.h - reads and writes congestion control feedback: which packets of which streams
 * arrived, and when.
 *
 * Spec:   RFC 8888 section 3.1
 * Thread: any; pure.  Allocates nothing.
 * Units:  report timestamps are the middle 32 bits of an NTP time (1/65536 s), arrivals 1/1024 s
 *         before them.
 */
#ifndef SL_RTCP_RTCP_FB_CCFB_H
#define SL_RTCP_RTCP_FB_CCFB_H

#include "rtcp/rtcp.h"

#define SL_CCFB_STREAM_MAX 16384 /* packets of one stream in a message */

/* What is told of one packet, as it is on the wire. */
#define SL_CCFB_ARRIVED 0x8000
#define SL_CCFB_ECN     0x6000 /* mask */
#define SL_CCFB_OFFSET  0x1fff /* mask: 1/1024 s before the report; or one of: */
#define SL_CCFB_TOO_OLD 0x1ffe /* 8 s and more */
#define SL_CCFB_NO_TIME 0x1fff
#define SL_CCFB_LONGEST 0x1ffd

/* The middle 32 bits of an NTP time that began with @us. */
static inline uint32_t sl_ccfb_stamp(uint64_t us)
{
    return (uint32_t)((us / 1000000) << 16 | (us % 1000000 * 65536 / 1000000));
}

/* Writing: _open, a _stream for each, _close. False: there was no room for the stream, and nothing
 * of it is written; what was before stays good. @metric: of @n packets from @begin_seq on. */
uint8_t *sl_ccfb_open(struct sl_writer *w, uint32_t sender);
bool sl_ccfb_stream(struct sl_writer *w, uint32_t ssrc, uint16_t begin_seq, const uint16_t *metric,
                    size_t n);
void sl_ccfb_close(struct sl_writer *w, uint8_t *opened, uint32_t stamp);
/* The bytes of a message without streams, and of a stream with so many packets. */
#define SL_CCFB_FIXED         12
#define SL_CCFB_STREAM_LEN(n) (8 + ((n) + ((n)&1)) * 2)

struct sl_ccfb_it {
    uint32_t sender;
    uint32_t stamp;
    /* private */
    const uint8_t *p, *end;
    uint32_t ssrc;
    uint16_t seq;
    uint32_t left; /* of this stream */
    bool odd;
};

struct sl_ccfb_status {
    uint32_t ssrc;
    uint16_t seq;
    uint16_t metric;
    bool arrived, has_time;
    int64_t arrival_us; /* on the receiver's clock, which wraps after 18 hours; may be negative */
};

/* Begins reading. 0 or -EBADMSG. The whole message is checked here. */
int sl_ccfb_begin(const struct sl_rtcp_pkt *p, struct sl_ccfb_it *it);
/* true and the next status, false at the end. */
bool sl_ccfb_next(struct sl_ccfb_it *it, struct sl_ccfb_status *out);

#endif
