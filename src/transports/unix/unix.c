#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "transports/unix/unix_int.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TURN_EVENTS 64
#define STOP_US     (500 * 1000) /* for what is queued when the server stops */
#define RETRY_MS    5
#define SOCKET_BIT  (1ULL << 63) /* epoll data: a socket of ours, its index; 0: the door */

enum mail_what { MAIL_ANSWER, MAIL_PUSH, MAIL_STOP };

struct unix_mail {
    struct sl_mail mail;
    enum mail_what what;
    sl_conn conn;
    char *text; /* owned, from jansson; NULL: nothing to send */
};

static struct {
    struct unix_loop loop;
    struct unix_counters count;
    struct sl_door door;
    struct sl_mailbox box;
    pthread_t thread;
    bool started; /* control thread's */
    /* Posts come only while the thread will still look at them. */
    pthread_mutex_t lock;
    bool open;
} us = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void mail_free(struct unix_mail *m)
{
    free(m->text);
    free(m);
}

/* Owns @m. */
static void post(struct unix_mail *m)
{
    bool open;

    pthread_mutex_lock(&us.lock);
    open = us.open;
    if (open)
        sl_mailbox_post(&us.box, &m->mail);
    pthread_mutex_unlock(&us.lock);
    if (!open)
        mail_free(m);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void handle(struct unix_mail *m) SL_ON_TRANSPORT
{
    struct unix_client *c = m->what == MAIL_STOP ? NULL : unix_client_find(&us.loop, m->conn);

    if (m->what == MAIL_STOP)
        us.loop.stopping = true;
    if (c && m->what == MAIL_ANSWER && c->inflight)
        c->inflight--;
    if (c && m->text) {
        unix_client_send(c, m->text);
        m->text = NULL;
    }
    if (c)
        unix_client_settle(c);
    mail_free(m);
}

static void handle_mail(void) SL_ON_TRANSPORT
{
    struct sl_mail *m = sl_mailbox_take(&us.box);

    while (m) {
        struct sl_mail *next = m->next;

        handle(sl_container(m, struct unix_mail, mail));
        m = next;
    }
}

static void on_event(const struct epoll_event *ev) SL_ON_TRANSPORT
{
    uint64_t what = ev->data.u64;
    struct unix_client *c;

    if (what & SOCKET_BIT) {
        struct unix_socket *s = &us.loop.socks[what & ~SOCKET_BIT];

        if (us.loop.conf.datagrams)
            unix_datagrams(&us.loop, s);
        else
            unix_accept(&us.loop, s);
        return;
    }
    c = what ? unix_client_find(&us.loop, what) : NULL;
    if (c)
        unix_client_on_io(c, ev->events);
}

static void retry_all(void) SL_ON_TRANSPORT
{
    struct sl_list *pos, *tmp;

    if (!us.loop.retry)
        return;
    us.loop.retry = false;
    sl_list_for_each_safe (pos, tmp, &us.loop.clients)
        unix_client_settle(sl_container(pos, struct unix_client, link));
}

static void probe(void) SL_ON_TRANSPORT
{
    if (!us.loop.conf.datagrams || us.loop.now_us < us.loop.probe_us)
        return;
    us.loop.probe_us = us.loop.now_us + (uint64_t)us.loop.conf.probe_ms * 1000;
    unix_clients_probe(&us.loop);
}

static int timeout_ms(void) SL_ON_TRANSPORT
{
    if (us.loop.retry || us.loop.stopping)
        return RETRY_MS;
    return us.loop.conf.datagrams && us.loop.nclients ? (int)us.loop.conf.probe_ms : -1;
}

static void turn(void) SL_ON_TRANSPORT
{
    struct epoll_event ev[TURN_EVENTS];
    int n, timeout = timeout_ms();

    sl_door_will_sleep(&us.door);
    if (!sl_mailbox_is_empty(&us.box))
        timeout = 0;
    n = epoll_wait(us.loop.ep, ev, TURN_EVENTS, timeout);
    sl_door_woke(&us.door);
    us.loop.now_us = sl_now_us();
    handle_mail();
    for (int i = 0; i < n; i++)
        on_event(&ev[i]);
    retry_all();
    probe();
}

static bool has_queued(void) SL_ON_TRANSPORT
{
    struct sl_list *pos;

    sl_list_for_each (pos, &us.loop.clients) {
        if (sl_container(pos, struct unix_client, link)->queued)
            return true;
    }
    return false;
}

static void *run(void *arg)
{
    uint64_t end_us;

    (void)arg;
    sl_role_enter(&sl_role_transport);
    while (!us.loop.stopping)
        turn();
    for (int i = 0; i < UNIX_SOCKETS; i++) {
        if (us.loop.socks[i].fd >= 0)
            (void)epoll_ctl(us.loop.ep, EPOLL_CTL_DEL, us.loop.socks[i].fd, NULL);
    }
    for (end_us = sl_now_us() + STOP_US; has_queued() && us.loop.now_us < end_us;)
        turn();
    pthread_mutex_lock(&us.lock);
    us.open = false;
    pthread_mutex_unlock(&us.lock);
    handle_mail();
    while (!sl_list_is_empty(&us.loop.clients))
        unix_client_destroy(sl_container(us.loop.clients.next, struct unix_client, link));
    sl_role_leave(&sl_role_transport);
    return NULL;
}

/* ---- from the control thread ----------------------------------------------------------------- */

static void post_json(enum mail_what what, sl_conn conn, json_t *json)
{
    struct unix_mail *m = calloc(1, sizeof(*m));

    if (!m) {
        sl_error("unix", "out_of_memory", "what=message");
        return;
    }
    m->what = what;
    m->conn = conn;
    /* Written here: jansson counts references without the acquire that sharing would need. */
    m->text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (json && !m->text)
        sl_error("unix", "out_of_memory", "what=text");
    post(m);
}

static void answer(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json)
{
    SL_ASSUME(control);
    (void)tag;
    post_json(MAIL_ANSWER, conn, status == SL_TSTATUS_OK ? json : NULL);
}

static void push(sl_conn conn, json_t *json)
{
    SL_ASSUME(control);
    post_json(MAIL_PUSH, conn, json);
}

static void fill_defaults(struct sl_unix_conf *c)
{
    if (!c->max_message)
        c->max_message = SL_UNIX_MAX_MESSAGE;
    if (!c->max_queue)
        c->max_queue = SL_UNIX_MAX_QUEUE;
    if (!c->max_clients)
        c->max_clients = SL_UNIX_MAX_CLIENTS;
    if (!c->max_json_depth)
        c->max_json_depth = SL_UNIX_MAX_DEPTH;
    if (!c->probe_ms)
        c->probe_ms = SL_UNIX_PROBE_MS;
}

static void loop_init(struct unix_loop *l, const struct sl_unix_conf *conf,
                      const struct sl_tcore *core)
{
    sl_conn last = l->next_id; /* ids are never used twice, whatever was stopped and started */

    *l = (struct unix_loop){
        .ep = -1, .core = core, .conf = *conf, .count = &us.count, .next_id = last
    };
    fill_defaults(&l->conf);
    l->socks[0] = (struct unix_socket){ .fd = -1, .path = conf->path };
    l->socks[1] = (struct unix_socket){ .fd = -1, .path = conf->admin_path, .admin = true };
    l->now_us = sl_now_us();
    sl_hmap_init(&l->by_id);
    sl_hmap_init(&l->by_address);
    sl_list_init(&l->clients);
}

static int sockets_open(struct unix_loop *l, char *err, size_t cap)
{
    for (uint64_t i = 0; i < UNIX_SOCKETS; i++) {
        struct unix_socket *s = &l->socks[i];
        struct epoll_event ev = { .events = EPOLLIN, .data.u64 = SOCKET_BIT | i };
        int rc = s->path ? unix_socket_open(s, &l->conf, err, cap) : 0;

        if (rc)
            return rc;
        if (s->path && epoll_ctl(l->ep, EPOLL_CTL_ADD, s->fd, &ev))
            return -errno;
    }
    return 0;
}

static int loop_open(struct unix_loop *l, char *err, size_t cap)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };

    l->buf = malloc(l->conf.max_message);
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (!l->buf || l->ep < 0)
        return l->buf ? -errno : -ENOMEM;
    if (epoll_ctl(l->ep, EPOLL_CTL_ADD, us.door.efd, &ev))
        return -errno;
    return sockets_open(l, err, cap);
}

