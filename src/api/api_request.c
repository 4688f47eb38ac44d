/* Validation of requests, in the order of the control protocol's section 3, and their verbs. */

#include "api/api_events.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum level {
    LEVEL_NONE,    /* outside any session */
    LEVEL_SESSION, /* no handle */
    LEVEL_EITHER,  /* in a session; a handle is tolerated */
    LEVEL_HANDLE,
};

static const struct sl_arg create_args[] = { { "id", SL_ARG_UINT, SL_ARG_OPTIONAL } };
static const struct sl_arg attach_args[] = {
    { "plugin", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "opaque_id", SL_ARG_STRING, SL_ARG_OPTIONAL, API_TEXT_MAX },
    { "loop_index", SL_ARG_INT, SL_ARG_OPTIONAL },
};
static const struct sl_arg message_args[] = { { "body", SL_ARG_OBJECT, SL_ARG_REQUIRED } };

#define ARGS(a) a, SL_COUNT(a)
static const struct verb {
    const char *name;
    enum level level;
    void (*run)(struct api_req *r);
    const struct sl_arg *args;
    size_t nargs;
} verbs[] = {
    { "info", LEVEL_NONE, api_verb_info, NULL, 0 },
    { "ping", LEVEL_NONE, api_verb_ping, NULL, 0 },
    { "create", LEVEL_NONE, api_verb_create, ARGS(create_args) },
    { "keepalive", LEVEL_EITHER, api_verb_keepalive, NULL, 0 },
    { "claim", LEVEL_EITHER, api_verb_claim, NULL, 0 },
    { "destroy", LEVEL_SESSION, api_verb_destroy, NULL, 0 },
    { "attach", LEVEL_SESSION, api_verb_attach, ARGS(attach_args) },
    { "detach", LEVEL_HANDLE, api_verb_detach, NULL, 0 },
    { "hangup", LEVEL_HANDLE, api_verb_hangup, NULL, 0 },
    { "message", LEVEL_HANDLE, api_verb_message, ARGS(message_args) },
    { "trickle", LEVEL_HANDLE, api_verb_trickle, NULL, 0 },
};

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < SL_COUNT(verbs); i++) {
        if (!strcasecmp(verbs[i].name, name))
            return &verbs[i];
    }
    return NULL;
}

/* ---- answers --------------------------------------------------------------------------------- */

void api_answer(const struct api_from *from, enum sl_tstatus status, json_t *json)
{
    if (from->conn || from->tag)
        from->t->answer(from->conn, from->tag, status, json);
    json_decref(json);
}

static json_t *answer_new(const struct api_req *r, const char *word)
{
    json_t *j = json_object();

    json_object_set_new(j, "janus", json_string(word));
    if (r->session_id && r->session_id <= INT64_MAX)
        json_object_set_new(j, "session_id", json_integer((json_int_t)r->session_id));
    if (r->transaction)
        json_object_set_new(j, "transaction", json_string(r->transaction));
    return j;
}

void api_ok(struct api_req *r, const char *word, json_t *body)
{
    json_t *j = answer_new(r, word);

    if (body)
        json_object_update(j, body);
    json_decref(body);
    api_answer(&r->from, SL_TSTATUS_OK, j);
}

void api_fail(struct api_req *r, int code, const char *fmt, ...)
{
    json_t *j = answer_new(r, "error");
    char text[512];
    va_list ap;
    json_t *reason;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    reason = json_string(text);
    if (!reason) /* cut inside a character */
        reason = json_string(sl_api_error_to_str(code));
    json_object_set_new(j, "error", json_pack("{s:i, s:o}", "code", code, "reason", reason));
    api_answer(&r->from, SL_TSTATUS_OK, j);
}

static void fail_default(struct api_req *r, int code) SL_ON_CONTROL;
static void fail_default(struct api_req *r, int code)
{
    api_fail(r, code, "%s", sl_api_error_to_str(code));
}

