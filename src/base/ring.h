/*
 * ring.h - single-producer single-consumer ring of fixed-size entries, published in batches.
 *
 * The producer stages entries and publishes them once per turn; the consumer takes a run and
 * releases it. No locks, no allocation after creation.
 */
#ifndef SL_BASE_RING_H
#define SL_BASE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct sl_ring {
    uint8_t *data;
    size_t esize;
    size_t mask; /* capacity - 1 */
    /* Producer's. Padding keeps the threads' words on cache lines of their own; alignment would
     * bind every struct that embeds a ring to aligned_alloc. */
    char pad0[64];
    size_t staged; /* next index to stage */
    size_t head_seen;
    /* Shared. */
    char pad1[64];
    atomic_size_t tail; /* published by the producer */
    char pad2[64];
    atomic_size_t head; /* released by the consumer */
    char pad3[64];
};

/* @capacity is rounded up to a power of two. 0 or -ENOMEM. */
int sl_ring_init(struct sl_ring *r, size_t capacity, size_t esize);
void sl_ring_fini(struct sl_ring *r);

/* Producer: room for one more staged entry, or NULL when the ring is full. */
void *sl_ring_stage(struct sl_ring *r);
/* Producer: makes the staged entries visible; returns how many there were. */
size_t sl_ring_publish(struct sl_ring *r);

/* Consumer: the next entry, or NULL; then sl_ring_pop releases it. */
void *sl_ring_peek(struct sl_ring *r);
void sl_ring_pop(struct sl_ring *r);

#endif
