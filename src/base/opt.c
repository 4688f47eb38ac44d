#include "base/opt.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *field(void *conf, const struct sl_opt *o)
{
    return (char *)conf + o->offset;
}

/* Decimal digits with an optional sign, up to @end. */
static bool parse_int(const char *text, const char *end, int64_t *out)
{
    const char *digits = text + (*text == '-');
    char *stop;

    if (digits == end || strspn(digits, "0123456789") < (size_t)(end - digits))
        return false;
    errno = 0;
    *out = strtoll(text, &stop, 10);
    return !errno && stop == end;
}

static int set_bool(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "yes", true },    { "no", false }, { "true", true },
        { "false", false }, { "1", true },   { "0", false },
    };

    (void)o;
    for (size_t i = 0; i < SL_COUNT(words); i++) {
        if (!strcasecmp(text, words[i].word)) {
            *(bool *)at = words[i].value;
            return 0;
        }
    }
    (void)snprintf(err, cap, "expects yes or no, not '%s'", text);
    return -EINVAL;
}

static int set_int(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap)
{
    int64_t v;

    if (!parse_int(text, text + strlen(text), &v) || v < o->min || v > o->max) {
        (void)snprintf(err, cap, "expects a number from %" PRId64 " to %" PRId64 ", not '%s'",
                       o->min, o->max, text);
        return -EINVAL;
    }
    *(int64_t *)at = v;
    return 0;
}

static int set_str(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap)
{
    char *copy = NULL;

    (void)o;
    if (*text) {
        copy = strdup(text);
        if (!copy) {
            (void)snprintf(err, cap, "finds no memory");
            return -ENOMEM;
        }
    }
    free(*(char **)at);
    *(char **)at = copy;
    return 0;
}

static int set_range(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap)
{
    const char *dash = *text ? strchr(text + 1, '-') : NULL;
    struct sl_opt_range r;

    if (!dash || !parse_int(text, dash, &r.low) ||
        !parse_int(dash + 1, dash + 1 + strlen(dash + 1), &r.high) || r.low > r.high ||
        r.low < o->min || r.high > o->max) {
        (void)snprintf(err, cap,
                       "expects LOW-HIGH with numbers from %" PRId64 " to %" PRId64 ", not '%s'",
                       o->min, o->max, text);
        return -EINVAL;
    }
    *(struct sl_opt_range *)at = r;
    return 0;
}

static int set_enum(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap)
{
    size_t used;

    for (int64_t i = 0; o->words[i]; i++) {
        if (!strcasecmp(text, o->words[i])) {
            *(int64_t *)at = i;
            return 0;
        }
    }
    (void)snprintf(err, cap, "expects one of");
    for (size_t i = 0; o->words[i]; i++) {
        used = strnlen(err, cap);
        (void)snprintf(err + used, cap - used, "%s %s", i ? "," : "", o->words[i]);
    }
    used = strnlen(err, cap);
    (void)snprintf(err + used, cap - used, ", not '%s'", text);
    return -EINVAL;
}

static const struct {
    int (*set)(const struct sl_opt *o, void *at, const char *text, char *err, size_t cap);
    size_t size;
} types[] = {
    [SL_OPT_T_BOOL] = { set_bool, sizeof(bool) },
    [SL_OPT_T_INT] = { set_int, sizeof(int64_t) },
    [SL_OPT_T_STR] = { set_str, sizeof(char *) },
    [SL_OPT_T_RANGE] = { set_range, sizeof(struct sl_opt_range) },
    [SL_OPT_T_ENUM] = { set_enum, sizeof(int64_t) },
};

int sl_opt_defaults(const struct sl_opt_group *g, void *conf)
{
    char err[128];

    for (size_t i = 0; i < g->n; i++)
        memset(field(conf, &g->opts[i]), 0, types[g->opts[i].type].size);
    for (size_t i = 0; i < g->n; i++) {
        const struct sl_opt *o = &g->opts[i];
        int rc = o->def ? types[o->type].set(o, field(conf, o), o->def, err, sizeof(err)) : 0;

        assert(rc != -EINVAL); /* the table contradicts itself */
        if (rc) {
            sl_opt_fini(g, conf);
            return rc;
        }
    }
    return 0;
}

int sl_opt_set(const struct sl_opt_group *g, void *conf, const char *key, const char *text,
               char *err, size_t cap)
{
    char none[1];

    if (!cap) {
        err = none;
        cap = sizeof(none);
    }
    for (size_t i = 0; i < g->n; i++) {
        const struct sl_opt *o = &g->opts[i];

        if (!strcmp(o->key, key))
            return types[o->type].set(o, field(conf, o), text, err, cap);
    }
    return -ENOENT;
}

void sl_opt_fini(const struct sl_opt_group *g, void *conf)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct sl_opt *o = &g->opts[i];

        if (o->type == SL_OPT_T_STR) {
            free(*(char **)field(conf, o));
            *(char **)field(conf, o) = NULL;
        }
    }
}
