/*
 * tr_request.h - one request on its way from the table to its answer, over the message API or over
 * the data channel.
 *
 * Handlers put what the answer has beyond its head into `reply` (an object, which is there) and
 * return 0, or return tr_fail(...) after having changed nothing.
 */
#ifndef TR_REQUEST_H
#define TR_REQUEST_H

#include "../common/pl_error.h"
#include "tr.h"

struct tr_req {
    struct tr_handle *handle; /* NULL: the administrator */
    const json_t *body;
    bool over_data;
    bool is_silent; /* success is not told */
    json_t *reply;
    struct pl_error error;
};

typedef int (*tr_handler)(struct tr_req *r);

extern const struct pl_codes tr_codes;
#define TR_ERROR_INIT                                                                              \
    {                                                                                              \
        .codes = &tr_codes                                                                         \
    }

/* Sets the error and returns -1. */
#define tr_fail(r, number, ...) pl_fail(&(r)->error, number, __VA_ARGS__)

/* Checks of arguments; 0, or -1 with the error set. */
static inline int tr_args(struct tr_req *r, const struct sl_arg *args, size_t n)
{
    return pl_args(&r->error, r->body, args, n);
}
#define TR_ARGS(r, table) tr_args(r, table, SL_ARG_COUNT(table))
/* Member @name, when there, must be an array of strings. */
static inline int tr_arg_strings(struct tr_req *r, const char *name)
{
    return pl_arg_strings(&r->error, r->body, name);
}
static inline int tr_arg_id(struct tr_req *r, struct pl_id *out)
{
    return pl_arg_id(&r->error, r->body, "room", tr_conf.string_ids, out);
}
int tr_arg_room(struct tr_req *r, struct tr_room **out);
/* Member @name must be equal to @secret, unless that is NULL. */
static inline int tr_arg_secret(struct tr_req *r, const char *name, const char *secret)
{
    return pl_arg_secret(&r->error, tr_core, r->body, name, secret);
}
int tr_arg_room_secret(struct tr_req *r, struct tr_room **out);
/* The room of the request, which the asking handle must be in. */
int tr_arg_member(struct tr_req *r, struct tr_member **out);
/* Member @name, when there, must be a URL that messages may be posted to: what the operator allows
 * clients (post_to), any for an administrator. */
int tr_arg_post(struct tr_req *r, const char *name);

/* "2026-11-20T09:15:00+0000" */
json_t *tr_date(void);

/* The ways in: the message API, the administrator, the data channel. */
void tr_request_message(struct tr_handle *h, struct sl_msg *m, const json_t *body,
                        const struct sl_jsep_in *jsep);
json_t *tr_request_admin(const json_t *body);
void tr_request_data(struct tr_handle *h, const char *text, size_t len);

/* tr_setup.c: setup, ack and restart. False: @name is none of these. */
bool tr_setup_request(struct tr_handle *h, struct sl_msg *m, const char *name,
                      const struct sl_jsep_in *jsep);

#define TR_REQUESTS(X)                                                                             \
    X(join)                                                                                        \
    X(leave)                                                                                       \
    X(message)                                                                                     \
    X(announcement)                                                                                \
    X(list) X(listparticipants) X(exists) X(create) X(edit) X(destroy) X(allowed) X(kick)
#define TR_REQUEST_DECLARE(name) int req_##name(struct tr_req *r);
TR_REQUESTS(TR_REQUEST_DECLARE)

#endif
