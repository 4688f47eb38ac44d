#include "vr_request.h"
#include <strings.h>

enum action { ENABLE, DISABLE, ADD, REMOVE, ACTION_MAX };

static enum action action_parse(const char *name)
{
    static const char *const names[] = { "enable", "disable", "add", "remove" };
    enum action a = ENABLE;

    while (a < ACTION_MAX && strcasecmp(names[a], name) != 0)
        a++;
    return a;
}

static int tokens_check(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "allowed", SL_ARG_ARRAY, SL_ARG_REQUIRED } };
    const json_t *v;
    size_t i;

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    json_array_foreach(json_object_get(r->body, "allowed"), i, v) if (
        !json_is_string(v)) return vr_fail(r, VR_ERR_INVALID,
                                           "Invalid element type (allowed should hold strings)");
    return 0;
}

int req_allowed(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "action", SL_ARG_STRING, SL_ARG_REQUIRED } };
    struct vr_room *room;
    const json_t *v;
    enum action a;
    size_t i;

    if (vr_arg_room_secret(r, &room) < 0 || VR_ARGS(r, r->body, args) < 0)
        return -1;
    a = action_parse(sl_arg_str(r->body, "action", ""));
    if (a == ACTION_MAX)
        return vr_fail(r, VR_ERR_INVALID, "Unsupported action '%.32s' (allowed)",
                       sl_arg_str(r->body, "action", ""));
    if ((a == ADD || a == REMOVE) && tokens_check(r) < 0)
        return -1;
    if (a == ENABLE || a == DISABLE)
        room->check_allowed = a == ENABLE;
    json_array_foreach(json_object_get(r->body, "allowed"), i, v)
    {
        if (a == ADD)
            json_object_set_new(room->allowed, json_string_value(v), json_true());
        if (a == REMOVE)
            json_object_del(room->allowed, json_string_value(v));
    }
    /* Also after `disable`, where the reference has none: some clients wait for the member. */
    r->reply = vr_room_event(room, "success");
    json_object_set_new(r->reply, "allowed", a == DISABLE ? json_array() : vr_room_allowed(room));
    return 0;
}
