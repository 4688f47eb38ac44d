/*
 * media_pkt.h - one received RTP packet: parsed once, then read-only, shared and counted.
 *
 * Thread: made by the worker of its publisher; references may be held and dropped by any worker.
 * Memory comes from the maker's pool and goes back there.
 */
#ifndef SL_MEDIA_PKT_H
#define SL_MEDIA_PKT_H

#include "base/pool.h"
#include "base/role.h"
#include "media/media_dd.h"
#include "rtp/rtp_ext.h"
#include "rtp/rtp_payload.h"
#include "rtp/rtp_pkt.h"
#include <stdatomic.h>

#define SL_PKT_MAX 1500 /* bytes of an RTP packet; longer ones are dropped */

struct sl_pkt {
    atomic_uint refs;
    struct sl_pool *pool;

    uint64_t rx_us;      /* when the kernel took it in */
    uint64_t arrival_us; /* the turn that handled it */
    uint64_t seq;        /* extended, the source's numbering */
    uint64_t ts;         /* extended, the source's clock */
    int64_t capture_us;  /* since 1900 by the publisher's clock, 0: no sender report yet */
    uint8_t layer;       /* simulcast layer, 0 lowest; 0 without simulcast */
    uint8_t codec;       /* enum sl_codec, as negotiated with the publisher */
    uint8_t epoch;       /* differs from that of the packet before: sinks begin anew */
    bool is_opaque;      /* encrypted end to end, no descriptor: what payload says is a guess */
    uint16_t red_off;    /* RFC 2198: where the primary block begins in the payload; 0: no RED */

    struct sl_rtp rtp;              /* header fields and where the payload is, in data */
    struct sl_ext_info ext;         /* header extensions, pointing into data */
    struct sl_payload_info payload; /* key frame, layers, picture ids */
    struct sl_pkt_dd dd;            /* set by the track */

    uint16_t len;
    uint8_t data[SL_PKT_MAX];
};

/* Once per worker thread: packets of @pool go back to it directly from here, all others through
 * their owner's remote list. NULL: this thread owns no pool. */
void sl_pkt_thread_init(struct sl_pool *pool);

/* A packet with one reference, content unset; NULL at the pool's limit. */
struct sl_pkt *sl_pkt_get(struct sl_pool *pool) SL_ON_WORKER;
struct sl_pkt *sl_pkt_ref(struct sl_pkt *pkt);
void sl_pkt_unref(struct sl_pkt *pkt);

#endif
