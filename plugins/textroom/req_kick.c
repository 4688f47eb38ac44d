#include "tr_request.h"

int req_kick(struct tr_req *r)
{
    static const struct sl_arg args[] = { { "username", SL_ARG_STRING, SL_ARG_REQUIRED,
                                            SL_ARG_NAME_MAX } };
    const char *username = sl_arg_str(r->body, "username", "");
    struct tr_member *m;
    struct tr_room *room;
    json_t *event;

    if (TR_ARGS(r, args) < 0 || tr_arg_room_secret(r, &room) < 0)
        return -1;
    m = tr_member_find(room, username);
    if (!m)
        return tr_fail(r, TR_ERR_NO_SUCH_USER, "No such user %.64s in room %.64s", username,
                       room->id.s);
    event = tr_room_event(room, "kicked");
    json_object_set_new(event, "username", json_string(username));
    tr_notify(m->handle->h, json_pack("{s:s, s:o, s:s}", "textroom", "kicked", "room",
                                      pl_id_json(&room->id), "username", username));
    tr_room_tell(room, event);
    tr_member_destroy(m);
    return 0;
}
