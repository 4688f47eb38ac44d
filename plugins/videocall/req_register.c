#include "vc_request.h"
#include <string.h>

int req_register(struct vc_req *r)
{
    const char *name;

    if (r->user->name)
        return vc_fail(r, VC_ERR_ALREADY_REGISTERED, "Already registered (%s)", r->user->name);
    name = vc_arg_name(r);
    if (!name)
        return -1;
    if (!*name || strlen(name) > VC_NAME_MAX)
        return vc_fail(r, VC_ERR_INVALID, "Invalid element (username should have 1 to %d bytes)",
                       VC_NAME_MAX);
    if (vc_user_find(name))
        return vc_fail(r, VC_ERR_NAME_TAKEN, "Username '%s' already taken", name);
    if (vc_user_register(r->user, name) < 0)
        return vc_fail(r, VC_ERR_UNKNOWN, "Out of memory");
    vc_answer(r, vc_result("registered", name));
    vc_notify(r->user, json_pack("{s:s}", "event", "registered"));
    return 0;
}
