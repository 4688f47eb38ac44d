/* jsep of requests (control protocol, section 10.1), and our descriptions. */

#include "api/api_events.h"
#include "base/arena.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct sl_arg jsep_args[] = {
    { "type", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "sdp", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "trickle", SL_ARG_BOOL, SL_ARG_OPTIONAL },
    { "rid_order", SL_ARG_STRING, SL_ARG_OPTIONAL },
    { "force_relay", SL_ARG_BOOL, SL_ARG_OPTIONAL },
    { "e2ee", SL_ARG_BOOL, SL_ARG_OPTIONAL },
};

static const struct sl_arg svc_args[] = {
    { "svc", SL_ARG_STRING, SL_ARG_REQUIRED },
    { "mindex", SL_ARG_UINT, SL_ARG_OPTIONAL },
    { "mid", SL_ARG_STRING, SL_ARG_OPTIONAL },
};

/* jsep.svc when it is well-formed, else NULL: it is a hint. */
static const json_t *svc_get(const json_t *jsep)
{
    const json_t *svc = sl_arg_get(jsep, "svc");
    char text[SL_ARG_TEXT_MAX];
    const json_t *v;
    size_t i;

    if (!json_is_array(svc))
        return NULL;
    json_array_foreach(svc, i, v)
    {
        if (!json_is_object(v) ||
            sl_args_check(v, svc_args, SL_COUNT(svc_args), text, sizeof(text)) ||
            (!sl_arg_get(v, "mindex") && !sl_arg_get(v, "mid")))
            return NULL;
    }
    return svc;
}

/* Reads what the client sent. False after having answered. */
static bool jsep_read(struct api_req *r, const json_t *jsep,
                      struct sl_pc_remote *out) SL_ON_CONTROL;
static bool jsep_read(struct api_req *r, const json_t *jsep, struct sl_pc_remote *out)
{
    const json_t *sdp;
    const char *type;

    if (!json_is_object(jsep)) {
        api_fail(r, SL_API_INVALID_JSON_OBJECT, "Invalid jsep object");
        return false;
    }
    if (!api_check(r, "JSEP error", jsep, jsep_args, SL_COUNT(jsep_args)))
        return false;
    type = sl_arg_str(jsep, "type", "");
    sdp = json_object_get(jsep, "sdp");
    *out = (struct sl_pc_remote){
        .sdp = json_string_value(sdp),
        .sdp_len = json_string_length(sdp),
        .rid_lmh = !strcasecmp(sl_arg_str(jsep, "rid_order", ""), "lmh"),
        .e2ee = sl_arg_bool(jsep, "e2ee", false),
        .svc = svc_get(jsep),
    };
    if (!strcasecmp(type, "offer")) {
        out->type = SL_JSEP_OFFER;
    } else if (!strcasecmp(type, "answer")) {
        out->type = SL_JSEP_ANSWER;
    } else {
        api_fail(r, SL_API_JSEP_TYPE, "JSEP error: unknown message type '%s'", type);
        return false;
    }
    return true;
}

static int64_t count_mlines(const char *sdp, size_t len)
{
    int64_t n = 0;

    for (size_t i = 0; i + 1 < len; i++)
        n += sdp[i] == 'm' && sdp[i + 1] == '=' && (!i || sdp[i - 1] == '\n');
    return n;
}

/* Whether an offer is within the operator's limits; answers have those of our offers. False after
 * having answered. */
static bool jsep_fits(struct api_req *r, const struct sl_pc_remote *remote) SL_ON_CONTROL;
static bool jsep_fits(struct api_req *r, const struct sl_pc_remote *remote)
{
    const struct sl_api_conf *c = &r->api->conf;

    if (remote->type != SL_JSEP_OFFER)
        return true;
    if ((int64_t)remote->sdp_len > c->max_sdp_bytes) {
        api_fail(r, SL_API_INVALID_SDP, "Invalid SDP (longer than %lld bytes)",
                 (long long)c->max_sdp_bytes);
        return false;
    }
    if (count_mlines(remote->sdp, remote->sdp_len) > c->max_mlines) {
        api_fail(r, SL_API_INVALID_SDP, "Invalid SDP (more than %lld m-lines)",
                 (long long)c->max_mlines);
        return false;
    }
    return true;
}

