#include "vc_request.h"
#include <errno.h>
#include <strings.h>

static const struct pl_codes vc_codes = { .missing = VC_ERR_MISSING, .invalid = VC_ERR_INVALID };

static const struct {
    const char *name;
    vc_handler fn;
} requests[] = {
#define ROW(name) { #name, req_##name },
    VC_REQUESTS(ROW)
#undef ROW
};

int vc_fail_close(struct vc_req *r, enum vc_error code, const char *text)
{
    r->close = true;
    return vc_fail(r, code, "%s", text);
}

const char *vc_arg_name(struct vc_req *r)
{
    static const struct sl_arg args[] = { { "username", SL_ARG_STRING, SL_ARG_REQUIRED,
                                            SL_ARG_NAME_MAX } };
    const char *name = sl_arg_str(r->body, "username", "");

    return VC_ARGS(r, args) < 0 ? NULL : name;
}

void vc_answer(struct vc_req *r, json_t *data)
{
    vc_core->event(r->user->h, r->msg, data, NULL);
}

static vc_handler handler_find(struct vc_req *r)
{
    static const struct sl_arg args[] = { { "request", SL_ARG_STRING, SL_ARG_REQUIRED } };
    const char *name = sl_arg_str(r->body, "request", "");

    if (VC_ARGS(r, args) < 0)
        return NULL;
    for (size_t i = 0; i < SL_ARG_COUNT(requests); i++)
        if (strcasecmp(requests[i].name, name) == 0)
            return requests[i].fn;
    vc_fail(r, VC_ERR_UNKNOWN_REQUEST, "Unknown request (%.64s)", name);
    return NULL;
}

void vc_request_handle(struct vc_user *u, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    struct vc_req r = { .user = u, .body = body, .msg = m, .error.codes = &vc_codes };
    vc_handler fn;

    if (jsep && jsep->type != SL_JSEP_NONE)
        r.jsep = jsep;
    vc_core->ack(m, NULL);
    fn = handler_find(&r);
    if (fn && fn(&r) == 0)
        return;
    if (r.close)
        vc_core->offer_keep(u->h); /* so that there is a connection to close */
    vc_core->event(u->h, m, pl_error_json(&r.error, "videocall", "event"), NULL);
    if (r.close)
        vc_core->close_pc(u->h, NULL);
}
