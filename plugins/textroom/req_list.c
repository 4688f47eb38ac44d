#include "tr_request.h"

int req_list(struct tr_req *r)
{
    const bool has_key = tr_conf.admin_key && sl_arg_get(r->body, "admin_key");
    json_t *list, *v;
    const char *id;

    if (has_key && tr_arg_secret(r, "admin_key", tr_conf.admin_key) < 0)
        return -1;
    list = json_array();
    json_object_foreach((json_t *)tr_rooms(), id, v)
    {
        const struct tr_room *room = tr_room_of(v);

        if (!room->is_private || has_key)
            json_array_append_new(
                list, json_pack("{s:o, s:s, s:b, s:I, s:I}", "room", pl_id_json(&room->id),
                                "description", room->description, "pin_required", room->pin != NULL,
                                "num_participants", (json_int_t)json_object_size(room->members),
                                "history", (json_int_t)room->history_max));
    }
    json_object_set_new(r->reply, "list", list);
    return 0;
}

int req_exists(struct tr_req *r)
{
    struct pl_id id;

    if (tr_arg_id(r, &id) < 0)
        return -1;
    json_object_set_new(r->reply, "room", pl_id_json(&id));
    json_object_set_new(r->reply, "exists", json_boolean(tr_room_find(&id) != NULL));
    return 0;
}
