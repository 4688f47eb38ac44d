/*
 * tr_data.c - the data channel of a client.
 */
#include "tr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tr_handle *tr_handle_create(sl_hid h)
{
    struct tr_handle *th = calloc(1, sizeof(*th));

    if (th) {
        th->h = h;
        th->last = &th->first;
    }
    return th;
}

static void queue_clear(struct tr_handle *h)
{
    while (h->first) {
        struct tr_queued *q = h->first;

        h->first = q->next;
        free(q);
    }
    h->last = &h->first;
    h->queued_bytes = 0;
}

void tr_handle_reset(struct tr_handle *h)
{
    h->is_closing = true; /* nobody to send to */
    queue_clear(h);
    while (h->members)
        tr_member_leave(h->members);
    h->is_setup = h->is_closing = false;
}

void tr_handle_destroy(struct tr_handle *h)
{
    tr_handle_reset(h);
    free(h);
}

static void enqueue(struct tr_handle *h, const char *text, size_t len)
{
    struct tr_queued *q = NULL;

    if (h->queued_bytes + len <= TR_QUEUE_BYTES_MAX)
        q = malloc(sizeof(*q) + len);
    if (!q) {
        h->is_closing = true;
        queue_clear(h);
        tr_core->close_pc(h->h, "Too many messages wait for the client");
        return;
    }
    q->next = NULL;
    q->len = len;
    memcpy(q->text, text, len);
    *h->last = q;
    h->last = &q->next;
    h->queued_bytes += len;
}

void tr_send_text(struct tr_handle *h, const char *text, size_t len)
{
    if (h->is_closing)
        return;
    if (h->first || tr_core->data_send(h->h, TR_LABEL, "", false, text, len) == -EAGAIN)
        enqueue(h, text, len);
}

void tr_send_queued(struct tr_handle *h)
{
    while (h->first) {
        struct tr_queued *q = h->first;

        if (tr_core->data_send(h->h, TR_LABEL, "", false, q->text, q->len) == -EAGAIN)
            return;
        h->first = q->next;
        if (!h->first)
            h->last = &h->first;
        h->queued_bytes -= q->len;
        free(q);
    }
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
