/*
 * mini_turn.h - as much of a TURN server (RFC 8656) as a libnice client needs, on loopback, IPv4,
 * in a thread of its own. It asks for long-term credentials, but lets every peer through: so a test
 * decides by what it tells the peers whether anything may go around the relay.
 */
#ifndef SL_TESTS_MINI_TURN_H
#define SL_TESTS_MINI_TURN_H

#include "net/net_addr.h"
#include "stun_raw.h"
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define TURN_CLIENTS 8
#define TURN_REALM   "test.invalid"

struct turn_client {
    struct sl_addr addr;
    int fd; /* the relayed address; -1: none */
    uint16_t channel;
    struct sl_addr channel_peer;
};

struct turn {
    int fd;
    struct sl_addr addr;
    uint8_t key[16];
    struct turn_client client[TURN_CLIENTS];
    pthread_t thread;
    atomic_bool ends;
    atomic_uint nallocated, nreleased, nrelayed;
};

static inline int turn_socket(struct sl_addr *out)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(out->in4);

    memset(out, 0, sizeof(*out));
    out->in4.sin_family = AF_INET;
    out->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, &out->sa, len) || getsockname(fd, &out->sa, &len)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static inline void turn_add_addr(struct raw *r, uint16_t type, const struct sl_addr *a)
{
    uint8_t v[8] = { 0, 1 };

    sl_put16(v + 2, (uint16_t)(sl_addr_port(a) ^ 0x2112));
    sl_put32(v + 4, ntohl(a->in4.sin_addr.s_addr) ^ 0x2112A442);
    raw_attr(r, type, v, sizeof(v));
}

static inline bool turn_get_addr(const uint8_t *b, size_t n, struct sl_addr *out)
{
    size_t len;
    const uint8_t *v = raw_find(b, n, 0x0012, &len);

    if (!v || len != 8 || v[1] != 1)
        return false;
    memset(out, 0, sizeof(*out));
    out->in4.sin_family = AF_INET;
    out->in4.sin_port = htons((uint16_t)(sl_get16(v + 2) ^ 0x2112));
    out->in4.sin_addr.s_addr = htonl(sl_get32(v + 4) ^ 0x2112A442);
    return true;
}

static inline struct turn_client *turn_find(struct turn *t, const struct sl_addr *addr)
{
    struct turn_client *unused = NULL;

    for (size_t i = 0; i < TURN_CLIENTS; i++) {
        if (t->client[i].fd >= 0 && sl_addr_is_equal(&t->client[i].addr, addr))
            return &t->client[i];
        if (t->client[i].fd < 0)
            unused = &t->client[i];
    }
    return unused;
}

static inline void turn_send(const struct turn *t, const struct sl_addr *to, const void *data,
                             size_t len)
{
    (void)!sendto(t->fd, data, len, 0, &to->sa, sl_addr_len(to));
}

static inline void turn_refuse(struct turn *t, const uint8_t *b, const struct sl_addr *from)
{
    static const uint8_t unauthorized[] = { 0, 0, 4, 1 };
    struct raw r;

    raw_init(&r, (uint16_t)(sl_get16(b) | 0x0110), b + 8);
    raw_attr(&r, RAW_ERROR_CODE, unauthorized, sizeof(unauthorized));
    raw_attr(&r, 0x0014, TURN_REALM, strlen(TURN_REALM));
    raw_attr(&r, 0x0015, "nonce", 5);
    turn_send(t, from, r.b, r.n);
}

static inline void turn_on_request(struct turn *t, struct turn_client *c, const uint8_t *b,
                                   size_t n, const struct sl_addr *from)
{
    uint16_t type = sl_get16(b);
    const uint8_t *v;
    struct sl_addr a;
    struct raw r;
    size_t len;

    if (!raw_find(b, n, RAW_INTEGRITY, &len)) {
        turn_refuse(t, b, from);
        return;
    }
    raw_init(&r, (uint16_t)(type | 0x0100), b + 8);
    switch (type) {
    case 0x0003: /* Allocate */
        if (c->fd < 0) {
            c->addr = *from;
            c->channel = 0;
            c->fd = turn_socket(&a);
            t->nallocated++;
        } else {
            (void)getsockname(c->fd, &a.sa, &(socklen_t){ sizeof(a) });
        }
        turn_add_addr(&r, 0x0016, &a);
        turn_add_addr(&r, RAW_XOR_MAPPED, from);
        raw_attr32(&r, 0x000d, 600);
        break;
    case 0x0004: /* Refresh */
        v = raw_find(b, n, 0x000d, &len);
        raw_attr32(&r, 0x000d, v ? sl_get32(v) : 600);
        if (v && sl_get32(v) == 0 && c->fd >= 0) {
            close(c->fd);
            c->fd = -1;
            t->nreleased++;
        }
        break;
    case 0x0009: /* ChannelBind */
        v = raw_find(b, n, 0x000c, &len);
        if (v && len >= 2 && turn_get_addr(b, n, &c->channel_peer))
            c->channel = sl_get16(v);
        break;
    default: /* CreatePermission */
        break;
    }
    raw_integrity_key(&r, t->key, sizeof(t->key));
    turn_send(t, from, r.b, r.n);
}

