#include "vr_request.h"

int req_exists(struct vr_req *r)
{
    struct pl_id id;

    if (vr_arg_id(r, r->body, "room", &id) < 0)
        return -1;
    r->reply = json_pack("{s:s, s:o, s:b}", "videoroom", "success", "room", pl_id_json(&id),
                         "exists", vr_room_find(&id) != NULL);
    return 0;
}
