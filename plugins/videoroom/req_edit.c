#include "vr_request.h"
#include "vr_speaker.h"

int req_edit(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "permanent", SL_ARG_BOOL } };
    struct vr_room *room;
    bool permanent;

    if (vr_arg_room_secret(r, &room) < 0 || VR_ARGS(r, r->body, args) < 0)
        return -1;
    if (vr_settings_edit(&room->set, r->body, r->error.text) < 0) {
        r->error.code = VR_ERR_INVALID;
        return -1;
    }
    vr_speakers_apply(room);
    permanent = sl_arg_bool(r->body, "permanent", false) && vr_room_save(room);
    r->reply = vr_room_event(room, "edited");
    json_object_set_new(r->reply, "permanent", json_boolean(permanent));
    vr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "edited", "room", pl_id_json(&room->id)));
    return 0;
}
