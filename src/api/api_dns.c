#include "api/api_dns.h"

#include "base/list.h"
#include "ice/ice_stun_ask.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 253 /* RFC 1035 section 2.3.4, as text */

/* What outlives the owner while lookups run. */
struct shared {
    pthread_mutex_t lock;
    struct sl_cq *cq; /* NULL: nobody wants results */
    unsigned int refs;
};

struct sl_dns {
    struct shared *shared;
    void (*run)(sl_dns_fn fn, void *arg, int err, const char *ip);
    struct sl_list lookups;
    unsigned int n;
    uint64_t last_id;
};

/* One lookup as control knows it. */
struct pending {
    struct sl_list link;
    struct sl_dns *dns;
    uint64_t id;
    sl_dns_fn fn;
    void *arg;
};

/* The same as its thread knows it; comes back as a message. */
struct lookup {
    struct sl_cq_mail cq;
    struct shared *shared;
    struct sl_dns *dns; /* read by control only */
    uint64_t id;
    int family;
    char host[HOST_MAX + 1];
    uint16_t stun_port, local_port; /* stun_port 0: the address is all that is wanted */
    int err;
    char ip[SL_ADDR_TEXT_MAX];
};

static void shared_unref(struct shared *s)
{
    unsigned int left;

    pthread_mutex_lock(&s->lock);
    left = --s->refs;
    pthread_mutex_unlock(&s->lock);
    if (left)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct pending *pending_find(const struct sl_dns *d, uint64_t id)
{
    struct sl_list *pos;

    sl_list_for_each (pos, &d->lookups) {
        struct pending *p = sl_container(pos, struct pending, link);

        if (p->id == id)
            return p;
    }
    return NULL;
}

static void pending_free(struct pending *p)
{
    sl_list_del(&p->link);
    free(p);
}

static void take_result(struct sl_cq_mail *m)
{
    struct lookup *l = sl_container(m, struct lookup, cq);
    struct pending *p;
    bool wanted;

    SL_ASSUME(control);
    pthread_mutex_lock(&l->shared->lock);
    wanted = l->shared->cq != NULL;
    pthread_mutex_unlock(&l->shared->lock);
    if (wanted) { /* else the owner is gone */
        l->dns->n--;
        p = pending_find(l->dns, l->id);
        if (p) {
            struct pending copy = *p;

            pending_free(p);
            l->dns->run(copy.fn, copy.arg, l->err, l->err ? NULL : l->ip); /* may destroy it */
        }
    }
    shared_unref(l->shared);
    free(l);
}

/* What is wanted of the address of the host. */
static void take_address(struct lookup *l, struct sl_addr *a)
{
    struct sl_addr seen;

    l->err = 0;
    if (!l->stun_port) {
        (void)sl_addr_format_ip(a, l->ip);
        return;
    }
    sl_addr_set_port(a, l->stun_port);
    l->err = sl_stun_ask(a, l->local_port, &seen);
    if (!l->err)
        (void)sl_addr_format(&seen, l->ip);
}

static void look_up(struct lookup *l)
{
    struct addrinfo hints = { .ai_family = l->family, .ai_socktype = SOCK_DGRAM }, *list = NULL;
    struct sl_addr a;

    l->err = -ENOENT;
    if (getaddrinfo(l->host, NULL, &hints, &list))
        return;
    for (struct addrinfo *i = list; i; i = i->ai_next)
        if (sl_addr_from_sockaddr(i->ai_addr, i->ai_addrlen, &a) == 0) {
            take_address(l, &a);
            break;
        }
    freeaddrinfo(list);
}

static void *lookup_main(void *arg)
{
    struct lookup *l = arg;
    struct shared *s = l->shared;
    bool posted;

    look_up(l);
    pthread_mutex_lock(&s->lock); /* the queue stays there while it is held */
    posted = s->cq != NULL;
    if (posted)
        sl_cq_post(s->cq, &l->cq);
    pthread_mutex_unlock(&s->lock);
    if (!posted) {
        shared_unref(s);
        free(l);
    }
    return NULL;
}

int sl_dns_create(struct sl_cq *cq, void (*run)(sl_dns_fn fn, void *arg, int err, const char *ip),
                  struct sl_dns **out)
{
    struct sl_dns *d = calloc(1, sizeof(*d));
    struct shared *s = calloc(1, sizeof(*s));

    if (!d || !s) {
        free(d);
        free(s);
        return -ENOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->cq = cq;
    s->refs = 1;
    d->shared = s;
    d->run = run;
    sl_list_init(&d->lookups);
    *out = d;
    return 0;
}

void sl_dns_destroy(struct sl_dns *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->shared->lock);
    d->shared->cq = NULL;
    pthread_mutex_unlock(&d->shared->lock);
    while (!sl_list_is_empty(&d->lookups))
        pending_free(sl_container(d->lookups.next, struct pending, link));
    shared_unref(d->shared);
    free(d);
}

static int start_thread(struct lookup *l)
{
    pthread_attr_t attr;
    pthread_t thread;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    err = pthread_create(&thread, &attr, lookup_main, l);
    pthread_attr_destroy(&attr);
    return -err;
}

/* The address, if @host is one. */
static bool is_address(const char *host, int family, int *err, char ip[SL_ADDR_TEXT_MAX])
{
    struct sl_addr a;

    if (sl_addr_from_ip(host, 0, &a) < 0)
        return false;
    sl_addr_unmap(&a);
    *err = family == AF_UNSPEC || sl_addr_family(&a) == family ? 0 : -ENOENT;
    (void)sl_addr_format_ip(&a, ip);
    return true;
}

/* Steals @l, whose host and wishes are set. */
static int start(struct sl_dns *d, struct lookup *l, sl_dns_fn fn, void *arg, uint64_t *id)
{
    struct pending *p = calloc(1, sizeof(*p));
    int err;

    if (!p) {
        free(l);
        return -ENOMEM;
    }
    *p = (struct pending){ .dns = d, .id = ++d->last_id, .fn = fn, .arg = arg };
    l->cq.fn = take_result;
    l->shared = d->shared;
    l->dns = d;
    l->id = p->id;
    *id = p->id;
    pthread_mutex_lock(&d->shared->lock);
    d->shared->refs++;
    pthread_mutex_unlock(&d->shared->lock);
    err = start_thread(l);
    if (err) {
        shared_unref(l->shared);
        free(p);
        free(l);
        *id = 0;
        return -EAGAIN;
    }
    sl_list_add(&d->lookups, &p->link);
    d->n++;
    return 0;
}

static bool is_name(const char *host)
{
    return *host && strlen(host) <= HOST_MAX;
}

int sl_dns_resolve(struct sl_dns *d, const char *host, int family, sl_dns_fn fn, void *arg,
                   uint64_t *id)
{
    char ip[SL_ADDR_TEXT_MAX];
    struct lookup *l;
    int err = -ENOENT;

    *id = 0;
    if (is_address(host, family, &err, ip) || !is_name(host)) {
        fn(arg, err, err ? NULL : ip);
        return 0;
    }
    if (d->n >= SL_DNS_MAX)
        return -EAGAIN;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->family = family;
    snprintf(l->host, sizeof(l->host), "%s", host);
    return start(d, l, fn, arg, id);
}

int sl_dns_ask_stun(struct sl_dns *d, const char *host, uint16_t port, uint16_t local_port,
                    sl_dns_fn fn, void *arg, uint64_t *id)
{
    struct lookup *l;

    *id = 0;
    if (!is_name(host) || !port)
        return -EINVAL;
    if (d->n >= SL_DNS_MAX)
        return -EAGAIN;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->family = AF_UNSPEC;
    l->stun_port = port;
    l->local_port = local_port;
    snprintf(l->host, sizeof(l->host), "%s", host);
    return start(d, l, fn, arg, id);
}

void sl_dns_cancel(struct sl_dns *d, uint64_t id)
{
    struct pending *p = pending_find(d, id);

    if (p)
        pending_free(p);
}
