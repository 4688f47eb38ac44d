/*
 * vr_forward.h - what of a publisher goes to other machines: forwarders of one stream each
 * (rtp_forward), and recipients that get all its streams (publish_remotely).
 *
 * Owner: the stream, or the publisher. A forwarder ends with its stream; a recipient stays until
 * unpublish_remotely or the publisher's end, and gets whatever is published.
 */
#ifndef VR_FORWARD_H
#define VR_FORWARD_H

#include "vr_pub.h"

#define VR_FORWARDS_MAX   64 /* of one publisher */
#define VR_RECIPIENTS_MAX 16

struct vr_forward {
    struct vr_stream *stream;
    uint32_t id;
    sl_hid ep;
    char ip[64];
    uint16_t port, rtcp_port, local_rtcp_port;
    uint8_t pt;       /* SL_PT_NONE: the publisher's */
    uint32_t ssrc;    /* 0: the publisher's */
    int8_t substream; /* -1: chosen */
    bool srtp;
    struct vr_link link; /* stream->forwards */
};

struct vr_recipient {
    char *id;
    sl_hid ep;
    char host[64];
    uint16_t port, rtcp_port;
    size_t nstreams;     /* as told last */
    struct vr_link link; /* pub->recipients */
};

/* @f without id, ep and local_rtcp_port. 0, or -1 with the error set. */
int vr_forward_add(struct vr_req *r, const struct vr_forward *f, unsigned int suite,
                   const char *crypto, struct vr_forward **out);
void vr_forward_destroy(struct vr_forward *f);
struct vr_forward *vr_forward_find(const struct vr_pub *p, uint32_t id);
size_t vr_forward_count(const struct vr_pub *p);
/* The entry of `forwarders`: a new object. */
json_t *vr_forward_json(const struct vr_forward *f);

struct vr_recipient *vr_recipient_find(const struct vr_pub *p, const char *id);
void vr_recipient_destroy(struct vr_recipient *c);
/* Tells the core what a recipient gets, after the publisher's streams changed. */
void vr_recipient_apply(const struct vr_pub *p, struct vr_recipient *c);

/* A message of the data stream @s, to all that take it. */
void vr_forwards_data(const struct vr_stream *s, bool binary, const void *data, size_t len);

/* All of @p again, after a negotiation. */
void vr_forwards_apply(const struct vr_pub *p);

/* What lets a client have the server speak with other machines: the secret of @room (checked
 * before), or, for want of one, the core's word. */
int vr_may_forward(struct vr_req *r, const struct vr_room *room);
/* The same for what lock_rtp_forward puts under the admin_key. */
int vr_arg_forward_key(struct vr_req *r, const struct vr_room *room);
/* Room, its secret, and the publisher of member `publisher_id`. */
int vr_arg_publisher(struct vr_req *r, struct vr_pub **out);

#endif
