/*
 * worker_drops.h - tells an operator what a worker had to drop, in one line a second.
 *
 *   INFO worker dropped worker=0 malformed=3 auth=1 stun_bad_integrity=12 socket_overflow=200
 *
 * Numbers are packets (with tcp_: connections) since the last line; a second without any has no
 * line. What is dropped in the normal course of things (other layers, paused sinks, padding, before
 * the first key frame) is counted, too, but not told.
 *
 * Thread: worker.  Owner: struct sl_worker, embedded.
 */
#ifndef SL_WORKER_DROPS_H
#define SL_WORKER_DROPS_H

#include "ice/ice_lite.h"
#include "media/media_ctx.h"
#include "net/net_udp.h"
#include "worker/worker_tcp.h"

struct sl_strbuf;

/* Datagrams that no parser saw. */
enum sl_socket_drop {
    SL_SOCKET_OVERFLOW,  /* the kernel's buffer was full */
    SL_SOCKET_TRUNCATED, /* longer than a message may be */
    SL_SOCKET_SURPLUS,   /* more than a batch holds */
    SL_SOCKET_DROP_MAX
};

/* All counters of a worker, since its start. */
struct sl_worker_drops {
    uint64_t media[SL_DROP_MAX];
    uint64_t stun[SL_LITE_DROP_MAX];
    uint64_t tx[SL_TX_DROP_MAX];
    uint64_t socket[SL_SOCKET_DROP_MAX];
    uint64_t tcp[SL_TCP_CLOSED_MAX]; /* connections */
};

/* Appends " name=number" for each reason to be told that grew from @seen to @now. */
void sl_worker_drops_write(const struct sl_worker_drops *now, const struct sl_worker_drops *seen,
                           struct sl_strbuf *out);

#endif
