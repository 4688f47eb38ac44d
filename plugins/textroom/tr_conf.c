#include "../common/pl_conf.h"
#include "tr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tr_conf tr_conf;

bool tr_url_is_sound(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0    ? url + 7
                       : strncmp(url, "https://", 8) == 0 ? url + 8
                                                          : NULL;

    if (!host || strlen(url) > TR_POST_URL_MAX || !strcspn(host, "/?#@:"))
        return false;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return true;
}

/* With its path, so that "http://one.example" does not allow http://one.example.net. */
static int read_post_to(const char *text, void *to)
{
    const char *host = strstr(text, "://");

    if (*text && (!tr_url_is_sound(text) || !strchr(host + 3, '/')))
        return -EINVAL;
    return pl_read_text(text, to);
}

static const struct pl_key general[] = {
    { "admin_key", "text", pl_read_text, &tr_conf.admin_key },
    { "post_to", "the beginning of a URL, with a path", read_post_to, &tr_conf.post_to },
    { "string_ids", "yes or no", pl_read_bool, &tr_conf.string_ids },
    { "events", "yes or no", pl_read_bool, &tr_conf.events },
};

static json_t *history_from_text(const char *text)
{
    char *end = NULL;
    const unsigned long n = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && n <= TR_HISTORY_MAX
               ? json_integer((json_int_t)n)
               : NULL;
}

static json_t *room_value(const char *key, const char *text)
{
    static const struct {
        const char *name;
        json_t *(*from_text)(const char *text); /* NULL: not a value for it */
    } keys[] = {
        { "description", json_string },   { "secret", json_string },
        { "pin", json_string },           { "is_private", pl_bool_from_text },
        { "history", history_from_text }, { "post", json_string },
    };

    for (size_t i = 0; i < SL_ARG_COUNT(keys); i++)
        if (strcmp(keys[i].name, key) == 0)
            return keys[i].from_text(text);
    return NULL;
}

static int room_make(const struct pl_id *id, const json_t *body, char *why)
{
    const char *post = sl_arg_str(body, "post", "");
    struct tr_room *room;

    if (*post && !tr_post_is_there()) {
        snprintf(why, SL_ARG_TEXT_MAX, "posting of messages is not available without libcurl");
        return -EINVAL;
    }
    if (*post && !tr_url_is_sound(post)) {
        snprintf(why, SL_ARG_TEXT_MAX, "post expects a URL");
        return -EINVAL;
    }
    return tr_room_create(id, body, &room);
}

int tr_conf_load(void)
{
    const struct pl_conf conf = {
        tr_core,    "textroom.conf", general, SL_ARG_COUNT(general), &tr_conf.string_ids,
        room_value, room_make
    };

    tr_conf = (struct tr_conf){ .events = true };
    return pl_conf_load(&conf);
}

void tr_conf_free(void)
{
    free(tr_conf.admin_key);
    free(tr_conf.post_to);
    tr_conf = (struct tr_conf){ .events = false };
}

bool tr_room_save(const struct tr_room *room)
{
    json_t *keys = json_pack("{s:s, s:s, s:o}", "description", room->description, "is_private",
                             room->is_private ? "yes" : "no", "history",
                             json_sprintf("%u", room->history_max));

    if (room->secret)
        json_object_set_new(keys, "secret", json_string(room->secret));
    if (room->pin)
        json_object_set_new(keys, "pin", json_string(room->pin));
    if (room->post)
        json_object_set_new(keys, "post", json_string(room->post));
    return pl_room_save(tr_core, &room->id, keys, room->check_allowed ? room->allowed : NULL);
}

bool tr_room_unsave(const struct tr_room *room)
{
    return pl_room_unsave(tr_core, &room->id);
}
