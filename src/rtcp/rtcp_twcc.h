/*
 * rtcp_twcc.h - receiver side of transport-cc: remembers arrivals, tells when and what to report.
 *
 * Spec:   draft-holmer-rmcat-transport-wide-cc-extensions-01
 * Thread: the owner's; reads no clock.  Owner: the peer connection, embedded.
 * Units:  microseconds.
 */
#ifndef SL_RTCP_RTCP_TWCC_H
#define SL_RTCP_RTCP_TWCC_H

#include "rtcp/rtcp_fb_twcc.h"
#include "rtp/rtp_seq.h"

#define SL_TWCC_WINDOW 1024 /* sequence numbers remembered; power of two */

struct sl_twcc_rx {
    struct sl_seq seq;
    uint64_t arrival[SL_TWCC_WINDOW]; /* by seq; 0: not received */
    uint64_t next;                    /* first number that the next report is about */
    uint64_t low;                     /* lowest number that arrived since the last report */
    uint64_t sent_us;                 /* last report */
    uint64_t period_us;
    uint32_t pending; /* arrivals not yet reported */
    uint64_t dup;     /* counter: duplicates and packets older than the window */
    uint8_t fb_count;
    bool started;
};

/* @period_us: between reports, for instance 100000. */
void sl_twcc_rx_init(struct sl_twcc_rx *rx, uint64_t period_us);

/* A packet with the transport-wide number @seq arrived. */
void sl_twcc_rx_add(struct sl_twcc_rx *rx, uint16_t seq, uint64_t now_us);

/* When a report is to be sent; UINT64_MAX: nothing to tell. At or before now: call _write. */
uint64_t sl_twcc_rx_due_us(const struct sl_twcc_rx *rx);

/* Writes one message; call until false. Late packets are told again in their order. */
bool sl_twcc_rx_write(struct sl_twcc_rx *rx, struct sl_writer *w, uint32_t sender, uint32_t media,
                      uint64_t now_us);

#endif
