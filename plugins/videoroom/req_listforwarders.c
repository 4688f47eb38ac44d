#include "vr_forward.h"

static json_t *forwards_json(const struct vr_pub *p)
{
    json_t *list = json_array();
    const struct vr_link *l;

    for (size_t i = 0; i < p->nstreams; i++)
        vr_list_for_each(l, &p->streams[i]->forwards)
            json_array_append_new(list, vr_forward_json(vr_container(l, struct vr_forward, link)));
    return list;
}

int req_listforwarders(struct vr_req *r)
{
    const struct vr_link *l;
    struct vr_room *room;
    json_t *list;

    if (vr_arg_room_secret(r, &room) < 0)
        return -1;
    list = json_array();
    vr_list_for_each(l, &room->members)
    {
        const struct vr_pub *p = vr_container(l, struct vr_pub, link);
        json_t *o;

        if (vr_forward_count(p) == 0)
            continue;
        o = json_pack("{s:o, s:o}", "publisher_id", pl_id_json(&p->id), "forwarders",
                      forwards_json(p));
        if (p->display)
            json_object_set_new(o, "display", json_string(p->display));
        json_array_append_new(list, o);
    }
    r->reply = vr_room_event(room, "forwarders");
    json_object_set_new(r->reply, "publishers", list);
    return 0;
}
