#include "load_run.h"

#include "base/clock.h"
#include "dtls/dtls_cert.h"
#include "tests/unit/test_sanitized.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US   5000 /* users that do not send are looked at so often */
#define USERS_MAX 8192
#define LIMIT_US  30000000
#define WARM_S    0.2 /* a publisher sends before anybody subscribes */
#define DRAIN_S   0.3 /* after the window: what is still on its way */
#define STRICT_S  20  /* the same with --strict, at most: on a machine that is not ours */

/* Only the profile that is measured is offered, so that every server takes the same one. */
static int make_cert(struct load_run *r)
{
    const char *profile = r->opts->profile == SL_SRTP_AEAD_AES_128_GCM ? "SRTP_AEAD_AES_128_GCM"
                                                                       : "SRTP_AES128_CM_SHA1_80";
    int err = sl_cert_create(&r->cert);

    if (!err && SSL_CTX_set_tlsext_use_srtp(r->cert->ctx, profile) != 0)
        err = -EIO;
    return err;
}

/* Peers are where the server's candidates are: Debian's janus has none on the loopback interface.
 */
static int choose_address(struct load_run *r)
{
    struct sl_addr *bind = &r->conf.peer.bind;
    bool loopback = sl_addr_is_loopback(&r->server.addr) && r->opts->server.kind != LOAD_JANUS;

    if (r->opts->bind)
        return sl_addr_from_ip(r->opts->bind, 0, bind);
    if (loopback)
        return sl_addr_from_ip("127.0.0.1", 0, bind);
    return sl_addr_list_local(AF_INET, false, 0, bind, 1) > 0 ? 0 : -EADDRNOTAVAIL;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* Whoever stops us does not leave a server and its files behind. */
static void catch_signals(void)
{
    const struct sigaction sa = { .sa_handler = on_signal };

    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
}

bool load_run_is_over(void)
{
    return interrupted;
}

int load_run_init(struct load_run *r, const struct load_opts *o, unsigned int publishers)
{
    int err;

    memset(r, 0, sizeof(*r));
    catch_signals();
    r->loop.epfd = -1;
    r->opts = o;
    r->result = json_object();
    r->tally = calloc(LOAD_GROUPS, sizeof(*r->tally));
    r->users = calloc(USERS_MAX, sizeof(*r->users));
    if (!r->result || !r->tally || !r->users)
        return -ENOMEM;
    err = load_loop_init(&r->loop);
    if (!err)
        err = make_cert(r);
    if (!err && o->server.program)
        err = load_server_start(&o->server, &r->server);
    if (!err && !o->server.program) {
        r->server.pid = o->pid;
        err = sl_addr_parse(o->url, &r->server.addr);
    }
    if (!err)
        err = choose_address(r);
    if (!err && o->data)
        err = load_data_create(&r->loop, &r->conf.peer.data);
    if (err)
        return err;
    r->conf.peer.loop = &r->loop;
    r->conf.peer.cert = r->cert;
    r->conf.peer.loss = o->loss_percent / 100;
    r->conf.peer.rx.nack = o->nack;
    r->conf.peer.rx.twcc = o->twcc;
    r->conf.tx = o->tx;
    r->conf.server = r->server.addr;
    r->conf.is_floor = o->server.program && o->server.kind == LOAD_FLOOR;
    r->conf.profile = o->profile;
    r->conf.publishers = publishers;
    r->conf.loudest = o->loudest;
    return 0;
}

void load_run_fini(struct load_run *r)
{
    for (size_t i = 0; i < r->nusers; i++)
        load_user_destroy(r->users[i]);
    load_data_destroy(r->conf.peer.data);
    load_server_stop(&r->server);
    sl_cert_destroy(r->cert);
    load_loop_fini(&r->loop);
    json_decref(r->result);
    free(r->users);
    free(r->tally);
}

struct load_user *load_run_add(struct load_run *r, size_t group, unsigned int room, bool publishes)
{
    static size_t next; /* indexes are not used again: they name peers at the floor */
    struct load_who who = { next, room, publishes, publishes && next % r->conf.publishers == 0 };
    struct load_user *u;
    int err =
        r->nusers == USERS_MAX ? -ENFILE : load_user_create(&r->conf, &r->tally[group], &who, &u);

    if (err) {
        fprintf(stderr, "load: user %zu: %s\n", next, strerror(-err));
        return NULL;
    }
    next++;
    r->users[r->nusers++] = u;
    if (publishes)
        r->npublishers = r->nusers;
    return u;
}

void load_run_watch(struct load_run *r, struct load_user *u)
{
    load_user_subscribe(u, u->who.room * r->conf.publishers, r->conf.publishers);
}

void load_run_remove(struct load_run *r, size_t at)
{
    load_user_destroy(r->users[at]);
    r->users[at] = r->users[--r->nusers];
}

void load_run_step(struct load_run *r)
{
    uint64_t now_us = sl_now_us(), due;

    if (r->tick_us <= now_us) {
        r->tick_us = now_us + TICK_US;
        for (size_t i = r->npublishers; i < r->nusers; i++)
            load_user_turn(r->users[i], now_us);
    }
    due = r->tick_us;
    for (size_t i = 0; i < r->npublishers; i++) {
        struct load_user *u = r->users[i];

        load_user_turn(u, now_us);
        if (u->pub.peer && u->pub.peer->due_us < due)
            due = u->pub.peer->due_us;
    }
    now_us = sl_now_us();
    load_loop_turn(&r->loop, due > now_us ? due - now_us : 0);
}

void load_run_for(struct load_run *r, double seconds)
{
    uint64_t end_us = sl_now_us() + (uint64_t)(seconds * 1e6);

    while (sl_now_us() < end_us && !interrupted)
        load_run_step(r);
}

/* Until @is_ready says so of users @from to @to; at most @in_flight of them unready: 0 or -errno.
 */
static int wait_for(struct load_run *r, size_t from, size_t to, size_t in_flight,
                    bool (*is_ready)(const struct load_user *u)) SL_ON_WORKER
{
    uint64_t end_us = sl_now_us() + LIMIT_US;

    for (;;) {
        size_t waiting = 0;

        for (size_t i = from; i < to; i++) {
            if (r->users[i]->failed)
                return -EIO;
            waiting += !is_ready(r->users[i]);
        }
        if (waiting <= in_flight)
            return 0;
        if (interrupted)
            return -EINTR;
        if (sl_now_us() > end_us) {
            fprintf(stderr, "load: %zu of %zu peers do not connect\n", waiting, to - from);
            return -ETIMEDOUT;
        }
        load_run_step(r);
    }
}

int load_run_publish(struct load_run *r)
{
    size_t n = r->opts->rooms * r->conf.publishers;
    int err = 0;

    for (size_t i = 0; !err && i < n; i++) {
        struct load_user *u =
            load_run_add(r, LOAD_STEADY, (unsigned int)(i / r->conf.publishers), true);

        if (!u)
            return -EIO;
        /* Others join a room only when it is there. */
        err = wait_for(r, 0, r->nusers, u->who.creates ? 0 : r->opts->in_flight,
                       load_user_is_publishing);
    }
    if (!err)
        err = wait_for(r, 0, r->nusers, 0, load_user_is_publishing);
    if (!err)
        load_run_for(r, WARM_S);
    return err;
}

int load_run_subscribe(struct load_run *r, size_t group, size_t n)
{
    size_t first = r->nusers;
    int err = 0;

    if (n % r->opts->rooms) {
        fprintf(stderr, "load: %zu viewers cannot be spread evenly\n", n);
        return -EINVAL;
    }
    for (size_t i = 0; !err && i < n; i++) {
        struct load_user *u = load_run_add(r, group, (unsigned int)(i % r->opts->rooms), false);

        if (!u)
            return -EIO;
        load_run_watch(r, u);
        err = wait_for(r, first, r->nusers, r->opts->in_flight - 1, load_user_is_connected);
    }
    return err ? err : wait_for(r, first, r->nusers, 0, load_user_is_connected);
}

int load_run_gather(struct load_run *r, size_t n)
{
    size_t first = r->nusers;
    int err = 0;

    for (size_t i = 0; !err && i < n; i++) {
        if (!load_run_add(r, LOAD_STEADY, (unsigned int)(i % r->opts->rooms), false))
            return -EIO;
        err = wait_for(r, first, r->nusers, r->opts->in_flight - 1, load_user_has_session);
    }
    return err ? err : wait_for(r, first, r->nusers, 0, load_user_has_session);
}

int load_run_connect(struct load_run *r, size_t first)
{
    int err = 0;

    for (size_t i = first; !err && !r->conf.is_floor && i < r->nusers; i++) {
        load_run_watch(r, r->users[i]);
        err = wait_for(r, first, i + 1, r->opts->in_flight - 1, load_user_is_connected);
    }
    return err ? err : wait_for(r, first, r->nusers, 0, load_user_is_connected);
}

/* ---- the window ------------------------------------------------------------------------------ */

static void open_window(struct load_run *r, const size_t audience[LOAD_GROUPS], uint64_t from_ns,
                        uint64_t to_ns)
{
    for (size_t g = 0; g < LOAD_GROUPS; g++) {
        memset(&r->tally[g], 0, sizeof(r->tally[g]));
        r->tally[g].from_ns = from_ns;
        r->tally[g].to_ns = to_ns;
        for (size_t i = 0; i < r->npublishers; i++)
            if (r->users[i]->pub.peer->tx)
                load_tx_set_audience(r->users[i]->pub.peer->tx, g, &r->tally[g], audience[g]);
    }
}

static void report_cpu(struct load_run *r, const struct load_cpu *a, const struct load_cpu *b,
                       double seconds, uint64_t delivered)
{
    double server = (double)load_cpu_server_ns(a, b), self = (double)(b->self_ns - a->self_ns);
    double rest = (double)(b->machine_ns - a->machine_ns) - server - self;

    load_report(r, "server_cpu_us_per_packet", delivered ? server / 1e3 / (double)delivered : 0);
    load_report(r, "server_cpu_percent", server / 1e7 / seconds);
    load_report(r, "load_cpu_percent", self / 1e7 / seconds);
    load_report(r, "rest_cpu_percent", rest > 0 ? rest / 1e7 / seconds : 0);
}

static void report_tally(struct load_run *r, const struct load_tally *t, const char *prefix,
                         double seconds)
{
    static const struct {
        const char *key;
        size_t offset;
    } counts[] = {
        { "sent", offsetof(struct load_tally, sent) },
        { "expected", offsetof(struct load_tally, expected) },
        { "delivered", offsetof(struct load_tally, delivered) },
        { "late", offsetof(struct load_tally, repaired) },
        { "holes", offsetof(struct load_tally, holes) },
        { "duplicates", offsetof(struct load_tally, duplicates) },
        { "unreadable", offsetof(struct load_tally, unreadable) },
        { "dropped_here", offsetof(struct load_tally, dropped) },
        { "overflowed_here", offsetof(struct load_tally, overflowed) },
        { "nacks", offsetof(struct load_tally, nacks) },
        { "key_frames_asked", offsetof(struct load_tally, plis) },
        { "padding_bytes", offsetof(struct load_tally, padding) },
    };
    char key[64];

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t v;

        memcpy(&v, (const char *)t + counts[i].offset, sizeof(v));
        snprintf(key, sizeof(key), "%s%s", prefix, counts[i].key);
        load_report(r, key, (double)v);
    }
    snprintf(key, sizeof(key), "%sdelivered_per_s", prefix);
    load_report(r, key, (double)t->delivered / seconds);
    snprintf(key, sizeof(key), "%slost_percent", prefix);
    load_report(r, key,
                t->expected > t->delivered
                    ? 100.0 * (double)(t->expected - t->delivered) / (double)t->expected
                    : 0);
    snprintf(key, sizeof(key), "%slatency_ms", prefix);
    load_report_hist(r, key, &t->latency, 1e6);
}

