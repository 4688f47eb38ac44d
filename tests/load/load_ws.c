#include "load_ws.h"

#include "base/rand.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define HEAD_MAX    2048
#define MESSAGE_MAX (1u << 20)

/* The key of RFC 6455 section 1.3; the answer to it is not checked: we know the server. */
static const char request[] = "GET /janus HTTP/1.1\r\n"
                              "Host: localhost\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Protocol: janus-protocol\r\n"
                              "\r\n";

enum state { CONNECTING, UPGRADING, OPEN, CLOSED };

struct load_ws {
    struct load_io io;
    /* Given, outlive us. */
    struct load_loop *loop;
    const struct load_ws_cb *cb;
    void *arg;
    /* Owned. */
    int fd;
    wslay_event_context_ptr ctx;
    enum state state;
    uint32_t events; /* what epoll watches */
    char head[HEAD_MAX];
    size_t head_len;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *arg)
{
    struct load_ws *w = arg;
    ssize_t n = recv(w->fd, buf, len, 0);

    (void)flags;
    if (n > 0)
        return n;
    wslay_event_set_error(ctx, n < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK
                                                        : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
                       void *arg)
{
    struct load_ws *w = arg;
    ssize_t n = send(w->fd, data, len, MSG_NOSIGNAL);

    (void)flags;
    if (n >= 0)
        return n;
    wslay_event_set_error(ctx, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *arg)
{
    (void)ctx;
    (void)arg;
    sl_rand_bytes(buf, len);
    return 0;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                       void *arg)
{
    struct load_ws *w = arg;
    json_t *msg;

    (void)ctx;
    if (m->opcode != WSLAY_TEXT_FRAME)
        return;
    msg = json_loadb((const char *)m->msg, m->msg_length, 0, NULL);
    if (msg)
        w->cb->text(w->arg, msg);
    json_decref(msg);
}

static void fail(struct load_ws *w)
{
    if (w->state == CLOSED)
        return;
    w->state = CLOSED;
    close(w->fd);
    w->fd = -1;
    w->cb->closed(w->arg);
}

/* Sends what waits, and watches for what is to come. */
static void pump(struct load_ws *w)
{
    uint32_t events = EPOLLIN;

    if (w->state == CLOSED)
        return;
    if (w->state == OPEN && wslay_event_want_write(w->ctx) && wslay_event_send(w->ctx) != 0) {
        fail(w);
        return;
    }
    if (w->state == CONNECTING || (w->state == OPEN && wslay_event_want_write(w->ctx)))
        events |= EPOLLOUT;
    if (events != w->events && load_loop_change(w->loop, w->fd, &w->io, events) == 0)
        w->events = events;
}

/* The head of the answer is read by single bytes: nothing behind it may be taken from the frames.
 */
static void upgrade(struct load_ws *w)
{
    char *h = w->head;

    while (w->head_len < HEAD_MAX - 1) {
        ssize_t n = recv(w->fd, h + w->head_len, 1, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        w->head_len++;
        if (w->head_len < 4 || memcmp(h + w->head_len - 4, "\r\n\r\n", 4) != 0)
            continue;
        if (strncmp(h, "HTTP/1.1 101", 12) != 0)
            break;
        w->state = OPEN;
        w->cb->open(w->arg);
        return;
    }
    fail(w);
}

static void on_ready(struct load_io *io, uint32_t events)
{
    struct load_ws *w = (struct load_ws *)io;

    (void)events;
    if (w->state == CONNECTING) {
        int err = 0;
        socklen_t len = sizeof(err);

        (void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len);
        if (err || send(w->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
            fail(w);
            return;
        }
        w->state = UPGRADING;
    } else if (w->state == UPGRADING) {
        upgrade(w);
    }
    if (w->state == OPEN && wslay_event_recv(w->ctx) != 0)
        fail(w);
    pump(w);
}

int load_ws_create(struct load_loop *l, const struct sl_addr *to, const struct load_ws_cb *cb,
                   void *arg, struct load_ws **out)
{
    static const struct wslay_event_callbacks calls = { on_recv, on_send, on_mask,   NULL,
                                                        NULL,    NULL,    on_message };
    struct load_ws *w = calloc(1, sizeof(*w));
    int one = 1, err = -ENOMEM;

    if (!w)
        return -ENOMEM;
    w->io.ready = on_ready;
    w->loop = l;
    w->cb = cb;
    w->arg = arg;
    w->events = EPOLLIN | EPOLLOUT;
    w->fd = socket(sl_addr_family(to), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || wslay_event_context_client_init(&w->ctx, &calls, w) != 0)
        goto fail;
    wslay_event_config_set_max_recv_msg_length(w->ctx, MESSAGE_MAX);
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    err = 0;
    if (connect(w->fd, &to->sa, sl_addr_len(to)) < 0 && errno != EINPROGRESS)
        err = -errno;
    if (!err)
        err = load_loop_add(l, w->fd, &w->io, w->events);
    if (err)
        goto fail;
    *out = w;
    return 0;

fail:
    load_ws_destroy(w);
    return err;
}

void load_ws_destroy(struct load_ws *w)
{
    if (!w)
        return;
    wslay_event_context_free(w->ctx);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}

void load_ws_send(struct load_ws *w, json_t *msg)
{
    char *text = json_dumps(msg, JSON_COMPACT);

    json_decref(msg);
    if (text && w->state == OPEN) {
        struct wslay_event_msg m = { WSLAY_TEXT_FRAME, (const uint8_t *)text, strlen(text) };

        (void)wslay_event_queue_msg(w->ctx, &m);
        pump(w);
    }
    free(text);
}
