#include "pl_conf.h"
#include "pl_allowed.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROUP_PREFIX "room "

static int complain(const struct pl_conf *c, const char *group, const char *key, const char *why)
{
    char text[320];

    snprintf(text, sizeof(text), "file=%s group=\"%.80s\" key=%.60s: %s", c->file, group, key, why);
    c->core->log(0, "configuration", text);
    return -EINVAL;
}

json_t *pl_bool_from_text(const char *text)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

    for (size_t i = 0; i < SL_ARG_COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return json_boolean(i & 1);
    return NULL;
}

int pl_read_bool(const char *text, void *to)
{
    const json_t *v = pl_bool_from_text(text); /* a constant of the library: not counted */

    if (!v)
        return -EINVAL;
    *(bool *)to = json_is_true(v);
    return 0;
}

int pl_read_text(const char *text, void *to)
{
    char *copy = *text ? strdup(text) : NULL;

    if (*text && !copy)
        return -ENOMEM;
    *(char **)to = copy;
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int general_read(const struct pl_conf *c, const char *name, const char *text)
{
    char why[96];
    int err;

    for (size_t i = 0; i < c->ngeneral; i++) {
        const struct pl_key *key = &c->general[i];

        if (strcmp(key->name, name) != 0)
            continue;
        err = key->read(text, key->to);
        snprintf(why, sizeof(why), "%s is wanted", key->wanted);
        return err == -EINVAL ? complain(c, "general", name, why) : err;
    }
    return complain(c, "general", name, "no such key");
}

static int general_load(const struct pl_conf *c, const json_t *general)
{
    const char *name;
    json_t *v;
    int err = 0;

    json_object_foreach((json_t *)general, name, v)
    {
        err = general_read(c, name, json_string_value(v));
        if (err)
            break;
    }
    return err;
}

static int room_body(const struct pl_conf *c, const char *group, const json_t *keys, json_t *body)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)keys, name, v)
    {
        const char *text = json_string_value(v);
        json_t *value =
            strcmp(name, "allowed") == 0 ? pl_allowed_from_text(text) : c->room_value(name, text);

        if (!value)
            return complain(c, group, name, "no such key, or not a value for it");
        json_object_set_new(body, name, value);
    }
    return 0;
}

static int room_load(const struct pl_conf *c, const char *group, const json_t *keys)
{
    char why[SL_ARG_TEXT_MAX] = "";
    json_t *body = json_object();
    struct pl_id id;
    int err = room_body(c, group, keys, body);

    if (!err && !pl_id_from_text(group + strlen(GROUP_PREFIX), *c->string_ids, &id))
        err = complain(c, group, "-", "not an id for a room (see string_ids)");
    else if (!err) {
        err = c->room_make(&id, body, why);
        if (err)
            complain(c, group, "-",
                     *why             ? why
                     : err == -EEXIST ? "there is such a room already"
                     : err == -E2BIG  ? "too many rooms"
                                      : "no memory");
    }
    json_decref(body);
    return err;
}

int pl_conf_load(const struct pl_conf *c)
{
    const json_t *config = c->core->config();
    const char *group;
    json_t *keys;
    int err = general_load(c, json_object_get(config, "general"));

    json_object_foreach((json_t *)config, group, keys)
    {
        if (err)
            break;
        if (strncmp(group, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0)
            err = room_load(c, group, keys);
        else if (strcmp(group, "general") != 0)
            err = complain(c, group, "-", "no such group: [general] or [room <id>] is wanted");
    }
    return err;
}

/* ---- rooms that are kept --------------------------------------------------------------------- */

/* False: the id can not be the name of a group. */
static bool group_name(const struct pl_id *id, char out[PL_ID_MAX + 16])
{
    snprintf(out, PL_ID_MAX + 16, GROUP_PREFIX "%s", id->s);
    return !strpbrk(id->s, "[]") && id->s[0] != ' ' && id->s[strlen(id->s) - 1] != ' ';
}

bool pl_room_save(const struct sl_core *core, const struct pl_id *id, json_t *keys,
                  const json_t *allowed)
{
    char group[PL_ID_MAX + 16];
    bool ok = group_name(id, group);

    if (ok && allowed)
        json_object_set_new(keys, "allowed", pl_allowed_to_text(allowed));
    if (ok)
        ok = core->config_save(group, keys) == 0;
    json_decref(keys);
    return ok;
}

bool pl_room_unsave(const struct sl_core *core, const struct pl_id *id)
{
    char group[PL_ID_MAX + 16];

    return group_name(id, group) && core->config_save(group, NULL) == 0;
}
