/*
 * media_ctx.h - what all media objects of one worker share: its pools, the time of this turn, its
 * staged output, and the way to other workers and to control.
 *
 * Thread: worker.  Owner: the worker, which fills the callbacks.
 */
#ifndef SL_MEDIA_CTX_H
#define SL_MEDIA_CTX_H

#include "base/id.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/role.h"
#include "media/media_hold.h"
#include <sluice/plugin.h>

struct sl_pkt;
struct sl_sink;

/* Why a packet went nowhere. Counters are summed per worker and per object. */
enum sl_drop {
    SL_DROP_NONE, /* counts what went through */
    SL_DROP_MALFORMED,
    SL_DROP_TOO_LONG,
    SL_DROP_NO_MEMORY,
    SL_DROP_NO_KEYS, /* before DTLS was done */
    SL_DROP_AUTH,    /* SRTP authentication */
    SL_DROP_REPLAY,
    SL_DROP_UNKNOWN_SSRC,
    SL_DROP_SSRC_LIMIT,
    SL_DROP_UNKNOWN_ADDRESS,
    SL_DROP_NOT_RECEIVING, /* the m-line's direction */
    SL_DROP_WRONG_PT,
    SL_DROP_DUPLICATE,
    SL_DROP_OLD,
    SL_DROP_PADDING, /* probing: no payload */
    SL_DROP_GATED,
    SL_DROP_PAUSED,
    SL_DROP_BANDWIDTH, /* the path has no room for this video at all */
    SL_DROP_LAYER,
    SL_DROP_NO_KEYFRAME,
    SL_DROP_CODEC,
    SL_DROP_NO_PATH,
    SL_DROP_RING_FULL,
    SL_DROP_TCP_FULL, /* the reader at the other end is too slow */
    SL_DROP_PROTECT,
    SL_DROP_DATA_FULL, /* data messages that control is behind with */
    SL_DROP_MAX
};
const char *sl_drop_to_str(enum sl_drop why);

#define SL_SLOT_MAX 1500

/* One outgoing packet, clear text until its connection flushes it. */
struct sl_slot {
    struct sl_slot *next;
    uint16_t len;
    uint64_t rx_us; /* when the packet in it came to this machine; 0: it was made here */
    bool is_rtcp;
    bool may_pad; /* RTP padding does its receiver no harm */
    uint8_t rank; /* enum sl_rank */
    /* Offsets of what is known when it leaves (transport-wide number, time); 0: not there. */
    uint16_t twcc_off, ast_off, twcc;
    uint16_t repair_seq,
        repair_line;      /* what to send again when it is lost: m-line plus 1, 0: nothing */
    uint64_t held_us;     /* when it began to wait (media_hold.h) */
    bool is_sealed;       /* DTLS, or ciphertext that is sent again: goes out as it is */
    struct sl_sink *keep; /* gets a copy of the ciphertext (sl_sink_keep_sealed); NULL: nobody */
    uint8_t data[SL_SLOT_MAX + 36]; /* room for what SRTP adds */
};

struct sl_media_cb {
    /* To control. */
    void (*receiving)(void *arg, sl_id pc, uint16_t mindex, int substream, bool on);
    void (*slow_link)(void *arg, sl_id pc, uint16_t mindex, bool uplink, uint32_t lost);
    void (*talking)(void *arg, sl_id pc, uint16_t mindex, bool on, double level);
    void (*voice)(void *arg, sl_id pc, uint16_t mindex, const struct sl_voice_report *v);
    void (*layer)(void *arg, sl_id pc, uint16_t mindex, const struct sl_layer_event *ev);
    void (*quality)(void *arg, sl_id pc, uint16_t mindex, const struct sl_quality *q);
    void (*watched)(void *arg, sl_id pc, uint16_t mindex, int layer);
    /* To another worker, whose mirror forgets its groups of pictures when @pkt is NULL. False: its
     * ring is full. */
    bool (*forward)(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, struct sl_pkt *pkt);
    void (*keyframe)(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, int layer);
    /* To whom the track is: the highest layer that sinks here want; -1: none. */
    void (*want)(void *arg, unsigned int worker, sl_id pc, uint16_t mindex, int layer);
    /* A sink is about to go while it may be in a mirror: take it out. */
    void (*sink_gone)(void *arg, struct sl_sink *sink);
    /* A queue had no room for what is sent to @ep. */
    void (*full)(void *arg, sl_id ep);
    /* All slots are taken: send what is staged now. */
    void (*flush)(void *arg);
};

