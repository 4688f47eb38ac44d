/*
 * vc_user.c - who is there, and under which name.
 */
#include "vc.h"
#include <errno.h>
#include <stdlib.h>

const struct sl_core *vc_core;

/* name -> address of the user. Clients choose names; jansson's hash is seeded at random. */
static json_t *names;

int vc_users_init(void)
{
    names = json_object();
    return names ? 0 : -ENOMEM;
}

void vc_users_fini(void)
{
    json_decref(names);
    names = NULL;
}

void vc_wish_reset(struct vc_user *u)
{
    u->wish = (struct vc_wish){ .audio = true,
                                .video = true,
                                .layers = { 2, 2, 2, 2, VC_FALLBACK_US, -1, -1 } };
}

struct vc_user *vc_user_create(sl_hid h)
{
    struct vc_user *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->h = h;
    vc_wish_reset(u);
    vc_core->place(h, h); /* whom it calls is placed beside it */
    return u;
}

void vc_user_destroy(struct vc_user *u)
{
    vc_call_lost(u);
    vc_media_reset(u);
    if (u->name)
        json_object_del(names, u->name);
    free(u->name);
    free(u);
}

struct vc_user *vc_user_find(const char *name)
{
    const json_t *v = json_object_get(names, name);

    return v ? (struct vc_user *)(uintptr_t)json_integer_value(v) : NULL;
}

int vc_user_register(struct vc_user *u, const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        return -ENOMEM;
    if (json_object_set_new(names, copy, json_integer((json_int_t)(uintptr_t)u)) < 0) {
        free(copy);
        return -ENOMEM;
    }
    u->name = copy;
    return 0;
}

json_t *vc_user_list(void)
{
    json_t *list = json_array(), *v;
    const char *name;

    json_object_foreach(names, name, v) json_array_append_new(list, json_string(name));
    return list;
}

json_t *vc_result(const char *event, const char *username)
{
    json_t *result = json_pack("{s:s}", "event", event);

    if (username)
        json_object_set_new(result, "username", json_string(username));
    return json_pack("{s:s, s:o}", "videocall", "event", "result", result);
}

void vc_notify(const struct vc_user *u, json_t *event)
{
    if (u->name)
        json_object_set_new(event, "username", json_string(u->name));
    vc_core->notify(u->h, event);
}
