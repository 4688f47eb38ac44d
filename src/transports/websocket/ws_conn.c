#include "transports/websocket/ws_conn.h"
#include "base/log.h"
#include "transports/json_depth.h"
#include "transports/peer_addr.h"
#include "transports/websocket/ws_json.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BUDGET (256 * 1024) /* of one connection per turn, so that all get theirs */
#define CTRL_COST   64           /* what a queued frame is counted beside its payload */

static char tag_mark; /* its address is the tag of all requests: see ws.h */

/* ---- reading --------------------------------------------------------------------------------- */

static bool wants_to_read(const struct ws_conn *c)
{
    return c->state != WS_OPEN || c->inflight < SL_WS_INFLIGHT;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *arg)
{
    struct ws_conn *c = arg;
    ssize_t n;

    if (!wants_to_read(c) || !c->budget) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (c->extra_at < c->extra_len) {
        n = (ssize_t)(c->extra_len - c->extra_at < len ? c->extra_len - c->extra_at : len);
        memcpy(buf, c->extra + c->extra_at, (size_t)n);
        c->extra_at += (size_t)n;
        return n;
    }
    do
        n = recv(c->sock.fd, buf, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        c->last_rx_us = c->loop->now_us;
        c->budget -= (size_t)n < c->budget ? (size_t)n : c->budget;
        return n;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    c->broken = true;
    wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void request(struct ws_conn *c, enum sl_treq_kind kind, json_t *root)
{
    c->inflight++;
    c->loop->core->request(&(struct sl_treq){
        .kind = kind,
        .conn = c->id,
        .tag = &tag_mark,
        .root = root,
        .admin = c->sock.admin,
        .local = c->sock.local,
    });
}

static void on_msg(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                   void *arg)
{
    struct ws_conn *c = arg;
    json_t *texts[SL_WS_MAX_TEXTS];
    const char *text = (const char *)m->msg;
    int n = -1;

    if (m->opcode == WSLAY_CONNECTION_CLOSE && c->state == WS_OPEN) {
        SL_ASSUME(transport);
        c->state = WS_CLOSING; /* wslay has queued the reply */
        sl_timer_set(&c->loop->wheel, &c->timer, c->loop->now_us + WS_CLOSE_WAIT_US);
    }
    if (m->opcode != WSLAY_TEXT_FRAME || c->state != WS_OPEN)
        return;
    if (sl_json_depth_is_ok(text, m->msg_length, c->loop->conf.max_json_depth))
        n = sl_ws_json_split(text, m->msg_length, texts, SL_WS_MAX_TEXTS);
    if (n < 0) {
        atomic_fetch_add(&c->loop->count->bad_json, 1);
        request(c, SL_TREQ_BAD_JSON, NULL);
    }
    for (int i = 0; i < n; i++)
        request(c, SL_TREQ_MESSAGE, texts[i]);
}

static void on_frame(wslay_event_context_ptr ctx,
                     const struct wslay_event_on_frame_recv_start_arg *f, void *arg)
{
    if (f->opcode == WSLAY_BINARY_FRAME) {
        SL_ASSUME(transport);
        ws_conn_close(arg, WSLAY_CODE_UNSUPPORTED_DATA);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
                       void *arg)
{
    struct ws_conn *c = arg;
    ssize_t n;

    do
        n = send(c->sock.fd, data, len,
                 MSG_DONTWAIT | MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
    } else {
        c->broken = true;
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
    }
    return -1;
}

static bool queue_is_full(const struct ws_conn *c)
{
    size_t n = wslay_event_get_queued_msg_length(c->ctx) +
               CTRL_COST * wslay_event_get_queued_msg_count(c->ctx);

    return n > c->loop->conf.max_queue;
}

void ws_conn_send(struct ws_conn *c, const char *text)
{
    struct wslay_event_msg msg = {
        .opcode = WSLAY_TEXT_FRAME,
        .msg = (const uint8_t *)text,
        .msg_length = strlen(text),
    };

    if (c->state != WS_OPEN || c->broken)
        return;
    if (wslay_event_queue_msg(c->ctx, &msg) == WSLAY_ERR_NOMEM)
        c->broken = true; /* a client that misses a message is better off connecting again */
}

void ws_conn_close(struct ws_conn *c, uint16_t code)
{
    if (c->state != WS_OPEN)
        return;
    c->state = WS_CLOSING;
    if (wslay_event_queue_close(c->ctx, code, NULL, 0))
        c->broken = true;
    sl_timer_set(&c->loop->wheel, &c->timer, c->loop->now_us + WS_CLOSE_WAIT_US);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Forgets what the client still sends, so that a reset does not overtake our close frame. */
static void drain(struct ws_conn *c)
{
    char buf[16384];

    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(c->sock.fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n > 0)
            continue;
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            c->broken = true;
        return;
    }
}

static void linger(struct ws_conn *c)
{
    c->state = WS_LINGER;
    sl_timer_set(&c->loop->wheel, &c->timer, c->loop->now_us + WS_CLOSE_WAIT_US);
    if (!c->sock.tls)
        (void)shutdown(c->sock.fd, SHUT_WR);
}

static int watch(struct ws_conn *c)
{
    struct epoll_event ev = { .data.u64 = c->id };

    if (wants_to_read(c))
        ev.events |= EPOLLIN;
    if (c->state != WS_LINGER && wslay_event_want_write(c->ctx))
        ev.events |= EPOLLOUT;
    if (ev.events == c->events)
        return 0;
    c->events = ev.events;
    return epoll_ctl(c->loop->ep, EPOLL_CTL_MOD, c->sock.fd, &ev) ? -errno : 0;
}

void ws_conn_settle(struct ws_conn *c)
{
    if (c->state != WS_LINGER && !c->broken) {
        if (wslay_event_want_write(c->ctx) && wslay_event_send(c->ctx))
            c->broken = true;
        if (!c->broken && queue_is_full(c)) {
            atomic_fetch_add(&c->loop->count->slow_closed, 1);
            sl_info("ws", "closed", "conn=%" PRIu64 " reason=slow_reader", c->id);
            c->broken = true;
        }
        if (!c->broken && !wslay_event_want_write(c->ctx) && wslay_event_get_close_sent(c->ctx)) {
            /* The server ends the TCP connection first (RFC 6455 section 7.1.1). */
            if (wslay_event_get_close_received(c->ctx))
                c->broken = true;
            else if (!wslay_event_want_read(c->ctx))
                linger(c);
        }
    }
    if (c->broken || watch(c))
        ws_conn_destroy(c);
}

static void pump(struct ws_conn *c)
{
    c->budget = READ_BUDGET;
    if (wslay_event_want_read(c->ctx) && wslay_event_recv(c->ctx))
        c->broken = true;
}

void ws_conn_on_io(struct ws_conn *c, uint32_t events)
{
    if (c->state == WS_LINGER)
        drain(c);
    else if (events & EPOLLIN)
        pump(c);
    if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
        c->broken = true;
    ws_conn_settle(c);
}

void ws_conn_on_end(struct ws_conn *c)
{
    if (c->ended)
        return;
    c->ended = true;
    (void)epoll_ctl(c->loop->ep, EPOLL_CTL_DEL, c->sock.tls_fd, NULL);
    sl_timer_set(&c->loop->wheel, &c->timer, c->loop->now_us + WS_END_WAIT_US);
}

void ws_conn_answered(struct ws_conn *c)
{
    if (c->inflight)
        c->inflight--;
    /* What came with the handshake is not seen by epoll. */
    if (c->extra_at < c->extra_len && c->state == WS_OPEN && wants_to_read(c))
        pump(c);
}

static void on_timer(struct sl_timer *t, uint64_t now_us)
{
    struct ws_conn *c = sl_container(t, struct ws_conn, timer);
    uint64_t interval = (uint64_t)c->loop->conf.ping_interval_ms * 1000;
    struct wslay_event_msg ping = { .opcode = WSLAY_PING };

    SL_ASSUME(transport);
    if (c->state != WS_OPEN || c->ended) {
        c->broken = true;
    } else if (now_us - c->last_rx_us >= 2 * interval && wants_to_read(c)) {
        atomic_fetch_add(&c->loop->count->ping_closed, 1);
        sl_info("ws", "closed", "conn=%" PRIu64 " reason=no_pong", c->id);
        c->broken = true;
    } else {
        (void)wslay_event_queue_msg(c->ctx, &ping);
        sl_timer_set(&c->loop->wheel, t, now_us + interval);
    }
    ws_conn_settle(c);
}

struct ws_conn *ws_conn_find(const struct ws_loop *loop, sl_conn id)
{
    struct sl_hnode *n;

    for (n = sl_hmap_first(&loop->by_id, sl_hash_u64(id)); n; n = sl_hmap_next(n)) {
        struct ws_conn *c = sl_container(n, struct ws_conn, node);

        if (c->id == id)
            return c;
    }
    return NULL;
}

/* The socket is not ours any more, whether it ever was in the epoll set or not. */
static void let_go(struct ws_loop *loop, const struct sl_ws_adopt *a)
{
    (void)epoll_ctl(loop->ep, EPOLL_CTL_DEL, a->fd, NULL);
    if (a->tls_fd >= 0) {
        (void)epoll_ctl(loop->ep, EPOLL_CTL_DEL, a->tls_fd, NULL);
        close(a->tls_fd);
    }
    a->close(a->arg);
}

static int conn_init(struct ws_conn *c, const struct sl_ws_adopt *a)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_msg,
    };
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = c->id };
    const int on = 1;

    /* An event right behind its ack must not wait for the client's delayed acknowledgement. */
    (void)setsockopt(a->tls_fd >= 0 ? a->tls_fd : a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (a->extra_len) {
        c->extra = malloc(a->extra_len);
        if (!c->extra)
            return -ENOMEM;
        memcpy(c->extra, a->extra, a->extra_len);
        c->extra_len = a->extra_len;
    }
    if (wslay_event_context_server_init(&c->ctx, &callbacks, c))
        return -ENOMEM;
    wslay_event_config_set_max_recv_msg_length(c->ctx, c->loop->conf.max_message);
    if (epoll_ctl(c->loop->ep, EPOLL_CTL_ADD, a->fd, &ev))
        return -errno;
    c->events = EPOLLIN;
    ev = (struct epoll_event){ .events = EPOLLRDHUP, .data.u64 = c->id | WS_TLS_BIT };
    if (a->tls_fd >= 0 && epoll_ctl(c->loop->ep, EPOLL_CTL_ADD, a->tls_fd, &ev))
        return -errno;
    return sl_hmap_add(&c->loop->by_id, &c->node, sl_hash_u64(c->id));
}

void ws_conn_create(struct ws_loop *loop, const struct sl_ws_adopt *a)
{
    struct ws_conn *c = calloc(1, sizeof(*c));
    struct sl_peer_addr peer;
    int err = -ENOMEM;

    if (c) {
        c->loop = loop;
        c->id = ++loop->next_id;
        c->sock = *a;
        c->last_rx_us = loop->now_us;
        sl_timer_init(&c->timer, on_timer);
        err = conn_init(c, a);
    }
    if (err) {
        if (c) {
            wslay_event_context_free(c->ctx);
            free(c->extra);
        }
        free(c);
        let_go(loop, a);
        sl_warn("ws", "refused", "error=\"%s\"", strerror(-err));
        return;
    }
    sl_list_add(&loop->conns, &c->link);
    atomic_fetch_add(&loop->count->open, 1);
    atomic_fetch_add(&loop->count->opened, 1);
    if (loop->conf.ping_interval_ms)
        sl_timer_set(&loop->wheel, &c->timer,
                     loop->now_us + (uint64_t)loop->conf.ping_interval_ms * 1000);
    loop->core->connected(c->id, a->admin,
                          sl_peer_addr_of(a->tls_fd >= 0 ? a->tls_fd : a->fd, &peer));
    if (loop->stopping)
        ws_conn_close(c, WSLAY_CODE_GOING_AWAY);
    if (c->extra_len)
        pump(c);
    ws_conn_settle(c);
}

void ws_conn_destroy(struct ws_conn *c)
{
    struct ws_loop *loop = c->loop;

    sl_timer_cancel(&c->timer);
    sl_hmap_del(&loop->by_id, &c->node);
    sl_list_del(&c->link);
    wslay_event_context_free(c->ctx);
    let_go(loop, &c->sock);
    atomic_fetch_sub(&loop->count->open, 1);
    loop->core->gone(c->id);
    free(c->extra);
    free(c);
}
