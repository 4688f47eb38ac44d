#include "ice/ice_lite.h"
#include "base/hmap.h"
#include "ice/ice_stun.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONSENT_US   30000000u /* RFC 7675 section 5.1 */
#define NOMINATED_US 500000u   /* how long a nomination stands against one of lower priority */
#define PROTECTED_US                                                                               \
    5000000u             /* how long a nominated address is not replaced when all are taken        \
                          */
#define ADDRS_MAX     16 /* addresses per agent */
#define ROLE_CONFLICT 487
#define UNKNOWN_ATTR  420
#define BAD_REQUEST   400

/* Credentials that checks may use; an agent has two sets while ICE restarts. */
struct lite_cred {
    struct sl_hnode node; /* by ufrag */
    struct sl_lite_agent *agent;
    struct sl_ice_creds local;
    char remote_ufrag[SL_ICE_UFRAG_MAX + 1]; /* empty: any */
    unsigned int generation;
    bool is_set;
    bool was_used; /* a check with it succeeded */
};

/* A remote address that passed a check. */
struct lite_addr {
    struct sl_hnode node; /* by remote */
    struct sl_lite_agent *agent;
    struct sl_ice_path path;
    unsigned int generation; /* of the credentials of its last check */
    uint32_t priority;
    bool nominated; /* its last check had USE-CANDIDATE */
    uint64_t checked_us;
    uint64_t nominated_us;
};

struct sl_lite_agent {
    /* Given, outlive us. */
    struct sl_ice_lite *lite;
    void *user;
    /* Owned. */
    struct lite_cred *cred; /* current */
    struct lite_cred *old;  /* before the restart, until a check with the current one succeeds */
    struct lite_cred first, *second; /* the latter NULL before the first restart */
    unsigned int generation;
    struct lite_addr *addrs[ADDRS_MAX];
    size_t naddrs;
    struct lite_addr *selected;
    struct sl_ice_path path; /* as told last */
    bool was_connected;
    enum sl_ice_state state;
    struct sl_timer consent;
};

struct sl_ice_lite {
    struct sl_wheel *wheel;
    const struct sl_ice_lite_cb *cb;
    void *arg;
    struct sl_stun *stun;
    struct sl_hmap by_ufrag;
    struct sl_hmap by_addr;
    uint64_t drops[SL_LITE_DROP_MAX];
    struct lite_cred *asked; /* whose password was given for the message at hand */
};

/* ---- credentials ---------------------------------------------------------------------------- */

static struct lite_cred *cred_find(const struct sl_ice_lite *l, const char *ufrag, size_t len)
{
    struct sl_hnode *n = sl_hmap_first(&l->by_ufrag, sl_hash_bytes(ufrag, len));

    for (; n; n = sl_hmap_next(n)) {
        struct lite_cred *c = sl_container(n, struct lite_cred, node);

        if (strlen(c->local.ufrag) == len && memcmp(c->local.ufrag, ufrag, len) == 0)
            return c;
    }
    return NULL;
}

static int cred_add(struct sl_lite_agent *a, struct lite_cred *c, const struct sl_ice_creds *local)
{
    size_t len = strlen(local->ufrag);
    int err;

    if (len == 0 || local->pwd[0] == '\0')
        return -EINVAL;
    if (cred_find(a->lite, local->ufrag, len))
        return -EEXIST;
    err = sl_hmap_add(&a->lite->by_ufrag, &c->node, sl_hash_bytes(local->ufrag, len));
    if (err)
        return err;
    c->agent = a;
    c->local = *local;
    c->remote_ufrag[0] = '\0';
    c->generation = ++a->generation;
    c->was_used = false;
    c->is_set = true;
    return 0;
}

static void cred_drop(struct lite_cred *c)
{
    if (!c || !c->is_set)
        return;
    sl_hmap_del(&c->agent->lite->by_ufrag, &c->node);
    c->is_set = false;
    memset(&c->local, 0, sizeof(c->local));
}

