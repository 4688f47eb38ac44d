#include "transports/websocket/ws_conn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TURN_EVENTS 64
#define STOP_US     (900 * 1000) /* for the closing handshakes when the server stops */

/* Everything that other threads tell this one. */
enum ws_what { WS_ADOPT, WS_ANSWER, WS_PUSH, WS_STOP };

struct ws_mail {
    struct sl_mail mail;
    enum ws_what what;
    sl_conn conn;
    char *text; /* owned, from jansson; NULL: nothing to send */
    struct sl_ws_adopt sock;
    char extra[]; /* WS_ADOPT: sock.extra points here */
};

static struct {
    struct ws_loop loop;
    struct ws_counters count;
    struct sl_door door;
    struct sl_mailbox box;
    pthread_t thread;
    bool started;    /* control thread's */
    uint64_t end_us; /* WebSocket thread's: when patience ends */
    /* Posts come only while the thread will still look at them. */
    pthread_mutex_t lock;
    bool open;
} ws = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void adopt_refuse(const struct sl_ws_adopt *a)
{
    if (a->tls_fd >= 0)
        close(a->tls_fd);
    a->close(a->arg);
}

static void mail_free(struct ws_mail *m)
{
    if (m->what == WS_ADOPT)
        adopt_refuse(&m->sock);
    free(m->text);
    free(m);
}

/* Owns @m. */
static void post(struct ws_mail *m)
{
    bool open;

    pthread_mutex_lock(&ws.lock);
    open = ws.open;
    if (open)
        sl_mailbox_post(&ws.box, &m->mail);
    pthread_mutex_unlock(&ws.lock);
    if (!open)
        mail_free(m);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void stop_all(void) SL_ON_TRANSPORT
{
    struct sl_list *pos, *tmp;

    ws.loop.stopping = true;
    ws.end_us = ws.loop.now_us + STOP_US;
    sl_list_for_each_safe (pos, tmp, &ws.loop.conns) {
        struct ws_conn *c = sl_container(pos, struct ws_conn, link);

        ws_conn_close(c, WSLAY_CODE_GOING_AWAY);
        ws_conn_settle(c);
    }
}

static void handle(struct ws_mail *m) SL_ON_TRANSPORT
{
    struct ws_conn *c;

    switch (m->what) {
    case WS_ADOPT:
        ws_conn_create(&ws.loop, &m->sock);
        m->what = WS_PUSH; /* the socket is the connection's */
        break;
    case WS_STOP:
        stop_all();
        break;
    case WS_ANSWER:
    case WS_PUSH:
        c = ws_conn_find(&ws.loop, m->conn);
        if (!c)
            break;
        if (m->text)
            ws_conn_send(c, m->text);
        if (m->what == WS_ANSWER)
            ws_conn_answered(c);
        ws_conn_settle(c);
        break;
    }
    mail_free(m);
}

static void handle_mail(void) SL_ON_TRANSPORT
{
    struct sl_mail *m = sl_mailbox_take(&ws.box);

    while (m) {
        struct sl_mail *next = m->next;

        handle(sl_container(m, struct ws_mail, mail));
        m = next;
    }
}

static void turn(void) SL_ON_TRANSPORT
{
    struct epoll_event ev[TURN_EVENTS];
    int n, timeout = sl_wheel_timeout_ms(&ws.loop.wheel, ws.loop.now_us);

    if (ws.loop.stopping && (timeout < 0 || timeout > 20))
        timeout = 20;
    sl_door_will_sleep(&ws.door);
    if (!sl_mailbox_is_empty(&ws.box))
        timeout = 0;
    n = epoll_wait(ws.loop.ep, ev, TURN_EVENTS, timeout);
    sl_door_woke(&ws.door);
    ws.loop.now_us = sl_now_us();
    handle_mail();
    for (int i = 0; i < n; i++) {
        sl_conn id = ev[i].data.u64 & ~WS_TLS_BIT;
        struct ws_conn *c = id ? ws_conn_find(&ws.loop, id) : NULL;

        if (c && ev[i].data.u64 & WS_TLS_BIT)
            ws_conn_on_end(c);
        else if (c)
            ws_conn_on_io(c, ev[i].events);
    }
    sl_wheel_run(&ws.loop.wheel, ws.loop.now_us);
}

static void *run(void *arg)
{
    sl_role_enter(&sl_role_transport);
    while (!ws.loop.stopping || (!sl_list_is_empty(&ws.loop.conns) && ws.loop.now_us < ws.end_us))
        turn();

    pthread_mutex_lock(&ws.lock);
    ws.open = false;
    pthread_mutex_unlock(&ws.lock);
    handle_mail();
    while (!sl_list_is_empty(&ws.loop.conns))
        ws_conn_destroy(sl_container(ws.loop.conns.next, struct ws_conn, link));
    sl_role_leave(&sl_role_transport);
    return NULL;
}

/* ---- from other threads ---------------------------------------------------------------------- */

static void send_json(enum ws_what what, sl_conn conn, json_t *json)
{
    struct ws_mail *m = calloc(1, sizeof(*m));

    if (!m) {
        sl_error("ws", "out_of_memory", "what=message");
        return;
    }
    m->what = what;
    m->conn = conn;
    /* Written here: jansson counts references without the acquire that sharing would need. */
    m->text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (json && !m->text)
        sl_error("ws", "out_of_memory", "what=text");
    post(m);
}

static void answer(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json)
{
    SL_ASSUME(control);
    send_json(WS_ANSWER, conn, status == SL_TSTATUS_OK ? json : NULL);
}

static void push(sl_conn conn, json_t *json)
{
    SL_ASSUME(control);
    send_json(WS_PUSH, conn, json);
}

void sl_ws_adopt(const struct sl_ws_adopt *a)
{
    struct ws_mail *m = calloc(1, sizeof(*m) + a->extra_len);
    int flags = fcntl(a->fd, F_GETFL);

    if (!m || flags < 0 || fcntl(a->fd, F_SETFL, flags | O_NONBLOCK)) {
        free(m);
        adopt_refuse(a);
        return;
    }
    m->what = WS_ADOPT;
    m->sock = *a;
    if (a->extra_len)
        memcpy(m->extra, a->extra, a->extra_len);
    m->sock.extra = m->extra;
    post(m);
}

static int loop_init(struct ws_loop *l, const struct sl_ws_conf *conf, const struct sl_tcore *core)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };
    sl_conn last = l->next_id; /* ids are never used twice, whatever was stopped and started */

    *l = (struct ws_loop){ .core = core, .conf = *conf, .count = &ws.count, .next_id = last };
    if (!l->conf.max_message)
        l->conf.max_message = SL_WS_MAX_MESSAGE;
    if (!l->conf.max_queue)
        l->conf.max_queue = SL_WS_MAX_QUEUE;
    if (!l->conf.max_json_depth)
        l->conf.max_json_depth = SL_WS_MAX_DEPTH;
    l->now_us = sl_now_us();
    sl_wheel_init(&l->wheel, l->now_us);
    sl_hmap_init(&l->by_id);
    sl_list_init(&l->conns);
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->ep < 0)
        return -errno;
    return epoll_ctl(l->ep, EPOLL_CTL_ADD, ws.door.efd, &ev) ? -errno : 0;
}

