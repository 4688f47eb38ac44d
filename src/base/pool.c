#include "base/pool.h"
#include <stdint.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_POISONS 1
#endif
#endif

#ifdef POOL_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* What a free block holds; the rest of it is poisoned in builds with the address sanitizer. */
struct block {
    struct block *next;
};

#define SLAB_HEADER 64

void sl_pool_init(struct sl_pool *p, size_t bsize, size_t per_slab, size_t limit)
{
    if (bsize < sizeof(struct block))
        bsize = sizeof(struct block);
    p->bsize = (bsize + 15) & ~(size_t)15;
    p->per_slab = per_slab ? per_slab : 1;
    p->limit = limit;
    p->total = p->used = 0;
    p->free = p->slabs = NULL;
    atomic_init(&p->remote, NULL);
}

void sl_pool_fini(struct sl_pool *p)
{
    void *next;

    for (void *slab = p->slabs; slab; slab = next) {
        next = *(void **)slab;
        free(slab); /* unpoisons what it holds */
    }
    p->slabs = p->free = NULL;
    p->total = p->used = 0;
    atomic_store(&p->remote, NULL);
}

static void block_close(const struct sl_pool *p, void *b)
{
    ASAN_POISON_MEMORY_REGION((char *)b + sizeof(struct block), p->bsize - sizeof(struct block));
}

static void pool_link(struct sl_pool *p, void *b)
{
    ((struct block *)b)->next = p->free;
    p->free = b;
}

static void pool_drain(struct sl_pool *p)
{
    struct block *next;

    for (struct block *b = atomic_exchange(&p->remote, NULL); b; b = next) {
        next = b->next;
        pool_link(p, b);
        p->used--;
    }
}

static void pool_add_slab(struct sl_pool *p)
{
    size_t n = p->limit - p->total < p->per_slab ? p->limit - p->total : p->per_slab;
    size_t size;
    char *slab;

    if (!n || n > (SIZE_MAX / 2 - SLAB_HEADER) / p->bsize)
        return;
    size = (SLAB_HEADER + n * p->bsize + 63) & ~(size_t)63;
    slab = aligned_alloc(64, size);
    if (!slab)
        return;
    *(void **)slab = p->slabs;
    p->slabs = slab;
    p->total += n;
    while (n--) {
        char *b = slab + SLAB_HEADER + n * p->bsize;

        pool_link(p, b);
        block_close(p, b);
    }
}

void *sl_pool_get(struct sl_pool *p)
{
    struct block *b;

    if (!p->free)
        pool_drain(p);
    if (!p->free)
        pool_add_slab(p);
    b = p->free;
    if (!b)
        return NULL;
    p->free = b->next;
    __builtin_prefetch(p->free, 1); /* the next one will be asked for soon */
    p->used++;
    ASAN_UNPOISON_MEMORY_REGION(b, p->bsize);
    return b;
}

void sl_pool_put(struct sl_pool *p, void *b)
{
    if (!b)
        return;
    pool_link(p, b);
    block_close(p, b);
    p->used--;
}

void sl_pool_put_remote(struct sl_pool *p, void *b)
{
    struct block *n = b;
    void *top;

    if (!b)
        return;
    block_close(p, b);
    top = atomic_load(&p->remote);
    do
        n->next = top;
    while (!atomic_compare_exchange_weak(&p->remote, &top, b));
}
