/*
 * media_sink.h - one subscribed stream: what a subscriber gets on one m-line.
 *
 * Layer choice, continuous numbering across switches, header extensions of this connection, sender
 * reports, retransmission. Its SSRC and numbering live as long as the connection (nonces: an SSRC
 * never restarts).
 *
 * Thread: worker.  Owner: the peer connection (later other endpoints too).
 */
#ifndef SL_MEDIA_SINK_H
#define SL_MEDIA_SINK_H

#include "base/bytes.h"
#include "bwe/bwe_alloc.h"
#include "media/media_cache.h"
#include "media/media_ctx.h"
#include "media/media_dd.h"
#include "media/media_gop.h"
#include "media/media_layers.h"
#include "media/media_munge.h"
#include "media/media_red.h"
#include "media/media_sr.h"
#include "media/media_vp8.h"
#include "rtcp/rtcp.h"
#include "sdp/sdp_media.h"

struct sl_mirror;
struct sl_sealed; /* ciphertexts kept for peers without RTX */

#define SL_SINK_TEMPLATE_MAX 48

/* What is remembered of packets that went out: large, so it is made with the first one. */
struct sl_sink_past {
    struct sl_munge_past munge;
    struct sl_resend resend;
    struct sl_vp8_munge vp8;
};

struct sl_sink {
    /* Hot: what every packet needs, in as few cache lines as it takes (sl_sink_prefetch). Packets
     * of a source come some dozen times a second, and meanwhile all caches forget. */
    struct sl_mctx *ctx;
    struct sl_tx *tx;
    struct sl_mirror *mirror;  /* NULL: no source */
    struct sl_sink_past *past; /* owned; NULL: nothing went out yet */
    struct sl_sealed *sealed;  /* NULL: RTX or no NACK */
    enum sl_codec codec;
    uint32_t ssrc;      /* 0: not known before the first packet, whose it becomes */
    uint8_t pt, red_pt; /* pt SL_PT_NONE: as the publisher has it */
    int8_t only;        /* the one simulcast layer that is sent; -1: as it fits */
    bool may_red;       /* of audio that negotiated it; what is made: red */
    bool enabled;       /* the m-line's direction */
    bool paused;        /* asked for, or it is not shown */
    bool starved;       /* its path has no room for it */
    uint8_t cur_layer;
    uint8_t epoch;                      /* of the newest packet */
    uint8_t tmpl_len;                   /* extension block of packets that need nothing but mid, */
    uint8_t tmpl[SL_SINK_TEMPLATE_MAX]; /* abs-send-time and transport-cc */
    uint16_t tmpl_twcc, tmpl_ast;       /* offsets in it; 0: not there */
    uint32_t cur_ssrc;                  /* source that is forwarded now */
    uint32_t layer_ssrc[SL_LAYERS_MAX]; /* source SSRC last seen on each layer */
    uint8_t ext[SL_EXT_MAX];
    char mid[SL_MID_MAX + 1];
    bool ext_mixed;
    struct sl_layer_wish wish;
    uint64_t source_us;      /* when the first packet of this source went out; 0: none did */
    int64_t last_capture_us; /* of the newest packet, for sender reports and switches */
    uint64_t last_arrival_us;
    uint64_t last_out_ts;
    uint64_t last_in_ts;
    uint64_t packets, bytes; /* payload bytes, as a sender report counts */
    struct sl_replay replay;
    struct sl_layers layers;
    struct sl_alloc_video alloc; /* what of it fits; all of it until something is known */
    struct sl_munge munge;
    struct sl_dd_munge dd;
    uint64_t drops[SL_DROP_MAX]; /* SL_DROP_NONE counts what went through */

    /* As negotiated. */
    sl_id pc;
    uint16_t mindex;
    enum sl_kind kind;
    uint8_t rtx_pt;
    uint32_t rtx_ssrc;
    uint32_t clock_rate;
    bool nack;
    bool counted_nack; /* the mirror counts us among those who may ask */

    struct sl_red_tx red;
    uint64_t rtx_seq;
    struct sl_sr_sent sr_sent;
    uint64_t rtt_us;
    struct sl_rtt_values rtt; /* the last one, rtt_us is an average */
    uint64_t resent;
    uint64_t remb_bps; /* what the subscriber said last that it can take; 0: nothing */
    uint64_t nacked;   /* packets that the subscriber asked for */
    bool pause_asked;
    int8_t size_layer, load_layer;     /* the highest ones that its size and the load let it have */
    double loss;                       /* percent, as receiver reports say it, smoothed */
    struct sl_quality told;            /* with wish.tell */
    uint64_t tell_us;                  /* when to look again */
    uint64_t bytes_told, bytes_second; /* until the last full second, and in it */
    int32_t lost_seen;                 /* cumulative loss of the last receiver report */
    uint32_t jitter_seen;              /* and its jitter, in ticks */
    uint32_t lost_second;              /* since the last slow-link check */
};

int sl_sink_create(struct sl_mctx *ctx, struct sl_tx *tx, sl_id pc,
                   const struct sl_media_line *line, struct sl_sink **out) SL_ON_WORKER;
/* Must be in no mirror. */
void sl_sink_destroy(struct sl_sink *s) SL_ON_WORKER;
/* After a renegotiation that kept the SSRC. */
void sl_sink_configure(struct sl_sink *s, const struct sl_media_line *line) SL_ON_WORKER;

/* For the mirror only. */
void sl_sink_set_mirror(struct sl_sink *s, struct sl_mirror *m) SL_ON_WORKER;
struct sl_mirror *sl_sink_mirror(const struct sl_sink *s);

