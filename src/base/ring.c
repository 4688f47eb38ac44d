#include "base/ring.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int sl_ring_init(struct sl_ring *r, size_t capacity, size_t esize)
{
    size_t cap = 2;
    uint8_t *data;

    assert(esize);
    while (cap < capacity && cap <= SIZE_MAX / 4)
        cap *= 2;
    if (cap < capacity || cap > SIZE_MAX / 4 / esize)
        return -ENOMEM;
    data = calloc(cap, esize);
    if (!data)
        return -ENOMEM;
    r->data = data;
    r->esize = esize;
    r->mask = cap - 1;
    r->staged = r->head_seen = 0;
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    return 0;
}

void sl_ring_fini(struct sl_ring *r)
{
    free(r->data);
    r->data = NULL;
}

void *sl_ring_stage(struct sl_ring *r)
{
    if (r->staged - r->head_seen > r->mask) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (r->staged - r->head_seen > r->mask)
            return NULL;
    }
    return r->data + (r->staged++ & r->mask) * r->esize;
}

size_t sl_ring_publish(struct sl_ring *r)
{
    size_t n = r->staged - atomic_load_explicit(&r->tail, memory_order_relaxed);

    /* seq_cst: the door's flag is read after this store, see door.h. */
    if (n)
        atomic_store(&r->tail, r->staged);
    return n;
}

void *sl_ring_peek(struct sl_ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head == atomic_load(&r->tail))
        return NULL;
    return r->data + (head & r->mask) * r->esize;
}

void sl_ring_pop(struct sl_ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}
