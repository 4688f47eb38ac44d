#include "vr_sub.h"

int req_unpublish(struct vr_req *r)
{
    struct vr_pub *p = r->handle->pub;
    json_t *event;

    if (!p->has_slot)
        return vr_fail(r, VR_ERR_NOT_PUBLISHED, "Can't unpublish, not published");
    vr_pub_stop(p, true);
    event = vr_room_event(p->room, "event");
    json_object_set_new(event, "unpublished", json_string("ok"));
    vr_answer(r, event);
    vr_sub_flush(p->room);
    r->close_after = p->h;
    return 0;
}
