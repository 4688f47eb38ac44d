#include "vr_sub.h"

/* With private ids, what the participant watches belongs to it, and stops. */
static void subscriptions_revoke(struct vr_room *room, uint32_t private_id)
{
    struct vr_link *l;

    vr_list_for_each(l, &room->subs)
    {
        struct vr_sub *s = vr_container(l, struct vr_sub, in_room);

        if (s->private_id != private_id)
            continue;
        s->revoked = true;
        vr_sub_apply(s);
    }
}

int req_kick(struct vr_req *r)
{
    struct vr_room *room;
    struct vr_pub *p;
    struct pl_id id;
    json_t *event;

    if (vr_arg_room_secret(r, &room) < 0 || vr_arg_id(r, r->body, "id", &id) < 0)
        return -1;
    p = vr_pub_find(room, &id);
    if (!p || !p->h)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such user %s in room %s", id.s, room->id.s);
    event = vr_room_event(room, "event");
    json_object_set_new(event, "leaving", json_string("ok"));
    json_object_set_new(event, "reason", json_string("kicked"));
    vr_core->event(p->h, NULL, event, NULL);
    event = vr_room_event(room, "event");
    vr_pub_name(p, event);
    json_object_set_new(event, "kicked", pl_id_json(&p->id));
    vr_room_tell(room, p, event);
    vr_notify(p->h, json_pack("{s:s, s:o, s:o}", "event", "kicked", "room", pl_id_json(&room->id),
                              "id", pl_id_json(&p->id)));
    r->close_after = p->h;
    if (room->set.require_pvtid)
        subscriptions_revoke(room, p->private_id);
    vr_pub_destroy(p);
    vr_sub_flush(room);
    r->reply = json_pack("{s:s}", "videoroom", "success");
    return 0;
}