/* USERNAME is "ours:theirs" (RFC 8445 section 7.2.2). */
static const char *on_password(void *arg, const char *username, size_t len)
{
    struct sl_ice_lite *l = arg;
    const char *colon = memchr(username, ':', len);
    struct lite_cred *c;
    size_t ours, theirs;

    if (!colon)
        return NULL;
    ours = (size_t)(colon - username);
    theirs = len - ours - 1;
    c = cred_find(l, username, ours);
    if (!c)
        return NULL;
    if (c->remote_ufrag[0] &&
        (strlen(c->remote_ufrag) != theirs || memcmp(c->remote_ufrag, colon + 1, theirs) != 0))
        return NULL;
    l->asked = c;
    return c->local.pwd;
}

/* ---- addresses ------------------------------------------------------------------------------ */

static struct lite_addr *addr_find(const struct sl_ice_lite *l, const struct sl_addr *remote,
                                   const struct sl_tcp *tcp)
{
    struct sl_hnode *n = sl_hmap_first(&l->by_addr, sl_addr_hash(remote));

    for (; n; n = sl_hmap_next(n)) {
        struct lite_addr *e = sl_container(n, struct lite_addr, node);

        if (e->path.tcp == tcp && sl_addr_is_equal(&e->path.remote, remote))
            return e;
    }
    return NULL;
}

static void addr_drop(struct lite_addr *e)
{
    struct sl_lite_agent *a = e->agent;

    sl_hmap_del(&a->lite->by_addr, &e->node);
    for (size_t i = 0; i < a->naddrs; i++) {
        if (a->addrs[i] == e) {
            a->addrs[i] = a->addrs[--a->naddrs];
            break;
        }
    }
    if (a->selected == e)
        a->selected = NULL;
    if (e->path.tcp)
        a->lite->cb->gone(a->lite->arg, e->path.tcp);
    free(e);
}

/* The one that a new address may replace when all places are taken: never the selected one, the
 * oldest that is not nominated, else the oldest whose nomination is not fresh. */
static struct lite_addr *addr_to_replace(const struct sl_lite_agent *a, uint64_t now_us)
{
    struct lite_addr *oldest[2] = { NULL, NULL };

    for (size_t i = 0; i < a->naddrs; i++) {
        struct lite_addr *e = a->addrs[i];
        struct lite_addr **best = &oldest[e->nominated];

        if (e == a->selected || (e->nominated && now_us - e->nominated_us < PROTECTED_US))
            continue;
        if (!*best || e->checked_us < (*best)->checked_us)
            *best = e;
    }
    return oldest[false] ? oldest[false] : oldest[true];
}

static int addr_add(struct sl_lite_agent *a, const struct sl_ice_path *path, uint64_t now_us,
                    struct lite_addr **out)
{
    struct lite_addr *e;
    int err;

    if (a->naddrs == ADDRS_MAX) {
        struct lite_addr *victim = addr_to_replace(a, now_us);

        if (!victim)
            return -ENOSPC;
        addr_drop(victim);
    }
    e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->agent = a;
    e->path = *path;
    err = sl_hmap_add(&a->lite->by_addr, &e->node, sl_addr_hash(&path->remote));
    if (err) {
        free(e);
        return err;
    }
    a->addrs[a->naddrs++] = e;
    *out = e;
    return 0;
}

/* ---- state and path ------------------------------------------------------------------------- */

static void state_set(struct sl_lite_agent *a, enum sl_ice_state state)
{
    if (a->state == state)
        return;
    a->state = state;
    if (state == SL_ICE_CONNECTED)
        a->was_connected = true;
    if (a->lite->cb->state)
        a->lite->cb->state(a->user, state);
}

/* Tells the path when it differs from the one told last. */
static void path_tell(struct sl_lite_agent *a)
{
    struct sl_ice_path p = { .kind = SL_ICE_PATH_NONE, .fd = -1 };
    const struct lite_addr *e = a->selected;

    if (e)
        p = e->path;
    if (p.kind == a->path.kind && p.fd == a->path.fd && p.tcp == a->path.tcp &&
        sl_addr_is_equal(&p.remote, &a->path.remote) && sl_addr_is_equal(&p.local, &a->path.local))
        return;
    a->path = p;
    if (a->lite->cb->path)
        a->lite->cb->path(a->user, &p);
}

