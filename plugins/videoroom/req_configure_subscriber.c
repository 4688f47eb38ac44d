#include "vr_sub.h"

static const struct sl_arg item_args[] = { { "mid", SL_ARG_STRING }, { "send", SL_ARG_BOOL } };

static int item_check(struct vr_req *r, const struct vr_sub *s, const json_t *item, bool need_mid)
{
    const char *mid;

    if (VR_ARGS(r, item, item_args) < 0 || vr_arg_layers(r, item) < 0)
        return -1;
    mid = sl_arg_str(item, "mid", NULL);
    if (!mid && need_mid)
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (mid)");
    if (mid && !vr_sub_line(s, mid))
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s' in subscription", mid);
    return 0;
}

static void send_set(struct vr_line *l, bool send)
{
    l->send = send;
    vr_line_apply(l);
}

static void line_configure(struct vr_line *l, const json_t *item)
{
    vr_line_wish_read(l, item);
    send_set(l, sl_arg_bool(item, "send", l->send));
    vr_line_confirm(l, item);
}

static void item_apply(struct vr_sub *s, const json_t *item)
{
    const char *mid = sl_arg_str(item, "mid", NULL);

    if (mid)
        line_configure(vr_sub_line(s, mid), item);
    for (size_t i = 0; !mid && i < s->nlines; i++)
        line_configure(s->lines[i], item);
}

/* The old way: "audio": false is "send": false for all lines of the kind. */
static void kinds_apply(struct vr_sub *s, const json_t *body)
{
    for (size_t i = 0; i < s->nlines; i++)
        send_set(s->lines[i],
                 sl_arg_bool(body, sl_kind_to_str(s->lines[i]->kind), s->lines[i]->send));
}

static int configure_check(struct vr_req *r, const struct vr_sub *s)
{
    static const struct sl_arg args[] = {
        { "streams", SL_ARG_ARRAY }, { "audio", SL_ARG_BOOL },   { "video", SL_ARG_BOOL },
        { "data", SL_ARG_BOOL },     { "restart", SL_ARG_BOOL }, { "update", SL_ARG_BOOL },
        { "quality", SL_ARG_BOOL },
    };
    const json_t *items, *item;
    size_t i;

    if (VR_ARGS(r, r->body, args) < 0 || vr_arg_objects(r, r->body, "streams", VR_LINES_MAX) < 0)
        return -1;
    items = sl_arg_get(r->body, "streams");
    json_array_foreach(items, i,
                       item) if (item_check(r, s, item, json_array_size(items) > 1) < 0) return -1;
    return items ? 0 : item_check(r, s, r->body, false);
}

int req_configure_subscriber(struct vr_req *r)
{
    const json_t *items = sl_arg_get(r->body, "streams"), *item;
    struct vr_sub *s = r->handle->sub;
    bool restart, update;
    json_t *event;
    size_t i;

    if (configure_check(r, s) < 0)
        return -1;
    vr_sub_tell_read(s, r->body);
    kinds_apply(s, r->body);
    json_array_foreach(items, i, item) item_apply(s, item);
    if (!items)
        item_apply(s, r->body);
    restart = sl_arg_bool(r->body, "restart", false);
    update = restart || sl_arg_bool(r->body, "update", false);
    event = vr_room_event(s->room, "event");
    json_object_set_new(event, "configured", json_string("ok"));
    if (update && !s->awaits_answer && s->nlines > 0) {
        if (vr_sub_offer(s, r->msg, event, restart) < 0)
            return vr_fail(r, VR_ERR_UNKNOWN, "Could not make an offer");
        return 0;
    }
    /* While an answer is outstanding the offer comes later, as `updated`; the request is answered
     * at once all the same. */
    if (update && s->nlines > 0) {
        s->pending = true;
        s->pending_restart |= restart;
    }
    vr_answer(r, event);
    return 0;
}