/* Makes room for the description: the last offer wins over one that is open. */
static bool jsep_prepare(struct api_req *r, const struct sl_pc_remote *remote) SL_ON_CONTROL;
static bool jsep_prepare(struct api_req *r, const struct sl_pc_remote *remote)
{
    struct sl_handle *h = r->handle;
    int err;

    if (remote->type == SL_JSEP_ANSWER) {
        if (h->pc && sl_pc_awaits_answer(h->pc))
            return true;
        api_fail(r, SL_API_UNEXPECTED_ANSWER, "Unexpected ANSWER (did we offer?)");
        return false;
    }
    if (h->offered)
        api_pc_drop_offer(h);
    else if (h->pc && sl_pc_awaits_answer(h->pc))
        sl_pc_rollback(h->pc);
    err = api_pc_ensure(h);
    if (err) {
        api_fail(r, SL_API_UNKNOWN, "No room for another peer connection: %s", strerror(-err));
        return false;
    }
    return true;
}

/* To event handlers: ICE gathers from the first description on, and connects from the second. */
static void tell_description(struct sl_handle *h, const char *owner, enum sl_jsep_type type,
                             const char *sdp) SL_ON_CONTROL;
static void tell_description(struct sl_handle *h, const char *owner, enum sl_jsep_type type,
                             const char *sdp)
{
    bool is_local = !strcmp(owner, "local");

    if (!is_local)
        api_ev_jsep(h, owner, type, sdp);
    if (!h->told_gathering)
        api_ev_ice(h, "gathering");
    h->told_gathering = true;
    api_ev_candidates(h, owner, sdp);
    if (is_local)
        api_ev_jsep(h, owner, type, sdp);
    if (type == SL_JSEP_ANSWER && !h->told_connecting) {
        h->told_connecting = true;
        api_ev_ice(h, "connecting");
    }
}

bool api_jsep_take(struct api_req *r, struct sl_arena *a, struct sl_jsep_in *in)
{
    const json_t *jsep = sl_arg_get(r->root, "jsep");
    struct sl_handle *h = r->handle;
    struct sl_pc_error err = { .code = SL_API_INVALID_SDP };
    struct sl_pc_remote remote;

    if (!jsep)
        return true;
    if (!jsep_read(r, jsep, &remote) || !jsep_fits(r, &remote) || !jsep_prepare(r, &remote))
        return false;
    if (sl_pc_set_remote(h->pc, a, &remote, in, &err)) {
        api_fail(r, err.code, "%s", err.text[0] ? err.text : sl_api_error_to_str(err.code));
        if (remote.type == SL_JSEP_OFFER && !sl_pc_is_negotiated(h->pc)) {
            sl_pc_destroy(h->pc);
            h->pc = NULL;
            api_capture_end(h);
        }
        return false;
    }
    h->offered = remote.type == SL_JSEP_OFFER;
    h->offer_msg = 0;
    tell_description(h, "remote", remote.type, remote.sdp);
    api_trickles_replay(h);
    return true;
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void on_local(void *arg, const char *sdp)
{
    struct api_out *o = arg;
    struct sl_handle *h = o->handle;
    json_t *jsep;

    SL_ASSUME(control);
    o->waiting = false;
    if (sdp) {
        jsep = json_pack("{s:s, s:s}", "type", o->type == SL_JSEP_OFFER ? "offer" : "answer", "sdp",
                         sdp);
        if (jsep && h->pc && sl_pc_is_e2ee(h->pc))
            json_object_set_new(jsep, "e2ee", json_true());
        json_object_set_new(o->json, "jsep", jsep);
        tell_description(h, "local", o->type, sdp);
    } else {
        h->close_wanted = true; /* not inside its own callback */
        api_handle_defer(h);
    }
    api_handle_flush(h);
}

int api_pc_describe(struct sl_handle *h, const struct sl_jsep_out *jsep, struct api_out *out)
{
    bool made = !h->pc;
    int err;

    if (jsep->type == SL_JSEP_ANSWER && !h->offered)
        return -EINVAL;
    if (jsep->type == SL_JSEP_OFFER && h->offered)
        return -EBUSY;
    err = api_pc_ensure(h);
    if (err)
        return err;
    out->type = jsep->type;
    out->waiting = true;
    err = sl_pc_set_local(h->pc, jsep, on_local, out);
    if (err) {
        if (made) {
            sl_pc_destroy(h->pc);
            h->pc = NULL;
            api_capture_end(h);
        }
        return err;
    }
    if (jsep->type == SL_JSEP_ANSWER)
        h->offered = false;
    api_trickles_replay(h);
    return 0;
}
