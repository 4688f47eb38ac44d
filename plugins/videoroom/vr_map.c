#include "vr_map.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static void sip_rounds(struct sip *s, int n)
{
    while (n-- > 0) {
        s->v0 += s->v1;
        s->v1 = rotl(s->v1, 13) ^ s->v0;
        s->v0 = rotl(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotl(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotl(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotl(s->v1, 17) ^ s->v2;
        s->v2 = rotl(s->v2, 32);
    }
}

static uint64_t sip_hash(uint64_t k0, uint64_t k1, const char *key)
{
    struct sip s = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u };
    const size_t len = strlen(key);
    uint64_t word;
    size_t i;

    for (i = 0; i + 8 <= len; i += 8) {
        memcpy(&word, key + i, 8);
        s.v3 ^= word;
        sip_rounds(&s, 2);
        s.v0 ^= word;
    }
    word = (uint64_t)len << 56;
    for (size_t k = i; k < len; k++)
        word |= (uint64_t)(unsigned char)key[k] << (8 * (k - i));
    s.v3 ^= word;
    sip_rounds(&s, 2);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

int vr_map_init(struct vr_map *m, uint64_t k0, uint64_t k1)
{
    *m = (struct vr_map){ .nbuckets = 16, .k0 = k0, .k1 = k1 };
    m->buckets = calloc(m->nbuckets, sizeof(*m->buckets));
    return m->buckets ? 0 : -ENOMEM;
}

void vr_map_fini(struct vr_map *m)
{
    free(m->buckets);
    m->buckets = NULL;
}

static struct vr_node **bucket(const struct vr_map *m, uint64_t hash)
{
    return &m->buckets[hash & (m->nbuckets - 1)];
}

struct vr_node *vr_map_get(const struct vr_map *m, const char *key)
{
    const uint64_t hash = sip_hash(m->k0, m->k1, key);
    struct vr_node *n = *bucket(m, hash);

    while (n && (n->hash != hash || strcmp(n->key, key) != 0))
        n = n->next;
    return n;
}

static void grow(struct vr_map *m)
{
    struct vr_map bigger = *m;

    bigger.nbuckets = m->nbuckets * 2;
    bigger.buckets = calloc(bigger.nbuckets, sizeof(*bigger.buckets));
    if (!bigger.buckets)
        return;
    for (size_t i = 0; i < m->nbuckets; i++)
        for (struct vr_node *n = m->buckets[i], *next; n; n = next) {
            struct vr_node **b = bucket(&bigger, n->hash);

            next = n->next;
            n->next = *b;
            *b = n;
        }
    free(m->buckets);
    *m = bigger;
}

void vr_map_add(struct vr_map *m, struct vr_node *node, const char *key)
{
    struct vr_node **b;

    if (m->n >= m->nbuckets)
        grow(m);
    node->key = key;
    node->hash = sip_hash(m->k0, m->k1, key);
    b = bucket(m, node->hash);
    node->next = *b;
    *b = node;
    m->n++;
}

void vr_map_del(struct vr_map *m, struct vr_node *node)
{
    struct vr_node **p = bucket(m, node->hash);

    while (*p != node)
        p = &(*p)->next;
    *p = node->next;
    m->n--;
}