bool api_check(struct api_req *r, const char *prefix, const json_t *obj, const struct sl_arg *args,
               size_t n)
{
    char text[SL_ARG_TEXT_MAX];
    int err = sl_args_check(obj, args, n, text, sizeof(text));
    int code = err == -ENOENT ? SL_API_MISSING_ELEMENT : SL_API_INVALID_TYPE;

    if (!err)
        return true;
    if (prefix)
        api_fail(r, code, "%s: %c%s", prefix, tolower((unsigned char)text[0]), text + 1);
    else
        api_fail(r, code, "%s", text);
    return false;
}

/* ---- validation ------------------------------------------------------------------------------ */

/* Step 2, and ids of the payload and the path. */
static bool read_envelope(struct api_req *r, const struct sl_treq *req) SL_ON_CONTROL;
static bool read_envelope(struct api_req *r, const struct sl_treq *req)
{
    static const struct sl_arg args[] = {
        { "transaction", SL_ARG_STRING, SL_ARG_REQUIRED, API_TEXT_MAX },
        { "janus", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "id", SL_ARG_UINT, SL_ARG_OPTIONAL },
        { "session_id", SL_ARG_INT, SL_ARG_OPTIONAL },
        { "handle_id", SL_ARG_INT, SL_ARG_OPTIONAL },
    };
    long long sid = sl_arg_int(r->root, "session_id", 0);
    long long hid = sl_arg_int(r->root, "handle_id", 0);
    bool has_hid = sl_arg_get(r->root, "handle_id");

    r->transaction = sl_arg_str(r->root, "transaction", NULL);
    if (!api_check(r, NULL, r->root, args, SL_COUNT(args)))
        return false;
    r->verb = sl_arg_str(r->root, "janus", "");
    if (req->session && sid && (uint64_t)sid != req->session) {
        api_fail(r, SL_API_INVALID_PATH, "Conflicting session ID (payload and path)");
        return false;
    }
    if (req->handle && hid && (uint64_t)hid != req->handle) {
        api_fail(r, SL_API_INVALID_PATH, "Conflicting handle ID (payload and path)");
        return false;
    }
    if (req->session)
        sid = (long long)req->session;
    if (req->handle)
        hid = (long long)req->handle;
    if (sid < 0 || (!sid && hid)) {
        api_fail(r, SL_API_NO_SESSION, "Invalid session ID %lld", sid);
        return false;
    }
    r->session_id = (uint64_t)sid;
    if (hid < 0 || (sid && !hid && has_hid)) {
        api_fail(r, SL_API_NO_HANDLE, "Invalid handle ID %lld", hid);
        return false;
    }
    r->handle_id = (uint64_t)hid;
    return true;
}

static bool authenticate(struct api_req *r) SL_ON_CONTROL;
static bool authenticate(struct api_req *r)
{
    r->token = sl_arg_str(r->root, "token", NULL);
    if (!sl_auth_check(&r->api->auth, sl_arg_str(r->root, "apisecret", NULL), r->token, &r->who))
        return true;
    fail_default(r, SL_API_UNAUTHORIZED);
    return false;
}

static void run_verb(struct api_req *r, const struct verb *v) SL_ON_CONTROL;
static void run_verb(struct api_req *r, const struct verb *v)
{
    if (!api_check(r, NULL, r->root, v->args, v->nargs))
        return;
    r->api->asking = &r->who;
    r->api->asking_hid = r->handle ? r->handle->hid : 0;
    v->run(r);
    r->api->asking = NULL;
}

static void run_outside(struct api_req *r) SL_ON_CONTROL;
static void run_outside(struct api_req *r)
{
    const struct verb *v = verb_find(r->verb);

    if (!v || v->level != LEVEL_NONE) {
        api_fail(r, SL_API_INVALID_PATH, "Unhandled request '%s' at this path", r->verb);
        return;
    }
    if (v->run == api_verb_create) {
        if (!r->api->accepting || r->api->nsessions >= r->api->conf.max_sessions) {
            fail_default(r, SL_API_NOT_ACCEPTING);
            return;
        }
        if (!authenticate(r))
            return;
    }
    run_verb(r, v);
}

