/*
 * media_endpoint.h - what owns tracks and sinks, by m-line: a peer connection is one kind
 * (src/peer/), others are in src/relay/. Routes, mirrors and the fan-out know only this.
 *
 * Thread: worker.  Owner: the worker, by sl_id in its slot table.  Embedded in each kind.
 */
#ifndef SL_MEDIA_ENDPOINT_H
#define SL_MEDIA_ENDPOINT_H

#include "media/media_ctx.h"
#include "sdp/sdp_media.h"

struct sl_endpoint;
struct sl_sink;
struct sl_track;

struct sl_endpoint_ops {
    /* Frees it with its tracks and sinks, which are in no mirror any more. */
    void (*destroy)(struct sl_endpoint *e);
    /* What its m-lines are from now on. Takes @media over when it returns 0; -ENOMEM: it is of no
     * use any more, and says so if its kind can. */
    int (*set_media)(struct sl_endpoint *e, struct sl_media *media);
};

struct sl_line {
    struct sl_track *track; /* once it received; kept until the endpoint goes */
    struct sl_sink *sink;   /* once it sent; kept likewise: numbering never restarts */
    uint64_t remote;        /* workers with a mirror of the track, maybe before there is one */
    uint64_t want[SL_LAYERS_MAX - 1]; /* workers with sinks that want layer i + 1 of it */
};

struct sl_endpoint {
    const struct sl_endpoint_ops *ops; /* also tells the kind to those who made it */
    struct sl_mctx *ctx;
    sl_id id;
    struct sl_line *lines;
    size_t nlines;
    struct sl_list lossy; /* in ctx->lossy, or alone */
    uint64_t key_us;      /* when key frames were asked for because of losses; 0: never */
};

void sl_endpoint_init(struct sl_endpoint *e, const struct sl_endpoint_ops *ops, struct sl_mctx *ctx,
                      sl_id id);
/* Destroys all tracks and sinks. */
void sl_endpoint_fini(struct sl_endpoint *e) SL_ON_WORKER;
/* At least @n lines. 0 or -ENOMEM. */
int sl_endpoint_grow(struct sl_endpoint *e, size_t n);
/* Takes a sink out of its mirror and destroys it; its SSRC is never used again. */
void sl_endpoint_drop_sink(struct sl_endpoint *e, uint16_t mindex) SL_ON_WORKER;

/* A full queue did not take packets to it. Only notes that, since it is told in the middle of
 * sending. */
void sl_endpoint_lost(struct sl_endpoint *e) SL_ON_WORKER;
/* Once in a turn: those who lost packets begin anew with a key frame of what they are shown, which
 * they would ask for later themselves; each once in SL_ENDPOINT_KEY_US. */
#define SL_ENDPOINT_KEY_US UINT64_C(500000)
void sl_endpoints_recover(struct sl_mctx *ctx) SL_ON_WORKER;

/* Another worker has, or has no longer, sinks for this line; remembered until there is a track. */
void sl_endpoint_set_mirror(struct sl_endpoint *e, uint16_t mindex, unsigned int worker,
                            bool on) SL_ON_WORKER;

/* The highest layer that sinks on that worker want; -1: none. */
void sl_endpoint_want(struct sl_endpoint *e, uint16_t mindex, unsigned int worker,
                      int layer) SL_ON_WORKER;
/* The line has a new track, or what it wants changed. */
void sl_line_tell_track(struct sl_line *l) SL_ON_WORKER;

/* By index; NULL when the line is no such thing. */
static inline struct sl_track *sl_endpoint_track(const struct sl_endpoint *e, uint16_t mindex)
{
    return mindex < e->nlines ? e->lines[mindex].track : NULL;
}

static inline struct sl_sink *sl_endpoint_sink(const struct sl_endpoint *e, uint16_t mindex)
{
    return mindex < e->nlines ? e->lines[mindex].sink : NULL;
}

#endif
