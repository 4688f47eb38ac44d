#include "load_cases.h"

#include "load_sessions.h"

#include "base/clock.h"
#include "base/opt.h"
#include <errno.h>
#include <stdio.h>

#define WARM_PEERS 20 /* before memory is measured: pools and heaps have grown */
#define SETTLE_S   2  /* until memory of handshakes is given back */

/* --strict: an idle peer connection; 47 and 85 when this was written. */
#define PEER_KIB      64.0
#define DATA_PEER_KIB 104.0

static void settle(struct load_run *r) SL_ON_WORKER
{
    load_run_for(r, r->opts->settle);
}

static void pause_all(struct load_run *r)
{
    for (size_t i = 0; i < r->npublishers; i++)
        load_tx_pause(r->users[i]->pub.peer->tx);
}

/* KiB of each. */
static double report_memory(struct load_run *r, uint64_t before_kib, size_t peers)
{
    double after_kib = (double)load_rss_kib(r->server.pid), each = 0;

    load_report(r, "rss_kib", after_kib);
    if (peers) {
        each = (after_kib - (double)before_kib) / (double)peers;
        load_report(r, "kib_per_peer", each);
    }
    return each;
}

/* ---- cases of a steady audience -------------------------------------------------------------- */

static int webinar(struct load_run *r) SL_ON_WORKER
{
    const size_t audience[LOAD_GROUPS] = { r->opts->viewers / r->opts->rooms,
                                           r->opts->capped / r->opts->rooms };
    uint64_t before_kib;
    int err = load_run_publish(r);

    before_kib = load_rss_kib(r->server.pid);
    if (!err)
        err = load_run_subscribe(r, LOAD_STEADY, r->opts->viewers);
    if (!err)
        err = load_run_subscribe(r, LOAD_OTHERS, r->opts->capped);
    if (err)
        return err;
    for (size_t i = r->nusers - r->opts->capped; i < r->nusers; i++)
        load_peer_cap(load_user_receiver(r->users[i]), r->opts->cap_kbps * UINT64_C(1000));
    settle(r);
    load_run_measure(r, audience, NULL, NULL);
    (void)report_memory(r, before_kib, r->opts->viewers);
    return 0;
}

static int simulcast(struct load_run *r) SL_ON_WORKER
{
    r->conf.simulcast = true;
    return webinar(r);
}

static int loss(struct load_run *r) SL_ON_WORKER
{
    r->conf.peer.rx.nack = true;
    r->conf.tx.audio_bytes = 0; /* nobody sends audio again: it would hide what is repaired */
    return webinar(r);
}

static int conference(struct load_run *r) SL_ON_WORKER
{
    const size_t audience[LOAD_GROUPS] = { r->opts->peers - 1, 0 };
    uint64_t before_kib = load_rss_kib(r->server.pid);
    int err = load_run_publish(r);

    if (!err)
        err = load_run_connect(r, 0);
    if (err)
        return err;
    settle(r);
    load_run_measure(r, audience, NULL, NULL);
    (void)report_memory(r, before_kib, 2 * (size_t)r->npublishers);
    return 0;
}

/* ---- joining and leaving --------------------------------------------------------------------- */

struct churn {
    uint64_t next_us, every_us, stay_us; /* next_us UINT64_MAX: nobody comes any more */
    size_t in_flight;                    /* unconnected at a time; 0: any number */
    size_t first;                        /* users before it stay */
    size_t joined, failed;
    /* From the start of signalling to the first answered check, to the end of DTLS, and to media.
     */
    struct load_hist checked, connect, media;
};

/* Those who came: what is told of them when they go. */
static void part(struct churn *c, const struct load_user *u)
{
    const struct load_peer *p = load_user_receiver(u);

    if (u->failed || !p || !p->connected_us) {
        c->failed++;
        return;
    }
    c->joined++;
    load_hist_add(&c->checked, (p->checked_us - u->started_us) * 1000);
    load_hist_add(&c->connect, (p->connected_us - u->started_us) * 1000);
    if (p->rx.first_us)
        load_hist_add(&c->media, (p->rx.first_us - u->started_us) * 1000);
}

