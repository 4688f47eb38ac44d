#include "../test_cmocka.h"
#include "base/list.h"
#include "base/mailbox.h"
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

struct note {
    struct sl_mail mail;
    unsigned int from, number;
};

static void messages_come_in_the_order_sent(void **state)
{
    struct note n[5] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    struct sl_mailbox b;
    struct sl_mail *m;
    unsigned int got = 0;

    (void)state;
    sl_mailbox_init(&b, NULL);
    assert_true(sl_mailbox_is_empty(&b));
    assert_null(sl_mailbox_take(&b));
    for (size_t i = 0; i < 4; i++)
        sl_mailbox_post(&b, &n[i].mail);
    assert_false(sl_mailbox_is_empty(&b));
    for (m = sl_mailbox_take(&b); m; m = m->next)
        assert_int_equal(sl_container(m, struct note, mail)->number, got++);
    assert_int_equal(got, 4);
    assert_true(sl_mailbox_is_empty(&b));
}

#define SENDERS 3
#define EACH    5000

struct post {
    struct sl_mailbox box;
    struct sl_door door;
    atomic_uint next_sender;
};

static void *sender(void *arg)
{
    struct post *p = arg;
    unsigned int me = atomic_fetch_add(&p->next_sender, 1);

    for (unsigned int i = 0; i < EACH; i++) {
        struct note *n = malloc(sizeof(*n));

        n->from = me;
        n->number = i;
        sl_mailbox_post(&p->box, &n->mail);
    }
    return NULL;
}

static void nothing_is_lost_between_senders_and_a_sleeping_receiver(void **state)
{
    unsigned int seen[SENDERS] = { 0 }, total = 0, disorder = 0;
    struct post p;
    pthread_t t[SENDERS];
    bool late = false;

    (void)state;
    assert_int_equal(sl_door_init(&p.door), 0);
    sl_mailbox_init(&p.box, &p.door);
    atomic_init(&p.next_sender, 0);
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, sender, &p), 0);
    while (total < SENDERS * EACH && !late) {
        struct sl_mail *next;

        sl_door_will_sleep(&p.door);
        if (sl_mailbox_is_empty(&p.box)) {
            struct pollfd pfd = { .fd = p.door.efd, .events = POLLIN };

            late = poll(&pfd, 1, 10000) == 0;
        }
        sl_door_woke(&p.door);
        for (struct sl_mail *m = sl_mailbox_take(&p.box); m; m = next) {
            struct note *n = sl_container(m, struct note, mail);

            next = m->next;
            disorder += n->number != seen[n->from]++;
            total++;
            free(n);
        }
    }
    for (size_t i = 0; i < SENDERS; i++)
        pthread_join(t[i], NULL);
    assert_false(late);
    assert_int_equal(disorder, 0);
    assert_int_equal(total, SENDERS * EACH);
    sl_door_fini(&p.door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_the_order_sent),
        cmocka_unit_test(nothing_is_lost_between_senders_and_a_sleeping_receiver),
    };

    return cmocka_run_group_tests_name("base/mailbox", tests, NULL, NULL);
}