int sl_ws_start(const struct sl_ws_conf *conf, const struct sl_tcore *core)
{
    int err = sl_door_init(&ws.door);

    if (err)
        return err;
    sl_mailbox_init(&ws.box, &ws.door);
    err = loop_init(&ws.loop, conf, core);
    if (err)
        goto fail;
    ws.open = true;
    err = -pthread_create(&ws.thread, NULL, run, NULL);
    if (err)
        goto fail;
    ws.started = true;
    return 0;

fail:
    ws.open = false;
    if (ws.loop.ep >= 0)
        close(ws.loop.ep);
    sl_door_fini(&ws.door);
    return err;
}

void sl_ws_stop(void)
{
    struct ws_mail *m;

    if (!ws.started)
        return;
    while (!(m = calloc(1, sizeof(*m))))
        sl_error("ws", "out_of_memory", "what=stop");
    m->what = WS_STOP;
    post(m);
    pthread_join(ws.thread, NULL);
    ws.started = false;
    close(ws.loop.ep);
    sl_hmap_fini(&ws.loop.by_id);
    sl_door_fini(&ws.door);
}

void sl_ws_stats_get(struct sl_ws_stats *out)
{
    *out = (struct sl_ws_stats){
        .open = atomic_load(&ws.count.open),
        .opened = atomic_load(&ws.count.opened),
        .slow_closed = atomic_load(&ws.count.slow_closed),
        .ping_closed = atomic_load(&ws.count.ping_closed),
        .bad_json = atomic_load(&ws.count.bad_json),
    };
}

const struct sl_transport sl_ws_transport = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_transport),
    .package = "janus.transport.websockets",
    .name = "WebSocket transport",
    .author = "Sluice",
    .description = "JSON over WebSocket, subprotocol janus-protocol",
    .version_string = "1.0.0",
    .version = 1,
    .answer = answer,
    .push = push,
};
