#include "tr_request.h"
#include <stdlib.h>
#include <string.h>

/* One addressee of a whisper: whether it is there. */
static bool whisper(const struct tr_room *room, const char *to, const char *text, size_t len)
{
    const struct tr_member *m = tr_member_find(room, to);

    if (m)
        tr_send_text(m->handle, text, len);
    return m != NULL;
}

static void whispers_send(struct tr_req *r, const struct tr_room *room, json_t *event)
{
    const char *to = sl_arg_str(r->body, "to", NULL);
    json_t *sent = json_object(), *v;
    char *text;
    size_t i;

    json_object_set_new(event, "whisper", json_true());
    text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (text && to)
        json_object_set_new(sent, to, json_boolean(whisper(room, to, text, strlen(text))));
    json_array_foreach(sl_arg_get(r->body, "tos"), i, v)
    {
        const char *name = json_string_value(v);

        if (text && !json_object_get(sent, name)) /* once, however often it is named */
            json_object_set_new(sent, name, json_boolean(whisper(room, name, text, strlen(text))));
    }
    free(text);
    json_object_set_new(r->reply, "sent", sent);
}

static void message_send(struct tr_room *room, const struct tr_member *from, json_t *event)
{
    json_t *kept = json_copy(event);

    if (from->display)
        json_object_set_new(kept, "display", json_string(from->display));
    tr_room_remember(room, kept);
    json_decref(kept);
    tr_room_say(room, event);
}

int req_message(struct tr_req *r)
{
    static const struct sl_arg args[] = {
        { "text", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "to", SL_ARG_STRING },
        { "ack", SL_ARG_BOOL },
    };
    const bool has_to = sl_arg_get(r->body, "to"), has_tos = sl_arg_get(r->body, "tos");
    struct tr_member *m;
    json_t *event;

    if (TR_ARGS(r, args) < 0 || tr_arg_strings(r, "tos") < 0 || tr_arg_member(r, &m) < 0)
        return -1;
    if (has_to && has_tos)
        return tr_fail(r, TR_ERR_INVALID, "Invalid element (to and tos exclude each other)");
    if (json_array_size(sl_arg_get(r->body, "tos")) > TR_TO_MAX)
        return tr_fail(r, TR_ERR_INVALID, "Invalid element (tos should not hold more than %d)",
                       TR_TO_MAX);
    event = tr_room_event(m->room, "message");
    json_object_set_new(event, "from", json_string(m->username));
    json_object_set_new(event, "date", tr_date());
    json_object_set(event, "text", json_object_get(r->body, "text"));
    r->is_silent = !sl_arg_bool(r->body, "ack", true);
    if (has_to || has_tos)
        whispers_send(r, m->room, event);
    else
        message_send(m->room, m, event);
    return 0;
}

int req_announcement(struct tr_req *r)
{
    static const struct sl_arg args[] = { { "text", SL_ARG_STRING, SL_ARG_REQUIRED } };
    struct tr_room *room;
    json_t *event;

    if (TR_ARGS(r, args) < 0 || tr_arg_room_secret(r, &room) < 0)
        return -1;
    event = tr_room_event(room, "announcement");
    json_object_set_new(event, "date", tr_date());
    json_object_set(event, "text", json_object_get(r->body, "text"));
    tr_room_remember(room, event);
    tr_room_say(room, event);
    return 0;
}
