/*
 * media_dd.h - the Dependency Descriptor on its way: read once per packet at the source, written
 * for each subscriber with continuous frame numbers and the decode targets that it gets.
 *
 * Spec:   AV1 RTP payload specification, appendix A
 * Thread: worker.  Owner: sl_dd_source the track (one per layer, made when a first descriptor
 *         comes), sl_dd_munge the sink, embedded.
 *
 * Frames that a subscriber does not get leave a gap in its frame numbers: references to earlier
 * frames are differences of these numbers, and chains tell a wanted gap from a loss. Across
 * switches of source or simulcast layer the numbers go on by one.
 */
#ifndef SL_MEDIA_MEDIA_DD_H
#define SL_MEDIA_MEDIA_DD_H

#include "base/role.h"
#include "rtp/rtp_dd.h"

struct sl_pkt;
struct sl_dd_source;

#define SL_DD_TIDS 3 /* temporal layers that are told apart; the last one means all above, too */

/* What a packet's descriptor says, for those who write it again. */
struct sl_pkt_dd {
    bool present; /* nothing below is set without it */
    bool known;   /* its structure had come; else only the frame number is */
    bool start;
    bool has_mask; /* it names its active decode targets */
    bool has_structure;
    uint16_t frame;
    uint16_t mask_pos; /* bit where that mask is, or would be */
    uint8_t ntargets;
    uint32_t active;                             /* decode targets that the publisher sends */
    uint32_t upto[SL_DD_LAYERS_MAX][SL_DD_TIDS]; /* targets by highest spatial and temporal layer */
};

/* Reads the descriptor of @pkt, if it has one, into @pkt->dd and @pkt->payload, which then does
 * not depend on the payload. *@d: NULL before the first one. */
void sl_dd_source_read(struct sl_dd_source **d, struct sl_pkt *pkt) SL_ON_WORKER;
void sl_dd_source_destroy(struct sl_dd_source *d);

struct sl_dd_munge {
    bool started, resync;
    bool limited;       /* the subscriber was told to expect fewer targets than there are */
    uint16_t last, off; /* out = in + off */
};

/* The next packet is the first of another source or layer. */
void sl_dd_munge_switch(struct sl_dd_munge *m);
/* @dd goes out for the first time. */
void sl_dd_munge_map(struct sl_dd_munge *m, const struct sl_pkt_dd *dd);

#define SL_DD_GROWTH 5 /* bytes that a mask may add */
/* Writes the descriptor of @pkt for a subscriber that gets the layers up to @sid and @tid. The
 * length, or -EMSGSIZE. */
int sl_dd_munge_write(struct sl_dd_munge *m, const struct sl_pkt *pkt, int sid, int tid, void *buf,
                      size_t cap);

#endif
