#include "vr_room.h"
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define GROUP_PREFIX "room "

struct vr_conf vr_conf;

static int complain(const char *group, const char *key, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "file=videoroom.conf group=\"%.80s\" key=%.60s: %s", group, key,
             why);
    vr_core->log(0, "configuration", text);
    return -EINVAL;
}

static int flag_read(const json_t *general, const char *name, bool *out)
{
    const char *v = sl_arg_str(general, name, NULL);
    json_t *b = v ? vr_setting_from_text("is_private", v) : NULL; /* any yes or no */

    if (!v)
        return 0;
    if (!b)
        return complain("general", name, "yes or no is wanted");
    *out = json_is_true(b);
    json_decref(b);
    return 0;
}

/* "LOW-HIGH" */
static int ports_read(const char *v)
{
    unsigned int low, high;
    int n = 0;

    if (!v)
        return 0;
    if (sscanf(v, "%5u-%5u%n", &low, &high, &n) != 2 || v[n] || !low || low > high || high > 65535)
        return complain("general", "rtp_port_range", "two ports like 10000-60000 are wanted");
    vr_conf.port_low = (uint16_t)low;
    vr_conf.port_high = (uint16_t)high;
    return 0;
}

static int general_load(const json_t *general)
{
    static const char *const known[] = { "admin_key", "string_ids", "lock_rtp_forward", "events",
                                         "rtp_port_range" };
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
    vr_conf = (struct vr_conf){ .events = true, .port_low = 10000, .port_high = 60000 };
    err = flag_read(general, "string_ids", &vr_conf.string_ids);
    if (!err)
        err = flag_read(general, "lock_rtp_forward", &vr_conf.lock_rtp_forward);
    if (!err)
        err = flag_read(general, "events", &vr_conf.events);
    if (!err)
        err = ports_read(sl_arg_str(general, "rtp_port_range", NULL));
    if (!err && *key) {
        vr_conf.admin_key = strdup(key);
        err = vr_conf.admin_key ? 0 : -ENOMEM;
    }
    return err;
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

/* The keys of one group as the body of a `create`. */
static int group_to_body(const char *group, const json_t *keys, json_t *body)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)keys, name, v)
    {
        const char *text = json_string_value(v);
        json_t *value = strcmp(name, "allowed") == 0 ? list_from_text(text ? text : "")
                        : text                       ? vr_setting_from_text(name, text)
                                                     : NULL;

        if (!value)
            return complain(group, name, "no such key, or not a value for it");
        json_object_set_new(body, name, value);
    }
    return 0;
}

static int room_load(const char *group, const json_t *keys)
{
    char text[SL_ARG_TEXT_MAX] = "";
    json_t *body = json_object();
    struct vr_settings set;
    struct vr_room *room;
    struct vr_id id;
    int err = group_to_body(group, keys, body);

    if (!err && !vr_id_from_text(group + strlen(GROUP_PREFIX), &id))
        err = complain(group, "-", "not an id for a room (see string_ids)");
    if (!err && vr_settings_init(&set, body, text) < 0)
        err = complain(group, "-", text);
    if (!err && set.record) {
        vr_settings_fini(&set);
        err = complain(group, "record", "recording is not available");
    }
    if (!err) {
        err = vr_room_create(&id, &set, json_object_get(body, "allowed"), NULL, &room);
        if (err)
            complain(group, "-", err == -EEXIST ? "there is such a room already" : "no memory");
    }
    json_decref(body);
    return err;
}

int vr_conf_load(void)
{
    const json_t *config = vr_core->config();
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

void vr_conf_free(void)
{
    free(vr_conf.admin_key);
    vr_conf = (struct vr_conf){ .events = false };
}

/* False: the id can not be the name of a group. */
static bool group_name(const struct vr_room *room, char *out, size_t cap)
{
    snprintf(out, cap, GROUP_PREFIX "%s", room->id.s);
    return !strpbrk(room->id.s, "[]") && room->id.s[0] != ' ' &&
           room->id.s[strlen(room->id.s) - 1] != ' ';
}

static json_t *allowed_to_text(const struct vr_room *room)
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

bool vr_room_save(const struct vr_room *room)
{
    char group[VR_ID_MAX + 16];
    json_t *keys;
    int err;

    if (!group_name(room, group, sizeof(group)))
        return false;
    keys = vr_settings_to_config(&room->set);
    if (room->check_allowed)
        json_object_set_new(keys, "allowed", allowed_to_text(room));
    err = vr_core->config_save(group, keys);
    json_decref(keys);
    return err == 0;
}

bool vr_room_unsave(const struct vr_room *room)
{
    char group[VR_ID_MAX + 16];

    return group_name(room, group, sizeof(group)) && vr_core->config_save(group, NULL) == 0;
}
