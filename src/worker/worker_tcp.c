#include "worker/worker_private.h"

#include "dtls/dtls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PROVE_US    UINT64_C(5000000)
#define ACCEPTS_MAX 64 /* in one turn */
#define AGAIN_US    UINT64_C(1000000)

struct conn {
    struct sl_watch watch;
    struct sl_worker *w;
    struct sl_tcp *tcp; /* NULL: another worker has it */
    struct sl_list node;
    struct sl_timer timeout; /* while it proved nothing */
    bool is_proven;
    bool is_dead;
    bool is_full; /* the socket takes no more: EPOLLOUT is awaited */
};

/* ---- life ------------------------------------------------------------------------------------ */

static void leave_unproven(struct conn *c)
{
    if (c->is_proven)
        return;
    c->is_proven = true;
    c->w->tcp.nunproven--;
    sl_timer_cancel(&c->timeout);
}

static void mark_dead(struct conn *c)
{
    if (c->is_dead)
        return;
    leave_unproven(c);
    c->is_dead = true;
    sl_list_del(&c->node);
    sl_list_add(&c->w->tcp.dead, &c->node);
}

static void reject(struct conn *c, enum sl_tcp_closed why)
{
    if (!c->is_dead)
        c->w->tcp.closed[why]++;
    mark_dead(c);
}

static void on_timeout(struct sl_timer *t, uint64_t now_us)
{
    (void)now_us;
    reject(sl_container(t, struct conn, timeout), SL_TCP_UNPROVEN);
}

void sl_worker_tcp_gone(struct sl_tcp *tcp)
{
    mark_dead(tcp->owner);
}

static void destroy(struct conn *c)
{
    sl_list_del(&c->node);
    sl_timer_cancel(&c->timeout);
    sl_tcp_destroy(c->tcp);
    free(c);
}

static int poll_for(struct conn *c, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = &c->watch };

    return epoll_ctl(c->w->epfd, op, c->tcp->fd, &ev) < 0 ? -errno : 0;
}

static void on_ready(struct sl_watch *watch, uint32_t events);

/* Takes @tcp, whatever happens. NULL: out of resources. */
static struct conn *create(struct sl_worker *w, struct sl_tcp *tcp)
{
    struct sl_worker_tcp *t = &w->tcp;
    struct conn *c;

    if (t->nunproven == SL_TCP_UNPROVEN_MAX)
        reject(sl_container(t->unproven.next, struct conn, node), SL_TCP_CROWDED);
    c = calloc(1, sizeof(*c));
    if (!c) {
        sl_tcp_destroy(tcp);
        return NULL;
    }
    c->watch.ready = on_ready;
    c->w = w;
    c->tcp = tcp;
    tcp->owner = c;
    sl_list_init(&c->node);
    sl_timer_init(&c->timeout, on_timeout);
    if (poll_for(c, EPOLL_CTL_ADD, EPOLLIN) < 0) {
        destroy(c);
        return NULL;
    }
    sl_list_add(&t->unproven, &c->node);
    t->nunproven++;
    sl_timer_set(&w->wheel, &c->timeout, w->ctx.now_us + PROVE_US);
    return c;
}

/* ---- packets in ------------------------------------------------------------------------------ */

static void take_packet(struct conn *c, uint8_t *data, size_t len) SL_ON_WORKER
{
    struct sl_worker *w = c->w;
    struct sl_tcp *t = c->tcp;
    struct sl_peer *p;

    if (sl_demux(data, len) == SL_DEMUX_STUN) {
        struct sl_ice_path path = {
            .kind = SL_ICE_PATH_TCP, .fd = -1, .tcp = t, .remote = t->remote, .local = t->local
        };

        sl_ice_lite_input(w->lite, &path, data, len, w->ctx.now_us);
        return;
    }
    p = sl_ice_lite_find(w->lite, &t->remote, t);
    if (p)
        sl_peer_input(p, data, len);
    else
        w->ctx.drops[SL_DROP_UNKNOWN_ADDRESS]++;
}

/* To the worker of its peer, with all that was read. */
static void hand_over(struct conn *c, unsigned int worker)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_TCP, SL_ID_NONE, 0);

    if (m) {
        (void)epoll_ctl(c->w->epfd, EPOLL_CTL_DEL, c->tcp->fd, NULL);
        m->tcp = c->tcp;
        c->tcp = NULL;
        sl_worker_post(c->w->all[worker], m);
    }
    mark_dead(c);
}

static void take_first(struct conn *c, uint8_t *data, size_t len, size_t start) SL_ON_WORKER
{
    struct sl_worker *w = c->w;
    int worker =
        sl_demux(data, len) == SL_DEMUX_STUN ? sl_ice_lite_worker_of(w->lite, data, len) : -EBADMSG;

    if (worker < 0 || (size_t)worker >= w->nall) {
        reject(c, SL_TCP_UNPROVEN);
        return;
    }
    if ((unsigned int)worker != w->conf.index) {
        c->tcp->in.start = start; /* it is the first over there, too */
        hand_over(c, (unsigned int)worker);
        return;
    }
    take_packet(c, data, len);
    if (!sl_ice_lite_find(w->lite, &c->tcp->remote, c->tcp)) {
        reject(c, SL_TCP_UNPROVEN);
        return;
    }
    leave_unproven(c);
    sl_list_del(&c->node);
    sl_list_add(&w->tcp.conns, &c->node);
}

