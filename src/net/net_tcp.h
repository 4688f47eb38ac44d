/*
 * net_tcp.h - packets framed on a TCP connection, for media where UDP is blocked: each has its
 * length in front, 16 bits in network order.
 *
 * Spec:   RFC 4571 section 2; RFC 6544 (ICE-TCP).
 * Thread: one at a time; may be handed over whole.  Owner: whoever created or accepted it.
 *
 * Media does not wait: what a slow reader leaves unsent is bounded, and packets beyond it are
 * refused whole.
 */
#ifndef SL_NET_TCP_H
#define SL_NET_TCP_H

#include "base/list.h"
#include "net/net_addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- frames out of a stream; pure ---- */

#define SL_FRAME_MAX  2048  /* bytes of one packet; no peer of ours sends longer ones */
#define SL_FRAMES_BUF 16384 /* what is read at once */

struct sl_frames {
    size_t start, end; /* of what was not taken yet */
    uint8_t buf[SL_FRAMES_BUF];
};

/* Where the next bytes of the stream go: at least one after sl_frames_next said 0. */
uint8_t *sl_frames_room(struct sl_frames *f, size_t *room);
void sl_frames_add(struct sl_frames *f, size_t len);
/* 1: one packet (of any length, also 0), good until the next sl_frames_room; 0: it is not complete
 * yet; -EBADMSG: longer than SL_FRAME_MAX, after which the stream cannot be followed. */
int sl_frames_next(struct sl_frames *f, uint8_t **data, size_t *len);

/* ---- a connection ---- */

#define SL_TCP_QUEUE_MAX (256 << 10) /* bytes that wait in us for a slow reader */

struct sl_tcp {
    int fd;
    struct sl_addr remote, local;
    struct sl_frames in;
    struct sl_list dirty; /* in the list given to sl_tcp_send */
    uint8_t *out;         /* SL_TCP_QUEUE_MAX, from the first packet on */
    size_t out_start, out_end;
    void *owner; /* whoever polls it */
};

/* A listening socket, non-blocking; an IPv6 one takes IPv6 only. The descriptor or -errno. */
int sl_tcp_listen(const struct sl_addr *bind);
/* The next connection. 0; -EAGAIN: none waits; -ECONNABORTED: it is gone already; -errno. */
int sl_tcp_accept(int listener, struct sl_tcp **out);
void sl_tcp_destroy(struct sl_tcp *t); /* closes it; NULL is fine */

/* One read. Bytes, 0: none waited; -EPIPE: the other end closed; -errno. Then sl_frames_next. */
int sl_tcp_read(struct sl_tcp *t);
/* Queues one packet (copied), and puts the connection on @dirty. 0, or it is to be dropped: -ENOBUFS
 * (the queue is full), -ENOMEM, -EMSGSIZE. */
int sl_tcp_send(struct sl_tcp *t, const uint8_t *data, size_t len, struct sl_list *dirty);
/* One write of all that is queued. Bytes that still wait for the socket to become writable, or
 * -errno: it broke. */
int sl_tcp_flush(struct sl_tcp *t);

#endif
