/*
 * media_layers.h - which layers of a simulcast or SVC stream one subscriber gets.
 *
 * Thread: the owner's; reads no clock, allocates nothing.  Owner: the sink, embedded.
 * Units:  substream 0 is the lowest quality; microseconds.
 *
 * Simulcast: nothing is forwarded before a key frame; any key frame on a substream between the
 * current one and the target switches. The target is the lower of what the subscriber wishes and
 * the allocator grants; of the substreams up to it, one that is silent while others are heard is
 * passed over until it is heard again: after fallback_us, or, when its own pace and the frames of
 * the others show it, after two fifths of that. (When all are silent the publisher paused: nothing
 * changes.) Temporal layers go down with the next frame and up at a layer sync. SVC
 * (VP9, and AV1 when @info was filled from the dependency descriptor): spatial layers go up at key
 * frames, and down at key frames (non-flexible) or with the next picture (flexible).
 */
#ifndef SL_MEDIA_MEDIA_LAYERS_H
#define SL_MEDIA_MEDIA_LAYERS_H

#include <sluice/types.h>

#include "rtp/rtp_payload.h"

#define SL_LAYER_NONE      (-1)
#define SL_LAYERS_FALLBACK 250000 /* us; default silence of a layer that lowers the target */
/* Key frame requests are repeated: browsers pass over those that come too soon after another, and
 * some get lost. Some times after this, then ever more seldom. */
#define SL_LAYERS_KEY_US     150000
#define SL_LAYERS_KEY_TRIES  4
#define SL_LAYERS_KEY_MAX_US 4000000

enum sl_layers_mode {
    SL_LAYERS_SINGLE, /* one encoding; a key frame starts it (video), or any packet (audio) */
    SL_LAYERS_SIMULCAST,
    SL_LAYERS_SVC,
};

/* What to do with a packet. */
enum sl_layer_verdict {
    SL_LAYER_FORWARD,
    SL_LAYER_SWITCH,   /* forward, and first: sl_munge_switch, sl_vp8_munge_switch */
    SL_LAYER_DROP,     /* left out of the current source: sl_munge_drop, sl_vp8_munge_drop */
    SL_LAYER_OTHER,    /* of a source that is not the current one: pass over it */
    SL_LAYER_WAIT_KEY, /* nothing can be forwarded before a key frame: pass over it */
};

/* Changes that subscribers are told ("event" of videoroom). */
#define SL_LAYER_EV_SUBSTREAM 1u
#define SL_LAYER_EV_TEMPORAL  2u
#define SL_LAYER_EV_SPATIAL   4u

struct sl_layers {
    /* Given. */
    enum sl_layers_mode mode;
    bool video;
    uint8_t nlayers; /* simulcast substreams that the source has, 1..SL_LAYERS_MAX */
    uint64_t fallback_us;
    int8_t wish_sub, wish_tid, wish_sid;    /* of the subscriber */
    int8_t grant_sub, grant_tid, grant_sid; /* of the allocator */
    /* Owned. */
    int8_t cur_sub, cur_tid, cur_sid; /* forwarded now; SL_LAYER_NONE before the first key frame */
    int8_t key_layer;                 /* layer whose key frame we wait for, or SL_LAYER_NONE */
    uint64_t key_next_us;             /* when to ask again */
    uint8_t key_tries;
    /* By substream (simulcast) or spatial layer (SVC). */
    struct sl_layer_heard {
        bool seen;
        uint64_t quiet_us;             /* since when only others are heard; 0: it is heard itself */
        uint64_t ts, frame_us;         /* of its newest frame: timestamp, when it began */
        uint64_t pace_us;              /* between its frames, lately at most; 0: not known */
        uint8_t missed[SL_LAYERS_MAX]; /* frames of each other layer since it was heard */
    } layer[SL_LAYERS_MAX];
    uint64_t frame_ts; /* SVC: the picture that decisions were made for */
    bool has_frame;
};

struct sl_layer_pkt {
    uint8_t substream;
    bool marker;
    uint64_t ts; /* extended */
    const struct sl_payload_info *info;
};

struct sl_layer_out {
    enum sl_layer_verdict verdict;
    bool set_marker; /* SVC: this packet ends the picture for this subscriber */
    uint32_t events; /* SL_LAYER_EV_* */
    int8_t key_sub;  /* ask the publisher for a key frame of this substream, or SL_LAYER_NONE */
};

/* The wishes start at the top: 2, which for temporal layers means all that there are. @nlayers: 1
 * without simulcast. */
void sl_layers_init(struct sl_layers *l, enum sl_layers_mode mode, bool video, uint8_t nlayers);

/* What the subscriber wants, and what the allocator grants; negative: unchanged, too high: the top.
 * Key frames are asked for at the next _decide or _tick. */
void sl_layers_wish(struct sl_layers *l, int sub, int tid, int sid);
void sl_layers_grant(struct sl_layers *l, int sub, int tid, int sid);
void sl_layers_set_fallback(struct sl_layers *l, uint64_t fallback_us);

/* Another publisher now feeds this sink, or forwarding was resumed: wait for a key frame again. */
void sl_layers_restart(struct sl_layers *l);

/* A frame @ts of @layer is there, so the layer goes on. For packets that are decided about this is
 * known; a sink that begins tells what came before. */
void sl_layers_heard(struct sl_layers *l, int layer, uint64_t ts, uint64_t now_us);

/* Decides about one packet of any substream of the source. */
void sl_layers_decide(struct sl_layers *l, const struct sl_layer_pkt *p, uint64_t now_us,
                      struct sl_layer_out *out);

/* Without packets: silence is noticed, key frame requests are repeated. Call a few times a
 * second. @out->verdict means nothing. */
void sl_layers_tick(struct sl_layers *l, uint64_t now_us, struct sl_layer_out *out);

/* What the subscriber and the allocator allow: the lower of the two. */
int sl_layers_target_sub(const struct sl_layers *l);
int sl_layers_target_tid(const struct sl_layers *l);
int sl_layers_target_sid(const struct sl_layers *l);

#endif
