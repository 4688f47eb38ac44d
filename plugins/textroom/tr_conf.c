#include "tr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROUP_PREFIX "room "

static int complain(const char *group, const char *key, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "file=textroom.conf group=\"%.80s\" key=%.60s: %s", group, key,
             why);
    tr_core->log(0, "configuration", text);
    return -EINVAL;
}

static json_t *bool_from_text(const char *text)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = { { "yes", true }, { "true", true },   { "on", true },   { "1", true },
                  { "no", false }, { "false", false }, { "off", false }, { "0", false } };

    for (size_t i = 0; i < SL_ARG_COUNT(words); i++)
        if (strcasecmp(words[i].text, text) == 0)
            return json_boolean(words[i].value);
    return NULL;
}

static json_t *history_from_text(const char *text)
{
    char *end = NULL;
    const unsigned long n = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && n <= TR_HISTORY_MAX
               ? json_integer((json_int_t)n)
               : NULL;
}

/* "a, b" -> ["a", "b"] */
static json_t *list_from_text(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        const size_t len = strcspn(text, ", ");

        if (len)
            json_array_append_new(list, json_stringn(text, len));
        text += len;
        text += strspn(text, ", ");
    }
    return list;
}

static const struct {
    const char *name;
    json_t *(*from_text)(const char *text); /* NULL: not a value for it */
} room_keys[] = {
    { "description", json_string },   { "secret", json_string },
    { "pin", json_string },           { "is_private", bool_from_text },
    { "history", history_from_text }, { "allowed", list_from_text },
};

static int flag_read(const json_t *general, const char *name, bool *out)
{
    const char *v = sl_arg_str(general, name, NULL);
    json_t *b = v ? bool_from_text(v) : NULL;

    if (!v)
        return 0;
    if (!b)
        return complain("general", name, "yes or no is wanted");
    *out = json_is_true(b);
    return 0;
}

static int general_load(const json_t *general)
{
    static const char *const known[] = { "admin_key", "string_ids", "events" };
    const char *key = sl_arg_str(general, "admin_key", "");
    const char *name;
    json_t *v;
    int err;

    json_object_foreach((json_t *)general, name, v)
    {
        size_t i = 0;

        while (i < SL_ARG_COUNT(known) && strcmp(known[i], name) != 0)
            i++;
        if (i == SL_ARG_COUNT(known))
            return complain("general", name, "no such key");
    }
    tr_conf = (struct tr_conf){ .events = true };
    err = flag_read(general, "string_ids", &tr_conf.string_ids);
    if (!err)
        err = flag_read(general, "events", &tr_conf.events);
    if (!err && *key) {
        tr_conf.admin_key = strdup(key);
        err = tr_conf.admin_key ? 0 : -ENOMEM;
    }
    return err;
}

static int key_load(const char *group, const char *name, const char *text, json_t *body)
{
    json_t *value = NULL;

    if (strcmp(name, "post") == 0)
        return complain(group, name, "posting of messages is not available");
    for (size_t i = 0; i < SL_ARG_COUNT(room_keys) && !value; i++)
        if (strcmp(room_keys[i].name, name) == 0)
            value = room_keys[i].from_text(text);
    if (!value)
        return complain(group, name, "no such key, or not a value for it");
    json_object_set_new(body, name, value);
    return 0;
}

static int room_load(const char *group, const json_t *keys)
{
    json_t *body = json_object(), *v;
    struct tr_room *room;
    const char *name;
    struct tr_id id;
    int err = 0;

    json_object_foreach((json_t *)keys, name, v)
    {
        if (!err)
            err = key_load(group, name, json_string_value(v), body);
    }
    if (!err && !tr_id_from_text(group + strlen(GROUP_PREFIX), &id))
        err = complain(group, "-", "not an id for a room (see string_ids)");
    if (!err) {
        err = tr_room_create(&id, body, &room);
        if (err)
            complain(group, "-", err == -EEXIST ? "there is such a room already" : "no memory");
    }
    json_decref(body);
    return err;
}

int tr_conf_load(void)
{
    const json_t *config = tr_core->config();
    const char *group;
    json_t *keys;
    int err = general_load(json_object_get(config, "general"));

    json_object_foreach((json_t *)config, group, keys)
    {
        if (err)
            break;
        if (strncmp(group, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0)
            err = room_load(group, keys);
        else if (strcmp(group, "general") != 0)
            err = complain(group, "-", "no such group: [general] or [room <id>] is wanted");
    }
    return err;
}

void tr_conf_free(void)
{
    free(tr_conf.admin_key);
    tr_conf = (struct tr_conf){ .events = false };
}

/* ---- rooms that are kept --------------------------------------------------------------------- */

/* False: the id can not be the name of a group. */
static bool group_name(const struct tr_room *room, char *out, size_t cap)
{
    snprintf(out, cap, GROUP_PREFIX "%s", room->id.s);
    return !strpbrk(room->id.s, "[]") && room->id.s[0] != ' ' &&
           room->id.s[strlen(room->id.s) - 1] != ' ';
}

static json_t *allowed_to_text(const struct tr_room *room)
{
    json_t *text = json_string("");
    const char *token;
    json_t *v;

    json_object_foreach(room->allowed, token, v)
    {
        const char *so_far = json_string_value(text);
        json_t *next = json_sprintf("%s%s%s", so_far, *so_far ? "," : "", token);

        json_decref(text);
        text = next;
    }
    return text;
}

bool tr_room_save(const struct tr_room *room)
{
    char group[TR_ID_MAX + 16];
    json_t *keys;
    int err;

    if (!group_name(room, group, sizeof(group)))
        return false;
    keys = json_pack("{s:s, s:s, s:o}", "description", room->description, "is_private",
                     room->is_private ? "yes" : "no", "history",
                     json_sprintf("%u", room->history_max));
    if (room->secret)
        json_object_set_new(keys, "secret", json_string(room->secret));
    if (room->pin)
        json_object_set_new(keys, "pin", json_string(room->pin));
    if (room->check_allowed)
        json_object_set_new(keys, "allowed", allowed_to_text(room));
    err = tr_core->config_save(group, keys);
    json_decref(keys);
    return err == 0;
}

bool tr_room_unsave(const struct tr_room *room)
{
    char group[TR_ID_MAX + 16];

    return group_name(room, group, sizeof(group)) && tr_core->config_save(group, NULL) == 0;
}
