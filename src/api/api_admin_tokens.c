/* Stored tokens, as the administrator adds, changes and removes them (admin API, section 1.2). */

#include "api/api_priv.h"
#include "plugin/plugin_loader.h"
#include <string.h>

static bool tokens_are_stored(struct api_req *r) SL_ON_CONTROL;
static bool tokens_are_stored(struct api_req *r)
{
    if (r->api->auth.token_auth && !r->api->auth.token_secret)
        return true;
    api_fail(r, SL_API_UNKNOWN, "Stored-Token based authentication disabled");
    return false;
}

/* Packages that a token may use; @allowed is what the store holds. */
static json_t *allowed_plugins(const struct sl_api *api, const json_t *allowed)
{
    json_t *list = json_array(), *all;
    const char *package;
    json_t *v;

    if (!json_is_true(allowed)) {
        json_array_extend(list, (json_t *)allowed);
        return list;
    }
    all = sl_plugins_info(api->plugins);
    json_object_foreach(all, package, v) json_array_append_new(list, json_string(package));
    json_decref(all);
    return list;
}

static void token_ok(struct api_req *r, const char *token) SL_ON_CONTROL;
static void token_ok(struct api_req *r, const char *token)
{
    const json_t *allowed = json_object_get(r->api->auth.tokens, token);

    api_ok(r, "success",
           json_pack("{s:{s:o}}", "data", "plugins", allowed_plugins(r->api, allowed)));
}

/* Those of @names that are plugins: others are skipped, as in the reference. */
static json_t *known_plugins(const struct sl_api *api, const json_t *names) SL_ON_CONTROL;
static json_t *known_plugins(const struct sl_api *api, const json_t *names)
{
    json_t *list = json_array();
    const json_t *v;
    size_t i;

    json_array_foreach(names, i, v)
    {
        if (json_is_string(v) && sl_plugins_find(api->plugins, json_string_value(v)))
            json_array_append(list, (json_t *)v);
    }
    return list;
}

void api_admin_add_token(struct api_req *r)
{
    const char *token = sl_arg_str(r->root, "token", "");
    const json_t *names = sl_arg_get(r->root, "plugins");
    json_t *list;

    if (!tokens_are_stored(r))
        return;
    list = json_array_size(names) ? known_plugins(r->api, names) : NULL;
    if (sl_auth_token_add(&r->api->auth, token, list))
        api_fail(r, SL_API_UNKNOWN, "Out of memory");
    else
        token_ok(r, token);
}

static bool has_string(const json_t *list, const char *text)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        if (json_is_string(v) && !strcmp(json_string_value(v), text))
            return true;
    }
    return false;
}

/* Adds to (@allow) or takes from what a token may use. */
static void change_token(struct api_req *r, bool allow) SL_ON_CONTROL;
static void change_token(struct api_req *r, bool allow)
{
    const char *token = sl_arg_str(r->root, "token", "");
    const json_t *names = sl_arg_get(r->root, "plugins"), *v;
    const json_t *old = json_object_get(r->api->auth.tokens, token);
    json_t *before, *after;
    size_t i;

    if (!tokens_are_stored(r))
        return;
    if (!old) {
        api_fail(r, SL_API_NO_TOKEN, "Token %s not found", token);
        return;
    }
    json_array_foreach(names, i, v)
    {
        if (!json_is_string(v) || !sl_plugins_find(r->api->plugins, json_string_value(v)))
            break;
    }
    if (!json_array_size(names) || i < json_array_size(names)) {
        api_fail(r, SL_API_INVALID_TYPE,
                 "Invalid element type (plugins should be a non-empty array of plugin packages)");
        return;
    }
    before = allowed_plugins(r->api, old);
    after = json_array();
    json_array_foreach(before, i, v)
    {
        if (allow || !has_string(names, json_string_value(v)))
            json_array_append(after, (json_t *)v);
    }
    json_array_foreach(names, i, v)
    {
        if (allow && !has_string(after, json_string_value(v)))
            json_array_append(after, (json_t *)v);
    }
    json_decref(before);
    json_object_set_new(r->api->auth.tokens, token, after);
    token_ok(r, token);
}

void api_admin_allow_token(struct api_req *r)
{
    change_token(r, true);
}

void api_admin_disallow_token(struct api_req *r)
{
    change_token(r, false);
}

void api_admin_remove_token(struct api_req *r)
{
    const char *token = sl_arg_str(r->root, "token", "");

    if (!tokens_are_stored(r))
        return;
    if (sl_auth_token_del(&r->api->auth, token))
        api_fail(r, SL_API_NO_TOKEN, "Token %s not found", token);
    else
        api_ok(r, "success", NULL);
}

void api_admin_list_tokens(struct api_req *r)
{
    json_t *list = json_array();
    const char *token;
    json_t *allowed;

    if (!tokens_are_stored(r)) {
        json_decref(list);
        return;
    }
    json_object_foreach(r->api->auth.tokens, token, allowed)
    {
        json_t *names = allowed_plugins(r->api, allowed);

        if (json_array_size(names))
            json_array_append_new(
                list, json_pack("{s:s, s:O}", "token", token, "allowed_plugins", names));
        json_decref(names);
    }
    api_ok(r, "success", json_pack("{s:{s:o}}", "data", "tokens", list));
}
