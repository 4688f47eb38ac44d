/*
 * load_loop.h - the one epoll loop of the load generator.
 *
 * Thread: one, which plays a worker (sl_role_worker), since peers use the DTLS and SRTP of the
 *         server. Nothing is destroyed inside a `ready` callback: mark it, and destroy it between
 *         turns.
 */
#ifndef TESTS_LOAD_LOOP_H
#define TESTS_LOAD_LOOP_H

#include "base/role.h"
#include <stdint.h>

/* Whoever owns a socket embeds one. */
struct load_io {
    void (*ready)(struct load_io *io, uint32_t events);
};

struct load_loop {
    int epfd;
};

int load_loop_init(struct load_loop *l); /* 0 or -errno */
void load_loop_fini(struct load_loop *l);

/* @events: EPOLLIN and so on. A closed fd leaves by itself. 0 or -errno. */
int load_loop_add(struct load_loop *l, int fd, struct load_io *io, uint32_t events);
int load_loop_change(struct load_loop *l, int fd, struct load_io *io, uint32_t events);

/* Waits for at most @wait_us and serves what is ready. */
void load_loop_turn(struct load_loop *l, uint64_t wait_us) SL_ON_WORKER;

#endif
