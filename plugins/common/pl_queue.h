/*
 * pl_queue.h - data channel messages for one client: sent in order, kept while there is no room.
 *
 * All zero is an empty queue. What it keeps is to be bounded: by `max`, or by pausing who sends.
 */
#ifndef PL_QUEUE_H
#define PL_QUEUE_H

#include <sluice/plugin.h>
#include <stddef.h>

struct pl_message {
    const char *label, *protocol;
    bool binary;
    const void *data;
    size_t len;
};

struct pl_queue {
    struct pl_held *first, *last; /* NULL: nothing waits */
    size_t bytes;
    size_t max; /* of bytes; 0: no limit here */
};

/* Sends @m, or keeps a copy behind what waits. 0; -ENOBUFS: too much waits, @m is lost. Messages
 * that can not be sent at all are dropped silently. */
int pl_queue_send(struct pl_queue *q, const struct sl_core *core, sl_hid to,
                  const struct pl_message *m);
/* There is room again. */
void pl_queue_flush(struct pl_queue *q, const struct sl_core *core, sl_hid to);
void pl_queue_clear(struct pl_queue *q);

#endif
