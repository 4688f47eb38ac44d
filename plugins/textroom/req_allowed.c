#include "../common/pl_allowed.h"
#include "tr_request.h"

int req_allowed(struct tr_req *r)
{
    struct tr_room *room;
    json_t *list;

    if (tr_arg_room_secret(r, &room) < 0 ||
        pl_allowed_request(&r->error, r->body, room->allowed, &room->check_allowed, &list) < 0)
        return -1;
    json_object_set_new(r->reply, "room", pl_id_json(&room->id));
    json_object_set_new(r->reply, "allowed", list);
    return 0;
}
