/*
 * vr_pub.h - participants ("publishers", whether or not they send) and their streams.
 *
 * Owner: the room. A participant of a client has `h` and `handle`; a dummy and a remote one have
 * neither. Their kinds differ in where their streams come from (`media`), not in how they are
 * listed and subscribed to.
 *
 * Life of what it sends: has_slot (an offer was answered) -> up (WebRTC is, others were told)
 * -> neither (vr_pub_stop). Streams live as long as has_slot.
 */
#ifndef VR_PUB_H
#define VR_PUB_H

#include "../common/pl_speakers.h"
#include "vr_request.h"

#define VR_STREAMS_MAX 256
#define VR_REMOTES_MAX 1000 /* remote publishers of a room */

/* One m-line of a publisher. */
struct vr_stream {
    struct vr_pub *pub;
    uint16_t mindex;
    char mid[SL_MID_MAX + 1];
    enum sl_kind kind;
    bool disabled;          /* nothing can come: no codec, or not sent */
    bool moderated, unsent; /* gates: by the room's administrator, by the publisher */
    bool talking;
    enum sl_voice_mode voice; /* as the core was told (vr_speaker.h) */
    bool speaks;
    char *description;
    int32_t min_delay, max_delay; /* playout delay, 10 ms units; -1: unset */
    int8_t watched;               /* the highest simulcast layer that anybody wants; -1: all */

    /* As negotiated; SL_CODEC_NONE while disabled. */
    struct sl_mcodec codec;
    bool red, fec, dtx, stereo, simulcast, svc;
    uint8_t ext_id[SL_EXT_MAX];

    uint16_t wire;           /* remote publisher: its m-line at the sender */
    struct vr_link lines;    /* struct vr_line that show it */
    struct vr_link feeds;    /* struct vr_feed (vr_data.h) that take it, when it is data */
    struct vr_link forwards; /* struct vr_forward, owned */
};

struct vr_pub {
    struct vr_room *room;
    struct vr_handle *handle; /* NULL: a dummy, or remote */
    sl_hid h;                 /* 0: likewise */
    sl_hid media;             /* where its streams come from: h, or a remote endpoint; 0: a dummy */
    struct pl_id id;
    uint32_t private_id;
    char *display;
    json_t *metadata;
    bool dummy, remote, has_slot, up, e2ee;
    bool hears_watched; /* its client is told which layers are */

    uint32_t bitrate;
    enum sl_codec audiocodec, videocodec; /* forced; SL_CODEC_NONE: the room's order */
    uint32_t audio_active_packets, audio_level_average;

    struct vr_stream **streams; /* by mindex */
    size_t nstreams;
    struct vr_link recipients; /* struct vr_recipient, owned */
    json_t *info;              /* cache of vr_pub_info */
    struct pl_voice voice;     /* room->speakers */
    bool is_past;              /* scratch of vr_view.c */

    struct vr_link link; /* room->members */
    struct vr_node node; /* room->by_id */
};

struct vr_pub *vr_pub_find(const struct vr_room *room, const struct pl_id *id);
/* A participant of @h in @room, who is not told about yet. @id must be free. NULL: no memory. */
struct vr_pub *vr_pub_create(struct vr_room *room, struct vr_handle *h, const struct pl_id *id);
int vr_pub_create_dummy(struct vr_room *room, const json_t *streams);
/* Out of the room without a word; its streams end, the handle has no room any more. */
void vr_pub_destroy(struct vr_pub *p);
/* It sends no more: others hear `unpublished` if @tell and it was up; subscribers are updated by
 * vr_sub_flush. */
void vr_pub_stop(struct vr_pub *p, bool tell);
/* It goes: `unpublished`, `leaving`, updates to subscribers; freed. */
void vr_pub_leave(struct vr_pub *p);
/* WebRTC is up: others hear of it. */
void vr_pub_up(struct vr_pub *p);
static inline struct vr_pub *vr_pub_of_voice(struct pl_voice *v)
{
    return vr_container(v, struct vr_pub, voice);
}
/* The room's active speaker, if that is known. */
static inline bool vr_pub_is_speaker(const struct vr_pub *p)
{
    return p->room->speakers.speaker == &p->voice;
}
/* Something about it changed: others hear `publishers` if it is up. */
void vr_pub_announce(struct vr_pub *p);

/* Which layers of a stream are watched: to its client, if that wants to know. */
void vr_stream_watched(const struct vr_stream *s);
/* Somebody began or stopped talking on a stream. */
void vr_pub_talking(struct vr_pub *p, uint16_t mindex, bool talking, double level);

/* The entry of `publishers`: borrowed, shared, valid until something changes. */
json_t *vr_pub_info(struct vr_pub *p);
void vr_pub_changed(struct vr_pub *p);
/* `streams` of the publisher's own `configured`: a new object. */
json_t *vr_pub_own_streams(const struct vr_pub *p);
/* Adds display and metadata, if any, to @event. */
void vr_pub_name(const struct vr_pub *p, json_t *event);
/* "audio_codec" or "video_codec" of the first usable stream; "none": only unusable ones; NULL. */
const char *vr_pub_codec(const struct vr_pub *p, enum sl_kind kind);
const char *vr_stream_codec(const struct vr_stream *s);

/* Members of stream descriptions between servers that hold the ids of header extensions. */
#define VR_EXT_IDS 4
extern const struct vr_ext_id {
    const char *name;
    enum sl_ext ext;
} vr_ext_ids[VR_EXT_IDS];

struct vr_stream *vr_pub_stream(const struct vr_pub *p, const char *mid);
/* The stream of @mindex, made when there is none. NULL: no memory, or too many. */
struct vr_stream *vr_pub_stream_make(struct vr_pub *p, uint16_t mindex);
static inline struct sl_mref vr_stream_ref(const struct vr_stream *s)
{
    return (struct sl_mref){ s->pub->media, s->mindex };
}
/* Tells the core whether the stream is forwarded at all; data is gated by vr_data.c. */
void vr_stream_gate(const struct vr_stream *s);
/* No subscriber shows or takes it any more. */
void vr_stream_unsubscribe_all(struct vr_stream *s);

/* vr_answer.c: extensions that no setting of the room is about, from publishers as they are. */
uint32_t vr_exts_passed(enum sl_kind kind);
/* Answers the offer of @r with @event for the room of @p and takes over what was
 * agreed. 0 or -1 (error set). Steals @event. */
int vr_pub_negotiate(struct vr_req *r, struct vr_pub *p, json_t *event);
/* Talk detection and gates, after negotiation or a change of them. */
void vr_pub_apply(struct vr_pub *p);

/* vr_configure.c: the members of publish, configure and joinandconfigure. */
int vr_configure_check(struct vr_req *r, struct vr_pub *p, bool joining);
/* Applies what was checked and answers with @event. @joining: display and metadata were taken by
 * the join. 0 or -1 (error set). Steals @event. */
int vr_configure_apply(struct vr_req *r, struct vr_pub *p, json_t *event, bool joining);

/* req_join.c: the publisher's half of join; the caller says `joined` and calls vr_pub_entered. */
int vr_join_publisher(struct vr_req *r, struct vr_pub **out);
json_t *vr_pub_joined(struct vr_pub *p);
void vr_pub_entered(struct vr_pub *p);

#endif
