/* A GMainContext for each agent, and one epoll over all of them: see ice_nice_priv.h. */
#include "base/clock.h"
#include "ice/ice_nice_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64
#define FDS_MIN    16
#define RUNS_MAX   8 /* iterations of one context in a row */
#define LONG_MS    500
#define SLOT_US    100000u

_Static_assert((int)G_IO_IN == (int)EPOLLIN && (int)G_IO_OUT == (int)EPOLLOUT &&
                   (int)G_IO_PRI == (int)EPOLLPRI,
               "the same bits");

/* When to wake for a timer. Those of connected agents (consent, and the look around that libnice
 * takes a few ms after it) are not exact anyway: they share wake-ups, which cost more than what
 * they are for. */
static uint64_t due_us(const struct nice_loop *l, gint timeout_ms)
{
    uint64_t at = sl_now_us() + (uint64_t)timeout_ms * 1000;

    return timeout_ms < LONG_MS && !l->is_calm ? at : at + SLOT_US - at % SLOT_US;
}

static void watch(struct nice_loop *l, const GPollFD *f)
{
    struct epoll_event ev = { .events = f->events, .data.ptr = l };

    /* A number may be another socket by now: only the kernel knows. */
    if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, f->fd, &ev) < 0 && errno == ENOENT)
        (void)epoll_ctl(l->epfd, EPOLL_CTL_ADD, f->fd, &ev);
}

/* What the context waits for now: descriptors and time. Whether it need not wait. */
static bool rearm(struct nice_loop *l)
{
    gint n, timeout;
    gboolean ready;

    ready = g_main_context_prepare(l->ctx, &l->priority);
    while ((n = g_main_context_query(l->ctx, l->priority, &timeout, l->fds, l->cap)) > l->cap) {
        l->fds = g_renew(GPollFD, l->fds, n);
        l->old = g_renew(GPollFD, l->old, n);
        l->cap = n;
    }
    for (gint i = 0; i < n; i++)
        watch(l, &l->fds[i]);
    for (gint i = 0, k; i < l->nold; i++) {
        for (k = 0; k < n && l->fds[k].fd != l->old[i].fd; k++)
            ;
        if (k == n)
            (void)epoll_ctl(l->epfd, EPOLL_CTL_DEL, l->old[i].fd, NULL);
    }
    memcpy(l->old, l->fds, (size_t)n * sizeof(*l->old));
    l->nold = n;
    if (ready)
        timeout = 0;
    if (timeout < 0)
        sl_timer_cancel(&l->timer);
    else
        sl_timer_set(&l->nice->wheel, &l->timer, due_us(l, timeout));
    return timeout == 0;
}

static bool is_ready(struct nice_loop *l)
{
    (void)g_poll(l->fds, (guint)l->nold, 0);
    return g_main_context_check(l->ctx, l->priority, l->fds, l->nold);
}

/* An iteration of the context is what GLib makes it of: prepare and query (which rearm did before
 * we slept), poll, check, dispatch. To dispatch, GLib takes the source's descriptors out and puts
 * them back, and wakes itself for each: the second look takes that away, for it is no reason to
 * turn. */
static void run(struct nice_loop *l)
{
    int i = 0;

    sl_list_del(&l->changed);
    do {
        if (is_ready(l)) {
            g_main_context_dispatch(l->ctx);
            (void)is_ready(l);
        }
    } while (!l->is_dead && rearm(l) && ++i < RUNS_MAX);
}

static void on_timer(struct sl_timer *t, uint64_t now_us)
{
    (void)now_us;
    run(sl_container(t, struct nice_loop, timer));
}

int nice_loop_create(struct sl_nice *n, GMainContextFlags flags, struct nice_loop **out)
{
    struct epoll_event ev = { .events = EPOLLIN };
    struct nice_loop *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->nice = n;
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    ev.data.ptr = l;
    if (l->epfd < 0 || epoll_ctl(n->epfd, EPOLL_CTL_ADD, l->epfd, &ev) < 0) {
        int err = -errno;

        if (l->epfd >= 0)
            (void)close(l->epfd);
        free(l);
        return err;
    }
    l->ctx = g_main_context_new_with_flags(flags);
    (void)g_main_context_acquire(l->ctx);
    l->cap = FDS_MIN;
    l->fds = g_new(GPollFD, FDS_MIN);
    l->old = g_new(GPollFD, FDS_MIN);
    sl_timer_init(&l->timer, on_timer);
    sl_list_init(&l->node);
    sl_list_init(&l->changed);
    (void)rearm(l);
    *out = l;
    return 0;
}

void nice_loop_changed(struct nice_loop *l)
{
    sl_list_del(&l->changed);
    if (!l->is_dead)
        sl_list_add(&l->nice->changed, &l->changed);
}

void nice_loop_end(struct nice_loop *l)
{
    l->is_dead = true;
    sl_timer_cancel(&l->timer);
    sl_list_del(&l->changed);
    sl_list_add(&l->nice->dead, &l->node);
}

void nice_loop_free(struct nice_loop *l)
{
    if (!l)
        return;
    sl_list_del(&l->node);
    sl_list_del(&l->changed);
    sl_timer_cancel(&l->timer);
    while (g_main_context_iteration(l->ctx, FALSE)) /* sources that want to be freed */
        ;
    g_main_context_unref(l->ctx);
    (void)close(l->epfd);
    g_free(l->fds);
    g_free(l->old);
    free(l);
}

void nice_loops_turn(struct sl_nice *n, bool is_busy)
{
    struct epoll_event ev[EVENTS_MAX];
    int ms, k;

    while (!sl_list_is_empty(&n->changed))
        run(sl_container(n->changed.next, struct nice_loop, changed));
    ms = is_busy ? 0 : sl_wheel_timeout_ms(&n->wheel, sl_now_us());
    k = epoll_wait(n->epfd, ev, EVENTS_MAX, ms);
    for (int i = 0; i < k; i++) {
        struct nice_loop *l = ev[i].data.ptr;

        if (l && !l->is_dead)
            run(l);
    }
    sl_wheel_run(&n->wheel, sl_now_us());
    while (!sl_list_is_empty(&n->dead))
        nice_loop_free(sl_container(n->dead.next, struct nice_loop, node));
}
