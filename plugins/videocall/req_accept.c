#include "vc_request.h"

int req_accept(struct vc_req *r)
{
    struct vc_user *u = r->user, *caller = u->peer;

    if (caller && !r->jsep)
        return vc_fail(r, VC_ERR_MISSING_SDP, "Missing SDP");
    if (!caller || u->is_caller || u->accepted)
        return vc_fail(r, VC_ERR_NO_CALL, "No incoming call to accept");
    if (r->jsep->type != SL_JSEP_ANSWER) /* our offer is gone: the call is over */
        return vc_fail_close(r, VC_ERR_INVALID_SDP, "Invalid SDP: accept takes an answer");
    u->accepted = caller->accepted = true;
    vc_answer(r, vc_result("accepted", NULL));
    vc_notify(u, json_pack("{s:s}", "event", "accepted"));
    if (vc_answer_pass(u, r->jsep, vc_result("accepted", u->name)) < 0)
        vc_call_end(u, "Invalid SDP");
    return 0;
}
