#include "vc_request.h"

int req_list(struct vc_req *r)
{
    vc_answer(r,
              json_pack("{s:s, s:{s:o}}", "videocall", "event", "result", "list", vc_user_list()));
    return 0;
}
