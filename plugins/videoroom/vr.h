/*
 * vr.h - VideoRoom: the objects and who owns them.
 *
 * Spec:   VideoRoom of the control protocol (docs/compatibility.md, "VideoRoom").
 * Thread: control, everything.
 *
 *   rooms (vr_room.h) --owns--> members: publishers, local ones of a handle, remote ones, or dummies (vr_pub.h)
 *                               `-owns--> streams, one per m-line, and what forwards them
 *                     --lists-> subscribers (vr_sub.h), owned by their handle
 *                               `-owns--> lines, one per m-line; a line borrows the stream it shows,
 *                                         the line for data several (vr_data.h)
 *   handle (struct vr_handle, owned by the core's handle) --> its publisher or its subscriber
 *
 * A handle that left its room keeps its role with `pub` or `sub` NULL. Requests are in req_*.c, one
 * file each, and their table in vr_request.c.
 */
#ifndef VR_H
#define VR_H

#include <sluice/args.h>
#include <sluice/codec.h>
#include <sluice/plugin.h>

#define VR_PACKAGE "janus.plugin.videoroom"

extern const struct sl_core *vr_core;

/* [general] of conf/videoroom.conf. */
struct vr_conf {
    bool string_ids;
    bool lock_rtp_forward;
    bool events; /* tell event handlers */
    struct vr_ports {
        uint16_t low, high;
    } ports; /* UDP, for remote publishers */
    char *admin_key;
};
extern struct vr_conf vr_conf;

enum vr_error {
    VR_ERR_INVALID_REQUEST = 423,
    VR_ERR_JOIN_FIRST = 424,
    VR_ERR_ALREADY_JOINED = 425,
    VR_ERR_NO_SUCH_ROOM = 426,
    VR_ERR_ROOM_EXISTS = 427,
    VR_ERR_NO_SUCH_FEED = 428,
    VR_ERR_MISSING = 429,
    VR_ERR_INVALID = 430,
    VR_ERR_SDP_TYPE = 431,
    VR_ERR_FULL = 432,
    VR_ERR_UNAUTHORIZED = 433,
    VR_ERR_PUBLISHED = 434,
    VR_ERR_NOT_PUBLISHED = 435,
    VR_ERR_ID_EXISTS = 436,
    VR_ERR_INVALID_SDP = 437,
    VR_ERR_INVALID_FEED = 438,
    VR_ERR_UNKNOWN = 499,
};

enum vr_role { VR_NONE, VR_PUBLISHER, VR_SUBSCRIBER, VR_ROLE_MAX };

struct vr_pub;
struct vr_sub;

struct vr_handle {
    sl_hid h;
    enum vr_role role; /* never changes once it is not VR_NONE */
    struct vr_pub *pub;
    struct vr_sub *sub;
};

/* plugin_specific of the handle dump: a new object. */
json_t *vr_query(const struct vr_handle *h);

/* Tells event handlers; steals @event. */
static inline void vr_notify(sl_hid h, json_t *event)
{
    if (vr_conf.events)
        vr_core->notify(h, event);
    else
        json_decref(event);
}

#endif
