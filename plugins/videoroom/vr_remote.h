/*
 * vr_remote.h - publishers whose media another server sends (publish_remotely there).
 *
 * A remote publisher is a participant without a client (`remote`, struct vr_pub): it is up from its
 * request to remove_remote_publisher, and does not count for the room's `publishers`. Its streams
 * are what the requests say; `wire` of a stream is its m-line at the sender, which SSRCs name.
 */
#ifndef VR_REMOTE_H
#define VR_REMOTE_H

#include "vr_pub.h"

/* Checks @streams of the body for @p (NULL: a new publisher). 0 or -1. */
int vr_remote_check(struct vr_req *r, const struct vr_pub *p);
/* Takes over what was checked. True: something changed. */
bool vr_remote_take(struct vr_pub *p, const json_t *streams);
/* Tells the core. 0 or -errno. */
int vr_remote_apply(struct vr_pub *p);
/* The remote publisher of member `id`. */
int vr_arg_remote(struct vr_req *r, struct vr_pub **out);

#endif