/* Whether @e, which just passed a check, takes the path over. */
static bool takes_over(const struct sl_lite_agent *a, const struct lite_addr *e, uint64_t now_us)
{
    const struct lite_addr *s = a->selected;

    if (!s)
        return true;
    if (e->generation != s->generation)
        return e->generation > s->generation;
    if (!e->nominated)
        return false;
    /* Regular nomination, and peers that nominate anew when they roam: the last word counts.
     * Aggressive nomination marks every check, so that among pairs nominated at the same time the
     * priority decides (RFC 5245 section 8.1.1.2). */
    return !s->nominated || e->priority >= s->priority || now_us - s->nominated_us > NOMINATED_US;
}

/* The best of what is left when the selected address is gone. */
static struct lite_addr *addr_best(const struct sl_lite_agent *a)
{
    struct lite_addr *best = NULL;

    for (size_t i = 0; i < a->naddrs; i++) {
        struct lite_addr *e = a->addrs[i];

        if (!best || e->generation > best->generation ||
            (e->generation == best->generation &&
             (e->nominated > best->nominated ||
              (e->nominated == best->nominated && e->checked_us > best->checked_us))))
            best = e;
    }
    return best;
}

/* After the selected address may have been lost. */
static void reselect(struct sl_lite_agent *a)
{
    if (!a->selected)
        a->selected = addr_best(a);
    path_tell(a);
    if (!a->selected && a->state != SL_ICE_NEW)
        state_set(a, SL_ICE_DISCONNECTED);
}

/* Set for the address whose consent ends first; a check in the meantime only moves the end of that
 * address, which is seen when the timer fires. So nothing is set anew on each check. */
static void on_consent(struct sl_timer *t, uint64_t now_us)
{
    struct sl_lite_agent *a = sl_container(t, struct sl_lite_agent, consent);
    uint64_t first = UINT64_MAX;

    for (size_t i = a->naddrs; i > 0; i--) {
        struct lite_addr *e = a->addrs[i - 1];

        if (now_us - e->checked_us >= CONSENT_US)
            addr_drop(e);
        else if (e->checked_us < first)
            first = e->checked_us;
    }
    if (first != UINT64_MAX)
        sl_timer_set(a->lite->wheel, &a->consent, first + CONSENT_US);
    reselect(a);
}

/* ---- checks --------------------------------------------------------------------------------- */

static void agent_checked(struct sl_lite_agent *a, struct lite_addr *e, uint64_t now_us)
{
    if (a->state == SL_ICE_NEW || (a->state == SL_ICE_DISCONNECTED && !a->was_connected))
        state_set(a, SL_ICE_CONNECTING);
    if (takes_over(a, e, now_us))
        a->selected = e;
    if (!sl_timer_is_set(&a->consent))
        sl_timer_set(a->lite->wheel, &a->consent, now_us + CONSENT_US);
    path_tell(a);
    if (a->selected->nominated || a->was_connected)
        state_set(a, SL_ICE_CONNECTED);
}

/* An authenticated check of @c came by @path: keeps the address. */
static int check_take(struct lite_cred *c, const struct sl_ice_path *path,
                      const struct sl_stun_check *check, uint64_t now_us, struct lite_addr **out)
{
    struct sl_lite_agent *a = c->agent;
    struct lite_addr *e = addr_find(a->lite, &path->remote, path->tcp);
    int err;

    if (e && e->agent != a) {
        struct sl_lite_agent *other = e->agent;

        addr_drop(e);
        reselect(other);
        e = NULL;
    }
    if (!e) {
        err = addr_add(a, path, now_us, &e);
        if (err)
            return err;
    }
    e->path = *path;
    e->checked_us = now_us;
    e->priority = check->priority;
    e->nominated = check->use_candidate;
    if (c->generation > e->generation)
        e->generation = c->generation;
    if (e->nominated)
        e->nominated_us = now_us;
    *out = e;
    return 0;
}

