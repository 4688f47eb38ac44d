/*
 * tr_data.c - the data channel of a client.
 */
#include "tr.h"
#include <stdlib.h>
#include <string.h>

struct tr_handle *tr_handle_create(sl_hid h)
{
    struct tr_handle *th = calloc(1, sizeof(*th));

    if (th) {
        th->h = h;
        th->queue.max = TR_QUEUE_BYTES_MAX;
    }
    return th;
}

void tr_handle_reset(struct tr_handle *h)
{
    h->is_closing = true; /* nobody to send to */
    pl_queue_clear(&h->queue);
    while (h->members)
        tr_member_leave(h->members);
    h->is_setup = h->is_closing = false;
}

void tr_handle_destroy(struct tr_handle *h)
{
    tr_handle_reset(h);
    free(h);
}

void tr_send_text(struct tr_handle *h, const char *text, size_t len)
{
    const struct pl_message m = { TR_LABEL, "", false, text, len };

    if (h->is_closing || pl_queue_send(&h->queue, tr_core, h->h, &m) == 0)
        return;
    h->is_closing = true;
    pl_queue_clear(&h->queue);
    tr_core->close_pc(h->h, "Too many messages wait for the client");
}

void tr_send_queued(struct tr_handle *h)
{
    pl_queue_flush(&h->queue, tr_core, h->h);
}

void tr_send(struct tr_handle *h, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (text)
        tr_send_text(h, text, strlen(text));
    free(text);
}

void tr_notify(sl_hid h, json_t *event)
{
    if (tr_conf.events)
        tr_core->notify(h, event);
    else
        json_decref(event);
}
