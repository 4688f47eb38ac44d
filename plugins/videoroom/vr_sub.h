/*
 * vr_sub.h - subscribers and their m-lines.
 *
 * Owner: the handle. A subscriber's connection is offered by us, with one m-line per subscription;
 * lines are never removed, only left inactive and used again for a stream of the same codec. The
 * one line for data (vr_data.h) is never inactive; it may be without feeds.
 *
 * Negotiation: an offer is out until its answer comes (`awaits_answer`). What changes meanwhile is
 * remembered (`pending`) and offered right after the answer. `stale` says that the client's picture
 * of its lines is out of date though nothing was sent (autoupdate off).
 */
#ifndef VR_SUB_H
#define VR_SUB_H

#include "vr_pub.h"
#include "vr_request.h"

#define VR_LINES_MAX 256 /* as many as a description holds */

struct vr_line {
    struct vr_sub *sub;
    uint16_t mindex;
    enum sl_kind kind;
    struct vr_stream *src; /* NULL: inactive, or a line for data */
    struct vr_data *data;  /* owned; NULL: a line for media */
    struct sl_mcodec codec;
    bool red;
    char *crossref;
    bool ready;    /* the client accepted it at least once */
    bool accepted; /* by the last answer, for media or data of ours */
    bool send;     /* the client wants media */
    bool routed;
    struct sl_layer_wish wish;
    struct sl_layer_event now; /* what is forwarded; -1: nothing yet */

    /* vr_view.h */
    bool is_slot; /* shows who speaks, or nothing for now */
    bool rests;   /* paused: its publisher is not among the last who spoke */
    bool is_news; /* something of it changed and was not told */
    int slot;

    struct vr_link in_stream; /* src->lines */
};

struct vr_sub {
    struct vr_room *room;
    struct vr_handle *handle;
    sl_hid h;
    uint32_t private_id; /* of the participant that it belongs to, 0: not told */
    bool use_msid, autoupdate, e2ee;
    bool paused;   /* until `start`, and by `pause` */
    bool revoked;  /* its participant was kicked */
    bool is_quiet; /* it is told of its view by other means */
    size_t nslots;
    bool awaits_answer, pending, pending_restart, stale;
    uint8_t tell; /* what becomes of its media, as in its lines' wishes */

    struct vr_line **lines; /* by mindex */
    size_t nlines;

    struct vr_link in_room; /* room->subs */
    struct vr_link dirty;   /* room->dirty */
};

struct vr_sub *vr_sub_create(struct vr_room *room, struct vr_handle *h);
/* Leaves the room and its sources without a word; the handle stays a subscriber with no room. */
void vr_sub_destroy(struct vr_sub *s);
/* The connection is gone: a later subscription starts with new lines. */
void vr_sub_reset(struct vr_sub *s);

/* ---- lines (vr_line.c) ----------------------------------------------------------------------- */

/* What a request asks of a line. */
struct vr_line_ask {
    struct vr_stream *src; /* NULL: a slot */
    const json_t *item;
    enum sl_kind kind;
    int slot;
};
/* The lines that @items (as in `join`) asks for: 0 and an array to free, or -1. Streams that cannot
 * be had (disabled) are left out. */
int vr_sub_asks(struct vr_req *r, struct vr_sub *s, const json_t *items, struct vr_line_ask **asks,
                size_t *n);
/* The same for the old form with one `feed`. */
int vr_sub_asks_legacy(struct vr_req *r, struct vr_sub *s, const struct vr_pub *feed,
                       struct vr_line_ask **asks, size_t *n);
/* Subscribes; the number of lines that changed, -ENOMEM, or -E2BIG: too many lines. */
int vr_sub_add(struct vr_sub *s, const struct vr_line_ask *asks, size_t n);
/* Unsubscribes what @items says; the number of lines that changed. */
int vr_sub_remove(struct vr_sub *s, const json_t *items);
/* Checks @items of unsubscribe. */
int vr_sub_remove_check(struct vr_req *r, const json_t *items);

struct vr_line *vr_sub_line(const struct vr_sub *s, const char *sub_mid);
/* The line shows @src from now on; routes follow when the client accepted it already. */
void vr_line_attach(struct vr_line *l, struct vr_stream *src);
/* It shows nothing any more. */
void vr_line_detach(struct vr_line *l);
/* The same because the source went away: its subscriber is told by vr_sub_flush. */
void vr_line_lost(struct vr_line *l);
bool vr_line_fits(const struct vr_line *l, const struct vr_stream *src);
/* Reads the layer members of @item into the wish (checked before). True: something changed. */
bool vr_line_wish_read(struct vr_line *l, const json_t *item);
/* `quality` of join and configure. */
void vr_sub_tell_read(struct vr_sub *s, const json_t *body);
/* Tells the client something about a line: an event with its mid. Steals @value. */
void vr_line_tell(const struct vr_line *l, const char *name, json_t *value);
/* Tells the core: pause and layers. */
void vr_line_apply(struct vr_line *l);
void vr_sub_apply(const struct vr_sub *s);
/* Tells the client about layers in @item that it has already. */
void vr_line_confirm(const struct vr_line *l, const json_t *item);

/* Members of a line's description: the stream that it shows; slot and rest. */
void vr_line_feed_json(const struct vr_line *l, json_t *o);
void vr_line_view_json(const struct vr_line *l, json_t *o);

/* ---- negotiation (vr_offer.c) ---------------------------------------------------------------- */

/* `streams` of attached and updated: a new object. */
json_t *vr_sub_streams(const struct vr_sub *s);
/* Sends @event with an offer, for @m or NULL. 0 or -errno. Steals @event. */
int vr_sub_offer(struct vr_sub *s, struct sl_msg *m, json_t *event, bool restart);
/* Lines changed: `updated` with an offer, or `updating` when an answer is outstanding. Without @m
 * nothing is said then. 0, or -errno when there was no offer to be had (@m lives on). */
int vr_sub_renegotiate(struct vr_sub *s, struct sl_msg *m);
/* The client's answer. */
void vr_sub_answered(struct vr_sub *s, const struct sl_jsep_in *answer);
/* After the answer's own reply: offers what changed meanwhile. */
void vr_sub_after_answer(struct vr_sub *s);
/* Tells all subscribers of @room whose sources went away. */
void vr_sub_flush(struct vr_room *room);

#endif
