#include "vr_pub.h"

static int configure(struct vr_req *r, struct vr_pub *p)
{
    json_t *event;

    if (vr_configure_check(r, p, false) < 0)
        return -1;
    event = vr_room_event(p->room, "event");
    json_object_set_new(event, "configured", json_string("ok"));
    return vr_configure_apply(r, p, event, false);
}

int req_configure_publisher(struct vr_req *r)
{
    return configure(r, r->handle->pub);
}

int req_publish(struct vr_req *r)
{
    struct vr_pub *p = r->handle->pub;

    if (p->up)
        return vr_fail(r, VR_ERR_PUBLISHED, "Can't publish, already published");
    return configure(r, p);
}
