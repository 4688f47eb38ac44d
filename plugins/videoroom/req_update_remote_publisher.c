#include "vr_remote.h"
#include <stdlib.h>

int req_update_remote_publisher(struct vr_req *r)
{
    static const struct sl_arg args[] = {
        { "display", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "metadata", SL_ARG_OBJECT, SL_ARG_OPTIONAL, SL_ARG_META_MAX }
    };
    const char *display = sl_arg_str(r->body, "display", NULL);
    json_t *metadata = sl_arg_get(r->body, "metadata");
    struct vr_pub *p;
    char *copy;
    bool changed;

    if (vr_arg_remote(r, &p) < 0 || VR_ARGS(r, r->body, args) < 0 || vr_remote_check(r, p) < 0)
        return -1;
    copy = display ? strdup(display) : NULL;
    if (display && !copy)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    if (display) {
        free(p->display);
        p->display = copy;
    }
    if (metadata) {
        json_decref(p->metadata);
        p->metadata = json_incref(metadata);
    }
    changed = vr_remote_take(p, sl_arg_get(r->body, "streams"));
    if (changed && vr_remote_apply(p) < 0)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    if (changed)
        vr_pub_announce(p);
    else
        vr_pub_changed(p);
    r->reply = json_pack("{s:s}", "videoroom", "success");
    return 0;
}
