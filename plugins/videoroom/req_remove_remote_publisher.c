#include "vr_remote.h"

int req_remove_remote_publisher(struct vr_req *r)
{
    struct vr_pub *p;

    if (vr_arg_remote(r, &p) < 0)
        return -1;
    r->leave_after = p;
    r->reply = json_pack("{s:s}", "videoroom", "success");
    return 0;
}
