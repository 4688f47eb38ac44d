/*
 * media_track.h - what a publisher sends on one m-line: its sources (one per simulcast layer) and
 * where their packets go, the mirror here and those on other workers.
 *
 * Thread: worker.  Owner: the peer connection (later other endpoints too).
 */
#ifndef SL_MEDIA_TRACK_H
#define SL_MEDIA_TRACK_H

#include "media/media_level.h"
#include "media/media_source.h"
#include "sdp/sdp_media.h"

struct sl_media_tap;
struct sl_mirror;

struct sl_track {
    /* Given, outlive us. */
    struct sl_mctx *ctx;
    void *arg;
    /* Sends a request for a key frame of @s to the publisher, now. */
    void (*ask_key)(void *arg, struct sl_track *t, struct sl_source *s);
    sl_id pc;
    uint16_t mindex;

    enum sl_kind kind;
    enum sl_codec codec;
    uint8_t pt, rtx_pt;
    uint8_t nlayers;  /* at least 1 */
    uint8_t nspatial; /* that came so far; 0: no SVC */
    bool receives;    /* the m-line's direction */
    bool gated;
    bool is_e2ee;
    uint8_t epoch; /* of packets; grows where some are missing on purpose (gate, direction) */

    struct sl_source source[SL_LAYERS_MAX];
    struct sl_dd_source *dd[SL_LAYERS_MAX]; /* NULL: no dependency descriptor came */
    struct sl_mirror *mirror;               /* NULL: no sinks on this worker */
    uint64_t remote;                        /* bit per other worker with sinks */
    uint64_t starved;                       /* those whose ring was full, until it has room */
    uint64_t to_forget;                     /* those whose mirror is yet to forget what was */
    uint8_t watched;       /* the highest layer that somebody wants; the lowest always counts */
    uint8_t watched_told;  /* to the publisher's plugin; the top, to begin with */
    uint64_t unwatched_us; /* since when it is lower than told; 0: it is not */

    bool talk_on, voice_on;
    bool is_held; /* nothing is forwarded until somebody speaks */
    struct sl_level level;
    struct sl_voice voice;
    struct sl_media_tap *taps; /* owned */
};

int sl_track_create(struct sl_mctx *ctx, sl_id pc, const struct sl_media_line *line,
                    void (*ask_key)(void *arg, struct sl_track *t, struct sl_source *s), void *arg,
                    struct sl_track **out) SL_ON_WORKER;
void sl_track_destroy(struct sl_track *t) SL_ON_WORKER;
/* After a renegotiation. */
void sl_track_configure(struct sl_track *t, const struct sl_media_line *line) SL_ON_WORKER;

/* The mirror on this worker; NULL: none any more. */
void sl_track_join(struct sl_track *t, struct sl_mirror *m) SL_ON_WORKER;
/* Another worker has, or has no longer, sinks. */
void sl_track_set_remote(struct sl_track *t, unsigned int worker, bool on) SL_ON_WORKER;
/* Sends it the whole groups of pictures that the mirror here has (media_gop.h). */
void sl_track_refill(struct sl_track *t, unsigned int worker) SL_ON_WORKER;
/* The highest layer that is wanted: more is told at once, less after SL_TRACK_UNWATCHED_US. */
#define SL_TRACK_UNWATCHED_US UINT64_C(5000000)
void sl_track_set_watched(struct sl_track *t, uint8_t layer) SL_ON_WORKER;
void sl_track_set_gate(struct sl_track *t, bool closed) SL_ON_WORKER;
void sl_track_talk_detect(struct sl_track *t, uint32_t packets, uint8_t threshold) SL_ON_WORKER;
void sl_track_set_voice(struct sl_track *t, enum sl_voice_mode mode) SL_ON_WORKER;

/* Takes @tap over. */
void sl_track_tap(struct sl_track *t, struct sl_media_tap *tap) SL_ON_WORKER;
void sl_track_untap(struct sl_track *t, uint64_t id) SL_ON_WORKER; /* unless it has none such */

/* A parsed packet of layer @pkt->layer. Takes it over. */
void sl_track_push(struct sl_track *t, struct sl_pkt *pkt, bool is_rtx) SL_ON_WORKER;

/* Wanted by a subscriber: asked now, or as soon as may be. Of one layer (-1: all), which is asked
 *  - again after twice the time that its answers take, within these bounds;
 *  - once per SL_KEY_PACE_US in the long run, SL_KEY_BURST times in a row. */
#define SL_KEY_AGAIN_MIN_US UINT64_C(150000)
#define SL_KEY_AGAIN_MAX_US UINT64_C(500000)
#define SL_KEY_PACE_US      UINT64_C(500000)
#define SL_KEY_BURST        4
void sl_track_keyframe(struct sl_track *t, int layer) SL_ON_WORKER;

/* Several times a second: deferred key frame requests. */
void sl_track_tick(struct sl_track *t) SL_ON_WORKER;
/* Once a second: silence and loss are told to control. */
void sl_track_second(struct sl_track *t) SL_ON_WORKER;

#endif
