/*
 * pc.h - the control half of a peer connection: offer and answer, candidates, routes; the other
 * half lives on a worker (src/peer/) and is reached by messages (src/worker/worker_msg.h).
 *
 * Thread: control.  Owner: the handle, which has one at most.
 *
 * Life: sl_pc_create at the first jsep of a handle (either side's offer); set_remote and set_local
 * in either order make a round; further rounds renegotiate. It ends by sl_pc_destroy (the handle's
 * wish; silent) or from the other side: then cb->down is called and the owner destroys it.
 */
#ifndef SL_PC_H
#define SL_PC_H

#include "base/arena.h"
#include "base/id.h"
#include "base/role.h"
#include "media/media_stats.h"
#include "peer/peer.h"
#include <sluice/plugin.h>

struct sl_pc;
struct sl_pcap;
struct sl_pc_world; /* workers, certificate, ICE: pc_world.h */

/* One message of a data channel; a NUL stands behind @data. */
struct sl_pc_message {
    const char *label, *protocol;
    bool is_binary;
    const void *data;
    size_t len;
};

struct sl_pc_cb {
    /* ICE is connected and DTLS done: once. */
    void (*up)(void *arg);
    /* Gone from the other side or failed: "DTLS alert", "ICE failed", "DTLS timeout", ... (the list
     * in reference control-protocol.md section 9). Destroy the pc inside or later. */
    void (*down)(void *arg, const char *reason);
    /* Consent expired; it is kept for media.ice_grace so that the client can restart ICE. */
    void (*ice_failed)(void *arg);
    /* Full ICE with trickling of ours: one candidate, NULL: completed. */
    void (*trickle)(void *arg, const char *mid, const char *candidate);
    void (*receiving)(void *arg, uint16_t mindex, int substream, bool receiving);
    void (*slow_link)(void *arg, uint16_t mindex, bool uplink, uint32_t lost);
    void (*talking)(void *arg, uint16_t mindex, bool talking, double level);
    void (*voice)(void *arg, uint16_t mindex, const struct sl_voice_report *v);
    void (*layer)(void *arg, uint16_t mindex, const struct sl_layer_event *ev);
    /* May be NULL. */
    void (*quality)(void *arg, uint16_t mindex, const struct sl_quality *q);
    void (*watched)(void *arg, uint16_t mindex, int layer);
    /* Data channels, as in <sluice/plugin.h>. */
    void (*data_open)(void *arg, const char *label, const char *protocol);
    void (*data_close)(void *arg, const char *label, const char *protocol);
    void (*data)(void *arg, const struct sl_pc_message *m);
    void (*data_writable)(void *arg);
    /* For those who watch; may be NULL: news of ICE and DTLS; what was counted, as asked for by
     * sl_pc_stats_ask and once more before `down`. */
    void (*link)(void *arg, const struct sl_link *l);
    void (*stats)(void *arg, const struct sl_media_stats *list, size_t n);
};

/* @group: connections of one group (a room) share a worker while it has room; 0: none.
 * 0; -ENOMEM; -EAGAIN: no worker has room. */
int sl_pc_create(struct sl_pc_world *w, const struct sl_pc_cb *cb, void *arg, uint64_t group,
                 struct sl_pc **out) SL_ON_CONTROL;
/* Closes (DTLS close_notify) and frees; no callback afterwards. NULL is fine. */
void sl_pc_destroy(struct sl_pc *pc) SL_ON_CONTROL;

/* What the client sent in jsep. */
struct sl_pc_remote {
    enum sl_jsep_type type;
    const char *sdp;
    size_t sdp_len;
    bool rid_lmh; /* jsep.rid_order is "lmh" */
    bool e2ee;
    const json_t *svc; /* jsep.svc or NULL */
};

/* A failure in the protocol's words (control-protocol.md section 4). */
struct sl_pc_error {
    int code; /* 464, 465, 469, 471 */
    char text[160];
};

/* Takes an offer or answer. @out (lines in @a) is for the plugin. 0, or -EBADMSG and @err; then
 * nothing changed. An offer must be followed by set_local with the answer, or by rollback. */
int sl_pc_set_remote(struct sl_pc *pc, struct sl_arena *a, const struct sl_pc_remote *in,
                     struct sl_jsep_in *out, struct sl_pc_error *err) SL_ON_CONTROL;
/* Drops an offer of either side that got no answer. A connection that never had an answer should be
 * destroyed by its owner instead. */
void sl_pc_rollback(struct sl_pc *pc) SL_ON_CONTROL;
/* True from the first complete round of offer and answer on. */
bool sl_pc_is_negotiated(const struct sl_pc *pc) SL_ON_CONTROL;
bool sl_pc_is_up(const struct sl_pc *pc) SL_ON_CONTROL;
/* Our offer was sent and no answer came yet. */
bool sl_pc_awaits_answer(const struct sl_pc *pc) SL_ON_CONTROL;

/* Called once with the text of our description, maybe before set_local returns; @sdp NULL: failed
 * (the connection is to be destroyed). */
