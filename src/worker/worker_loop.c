/* A worker's turns. */
#include "worker/worker_private.h"

#include "base/clock.h"
#include "media/media_tap.h"

#include <errno.h>
#include <sys/epoll.h>

#define RECV_ROUNDS_MAX 8    /* of one socket in a turn, so that none starves the others */
#define HANDSHAKES_US   1000 /* of a turn: what the packets of others wait for DTLS at most */

/* What is encrypted goes out. */
static void send_sealed(struct sl_worker *w) SL_ON_WORKER
{
    struct sl_slot *s, *next;
    uint64_t now_us;

    if (!w->ctx.sent)
        return;
    sl_txq_flush(w->txq);
    now_us = sl_now_us();
    for (s = w->ctx.sent; s; s = next) {
        next = s->next;
        sl_worker_stats_sent(w, s, now_us);
        sl_pool_put(&w->ctx.slots, s);
    }
    w->ctx.sent = NULL;
}

static void flush(struct sl_worker *w) SL_ON_WORKER
{
    while (!sl_list_is_empty(&w->ctx.dirty)) {
        struct sl_tx *tx = sl_container(w->ctx.dirty.next, struct sl_tx, dirty);

        tx->flush(tx);
    }
    send_sealed(w);
}

void sl_worker_flush(void *arg)
{
    SL_ASSUME(worker);
    flush(arg);
}

/* At a socket of ours, which all peer connections share. */
void sl_worker_datagram(struct sl_watch *watch, const struct sl_udp_dgram *d)
{
    struct sl_worker *w = sl_container(watch, struct sl_worker_sock, watch)->w;
    struct sl_peer *p;

    SL_ASSUME(worker);
    if (sl_demux(d->data, d->len) == SL_DEMUX_STUN) {
        struct sl_ice_path path = { .kind = SL_ICE_PATH_DIRECT,
                                    .fd = watch->udp->fd,
                                    .remote = *d->remote,
                                    .local = *d->local };

        sl_ice_lite_input(w->lite, &path, d->data, d->len, w->ctx.now_us);
        return;
    }
    p = sl_ice_lite_find(w->lite, d->remote, NULL);
    if (p)
        sl_peer_input(p, d->data, d->len);
    else
        w->ctx.drops[SL_DROP_UNKNOWN_ADDRESS]++;
}

static void take_socket(struct sl_worker *w, struct sl_watch *watch) SL_ON_WORKER
{
    for (int round = 0; round < RECV_ROUNDS_MAX; round++) {
        uint64_t overflows = watch->udp->overflows;
        int n = sl_udp_recv(watch->udp, w->batch);

        w->overflows += watch->udp->overflows - overflows;
        for (int i = 0; i < n; i++) {
            w->ctx.rx_us = w->batch->dgrams[i].rx_us;
            watch->datagram(watch, &w->batch->dgrams[i]);
        }
        if (n <= 0 || !w->batch->has_more)
            return;
    }
}

int sl_worker_watch(void *arg, struct sl_watch *watch)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = watch };
    struct sl_worker *w = arg;

    return epoll_ctl(w->epfd, EPOLL_CTL_ADD, watch->udp->fd, &ev) < 0 ? -errno : 0;
}

void sl_worker_unwatch(void *arg, struct sl_watch *watch)
{
    struct sl_worker *w = arg;

    for (int i = 0; i < w->nevents; i++)
        if (w->events[i].data.ptr == watch)
            w->events[i].data.ptr = NULL;
    (void)epoll_ctl(w->epfd, EPOLL_CTL_DEL, watch->udp->fd, NULL);
}

static void take_mail(struct sl_worker *w) SL_ON_WORKER
{
    struct sl_mail *mail = sl_mailbox_take(&w->mailbox), *next;

    for (; mail; mail = next) {
        next = mail->next;
        sl_worker_dispatch(w, sl_container(mail, struct sl_wmsg, mail));
    }
}

/* Whether what came waits for more of its train. */
static bool is_held(struct sl_worker *w)
{
    if (!w->conf.burst_wait_us ||
        (sl_list_is_empty(&w->ctx.mirrors) && sl_list_is_empty(&w->ctx.dirty)))
        return false;
    if (!w->hold_until_us)
        w->hold_until_us = w->ctx.now_us + w->conf.burst_wait_us;
    return w->ctx.now_us < w->hold_until_us;
}

static void flush_unless_held(struct sl_worker *w) SL_ON_WORKER
{
    if (is_held(w)) {
        send_sealed(w); /* STUN, DTLS */
        sl_worker_tcp_turn(w);
        return;
    }
    w->hold_until_us = 0;
    sl_mirrors_fan_out(&w->ctx);
    sl_steps_run(&w->ctx);
    flush(w);
    sl_worker_tcp_turn(w);
}

/* At most until the next timer, or until what is held must go. */
static uint64_t sleep_us(const struct sl_worker *w, uint64_t now_us)
{
    int ms = sl_wheel_timeout_ms(&w->wheel, now_us);
    uint64_t us = ms < 0 || ms > 1000 ? 1000000 : (uint64_t)ms * 1000;

    uint64_t step_us = sl_steps_wait_us(&w->ctx, now_us);

    if (!w->hold_until_us)
        return us < step_us ? us : step_us;
    if (w->hold_until_us <= now_us)
        return 0;
    return w->hold_until_us - now_us < us ? w->hold_until_us - now_us : us;
}

static int poll_us(struct sl_worker *w, uint64_t us)
{
    struct timespec ts = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    int n;

    if (!w->has_coarse_sleep) {
        n = epoll_pwait2(w->epfd, w->events, SL_WORKER_EVENTS_MAX, &ts, NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        w->has_coarse_sleep = true; /* before Linux 5.11, or a sandbox */
    }
    return epoll_wait(w->epfd, w->events, SL_WORKER_EVENTS_MAX, (int)((us + 999) / 1000));
}

void sl_worker_turn(struct sl_worker *w)
{
    uint64_t us = sleep_us(w, sl_now_us());

    sl_door_will_sleep(&w->door);
    if (w->handshakes_wait || !sl_mailbox_is_empty(&w->mailbox) || !sl_worker_rings_are_empty(w))
        us = 0;
    w->nevents = poll_us(w, us);
    sl_door_woke(&w->door);
    w->ctx.now_us = w->ctx.rx_us = sl_now_us();
    take_mail(w); /* first: it tells whom a check is from that is waiting at a socket by now */
    for (int i = 0; i < w->nevents; i++) {
        struct sl_watch *watch = w->events[i].data.ptr;

        if (watch && watch->udp)
            take_socket(w, watch);
        else if (watch)
            watch->ready(watch, w->events[i].events);
    }
    w->ctx.rx_us = w->ctx.now_us;
    (void)sl_worker_take_rings(w);
    sl_wheel_run(&w->wheel, w->ctx.now_us);
    sl_worker_publish(w); /* first: the others work while we encrypt */
    flush_unless_held(w);
    sl_endpoints_recover(&w->ctx);
    w->handshakes_wait = sl_peer_env_handshakes(&w->env, HANDSHAKES_US);
    flush_unless_held(w);
    sl_media_taps_run(&w->ctx); /* last: nobody else waits for plugins */
    w->stats.turns++;
    if (!sl_worker_stats_second(w, w->ctx.now_us))
        return;
    sl_worker_shed(w);
    sl_worker_mirrors_expire(w);
    sl_worker_drops_tell(w);
}
