/* The administrator's requests about one session or one handle (admin API, sections 1.3 to 1.5). */

#include "api/api_priv.h"
#include <stdlib.h>
#include <string.h>

/* ---- requests that wait ---------------------------------------------------------------------- */

struct api_wait *api_wait_new(struct api_req *r, json_t *body)
{
    struct api_wait *w = calloc(1, sizeof(*w));

    if (w && !(w->transaction = strdup(r->transaction))) {
        free(w);
        w = NULL;
    }
    if (!w) {
        json_decref(body);
        api_fail(r, SL_API_UNKNOWN, "Out of memory");
        return NULL;
    }
    w->api = r->api;
    w->from = r->from;
    w->session_id = r->session_id;
    w->since_us = r->api->cq->now_us;
    w->body = body;
    sl_list_add(&r->api->waits, &w->link);
    return w;
}

static void wait_free(struct api_wait *w)
{
    sl_list_del(&w->link);
    json_decref(w->body);
    free(w->transaction);
    free(w);
}

static struct api_req wait_req(const struct api_wait *w)
{
    return (struct api_req){
        .api = w->api, .from = w->from, .transaction = w->transaction, .session_id = w->session_id
    };
}

void api_wait_ok(struct api_wait *w)
{
    struct api_req r = wait_req(w);

    api_ok(&r, "success", json_incref(w->body));
    wait_free(w);
}

void api_wait_fail(struct api_wait *w, int code, const char *text)
{
    struct api_req r = wait_req(w);

    api_fail(&r, code, "%s", text);
    wait_free(w);
}

