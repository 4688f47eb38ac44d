#include "vr_data.h"
#include "vr_sub.h"
#include "vr_view.h"
#include <stdlib.h>

/* One line that shall show another stream. */
struct change {
    struct vr_line *line;
    struct vr_stream *src;
    const json_t *item; /* layer members, or NULL */
};

static int feed_get(struct vr_req *r, const json_t *obj, struct vr_pub **out)
{
    const struct vr_sub *s = r->handle->sub;
    struct pl_id id;

    if (vr_arg_id(r, obj, "feed", &id) < 0)
        return -1;
    *out = vr_pub_find(s->room, &id);
    if (!*out || !(*out)->up)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", id.s);
    return 0;
}

/* Whether @src may come to @l: like to like, and clear to clear. */
static bool can_change(const struct vr_line *l, const struct vr_stream *src)
{
    const bool fits = l->data ? src->kind == SL_KIND_DATA : vr_line_fits(l, src);

    return !l->is_slot && !src->disabled && fits && src->pub->e2ee == l->sub->e2ee;
}

static int item_read(struct vr_req *r, const json_t *item, struct change *c)
{
    static const struct sl_arg args[] = { { "mid", SL_ARG_STRING, SL_ARG_REQUIRED },
                                          { "sub_mid", SL_ARG_STRING, SL_ARG_REQUIRED } };
    struct vr_pub *feed;

    if (feed_get(r, item, &feed) < 0 || VR_ARGS(r, item, args) < 0 || vr_arg_layers(r, item) < 0)
        return -1;
    c->item = item;
    c->line = vr_sub_line(r->handle->sub, sl_arg_str(item, "sub_mid", ""));
    if (!c->line)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s' in subscription",
                       sl_arg_str(item, "sub_mid", ""));
    c->src = vr_pub_stream(feed, sl_arg_str(item, "mid", ""));
    if (!c->src)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s' in feed (%s)",
                       sl_arg_str(item, "mid", ""), feed->id.s);
    return 0;
}

static int items_read(struct vr_req *r, const json_t *items, struct change **out, size_t *n)
{
    struct change *v;

    if (json_array_size(items) == 0)
        return vr_fail(r, VR_ERR_INVALID, "Empty switch list");
    v = calloc(json_array_size(items), sizeof(*v));
    if (!v)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (item_read(r, json_array_get(items, i), &v[i]) < 0) {
            free(v);
            return -1;
        }
    *out = v;
    *n = json_array_size(items);
    return 0;
}

/* Every stream is given away once, so that two cameras do not become one. */
static struct vr_stream *stream_left(const struct vr_line *l, const struct vr_pub *feed,
                                     const struct change *taken, size_t n)
{
    for (size_t i = 0; i < feed->nstreams; i++) {
        bool is_free = can_change(l, feed->streams[i]);

        for (size_t k = 0; k < n && is_free; k++)
            is_free = taken[k].src != feed->streams[i];
        if (is_free)
            return feed->streams[i];
    }
    return NULL;
}

/* The old form: each line, in order, gets the first stream of the new feed that fits it. */
static int legacy_read(struct vr_req *r, struct vr_pub **out_feed, struct change **out, size_t *n)
{
    const struct vr_sub *s = r->handle->sub;
    struct vr_pub *feed;
    struct change *v;
    size_t count = 0;

    if (feed_get(r, r->body, &feed) < 0 || vr_arg_layers(r, r->body) < 0)
        return -1;
    v = calloc(s->nlines + 1, sizeof(*v));
    if (!v)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    for (size_t i = 0; i < s->nlines; i++) {
        struct vr_stream *src = stream_left(s->lines[i], feed, v, count);

        if (src)
            v[count++] = (struct change){ s->lines[i], src, r->body };
    }
    *out_feed = feed;
    *out = v;
    *n = count;
    return 0;
}

/* True: the line was inactive, and the client has to hear of it. */
static bool change_apply(const struct change *c)
{
    struct vr_line *l = c->line;
    const bool was_inactive = l->src == NULL;

    if (l->data) {
        l->send = true;
        (void)vr_data_only(l, c->src);
        return false;
    }
    l->wish.substream = l->wish.temporal = l->wish.spatial = l->wish.svc_temporal = 2;
    vr_line_wish_read(l, c->item);
    l->now = (struct sl_layer_event){ -1, -1, -1, -1, 0, 0 };
    l->send = true;
    if (was_inactive)
        l->accepted = false;
    vr_line_attach(l, c->src);
    return was_inactive;
}

int req_switch(struct vr_req *r)
{
    struct vr_sub *s = r->handle->sub;
    struct change *changes = NULL;
    struct vr_pub *feed = NULL; /* the old form */
    size_t n = 0, done = 0;
    bool filled = false;
    const json_t *items;
    json_t *event;

    if (vr_arg_objects(r, r->body, "streams", VR_LINES_MAX) < 0)
        return -1;
    items = sl_arg_get(r->body, "streams");
    if (!items && !sl_arg_get(r->body, "feed"))
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (streams)");
    if ((items ? items_read(r, items, &changes, &n) : legacy_read(r, &feed, &changes, &n)) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (can_change(changes[i].line, changes[i].src)) {
            filled |= change_apply(&changes[i]);
            done++;
        }
    free(changes);
    vr_view_update(s);
    /* A request is ended by one event, so this one goes without its transaction. */
    if (filled)
        (void)vr_sub_renegotiate(s, NULL);
    event = vr_room_event(s->room, "event");
    json_object_set_new(event, "switched", json_string("ok"));
    json_object_set_new(event, "changes", json_integer((json_int_t)done));
    json_object_set_new(event, "streams", vr_sub_streams(s));
    if (feed) {
        json_object_set_new(event, "id", pl_id_json(&feed->id));
        vr_pub_name(feed, event);
    }
    vr_answer(r, event);
    vr_notify(s->h, json_pack("{s:s, s:o}", "event", "switched", "room", pl_id_json(&s->room->id)));
    return 0;
}