/* @due: its time is over. Whoever was asked to leave and has left is taken out. */
static void churn_step(struct load_run *r, void *arg)
{
    struct churn *c = arg;
    uint64_t now_us = sl_now_us();
    size_t joining = 0;

    SL_ASSUME(worker);
    for (size_t i = r->nusers; i > c->first; i--) {
        struct load_user *u = r->users[i - 1];
        bool connected = load_user_is_connected(u);
        bool over = now_us - u->started_us >= c->stay_us && (c->in_flight == 0 || connected);

        if (u->left || u->failed) {
            part(c, u);
            load_run_remove(r, i - 1);
        } else if (over && u->keepalive_us != UINT64_MAX) {
            u->keepalive_us = UINT64_MAX; /* it asks once */
            load_user_leave(u);
        }
        joining += !connected;
    }
    while (c->next_us <= now_us && (!c->in_flight || joining < c->in_flight)) {
        struct load_user *u = load_run_add(r, LOAD_OTHERS, 0, false);

        if (!u)
            return;
        load_run_watch(r, u);
        c->next_us += c->every_us;
        joining++;
    }
}

static void churn_end(struct load_run *r, struct churn *c) SL_ON_WORKER
{
    uint64_t end_us = sl_now_us() + 5000000;

    c->next_us = UINT64_MAX;
    while (r->nusers > c->first && sl_now_us() < end_us && !load_run_is_over()) {
        churn_step(r, c);
        load_run_step(r);
    }
    c->failed += r->nusers - c->first;
    load_report(r, "joined", (double)c->joined);
    load_report(r, "failed_joins", (double)c->failed);
    load_report_hist(r, "checked_ms", &c->checked, 1e6);
    load_report_hist(r, "connect_ms", &c->connect, 1e6);
}

static int churn(struct load_run *r) SL_ON_WORKER
{
    static struct churn c;
    const size_t audience[LOAD_GROUPS] = { r->opts->viewers / r->opts->rooms, 0 };
    int err = load_run_publish(r);

    if (!err)
        err = load_run_subscribe(r, LOAD_STEADY, r->opts->viewers);
    if (err)
        return err;
    settle(r);
    c.next_us = sl_now_us();
    c.every_us = (uint64_t)(1e6 / r->opts->rate);
    c.stay_us = (uint64_t)(r->opts->stay * 1e6);
    c.first = r->nusers;
    load_run_measure(r, audience, churn_step, &c);
    churn_end(r, &c);
    load_report_hist(r, "first_media_ms", &c.media, 1e6);
    return 0;
}

/* As many joins as possible, each from the WebSocket to the end of DTLS, and gone again. */
static int joins(struct load_run *r) SL_ON_WORKER
{
    static struct churn c;
    struct load_cpu before, after;
    uint64_t from_us, end_us;
    size_t joined;
    double seconds, server_ms;
    int err = load_run_publish(r);

    if (err)
        return err;
    pause_all(r);
    c.in_flight = r->opts->in_flight;
    c.first = r->nusers;
    from_us = sl_now_us();
    end_us = from_us + (uint64_t)(r->opts->seconds * 1e6);
    load_cpu_read(r->server.pid, &before);
    while (sl_now_us() < end_us && !load_run_is_over()) {
        churn_step(r, &c);
        load_run_step(r);
    }
    seconds = (double)(sl_now_us() - from_us) / 1e6;
    load_cpu_read(r->server.pid, &after);
    joined = c.joined;
    server_ms = (double)load_cpu_server_ns(&before, &after) / 1e6;
    load_report(r, "joins_per_s", (double)joined / seconds);
    load_report(r, "server_cpu_ms_per_join", joined ? server_ms / (double)joined : 0);
    load_report(r, "server_cpu_percent", server_ms / 10 / seconds);
    load_report(r, "load_cpu_percent", (double)(after.self_ns - before.self_ns) / 1e7 / seconds);
    churn_end(r, &c);
    return 0;
}

/* An audience that comes within --seconds: how soon each can show a picture, and what that costs
 * the publisher. */
static int instant(struct load_run *r) SL_ON_WORKER
{
    static struct load_hist key;
    const uint64_t every_us = (uint64_t)(r->opts->seconds * 1e6) / (r->opts->viewers + 1);
    struct load_asks asks;
    uint64_t from_us;
    int err = r->opts->guests ? 0 : load_run_publish(r);

    if (err)
        return err;
    load_run_for(r, SETTLE_S);
    if (!r->opts->guests)
        load_tx_forget_asks(load_user_sender(r->users[0])->tx);
    from_us = sl_now_us();
    for (size_t i = 0; i < r->opts->viewers && !load_run_is_over();) {
        struct load_user *u;

        load_run_step(r);
        if (sl_now_us() < from_us + i * every_us)
            continue;
        u = load_run_add(r, LOAD_OTHERS, 0, false);
        if (!u)
            return -ENOMEM;
        load_run_watch(r, u);
        i++;
    }
    asks =
        r->opts->guests ? (struct load_asks){ 0 } : load_tx_asks(load_user_sender(r->users[0])->tx);
    load_run_for(r, SETTLE_S);
    for (size_t i = r->npublishers; i < r->nusers; i++) {
        const struct load_user *u = r->users[i];
        const struct load_peer *p = load_user_receiver(u);

        if (p && p->rx.key_us)
            load_hist_add(&key, (p->rx.key_us - u->started_us) * 1000);
    }
    load_report(r, "joined", (double)key.count);
    load_report_hist(r, "first_key_ms", &key, 1e6);
    if (r->opts->guests)
        return 0;
    load_report(r, "key_requests", (double)asks.n);
    load_report(r, "key_requests_per_s", (double)asks.n / r->opts->seconds);
    if (asks.n > 1)
        load_report(r, "key_request_apart_ms", (double)asks.least_us / 1e3);
    return 0;
}

