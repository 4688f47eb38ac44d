/*
 * vr_query.c - plugin_specific of the administrator's handle dump.
 */
#include "vr_data.h"
#include "vr_sub.h"

static json_t *pub_streams(const struct vr_pub *p)
{
    json_t *list = vr_pub_own_streams(p), *o;
    size_t i;

    json_array_foreach(list, i, o)
    {
        const struct vr_link *l;
        json_int_t n = 0;

        vr_list_for_each(l, &p->streams[i]->lines) n++;
        vr_list_for_each(l, &p->streams[i]->feeds) n++;
        json_object_set_new(o, "subscribers", json_integer(n));
    }
    return list;
}

/* What waits for a subscriber on its data line, and what was dropped because too much waited. */
static void sub_data(const struct vr_sub *s, json_t *q)
{
    const struct vr_line *l = vr_data_line(s);

    if (!l)
        return;
    json_object_set_new(q, "data_waiting", json_integer((json_int_t)l->data->waiting));
    json_object_set_new(q, "data_dropped", json_integer((json_int_t)l->data->dropped));
}

json_t *vr_query(const struct vr_handle *h)
{
    const struct vr_pub *p = h->pub;
    const struct vr_sub *s = h->sub;
    json_t *q = json_object();

    if (p) {
        json_object_update_new(
            q, json_pack("{s:s, s:o, s:o, s:I, s:I, s:b, s:o}", "type", "publisher", "room",
                         pl_id_json(&p->room->id), "id", pl_id_json(&p->id), "private_id",
                         (json_int_t)p->private_id, "bitrate", (json_int_t)p->bitrate, "e2ee",
                         p->e2ee, "streams", pub_streams(p)));
        vr_pub_name(p, q);
    } else if (s) {
        json_object_update_new(
            q, json_pack("{s:s, s:o, s:I, s:b, s:b, s:b, s:b, s:b, s:o}", "type", "subscriber",
                         "room", pl_id_json(&s->room->id), "private_id", (json_int_t)s->private_id,
                         "answered", !s->awaits_answer, "pending_offer", s->pending,
                         "pending_restart", s->pending_restart, "paused", s->paused, "e2ee",
                         s->e2ee, "streams", vr_sub_streams(s)));
        sub_data(s, q);
    } else {
        json_object_set_new(q, "type", json_string("none"));
    }
    json_object_set_new(q, "hangingup", json_integer(0));
    json_object_set_new(q, "destroyed", json_integer(h->role != VR_NONE && !p && !s));
    return q;
}
