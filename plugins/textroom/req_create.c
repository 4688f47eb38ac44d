#include "tr_request.h"
#include <errno.h>

/* The admin_key is a credential; without one configured, the core says who may. */
static int create_allowed(struct tr_req *r)
{
    if (tr_conf.admin_key)
        return tr_arg_secret(r, "admin_key", tr_conf.admin_key);
    if (r->handle && !tr_core->may(r->handle->h, "room.create"))
        return tr_fail(r, TR_ERR_UNAUTHORIZED, "Unauthorized (creating rooms needs a credential)");
    return 0;
}

static int id_choose(struct tr_req *r, struct pl_id *id)
{
    if (sl_arg_get(r->body, "room") && tr_arg_id(r, id) < 0)
        return -1;
    if (!sl_arg_get(r->body, "room") || (!tr_conf.string_ids && id->n == 0))
        do
            pl_id_random(tr_core, tr_conf.string_ids, id);
        while (tr_room_find(id));
    return tr_room_find(id) ? tr_fail(r, TR_ERR_ROOM_EXISTS, "Room %s already exists", id->s) : 0;
}

int req_create(struct tr_req *r)
{
    static const struct sl_arg args[] = {
        { "description", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "secret", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "pin", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "is_private", SL_ARG_BOOL },
        { "history", SL_ARG_UINT },
        { "permanent", SL_ARG_BOOL },
    };
    struct tr_room *room;
    struct pl_id id;
    int err;

    if (TR_ARGS(r, args) < 0 || create_allowed(r) < 0 || tr_arg_strings(r, "allowed") < 0 ||
        tr_arg_post(r, "post") < 0 || id_choose(r, &id) < 0)
        return -1;
    if (sl_arg_int(r->body, "history", 0) > TR_HISTORY_MAX)
        return tr_fail(r, TR_ERR_INVALID, "Invalid value (history should not be above %d)",
                       TR_HISTORY_MAX);
    err = tr_room_create(&id, r->body, &room);
    if (err)
        return tr_fail(r, TR_ERR_UNKNOWN, err == -E2BIG ? "Too many rooms" : "Out of memory");
    json_object_set_new(r->reply, "room", pl_id_json(&room->id));
    json_object_set_new(
        r->reply, "permanent",
        json_boolean(sl_arg_bool(r->body, "permanent", false) && tr_room_save(room)));
    tr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "created", "room", pl_id_json(&room->id)));
    return 0;
}