static int instant_simulcast(struct load_run *r) SL_ON_WORKER
{
    r->conf.simulcast = true;
    return instant(r);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* What a session costs (WebSocket, session), and on top of it a peer connection (handle,
 * subscription, ICE, DTLS, SRTP, SCTP). */
static int idle(struct load_run *r) SL_ON_WORKER
{
    size_t n = r->opts->peers, first;
    uint64_t none_kib, sessions_kib;
    double kib;
    int err = load_run_publish(r);

    if (err)
        return err;
    pause_all(r);
    err = load_run_subscribe(r, LOAD_STEADY, WARM_PEERS);
    load_run_for(r, SETTLE_S);
    none_kib = load_rss_kib(r->server.pid);
    first = r->nusers;
    if (!err)
        err = load_run_gather(r, n);
    load_run_for(r, SETTLE_S);
    sessions_kib = load_rss_kib(r->server.pid);
    if (!err)
        err = load_run_connect(r, first);
    if (err)
        return err;
    load_run_for(r, SETTLE_S + r->opts->settle);
    load_report(r, "kib_per_session", ((double)sessions_kib - (double)none_kib) / (double)n);
    kib = report_memory(r, sessions_kib, n);
    if (r->conf.peer.data)
        load_report(r, "associations", (double)load_data_count(r->conf.peer.data));
    return load_allow(r, "peer connection", kib, r->conf.peer.data ? DATA_PEER_KIB : PEER_KIB);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct load_run *r); /* on the worker */
    bool confers;                   /* publishers are --peers, not one */
    bool weighs;                    /* it judges memory, not packets */
} cases[] = {
    { "webinar", webinar, false },
    { "conference", conference, true },
    { "simulcast", simulcast, false },
    { "loss", loss, false },
    { "capped", webinar, false },
    { "churn", churn, false },
    { "joins", joins, false },
    { "idle", idle, false, true },
    { "instant", instant, false },
    { "instant-simulcast", instant_simulcast, false },
    { "sessions", load_sessions, false, true },
};

static void report_head(struct load_run *r)
{
    static const char *const kinds[] = { "sluice", "janus", "floor" };
    const struct load_opts *o = r->opts;

    json_object_set_new(r->result, "case", json_string(o->name));
    json_object_set_new(r->result, "target",
                        json_string(o->server.program ? kinds[o->server.kind] : o->url));
    json_object_set_new(r->result, "profile", json_string(o->server.profile));
    load_report(r, "spread_us", o->tx.spread_us);
}

/* --strict */
static int verdict(const struct load_run *r)
{
    const struct load_tally *t = &r->tally[LOAD_STEADY];

    if (!r->opts->is_strict)
        return 0;
    if (t->delivered && t->delivered == t->expected && !t->unreadable)
        return 0;
    fprintf(stderr, "load: %ju of %ju packets arrived, %ju were unreadable\n",
            (uintmax_t)t->delivered, (uintmax_t)t->expected, (uintmax_t)t->unreadable);
    return 1;
}

int load_case_run(const struct load_opts *o)
{
    struct load_run r;
    size_t i = 0;
    int err;

    while (i < SL_COUNT(cases) && strcmp(cases[i].name, o->name) != 0)
        i++;
    if (i == SL_COUNT(cases)) {
        fprintf(stderr, "load: no such case: %s\n", o->name);
        return 2;
    }
    err = load_run_init(&r, o, cases[i].confers ? o->peers : 1);
    if (!err) {
        report_head(&r);
        err = cases[i].run(&r);
    }
    if (load_run_is_over())
        err = -EINTR;
    if (err)
        fprintf(stderr, "load: %s: %s\n", o->name, strerror(-err));
    else
        load_report_print(&r);
    if (!err && !cases[i].weighs)
        err = verdict(&r);
    load_run_fini(&r);
    return err ? 1 : 0;
}
