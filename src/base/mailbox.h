/*
 * mailbox.h - many senders, one receiver. Intrusive messages; the receiver takes them all at once,
 * in the order sent.
 *
 * A lock-free stack that the receiver reverses. A sender rings the door after pushing, so the
 * receiver may sleep in epoll.
 */
#ifndef SL_BASE_MAILBOX_H
#define SL_BASE_MAILBOX_H

#include "base/door.h"
#include <stdatomic.h>

struct sl_mail {
    struct sl_mail *next;
};

/* One posted call of the control thread's queue (base/cq.h), embedded in what the sender
 * sends; @fn runs on the control thread and owns it. */
struct sl_cq_mail {
    struct sl_mail mail;
    void (*fn)(struct sl_cq_mail *m);
};

struct sl_mailbox {
    _Atomic(struct sl_mail *) top;
    struct sl_door *door; /* the receiver's; may be shared by several mailboxes */
};

void sl_mailbox_init(struct sl_mailbox *b, struct sl_door *door);

/* Any thread. The receiver owns @m from here on. */
void sl_mailbox_post(struct sl_mailbox *b, struct sl_mail *m);
/* Receiver: all messages in order, linked by next; NULL when there are none. */
struct sl_mail *sl_mailbox_take(struct sl_mailbox *b);
bool sl_mailbox_is_empty(const struct sl_mailbox *b);

#endif
