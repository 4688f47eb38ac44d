/*
 * vc_request.h - one request on its way from the table to its answer.
 *
 * Handlers answer with vc_answer and return 0, or return vc_fail(...) after having changed nothing.
 */
#ifndef VC_REQUEST_H
#define VC_REQUEST_H

#include "../common/pl_error.h"
#include "vc.h"

struct vc_req {
    struct vc_user *user;
    const json_t *body;
    struct sl_msg *msg;
    const struct sl_jsep_in *jsep; /* NULL: none came along */
    bool close;                    /* the connection is closed once the answer is out */
    struct pl_error error;
};

typedef int (*vc_handler)(struct vc_req *r);

/* Sets the error and returns -1. */
#define vc_fail(r, number, ...) pl_fail(&(r)->error, number, __VA_ARGS__)
/* The same, and the connection that an offer made is closed: the client gets `hangup`. */
int vc_fail_close(struct vc_req *r, enum vc_error code, const char *text);

/* 0, or -1 with the error set. */
static inline int vc_args(struct vc_req *r, const struct sl_arg *args, size_t n)
{
    return pl_args(&r->error, r->body, args, n);
}
#define VC_ARGS(r, table) vc_args(r, table, SL_ARG_COUNT(table))
/* A user's name in member `username`. NULL: the error is set. */
const char *vc_arg_name(struct vc_req *r);

/* Answers. Steals @data. */
void vc_answer(struct vc_req *r, json_t *data);

void vc_request_handle(struct vc_user *u, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep);

#define VC_REQUESTS(X)           X(list) X(register) X(call) X(accept) X(set) X(hangup)
#define VC_REQUEST_DECLARE(name) int req_##name(struct vc_req *r);
VC_REQUESTS(VC_REQUEST_DECLARE)

#endif
