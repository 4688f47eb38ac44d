/* Requests of the administrator's listener (admin API, sections 1.1 and 1.2): dispatch, and the
 * verbs about the server. */

#include "pc/pc_world.h"
#include "api/api_events.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/plugin_loader.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void admin_ok(struct api_req *r, json_t *body) SL_ON_CONTROL;
static void admin_ok(struct api_req *r, json_t *body)
{
    api_ok(r, "success", body);
}

/* ---- sessions -------------------------------------------------------------------------------- */

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

/* ---- settings -------------------------------------------------------------------------------- */

/* Of sessions without a timeout of their own. */
static void set_session_timeout(struct api_req *r) SL_ON_CONTROL;
static void set_session_timeout(struct api_req *r)
{
    struct sl_list *pos;

    r->api->conf.session_timeout_s = sl_arg_int(r->root, "timeout", 0);
    sl_list_for_each (pos, &r->api->session_list)
        api_session_rearm(sl_container(pos, struct sl_session, link));
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

static void set_no_media_timer(struct api_req *r) SL_ON_CONTROL;
static void set_no_media_timer(struct api_req *r)
{
    r->api->conf.no_media_timer_s = sl_arg_int(r->root, "no_media_timer", 0);
    sl_pc_world_set_no_media(r->api->world, (uint32_t)r->api->conf.no_media_timer_s);
    admin_ok(r, json_pack("{s:I}", "no_media_timer", (json_int_t)r->api->conf.no_media_timer_s));
}

/* The reference's: 0 nothing, 1 fatal, 2 errors, 3 warnings, 4 information, up to 7 more and more.
 */
static enum sl_log_level log_level_of(long long level)
{
    return level <= 2   ? SL_LOG_ERROR
           : level == 3 ? SL_LOG_WARN
           : level == 4 ? SL_LOG_INFO
                        : SL_LOG_DEBUG;
}

static bool log_level_read(struct api_req *r, long long def, int *out) SL_ON_CONTROL;
static bool log_level_read(struct api_req *r, long long def, int *out)
{
    long long level = sl_arg_int(r->root, "level", def);

    if (level >= 0 && level <= 7) {
        *out = (int)level;
        return true;
    }
    api_fail(r, SL_API_INVALID_TYPE, "Invalid element type (level should be between 0 and 7)");
    return false;
}

static void set_log_level(struct api_req *r) SL_ON_CONTROL;
static void set_log_level(struct api_req *r)
{
    if (!log_level_read(r, 0, &r->api->log_level))
        return;
    sl_log_set_level(log_level_of(r->api->log_level));
    admin_ok(r, json_pack("{s:i}", "level", r->api->log_level));
}

static void custom_logline(struct api_req *r) SL_ON_CONTROL;
static void custom_logline(struct api_req *r)
{
    const char *line = sl_arg_str(r->root, "line", "");
    json_t *quoted;
    char *text;
    int level;

    if (!log_level_read(r, 4, &level))
        return;
    /* Quoted as JSON, so that a line of the administrator's is one line of the log. */
    quoted = json_string(line);
    text = json_dumps(quoted, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    SL_LOG_AT(log_level_of(level), "admin", "logline", "line=%s", text ? text : "");
    free(text);
    json_decref(quoted);
    admin_ok(r, NULL);
}

/* What the reference lets choose and is as it is here: the answer tells how it is. */
static void set_fixed(struct api_req *r) SL_ON_CONTROL;
static void set_fixed(struct api_req *r)
{
    static const struct {
        const char *verb, *member, *format;
        int value;
    } rows[] = {
        { "set_locking_debug", "locking_debug", "{s:b}", 0 },
        { "set_refcount_debug", "refcount_debug", "{s:b}", 0 },
        { "set_log_timestamps", "log_timestamps", "{s:b}", 1 },
        { "set_log_colors", "log_colors", "{s:b}", 0 },
        { "set_nack_optimizations", "nack-optimizations", "{s:b}", 0 },
        { "set_min_nack_queue", "min_nack_queue", "{s:i}", API_NACK_QUEUE_MS },
    };

    for (size_t i = 0; i < SL_COUNT(rows); i++)
        if (!strcasecmp(rows[i].verb, r->verb))
            admin_ok(r, json_pack(rows[i].format, rows[i].member, rows[i].value));
}

static void get_status(struct api_req *r) SL_ON_CONTROL;
static void get_status(struct api_req *r)
{
    const struct sl_api_conf *c = &r->api->conf;
    json_t *j = json_object();

    json_object_set_new(j, "token_auth", json_boolean(r->api->auth.token_auth));
    json_object_set_new(j, "session_timeout", json_integer(c->session_timeout_s));
    json_object_set_new(j, "reclaim_session_timeout", json_integer(c->reclaim_timeout_s));
    json_object_set_new(j, "candidates_timeout", json_integer(c->candidates_timeout_s));
    json_object_set_new(j, "log_level", json_integer(r->api->log_level));
    json_object_set_new(j, "log_timestamps", json_true());
    json_object_set_new(j, "log_colors", json_false());
    json_object_set_new(j, "log_rotate_sig", json_integer(0));
    json_object_set_new(j, "locking_debug", json_false());
    json_object_set_new(j, "refcount_debug", json_false());
    json_object_set_new(j, "min_nack_queue", json_integer(API_NACK_QUEUE_MS));
    json_object_set_new(j, "nack-optimizations", json_false());
    json_object_set_new(j, "no_media_timer", json_integer(c->no_media_timer_s));
    json_object_set_new(j, "slowlink_threshold", json_integer(c->slowlink_threshold));
    admin_ok(r, json_pack("{s:o}", "status", j));
}

static void loops_info(struct api_req *r) SL_ON_CONTROL;
static void loops_info(struct api_req *r)
{
    admin_ok(r, json_pack("{s:o}", "loops", sl_pc_world_loops(r->api->world)));
}

/* ---- modules --------------------------------------------------------------------------------- */

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

static void query_transport(struct api_req *r) SL_ON_CONTROL;
static void query_transport(struct api_req *r)
{
    const char *package = sl_arg_str(r->root, "transport", "");

    for (size_t i = 0; i < API_TRANSPORTS_MAX; i++) {
        const struct sl_transport *t = r->api->tslots[i].t;
        json_t *response;

        if (!t || strcmp(t->package, package) != 0)
            continue;
        response = t->query ? t->query(sl_arg_get(r->root, "request")) : NULL;
        if (response)
            admin_ok(r, json_pack("{s:o}", "response", response));
        else
            api_fail(r, SL_API_UNKNOWN, "Transport doesn't support queries");
        return;
    }
    api_fail(r, SL_API_NO_PLUGIN, "Invalid transport");
}

static void query_logger(struct api_req *r) SL_ON_CONTROL;
static void query_logger(struct api_req *r)
{
    api_fail(r, SL_API_NO_PLUGIN, "Invalid logger"); /* the log goes to stderr */
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
static const struct sl_arg timeout_args[] = {
    { "timeout", SL_ARG_UINT, SL_ARG_REQUIRED, API_TIMEOUT_MAX_S },
};
static const struct sl_arg slowlink_args[] = {
    { "slowlink_threshold", SL_ARG_UINT, SL_ARG_REQUIRED, UINT32_MAX },
};
static const struct sl_arg no_media_args[] = {
    { "no_media_timer", SL_ARG_UINT, SL_ARG_REQUIRED, UINT32_MAX },
};
static const struct sl_arg nack_queue_args[] = {
    { "min_nack_queue", SL_ARG_UINT, SL_ARG_REQUIRED },
};
static const struct sl_arg nack_opt_args[] = {
    { "nack_optimizations", SL_ARG_BOOL, SL_ARG_REQUIRED },
};
static const struct sl_arg debug_args[] = { { "debug", SL_ARG_BOOL, SL_ARG_REQUIRED } };
static const struct sl_arg timestamps_args[] = { { "timestamps", SL_ARG_BOOL, SL_ARG_REQUIRED } };
static const struct sl_arg colors_args[] = { { "colors", SL_ARG_BOOL, SL_ARG_REQUIRED } };
static const struct sl_arg level_args[] = { { "level", SL_ARG_UINT, SL_ARG_REQUIRED } };
static const struct sl_arg line_args[] = {
    { "line", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "level", SL_ARG_UINT, SL_ARG_OPTIONAL },
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
static const struct sl_arg transport_args[] = {
    { "transport", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "request", SL_ARG_OBJECT, SL_ARG_OPTIONAL },
};
static const struct sl_arg logger_args[] = {
    { "logger", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "request", SL_ARG_OBJECT, SL_ARG_OPTIONAL },
};
static const struct sl_arg address_args[] = { { "address", SL_ARG_STRING, SL_ARG_REQUIRED } };
static const struct sl_arg stun_args[] = {
    { "address", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "port", SL_ARG_UINT, SL_ARG_REQUIRED },
    { "localport", SL_ARG_UINT, SL_ARG_OPTIONAL },
};

#define ARGS(a) a, SL_COUNT(a)
static const struct api_admin_verb verbs[] = {
    { "list_sessions", list_sessions, NULL, 0 },
    { "accept_new_sessions", accept_new_sessions, ARGS(accept_args) },
    { "get_status", get_status, NULL, 0 },
    { "set_session_timeout", set_session_timeout, ARGS(timeout_args) },
    { "set_slowlink_threshold", set_slowlink_threshold, ARGS(slowlink_args) },
    { "set_no_media_timer", set_no_media_timer, ARGS(no_media_args) },
    { "set_log_level", set_log_level, ARGS(level_args) },
    { "set_log_timestamps", set_fixed, ARGS(timestamps_args) },
    { "set_log_colors", set_fixed, ARGS(colors_args) },
    { "set_locking_debug", set_fixed, ARGS(debug_args) },
    { "set_refcount_debug", set_fixed, ARGS(debug_args) },
    { "set_min_nack_queue", set_fixed, ARGS(nack_queue_args) },
    { "set_nack_optimizations", set_fixed, ARGS(nack_opt_args) },
    { "custom_logline", custom_logline, ARGS(line_args) },
    { "loops_info", loops_info, NULL, 0 },
    { "message_plugin", message_plugin, ARGS(plugin_args) },
    { "custom_event", custom_event, ARGS(event_args) },
    { "query_eventhandler", query_eventhandler, ARGS(handler_args) },
    { "query_transport", query_transport, ARGS(transport_args) },
    { "query_logger", query_logger, ARGS(logger_args) },
    { "add_token", api_admin_add_token, ARGS(token_args) },
    { "allow_token", api_admin_allow_token, ARGS(change_args) },
    { "disallow_token", api_admin_disallow_token, ARGS(change_args) },
    { "remove_token", api_admin_remove_token, ARGS(token_args) },
    { "list_tokens", api_admin_list_tokens, NULL, 0 },
    { "resolve_address", api_admin_resolve_address, ARGS(address_args) },
    { "test_stun", api_admin_test_stun, ARGS(stun_args) },
};

static void run(struct api_req *r, const struct api_admin_verb *table, size_t n) SL_ON_CONTROL;
static void run(struct api_req *r, const struct api_admin_verb *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(table[i].name, r->verb) != 0)
            continue;
        if (api_check(r, NULL, r->root, table[i].args, table[i].nargs))
            table[i].run(r);
        return;
    }
    api_fail(r, SL_API_INVALID_PATH, "Unhandled request '%s' at this path", r->verb);
}

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
    if (!r->session_id) {
        run(r, verbs, SL_COUNT(verbs));
        return;
    }
    r->session = api_session_get(r->api, r->session_id);
    if (!r->session) {
        api_fail(r, SL_API_NO_SESSION, "No such session %" PRIu64, r->session_id);
        return;
    }
    if (!r->handle_id) {
        run(r, api_admin_session_verbs, api_admin_session_nverbs);
        return;
    }
    r->handle = api_handle_find(r->session, r->handle_id);
    if (!r->handle) {
        api_fail(r, SL_API_NO_HANDLE, "No such handle %" PRIu64 " in session %" PRIu64,
                 r->handle_id, r->session_id);
        return;
    }
    run(r, api_admin_handle_verbs, api_admin_handle_nverbs);
}