typedef void (*sl_pc_local_fn)(void *arg, const char *sdp);
/* Our offer or answer. 0; -EINVAL: the lines do not fit what was offered; -EBUSY: an offer while an
 * answer is outstanding (either way). @out is copied. */
int sl_pc_set_local(struct sl_pc *pc, const struct sl_jsep_out *out, sl_pc_local_fn done,
                    void *arg) SL_ON_CONTROL;

/* A trickled candidate of the client; @mid NULL: told by index only. Ignored unless it is for the
 * first m-line. @text NULL or "": end of candidates. Queued by the pc while the round is open. */
void sl_pc_candidate(struct sl_pc *pc, const char *text, const char *mid, int mindex) SL_ON_CONTROL;

const struct sl_mline *sl_pc_lines(const struct sl_pc *pc, size_t *n) SL_ON_CONTROL;
bool sl_pc_is_e2ee(const struct sl_pc *pc) SL_ON_CONTROL;

/* What a route or a forwarder needs to know of a published m-line; of any kind of endpoint. */
struct sl_pc_source {
    sl_id id;
    uint16_t mindex;
    enum sl_kind kind;
    enum sl_codec codec; /* SL_CODEC_NONE: nothing comes */
    uint8_t nlayers;     /* simulcast layers; 1: none */
    bool svc;
    uint8_t ext_id[SL_EXT_MAX];
};
void sl_pc_source_of(const struct sl_mline *l, sl_id id, uint16_t mindex, struct sl_pc_source *out);
/* -ENOENT: no such m-line, or no media. */
int sl_pc_source(const struct sl_pc *pc, uint16_t mindex, struct sl_pc_source *out) SL_ON_CONTROL;
sl_id sl_pc_id(const struct sl_pc *pc);

/* Routes and media control; meanings as in <sluice/plugin.h>. -ENOENT: no such m-line. */
int sl_pc_route_add(const struct sl_pc_source *from, struct sl_pc *to, uint16_t to_mindex,
                    const struct sl_layer_wish *wish) SL_ON_CONTROL;
int sl_pc_route_del(struct sl_pc *to, uint16_t mindex) SL_ON_CONTROL;
int sl_pc_route_pause(struct sl_pc *to, uint16_t mindex, bool paused) SL_ON_CONTROL;
int sl_pc_route_layers(struct sl_pc *to, uint16_t mindex,
                       const struct sl_layer_wish *wish) SL_ON_CONTROL;
int sl_pc_keyframe(struct sl_pc *from, uint16_t mindex) SL_ON_CONTROL;
int sl_pc_bitrate(struct sl_pc *pc, uint32_t bps) SL_ON_CONTROL;
int sl_pc_fir_interval(struct sl_pc *pc, uint32_t seconds) SL_ON_CONTROL;
int sl_pc_gate(struct sl_pc *from, uint16_t mindex, bool closed) SL_ON_CONTROL;
int sl_pc_talk_detect(struct sl_pc *from, uint16_t mindex, uint32_t packets,
                      uint8_t threshold) SL_ON_CONTROL;
int sl_pc_voice(struct sl_pc *from, uint16_t mindex, enum sl_voice_mode mode) SL_ON_CONTROL;

/* Asks the worker for cb->stats. */
void sl_pc_stats_ask(struct sl_pc *pc) SL_ON_CONTROL;
/* Messages of data channels so far; a connection without any: zeros. */
struct sl_pc_data_count {
    uint64_t packets_in, bytes_in, packets_out, bytes_out;
};
const struct sl_pc_data_count *sl_pc_data_count(const struct sl_pc *pc) SL_ON_CONTROL;
/* What the administrator is told of it (admin API, section 1.5): "flags", "sdps", "webrtc" and what
 * stands between them, a new object. NULL: it ended before its worker answered, or no memory. */
typedef void (*sl_pc_info_fn)(void *arg, json_t *info);
/* Calls @fn once: later, at the latest from within sl_pc_destroy, or before it returns.
 * 0 or -ENOMEM. */
int sl_pc_info(struct sl_pc *pc, sl_pc_info_fn fn, void *arg) SL_ON_CONTROL;
/* The flags alone; NULL: of a handle without connection. */
json_t *sl_pc_flags(const struct sl_pc *pc) SL_ON_CONTROL;
/* Its RTP and RTCP go to @pcap in clear text until it ends; @pcap is the connection's. NULL: the
 * one that there is ends. 0; -ENOMEM: @pcap is closed. */
int sl_pc_capture(struct sl_pc *pc, struct sl_pcap *pcap) SL_ON_CONTROL;

/* Data channels. 0; -ENOTCONN: no data m-line was agreed on, or its association is down; -EAGAIN:
 * too much waits already, data_writable will tell; -EMSGSIZE: longer than the peer takes; -EINVAL:
 * a name too long; -ENOMEM. */
int sl_pc_data_send(struct sl_pc *pc, const struct sl_pc_message *m) SL_ON_CONTROL;
int sl_pc_data_close(struct sl_pc *pc, const char *label) SL_ON_CONTROL;
int sl_pc_data_pause(struct sl_pc *pc, bool is_paused) SL_ON_CONTROL;

#endif
