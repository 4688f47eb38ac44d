/* Clients: connections, and addresses that datagrams come from. */

#include "base/log.h"
#include "transports/json_depth.h"
#include "transports/unix/unix_int.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BUDGET 64  /* messages of one socket per turn, so that all get theirs */
#define TEXT_COST   128 /* what a queued message is counted beside its bytes */

static char tag_mark; /* its address is the tag of all requests, see transports/websocket/ws.h */

/* ---- life ------------------------------------------------------------------------------------ */

static uint64_t address_hash(const struct sockaddr_un *a, socklen_t len)
{
    return sl_hash_bytes(a, len);
}

struct unix_client *unix_client_find(const struct unix_loop *loop, sl_conn id)
{
    struct sl_hnode *n = sl_hmap_first(&loop->by_id, sl_hash_u64(id));

    for (; n; n = sl_hmap_next(n)) {
        struct unix_client *c = sl_container(n, struct unix_client, node);

        if (c->id == id)
            return c;
    }
    return NULL;
}

static struct unix_client *find_address(const struct unix_loop *loop, const struct unix_socket *s,
                                        const struct sockaddr_un *a, socklen_t len)
{
    struct sl_hnode *n = sl_hmap_first(&loop->by_address, address_hash(a, len));

    for (; n; n = sl_hmap_next(n)) {
        struct unix_client *c = sl_container(n, struct unix_client, address_node);

        if (c->sock == s && c->address_len == len && !memcmp(&c->address, a, len))
            return c;
    }
    return NULL;
}

/* Into the tables. 0 or -errno, and then it is in none. */
static int client_add(struct unix_client *c)
{
    struct unix_loop *loop = c->loop;
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = c->id };
    int err = sl_hmap_add(&loop->by_id, &c->node, sl_hash_u64(c->id));

    if (err)
        return err;
    if (c->fd < 0)
        err = sl_hmap_add(&loop->by_address, &c->address_node,
                          address_hash(&c->address, c->address_len));
    else if (epoll_ctl(loop->ep, EPOLL_CTL_ADD, c->fd, &ev))
        err = -errno;
    if (err)
        sl_hmap_del(&loop->by_id, &c->node);
    return err;
}

/* NULL: there are too many, or no memory. @a NULL: a connection. */
static struct unix_client *client_create(struct unix_loop *loop, struct unix_socket *s, int fd,
                                         const struct sockaddr_un *a, socklen_t len)
{
    struct unix_client *c = NULL;

    if (loop->nclients < loop->conf.max_clients)
        c = calloc(1, sizeof(*c));
    if (!c) {
        atomic_fetch_add(&loop->count->refused, 1);
        return NULL;
    }
    c->loop = loop;
    c->sock = s;
    c->id = ++loop->next_id;
    c->fd = fd;
    c->events = EPOLLIN;
    sl_list_init(&c->queue);
    if (a) {
        memcpy(&c->address, a, len);
        c->address_len = len;
    }
    if (client_add(c)) {
        free(c);
        return NULL;
    }
    sl_list_add(&loop->clients, &c->link);
    loop->nclients++;
    atomic_fetch_add(&loop->count->open, 1);
    atomic_fetch_add(&loop->count->opened, 1);
    loop->core->connected(c->id, s->admin, &(struct sl_tpeer){ .fd = fd });
    return c;
}

static void text_free(struct unix_client *c, struct unix_text *t)
{
    sl_list_del(&t->link);
    c->queued -= t->len + TEXT_COST;
    free(t->text);
    free(t);
}

