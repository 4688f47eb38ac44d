#include "vr_request.h"

int req_enable_recording(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "record", SL_ARG_BOOL, SL_ARG_REQUIRED } };
    struct vr_room *room;

    if (vr_arg_room_secret(r, &room) < 0 || VR_ARGS(r, r->body, args) < 0)
        return -1;
    return vr_fail(r, VR_ERR_UNKNOWN, "recording is not available");
}
