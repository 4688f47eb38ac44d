/*
 * ws_conn.h - one WebSocket connection: wslay on a non-blocking socket, in an epoll loop.
 *
 * Thread: the WebSocket thread, for everything.  Owner: struct ws_loop, by its list.
 *
 * OPEN -> CLOSING (a close frame is queued; waits for the other's) -> LINGER (ours is written,
 * reads and forgets until the client has taken notice) -> destroyed, core->gone. A connection that
 * breaks goes there at once. Functions below that say "may destroy" end the life of @c.
 */
#ifndef SL_TRANSPORTS_WS_CONN_H
#define SL_TRANSPORTS_WS_CONN_H

#include "base/hmap.h"
#include "base/list.h"
#include "base/role.h"
#include "base/timer.h"
#include "transports/websocket/ws.h"
#include <stdatomic.h>
#include <wslay/wslay.h>

#define WS_CLOSE_WAIT_US (1000 * 1000) /* for the client's half of the closing handshake */
#define WS_END_WAIT_US   (250 * 1000)  /* for the TLS layer to hand over the last bytes */
#define WS_TLS_BIT       (1ULL << 63)  /* epoll data: the event is that of tls_fd */

struct ws_counters {
    atomic_uint_fast64_t open, opened, slow_closed, ping_closed, bad_json;
};

struct ws_loop {
    int ep;
    uint64_t now_us; /* of this turn */
    sl_conn next_id;
    bool stopping;
    const struct sl_tcore *core;
    struct sl_ws_conf conf;
    struct sl_wheel wheel;
    struct sl_hmap by_id;
    struct sl_list conns;
    struct ws_counters *count;
};

enum ws_state { WS_OPEN, WS_CLOSING, WS_LINGER };

struct ws_conn {
    struct sl_hnode node; /* ws_loop.by_id */
    struct sl_list link;  /* ws_loop.conns */
    struct ws_loop *loop;
    sl_conn id; /* also the epoll data: a stale event finds nobody */
    struct sl_ws_adopt sock;
    char *extra; /* read before the socket is */
    size_t extra_at, extra_len;
    wslay_event_context_ptr ctx;
    enum ws_state state;
    bool broken;     /* nothing can be read or written any more */
    bool ended;      /* TLS: the client's side is gone, what it sent before may still come */
    uint32_t events; /* what epoll watches */
    unsigned int inflight;
    size_t budget; /* bytes that may still be read in this turn */
    uint64_t last_rx_us;
    struct sl_timer timer; /* OPEN: ping; else: the end of patience */
};

/* Takes over @a->fd and @a->extra (copied). NULL: no memory, and @a->close was called. The
 * connection may already have read and answered what came in @a->extra, and be gone. */
void ws_conn_create(struct ws_loop *loop, const struct sl_ws_adopt *a) SL_ON_TRANSPORT;
struct ws_conn *ws_conn_find(const struct ws_loop *loop, sl_conn id) SL_ON_TRANSPORT;
void ws_conn_destroy(struct ws_conn *c) SL_ON_TRANSPORT;

/* The client's socket behind a TLS layer has ended. */
void ws_conn_on_end(struct ws_conn *c) SL_ON_TRANSPORT;
void ws_conn_on_io(struct ws_conn *c, uint32_t events) SL_ON_TRANSPORT; /* may destroy */
void ws_conn_send(struct ws_conn *c, const char *text) SL_ON_TRANSPORT; /* queues */
void ws_conn_close(struct ws_conn *c, uint16_t code) SL_ON_TRANSPORT;   /* queues */
/* One request was answered: reads on if it had stopped. */
void ws_conn_answered(struct ws_conn *c) SL_ON_TRANSPORT;
/* Writes what is queued, watches what is to come, moves along the states; may destroy. */
void ws_conn_settle(struct ws_conn *c) SL_ON_TRANSPORT;

#endif
