#include "vr_sub.h"
#include <errno.h>
#include <stdlib.h>

/* Tells what became of it: an offer, or later, or nothing to do. */
static int changes_tell(struct vr_req *r, struct vr_sub *s, int changed)
{
    if (changed == 0 && !s->stale)
        vr_answer(r, vr_room_event(s->room, "updated"));
    else if (vr_sub_renegotiate(s, r->msg) < 0)
        return vr_fail(r, VR_ERR_UNKNOWN, "Could not make an offer");
    vr_notify(s->h, json_pack("{s:s, s:o, s:o, s:I}", "event", "updated", "room",
                              pl_id_json(&s->room->id), "streams", vr_sub_streams(s), "private_id",
                              (json_int_t)s->private_id));
    return 0;
}

/* Both lists are checked before anything changes; unsubscribing comes first and makes room. */
static int change(struct vr_req *r, const char *add_name, const char *del_name)
{
    const json_t *add = add_name ? sl_arg_get(r->body, add_name) : NULL;
    const json_t *del = del_name ? sl_arg_get(r->body, del_name) : NULL;
    struct vr_sub *s = r->handle->sub;
    struct vr_line_ask *asks = NULL;
    int changed = 0, added = 0;
    size_t n = 0;

    if ((add_name && vr_arg_objects(r, r->body, add_name, VR_LINES_MAX) < 0) ||
        (del_name && vr_arg_objects(r, r->body, del_name, VR_LINES_MAX) < 0))
        return -1;
    /* An empty list beside a full one changes nothing. */
    if (json_array_size(add) == 0 && json_array_size(del) > 0)
        add = NULL;
    if (json_array_size(del) == 0 && json_array_size(add) > 0)
        del = NULL;
    if (del && vr_sub_remove_check(r, del) < 0)
        return -1;
    if (add && vr_sub_asks(r, s, add, &asks, &n) < 0)
        return -1;
    if (del)
        changed = vr_sub_remove(s, del);
    if (add)
        added = vr_sub_add(s, asks, n);
    free(asks);
    if (added < 0) {
        s->stale = true; /* some of it was done, and is offered with the next change */
        return vr_fail(r, VR_ERR_UNKNOWN,
                       added == -E2BIG ? "Too many streams in one subscription" : "Out of memory");
    }
    return changes_tell(r, s, changed + added);
}

int req_subscribe(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "streams", SL_ARG_ARRAY, SL_ARG_REQUIRED } };

    return VR_ARGS(r, r->body, args) < 0 ? -1 : change(r, "streams", NULL);
}

int req_unsubscribe(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "streams", SL_ARG_ARRAY, SL_ARG_REQUIRED } };

    return VR_ARGS(r, r->body, args) < 0 ? -1 : change(r, NULL, "streams");
}

int req_update(struct vr_req *r)
{
    if (!sl_arg_get(r->body, "subscribe") && !sl_arg_get(r->body, "unsubscribe"))
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (subscribe|unsubscribe)");
    return change(r, "subscribe", "unsubscribe");
}
