#include "vr_pub.h"
#include <strings.h>

/* Join and the first configure in one: both or none. */
int req_joinandconfigure(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "ptype", SL_ARG_STRING } };
    struct vr_handle *h = r->handle;
    struct vr_pub *p;

    if (VR_ARGS(r, r->body, args) < 0)
        return -1;
    if (strcasecmp(sl_arg_str(r->body, "ptype", "publisher"), "publisher") != 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (ptype)");
    if (vr_join_publisher(r, &p) < 0)
        return -1;
    if (vr_configure_check(r, p, true) < 0 ||
        vr_configure_apply(r, p, vr_pub_joined(p), true) < 0) {
        vr_pub_destroy(p);
        h->role = VR_NONE;
        return -1;
    }
    vr_pub_entered(p);
    return 0;
}
