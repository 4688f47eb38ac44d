/*
 * media_vp8.h - keeps VP8 picture ids, TL0PICIDX and KEYIDX continuous for one subscriber.
 *
 * Spec:   RFC 7741 section 4.2
 * Thread: the owner's; allocates nothing.  Owner: the sink, embedded.
 *
 * The mapping of a picture is remembered for the last SL_VP8_WINDOW pictures, so that late and
 * retransmitted packets get the ids that their picture was given first.
 */
#ifndef SL_MEDIA_MEDIA_VP8_H
#define SL_MEDIA_MEDIA_VP8_H

#include "rtp/rtp_payload.h"

#define SL_VP8_WINDOW 128 /* power of two */

struct sl_vp8_ids {
    uint16_t pid; /* 15 bits; the low 7 of them go into a 7-bit field */
    uint8_t tl0;
    uint8_t keyidx; /* 5 bits */
};

struct sl_vp8_munge {
    bool started;
    bool resync;      /* the next picture comes from another source */
    uint32_t in_max;  /* extended picture id of the newest picture */
    uint16_t pid_off; /* out = in + off, for new pictures */
    uint8_t tl0_off, key_off;
    uint8_t width;          /* bits of the source's picture id */
    struct sl_vp8_ids last; /* newest ids given out */
    struct {
        uint32_t in; /* extended picture id + 1; 0: empty */
        bool dropped;
        struct sl_vp8_ids out;
    } pic[SL_VP8_WINDOW];
};

void sl_vp8_munge_init(struct sl_vp8_munge *m);

/* The next packet is the first of another source or layer (call beside sl_munge_switch). */
void sl_vp8_munge_switch(struct sl_vp8_munge *m);

/* The ids that the packet @in goes out with. 0; -EAGAIN: its picture is unknown and too old, or
 * was dropped. Fields that @in lacks are left zero. */
int sl_vp8_munge_map(struct sl_vp8_munge *m, const struct sl_payload_info *in,
                     struct sl_vp8_ids *out);

/* The picture of this packet is left out (a temporal layer). Once per packet or once per picture.
 */
void sl_vp8_munge_drop(struct sl_vp8_munge *m, const struct sl_payload_info *in);

/* For retransmissions: as _map, without learning anything new. 0 or -ENOENT. */
int sl_vp8_munge_find(const struct sl_vp8_munge *m, const struct sl_payload_info *in,
                      struct sl_vp8_ids *out);

/* Puts @ids into the sink's copy of the payload, of the same size as before. @in: as parsed from
 * the original. */
void sl_vp8_munge_write(uint8_t *payload, const struct sl_payload_info *in,
                        const struct sl_vp8_ids *ids);

#endif
