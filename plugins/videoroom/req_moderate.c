#include "vr_pub.h"

int req_moderate(struct vr_req *r)
{
    static const struct sl_arg args[] = {
        { "mid", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "mute", SL_ARG_BOOL, SL_ARG_REQUIRED },
    };
    struct vr_stream *s;
    struct vr_room *room;
    struct vr_pub *p;
    struct pl_id id;
    json_t *event;
    bool mute;

    if (vr_arg_room_secret(r, &room) < 0 || vr_arg_id(r, r->body, "id", &id) < 0 ||
        VR_ARGS(r, r->body, args) < 0)
        return -1;
    p = vr_pub_find(room, &id);
    if (!p)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such user %s in room %s", id.s, room->id.s);
    s = vr_pub_stream(p, sl_arg_str(r->body, "mid", ""));
    if (!s)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s'",
                       sl_arg_str(r->body, "mid", ""));
    mute = sl_arg_bool(r->body, "mute", false);
    if (s->moderated != mute) {
        s->moderated = mute;
        vr_stream_gate(s);
        vr_pub_changed(p);
        event = vr_room_event(room, "event");
        json_object_set_new(event, "id", pl_id_json(&p->id));
        json_object_set_new(event, "mid", json_string(s->mid));
        json_object_set_new(event, "moderation", json_string(mute ? "muted" : "unmuted"));
        vr_room_tell(room, NULL, event);
        vr_notify(p->h, json_pack("{s:s, s:o, s:o, s:s, s:s}", "videoroom", "moderated", "room",
                                  pl_id_json(&room->id), "id", pl_id_json(&p->id), "mid", s->mid,
                                  "moderation", mute ? "muted" : "unmuted"));
    }
    r->reply = json_pack("{s:s}", "videoroom", "success");
    return 0;
}
