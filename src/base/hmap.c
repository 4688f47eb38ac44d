#include "base/hmap.h"
#include "base/rand.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HMAP_FIRST 16

static uint64_t seed[4];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_draw(void)
{
    sl_rand_bytes(seed, sizeof(seed));
}

/* 64 x 64 -> 128 bits, folded: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t sl_hash_bytes(const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t left = len;
    uint64_t h, w[2];

    pthread_once(&seed_once, seed_draw);
    h = seed[0];
    for (; left >= 16; left -= 16, p += 16) {
        memcpy(w, p, 16);
        h = mix(w[0] ^ seed[1], w[1] ^ h);
    }
    w[0] = w[1] = 0;
    if (left)
        memcpy(w, p, left);
    h = mix(w[0] ^ seed[1], w[1] ^ h);
    return mix(h ^ seed[2], len ^ seed[3]);
}

uint64_t sl_hash_u64(uint64_t v)
{
    pthread_once(&seed_once, seed_draw);
    return mix(mix(v ^ seed[0], seed[1] | 1) ^ seed[2], v ^ seed[3]);
}

void sl_hmap_init(struct sl_hmap *m)
{
    *m = (struct sl_hmap){ 0 };
}

void sl_hmap_fini(struct sl_hmap *m)
{
    free(m->buckets);
    sl_hmap_init(m);
}

static struct sl_hnode *same_hash(struct sl_hnode *n, uint64_t hash)
{
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

struct sl_hnode *sl_hmap_first(const struct sl_hmap *m, uint64_t hash)
{
    return m->nbuckets ? same_hash(m->buckets[hash & (m->nbuckets - 1)], hash) : NULL;
}

struct sl_hnode *sl_hmap_next(const struct sl_hnode *n)
{
    return same_hash(n->next, n->hash);
}

static void put(struct sl_hnode **buckets, size_t nbuckets, struct sl_hnode *n)
{
    struct sl_hnode **b = &buckets[n->hash & (nbuckets - 1)];

    n->next = *b;
    *b = n;
}

static int hmap_resize(struct sl_hmap *m, size_t nbuckets)
{
    struct sl_hnode **buckets = calloc(nbuckets, sizeof(struct sl_hnode *));

    if (!buckets)
        return -ENOMEM;
    for (size_t i = 0; i < m->nbuckets; i++) {
        struct sl_hnode *next;

        for (struct sl_hnode *n = m->buckets[i]; n; n = next) {
            next = n->next;
            put(buckets, nbuckets, n);
        }
    }
    free(m->buckets);
    m->buckets = buckets;
    m->nbuckets = nbuckets;
    return 0;
}

int sl_hmap_add(struct sl_hmap *m, struct sl_hnode *n, uint64_t hash)
{
    if (m->count >= m->nbuckets) {
        int err = hmap_resize(m, m->nbuckets ? 2 * m->nbuckets : HMAP_FIRST);

        /* A map that has buckets works on, with longer chains. */
        if (err && !m->nbuckets)
            return err;
    }
    n->hash = hash;
    put(m->buckets, m->nbuckets, n);
    m->count++;
    return 0;
}

void sl_hmap_del(struct sl_hmap *m, struct sl_hnode *n)
{
    struct sl_hnode **p = &m->buckets[n->hash & (m->nbuckets - 1)];

    while (*p != n)
        p = &(*p)->next;
    *p = n->next;
    n->next = NULL;
    m->count--;
}
