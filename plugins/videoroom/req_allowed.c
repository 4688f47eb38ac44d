#include "../common/pl_allowed.h"
#include "vr_request.h"

int req_allowed(struct vr_req *r)
{
    struct vr_room *room;
    json_t *list;

    if (vr_arg_room_secret(r, &room) < 0 ||
        pl_allowed_request(&r->error, r->body, room->allowed, &room->check_allowed, &list) < 0)
        return -1;
    r->reply = vr_room_event(room, "success");
    json_object_set_new(r->reply, "allowed", list);
    return 0;
}
