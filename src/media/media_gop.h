/*
 * media_gop.h - the newest group of pictures of a source: from its last key frame on, is all of it
 * there? And its replay to a subscriber who comes later, out of the mirror's cache.
 *
 * A subscriber who has nothing to begin with (it joins, resumes, gets another source or simulcast
 * layer) is sent that group, in the order of its numbers, over some tens of milliseconds. Live
 * packets of the source are in the same cache, so "behind the replay" needs no queue: the replay
 * ends where it meets them. Where there is no whole group the publisher is asked for a key frame.
 *
 * Thread: worker.  Owner: struct sl_gop the mirror (one per layer), struct sl_replay the sink; both
 *         embedded.
 */
#ifndef SL_MEDIA_GOP_H
#define SL_MEDIA_GOP_H

#include "base/list.h"
#include "base/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_mctx;
struct sl_pkt;
struct sl_sink;

#define SL_GOP_PKTS 448 /* at most; the mirror's cache has room for some that come meanwhile */

struct sl_gop {
    uint32_t ssrc;    /* 0: nothing came yet */
    uint8_t epoch;    /* of its packets */
    bool on;          /* a key frame came, and the bounds hold since */
    uint64_t first;   /* of the key frame, by the source's numbering */
    uint64_t newest;  /* of all packets */
    uint64_t key_ts;  /* timestamp of the key frame */
    uint64_t key_us;  /* when it came to this server */
    uint64_t last_us; /* when the newest packet came */
    uint32_t count;   /* packets from first to newest that are there */
    size_t bytes;     /* of these */
};

/* Notes each packet of the source once. Beyond @max_bytes there is no group until the next key
 * frame. True: the group has @pkt, which is to be kept. */
bool sl_gop_note(struct sl_gop *g, const struct sl_pkt *pkt, size_t max_bytes);
/* There is a key frame not older than @max_us, and nothing is missing after it. */
bool sl_gop_is_whole(const struct sl_gop *g, uint64_t max_us, uint64_t now_us);

#define SL_REPLAY_SHARE     8  /* of what is left goes in a step one part in so many ... */
#define SL_REPLAY_MIN       8  /* ... and at least so many packets, */
#define SL_REPLAY_KEY       64 /* and all of the key frame, up to so many */
#define SL_REPLAY_PAST_US   UINT64_C(100000) /* a packet this old is no live one */
#define SL_REPLAY_SWITCH_US UINT64_C(500000) /* age of a key frame for those who have a picture */

struct sl_replay {
    struct sl_list node; /* of ctx->replays, while it goes on: */
    bool on;
    uint8_t layer;
    uint32_t ssrc;
    uint64_t next;  /* to be sent, by the source's numbering; later ones wait for it */
    uint64_t whole; /* up to here everything was there when it began */
};

/* A step (sl_steps_run): the next portion of each replay of @ctx, but of those whose connection
 * holds back as much already. */
void sl_replays_run(struct sl_mctx *ctx) SL_ON_WORKER;

/* Begins to replay @layer to @s, or goes on with that; false: a key frame is needed. For a sink
 * without a picture a lower layer may be replayed until that key frame is there. */
bool sl_replay_begin(struct sl_sink *s, int layer) SL_ON_WORKER;
void sl_replay_stop(struct sl_sink *s) SL_ON_WORKER;
/* Whether the replay will come to @pkt, which is not to be sent before. */
bool sl_replay_holds(const struct sl_replay *r, const struct sl_pkt *pkt);

#endif