void unix_client_destroy(struct unix_client *c)
{
    struct unix_loop *loop = c->loop;

    while (!sl_list_is_empty(&c->queue))
        text_free(c, sl_container(c->queue.next, struct unix_text, link));
    sl_hmap_del(&loop->by_id, &c->node);
    if (c->fd >= 0)
        close(c->fd); /* and leaves the epoll set */
    else
        sl_hmap_del(&loop->by_address, &c->address_node);
    sl_list_del(&c->link);
    loop->nclients--;
    atomic_fetch_sub(&loop->count->open, 1);
    loop->core->gone(c->id);
    free(c);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool wants_to_read(const struct unix_client *c)
{
    return c->inflight < SL_UNIX_INFLIGHT;
}

/* One message; @len above the limit: it was cut. */
static void take_message(struct unix_client *c, size_t len)
{
    const struct sl_unix_conf *conf = &c->loop->conf;
    struct sl_treq req = { .kind = SL_TREQ_BAD_JSON,
                           .conn = c->id,
                           .tag = &tag_mark,
                           .admin = c->sock->admin,
                           .local = true };

    if (len <= conf->max_message && sl_json_depth_is_ok(c->loop->buf, len, conf->max_json_depth))
        req.root = json_loadb(c->loop->buf, len, JSON_DECODE_ANY, NULL);
    if (req.root)
        req.kind = SL_TREQ_MESSAGE;
    else
        atomic_fetch_add(&c->loop->count->bad_json, 1);
    c->inflight++;
    c->loop->core->request(&req);
}

/* Into loop->buf; its length, also beyond the limit, or -1 as recv. */
static ssize_t receive(const struct unix_loop *loop, int fd, struct sockaddr_un *from,
                       socklen_t *from_len)
{
    ssize_t n;

    do
        n = recvfrom(fd, loop->buf, loop->conf.max_message, MSG_DONTWAIT | MSG_TRUNC,
                     (struct sockaddr *)from, from_len);
    while (n < 0 && errno == EINTR);
    return n;
}

void unix_client_on_io(struct unix_client *c, uint32_t events)
{
    if (events & (EPOLLHUP | EPOLLERR) && !wants_to_read(c))
        c->broken = true; /* it will not see the answers that it waits for */
    for (int i = 0; i < READ_BUDGET && wants_to_read(c) && !c->broken; i++) {
        ssize_t n = receive(c->loop, c->fd, NULL, NULL);

        if (n > 0)
            take_message(c, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            c->broken = true;
        else
            break;
    }
    unix_client_settle(c);
}

void unix_datagrams(struct unix_loop *loop, struct unix_socket *s)
{
    for (int i = 0; i < READ_BUDGET; i++) {
        struct sockaddr_un from = { 0 };
        socklen_t len = sizeof(from);
        ssize_t n = receive(loop, s->fd, &from, &len);
        struct unix_client *c = NULL;

        if (n < 0)
            return;
        if (len > sizeof(sa_family_t)) {
            c = find_address(loop, s, &from, len);
            if (!c)
                c = client_create(loop, s, -1, &from, len);
        }
        if (c && wants_to_read(c))
            take_message(c, (size_t)n);
        else
            atomic_fetch_add(&loop->count->dropped, 1);
    }
}

void unix_accept(struct unix_loop *loop, struct unix_socket *s)
{
    for (int i = 0; i < READ_BUDGET; i++) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        unix_socket_widen(fd);
        if (!client_create(loop, s, fd, NULL, 0))
            close(fd);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

void unix_client_send(struct unix_client *c, char *text)
{
    struct unix_text *t = malloc(sizeof(*t));

    if (!t) {
        free(text);
        c->broken = true; /* a client that misses a message is better off connecting again */
        return;
    }
    t->text = text;
    t->len = strlen(text);
    sl_list_add(&c->queue, &t->link);
    c->queued += t->len + TEXT_COST;
}

/* 0 or -errno. */
static int send_text(const struct unix_client *c, const struct unix_text *t)
{
    ssize_t n;

    do
        n = c->fd >= 0 ? send(c->fd, t->text, t->len, MSG_DONTWAIT | MSG_NOSIGNAL)
                       : sendto(c->sock->fd, t->text, t->len, MSG_DONTWAIT | MSG_NOSIGNAL,
                                (const struct sockaddr *)&c->address, c->address_len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

static void flush(struct unix_client *c)
{
    while (!sl_list_is_empty(&c->queue) && !c->broken) {
        struct unix_text *t = sl_container(c->queue.next, struct unix_text, link);
        int err = send_text(c, t);

        if (err == -EAGAIN || err == -ENOBUFS)
            return;
        if (err) {
            sl_info("unix", "closed", "conn=%" PRIu64 " error=\"%s\"", c->id, strerror(-err));
            c->broken = true;
        } else {
            text_free(c, t);
        }
    }
}

static int watch(struct unix_client *c)
{
    struct epoll_event ev = { .data.u64 = c->id };

    if (c->fd < 0) { /* no event tells that the receiver of datagrams has room again */
        c->loop->retry |= !sl_list_is_empty(&c->queue);
        return 0;
    }
    ev.events = (wants_to_read(c) ? EPOLLIN : 0) | (sl_list_is_empty(&c->queue) ? 0 : EPOLLOUT);
    if (ev.events == c->events)
        return 0;
    c->events = ev.events;
    return epoll_ctl(c->loop->ep, EPOLL_CTL_MOD, c->fd, &ev) ? -errno : 0;
}

void unix_client_settle(struct unix_client *c)
{
    flush(c);
    if (!c->broken && c->queued > c->loop->conf.max_queue) {
        atomic_fetch_add(&c->loop->count->slow_closed, 1);
        sl_info("unix", "closed", "conn=%" PRIu64 " reason=slow_reader", c->id);
        c->broken = true;
    }
    if (c->broken || watch(c))
        unix_client_destroy(c);
}

/* ---- datagram clients that are gone ---------------------------------------------------------- */

static bool is_gone(const struct unix_client *c)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool gone;

    if (fd < 0)
        return false;
    /* EPERM: it lives, and is connected to us. */
    gone = connect(fd, (const struct sockaddr *)&c->address, c->address_len) &&
           (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return gone;
}

void unix_clients_probe(struct unix_loop *loop)
{
    struct sl_list *pos, *tmp;

    sl_list_for_each_safe (pos, tmp, &loop->clients) {
        struct unix_client *c = sl_container(pos, struct unix_client, link);

        if (c->fd < 0 && is_gone(c))
            unix_client_destroy(c);
    }
}
