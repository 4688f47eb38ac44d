#include "vr_request.h"
#include "vr_sub.h"
#include <errno.h>
#include <strings.h>

const struct pl_codes vr_codes = { VR_ERR_MISSING, VR_ERR_INVALID, VR_ERR_UNAUTHORIZED };

/* ---- what can be asked ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    vr_handler fn;
} sync_requests[] = {
#define ROW(name) { #name, req_##name },
    VR_REQUESTS_SYNC(ROW)
#undef ROW
};

static int already_joined(struct vr_req *r)
{
    if (!r->handle->pub && !r->handle->sub)
        return vr_fail(r, VR_ERR_ALREADY_JOINED, "Not in a room (create a new handle)");
    return vr_fail(r, VR_ERR_ALREADY_JOINED, "Already in as a %s on this handle",
                   r->handle->role == VR_PUBLISHER ? "publisher" : "subscriber");
}

static int join_first(struct vr_req *r)
{
    return vr_fail(r, VR_ERR_JOIN_FIRST, "Invalid request on unconfigured participant");
}

static const struct {
    const char *name;
    vr_handler fn[VR_ROLE_MAX]; /* NULL: unknown to that role */
} async_requests[] = {
    { "join", { req_join_none, already_joined, already_joined } },
    { "joinandconfigure", { req_joinandconfigure, already_joined, already_joined } },
    { "configure", { join_first, req_configure_publisher, req_configure_subscriber } },
    { "publish", { join_first, req_publish, NULL } },
    { "unpublish", { join_first, req_unpublish, NULL } },
    { "leave", { join_first, req_leave_publisher, req_leave_subscriber } },
    { "start", { join_first, NULL, req_start } },
    { "pause", { join_first, NULL, req_pause } },
    { "subscribe", { join_first, NULL, req_subscribe } },
    { "unsubscribe", { join_first, NULL, req_unsubscribe } },
    { "update", { join_first, NULL, req_update } },
    { "switch", { join_first, NULL, req_switch } },
};

void vr_answer(struct vr_req *r, json_t *data)
{
    vr_core->event(r->handle->h, r->msg, data, NULL);
}

/* ---- arguments ------------------------------------------------------------------------------- */

uint32_t vr_arg_u32(const json_t *obj, const char *name, uint32_t def)
{
    const long long v = sl_arg_int(obj, name, def);

    return v < 0 ? def : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

int vr_arg_objects(struct vr_req *r, const json_t *obj, const char *name, size_t max)
{
    const struct sl_arg arg = { name, SL_ARG_ARRAY, SL_ARG_OPTIONAL };
    const json_t *list = sl_arg_get(obj, name), *item;
    size_t i;

    if (vr_args(r, obj, &arg, 1) < 0)
        return -1;
    if (json_array_size(list) > max)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (%s should not hold more than %zu)",
                       name, max);
    json_array_foreach(list, i, item) if (!json_is_object(item)) return vr_fail(
        r, VR_ERR_INVALID, "Invalid element type (%s should hold objects)", name);
    return 0;
}

int vr_arg_room(struct vr_req *r, struct vr_room **out)
{
    struct pl_id id;

    if (vr_arg_id(r, r->body, "room", &id) < 0)
        return -1;
    *out = vr_room_find(&id);
    return *out ? 0 : vr_fail(r, VR_ERR_NO_SUCH_ROOM, "No such room (%s)", id.s);
}

int vr_arg_room_secret(struct vr_req *r, struct vr_room **out)
{
    return vr_arg_room(r, out) < 0 ? -1 : vr_arg_secret(r, "secret", (*out)->set.secret);
}

int vr_arg_no_recording(struct vr_req *r, const json_t *obj)
{
    static const struct sl_arg args[] = { { "record", SL_ARG_BOOL },
                                          { "filename", SL_ARG_STRING } };

    if (VR_ARGS(r, obj, args) < 0)
        return -1;
    if (sl_arg_bool(obj, "record", false) || sl_arg_str(obj, "filename", "")[0])
        return vr_fail(r, VR_ERR_UNKNOWN, "recording is not available");
    return 0;
}

/* ---- the way of a request -------------------------------------------------------------------- */

