/*
 * worker_tcp.h - ICE-TCP of a worker: where UDP is blocked, clients connect to one TCP port
 * (RFC 6544, passive; frames of RFC 4571).
 *
 * Worker 0 listens for all. A connection's first packet must be a check, whose ufrag names the
 * worker that it belongs to; that one gets the connection and authenticates the check. From there
 * on it is a way to a peer like a UDP address, and it is closed as soon as it leads to nobody:
 * without an authenticated check for 30 s, and when its peer goes.
 *
 * Bounds: connections that proved nothing are SL_TCP_UNPROVEN_MAX (the oldest gives way) and live
 * 5 s; each peer has as many as addresses (16); what a slow reader leaves waiting is dropped.
 *
 * Thread: worker.  Owner: struct sl_worker, embedded.
 */
#ifndef SL_WORKER_TCP_H
#define SL_WORKER_TCP_H

#include "base/list.h"
#include "base/timer.h"
#include "net/net_tcp.h"
#include "net/net_udp.h"

#define SL_TCP_UNPROVEN_MAX 256
#define SL_TCP_LISTENERS    16

struct sl_worker;
struct sl_wmsg;

/* Why connections were closed by us; those of peers that went are not among them. */
enum sl_tcp_closed {
    SL_TCP_BAD_FRAME, /* longer than a packet may be */
    SL_TCP_UNPROVEN,  /* no check in time, or not the right one */
    SL_TCP_CROWDED,   /* too many others wait as well */
    SL_TCP_CLOSED_MAX
};

struct sl_worker_tcp {
    struct sl_tcp_listener {
        struct sl_watch watch;
        struct sl_worker *w;
        int fd;
    } listeners[SL_TCP_LISTENERS];
    size_t nlisteners;
    struct sl_timer again;   /* accept again, after there were no descriptors left */
    struct sl_list conns;    /* of peers of this worker */
    struct sl_list unproven; /* the oldest first */
    struct sl_list dead;     /* until the end of the turn */
    size_t nunproven;
    uint64_t closed[SL_TCP_CLOSED_MAX];
};

void sl_worker_tcp_init(struct sl_worker *w);
/* Before the worker starts. 0 or -errno. */
int sl_worker_tcp_listen(struct sl_worker *w, const struct sl_addr *bind);
void sl_worker_tcp_fini(struct sl_worker *w);

/* A connection from worker 0. */
void sl_worker_tcp_take(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER;
/* It leads to nobody any more. */
void sl_worker_tcp_gone(struct sl_tcp *tcp);
/* End of a turn: writes what is queued, closes what is dead. */
void sl_worker_tcp_turn(struct sl_worker *w) SL_ON_WORKER;

#endif
