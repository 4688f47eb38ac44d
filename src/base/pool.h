/*
 * pool.h - fixed-size blocks for one owner thread; any thread may give blocks back.
 *
 * The owner allocates and frees without atomics; other threads free through a lock-free stack that
 * the owner drains when its own list is empty. Memory comes in slabs and stays until fini. A limit
 * bounds what hostile traffic can take: beyond it, get fails and the caller drops and counts.
 * Builds with the address sanitizer poison what is free, so that a use after put is found.
 */
#ifndef SL_BASE_POOL_H
#define SL_BASE_POOL_H

#include <stdatomic.h>
#include <stddef.h>

struct sl_pool {
    size_t bsize;
    size_t per_slab;
    size_t limit; /* blocks */
    size_t total; /* blocks ever made */
    size_t used;  /* owner's view: taken minus given back (remote ones counted when drained) */
    void *free;
    void *slabs;
    char pad0[64]; /* other threads write the next word */
    _Atomic(void *) remote;
    char pad1[64];
};

/* @bsize at least sizeof(void *), rounded up to a multiple of 16. */
void sl_pool_init(struct sl_pool *p, size_t bsize, size_t per_slab, size_t limit);
void sl_pool_fini(struct sl_pool *p);

void *sl_pool_get(struct sl_pool *p);                /* owner; NULL at the limit or out of memory */
void sl_pool_put(struct sl_pool *p, void *b);        /* owner */
void sl_pool_put_remote(struct sl_pool *p, void *b); /* any other thread */

#endif
