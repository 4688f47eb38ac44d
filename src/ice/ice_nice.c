#include "ice/ice_nice.h"
#include "base/clock.h"
#include "base/log.h"
#include "ice/ice_nice_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SENDS_MAX    4096 /* datagrams that wait for the ICE thread */
#define DATAGRAM_MAX 2048 /* bytes of one datagram that we relay */
#define ASK_MAX_S    5    /* how long the first look-up of server names may hold everything up */
#define ASK_EVERY_S  600  /* names are looked up again */
#define GOODBYE_MS   2000 /* for agents to give their relayed addresses back at the end */

enum cmd_kind { CMD_OPEN, CMD_CLOSE, CMD_REMOTE, CMD_CANDIDATE, CMD_RESTART, CMD_SEND };

struct cmd {
    struct sl_mail mail;
    enum cmd_kind kind;
    sl_id pc;
    bool flag; /* OPEN: controlling. CANDIDATE: there is one */
    size_t len;
    uint8_t data[]; /* REMOTE: struct sl_ice_creds. CANDIDATE: text. SEND: the datagram */
};

/* ---- commands, in the ICE thread ------------------------------------------------------------ */

static struct nice_pc *pc_find(const struct sl_nice *n, sl_id id)
{
    struct sl_hnode *h = sl_hmap_first(&n->pcs, sl_hash_u64(id));

    for (; h; h = sl_hmap_next(h)) {
        struct nice_pc *pc = sl_container(h, struct nice_pc, node);

        if (pc->id == id)
            return pc;
    }
    return NULL;
}

static void do_open(struct sl_nice *n, const struct cmd *c) SL_ON_ICE
{
    struct nice_pc *pc;
    int err;

    if (pc_find(n, c->pc))
        return;
    err = nice_pc_create(n, c->pc, c->flag, &pc);
    if (!err) {
        err = sl_hmap_add(&n->pcs, &pc->node, sl_hash_u64(c->pc));
        if (err)
            nice_pc_destroy(pc);
    }
    if (err) {
        sl_error("ice", "agent-failed", "pc=%" PRIx64 " err=%d", c->pc, -err);
        if (n->cb->state)
            n->cb->state(n->arg, c->pc, SL_ICE_FAILED);
        return;
    }
    nice_pc_gather(pc);
}

static void do_close(struct sl_nice *n, struct nice_pc *pc, const struct cmd *c) SL_ON_ICE
{
    (void)c;
    sl_hmap_del(&n->pcs, &pc->node);
    nice_pc_destroy(pc);
}

static void do_remote(struct sl_nice *n, struct nice_pc *pc, const struct cmd *c) SL_ON_ICE
{
    struct sl_ice_creds creds;

    (void)n;
    memcpy(&creds, c->data, sizeof(creds));
    nice_pc_remote(pc, &creds);
}

static void do_candidate(struct sl_nice *n, struct nice_pc *pc, const struct cmd *c) SL_ON_ICE
{
    (void)n;
    nice_pc_candidate(pc, c->flag ? (const char *)c->data : NULL);
}

static void do_restart(struct sl_nice *n, struct nice_pc *pc, const struct cmd *c) SL_ON_ICE
{
    (void)n;
    (void)c;
    nice_pc_restart(pc);
}

static void do_send(struct sl_nice *n, struct nice_pc *pc, const struct cmd *c) SL_ON_ICE
{
    (void)n;
    nice_pc_send(pc, c->data, c->len);
}

