/*
 * vr_data.h - VideoRoom's data streams: what a publisher says on its data channels reaches
 * everybody who takes its data stream.
 *
 * Spec:   VideoRoom of the control protocol (docs/compatibility.md, "VideoRoom").
 * Thread: control.
 * Owner:  a subscriber's data line owns its feeds and what waits in it; feeds are listed by the
 *         stream, too.
 *
 * A subscriber has one data line, which serves all feeds. Messages come whole, text or binary, in
 * order, on a channel whose label is the publisher's id. One message is kept once, however many
 * subscribers it waits for.
 *
 * Nobody waits for a slow subscriber: what its connection does not take waits here, up to
 * VR_DATA_WAIT_MAX bytes; messages beyond are dropped for this subscriber alone, and counted.
 */
#ifndef VR_DATA_H
#define VR_DATA_H

#include "vr_sub.h"

/* Bytes of messages that wait for one subscriber, beside what the core holds. Each counts as its
 * length and VR_DATA_COST. */
#define VR_DATA_WAIT_MAX (1024 * 1024)
#define VR_DATA_COST     128

struct vr_data_held;

/* A stream that a data line takes. */
struct vr_feed {
    struct vr_line *line;
    struct vr_stream *src;
    struct vr_link in_line;   /* line->data->feeds */
    struct vr_link in_stream; /* src->feeds */
};

/* What a line has that is for data. */
struct vr_data {
    struct vr_link feeds; /* struct vr_feed, owned, in the order of subscribing */
    size_t nfeeds;
    struct vr_data_held *first, **last; /* what waits */
    size_t waiting;                     /* in bytes */
    uint64_t dropped;                   /* messages; all there is to tell of a slow subscriber */
};

/* Makes a data line of @l. 0 or -ENOMEM. */
int vr_data_init(struct vr_line *l);
/* Harmless for lines of other kinds. */
void vr_data_fini(struct vr_line *l);

/* The subscriber's data line, NULL: it has none. */
struct vr_line *vr_data_line(const struct vr_sub *s);
bool vr_data_takes(const struct vr_line *l, const struct vr_stream *src);
/* Takes @src as well. 0 or -ENOMEM. */
int vr_data_add(struct vr_line *l, struct vr_stream *src);
/* Takes @src and no other. 0 or -ENOMEM (nothing changed). */
int vr_data_only(struct vr_line *l, struct vr_stream *src);
/* Takes no stream of the feed @id (NULL: of any) with this mid (NULL: whichever). The number of
 * streams that it took before. */
int vr_data_remove(struct vr_line *l, const char *id, const char *mid);
/* The stream goes away. Nobody is told (6.7 of the protocol: data alone makes no offer). */
void vr_data_lost(struct vr_stream *src);
/* What waits is dropped when the line does not carry messages any more. */
void vr_data_apply(struct vr_line *l);
/* `sources` and `source_ids`. */
void vr_data_json(const struct vr_line *l, json_t *o);
/* False for lines of other kinds, too. */
bool vr_data_has_feeds(const struct vr_line *l);

/* A message of the publisher @p; and there is room again for messages to @s. */
void vr_data_publish(const struct vr_pub *p, bool binary, const void *data, size_t len);
void vr_data_writable(const struct vr_sub *s);

#endif
