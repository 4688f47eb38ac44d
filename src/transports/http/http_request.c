#include "transports/http/http_int.h"
#include <stdlib.h>
#include <string.h>

/* A body that is too large is still read up to this many times the limit, so that the client reads
 * our answer instead of a reset. */
#define DRAIN_FACTOR 8
#define BODY_STEP    4096

static enum http_method method_parse(const char *text)
{
    static const char *const names[] = { "GET", "POST", "OPTIONS", "HEAD" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(text, names[i]))
            return (enum http_method)i;
    return HTTP_OTHER;
}

static struct http_req *req_create(const struct http_listener *l, struct MHD_Connection *mc,
                                   const char *url, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_req *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    sl_list_init(&r->link);
    atomic_init(&r->refs, 1);
    r->l = l;
    r->mc = mc;
    r->method = method_parse(method);
    r->path = http_path_parse(url, l->conf->base_path);
    r->keeps_body = r->method == HTTP_POST && r->path.where <= HTTP_AT_HANDLE && !l->ws_only;
    r->local = info && http_addr_is_local(info->client_addr);
    atomic_fetch_add(&http.live, 1);
    return r;
}

static bool body_add(struct http_req *r, const char *data, size_t len)
{
    size_t max = r->l->conf->max_body;

    r->body_seen += len;
    if (r->body_seen > (uint64_t)max * DRAIN_FACTOR)
        return false;
    if (!r->keeps_body || r->body_seen > max)
        return true;
    if (r->body_len + len > r->body_cap) {
        size_t cap = (r->body_len + len) * 2 + BODY_STEP;
        char *body = realloc(r->body, cap);

        if (!body)
            return false;
        r->body = body;
        r->body_cap = cap;
    }
    memcpy(r->body + r->body_len, data, len);
    r->body_len += len;
    return true;
}

static enum MHD_Result health(struct http_req *r)
{
    bool stopping;

    pthread_mutex_lock(&http.lock);
    stopping = http.stopping;
    pthread_mutex_unlock(&http.lock);
    return stopping ? http_reply_text(r, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n")
                    : http_reply_text(r, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result dispatch(struct http_req *r, const char *method, const char *version)
{
    if (r->l->ws_only || (r->path.where <= HTTP_AT_UNKNOWN && http_is_upgrade(r)))
        return http_upgrade(r, method, version);
    if (r->path.where <= HTTP_AT_UNKNOWN)
        return http_api(r);
    if (r->method == HTTP_OPTIONS)
        return http_reply_empty(r, MHD_HTTP_OK);
    if (r->method != HTTP_GET && r->method != HTTP_HEAD)
        return http_reply_text(r, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only.\n");
    if (r->path.where == HTTP_AT_HEALTH)
        return health(r);
    return http_static(r);
}

enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mc, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_len, void **req)
{
    struct http_req *r = *req;
    enum http_state state;

    if (!r) {
        *req = req_create(cls, mc, url, method);
        return *req ? MHD_YES : MHD_NO;
    }
    if (*upload_len) {
        size_t len = *upload_len;

        *upload_len = 0;
        return body_add(r, upload, len) ? MHD_YES : MHD_NO;
    }
    r->url = url;
    pthread_mutex_lock(&http.lock);
    state = r->state;
    if (state == HTTP_WAITING)
        MHD_suspend_connection(mc);
    pthread_mutex_unlock(&http.lock);
    if (state == HTTP_WAITING)
        return MHD_YES;
    return state == HTTP_DONE ? http_api_finish(r) : dispatch(r, method, version);
}

void http_on_completed(void *cls, struct MHD_Connection *mc, void **req,
                       enum MHD_RequestTerminationCode why)
{
    struct http_req *r = *req;

    if (!r)
        return;
    *req = NULL;
    /* It does not wait: a suspended connection is never completed. No lock here, since
     * libmicrohttpd may hold its own, which it takes under ours when we suspend and resume. */
    if (!r->upgraded)
        atomic_fetch_sub(&http.live, 1);
    http_req_unref(r);
}
