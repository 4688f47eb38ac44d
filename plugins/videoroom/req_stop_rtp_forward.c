#include "vr_forward.h"

int req_stop_rtp_forward(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "stream_id", SL_ARG_UINT, SL_ARG_REQUIRED } };
    struct vr_forward *f;
    struct vr_pub *p;
    long long id;

    if (vr_arg_publisher(r, &p) < 0 || vr_arg_forward_key(r, p->room) < 0 ||
        VR_ARGS(r, r->body, args) < 0)
        return -1;
    id = sl_arg_int(r->body, "stream_id", 0);
    f = id <= UINT32_MAX ? vr_forward_find(p, (uint32_t)id) : NULL;
    if (!f)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such stream (%lld)", id);
    vr_forward_destroy(f);
    r->reply = vr_room_event(p->room, "stop_rtp_forward");
    json_object_set_new(r->reply, "publisher_id", pl_id_json(&p->id));
    json_object_set_new(r->reply, "stream_id", json_integer(id));
    vr_notify(p->h, json_pack("{s:s, s:o, s:o, s:I}", "event", "stop_rtp_forward", "room",
                              pl_id_json(&p->room->id), "publisher_id", pl_id_json(&p->id),
                              "stream_id", (json_int_t)id));
    return 0;
}
