#include "vc_request.h"

/* Whom @r calls. NULL: the error is set. */
static struct vc_user *callee_find(struct vc_req *r)
{
    const char *name = vc_arg_name(r);
    struct vc_user *callee;

    if (!name)
        return NULL;
    callee = vc_user_find(name);
    if (!r->user->name)
        vc_fail(r, VC_ERR_REGISTER_FIRST, "Register a username first");
    else if (r->user->peer)
        vc_fail(r, VC_ERR_ALREADY_IN_CALL, "Already in a call");
    else if (callee == r->user)
        vc_fail(r, VC_ERR_SELF, "You can't call yourself... use the EchoTest for that");
    else if (!callee)
        vc_fail(r, VC_ERR_NO_SUCH_NAME, "Username '%s' doesn't exist", name);
    else if (!r->jsep)
        vc_fail(r, VC_ERR_MISSING_SDP, "Missing SDP");
    else if (r->jsep->type != SL_JSEP_OFFER)
        vc_fail(r, VC_ERR_INVALID_SDP, "Invalid SDP: callers send offers");
    else
        return callee;
    return NULL;
}

static void busy(struct vc_req *r)
{
    json_t *event = vc_result("hangup", r->user->name);

    vc_core->offer_keep(r->user->h); /* so that there is a connection to close */
    json_object_set_new(json_object_get(event, "result"), "reason", json_string("User busy"));
    vc_answer(r, event);
    vc_core->close_pc(r->user->h, NULL);
    vc_notify(r->user, json_pack("{s:s, s:s}", "event", "hangup", "reason", "User busy"));
}

int req_call(struct vc_req *r)
{
    struct vc_user *callee = callee_find(r);

    if (!callee) {
        /* The connection that the offer made goes, but not one of a call that stands. */
        r->close = r->jsep && r->jsep->type == SL_JSEP_OFFER && !r->jsep->update;
        return -1;
    }
    if (callee->peer) {
        busy(r);
        return 0;
    }
    vc_call_begin(r->user, callee);
    if (vc_offer_pass(r->user, r->jsep, vc_result("incomingcall", r->user->name), false) < 0) {
        vc_call_cancel(r->user);
        return vc_fail_close(r, VC_ERR_INVALID_SDP, "Invalid SDP: there is nothing to call with");
    }
    vc_answer(r, vc_result("calling", NULL));
    vc_notify(r->user, json_pack("{s:s}", "event", "calling"));
    return 0;
}
