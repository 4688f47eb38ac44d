/* The configuration: a table of keys. */

#include "webhook.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum key_type { KEY_TEXT, KEY_BOOL, KEY_INT };

static const struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    const char *def;
    int64_t min, max;
    bool tweak; /* administrators may change it */
} keys[] = {
    { "backend", KEY_TEXT, offsetof(struct wh_conf, backend), NULL, 0, 0, true },
    { "backend_user", KEY_TEXT, offsetof(struct wh_conf, user), NULL, 0, 0, true },
    { "backend_pwd", KEY_TEXT, offsetof(struct wh_conf, password), NULL, 0, 0, true },
    { "secret", KEY_TEXT, offsetof(struct wh_conf, secret), NULL, 0, 0, false },
    { "tls_ca", KEY_TEXT, offsetof(struct wh_conf, tls_ca), NULL, 0, 0, false },
    { "grouping", KEY_BOOL, offsetof(struct wh_conf, grouping), "yes", 0, 0, true },
    { "max_retransmissions", KEY_INT, offsetof(struct wh_conf, retries), "5", 0, 1000, true },
    { "retransmissions_backoff", KEY_INT, offsetof(struct wh_conf, backoff_ms), "100", 1, 60000,
      true },
    { "timeout", KEY_INT, offsetof(struct wh_conf, timeout_ms), "10000", 1, 600000, false },
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *key_find(const char *name)
{
    for (size_t i = 0; i < NKEYS; i++) {
        if (!strcmp(keys[i].name, name))
            return &keys[i];
    }
    return NULL;
}

static void *field(struct wh_conf *c, const struct key *k)
{
    return (char *)c + k->offset;
}

static int set_text(char **at, const char *text)
{
    char *copy = *text ? strdup(text) : NULL;

    if (*text && !copy)
        return -ENOMEM;
    free(*at);
    *at = copy;
    return 0;
}

static int set_bool(bool *at, const char *text)
{
    static const char *const words[] = { "no", "yes", "false", "true", "0", "1" };

    for (size_t i = 0; i < 6; i++) {
        if (!strcmp(text, words[i])) {
            *at = i % 2;
            return 0;
        }
    }
    return -EINVAL;
}

static int set_int(int64_t *at, const struct key *k, const char *text)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < k->min || n > k->max)
        return -EINVAL;
    *at = n;
    return 0;
}

static int key_set(struct wh_conf *c, const struct key *k, const char *text)
{
    switch (k->type) {
    case KEY_TEXT:
        return set_text(field(c, k), text);
    case KEY_BOOL:
        return set_bool(field(c, k), text);
    case KEY_INT:
        return set_int(field(c, k), k, text);
    }
    return -EINVAL;
}

/* What is wrong with it as a whole; NULL: nothing. */
static const char *mistake(const struct wh_conf *c)
{
    if (!c->backend ||
        (strncmp(c->backend, "http://", 7) != 0 && strncmp(c->backend, "https://", 8) != 0))
        return "backend expects a URL that begins with http:// or https://";
    if (c->password && !c->user)
        return "backend_pwd expects backend_user to be set, too";
    return NULL;
}

static int refuse(const struct sl_event_core *core, const char *key, const char *why)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "error=\"%s: %s\"", key, why);
    core->log(core, 0, "config", text);
    return -EINVAL;
}

static int defaults(struct wh_conf *c)
{
    int err = 0;

    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < NKEYS && !err; i++)
        err = keys[i].def ? key_set(c, &keys[i], keys[i].def) : 0;
    return err;
}

int wh_conf_load(const struct sl_event_core *core, struct wh_conf *out)
{
    json_t *general = json_object_get(core->config(core), "general");
    struct wh_conf c;
    const char *name;
    json_t *value;
    int err = defaults(&c);

    json_object_foreach(general, name, value)
    {
        const struct key *k = key_find(name);

        if (err || !strcmp(name, "events"))
            continue;
        if (!k)
            err = refuse(core, name, "there is no such key");
        else if (key_set(&c, k, json_string_value(value)))
            err = refuse(core, name, k->type == KEY_BOOL ? "expects yes or no" : "out of range");
    }
    if (!err && mistake(&c))
        err = refuse(core, "group general", mistake(&c));
    if (err)
        wh_conf_fini(&c);
    else
        *out = c;
    return err;
}

int wh_conf_copy(const struct wh_conf *c, struct wh_conf *out)
{
    int err = 0;

    *out = *c;
    for (size_t i = 0; i < NKEYS; i++) {
        if (keys[i].type == KEY_TEXT)
            *(char **)field(out, &keys[i]) = NULL;
    }
    for (size_t i = 0; i < NKEYS && !err; i++) {
        char *text = *(char **)field((struct wh_conf *)(uintptr_t)c, &keys[i]);

        if (keys[i].type == KEY_TEXT && text)
            err = set_text(field(out, &keys[i]), text);
    }
    if (err)
        wh_conf_fini(out);
    return err;
}

void wh_conf_fini(struct wh_conf *c)
{
    for (size_t i = 0; i < NKEYS; i++) {
        if (keys[i].type == KEY_TEXT)
            free(*(char **)field(c, &keys[i]));
    }
    memset(c, 0, sizeof(*c));
}

/* A value of a request as it would stand in the file. */
static const char *as_text(const json_t *v, char buf[32])
{
    if (json_is_boolean(v))
        return json_is_true(v) ? "yes" : "no";
    if (!json_is_integer(v))
        return json_string_value(v);
    (void)snprintf(buf, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return buf;
}

static json_t *error(const char *text)
{
    return json_pack("{s:i, s:s}", "error_code", 411, "error", text);
}

json_t *wh_conf_tweak(struct wh_conf *c, const json_t *request)
{
    struct wh_conf changed;
    const char *name, *wrong = NULL;
    json_t *value;

    if (wh_conf_copy(c, &changed))
        return error("Out of memory");
    json_object_foreach((json_t *)(uintptr_t)request, name, value)
    {
        const struct key *k = key_find(name);
        char buf[32];
        const char *text = as_text(value, buf);

        if (k && k->tweak && (!text || key_set(&changed, k, text)))
            wrong = "Invalid element type";
    }
    if (!wrong)
        wrong = mistake(&changed);
    if (wrong) {
        wh_conf_fini(&changed);
        return error(wrong);
    }
    wh_conf_fini(c);
    *c = changed;
    return json_pack("{s:i}", "result", 200);
}
