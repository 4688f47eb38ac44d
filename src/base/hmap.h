/*
 * hmap.h - intrusive hash map: the entry embeds its node, the map allocates only its bucket array.
 *
 * Owner: whoever embeds struct sl_hmap; not thread safe. Hashes are keyed per process (SipHash is
 * not needed: keys that a peer chooses are hashed with a random seed), so that nobody outside can
 * choose colliding keys. Control-side maps use GLib or jansson instead.
 */
#ifndef SL_BASE_HMAP_H
#define SL_BASE_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_hnode {
    struct sl_hnode *next;
    uint64_t hash;
};

struct sl_hmap {
    struct sl_hnode **buckets;
    size_t nbuckets; /* power of two, or 0 before the first insertion */
    size_t count;
};

void sl_hmap_init(struct sl_hmap *m);
void sl_hmap_fini(struct sl_hmap *m); /* frees the buckets; entries stay their owners' */

/* Seeded hash of @len bytes. Stable within the process. */
uint64_t sl_hash_bytes(const void *data, size_t len);
uint64_t sl_hash_u64(uint64_t v);

/* First node with @hash, then the next one with the same hash; the caller compares its key. */
struct sl_hnode *sl_hmap_first(const struct sl_hmap *m, uint64_t hash);
struct sl_hnode *sl_hmap_next(const struct sl_hnode *n);

/* 0 or -ENOMEM. Does not look for duplicates. */
int sl_hmap_add(struct sl_hmap *m, struct sl_hnode *n, uint64_t hash);
/* @n must be in @m. */
void sl_hmap_del(struct sl_hmap *m, struct sl_hnode *n);

#endif
