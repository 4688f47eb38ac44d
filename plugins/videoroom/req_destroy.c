#include "vr_request.h"

int req_destroy(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "permanent", SL_ARG_BOOL } };
    struct vr_room *room;
    bool permanent;

    if (vr_arg_room_secret(r, &room) < 0 || VR_ARGS(r, r->body, args) < 0)
        return -1;
    permanent = sl_arg_bool(r->body, "permanent", false) && vr_room_unsave(room);
    r->reply = vr_room_event(room, "destroyed");
    json_object_set_new(r->reply, "permanent", json_boolean(permanent));
    vr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "destroyed", "room", pl_id_json(&room->id)));
    vr_room_destroy(room);
    return 0;
}
