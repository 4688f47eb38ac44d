/*
 * args.h - checks the members of a JSON request against a table, with the protocol's own texts.
 *
 *   static const struct sl_arg join_args[] = {
 *       { "room", SL_ARG_UINT, SL_ARG_REQUIRED },
 *       { "display", SL_ARG_STRING, SL_ARG_OPTIONAL },
 *   };
 *   char text[SL_ARG_TEXT_MAX];
 *   int err = sl_args_check(body, join_args, SL_ARG_COUNT(join_args), text, sizeof(text));
 *
 * Spec: control protocol, errors 456 and 467 and their like in plugins: `Missing mandatory element
 *       (room)`, `Invalid element type (room should be a positive integer)`.
 * An optional member that is null counts as absent (some clients always send it); a required one
 * has the wrong type then. Members that the table does not name are ignored. A real number is never
 * an integer, not even 5.0. Any thread; pure; header only.
 */
#ifndef SLUICE_ARGS_H
#define SLUICE_ARGS_H

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SL_ARG_TEXT_MAX 160
#define SL_ARG_COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum sl_arg_type {
    SL_ARG_STRING,
    SL_ARG_TEXT, /* a string that is not empty */
    SL_ARG_BOOL,
    SL_ARG_INT,
    SL_ARG_UINT, /* "a positive integer" of the protocol: 0 is one */
    SL_ARG_NUMBER,
    SL_ARG_OBJECT,
    SL_ARG_ARRAY,
};

enum sl_arg_need { SL_ARG_OPTIONAL, SL_ARG_REQUIRED };

/* Limits for what is kept and told to others. */
#define SL_ARG_NAME_MAX 1024  /* bytes: names, descriptions, secrets */
#define SL_ARG_META_MAX 16384 /* bytes of compact JSON: metadata */

struct sl_arg {
    const char *name;
    enum sl_arg_type type;
    enum sl_arg_need need;
    size_t max; /* of an integer; bytes of a string, or of an object's compact JSON; 0: no limit */
};

static inline bool sl_arg_is(const json_t *v, enum sl_arg_type type)
{
    switch (type) {
    case SL_ARG_STRING:
        return json_is_string(v);
    case SL_ARG_TEXT:
        return json_is_string(v) && json_string_length(v) > 0;
    case SL_ARG_BOOL:
        return json_is_boolean(v);
    case SL_ARG_INT:
        return json_is_integer(v);
    case SL_ARG_UINT:
        return json_is_integer(v) && json_integer_value(v) >= 0;
    case SL_ARG_NUMBER:
        return json_is_number(v);
    case SL_ARG_OBJECT:
        return json_is_object(v);
    case SL_ARG_ARRAY:
        return json_is_array(v);
    }
    return false;
}

/* How error texts name the type: "a string". */
static inline const char *sl_arg_type_to_str(enum sl_arg_type type)
{
    switch (type) {
    case SL_ARG_STRING:
        return "a string";
    case SL_ARG_TEXT:
        return "a non-empty string";
    case SL_ARG_BOOL:
        return "a boolean";
    case SL_ARG_INT:
        return "an integer";
    case SL_ARG_UINT:
        return "a positive integer";
    case SL_ARG_NUMBER:
        return "a number";
    case SL_ARG_OBJECT:
        return "an object";
    case SL_ARG_ARRAY:
        return "an array";
    }
    return "valid";
}

/* The member, or NULL when it is absent or null. */
static inline json_t *sl_arg_get(const json_t *obj, const char *name)
{
    json_t *v = json_object_get(obj, name);

    return json_is_null(v) ? NULL : v;
}

/* Values with a default for absent members and members of another type. */
static inline const char *sl_arg_str(const json_t *obj, const char *name, const char *def)
{
    const json_t *v = json_object_get(obj, name);

    return json_is_string(v) ? json_string_value(v) : def;
}

static inline long long sl_arg_int(const json_t *obj, const char *name, long long def)
{
    const json_t *v = json_object_get(obj, name);

    return json_is_integer(v) ? json_integer_value(v) : def;
}

static inline bool sl_arg_bool(const json_t *obj, const char *name, bool def)
{
    const json_t *v = json_object_get(obj, name);

    return json_is_boolean(v) ? json_is_true(v) : def;
}

static inline bool sl_arg_fits(const json_t *v, size_t max)
{
    if (max == 0 || json_is_null(v))
        return true;
    if (json_is_integer(v))
        return json_integer_value(v) <= 0 || (unsigned long long)json_integer_value(v) <= max;
    return (json_is_string(v) ? json_string_length(v) : json_dumpb(v, NULL, 0, JSON_COMPACT)) <=
           max;
}

/* Checks the @n rows in order. 0; -ENOENT: a required member is missing; -EINVAL: a member has the
 * wrong type, is too large or too long. @text (size @cap) then has the protocol's words and is untouched
 * otherwise. */
static inline int sl_args_check(const json_t *obj, const struct sl_arg *args, size_t n, char *text,
                                size_t cap)
{
    for (size_t i = 0; i < n; i++) {
        const struct sl_arg *a = &args[i];
        const json_t *v = json_object_get(obj, a->name);

        if (!v && a->need == SL_ARG_REQUIRED) {
            snprintf(text, cap, "Missing mandatory element (%s)", a->name);
            return -ENOENT;
        }
        if (!v || (json_is_null(v) && a->need == SL_ARG_OPTIONAL))
            continue;
        if (sl_arg_is(v, a->type) && sl_arg_fits(v, a->max))
            continue;
        if (sl_arg_is(v, a->type)) {
            snprintf(text, cap, json_is_integer(v) ? "Invalid element (%s is larger than %zu)"
                                                   : "Invalid element (%s is longer than %zu bytes)",
                     a->name, a->max);
            return -EINVAL;
        }
        snprintf(text, cap, "Invalid element type (%s should be %s)", a->name,
                 sl_arg_type_to_str(a->type));
        return -EINVAL;
    }
    return 0;
}

#endif
