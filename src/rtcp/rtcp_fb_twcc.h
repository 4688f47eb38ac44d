/*
 * rtcp_fb_twcc.h - transport-wide congestion control feedback: wire format.
 *
 * Spec:   draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
 * Thread: any; pure.
 * Units:  arrival times in microseconds; on the wire 64 ms (reference) and 250 us (deltas).
 */
#ifndef SL_RTCP_RTCP_FB_TWCC_H
#define SL_RTCP_RTCP_FB_TWCC_H

#include "rtcp/rtcp.h"

#define SL_TWCC_MAX 400 /* packet statuses of one message that is written */

/* One packet that arrived. */
struct sl_twcc_rec {
    uint64_t seq; /* extended; the wire has the low 16 bits */
    uint64_t arrival_us;
};

/* Writes one message about @rec (@n of them, ascending by seq; those between, and from @base on,
 * were not received; @base is ignored when it is SL_TWCC_MAX or more before the first record). How
 * many records it holds: fewer than @n when SL_TWCC_MAX statuses or a jump in time end the message
 * (write another one from there). 0 when the writer failed or n is 0. */
size_t sl_twcc_write(struct sl_writer *w, uint32_t sender, uint32_t media, uint8_t fb_count,
                     uint64_t base, const struct sl_twcc_rec *rec, size_t n);

struct sl_twcc_it {
    uint32_t sender, media;
    uint16_t base;  /* first sequence number */
    uint16_t count; /* statuses */
    uint8_t fb_count;
    int64_t time_us; /* starts as the reference time; 24 bits of 64 ms, wraps after 12 days */
    /* private */
    const uint8_t *chunk, *delta, *end;
    uint16_t left;
    uint16_t seq;
    uint16_t run;   /* left in the current chunk */
    uint16_t bits;  /* of a vector chunk, next status on top */
    uint8_t symbol; /* of a run */
    uint8_t width;  /* of a symbol in a vector chunk: 1 or 2; 0: run */
};

struct sl_twcc_status {
    uint16_t seq;
    bool received;
    int64_t arrival_us; /* on the receiver's clock; only when received */
};

/* Begins reading. 0 or -EBADMSG. The whole message is checked here. */
int sl_twcc_begin(const struct sl_rtcp_pkt *p, struct sl_twcc_it *it);
/* true and the next status, false at the end. */
bool sl_twcc_next(struct sl_twcc_it *it, struct sl_twcc_status *out);

#endif
