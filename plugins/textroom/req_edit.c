#include "tr_request.h"
#include <stdlib.h>
#include <string.h>

/* Replaces a text of the room; empty ones are ignored. */
static void text_edit(const json_t *body, const char *name, char **text)
{
    const char *v = sl_arg_str(body, name, "");
    char *copy = *v ? strdup(v) : NULL;

    if (!copy)
        return;
    free(*text);
    *text = copy;
}

int req_edit(struct tr_req *r)
{
    static const struct sl_arg args[] = {
        { "new_description", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "new_secret", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "new_pin", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
        { "new_is_private", SL_ARG_BOOL },
        { "permanent", SL_ARG_BOOL },
    };
    struct tr_room *room;

    if (tr_arg_room_secret(r, &room) < 0 || TR_ARGS(r, args) < 0 || tr_arg_post(r, "new_post") < 0)
        return -1;
    text_edit(r->body, "new_description", &room->description);
    text_edit(r->body, "new_secret", &room->secret);
    text_edit(r->body, "new_pin", &room->pin);
    text_edit(r->body, "new_post", &room->post);
    room->is_private = sl_arg_bool(r->body, "new_is_private", room->is_private);
    json_object_set_new(r->reply, "room", pl_id_json(&room->id));
    json_object_set_new(
        r->reply, "permanent",
        json_boolean(sl_arg_bool(r->body, "permanent", false) && tr_room_save(room)));
    tr_notify(r->handle ? r->handle->h : 0,
              json_pack("{s:s, s:o}", "event", "edited", "room", pl_id_json(&room->id)));
    return 0;
}
