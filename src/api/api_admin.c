/* Requests of the administrator's listener (admin API, sections 1.1 and 1.2): server verbs. */

#include "pc/pc_world.h"
#include "api/api_events.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/plugin_loader.h"
#include <inttypes.h>
#include <string.h>
#include <strings.h>

static void admin_ok(struct api_req *r, json_t *body) SL_ON_CONTROL;
static void admin_ok(struct api_req *r, json_t *body)
{
    api_ok(r, "success", body);
}

static void list_sessions(struct api_req *r) SL_ON_CONTROL;
static void list_sessions(struct api_req *r)
{
    json_t *ids = json_array();
    struct sl_list *pos;

    sl_list_for_each (pos, &r->api->session_list) {
        const struct sl_session *s = sl_container(pos, struct sl_session, link);

        json_array_append_new(ids, json_integer((json_int_t)s->id));
    }
    admin_ok(r, json_pack("{s:o}", "sessions", ids));
}

static void accept_new_sessions(struct api_req *r) SL_ON_CONTROL;
static void accept_new_sessions(struct api_req *r)
{
    r->api->accepting = sl_arg_bool(r->root, "accept", true);
    admin_ok(r, json_pack("{s:b}", "accept", r->api->accepting));
}

static void set_session_timeout(struct api_req *r) SL_ON_CONTROL;
static void set_session_timeout(struct api_req *r)
{
    r->api->conf.session_timeout_s = sl_arg_int(r->root, "timeout", 0);
    admin_ok(r, json_pack("{s:I}", "timeout", (json_int_t)r->api->conf.session_timeout_s));
}

static void set_slowlink_threshold(struct api_req *r) SL_ON_CONTROL;
static void set_slowlink_threshold(struct api_req *r)
{
    r->api->conf.slowlink_threshold = sl_arg_int(r->root, "slowlink_threshold", 0);
    sl_pc_world_set_slowlink(r->api->world, (uint32_t)r->api->conf.slowlink_threshold);
    admin_ok(r,
             json_pack("{s:I}", "slowlink_threshold", (json_int_t)r->api->conf.slowlink_threshold));
}

static void loops_info(struct api_req *r) SL_ON_CONTROL;
static void loops_info(struct api_req *r)
{
    admin_ok(r, json_pack("{s:o}", "loops", sl_pc_world_loops(r->api->world)));
}

static void message_plugin(struct api_req *r) SL_ON_CONTROL;
static void message_plugin(struct api_req *r)
{
    const struct sl_plugin *p = sl_plugins_find(r->api->plugins, sl_arg_str(r->root, "plugin", ""));
    const json_t *request = sl_arg_get(r->root, "request");
    json_t *empty, *response;

    if (!p) {
        api_fail(r, SL_API_NO_PLUGIN, "Invalid plugin");
        return;
    }
    if (!p->admin) {
        api_fail(r, SL_API_UNKNOWN, "Plugin doesn't support Admin API messages");
        return;
    }
    empty = json_object();
    response = p->admin(request ? request : empty);
    json_decref(empty);
    admin_ok(r, json_pack("{s:o}", "response", response ? response : json_object()));
}

/* ---- events ---------------------------------------------------------------------------------- */

static void custom_event(struct api_req *r) SL_ON_CONTROL;
static void custom_event(struct api_req *r)
{
    api_event_external(r->api, sl_arg_str(r->root, "schema", ""), json_object_get(r->root, "data"));
    admin_ok(r, NULL);
}

static void query_eventhandler(struct api_req *r) SL_ON_CONTROL;
static void query_eventhandler(struct api_req *r)
{
    json_t *response = sl_events_query(r->api->conf.events, sl_arg_str(r->root, "handler", ""),
                                       sl_arg_get(r->root, "request"));

    if (response)
        admin_ok(r, json_pack("{s:o}", "response", response));
    else
        api_fail(r, SL_API_NO_PLUGIN, "Invalid event handler");
}

/* ---- stored tokens --------------------------------------------------------------------------- */

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

    admin_ok(r, json_pack("{s:{s:o}}", "data", "plugins", allowed_plugins(r->api, allowed)));
}

