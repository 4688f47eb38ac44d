#include "base/cq.h"
#include "base/clock.h"
#include <poll.h>

int sl_cq_init(struct sl_cq *q, uint64_t now_us)
{
    int err = sl_door_init(&q->door);

    if (err)
        return err;
    sl_mailbox_init(&q->box, &q->door);
    sl_wheel_init(&q->wheel, now_us);
    q->now_us = now_us;
    return 0;
}

static void run_mails(struct sl_cq *q)
{
    struct sl_mail *m = sl_mailbox_take(&q->box);

    while (m) {
        struct sl_cq_mail *c = sl_container(m, struct sl_cq_mail, mail);

        m = m->next; /* fn may free it */
        c->fn(c);
    }
}

void sl_cq_fini(struct sl_cq *q)
{
    while (!sl_mailbox_is_empty(&q->box))
        run_mails(q);
    sl_door_fini(&q->door);
}

void sl_cq_post(struct sl_cq *q, struct sl_cq_mail *m)
{
    sl_mailbox_post(&q->box, &m->mail);
}

void sl_cq_run(struct sl_cq *q, uint64_t now_us)
{
    q->now_us = now_us;
    run_mails(q);
    sl_wheel_run(&q->wheel, now_us);
}

bool sl_cq_wait(struct sl_cq *q, int fd)
{
    struct pollfd p[2] = { { q->door.efd, POLLIN, 0 }, { fd, POLLIN, 0 } };
    int n = 0;

    sl_door_will_sleep(&q->door);
    if (sl_mailbox_is_empty(&q->box))
        n = poll(p, fd >= 0 ? 2 : 1, sl_wheel_timeout_ms(&q->wheel, sl_now_us()));
    sl_door_woke(&q->door);
    return n > 0 && fd >= 0 && (p[1].revents & POLLIN);
}
