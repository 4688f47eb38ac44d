#include "vr_sub.h"

static int answer(struct vr_req *r, const char *what)
{
    json_t *event = vr_room_event(r->handle->sub->room, "event");

    json_object_set_new(event, what, json_string("ok"));
    vr_answer(r, event);
    return 0;
}

/* The answer that came along, if any, was taken already. */
int req_start(struct vr_req *r)
{
    struct vr_sub *s = r->handle->sub;

    s->paused = false;
    vr_sub_apply(s);
    return answer(r, "started");
}

int req_pause(struct vr_req *r)
{
    struct vr_sub *s = r->handle->sub;

    s->paused = true;
    vr_sub_apply(s);
    return answer(r, "paused");
}