static void loop_close(struct unix_loop *l)
{
    for (int i = 0; i < UNIX_SOCKETS; i++)
        unix_socket_close(&l->socks[i]);
    if (l->ep >= 0)
        close(l->ep);
    free(l->buf);
    sl_hmap_fini(&l->by_id);
    sl_hmap_fini(&l->by_address);
    sl_door_fini(&us.door);
}

int sl_unix_start(const struct sl_unix_conf *conf, const struct sl_tcore *core, char *err,
                  size_t cap)
{
    int rc = sl_door_init(&us.door);

    err[0] = '\0';
    if (rc)
        return rc;
    sl_mailbox_init(&us.box, &us.door);
    loop_init(&us.loop, conf, core);
    rc = loop_open(&us.loop, err, cap);
    us.open = !rc;
    if (!rc)
        rc = -pthread_create(&us.thread, NULL, run, NULL);
    if (rc) {
        us.open = false;
        loop_close(&us.loop);
        if (!err[0])
            snprintf(err, cap, "unix: cannot start: %s", strerror(-rc));
        return rc;
    }
    us.started = true;
    sl_info("unix", "listening", "path=\"%s\" admin_path=\"%s\" type=%s",
            conf->path ? conf->path : "", conf->admin_path ? conf->admin_path : "",
            conf->datagrams ? "dgram" : "seqpacket");
    return 0;
}

void sl_unix_stop(void)
{
    struct unix_mail *m;

    if (!us.started)
        return;
    while (!(m = calloc(1, sizeof(*m))))
        sl_error("unix", "out_of_memory", "what=stop");
    m->what = MAIL_STOP;
    post(m);
    us.started = false;
    pthread_join(us.thread, NULL);
    loop_close(&us.loop);
}

void sl_unix_stats_get(struct sl_unix_stats *out)
{
    *out = (struct sl_unix_stats){
        .open = atomic_load(&us.count.open),
        .opened = atomic_load(&us.count.opened),
        .refused = atomic_load(&us.count.refused),
        .slow_closed = atomic_load(&us.count.slow_closed),
        .dropped = atomic_load(&us.count.dropped),
        .bad_json = atomic_load(&us.count.bad_json),
    };
}

const struct sl_transport sl_unix_transport = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_transport),
    .package = "janus.transport.pfunix",
    .name = "Unix socket transport",
    .author = "Sluice",
    .description = "JSON over Unix sockets, SOCK_SEQPACKET or SOCK_DGRAM",
    .version_string = "1.0.0",
    .version = 1,
    .answer = answer,
    .push = push,
};
