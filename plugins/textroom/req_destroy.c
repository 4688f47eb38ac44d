#include "tr_request.h"

int req_destroy(struct tr_req *r)
{
    static const struct sl_arg args[] = { { "permanent", SL_ARG_BOOL } };
    struct tr_room *room;
    bool permanent;

    if (tr_arg_room_secret(r, &room) < 0 || TR_ARGS(r, args) < 0)
        return -1;
    permanent = sl_arg_bool(r->body, "permanent", false) && tr_room_unsave(room);
    json_object_set_new(r->reply, "room", pl_id_json(&room->id));
    json_object_set_new(r->reply, "permanent", json_boolean(permanent));
    tr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "destroyed", "room", pl_id_json(&room->id)));
    if (r->over_data && !tr_member_of(r->handle, room)) /* who asks hears of it, too */
        tr_send(r->handle, tr_room_event(room, "destroyed"));
    tr_room_destroy(room);
    return 0;
}
