/*
 * vr_request.h - one request on its way from the table to its answer.
 *
 * Handlers of synchronous requests return 0 and put the answer into `reply`; handlers of
 * asynchronous ones answer with vr_answer (or leave it to vr_pub_negotiate, vr_sub_renegotiate) and
 * return 0. Both return vr_fail(...) on an error, after having changed nothing.
 */
#ifndef VR_REQUEST_H
#define VR_REQUEST_H

#include "../common/pl_error.h"
#include "vr.h"
#include "vr_room.h"

struct vr_req {
    struct vr_handle *handle; /* NULL: the administrator */
    const json_t *body;
    struct sl_msg *msg;
    const struct sl_jsep_in *jsep; /* NULL: none came along */
    json_t *reply;
    sl_hid close_after;         /* its peer connection is closed once the reply is out */
    struct vr_pub *leave_after; /* it leaves once the reply is out */
    json_t *ips;                /* vr_host.h: addresses of hosts; NULL: not asked for yet */
    bool later;                 /* vr_host.h: no reply now */
    struct pl_error error;
};

typedef int (*vr_handler)(struct vr_req *r);

extern const struct pl_codes vr_codes;
#define VR_ERROR_INIT                                                                              \
    {                                                                                              \
        .codes = &vr_codes                                                                         \
    }

/* Sets the error and returns -1. */
#define vr_fail(r, number, ...) pl_fail(&(r)->error, number, __VA_ARGS__)

/* Checks of arguments; 0, or -1 with the error set. */
static inline int vr_args(struct vr_req *r, const json_t *obj, const struct sl_arg *args, size_t n)
{
    return pl_args(&r->error, obj, args, n);
}
#define VR_ARGS(r, obj, table) vr_args(r, obj, table, SL_ARG_COUNT(table))
/* The id in member @name of @obj; VR_ERR_MISSING or VR_ERR_INVALID. */
static inline int vr_arg_id(struct vr_req *r, const json_t *obj, const char *name,
                            struct pl_id *out)
{
    return pl_arg_id(&r->error, obj, name, vr_conf.string_ids, out);
}
/* An unsigned 32 bit number: larger ones are cut to UINT32_MAX. */
uint32_t vr_arg_u32(const json_t *obj, const char *name, uint32_t def);
/* Layer numbers: an error unless absent or 0..2. */
int vr_arg_layers(struct vr_req *r, const json_t *obj);

/* Member @name, when there, must be an array of @max objects at most. */
int vr_arg_objects(struct vr_req *r, const json_t *obj, const char *name, size_t max);

/* The room of member `room`. */
int vr_arg_room(struct vr_req *r, struct vr_room **out);
/* Member @name must be equal to @secret, unless that is NULL. */
static inline int vr_arg_secret(struct vr_req *r, const char *name, const char *secret)
{
    return pl_arg_secret(&r->error, vr_core, r->body, name, secret);
}
/* Room and secret together: what most administrative requests begin with. */
int vr_arg_room_secret(struct vr_req *r, struct vr_room **out);
/* Recording is not there yet: error when @obj asks for it. */
int vr_arg_no_recording(struct vr_req *r, const json_t *obj);

/* Answers an asynchronous request. Steals @data. */
void vr_answer(struct vr_req *r, json_t *data);

/* From the plugin's callbacks. */
void vr_request_handle(struct vr_handle *h, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep);
json_t *vr_request_admin(const json_t *body);
/* Runs a synchronous request from its start, with `ips`, which it releases, and replies. */
void vr_request_resume(struct vr_req *r);

#define VR_REQUESTS_SYNC(X)                                                                        \
    X(create)                                                                                      \
    X(edit)                                                                                        \
    X(destroy)                                                                                     \
    X(exists)                                                                                      \
    X(list)                                                                                        \
    X(listparticipants) X(allowed) X(kick) X(moderate) X(enable_recording) X(rtp_forward)          \
        X(stop_rtp_forward) X(listforwarders) X(publish_remotely) X(unpublish_remotely)            \
            X(listremotes) X(add_remote_publisher) X(update_remote_publisher)                      \
                X(remove_remote_publisher)
#define VR_REQUESTS_ASYNC(X)                                                                       \
    X(join_none)                                                                                   \
    X(joinandconfigure)                                                                            \
    X(configure_publisher)                                                                         \
    X(publish)                                                                                     \
    X(unpublish)                                                                                   \
    X(leave_publisher)                                                                             \
    X(start)                                                                                       \
    X(pause) X(subscribe) X(unsubscribe) X(update) X(configure_subscriber) X(switch)               \
        X(leave_subscriber)
#define VR_REQUEST_DECLARE(name) int req_##name(struct vr_req *r);
VR_REQUESTS_SYNC(VR_REQUEST_DECLARE)
VR_REQUESTS_ASYNC(VR_REQUEST_DECLARE)

#endif
