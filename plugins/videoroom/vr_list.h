/*
 * vr_list.h - intrusive circular list. The owner of the head owns the links.
 */
#ifndef VR_LIST_H
#define VR_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct vr_link {
    struct vr_link *next, *prev;
};

#define vr_container(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void vr_list_init(struct vr_link *l)
{
    l->next = l->prev = l;
}

static inline bool vr_list_is_empty(const struct vr_link *l)
{
    return l->next == l;
}

static inline void vr_list_add(struct vr_link *head, struct vr_link *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

/* Harmless when @l is in no list (initialised or removed already). */
static inline void vr_list_del(struct vr_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->next = l->prev = l;
}

#define vr_list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

#endif