/* False: not the name of a synchronous request. */
static bool sync_run(struct vr_req *r, const char *name, json_t **reply)
{
    for (size_t i = 0; i < SL_ARG_COUNT(sync_requests); i++) {
        if (strcasecmp(sync_requests[i].name, name) != 0)
            continue;
        *reply =
            sync_requests[i].fn(r) < 0 ? pl_error_json(&r->error, "videoroom", "event") : r->reply;
        return true;
    }
    return false;
}

static json_t *unknown(struct vr_req *r, const char *name)
{
    vr_fail(r, VR_ERR_INVALID_REQUEST, "Unknown request '%.64s'", name);
    return pl_error_json(&r->error, "videoroom", "event");
}

/* What stands above all requests of somebody who is in a room. */
static int async_check(struct vr_req *r, vr_handler fn, const char *name)
{
    const struct vr_handle *h = r->handle;

    if (!fn)
        return vr_fail(r, VR_ERR_INVALID_REQUEST, "Unknown request '%s'", name);
    if (h->role != VR_NONE && fn != already_joined && !h->pub && !h->sub)
        return vr_fail(r, VR_ERR_NO_SUCH_ROOM, "No such room");
    if (h->sub && r->jsep && r->jsep->type != SL_JSEP_ANSWER) {
        /* Offers from both ends: the core dropped ours, so no answer to it will come. */
        h->sub->stale |= h->sub->awaits_answer;
        h->sub->awaits_answer = false;
        return vr_fail(r, VR_ERR_SDP_TYPE, "Invalid SDP type: subscribers send answers");
    }
    return 0;
}

static void async_run(struct vr_req *r, vr_handler fn, const char *name)
{
    struct vr_handle *h = r->handle;
    const bool answer = h->sub && r->jsep && r->jsep->type == SL_JSEP_ANSWER;

    vr_core->ack(r->msg, NULL);
    if (answer)
        vr_sub_answered(h->sub, r->jsep);
    if (async_check(r, fn, name) < 0 || fn(r) < 0)
        vr_core->event(h->h, r->msg, pl_error_json(&r->error, "videoroom", "event"), NULL);
    if (answer && h->sub)
        vr_sub_after_answer(h->sub);
    if (r->close_after)
        vr_core->close_pc(r->close_after, NULL);
}

/* What stands behind the reply. */
static void sync_end(struct vr_req *r)
{
    if (r->close_after)
        vr_core->close_pc(r->close_after, NULL);
    if (r->leave_after)
        vr_pub_leave(r->leave_after);
    json_decref(r->ips);
}

void vr_request_resume(struct vr_req *r)
{
    json_t *reply = NULL;

    (void)sync_run(r, sl_arg_str(r->body, "request", ""), &reply);
    vr_core->reply(r->msg, reply);
    sync_end(r);
}

void vr_request_handle(struct vr_handle *h, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    struct vr_req r = { .handle = h, .body = body, .msg = m, .error = VR_ERROR_INIT };
    static const struct sl_arg args[] = { { "request", SL_ARG_STRING, SL_ARG_REQUIRED } };
    const char *name = sl_arg_str(body, "request", NULL);
    json_t *reply = NULL;

    if (jsep && jsep->type != SL_JSEP_NONE)
        r.jsep = jsep;
    if (VR_ARGS(&r, body, args) < 0) {
        vr_core->reply(m, pl_error_json(&r.error, "videoroom", "event"));
        return;
    }
    for (size_t i = 0; i < SL_ARG_COUNT(async_requests); i++)
        if (strcasecmp(async_requests[i].name, name) == 0) {
            async_run(&r, async_requests[i].fn[h->role], async_requests[i].name);
            return;
        }
    if (!sync_run(&r, name, &reply))
        reply = unknown(&r, name);
    if (r.later)
        vr_core->hold(m);
    else
        vr_core->reply(m, reply);
    sync_end(&r);
}

json_t *vr_request_admin(const json_t *body)
{
    struct vr_req r = { .body = body, .error = VR_ERROR_INIT };
    static const struct sl_arg args[] = { { "request", SL_ARG_STRING, SL_ARG_REQUIRED } };
    json_t *reply = NULL;

    if (VR_ARGS(&r, body, args) < 0)
        return pl_error_json(&r.error, "videoroom", "event");
    if (!sync_run(&r, sl_arg_str(body, "request", ""), &reply))
        reply = unknown(&r, sl_arg_str(body, "request", ""));
    sync_end(&r);
    return reply;
}
