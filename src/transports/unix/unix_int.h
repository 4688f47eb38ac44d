/*
 * unix_int.h - what the files of transports/unix/ share. Thread: the Unix socket thread.
 */
#ifndef SL_TRANSPORTS_UNIX_INT_H
#define SL_TRANSPORTS_UNIX_INT_H

#include "base/hmap.h"
#include "base/list.h"
#include "base/role.h"
#include "transports/unix/unix.h"
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define UNIX_SOCKETS 2

/* One socket file. */
struct unix_socket {
    int fd; /* -1: none */
    bool admin;
    const char *path;
    struct stat file; /* as it was made, so that only ours is removed */
};

struct unix_counters {
    atomic_uint_fast64_t open, opened, refused, slow_closed, dropped, bad_json;
};

struct unix_loop {
    int ep;
    bool stopping;
    uint64_t now_us; /* of this turn */
    uint64_t probe_us;
    sl_conn next_id;
    const struct sl_tcore *core;
    struct sl_unix_conf conf;
    struct unix_socket socks[UNIX_SOCKETS];
    struct sl_hmap by_id, by_address; /* the latter: datagrams */
    struct sl_list clients;
    unsigned int nclients;
    bool retry; /* a datagram found its receiver full */
    char *buf;  /* one message and a byte */
    struct unix_counters *count;
};

struct unix_text {
    struct sl_list link;
    char *text; /* owned, from jansson */
    size_t len;
};

struct unix_client {
    struct sl_hnode node, address_node;
    struct sl_list link; /* unix_loop.clients */
    struct unix_loop *loop;
    struct unix_socket *sock;
    sl_conn id;
    int fd; /* its connection; -1: it sends datagrams */
    struct sockaddr_un address;
    socklen_t address_len;
    struct sl_list queue; /* struct unix_text */
    size_t queued;
    unsigned int inflight;
    uint32_t events; /* what epoll watches */
    bool broken;     /* nothing can be read or written any more */
};

/* unix_socket.c: opens @path, and says in @err why it cannot. 0 or -errno. */
int unix_socket_open(struct unix_socket *s, const struct sl_unix_conf *conf, char *err, size_t cap);
void unix_socket_close(struct unix_socket *s);
/* A message is as long as the send buffer at most: as large as the kernel lets us. */
void unix_socket_widen(int fd);

/* unix_client.c; functions that say so may destroy @c. */
void unix_accept(struct unix_loop *loop, struct unix_socket *s) SL_ON_TRANSPORT;
void unix_datagrams(struct unix_loop *loop, struct unix_socket *s) SL_ON_TRANSPORT;
struct unix_client *unix_client_find(const struct unix_loop *loop, sl_conn id) SL_ON_TRANSPORT;
void unix_client_on_io(struct unix_client *c, uint32_t events) SL_ON_TRANSPORT; /* may destroy */
/* Takes @text. */
void unix_client_send(struct unix_client *c, char *text) SL_ON_TRANSPORT;
/* Writes what is queued, watches what is to come; may destroy. */
void unix_client_settle(struct unix_client *c) SL_ON_TRANSPORT;
void unix_client_destroy(struct unix_client *c) SL_ON_TRANSPORT;
/* Ends those whose address is gone. */
void unix_clients_probe(struct unix_loop *loop) SL_ON_TRANSPORT;

#endif