static void answer(struct sl_ice_lite *l, const struct sl_ice_path *path, int code)
{
    uint8_t buf[SL_STUN_REPLY_MAX];
    int n = code ? sl_stun_write_error(l->stun, code, buf, sizeof(buf))
                 : sl_stun_write_success(l->stun, &path->remote, buf, sizeof(buf));

    if (n > 0)
        l->cb->send(l->arg, path, buf, (size_t)n);
}

static void on_check(struct sl_ice_lite *l, const struct sl_ice_path *path,
                     const struct sl_stun_check *check, uint64_t now_us)
{
    struct lite_cred *c = l->asked;
    struct sl_lite_agent *a = c->agent;
    struct lite_addr *e;

    /* A lite agent is always controlled, so a peer that says the same must change its role
     * (RFC 8445 sections 6.1.1 and 7.3.1.1). */
    if (check->role == SL_STUN_CONTROLLED) {
        answer(l, path, ROLE_CONFLICT);
        return;
    }
    if (check_take(c, path, check, now_us, &e)) {
        l->drops[SL_LITE_TOO_MANY_ADDRESSES]++;
        return;
    }
    answer(l, path, 0);
    c->was_used = true;
    if (c == a->cred) {
        cred_drop(a->old);
        a->old = NULL;
    }
    agent_checked(a, e, now_us);
}

void sl_ice_lite_input(struct sl_ice_lite *l, const struct sl_ice_path *path, const uint8_t *data,
                       size_t len, uint64_t now_us)
{
    static const enum sl_lite_drop why[] = {
        [SL_STUN_MALFORMED] = SL_LITE_MALFORMED,
        [SL_STUN_NOT_REQUEST] = SL_LITE_NOT_A_REQUEST,
        [SL_STUN_NO_CREDS] = SL_LITE_BAD_INTEGRITY,
        [SL_STUN_UNKNOWN_USER] = SL_LITE_UNKNOWN_UFRAG,
        [SL_STUN_BAD_INTEGRITY] = SL_LITE_BAD_INTEGRITY,
        [SL_STUN_UNKNOWN_ATTR] = SL_LITE_MALFORMED,
        [SL_STUN_NO_PRIORITY] = SL_LITE_MALFORMED,
    };
    struct sl_stun_check check;
    enum sl_stun_result r;

    r = sl_stun_read(l->stun, data, len, on_password, l, &check);
    if (r == SL_STUN_OK) {
        on_check(l, path, &check, now_us);
        return;
    }
    l->drops[why[r]]++;
    /* Only who knows the password is told what is wrong: nobody else can make us send. */
    if (r == SL_STUN_UNKNOWN_ATTR)
        answer(l, path, UNKNOWN_ATTR);
    else if (r == SL_STUN_NO_PRIORITY)
        answer(l, path, BAD_REQUEST);
}

void *sl_ice_lite_find(const struct sl_ice_lite *l, const struct sl_addr *remote,
                       const struct sl_tcp *tcp)
{
    const struct lite_addr *e = addr_find(l, remote, tcp);

    return e ? e->agent->user : NULL;
}

void sl_ice_lite_lost(struct sl_ice_lite *l, const struct sl_addr *remote, const struct sl_tcp *tcp)
{
    struct lite_addr *e = addr_find(l, remote, tcp);
    struct sl_lite_agent *a = e ? e->agent : NULL;

    if (!e)
        return;
    addr_drop(e);
    reselect(a);
}

static const char *on_worker(void *arg, const char *username, size_t len)
{
    const char *colon = memchr(username, ':', len);

    if (colon)
        *(int *)arg = sl_ice_ufrag_worker(username, (size_t)(colon - username));
    return NULL;
}

int sl_ice_lite_worker_of(struct sl_ice_lite *l, const uint8_t *data, size_t len)
{
    struct sl_stun_check check;
    int worker = -EBADMSG;

    (void)sl_stun_read(l->stun, data, len, on_worker, &worker, &check);
    return worker;
}

/* ---- life ----------------------------------------------------------------------------------- */

