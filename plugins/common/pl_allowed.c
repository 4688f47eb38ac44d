#include "pl_allowed.h"
#include <string.h>
#include <strings.h>

enum action { ENABLE, DISABLE, ADD, REMOVE, ACTION_MAX };

static enum action action_parse(const char *name)
{
    static const char *const names[] = { "enable", "disable", "add", "remove" };
    enum action a = ENABLE;

    while (a < ACTION_MAX && strcasecmp(names[a], name) != 0)
        a++;
    return a;
}

json_t *pl_allowed_list(const json_t *allowed)
{
    json_t *list = json_array(), *v;
    const char *token;

    json_object_foreach((json_t *)allowed, token, v)
        json_array_append_new(list, json_string(token));
    return list;
}

void pl_allowed_add(json_t *allowed, const json_t *list)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v) json_object_set_new(allowed, json_string_value(v), json_true());
}

static void tokens_remove(json_t *allowed, const json_t *list)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v) json_object_del(allowed, json_string_value(v));
}

json_t *pl_allowed_to_text(const json_t *allowed)
{
    json_t *text = json_string(""), *v;
    const char *token;

    json_object_foreach((json_t *)allowed, token, v)
    {
        const char *so_far = json_string_value(text);
        json_t *next = json_sprintf("%s%s%s", so_far, *so_far ? "," : "", token);

        json_decref(text);
        text = next;
    }
    return text;
}

json_t *pl_allowed_from_text(const char *text)
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

int pl_allowed_request(struct pl_error *e, const json_t *body, json_t *allowed, bool *is_checked,
                       json_t **list)
{
    static const struct sl_arg action_arg = { "action", SL_ARG_STRING, SL_ARG_REQUIRED };
    static const struct sl_arg tokens_arg = { "allowed", SL_ARG_ARRAY, SL_ARG_REQUIRED };
    const json_t *tokens = json_object_get(body, "allowed");
    enum action a;

    if (pl_args(e, body, &action_arg, 1) < 0)
        return -1;
    a = action_parse(sl_arg_str(body, "action", ""));
    if (a == ACTION_MAX)
        return pl_fail(e, e->codes->invalid, "Unsupported action '%.32s' (allowed)",
                       sl_arg_str(body, "action", ""));
    if ((a == ADD || a == REMOVE) &&
        (pl_args(e, body, &tokens_arg, 1) < 0 || pl_arg_strings(e, body, "allowed") < 0))
        return -1;
    if (a == ENABLE || a == DISABLE)
        *is_checked = a == ENABLE;
    if (a == ADD)
        pl_allowed_add(allowed, tokens);
    if (a == REMOVE)
        tokens_remove(allowed, tokens);
    /* Also after `disable`, where the reference has none: some clients wait for the member. */
    *list = a == DISABLE ? json_array() : pl_allowed_list(allowed);
    return 0;
}