void api_waits_end(struct sl_api *api)
{
    while (!sl_list_is_empty(&api->waits)) {
        struct api_wait *w = sl_container(api->waits.next, struct api_wait, link);

        api_answer(&w->from, SL_TSTATUS_CLOSING, NULL);
        wait_free(w);
    }
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void list_handles(struct api_req *r) SL_ON_CONTROL;
static void list_handles(struct api_req *r)
{
    json_t *ids = json_array();
    struct sl_list *pos;

    sl_list_for_each (pos, &r->session->handles) {
        const struct sl_handle *h = sl_container(pos, struct sl_handle, link);

        if (!h->dying && !h->end_wanted)
            json_array_append_new(ids, json_integer((json_int_t)h->id));
    }
    api_ok(r, "success", json_pack("{s:o}", "handles", ids));
}

static void set_session_timeout(struct api_req *r) SL_ON_CONTROL;
static void set_session_timeout(struct api_req *r)
{
    long long timeout = sl_arg_int(r->root, "timeout", 0);

    if (timeout < -1) {
        api_fail(r, SL_API_INVALID_TYPE,
                 "Invalid element type (timeout should be a non-negative integer or -1)");
        return;
    }
    r->session->timeout_s = timeout;
    api_session_rearm(r->session);
    api_ok(r, "success", json_pack("{s:I}", "timeout", (json_int_t)timeout));
}

static void destroy_session(struct api_req *r) SL_ON_CONTROL;
static void destroy_session(struct api_req *r)
{
    api_verb_destroy(r);
}

/* ---- handles --------------------------------------------------------------------------------- */

static void hangup_webrtc(struct api_req *r) SL_ON_CONTROL;
static void hangup_webrtc(struct api_req *r)
{
    struct sl_handle *h = r->handle;

    api_ok(r, "success", NULL);
    if (h->pc)
        api_pc_close(h, "Admin API", true);
    else if (h->plugin->media_down)
        h->plugin->media_down(h->hid, h->state, "Admin API");
}

static void detach_handle(struct api_req *r) SL_ON_CONTROL;
static void detach_handle(struct api_req *r)
{
    api_verb_detach(r);
}

/* The members up to `plugin_specific`. */
static json_t *handle_facts(const struct sl_handle *h) SL_ON_CONTROL;
static json_t *handle_facts(const struct sl_handle *h)
{
    const struct sl_session *s = h->session;
    json_t *j = json_object(), *specific = NULL;

    json_object_set_new(j, "session_id", json_integer((json_int_t)s->id));
    json_object_set_new(j, "session_last_activity", json_integer((json_int_t)s->active_us));
    json_object_set_new(j, "session_timeout", json_integer(api_session_timeout(s)));
    json_object_set_new(j, "session_transport", json_string(s->transport->package));
    json_object_set_new(j, "handle_id", json_integer((json_int_t)h->id));
    if (h->opaque_id)
        json_object_set_new(j, "opaque_id", json_string(h->opaque_id));
    json_object_set_new(j, "loop-running", json_true());
    json_object_set_new(j, "created", json_integer((json_int_t)h->created_us));
    json_object_set_new(j, "current_time", json_integer((json_int_t)s->api->cq->now_us));
    json_object_set_new(j, "plugin", json_string(h->plugin->package));
    if (h->plugin->query)
        specific = h->plugin->query(h->hid, h->state);
    json_object_set_new(j, "plugin_specific", specific ? specific : json_object());
    return j;
}

static void add_capture(json_t *j, const struct api_capture *c)
{
    if (!c->is_on)
        return;
    json_object_set_new(j, c->is_text ? "dump-to-text2pcap" : "dump-to-pcap", json_true());
    json_object_set_new(j, c->is_text ? "text2pcap-file" : "pcap-file", json_string(c->path));
}

/* Of a handle that has no peer connection, or none any more. */
static json_t *no_connection(void) SL_ON_CONTROL;
static json_t *no_connection(void)
{
    return json_pack("{s:o, s:{}, s:i}", "flags", sl_pc_flags(NULL), "sdps", "queued-packets", 0);
}

static void on_info(void *arg, json_t *info)
{
    struct api_wait *w = arg;
    json_t *j = json_object_get(w->body, "info");

    SL_ASSUME(control);
    if (!info)
        info = no_connection();
    json_object_update(j, info);
    json_decref(info);
    api_wait_ok(w);
}

static void handle_info(struct api_req *r) SL_ON_CONTROL;
static void handle_info(struct api_req *r)
{
    struct sl_handle *h = r->handle;
    json_t *info = handle_facts(h), *rest, *body;
    struct api_wait *w;

    body = json_pack("{s:I, s:o}", "handle_id", (json_int_t)h->id, "info", info);
    if (sl_arg_bool(r->root, "plugin_only", false)) {
        api_ok(r, "success", body);
        return;
    }
    add_capture(info, &h->capture);
    if (!h->pc) {
        rest = no_connection();
        json_object_update(info, rest);
        json_decref(rest);
        api_ok(r, "success", body);
        return;
    }
    w = api_wait_new(r, body);
    if (w && sl_pc_info(h->pc, on_info, w))
        api_wait_fail(w, SL_API_UNKNOWN, "Out of memory");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct sl_arg timeout_args[] = {
    { "timeout", SL_ARG_INT, SL_ARG_REQUIRED, API_TIMEOUT_MAX_S },
};
static const struct sl_arg info_args[] = { { "plugin_only", SL_ARG_BOOL, SL_ARG_OPTIONAL } };
static const struct sl_arg capture_args[] = {
    { "folder", SL_ARG_STRING, SL_ARG_OPTIONAL },
    { "filename", SL_ARG_STRING, SL_ARG_OPTIONAL },
    { "truncate", SL_ARG_UINT, SL_ARG_OPTIONAL },
};

#define ARGS(a) a, SL_COUNT(a)
const struct api_admin_verb api_admin_session_verbs[] = {
    { "list_handles", list_handles, NULL, 0 },
    { "set_session_timeout", set_session_timeout, ARGS(timeout_args) },
    { "destroy_session", destroy_session, NULL, 0 },
};
const size_t api_admin_session_nverbs = SL_COUNT(api_admin_session_verbs);

const struct api_admin_verb api_admin_handle_verbs[] = {
    { "handle_info", handle_info, ARGS(info_args) },
    { "hangup_webrtc", hangup_webrtc, NULL, 0 },
    { "detach_handle", detach_handle, NULL, 0 },
    { "start_pcap", api_admin_start_pcap, ARGS(capture_args) },
    { "start_text2pcap", api_admin_start_text2pcap, ARGS(capture_args) },
    { "stop_pcap", api_admin_stop_pcap, NULL, 0 },
    { "stop_text2pcap", api_admin_stop_text2pcap, NULL, 0 },
};
const size_t api_admin_handle_nverbs = SL_COUNT(api_admin_handle_verbs);
