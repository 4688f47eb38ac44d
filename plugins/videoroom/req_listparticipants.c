#include "vr_pub.h"

int req_listparticipants(struct vr_req *r)
{
    const struct vr_link *l;
    struct vr_room *room;
    json_t *list;

    if (vr_arg_room(r, &room) < 0)
        return -1;
    list = json_array();
    vr_list_for_each(l, &room->members)
    {
        struct vr_pub *p = vr_container(l, struct vr_pub, link);
        json_t *o = json_pack("{s:o}", "id", pl_id_json(&p->id));
        json_t *talking = p->up ? json_object_get(vr_pub_info(p), "talking") : NULL;

        vr_pub_name(p, o);
        if (p->dummy)
            json_object_set_new(o, "dummy", json_true());
        if (p->remote)
            json_object_set_new(o, "remote", json_true());
        json_object_set_new(o, "publisher", json_boolean(p->up));
        if (talking)
            json_object_set(o, "talking", talking);
        json_array_append_new(list, o);
    }
    r->reply = vr_room_event(room, "participants");
    json_object_set_new(r->reply, "participants", list);
    return 0;
}