static inline void turn_on_client(struct turn *t)
{
    struct sl_addr from = { 0 }, peer;
    socklen_t from_len = sizeof(from.in4);
    struct turn_client *c;
    const uint8_t *v;
    uint8_t b[2048];
    size_t len;
    ssize_t n = recvfrom(t->fd, b, sizeof(b), 0, &from.sa, &from_len);

    c = turn_find(t, &from);
    if (n < 4 || !c)
        return;
    if (b[0] >= 0x40) { /* ChannelData */
        len = sl_get16(b + 2);
        if (c->fd < 0 || len > (size_t)n - 4 || sl_get16(b) != c->channel)
            return;
        t->nrelayed++;
        (void)!sendto(c->fd, b + 4, len, 0, &c->channel_peer.sa, sl_addr_len(&c->channel_peer));
    } else if (sl_get16(b) == 0x0016) { /* Send */
        v = raw_find(b, (size_t)n, 0x0013, &len);
        if (!v || c->fd < 0 || !turn_get_addr(b, (size_t)n, &peer))
            return;
        t->nrelayed++;
        (void)!sendto(c->fd, v, len, 0, &peer.sa, sl_addr_len(&peer));
    } else if (n >= 20) {
        turn_on_request(t, c, b, (size_t)n, &from);
    }
}

static inline void turn_on_peer(struct turn *t, struct turn_client *c)
{
    static const uint8_t tid[12] = { 1 };
    struct sl_addr from = { 0 };
    socklen_t from_len = sizeof(from.in4);
    uint8_t b[1500];
    ssize_t n = recvfrom(c->fd, b + 4, sizeof(b) - 4, 0, &from.sa, &from_len);
    struct raw r;

    if (n < 0)
        return;
    if (c->channel && sl_addr_is_equal(&c->channel_peer, &from)) {
        sl_put16(b, c->channel);
        sl_put16(b + 2, (uint16_t)n);
        turn_send(t, &c->addr, b, (size_t)n + 4);
        return;
    }
    raw_init(&r, 0x0017, tid); /* Data */
    turn_add_addr(&r, 0x0012, &from);
    raw_attr(&r, 0x0013, b + 4, (size_t)n);
    turn_send(t, &c->addr, r.b, r.n);
}

static inline void *turn_main(void *arg)
{
    struct turn *t = arg;

    while (!t->ends) {
        struct pollfd p[1 + TURN_CLIENTS] = { { t->fd, POLLIN, 0 } };

        for (size_t i = 0; i < TURN_CLIENTS; i++)
            p[1 + i] = (struct pollfd){ t->client[i].fd, POLLIN, 0 };
        if (poll(p, 1 + TURN_CLIENTS, 20) <= 0)
            continue;
        for (size_t i = 0; i < TURN_CLIENTS; i++)
            if (p[1 + i].revents)
                turn_on_peer(t, &t->client[i]);
        if (p[0].revents)
            turn_on_client(t);
    }
    return NULL;
}

static inline int turn_open(struct turn *t, const char *user, const char *password)
{
    char text[256];

    memset(t, 0, sizeof(*t));
    for (size_t i = 0; i < TURN_CLIENTS; i++)
        t->client[i].fd = -1;
    (void)snprintf(text, sizeof(text), "%s:%s:%s", user, TURN_REALM, password);
    t->fd = turn_socket(&t->addr);
    if (t->fd < 0 || !EVP_Digest(text, strlen(text), t->key, NULL, EVP_md5(), NULL))
        return -1;
    return pthread_create(&t->thread, NULL, turn_main, t);
}

static inline void turn_close(struct turn *t)
{
    t->ends = true;
    (void)pthread_join(t->thread, NULL);
    for (size_t i = 0; i < TURN_CLIENTS; i++)
        if (t->client[i].fd >= 0)
            close(t->client[i].fd);
    close(t->fd);
}

#endif