/* What kind of source it now has: simulcast layers (1: none) and SVC; starts with a key frame. */
void sl_sink_set_source(struct sl_sink *s, uint8_t nlayers, bool svc) SL_ON_WORKER;
bool sl_sink_has_source(const struct sl_sink *s, uint8_t nlayers, bool svc);
void sl_sink_set_wish(struct sl_sink *s, const struct sl_layer_wish *wish) SL_ON_WORKER;
void sl_sink_set_paused(struct sl_sink *s, bool paused) SL_ON_WORKER;
/* The connection has keys now, or a path again: begin anew (video: with a key frame). What was
 * missed meanwhile leaves no gap in the numbering. */
void sl_sink_resume(struct sl_sink *s) SL_ON_WORKER;

void sl_sink_forward(struct sl_sink *s, struct sl_pkt *const *pkts, size_t n) SL_ON_WORKER;
/* Forwards @pkt of its replay. */
void sl_sink_replay(struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER;
/* What it staged is encrypted while it is in the cache, and sent when there is enough. */
void sl_sink_flush(struct sl_sink *s) SL_ON_WORKER;
/* Begin to bring into the cache what forwarding will need: @s itself, and a sink later, when that
 * is there, what it points to, for @pkt and its neighbours. */
void sl_sink_prefetch(const struct sl_sink *s) SL_ON_WORKER;
void sl_sink_prefetch_out(const struct sl_sink *s, const struct sl_pkt *pkt) SL_ON_WORKER;

/* The subscriber misses these. */
void sl_sink_resend(struct sl_sink *s, const uint16_t *seqs, size_t n) SL_ON_WORKER;
/* This was lost, says a report on all that is sent. */
void sl_sink_repair(struct sl_sink *s, uint16_t seq) SL_ON_WORKER;
/* A key frame is wanted (PLI, FIR). */
void sl_sink_on_pli(struct sl_sink *s) SL_ON_WORKER;
void sl_sink_on_rb(struct sl_sink *s, const struct sl_rtcp_rb *rb) SL_ON_WORKER;

/* Is there something to report, and a clock to do it by? */
#define SL_SINK_SR_WAIT_US UINT64_C(5000000)
bool sl_sink_has_sr(const struct sl_sink *s) SL_ON_WORKER;
/* Appends a sender report if so. */
void sl_sink_write_sr(struct sl_sink *s, struct sl_writer *w, uint64_t wall_ntp) SL_ON_WORKER;
/* media_sink_view.c: what the subscriber sees. */
/* The wish, the size that is shown and the load as layers. True: something changed. */
bool sl_sink_limit(struct sl_sink *s) SL_ON_WORKER;
/* The highest layer of its source that it wants to have; -1: it is off or paused. */
int sl_sink_wants(const struct sl_sink *s);
/* The highest layer that the load of the server leaves it, SL_LAYERS_MAX - 1: all. */
void sl_sink_set_load(struct sl_sink *s, int8_t layer) SL_ON_WORKER;
/* What it gets now, and why it is not more. False: too early to say. */
bool sl_sink_quality(const struct sl_sink *s, struct sl_quality *out) SL_ON_WORKER;
/* Tells of changes, when that is wanted and due. */
#define SL_SINK_TELL_US UINT64_C(1000000)
void sl_sink_tell(struct sl_sink *s) SL_ON_WORKER;
/* media_sink_bwe.c: the layers that its path has room for. */
/* Fills in what it wants and what that costs; false: not a video, or nothing is to be sent. */
bool sl_sink_bid(struct sl_sink *s) SL_ON_WORKER;
/* It is new on a path that is known: it begins with what is free there. */
void sl_sink_begin_bid(struct sl_sink *s) SL_ON_WORKER;
/* From now on s->alloc is what it may have. */
void sl_sink_grant(struct sl_sink *s) SL_ON_WORKER;
/* What it costs as it is (audio); @numbered: only if its packets have transport-wide numbers. */
double sl_sink_cost(const struct sl_sink *s, bool numbered) SL_ON_WORKER;
/* Stages padding, about @bytes: recent packets once more as RTX, or empty ones while it is starved.
 * How many bytes there are; 0 without RTX, and before the first packet. */
#define SL_SINK_PAD_MAX 64 /* packets */
size_t sl_sink_pad(struct sl_sink *s, size_t bytes) SL_ON_WORKER;
/* Several times a second: layers that fell silent, key frames that did not come. */
void sl_sink_tick(struct sl_sink *s) SL_ON_WORKER;
/* Once a second. */
void sl_sink_second(struct sl_sink *s) SL_ON_WORKER;

/* media_sink_tx.c: building what goes out. */
void sl_sink_tx_configure(struct sl_sink *s) SL_ON_WORKER;
void sl_sink_tx_fini(struct sl_sink *s) SL_ON_WORKER;
/* Stages @pkt under the numbers @out; @ids: VP8, or NULL. */
enum sl_drop sl_sink_tx_packet(struct sl_sink *s, const struct sl_pkt *pkt,
                               const struct sl_seqts *out, bool marker,
                               const struct sl_vp8_ids *ids) SL_ON_WORKER;
/* @slot leaves now: its transport-wide number and send time, before it is encrypted. */
void sl_slot_stamp(struct sl_tx *tx, struct sl_slot *slot) SL_ON_WORKER;
/* The ciphertext of a packet that may have to be sent again as it is. */
void sl_sink_keep_sealed(struct sl_sink *s, const uint8_t *data, size_t len) SL_ON_WORKER;

#endif
