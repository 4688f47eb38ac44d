#include "transports/http/http_int.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/role.h"
#include "transports/json_depth.h"
#include "transports/peer_addr.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_TRANSPORT 450
#define ERROR_UNKNOWN   490

/* ---- waiting for the core -------------------------------------------------------------------- */

void http_req_unref(struct http_req *r)
{
    if (atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    json_decref(r->transaction);
    free(r->body);
    free(r->text);
    free(r);
}

/* Under the lock; @r waits. Owns @text. */
static void end(struct http_req *r, enum sl_tstatus status, char *text)
{
    sl_list_del(&r->link);
    r->state = HTTP_DONE;
    r->status = status;
    r->text = text;
    MHD_resume_connection(r->mc);
}

void http_end_waiting(enum sl_tstatus status, uint64_t now_us)
{
    struct sl_list *pos, *tmp;

    sl_list_for_each_safe (pos, tmp, &http.waiting) {
        struct http_req *r = sl_container(pos, struct http_req, link);

        if (now_us && now_us < r->deadline_us)
            continue;
        r->late = now_us != 0;
        end(r, status, NULL);
    }
}

static void answer(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json)
{
    struct http_req *r = tag;
    char *text = NULL;

    SL_ASSUME(control);
    /* Written here: jansson counts references without the acquire that sharing would need. */
    if (status == SL_TSTATUS_OK)
        text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    pthread_mutex_lock(&http.lock);
    if (r->state == HTTP_WAITING) {
        end(r, status, text);
        text = NULL;
    }
    pthread_mutex_unlock(&http.lock);
    free(text);
    http_req_unref(r);
}

static void push(sl_conn conn, json_t *json)
{
    /* No connection of ours lasts: the core queues events for the next poll. */
}

/* Hands @t to the core and suspends the connection until the answer. Owns @t->root. */
static enum MHD_Result ask(struct http_req *r, struct sl_treq *t, unsigned int limit_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sl_peer_addr peer;
    bool stopping;

    t->peer = sl_peer_addr(info ? info->client_addr : NULL, &peer);
    r->transaction = json_string(json_string_value(json_object_get(t->root, "transaction")));
    pthread_mutex_lock(&http.lock);
    stopping = http.stopping;
    if (!stopping) {
        r->state = HTTP_WAITING;
        r->deadline_us = sl_now_us() + (uint64_t)limit_ms * 1000;
        sl_list_add(&http.waiting, &r->link);
        atomic_fetch_add(&r->refs, 1);
        MHD_suspend_connection(r->mc);
    }
    pthread_mutex_unlock(&http.lock);
    if (stopping) {
        json_decref(t->root);
        return http_reply_empty(r, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    t->tag = r;
    t->admin = r->l->admin;
    t->local = r->local;
    t->session = r->path.session;
    t->handle = r->path.handle;
    http.core->request(t);
    return MHD_YES;
}

static enum MHD_Result finish_late(struct http_req *r)
{
    if (r->method == HTTP_GET && r->path.where == HTTP_AT_SESSION)
        return http_reply_empty(r, MHD_HTTP_SERVICE_UNAVAILABLE);
    return http_reply_error(r, MHD_HTTP_OK, ERROR_UNKNOWN, "The request was not answered in time");
}

enum MHD_Result http_api_finish(struct http_req *r)
{
    static const unsigned int codes[] = {
        [SL_TSTATUS_OK] = MHD_HTTP_OK,
        [SL_TSTATUS_FORBIDDEN] = MHD_HTTP_FORBIDDEN,
        [SL_TSTATUS_NOT_FOUND] = MHD_HTTP_NOT_FOUND,
        [SL_TSTATUS_CLOSING] = MHD_HTTP_SERVICE_UNAVAILABLE,
    };

    if (r->late)
        return finish_late(r);
    if (r->status == SL_TSTATUS_OK) {
        char *text = r->text;

        r->text = NULL;
        return http_reply_json(r, MHD_HTTP_OK, text);
    }
    return http_reply_empty(r, codes[r->status]);
}

/* ---- requests -------------------------------------------------------------------------------- */

static enum MHD_Result post_json(struct http_req *r)
{
    struct sl_treq t = { .kind = SL_TREQ_BAD_JSON };

    if (r->path.where == HTTP_AT_UNKNOWN)
        return http_reply_empty(r, MHD_HTTP_NOT_FOUND);
    if (r->path.where > HTTP_AT_HANDLE)
        return http_reply_empty(r, MHD_HTTP_BAD_REQUEST); /* info and ping are for GET */
    if (r->body_seen > r->l->conf->max_body)
        return http_reply_error(r, MHD_HTTP_CONTENT_TOO_LARGE, ERROR_TRANSPORT,
                                "The request is larger than this server accepts");
    if (r->body_len && sl_json_depth_is_ok(r->body, r->body_len, r->l->conf->max_json_depth))
        t.root = json_loadb(r->body, r->body_len, JSON_DECODE_ANY, NULL);
    if (t.root)
        t.kind = SL_TREQ_MESSAGE;
    free(r->body);
    r->body = NULL;
    return ask(r, &t, r->l->conf->post_ms);
}

static enum MHD_Result get_verb(struct http_req *r, const char *verb)
{
    struct sl_treq t = { .kind = SL_TREQ_MESSAGE };
    char transaction[17];

    snprintf(transaction, sizeof(transaction), "%016llx", (unsigned long long)sl_rand64());
    t.root = json_pack("{s:s, s:s}", "janus", verb, "transaction", transaction);
    return t.root ? ask(r, &t, r->l->conf->post_ms) : MHD_NO;
}

static enum MHD_Result get_poll(struct http_req *r)
{
    const char *maxev = MHD_lookup_connection_value(r->mc, MHD_GET_ARGUMENT_KIND, "maxev");
    long n = maxev ? strtol(maxev, NULL, 10) : 1;
    struct sl_treq t = {
        .kind = SL_TREQ_POLL,
        .maxev = n < 1      ? 1
                 : n > 1000 ? 1000
                            : (int)n,
        .apisecret = MHD_lookup_connection_value(r->mc, MHD_GET_ARGUMENT_KIND, "apisecret"),
        .token = MHD_lookup_connection_value(r->mc, MHD_GET_ARGUMENT_KIND, "token"),
    };

    return ask(r, &t, r->l->conf->poll_ms);
}

static enum MHD_Result get_handle(struct http_req *r)
{
    struct MHD_Response *resp =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    char to[512];
    size_t base = strlen(r->l->conf->base_path);

    while (base && r->l->conf->base_path[base - 1] == '/')
        base--;
    snprintf(to, sizeof(to), "%.*s/%llu", (int)base, r->l->conf->base_path,
             (unsigned long long)r->path.session);
    if (resp)
        http_header(resp, "Location", to);
    return http_reply(r, MHD_HTTP_FOUND, resp);
}

static enum MHD_Result get(struct http_req *r)
{
    struct sl_treq empty = { .kind = SL_TREQ_BAD_JSON };

    if (r->path.where == HTTP_AT_INFO)
        return get_verb(r, "info");
    if (r->path.where == HTTP_AT_PING)
        return get_verb(r, "ping");
    if (r->l->admin && r->path.where != HTTP_AT_UNKNOWN)
        return ask(r, &empty, r->l->conf->post_ms);
    if (r->path.where == HTTP_AT_SESSION && r->path.session)
        return get_poll(r);
    if (r->path.where == HTTP_AT_HANDLE)
        return get_handle(r);
    return http_reply_empty(r, MHD_HTTP_NOT_FOUND);
}

static enum MHD_Result other(struct http_req *r)
{
    return http_reply_error(r, MHD_HTTP_OK, ERROR_TRANSPORT, "Unsupported HTTP method");
}

enum MHD_Result http_api(struct http_req *r)
{
    static enum MHD_Result (*const by_method[])(struct http_req *) = {
        [HTTP_GET] = get,
        [HTTP_POST] = post_json,
        [HTTP_HEAD] = other,
        [HTTP_OTHER] = other,
    };

    if (!http_origin_is_allowed(r->l->conf->allowed_origins, http_request_header(r, "Origin"),
                                http_request_header(r, "Referer")))
        return http_reply_empty(r, MHD_HTTP_FORBIDDEN);
    if (r->method == HTTP_OPTIONS)
        return http_reply_empty(r, MHD_HTTP_OK);
    if (r->path.where == HTTP_AT_INFO || r->path.where == HTTP_AT_PING)
        return r->method == HTTP_GET || r->method == HTTP_HEAD
                   ? get(r)
                   : http_reply_empty(r, MHD_HTTP_BAD_REQUEST);
    return by_method[r->method](r);
}

const struct sl_transport sl_http_transport = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_transport),
    .package = "janus.transport.http",
    .name = "HTTP transport",
    .author = "Sluice",
    .description = "JSON over HTTP: POST and long poll",
    .version_string = "1.0.0",
    .version = 1,
    .answer = answer,
    .push = push,
};