/* Takes what is on its way. With --strict late is not lost. */
static void drain(struct load_run *r) SL_ON_WORKER
{
    const struct load_tally *t = &r->tally[LOAD_STEADY];
    const uint64_t end_us = sl_now_us() + UINT64_C(1000000) * STRICT_S;

    load_run_for(r, DRAIN_S);
    while (r->opts->is_strict && t->delivered < t->expected && sl_now_us() < end_us && !interrupted)
        load_run_step(r);
}

void load_run_measure(struct load_run *r, const size_t audience[LOAD_GROUPS],
                      void (*each)(struct load_run *r, void *arg), void *arg)
{
    double seconds = r->opts->seconds;
    uint64_t from_ns = load_wall_ns(), to_ns = from_ns + (uint64_t)(seconds * 1e9), delivered = 0;
    struct load_cpu before, after;

    open_window(r, audience, from_ns, to_ns);
    load_cpu_read(r->server.pid, &before);
    while (load_wall_ns() < to_ns && !interrupted) {
        if (each)
            each(r, arg);
        load_run_step(r);
    }
    load_cpu_read(r->server.pid, &after);
    drain(r);
    for (size_t g = 0; g < LOAD_GROUPS; g++)
        delivered += r->tally[g].delivered;
    report_cpu(r, &before, &after, seconds, delivered);
    report_tally(r, &r->tally[LOAD_STEADY], "", seconds);
    if (audience[LOAD_OTHERS])
        report_tally(r, &r->tally[LOAD_OTHERS], "others_", seconds);
}

