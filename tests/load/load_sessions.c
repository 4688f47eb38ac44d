#include "load_sessions.h"

#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT_US    60000000
#define SETTLE_S    0.5
#define ALLOWED_KIB 2.0 /* a session with its part of a WebSocket; 60 MB for 10,000 would be 6 */
#define AT_A_TIME   50  /* requests of a WebSocket that wait for their answer */

struct conn {
    struct load_ws *ws;
    uint64_t *session;
    size_t n, asked, answered; /* of what is done just now */
    bool attaches;
    bool is_open, failed;
};

/* Sessions first, then a handle for each of them. */
static void ask(struct conn *c) SL_ON_WORKER
{
    while (c->asked < c->n && c->asked - c->answered < AT_A_TIME) {
        json_t *msg =
            json_pack("{s:s, s:s}", "janus", c->attaches ? "attach" : "create", "transaction", "t");

        if (c->attaches) {
            json_object_set_new(msg, "session_id", json_integer((json_int_t)c->session[c->asked]));
            json_object_set_new(msg, "plugin", json_string("janus.plugin.videoroom"));
        }
        c->asked++;
        load_ws_send(c->ws, msg);
    }
}

static void on_open(void *arg)
{
    struct conn *c = arg;

    c->is_open = true;
}

static void on_text(void *arg, const json_t *msg)
{
    struct conn *c = arg;
    const json_t *id = json_object_get(json_object_get(msg, "data"), "id");

    SL_ASSUME(worker);
    if (!id) {
        c->failed = true;
        return;
    }
    if (!c->attaches)
        c->session[c->answered] = (uint64_t)json_integer_value(id);
    c->answered++;
    ask(c);
}

static void on_closed(void *arg)
{
    struct conn *c = arg;

    c->failed = true;
}

static bool is_open(const struct conn *c)
{
    return c->is_open;
}

static bool is_done(const struct conn *c)
{
    return c->answered == c->n;
}

static int wait_all(struct load_run *r, const struct conn *c, size_t n,
                    bool (*is_ready)(const struct conn *c)) SL_ON_WORKER
{
    uint64_t end_us = sl_now_us() + LIMIT_US;

    for (size_t i = 0; i < n;) {
        if (c[i].failed)
            return -EIO;
        if (load_run_is_over())
            return -EINTR;
        if (sl_now_us() > end_us)
            return -ETIMEDOUT;
        if (is_ready(&c[i]))
            i++;
        else
            load_run_step(r);
    }
    load_run_for(r, SETTLE_S);
    return 0;
}

static int ask_all(struct load_run *r, struct conn *c, size_t n, bool attaches) SL_ON_WORKER
{
    for (size_t i = 0; i < n; i++) {
        c[i].asked = c[i].answered = 0;
        c[i].attaches = attaches;
        ask(&c[i]);
    }
    return wait_all(r, c, n, is_done);
}

static int open_all(struct load_run *r, struct conn *c, size_t n) SL_ON_WORKER
{
    static const struct load_ws_cb cb = { on_open, on_text, on_closed };

    for (size_t i = 0; i < n; i++) {
        size_t share = r->opts->sessions / n + (i < r->opts->sessions % n);
        int err;

        c[i].n = share;
        c[i].session = calloc(share + 1, sizeof(c[i].session[0]));
        if (!c[i].session)
            return -ENOMEM;
        err = load_ws_create(&r->loop, &r->server.addr, &cb, &c[i], &c[i].ws);
        if (err)
            return err;
    }
    return wait_all(r, c, n, is_open);
}

static int measure(struct load_run *r, struct conn *c, size_t nconns) SL_ON_WORKER
{
    size_t n = r->opts->sessions;
    double empty, sockets, sessions, handles;
    int err;

    load_run_for(r, SETTLE_S);
    empty = (double)load_rss_kib(r->server.pid);
    err = open_all(r, c, nconns);
    sockets = (double)load_rss_kib(r->server.pid);
    if (!err)
        err = ask_all(r, c, nconns, false);
    sessions = (double)load_rss_kib(r->server.pid);
    if (!err)
        err = ask_all(r, c, nconns, true);
    handles = (double)load_rss_kib(r->server.pid);
    if (err)
        return err;
    load_report(r, "sessions", (double)n);
    load_report(r, "kib_empty", empty);
    load_report(r, "kib_per_socket", (sockets - empty) / (double)nconns);
    load_report(r, "kib_per_session", (sessions - empty) / (double)n);
    load_report(r, "kib_per_handle", (handles - sessions) / (double)n);
    return load_allow(r, "session", (sessions - empty) / (double)n, ALLOWED_KIB);
}

int load_sessions(struct load_run *r)
{
    size_t n = r->opts->sockets;
    struct conn *c = calloc(n, sizeof(*c));
    int err = c ? measure(r, c, n) : -ENOMEM;

    for (size_t i = 0; c && i < n; i++) {
        load_ws_destroy(c[i].ws);
        free(c[i].session);
    }
    free(c);
    return err;
}
