#include "vc_request.h"

int req_hangup(struct vc_req *r)
{
    json_t *event = vc_result("hangup", r->user->name);

    json_object_set_new(json_object_get(event, "result"), "reason", json_string("Explicit hangup"));
    vc_answer(r, event);
    vc_call_end(r->user, sl_arg_str(r->body, "reason", "We did the hangup"));
    return 0;
}
