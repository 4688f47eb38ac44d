#include "sctp/sctp_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Messages wait here and not in the library, whose own buffer takes two of the largest. */

struct sctp_item *item_new(const void *data, size_t len, size_t extra)
{
    struct sctp_item *it = malloc(sizeof(*it) + len + extra);

    if (!it)
        return NULL;
    memset(it, 0, sizeof(*it));
    sl_list_init(&it->link);
    it->len = len;
    if (len)
        memcpy(it->data, data, len);
    return it;
}

static void item_end(struct sctp_assoc *a, struct sctp_item *it, size_t *sent) SL_ON_SCTP
{
    sl_list_del(&it->link);
    a->queued -= it->charge;
    *sent += it->charge;
    free(it);
}

static void drop(struct sl_sctp *s, const struct sctp_item *it)
{
    if (it->charge)
        atomic_fetch_add(&s->send_drops, 1);
}

static void tell(struct sctp_assoc *a, size_t sent) SL_ON_SCTP
{
    if (sent && a->s->cb->sent)
        a->s->cb->sent(a->s->arg, a->pc, sent);
}

void send_add(struct sctp_assoc *a, struct sctp_item *it)
{
    size_t sent = 0;

    a->queued += it->charge;
    sl_list_add(&a->queue, &it->link);
    if (a->state == ASSOC_DOWN || a->queued > SL_SCTP_QUEUE_MAX) {
        drop(a->s, it);
        item_end(a, it, &sent);
        tell(a, sent);
        return;
    }
    assoc_mark(a);
}

void send_control(struct sctp_assoc *a, uint16_t stream, const uint8_t *data, size_t len)
{
    struct sctp_item *it = item_new(data, len, 0);

    if (!it)
        return; /* the peer sends on without an acknowledgement, but in order only */
    it->ppid = SL_PPID_DCEP;
    it->stream = stream;
    sl_list_add(a->queue.next, &it->link); /* in front */
    assoc_mark(a);
}

/* 0: done with it, whatever became of it; -EAGAIN: later. */
static int item_send(struct sctp_assoc *a, struct sctp_item *it) SL_ON_SCTP
{
    struct sctp_channel *ch = NULL;
    int err;

    if (it->is_close) {
        channel_close_label(a, it->label);
        return 0;
    }
    if (it->charge && a->conf.message_max && it->len > a->conf.message_max)
        err = -EMSGSIZE;
    else
        err = channel_for(a, it, &ch);
    if (!err)
        err = stack_send(a, ch, it->ppid, it->data, it->len);
    if (err && err != -EAGAIN)
        drop(a->s, it);
    return err == -EAGAIN ? err : 0;
}

void send_flush(struct sctp_assoc *a)
{
    size_t sent = 0;

    while (a->state == ASSOC_UP && !sl_list_is_empty(&a->queue)) {
        struct sctp_item *it = sl_container(a->queue.next, struct sctp_item, link);

        if (item_send(a, it))
            break;
        item_end(a, it, &sent);
    }
    tell(a, sent);
}

void send_drop_all(struct sctp_assoc *a)
{
    size_t sent = 0;

    while (!sl_list_is_empty(&a->queue)) {
        struct sctp_item *it = sl_container(a->queue.next, struct sctp_item, link);

        drop(a->s, it);
        item_end(a, it, &sent);
    }
    tell(a, sent);
}
