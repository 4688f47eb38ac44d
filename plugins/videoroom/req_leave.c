#include "vr_sub.h"

int req_leave_publisher(struct vr_req *r)
{
    struct vr_pub *p = r->handle->pub;
    json_t *event = vr_room_event(p->room, "event");

    json_object_set_new(event, "leaving", json_string("ok"));
    r->close_after = p->h;
    vr_pub_leave(p);
    vr_answer(r, event);
    return 0;
}

int req_leave_subscriber(struct vr_req *r)
{
    struct vr_sub *s = r->handle->sub;
    json_t *event = vr_room_event(s->room, "event");

    json_object_set_new(event, "left", json_string("ok"));
    r->close_after = s->h;
    vr_notify(s->h,
              json_pack("{s:s, s:o}", "event", "unsubscribed", "room", pl_id_json(&s->room->id)));
    vr_sub_destroy(s);
    vr_answer(r, event);
    return 0;
}