/* ---- the report ------------------------------------------------------------------------------ */

void load_report(struct load_run *r, const char *key, double value)
{
    bool whole = value == (double)(int64_t)value;

    json_object_set_new(r->result, key, whole ? json_integer((json_int_t)value) : json_real(value));
}

void load_report_hist(struct load_run *r, const char *key, const struct load_hist *h,
                      double unit_ns)
{
    static const struct {
        const char *name;
        double q;
    } at[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p95", 0.95 }, { "p99", 0.99 } };
    char name[96];

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        snprintf(name, sizeof(name), "%s_%s", key, at[i].name);
        load_report(r, name, (double)load_hist_at(h, at[i].q) / unit_ns);
    }
    snprintf(name, sizeof(name), "%s_max", key);
    load_report(r, name, (double)h->max / unit_ns);
}

int load_allow(const struct load_run *r, const char *what, double kib, double allowed_kib)
{
    if (!r->opts->is_strict || kib <= allowed_kib)
        return 0;
    fprintf(stderr, "load: %.2f KiB per %s, %.2f are allowed\n", kib, what, allowed_kib);
#ifdef IS_SANITIZED
    fprintf(stderr, "load: but not judged, since this was built with a sanitizer\n");
    return 0;
#endif
    return -EDQUOT;
}

void load_report_print(const struct load_run *r)
{
    const char *key;
    json_t *value;

    json_object_foreach(r->result, key, value)
    {
        if (json_is_integer(value))
            printf("  %-28s %12" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
        else if (json_is_real(value))
            printf("  %-28s %12.3f\n", key, json_real_value(value));
        else
            printf("  %-28s %12s\n", key, json_string_value(value));
    }
    (void)json_dumpf(r->result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
}
