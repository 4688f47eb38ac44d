#include "base/mailbox.h"
#include <stddef.h>

void sl_mailbox_init(struct sl_mailbox *b, struct sl_door *door)
{
    atomic_init(&b->top, NULL);
    b->door = door;
}

void sl_mailbox_post(struct sl_mailbox *b, struct sl_mail *m)
{
    /* Read now: after the push, @b may be gone with the message that ended its receiver. */
    struct sl_door *door = b->door;
    struct sl_mail *top = atomic_load(&b->top);

    do
        m->next = top;
    while (!atomic_compare_exchange_weak(&b->top, &top, m));
    if (door)
        sl_door_ring(door);
}

struct sl_mail *sl_mailbox_take(struct sl_mailbox *b)
{
    struct sl_mail *m = atomic_exchange(&b->top, NULL), *next, *first = NULL;

    for (; m; m = next) {
        next = m->next;
        m->next = first;
        first = m;
    }
    return first;
}

bool sl_mailbox_is_empty(const struct sl_mailbox *b)
{
    return !atomic_load(&b->top);
}
