/*
 * tr_room.c - rooms and who is in them.
 */
#include "tr.h"
#include "../common/pl_allowed.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* id -> address of the room. Clients choose ids; jansson's hash is seeded at random. */
static json_t *rooms;

static void *address_get(const json_t *v)
{
    return (void *)(uintptr_t)json_integer_value(v);
}

static json_t *address_new(const void *p)
{
    return json_integer((json_int_t)(uintptr_t)p);
}

/* A copy, or NULL for one that is not there or empty. */
static char *text_dup(const json_t *body, const char *name)
{
    const char *v = sl_arg_str(body, name, "");

    return *v ? strdup(v) : NULL;
}

int tr_rooms_init(void)
{
    rooms = json_object();
    return rooms ? 0 : -ENOMEM;
}

static void room_free(struct tr_room *room)
{
    json_decref(room->allowed);
    json_decref(room->members);
    json_decref(room->history);
    free(room->description);
    free(room->secret);
    free(room->pin);
    free(room->post);
    free(room);
}

void tr_rooms_fini(void)
{
    const char *id;
    json_t *v;

    json_object_foreach(rooms, id, v) room_free(address_get(v));
    json_decref(rooms);
    rooms = NULL;
}

const json_t *tr_rooms(void)
{
    return rooms;
}

struct tr_room *tr_room_of(const json_t *address)
{
    return address_get(address);
}

struct tr_room *tr_room_find(const struct pl_id *id)
{
    const json_t *v = json_object_get(rooms, id->s);

    return v ? address_get(v) : NULL;
}

static int room_fill(struct tr_room *room, const json_t *body)
{
    const json_t *allowed = sl_arg_get(body, "allowed");
    const char *description = sl_arg_str(body, "description", "");
    char text[PL_ID_MAX + 8];

    snprintf(text, sizeof(text), "Room %s", room->id.s);
    room->description = strdup(*description ? description : text);
    room->secret = text_dup(body, "secret");
    room->pin = text_dup(body, "pin");
    room->post = text_dup(body, "post");
    room->is_private = sl_arg_bool(body, "is_private", false);
    room->history_max = (uint32_t)sl_arg_int(body, "history", 0);
    room->check_allowed = allowed != NULL;
    room->allowed = json_object();
    room->members = json_object();
    room->history = json_array();
    pl_allowed_add(room->allowed, allowed);
    if (!room->description || !room->allowed || !room->members || !room->history ||
        (*sl_arg_str(body, "secret", "") && !room->secret) ||
        (*sl_arg_str(body, "pin", "") && !room->pin) ||
        (*sl_arg_str(body, "post", "") && !room->post))
        return -ENOMEM;
    return 0;
}

int tr_room_create(const struct pl_id *id, const json_t *body, struct tr_room **out)
{
    struct tr_room *room;

    if (tr_room_find(id))
        return -EEXIST;
    if (json_object_size(rooms) >= TR_ROOMS_MAX)
        return -E2BIG;
    room = calloc(1, sizeof(*room));
    if (!room)
        return -ENOMEM;
    room->id = *id;
    if (room_fill(room, body) < 0 || json_object_set_new(rooms, id->s, address_new(room)) < 0) {
        room_free(room);
        return -ENOMEM;
    }
    *out = room;
    return 0;
}

void tr_room_destroy(struct tr_room *room)
{
    const char *name;
    json_t *v;
    void *next;

    tr_room_tell(room, tr_room_event(room, "destroyed"));
    json_object_foreach_safe(room->members, next, name, v) tr_member_destroy(address_get(v));
    json_object_del(rooms, room->id.s);
    room_free(room);
}

json_t *tr_room_event(const struct tr_room *room, const char *what)
{
    return json_pack("{s:s, s:o}", "textroom", what, "room", pl_id_json(&room->id));
}

void tr_room_say(const struct tr_room *room, json_t *event)
{
    if (room->post)
        tr_post(room->post, event);
    tr_room_tell(room, event);
}

void tr_room_tell(const struct tr_room *room, json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);
    const char *name;
    json_t *v;
    void *next;

    json_decref(event);
    if (!text)
        return;
    json_object_foreach_safe(room->members, next, name, v)
    {
        const struct tr_member *m = address_get(v);

        tr_send_text(m->handle, text, strlen(text));
    }
    free(text);
}

void tr_room_remember(struct tr_room *room, const json_t *event)
{
    char *text = room->history_max ? json_dumps(event, JSON_COMPACT) : NULL;

    if (!text)
        return;
    room->history_bytes += strlen(text);
    json_array_append_new(room->history, json_string(text));
    free(text);
    while (json_array_size(room->history) > room->history_max ||
           room->history_bytes > TR_HISTORY_BYTES_MAX) {
        room->history_bytes -= json_string_length(json_array_get(room->history, 0));
        json_array_remove(room->history, 0);
    }
}

/* ---- members --------------------------------------------------------------------------------- */

struct tr_member *tr_member_find(const struct tr_room *room, const char *username)
{
    const json_t *v = json_object_get(room->members, username);

    return v ? address_get(v) : NULL;
}

struct tr_member *tr_member_of(const struct tr_handle *h, const struct tr_room *room)
{
    struct tr_member *m = h->members;

    while (m && m->room != room)
        m = m->next;
    return m;
}

int tr_member_create(struct tr_room *room, struct tr_handle *h, const char *username,
                     const char *display, struct tr_member **out)
{
    struct tr_member *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->room = room;
    m->handle = h;
    m->username = strdup(username);
    m->display = display ? strdup(display) : NULL;
    if (!m->username || (display && !m->display) ||
        json_object_set_new(room->members, username, address_new(m)) < 0) {
        free(m->username);
        free(m->display);
        free(m);
        return -ENOMEM;
    }
    m->next = h->members;
    h->members = m;
    h->nmembers++;
    *out = m;
    return 0;
}

void tr_member_destroy(struct tr_member *m)
{
    struct tr_member **p = &m->handle->members;

    while (*p != m)
        p = &(*p)->next;
    *p = m->next;
    m->handle->nmembers--;
    json_object_del(m->room->members, m->username);
    free(m->username);
    free(m->display);
    free(m);
}

void tr_member_leave(struct tr_member *m)
{
    json_t *event = tr_room_event(m->room, "leave");

    json_object_set_new(event, "username", json_string(m->username));
    tr_notify(m->handle->h, json_pack("{s:s, s:o, s:s}", "event", "leave", "room",
                                      pl_id_json(&m->room->id), "username", m->username));
    tr_room_tell(m->room, event);
    tr_member_destroy(m);
}