static void take_packets(struct conn *c) SL_ON_WORKER
{
    while (!c->is_dead) {
        size_t start = c->tcp->in.start, len;
        uint8_t *data;
        int n = sl_frames_next(&c->tcp->in, &data, &len);

        if (n < 0)
            reject(c, SL_TCP_BAD_FRAME);
        if (n <= 0)
            return;
        if (c->is_proven)
            take_packet(c, data, len);
        else
            take_first(c, data, len, start);
    }
}

/* ---- packets out ----------------------------------------------------------------------------- */

static void write_out(struct conn *c)
{
    int left = sl_tcp_flush(c->tcp);
    bool full = left > 0;

    if (left >= 0 && full != c->is_full) {
        left = poll_for(c, EPOLL_CTL_MOD, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
        c->is_full = full;
    }
    if (left < 0)
        mark_dead(c);
}

static void on_ready(struct sl_watch *watch, uint32_t events)
{
    struct conn *c = sl_container(watch, struct conn, watch);

    SL_ASSUME(worker);
    if (c->is_dead)
        return;
    if (events & EPOLLOUT)
        write_out(c);
    if (events & ~(uint32_t)EPOLLOUT) {
        if (sl_tcp_read(c->tcp) < 0)
            mark_dead(c);
        take_packets(c);
    }
}

void sl_worker_tcp_turn(struct sl_worker *w)
{
    while (!sl_list_is_empty(&w->env.tcp_dirty)) {
        struct sl_tcp *t = sl_container(w->env.tcp_dirty.next, struct sl_tcp, dirty);
        struct conn *c = t->owner;

        if (c->is_full)
            sl_list_del(&t->dirty); /* EPOLLOUT comes */
        else
            write_out(c);
    }
    while (!sl_list_is_empty(&w->tcp.dead)) {
        struct conn *c = sl_container(w->tcp.dead.next, struct conn, node);

        if (c->tcp)
            sl_ice_lite_lost(w->lite, &c->tcp->remote, c->tcp);
        destroy(c);
    }
}

void sl_worker_tcp_take(struct sl_worker *w, struct sl_wmsg *m)
{
    struct conn *c = create(w, m->tcp);

    m->tcp = NULL;
    if (c)
        take_packets(c);
}

/* ---- listening ------------------------------------------------------------------------------- */

static int listen_on(struct sl_worker *w, struct sl_tcp_listener *l)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->watch };

    return epoll_ctl(w->epfd, EPOLL_CTL_ADD, l->fd, &ev) < 0 ? -errno : 0;
}

static void on_again(struct sl_timer *t, uint64_t now_us)
{
    struct sl_worker *w = sl_container(t, struct sl_worker, tcp.again);

    (void)now_us;
    for (size_t i = 0; i < w->tcp.nlisteners; i++)
        (void)listen_on(w, &w->tcp.listeners[i]);
}

static void on_incoming(struct sl_watch *watch, uint32_t events)
{
    struct sl_tcp_listener *l = sl_container(watch, struct sl_tcp_listener, watch);
    struct sl_worker *w = l->w;

    SL_ASSUME(worker);
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sl_tcp *tcp;
        int err = sl_tcp_accept(l->fd, &tcp);

        if (!err) {
            (void)create(w, tcp);
        } else if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS) {
            /* It would be readable for ever. */
            (void)epoll_ctl(w->epfd, EPOLL_CTL_DEL, l->fd, NULL);
            sl_timer_set(&w->wheel, &w->tcp.again, w->ctx.now_us + AGAIN_US);
            return;
        } else if (err == -EAGAIN) {
            return;
        }
    }
}

int sl_worker_tcp_listen(struct sl_worker *w, const struct sl_addr *bind)
{
    struct sl_tcp_listener *l = &w->tcp.listeners[w->tcp.nlisteners];
    int fd;

    if (w->tcp.nlisteners == SL_TCP_LISTENERS)
        return -ENOSPC;
    fd = sl_tcp_listen(bind);
    if (fd < 0)
        return fd;
    *l = (struct sl_tcp_listener){ .watch = { .ready = on_incoming }, .w = w, .fd = fd };
    w->tcp.nlisteners++;
    return listen_on(w, l);
}

void sl_worker_tcp_init(struct sl_worker *w)
{
    sl_list_init(&w->tcp.conns);
    sl_list_init(&w->tcp.unproven);
    sl_list_init(&w->tcp.dead);
    sl_timer_init(&w->tcp.again, on_again);
}

void sl_worker_tcp_fini(struct sl_worker *w)
{
    struct sl_list *const lists[] = { &w->tcp.conns, &w->tcp.unproven, &w->tcp.dead };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        while (!sl_list_is_empty(lists[i]))
            destroy(sl_container(lists[i]->next, struct conn, node));
    for (size_t i = 0; i < w->tcp.nlisteners; i++)
        (void)close(w->tcp.listeners[i].fd);
    w->tcp.nlisteners = 0;
}