/* Steps 6 to 8. */
static void run_inside(struct api_req *r) SL_ON_CONTROL;
static void run_inside(struct api_req *r)
{
    const struct verb *v = verb_find(r->verb);

    r->session = api_session_find(r->api, r->session_id, &r->from, &r->who);
    if (!r->session) {
        api_fail(r, SL_API_NO_SESSION, "No such session %" PRIu64, r->session_id);
        return;
    }
    api_session_touch(r->session);
    if (r->handle_id) {
        r->handle = api_handle_find(r->session, r->handle_id);
        if (!r->handle) {
            api_fail(r, SL_API_NO_HANDLE, "No such handle %" PRIu64 " in session %" PRIu64,
                     r->handle_id, r->session_id);
            return;
        }
    }
    if (!v || v->level == LEVEL_NONE) {
        api_fail(r, SL_API_UNKNOWN_REQUEST, "Unknown request '%s'", r->verb);
        return;
    }
    if ((v->level == LEVEL_SESSION && r->handle) || (v->level == LEVEL_HANDLE && !r->handle)) {
        api_fail(r, SL_API_INVALID_PATH, "Unhandled request '%s' at this path", r->verb);
        return;
    }
    run_verb(r, v);
}

static void run_message(struct api_req *r, const struct sl_treq *req) SL_ON_CONTROL;
static void run_message(struct api_req *r, const struct sl_treq *req)
{
    if (!json_is_object(r->root)) {
        if (r->from.conn)
            api_fail(r, SL_API_MISSING_ELEMENT, "Missing mandatory element (transaction)");
        else
            fail_default(r, SL_API_INVALID_JSON_OBJECT);
        return;
    }
    if (!read_envelope(r, req))
        return;
    if (req->admin) {
        api_admin_run(r);
        return;
    }
    if (!r->session_id) {
        run_outside(r);
        return;
    }
    if (authenticate(r))
        run_inside(r);
}

static void run_poll(struct api_req *r, const struct sl_treq *req) SL_ON_CONTROL;
static void run_poll(struct api_req *r, const struct sl_treq *req)
{
    struct sl_session *s;

    if (sl_auth_check(&r->api->auth, req->apisecret, req->token, &r->who)) {
        api_answer(&r->from, SL_TSTATUS_FORBIDDEN, NULL);
        return;
    }
    s = api_session_find(r->api, req->session, &r->from, &r->who);
    if (!s) {
        api_answer(&r->from, SL_TSTATUS_NOT_FOUND, NULL);
        return;
    }
    api_session_touch(s);
    api_poll_add(s, &r->from, req->maxev);
}

void api_request_run(struct sl_api *api, struct api_in *in)
{
    const struct sl_treq *req = &in->req;
    struct api_req r = {
        .api = api,
        .from = { api->tslots[in->slot].t, req->conn, req->tag, 0 },
        .root = req->root,
        .who.local = req->local,
    };

    if (api->closing) {
        api_answer(&r.from, SL_TSTATUS_CLOSING, NULL);
        return;
    }
    if (!req->conn) {
        r.from.request = ++api->last_request;
        api_ev_transport(api, &r.from, "request", &in->peer);
    } else if (!req->admin) {
        api_conn_get(api, &r.from);
    }
    switch (req->kind) {
    case SL_TREQ_MESSAGE:
        run_message(&r, req);
        break;
    case SL_TREQ_POLL:
        run_poll(&r, req);
        break;
    case SL_TREQ_BAD_JSON:
        fail_default(&r, SL_API_INVALID_JSON);
        break;
    }
}