int sl_ice_lite_create(struct sl_wheel *wheel, const struct sl_ice_lite_cb *cb, void *arg,
                       struct sl_ice_lite **out)
{
    struct sl_ice_lite *l = calloc(1, sizeof(*l));
    int err;

    if (!l)
        return -ENOMEM;
    sl_hmap_init(&l->by_ufrag);
    sl_hmap_init(&l->by_addr);
    l->wheel = wheel;
    l->cb = cb;
    l->arg = arg;
    err = sl_stun_create(&l->stun);
    if (err) {
        sl_ice_lite_destroy(l);
        return err;
    }
    *out = l;
    return 0;
}

void sl_ice_lite_destroy(struct sl_ice_lite *l)
{
    if (!l)
        return;
    sl_hmap_fini(&l->by_ufrag);
    sl_hmap_fini(&l->by_addr);
    sl_stun_destroy(l->stun);
    free(l);
}

const char *sl_lite_drop_to_str(enum sl_lite_drop why)
{
    static const char *const names[SL_LITE_DROP_MAX] = {
        [SL_LITE_MALFORMED] = "malformed",
        [SL_LITE_UNKNOWN_UFRAG] = "unknown_ufrag",
        [SL_LITE_BAD_INTEGRITY] = "bad_integrity",
        [SL_LITE_NOT_A_REQUEST] = "not_a_request",
        [SL_LITE_TOO_MANY_ADDRESSES] = "too_many_addresses",
    };

    return why < SL_LITE_DROP_MAX ? names[why] : "?";
}

const uint64_t *sl_ice_lite_drops(const struct sl_ice_lite *l)
{
    return l->drops;
}

int sl_lite_agent_create(struct sl_ice_lite *l, const struct sl_ice_creds *local, void *user,
                         struct sl_lite_agent **out)
{
    struct sl_lite_agent *a = calloc(1, sizeof(*a));
    int err;

    if (!a)
        return -ENOMEM;
    a->lite = l;
    a->user = user;
    a->path.fd = -1;
    sl_timer_init(&a->consent, on_consent);
    err = cred_add(a, &a->first, local);
    if (err) {
        free(a);
        return err;
    }
    a->cred = &a->first;
    *out = a;
    return 0;
}

void sl_lite_agent_destroy(struct sl_lite_agent *a)
{
    if (!a)
        return;
    sl_timer_cancel(&a->consent);
    while (a->naddrs > 0)
        addr_drop(a->addrs[a->naddrs - 1]);
    cred_drop(a->cred);
    cred_drop(a->old);
    free(a->second);
    free(a);
}

int sl_lite_agent_restart(struct sl_lite_agent *a, const struct sl_ice_creds *local)
{
    struct lite_cred *next;
    int err;

    /* The same ones again (a repeated request) change nothing. */
    if (strcmp(local->ufrag, a->cred->local.ufrag) == 0 &&
        strcmp(local->pwd, a->cred->local.pwd) == 0)
        return 0;
    if (a->old && !a->cred->was_used) {
        /* Two restarts without a check between them: the set that works stays the old one. */
        struct lite_cred keep = *a->cred;

        cred_drop(a->cred);
        err = cred_add(a, a->cred, local);
        if (err && cred_add(a, a->cred, &keep.local) == 0)
            memcpy(a->cred->remote_ufrag, keep.remote_ufrag, sizeof(keep.remote_ufrag));
        return err;
    }
    if (!a->second && !(a->second = calloc(1, sizeof(*a->second))))
        return -ENOMEM;
    next = a->cred == &a->first ? a->second : &a->first;
    err = cred_add(a, next, local);
    if (err)
        return err;
    a->old = a->cred;
    a->cred = next;
    return 0;
}

void sl_lite_agent_set_remote(struct sl_lite_agent *a, const char *ufrag)
{
    size_t len = strnlen(ufrag, SL_ICE_UFRAG_MAX);

    memcpy(a->cred->remote_ufrag, ufrag, len);
    a->cred->remote_ufrag[len] = '\0';
}
