#include "tr_request.h"
#include <string.h>

static json_t *others_json(const struct tr_room *room)
{
    json_t *list = json_array(), *v;
    const char *name;

    json_object_foreach(room->members, name, v)
    {
        const struct tr_member *m = tr_member_find(room, name);
        json_t *o = json_pack("{s:s}", "username", m->username);

        if (m->display)
            json_object_set_new(o, "display", json_string(m->display));
        json_array_append_new(list, o);
    }
    return list;
}

static int enter_check(struct tr_req *r, struct tr_room *room)
{
    static const struct sl_arg args[] = {
        { "username", SL_ARG_STRING, SL_ARG_REQUIRED, SL_ARG_NAME_MAX },
        { "pin", SL_ARG_STRING },
        { "token", SL_ARG_STRING },
        { "display", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "history", SL_ARG_BOOL },
    };
    const char *token = sl_arg_str(r->body, "token", NULL);
    const char *name = sl_arg_str(r->body, "username", "");

    if (TR_ARGS(r, args) < 0 || tr_arg_secret(r, "pin", room->pin) < 0)
        return -1;
    if (room->check_allowed && (!token || !json_object_get(room->allowed, token)))
        return tr_fail(r, TR_ERR_UNAUTHORIZED, "Unauthorized (not in the allowed list)");
    if (!*name || strlen(name) > TR_NAME_MAX)
        return tr_fail(r, TR_ERR_INVALID, "Invalid element (username should have 1 to %d bytes)",
                       TR_NAME_MAX);
    if (tr_member_of(r->handle, room))
        return tr_fail(r, TR_ERR_ALREADY_IN, "Already in room %s", room->id.s);
    if (tr_member_find(room, name))
        return tr_fail(r, TR_ERR_NAME_TAKEN, "Username already taken");
    if (r->handle->nmembers >= TR_JOINED_MAX)
        return tr_fail(r, TR_ERR_UNKNOWN, "Too many rooms");
    return 0;
}

static void history_send(const struct tr_room *room, struct tr_handle *h)
{
    const json_t *v;
    size_t i;

    json_array_foreach(room->history, i, v)
        tr_send_text(h, json_string_value(v), json_string_length(v));
}

int req_join(struct tr_req *r)
{
    struct tr_member *m;
    struct tr_room *room;
    const char *username = sl_arg_str(r->body, "username", "");
    json_t *event, *others;

    if (tr_arg_room(r, &room) < 0 || enter_check(r, room) < 0)
        return -1;
    others = others_json(room);
    if (tr_member_create(room, r->handle, username, sl_arg_str(r->body, "display", NULL), &m) < 0) {
        json_decref(others);
        return tr_fail(r, TR_ERR_UNKNOWN, "Out of memory");
    }
    if (sl_arg_bool(r->body, "history", true))
        history_send(room, r->handle);
    event = tr_room_event(room, "join");
    json_object_set_new(event, "username", json_string(username));
    if (m->display)
        json_object_set_new(event, "display", json_string(m->display));
    tr_notify(r->handle->h, json_pack("{s:s, s:o, s:s}", "event", "join", "room",
                                      pl_id_json(&room->id), "username", username));
    tr_room_tell(room, event);
    json_object_set_new(r->reply, "participants", others);
    return 0;
}

int req_leave(struct tr_req *r)
{
    struct tr_member *m;

    if (tr_arg_member(r, &m) < 0)
        return -1;
    tr_member_leave(m);
    return 0;
}

int req_listparticipants(struct tr_req *r)
{
    struct tr_room *room;

    if (tr_arg_room(r, &room) < 0)
        return -1;
    json_object_set_new(r->reply, "room", pl_id_json(&room->id));
    json_object_set_new(r->reply, "participants", others_json(room));
    return 0;
}
