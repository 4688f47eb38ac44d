/*
 * lite_world.h - an ICE-lite server without sockets, on a virtual clock, and what it told: for the
 * unit tests, the consent simulation and the fuzzer.
 */
#ifndef SL_TESTS_LITE_WORLD_H
#define SL_TESTS_LITE_WORLD_H

#include "ice/ice_lite.h"
#include "stun_raw.h"
#include <arpa/inet.h>
#include <stdio.h>

#define WORLD_FD 5 /* stands for the worker's socket; nothing is written to it */

struct world_peer {
    struct sl_lite_agent *agent;
    struct sl_ice_creds creds;
    enum sl_ice_state state;
    unsigned int nstates;
    struct sl_ice_path path;
    unsigned int npaths;
    uint64_t state_us; /* when the last state came */
    struct world *world;
};

struct world {
    struct sl_wheel wheel;
    struct sl_ice_lite *lite;
    uint64_t now_us;
    uint32_t nr;
    /* The answer sent last, and how many. */
    uint8_t out[2048];
    size_t out_len;
    unsigned int nsent;
    struct sl_addr to, from;
    /* The connection that messages come on; NULL: UDP. It is only a name here. */
    struct sl_tcp *tcp;
    const struct sl_tcp *gone;
    unsigned int ngone;
};

static inline void world_on_send(void *arg, const struct sl_ice_path *path, const uint8_t *data,
                                 size_t len)
{
    struct world *w = arg;

    w->to = path->remote;
    w->from = path->local;
    w->out_len = len < sizeof(w->out) ? len : sizeof(w->out);
    memcpy(w->out, data, w->out_len);
    w->nsent++;
}

static inline void world_on_gone(void *arg, struct sl_tcp *tcp)
{
    struct world *w = arg;

    w->gone = tcp;
    w->ngone++;
}

static inline void world_on_state(void *user, enum sl_ice_state state)
{
    struct world_peer *p = user;

    p->state = state;
    p->nstates++;
    p->state_us = p->world->now_us;
}

static inline void world_on_path(void *user, const struct sl_ice_path *path)
{
    struct world_peer *p = user;

    p->path = *path;
    p->npaths++;
}

static inline int world_init(struct world *w)
{
    SL_ASSUME(worker);
    static const struct sl_ice_lite_cb cb = { world_on_send, world_on_gone, world_on_state,
                                              world_on_path };

    memset(w, 0, sizeof(*w));
    w->now_us = 1000000;
    sl_wheel_init(&w->wheel, w->now_us);
    return sl_ice_lite_create(&w->wheel, &cb, w, &w->lite);
}

static inline int world_peer_init(struct world *w, struct world_peer *p, const char *ufrag,
                                  const char *pwd)
{
    SL_ASSUME(worker);
    memset(p, 0, sizeof(*p));
    p->world = w;
    (void)snprintf(p->creds.ufrag, sizeof(p->creds.ufrag), "%s", ufrag);
    (void)snprintf(p->creds.pwd, sizeof(p->creds.pwd), "%s", pwd);
    return sl_lite_agent_create(w->lite, &p->creds, p, &p->agent);
}

/* Lets virtual time pass, 1 ms at a time where timers are due. */
static inline void world_run(struct world *w, uint64_t us)
{
    uint64_t end = w->now_us + us;

    while (w->now_us < end) {
        int ms = sl_wheel_timeout_ms(&w->wheel, w->now_us);
        uint64_t step = ms < 0 ? end - w->now_us : (uint64_t)ms * 1000;

        if (step == 0)
            step = 1000;
        w->now_us += step < end - w->now_us ? step : end - w->now_us;
        sl_wheel_run(&w->wheel, w->now_us);
    }
}

static inline struct sl_addr world_addr(const char *ip, uint16_t port)
{
    struct sl_addr a;

    memset(&a, 0, sizeof(a));
    if (strchr(ip, ':')) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(port);
        (void)inet_pton(AF_INET6, ip, &a.in6.sin6_addr);
    } else {
        a.in4.sin_family = AF_INET;
        a.in4.sin_port = htons(port);
        (void)inet_pton(AF_INET, ip, &a.in4.sin_addr);
    }
    return a;
}

/* Feeds one message from @from; the code of the answer: 200, 4xx, or 0 for none. */
static inline int world_input(struct world *w, const struct sl_addr *from, const void *data,
                              size_t len)
{
    SL_ASSUME(worker);
    struct sl_ice_path path = {
        .kind = w->tcp ? SL_ICE_PATH_TCP : SL_ICE_PATH_DIRECT,
        .fd = WORLD_FD,
        .tcp = w->tcp,
        .remote = *from,
        .local = world_addr(from->sa.sa_family == AF_INET6 ? "2001:db8::99" : "192.0.2.99", 10000)
    };
    unsigned int before = w->nsent;
    const uint8_t *v;
    size_t n;

    sl_ice_lite_input(w->lite, &path, data, len, w->now_us);
    if (w->nsent == before)
        return 0;
    if (sl_get16(w->out) == RAW_BINDING_SUCCESS)
        return 200;
    v = raw_find(w->out, w->out_len, RAW_ERROR_CODE, &n);
    return v && n >= 4 ? v[2] * 100 + v[3] : -1;
}

/* One authenticated check by the peer @them of @p's server side. */
static inline int world_check(struct world *w, const struct world_peer *p,
                              const struct sl_addr *from, uint32_t priority, bool nominate)
{
    char user[2 * SL_ICE_UFRAG_MAX + 2];
    struct raw_check c = { user, p->creds.pwd, priority, nominate, false };
    struct raw r;

    (void)snprintf(user, sizeof(user), "%s:them", p->creds.ufrag);
    raw_check_write(&r, &c, ++w->nr);
    return world_input(w, from, r.b, r.n);
}

#endif
