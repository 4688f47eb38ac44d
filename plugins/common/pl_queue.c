#include "pl_queue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pl_held {
    struct pl_held *next;
    struct pl_message m; /* points behind the struct */
    char bytes[];
};

static struct pl_held *held_create(const struct pl_message *m)
{
    const size_t label = strlen(m->label) + 1, protocol = strlen(m->protocol) + 1;
    struct pl_held *h = malloc(sizeof(*h) + label + protocol + m->len);

    if (!h)
        return NULL;
    *h = (struct pl_held){ .m = *m };
    h->m.label = memcpy(h->bytes, m->label, label);
    h->m.protocol = memcpy(h->bytes + label, m->protocol, protocol);
    h->m.data = h->bytes + label + protocol;
    if (m->len)
        memcpy(h->bytes + label + protocol, m->data, m->len);
    return h;
}

static void shift(struct pl_queue *q)
{
    struct pl_held *h = q->first;

    q->first = h->next;
    if (!q->first)
        q->last = NULL;
    q->bytes -= h->m.len;
    free(h);
}

static bool is_sent(const struct sl_core *core, sl_hid to, const struct pl_message *m)
{
    return core->data_send(to, m->label, m->protocol, m->binary, m->data, m->len) != -EAGAIN;
}

int pl_queue_send(struct pl_queue *q, const struct sl_core *core, sl_hid to,
                  const struct pl_message *m)
{
    struct pl_held *h = NULL;

    if (!q->first && is_sent(core, to, m))
        return 0;
    if (!q->max || q->bytes + m->len <= q->max)
        h = held_create(m);
    if (!h)
        return -ENOBUFS;
    if (q->last)
        q->last->next = h;
    else
        q->first = h;
    q->last = h;
    q->bytes += m->len;
    return 0;
}

void pl_queue_flush(struct pl_queue *q, const struct sl_core *core, sl_hid to)
{
    while (q->first && is_sent(core, to, &q->first->m))
        shift(q);
}

void pl_queue_clear(struct pl_queue *q)
{
    while (q->first)
        shift(q);
}
