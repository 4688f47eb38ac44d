/*
 * media_mirror.h - a publisher's track as seen on one worker: the list of its sinks there.
 *
 * Thread: worker.  Owner: the worker (src/worker/worker_route.c keeps the table).  On the
 * publisher's own worker it is joined to the track; elsewhere packets come through a ring.
 */
#ifndef SL_MEDIA_MIRROR_H
#define SL_MEDIA_MIRROR_H

#include "base/hmap.h"
#include "media/media_cache.h"
#include "media/media_ctx.h"
#include "media/media_gop.h"
#include "media/media_rates.h"
#include "media/media_sizes.h"

struct sl_sink;
struct sl_track;

#define SL_MIRROR_BATCH 64 /* packets that wait for the end of the turn */

struct sl_mirror {
    struct sl_hnode node;
    struct sl_mctx *ctx;
    sl_id pc; /* the publisher */
    uint16_t mindex;
    uint64_t open_us;       /* when it was made */
    struct sl_track *track; /* NULL: on another worker, or gone */
    struct sl_sink **sinks;
    size_t nsinks, cap;
    size_t nnack;                          /* sinks that may ask for retransmissions */
    bool fanning;                          /* guards against changes from inside */
    struct sl_list waiting;                /* of ctx->mirrors, while there are packets: */
    struct sl_pkt *batch[SL_MIRROR_BATCH]; /* of this turn, in order; references */
    size_t nbatch;
    struct sl_cache cache[SL_LAYERS_MAX]; /* by the source's numbering */
    uint32_t cache_ssrc[SL_LAYERS_MAX];   /* whose packets it holds; 0: not set up */
    struct sl_gop gop[SL_LAYERS_MAX];     /* what of the cache begins with a key frame */
    struct sl_rates rates;
    struct sl_sizes sizes;
    int8_t wanted; /* the highest layer that a sink wants, as the track was told; -1: none */
};

#define SL_MIRROR_CACHE_PKTS 512
#define SL_MIRROR_CACHE_US   UINT64_C(1500000)
#define SL_MIRROR_REPLAY_US  UINT64_C(300000) /* that what is replayed stays there meanwhile */

int sl_mirror_create(struct sl_mctx *ctx, sl_id pc, uint16_t mindex,
                     struct sl_mirror **out) SL_ON_WORKER;
/* Its sinks lose their source. */
void sl_mirror_destroy(struct sl_mirror *m) SL_ON_WORKER;

int sl_mirror_add(struct sl_mirror *m, struct sl_sink *s) SL_ON_WORKER; /* 0 or -ENOMEM */
void sl_mirror_del(struct sl_mirror *m, struct sl_sink *s) SL_ON_WORKER;

/* Takes a packet for all sinks, who get it together with the others of this turn: a subscriber at a
 * time, so that its state and its packets are in the cache once. The caller keeps its reference. */
void sl_mirror_push(struct sl_mirror *m, struct sl_pkt *pkt) SL_ON_WORKER;
/* What the mirrors of @ctx took goes to their sinks; before the flush at the end of a turn. */
void sl_mirrors_fan_out(struct sl_mctx *ctx) SL_ON_WORKER;
/* A recent packet by the numbering of the source @ssrc, for a resend; borrowed, NULL: not there. */
struct sl_pkt *sl_mirror_find(const struct sl_mirror *m, uint8_t layer, uint32_t ssrc,
                              uint64_t seq) SL_ON_WORKER;
/* No group of pictures of before is replayed any more. */
void sl_mirror_forget(struct sl_mirror *m) SL_ON_WORKER;
/* Once a second: gives back what is too old for a resend, and layers that no sink wants. */
void sl_mirror_expire(struct sl_mirror *m) SL_ON_WORKER;
/* A sink wants @layer now: told at once when that is more. */
void sl_mirror_want(struct sl_mirror *m, int layer) SL_ON_WORKER;
/* Asks the publisher for a key frame of @layer; -1: all layers. */
void sl_mirror_keyframe(struct sl_mirror *m, int layer) SL_ON_WORKER;

#endif
