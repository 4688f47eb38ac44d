#include "vr_request.h"
#include <errno.h>

#define VR_DUMMY_STREAMS_MAX 64

/* The admin_key is a credential; without one configured, the core says who may. */
static int create_allowed(struct vr_req *r)
{
    if (vr_conf.admin_key)
        return vr_arg_secret(r, "admin_key", vr_conf.admin_key);
    if (r->handle && !vr_core->may(r->handle->h, "room.create"))
        return vr_fail(r, VR_ERR_UNAUTHORIZED, "Unauthorized (creating rooms needs a credential)");
    return 0;
}

/* @id: the one asked for, or a free random one. */
static int id_choose(struct vr_req *r, struct pl_id *id)
{
    const json_t *v = sl_arg_get(r->body, "room");

    if (v && vr_arg_id(r, r->body, "room", id) < 0)
        return -1;
    if (!v || (!vr_conf.string_ids && id->n == 0))
        do
            pl_id_random(vr_core, vr_conf.string_ids, id);
        while (vr_room_find(id));
    if (vr_room_find(id))
        return vr_fail(r, VR_ERR_ROOM_EXISTS, "Room %s already exists", id->s);
    return 0;
}

int req_create(struct vr_req *r)
{
    static const struct sl_arg args[] = {
        { "permanent", SL_ARG_BOOL },
    };
    struct vr_settings set;
    struct vr_room *room;
    struct pl_id id;
    bool permanent;
    int err;

    if (VR_ARGS(r, r->body, args) < 0 || create_allowed(r) < 0 ||
        pl_arg_strings(&r->error, r->body, "allowed") < 0 ||
        vr_arg_objects(r, r->body, "dummy_streams", VR_DUMMY_STREAMS_MAX) < 0 ||
        id_choose(r, &id) < 0)
        return -1;
    if (vr_settings_init(&set, r->body, r->error.text) < 0) {
        r->error.code = VR_ERR_INVALID;
        return -1;
    }
    if (set.record) {
        vr_settings_fini(&set);
        return vr_fail(r, VR_ERR_UNKNOWN, "recording is not available");
    }
    err = vr_room_create(&id, &set, sl_arg_get(r->body, "allowed"),
                         sl_arg_get(r->body, "dummy_streams"), &room);
    if (err == -EINVAL)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (dummy_streams: codec of the room?)");
    if (err)
        return vr_fail(r, VR_ERR_UNKNOWN, err == -E2BIG ? "Too many rooms" : "Out of memory");
    permanent = sl_arg_bool(r->body, "permanent", false) && vr_room_save(room);
    r->reply = vr_room_event(room, "created");
    json_object_set_new(r->reply, "permanent", json_boolean(permanent));
    vr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "created", "room", pl_id_json(&room->id)));
    return 0;
}