static void add_token(struct api_req *r) SL_ON_CONTROL;
static void add_token(struct api_req *r)
{
    const char *token = sl_arg_str(r->root, "token", "");

    if (!tokens_are_stored(r))
        return;
    if (sl_auth_token_add(&r->api->auth, token, sl_arg_get(r->root, "plugins")))
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

static void allow_token(struct api_req *r) SL_ON_CONTROL;
static void allow_token(struct api_req *r)
{
    change_token(r, true);
}

static void disallow_token(struct api_req *r) SL_ON_CONTROL;
static void disallow_token(struct api_req *r)
{
    change_token(r, false);
}

static void remove_token(struct api_req *r) SL_ON_CONTROL;
static void remove_token(struct api_req *r)
{
    const char *token = sl_arg_str(r->root, "token", "");

    if (!tokens_are_stored(r))
        return;
    if (sl_auth_token_del(&r->api->auth, token))
        api_fail(r, SL_API_NO_TOKEN, "Token %s not found", token);
    else
        admin_ok(r, NULL);
}

static void list_tokens(struct api_req *r) SL_ON_CONTROL;
static void list_tokens(struct api_req *r)
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
    admin_ok(r, json_pack("{s:{s:o}}", "data", "tokens", list));
}

/* ---- dispatch -------------------------------------------------------------------------------- */

static const struct sl_arg token_args[] = {
    { "token", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "plugins", SL_ARG_ARRAY, SL_ARG_OPTIONAL },
};
static const struct sl_arg change_args[] = {
    { "token", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "plugins", SL_ARG_ARRAY, SL_ARG_REQUIRED },
};
static const struct sl_arg accept_args[] = { { "accept", SL_ARG_BOOL, SL_ARG_REQUIRED } };
static const struct sl_arg timeout_args[] = { { "timeout", SL_ARG_UINT, SL_ARG_REQUIRED } };
static const struct sl_arg slowlink_args[] = {
    { "slowlink_threshold", SL_ARG_UINT, SL_ARG_REQUIRED },
};
static const struct sl_arg plugin_args[] = {
    { "plugin", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "request", SL_ARG_OBJECT, SL_ARG_OPTIONAL },
};
static const struct sl_arg event_args[] = {
    { "schema", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "data", SL_ARG_OBJECT, SL_ARG_REQUIRED },
};
static const struct sl_arg handler_args[] = {
    { "handler", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "request", SL_ARG_OBJECT, SL_ARG_OPTIONAL },
};

#define ARGS(a) a, SL_COUNT(a)
static const struct {
    const char *name;
    void (*run)(struct api_req *r);
    const struct sl_arg *args;
    size_t nargs;
} verbs[] = {
    { "list_sessions", list_sessions, NULL, 0 },
    { "accept_new_sessions", accept_new_sessions, ARGS(accept_args) },
    { "set_session_timeout", set_session_timeout, ARGS(timeout_args) },
    { "set_slowlink_threshold", set_slowlink_threshold, ARGS(slowlink_args) },
    { "loops_info", loops_info, NULL, 0 },
    { "message_plugin", message_plugin, ARGS(plugin_args) },
    { "custom_event", custom_event, ARGS(event_args) },
    { "query_eventhandler", query_eventhandler, ARGS(handler_args) },
    { "add_token", add_token, ARGS(token_args) },
    { "allow_token", allow_token, ARGS(change_args) },
    { "disallow_token", disallow_token, ARGS(change_args) },
    { "remove_token", remove_token, ARGS(token_args) },
    { "list_tokens", list_tokens, NULL, 0 },
};

void api_admin_run(struct api_req *r)
{
    const char *secret = r->api->conf.admin_secret;

    if (!r->session_id && !strcasecmp(r->verb, "info")) {
        api_verb_info(r);
        return;
    }
    if (!r->session_id && !strcasecmp(r->verb, "ping")) {
        api_verb_ping(r);
        return;
    }
    if (!secret || !sl_secret_is_equal(sl_arg_str(r->root, "admin_secret", NULL), secret)) {
        api_fail(r, SL_API_UNAUTHORIZED, "%s", sl_api_error_to_str(SL_API_UNAUTHORIZED));
        return;
    }
    for (size_t i = 0; !r->session_id && i < SL_COUNT(verbs); i++) {
        if (strcasecmp(verbs[i].name, r->verb) != 0)
            continue;
        if (api_check(r, NULL, r->root, verbs[i].args, verbs[i].nargs))
            verbs[i].run(r);
        return;
    }
    api_fail(r, SL_API_INVALID_PATH, "Unhandled request '%s' at this path", r->verb);
}
