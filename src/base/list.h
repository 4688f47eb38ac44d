/*
 * list.h - intrusive circular list. Not thread safe; the owner of the head owns the links.
 */
#ifndef SL_BASE_LIST_H
#define SL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct sl_list {
    struct sl_list *next, *prev;
};

#define sl_container(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void sl_list_init(struct sl_list *l)
{
    l->next = l->prev = l;
}

static inline bool sl_list_is_empty(const struct sl_list *l)
{
    return l->next == l;
}

/* Adds @n at the end of @head. */
static inline void sl_list_add(struct sl_list *head, struct sl_list *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

/* Removes @n from its list; harmless when it is in none (initialised or already removed). */
static inline void sl_list_del(struct sl_list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->next = n->prev = n;
}

#define sl_list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define sl_list_for_each_safe(pos, tmp, head)                                                      \
    for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head);                               \
         (pos) = (tmp), (tmp) = (pos)->next)

#endif