static void cmd_run(struct sl_nice *n, const struct cmd *c) SL_ON_ICE
{
    static void (*const run[])(struct sl_nice *, struct nice_pc *, const struct cmd *) = {
        [CMD_CLOSE] = do_close,     [CMD_REMOTE] = do_remote, [CMD_CANDIDATE] = do_candidate,
        [CMD_RESTART] = do_restart, [CMD_SEND] = do_send,
    };
    struct nice_loop *loop;
    struct nice_pc *pc;

    if (c->kind == CMD_SEND)
        atomic_fetch_sub(&n->sends_waiting, 1);
    if (c->kind == CMD_OPEN) {
        do_open(n, c);
        return;
    }
    pc = pc_find(n, c->pc);
    if (!pc)
        return;
    loop = pc->loop;
    run[c->kind](n, pc, c);
    nice_loop_changed(loop);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool box_has_work(const struct sl_nice *n)
{
    return atomic_load(&n->ends) || (!n->asking && !sl_mailbox_is_empty(&n->box));
}

static void box_take(struct sl_nice *n) SL_ON_ICE
{
    struct sl_mail *m, *next;

    for (m = n->asking ? NULL : sl_mailbox_take(&n->box); m; m = next) {
        struct cmd *c = sl_container(m, struct cmd, mail);

        next = m->next;
        cmd_run(n, c);
        free(c);
    }
}

static void turn(struct sl_nice *n) SL_ON_ICE
{
    sl_door_will_sleep(&n->door);
    nice_loops_turn(n, box_has_work(n));
    sl_door_woke(&n->door);
    box_take(n);
}

static gboolean on_ask_again(gpointer arg)
{
    SL_ASSUME(ice);
    struct sl_nice *n = arg;

    nice_server_ask(&n->stun);
    nice_server_ask(&n->turn);
    return G_SOURCE_CONTINUE;
}

/* Names that take too long: go on without; a late answer still serves those who come later. */
static gboolean on_ask_late(gpointer arg)
{
    struct sl_nice *n = arg;

    n->asking = 0;
    n->stun.is_asking = n->turn.is_asking = false;
    return G_SOURCE_REMOVE;
}

static gboolean on_goodbye_late(gpointer arg)
{
    *(bool *)arg = true;
    return G_SOURCE_REMOVE;
}

static GSource *timeout_add(struct sl_nice *n, guint ms, GSourceFunc fn, void *arg)
{
    GSource *s = g_timeout_source_new(ms);

    g_source_set_callback(s, fn, arg, NULL);
    g_source_attach(s, n->main->ctx);
    return s;
}

static void source_end(GSource *s)
{
    g_source_destroy(s);
    g_source_unref(s);
}

static void thread_end(struct sl_nice *n) SL_ON_ICE
{
    bool late = false;
    GSource *timer;

    g_cancellable_cancel(n->cancel);
    for (size_t i = 0; i < n->pcs.nbuckets; i++) {
        while (n->pcs.buckets[i]) {
            struct nice_pc *pc = sl_container(n->pcs.buckets[i], struct nice_pc, node);

            sl_hmap_del(&n->pcs, &pc->node);
            nice_pc_destroy(pc);
        }
    }
    timer = timeout_add(n, GOODBYE_MS, on_goodbye_late, &late);
    while (n->nclosing > 0 && !late)
        nice_loops_turn(n, false);
    source_end(timer);
    if (n->nclosing > 0)
        sl_warn("ice", "relays-left-behind", "n=%u", n->nclosing);
    /* What is ready already: cancelled look-ups, sources that want to be freed. */
    nice_loops_turn(n, true);
    while (g_main_context_iteration(n->main->ctx, FALSE))
        ;
}

static void *thread_main(void *arg)
{
    struct sl_nice *n = arg;
    GSource *again, *late;

    sl_role_enter(&sl_role_ice);
    g_main_context_push_thread_default(n->main->ctx);
    again = timeout_add(n, ASK_EVERY_S * 1000, on_ask_again, n);
    late = timeout_add(n, ASK_MAX_S * 1000, on_ask_late, n);
    nice_server_ask(&n->stun);
    nice_server_ask(&n->turn);
    while (!atomic_load(&n->ends))
        turn(n);
    source_end(late);
    source_end(again);
    thread_end(n);
    g_main_context_pop_thread_default(n->main->ctx);
    sl_role_leave(&sl_role_ice);
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int addrs_copy(const struct sl_addr *from, size_t n, struct sl_addr **out)
{
    if (n == 0)
        return 0;
    *out = malloc(n * sizeof(**out));
    if (!*out)
        return -ENOMEM;
    memcpy(*out, from, n * sizeof(**out));
    return 0;
}

static int publics_parse(struct sl_nice *n, const struct sl_nice_conf *conf)
{
    if (conf->npublic == 0)
        return 0;
    n->public_ip = calloc(conf->npublic, sizeof(*n->public_ip));
    if (!n->public_ip)
        return -ENOMEM;
    for (size_t i = 0; i < conf->npublic; i++)
        if (sl_addr_from_ip(conf->public_ip[i], 0, &n->public_ip[i]))
            return -EINVAL;
    n->npublic = conf->npublic;
    return 0;
}

static int conf_copy(struct sl_nice *n, const struct sl_nice_conf *conf)
{
    int err = 0;

    if (conf->stun_server)
        err = nice_server_init(&n->stun, n, conf->stun_server);
    if (!err && conf->turn_server)
        err = nice_server_init(&n->turn, n, conf->turn_server);
    if (!err && n->turn.host) {
        n->turn_user = strdup(conf->turn_user ? conf->turn_user : "");
        n->turn_password = strdup(conf->turn_password ? conf->turn_password : "");
        if (!n->turn_user || !n->turn_password)
            err = -ENOMEM;
    }
    if (!err)
        err = addrs_copy(conf->bind, conf->nbind, &n->bind);
    if (!err)
        err = publics_parse(n, conf);
    n->nbind = conf->nbind;
    n->port_low = conf->port_low;
    n->port_high = conf->port_high;
    return err;
}

static int loops_open(struct sl_nice *n)
{
    struct epoll_event ev = { .events = EPOLLIN };
    int err;

    n->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (n->epfd < 0 || epoll_ctl(n->epfd, EPOLL_CTL_ADD, n->door.efd, &ev) < 0)
        return -errno;
    /* What runs in other loops leaves work here (GTask), so this one wants its wake-ups. */
    err = nice_loop_create(n, G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING, &n->main);
    if (!err)
        g_main_context_release(n->main->ctx); /* it will be the thread's */
    return err;
}

int sl_nice_create(const struct sl_nice_conf *conf, const struct sl_nice_cb *cb, void *arg,
                   struct sl_nice **out)
{
    struct sl_nice *n;
    int err;

    if (conf->port_low > conf->port_high)
        return -EINVAL;
    n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->cb = cb;
    n->arg = arg;
    n->door.efd = -1;
    n->epfd = -1;
    sl_list_init(&n->dead);
    sl_list_init(&n->changed);
    sl_wheel_init(&n->wheel, sl_now_us());
    sl_hmap_init(&n->pcs);
    sl_mailbox_init(&n->box, &n->door);
    err = conf_copy(n, conf);
    if (err)
        goto fail;
    err = sl_door_init(&n->door);
    if (err)
        goto fail;
    err = loops_open(n);
    if (err)
        goto fail;
    n->cancel = g_cancellable_new();
    err = -pthread_create(&n->thread, NULL, thread_main, n);
    if (err)
        goto fail;
    (void)pthread_setname_np(n->thread, "ICE");
    n->has_thread = true;
    *out = n;
    return 0;

fail:
    sl_nice_destroy(n);
    return err;
}

void sl_nice_destroy(struct sl_nice *n)
{
    struct sl_mail *m, *next;

    if (!n)
        return;
    if (n->has_thread) {
        atomic_store(&n->ends, true);
        sl_door_ring(&n->door);
        (void)pthread_join(n->thread, NULL);
    }
    for (m = sl_mailbox_take(&n->box); m; m = next) {
        next = m->next;
        free(sl_container(m, struct cmd, mail));
    }
    if (n->cancel)
        g_object_unref(n->cancel);
    nice_loop_free(n->main);
    if (n->epfd >= 0)
        (void)close(n->epfd);
    sl_door_fini(&n->door);
    sl_hmap_fini(&n->pcs);
    nice_server_fini(&n->stun);
    nice_server_fini(&n->turn);
    free(n->turn_user);
    free(n->turn_password);
    free(n->bind);
    free(n->public_ip);
    free(n);
}

uint64_t sl_nice_drops(const struct sl_nice *n)
{
    return atomic_load(&n->drops);
}

uint64_t sl_nice_refused(const struct sl_nice *n)
{
    return atomic_load(&n->refused);
}

/* ---- commands, from any thread -------------------------------------------------------------- */

static void post(struct sl_nice *n, enum cmd_kind kind, sl_id pc, bool flag, const void *data,
                 size_t len)
{
    struct cmd *c = malloc(sizeof(*c) + len);

    if (!c) {
        if (kind == CMD_SEND)
            atomic_fetch_sub(&n->sends_waiting, 1);
        atomic_fetch_add(&n->drops, 1);
        return;
    }
    c->kind = kind;
    c->pc = pc;
    c->flag = flag;
    c->len = len;
    if (len)
        memcpy(c->data, data, len);
    sl_mailbox_post(&n->box, &c->mail);
}

void sl_nice_open(struct sl_nice *n, sl_id pc, bool controlling)
{
    post(n, CMD_OPEN, pc, controlling, NULL, 0);
}

void sl_nice_close(struct sl_nice *n, sl_id pc)
{
    post(n, CMD_CLOSE, pc, false, NULL, 0);
}

void sl_nice_remote(struct sl_nice *n, sl_id pc, const struct sl_ice_creds *creds)
{
    post(n, CMD_REMOTE, pc, false, creds, sizeof(*creds));
}

void sl_nice_candidate(struct sl_nice *n, sl_id pc, const char *text)
{
    size_t len = text ? strnlen(text, SL_ICE_CAND_MAX + 1) : 0;

    if (len > SL_ICE_CAND_MAX)
        return; /* no candidate: the parser would refuse it */
    post(n, CMD_CANDIDATE, pc, text != NULL, text, text ? len + 1 : 0);
}

void sl_nice_restart(struct sl_nice *n, sl_id pc)
{
    post(n, CMD_RESTART, pc, false, NULL, 0);
}

void sl_nice_send(struct sl_nice *n, sl_id pc, const uint8_t *data, size_t len)
{
    if (len > DATAGRAM_MAX || atomic_fetch_add(&n->sends_waiting, 1) >= SENDS_MAX) {
        if (len <= DATAGRAM_MAX)
            atomic_fetch_sub(&n->sends_waiting, 1);
        atomic_fetch_add(&n->drops, 1);
        return;
    }
    post(n, CMD_SEND, pc, false, data, len);
}