struct sl_mctx {
    unsigned int worker;
    uint64_t now_us; /* of this turn */
    uint64_t rx_us;  /* when the kernel took in what is handled now */
    struct sl_pool pkts;
    struct sl_pool slots;
    struct sl_list mirrors; /* with packets for their sinks (sl_mirrors_fan_out) */
    struct sl_list replays; /* sinks that get what is past (media_gop.h) */
    struct sl_list holding; /* connections that hold something back (media_hold.h) */
    unsigned int nheld;     /* slots, of all of them */
    uint64_t step_us;       /* when replays and what is held go on */
    struct sl_list taps;    /* with packets for their plugins (sl_media_taps_run) */
    struct sl_list dirty;   /* connections with staged packets */
    struct sl_list lossy;   /* endpoints, see sl_endpoint_lost */
    struct sl_slot *sent;   /* in the send queue; back to the pool after its flush */
    uint64_t drops[SL_DROP_MAX];
    uint64_t padded_packets, padded_bytes;
    uint32_t slowlink_threshold; /* packets lost in a second; 0: off */
    uint64_t gop_us;             /* age of a key frame that is replayed; 0: none is */
    size_t gop_bytes;            /* of the group of pictures that it begins */
    uint32_t no_media_s;         /* seconds without RTP until "receiving: false"; 0: off */
    struct sl_media_cb cb;
    void *arg;
};

void sl_mctx_init(struct sl_mctx *m, unsigned int worker, const struct sl_media_cb *cb, void *arg);
void sl_mctx_fini(struct sl_mctx *m);

/* What goes out in portions, one clock for all: replays, and what is held back. */
#define SL_STEP_US SL_PACE_STEP_US
/* Puts @node into one of the two lists. */
void sl_steps_need(struct sl_mctx *ctx, struct sl_list *list, struct sl_list *node) SL_ON_WORKER;
/* The next portion of each, when it is due. After the fan-out of a turn. */
void sl_steps_run(struct sl_mctx *ctx) SL_ON_WORKER;
/* How long until then; UINT64_MAX: there is nothing. */
uint64_t sl_steps_wait_us(const struct sl_mctx *ctx, uint64_t now_us);

/* What is known of the way to the peer; 0: nothing. */
struct sl_path_state {
    uint32_t estimate_bps, target_bps, queue_ms;
    double free_bps; /* that nobody has yet */
    const char *why; /* of the estimate: a constant; NULL: nothing is known */
};

/*
 * The output of one connection: slots staged during a turn, encrypted and sent together at its end.
 * Embedded in whoever owns the connection, who sets `flush`.
 */
struct sl_tx {
    struct sl_mctx *ctx;
    struct sl_list dirty;
    struct sl_slot *first, **last;
    unsigned int nstaged;
    bool open;         /* there are keys and a path; otherwise reserve fails */
    bool report_due;   /* a sink has another source: its clock is told at once */
    uint16_t twcc_seq; /* transport-wide sequence number of the next packet */
    struct sl_path_state path;
    /* Takes all staged slots and gives each back to ctx->slots when it is sent. */
    void (*flush)(struct sl_tx *tx);
    struct sl_hold hold;
};

void sl_tx_init(struct sl_tx *tx, struct sl_mctx *ctx, void (*flush)(struct sl_tx *tx));
void sl_tx_fini(struct sl_tx *tx); /* drops what is staged */

/* An empty slot to be filled, or NULL (closed, or out of slots). */
struct sl_slot *sl_tx_reserve(struct sl_tx *tx) SL_ON_WORKER;
void sl_tx_commit(struct sl_tx *tx, struct sl_slot *slot) SL_ON_WORKER;
void sl_tx_cancel(struct sl_tx *tx, struct sl_slot *slot) SL_ON_WORKER;
/* The staged slots, linked by next; the list is empty afterwards. */
struct sl_slot *sl_tx_take(struct sl_tx *tx) SL_ON_WORKER;
/* @sink goes: no staged slot may name it any more. */
void sl_tx_forget(struct sl_tx *tx, const struct sl_sink *sink) SL_ON_WORKER;

#endif
