#include "transports/http/http_int.h"
#include <stdlib.h>
#include <string.h>

const char *http_request_header(const struct http_req *r, const char *name)
{
    return MHD_lookup_connection_value(r->mc, MHD_HEADER_KIND, name);
}

/* A header that does not fit in memory or holds a line break is left out. */
void http_header(struct MHD_Response *resp, const char *name, const char *value)
{
    if (value && *value)
        (void)MHD_add_response_header(resp, name, value);
}

static void add_cors(const struct http_req *r, struct MHD_Response *resp)
{
    const char *list = r->l->conf->allowed_origins;
    const char *origin = http_request_header(r, "Origin");
    size_t len = 0;
    const char *pick = http_origin_pick(list, origin, &len);

    if (pick) {
        char *text = strndup(pick, len);

        if (text)
            http_header(resp, "Access-Control-Allow-Origin", text);
        free(text);
        http_header(resp, "Access-Control-Allow-Credentials", "true");
        http_header(resp, "Vary", "Origin");
    } else {
        http_header(resp, "Access-Control-Allow-Origin", "*");
    }
    http_header(resp, "Access-Control-Max-Age", "86400");
    http_header(resp, "Access-Control-Allow-Methods",
                http_request_header(r, "Access-Control-Request-Method"));
    http_header(resp, "Access-Control-Allow-Headers",
                http_request_header(r, "Access-Control-Request-Headers"));
}

/* Owns @resp. MHD_NO closes the connection. */
enum MHD_Result http_reply(struct http_req *r, unsigned int status, struct MHD_Response *resp)
{
    enum MHD_Result ok;

    if (!resp)
        return MHD_NO;
    add_cors(r, resp);
    ok = MHD_queue_response(r->mc, status, resp);
    MHD_destroy_response(resp);
    return ok;
}

enum MHD_Result http_reply_empty(struct http_req *r, unsigned int status)
{
    return http_reply(
        r, status,
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
}

enum MHD_Result http_reply_text(struct http_req *r, unsigned int status, const char *text)
{
    struct MHD_Response *resp = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (resp) {
        http_header(resp, "Content-Type", "text/plain; charset=utf-8");
        http_header(resp, "X-Content-Type-Options", "nosniff");
    }
    return http_reply(r, status, resp);
}

enum MHD_Result http_reply_json(struct http_req *r, unsigned int status, char *text)
{
    struct MHD_Response *resp;

    if (!text)
        return MHD_NO;
    resp = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!resp)
        free(text);
    else
        http_header(resp, "Content-Type", "application/json");
    return http_reply(r, status, resp);
}

enum MHD_Result http_reply_error(struct http_req *r, unsigned int status, int code,
                                 const char *reason)
{
    json_t *json = json_pack("{s:s, s:O*, s:{s:i, s:s}}", "janus", "error", "transaction",
                             r->transaction, "error", "code", code, "reason", reason);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return http_reply_json(r, status, text);
}
