#include "tr_request.h"
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

int req_allowed(struct tr_req *r)
{
    static const struct sl_arg args[] = { { "action", SL_ARG_STRING, SL_ARG_REQUIRED } };
    static const struct sl_arg list[] = { { "allowed", SL_ARG_ARRAY, SL_ARG_REQUIRED } };
    struct tr_room *room;
    const json_t *v;
    enum action a;
    size_t i;

    if (tr_arg_room_secret(r, &room) < 0 || TR_ARGS(r, args) < 0)
        return -1;
    a = action_parse(sl_arg_str(r->body, "action", ""));
    if (a == ACTION_MAX)
        return tr_fail(r, TR_ERR_INVALID, "Unsupported action '%.32s' (allowed)",
                       sl_arg_str(r->body, "action", ""));
    if ((a == ADD || a == REMOVE) && (TR_ARGS(r, list) < 0 || tr_arg_strings(r, "allowed") < 0))
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
    json_object_set_new(r->reply, "room", tr_id_json(&room->id));
    /* Also after `disable`, where the reference has none: some clients wait for the member. */
    json_object_set_new(r->reply, "allowed", a == DISABLE ? json_array() : tr_room_allowed(room));
    return 0;
}
