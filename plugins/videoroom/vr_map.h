/*
 * vr_map.h - finds rooms and members by the text of their id.
 *
 * Clients choose ids, so the hash is keyed (SipHash-2-4) with random numbers of this process.
 * Intrusive: a node lives in its object; the key is borrowed and must outlive the membership.
 */
#ifndef VR_MAP_H
#define VR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vr_node {
    struct vr_node *next;
    const char *key;
    uint64_t hash;
};

struct vr_map {
    struct vr_node **buckets;
    size_t nbuckets; /* a power of two */
    size_t n;
    uint64_t k0, k1;
};

/* 0 or -ENOMEM. */
int vr_map_init(struct vr_map *m, uint64_t k0, uint64_t k1);
void vr_map_fini(struct vr_map *m);
struct vr_node *vr_map_get(const struct vr_map *m, const char *key);
/* @key must not be there yet. Never fails: without memory the chains grow longer. */
void vr_map_add(struct vr_map *m, struct vr_node *node, const char *key);
/* @node must be there. */
void vr_map_del(struct vr_map *m, struct vr_node *node);

#endif
