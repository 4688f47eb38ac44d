/*
 * rtcp_ccfb.h - receiver side of RFC 8888: remembers arrivals by stream, tells when and what to
 * report. For peers that do not know transport-cc (rtcp_twcc.h).
 *
 * Thread: the owner's; reads no clock.  Owner: the peer connection.
 * Units:  microseconds.
 */
#ifndef SL_RTCP_RTCP_CCFB_H
#define SL_RTCP_RTCP_CCFB_H

#include "rtcp/rtcp_fb_ccfb.h"
#include "rtp/rtp_seq.h"

#define SL_CCFB_STREAMS 16  /* the one silent for longest makes room */
#define SL_CCFB_WINDOW  256 /* numbers of a stream that are remembered; a power of two */

struct sl_ccfb_rx {
    struct sl_ccfb_stream_rx {
        uint32_t ssrc;
        bool used;
        struct sl_seq seq;
        uint64_t next;                    /* first number that the next report is about */
        uint64_t last_us;                 /* newest arrival */
        uint64_t arrival[SL_CCFB_WINDOW]; /* by number; 0: not there */
        uint32_t pending;                 /* arrivals that were not told */
    } stream[SL_CCFB_STREAMS];
    uint64_t period_us;
    uint64_t sent_us;
    uint32_t pending; /* of all */
};

void sl_ccfb_rx_init(struct sl_ccfb_rx *rx, uint64_t period_us);
void sl_ccfb_rx_add(struct sl_ccfb_rx *rx, uint32_t ssrc, uint16_t seq, uint64_t now_us);
/* When a report is to be sent; UINT64_MAX: nothing to tell. */
uint64_t sl_ccfb_rx_due_us(const struct sl_ccfb_rx *rx);
/* Writes one message; true: there is more to tell. */
bool sl_ccfb_rx_write(struct sl_ccfb_rx *rx, struct sl_writer *w, uint32_t sender, uint64_t now_us);

#endif
