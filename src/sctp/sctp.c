#include "sctp/sctp.h"
#include "base/clock.h"
#include "base/log.h"
#include "sctp/sctp_check.h"
#include "sctp/sctp_priv.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US    20000   /* of the library's timers: it looks at all of them each time */
#define IDLE_US    2000000 /* they run on after the last association: sockets go with them */
#define INPUTS_MAX 4096    /* packets that wait for the thread */
#define MTU_LEAST  524     /* the library's least and the common header */
#define MTU_MOST   4096

enum cmd_kind { CMD_OPEN, CMD_CLOSE, CMD_INPUT, CMD_SEND, CMD_CONSUMED };

struct cmd {
    struct sl_mail mail;
    enum cmd_kind kind;
    sl_id pc;
    union {
        struct sl_sctp_open open;
        struct sctp_item *item; /* SEND */
        size_t charge;          /* CONSUMED */
        size_t len;             /* INPUT */
    };
    uint8_t data[]; /* INPUT */
};

/* usrsctp is global, so are we. */
static atomic_bool is_taken;

/* ---- commands, in the SCTP thread ------------------------------------------------------------ */

static void do_input(struct sl_sctp *s, struct sctp_assoc *a, const struct cmd *c) SL_ON_SCTP
{
    atomic_fetch_sub(&s->inputs_waiting, 1);
    if (!a || !a->so || sl_sctp_check(c->data, c->len)) {
        atomic_fetch_add(&s->bad_packets, 1);
        return;
    }
    stack_input(a, c->data, c->len);
    assoc_mark(a);
}

static void do_send(struct sl_sctp *s, struct sctp_assoc *a, const struct cmd *c) SL_ON_SCTP
{
    if (a) {
        send_add(a, c->item);
        return;
    }
    if (c->item->charge) {
        atomic_fetch_add(&s->send_drops, 1);
        if (s->cb->sent)
            s->cb->sent(s->arg, c->pc, c->item->charge);
    }
    free(c->item);
}

static void do_consumed(struct sctp_assoc *a, size_t charge) SL_ON_SCTP
{
    a->unconsumed -= charge < a->unconsumed ? charge : a->unconsumed;
    assoc_mark(a);
}

static void cmd_run(struct sl_sctp *s, const struct cmd *c) SL_ON_SCTP
{
    struct sctp_assoc *a = assoc_find(s, c->pc);

    switch (c->kind) {
    case CMD_OPEN:
        assoc_open(s, c->pc, &c->open);
        break;
    case CMD_INPUT:
        do_input(s, a, c);
        break;
    case CMD_SEND:
        do_send(s, a, c);
        break;
    case CMD_CLOSE:
        if (a)
            assoc_close(a);
        break;
    case CMD_CONSUMED:
        if (a)
            do_consumed(a, c->charge);
        break;
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Moves all of @from to the end of @to. */
static void list_move(struct sl_list *to, struct sl_list *from)
{
    while (!sl_list_is_empty(from)) {
        struct sl_list *l = from->next;

        sl_list_del(l);
        sl_list_add(to, l);
    }
}

static void serve(struct sl_sctp *s) SL_ON_SCTP
{
    struct sl_list now;

    sl_list_init(&now);
    list_move(&now, &s->busy);
    while (!sl_list_is_empty(&now)) {
        struct sctp_assoc *a = sl_container(now.next, struct sctp_assoc, busy);

        sl_list_del(&a->busy);
        assoc_serve(a);
    }
}

static void tick(struct sl_sctp *s, uint64_t now_us) SL_ON_SCTP
{
    uint64_t gone_us = now_us - s->tick_us;

    if (s->by_pc.count > 0)
        s->idle_us = now_us + IDLE_US;
    if (gone_us < TICK_US)
        return;
    s->tick_us = now_us - gone_us % 1000;
    if (now_us >= s->idle_us)
        return; /* nobody is there, and the time that passed is of no use */
    stack_timers((uint32_t)(gone_us / 1000));
    list_move(&s->busy, &s->waiting);
}

static int sleep_ms(const struct sl_sctp *s, uint64_t now_us)
{
    uint64_t due_us = s->tick_us + TICK_US;

    if (!sl_list_is_empty(&s->busy) || !sl_mailbox_is_empty(&s->box) || atomic_load(&s->ends))
        return 0;
    if (s->by_pc.count == 0 && now_us >= s->idle_us)
        return -1;
    return due_us <= now_us ? 0 : (int)((due_us - now_us + 999) / 1000);
}

static void turn(struct sl_sctp *s) SL_ON_SCTP
{
    struct pollfd fd = { .fd = s->door.efd, .events = POLLIN };
    struct sl_mail *m, *next;

    sl_door_will_sleep(&s->door);
    (void)poll(&fd, 1, sleep_ms(s, sl_now_us()));
    sl_door_woke(&s->door);
    for (m = sl_mailbox_take(&s->box); m; m = next) {
        struct cmd *c = sl_container(m, struct cmd, mail);

        next = m->next;
        cmd_run(s, c);
        free(c);
    }
    tick(s, sl_now_us());
    serve(s);
}

static void *thread_main(void *arg)
{
    struct sl_sctp *s = arg;

    sl_role_enter(&sl_role_sctp);
    stack_init(s);
    s->tick_us = sl_now_us();
    while (!atomic_load(&s->ends))
        turn(s);
    for (size_t i = 0; i < s->by_pc.nbuckets; i++)
        while (s->by_pc.buckets[i])
            assoc_destroy(sl_container(s->by_pc.buckets[i], struct sctp_assoc, by_pc));
    stack_fini(s);
    sl_role_leave(&sl_role_sctp);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

int sl_sctp_create(const struct sl_sctp_conf *conf, const struct sl_sctp_cb *cb, void *arg,
                   struct sl_sctp **out)
{
    struct sl_sctp *s;
    int err;

    if (conf->mtu < MTU_LEAST || conf->mtu > MTU_MOST)
        return -EINVAL;
    if (atomic_exchange(&is_taken, true))
        return -EBUSY;
    s = calloc(1, sizeof(*s));
    if (!s) {
        atomic_store(&is_taken, false);
        return -ENOMEM;
    }
    s->cb = cb;
    s->arg = arg;
    s->mtu = conf->mtu;
    s->door.efd = -1;
    sl_list_init(&s->busy);
    sl_list_init(&s->waiting);
    sl_hmap_init(&s->by_pc);
    sl_hmap_init(&s->by_token);
    sl_mailbox_init(&s->box, &s->door);
    err = -ENOMEM;
    s->scratch = malloc(SCRATCH_LEN);
    if (!s->scratch)
        goto fail;
    err = sl_door_init(&s->door);
    if (err)
        goto fail;
    err = -pthread_create(&s->thread, NULL, thread_main, s);
    if (err)
        goto fail;
    s->has_thread = true;
    *out = s;
    return 0;

fail:
    sl_sctp_destroy(s);
    return err;
}

void sl_sctp_destroy(struct sl_sctp *s)
{
    struct sl_mail *m, *next;

    if (!s)
        return;
    if (s->has_thread) {
        atomic_store(&s->ends, true);
        sl_door_ring(&s->door);
        (void)pthread_join(s->thread, NULL);
    }
    for (m = sl_mailbox_take(&s->box); m; m = next) {
        struct cmd *c = sl_container(m, struct cmd, mail);

        next = m->next;
        if (c->kind == CMD_SEND)
            free(c->item);
        free(c);
    }
    sl_door_fini(&s->door);
    sl_hmap_fini(&s->by_pc);
    sl_hmap_fini(&s->by_token);
    free(s->scratch);
    free(s);
    atomic_store(&is_taken, false);
}

void sl_sctp_stats_get(const struct sl_sctp *s, struct sl_sctp_stats *out)
{
    out->bad_packets = atomic_load(&s->bad_packets);
    out->input_drops = atomic_load(&s->input_drops);
    out->send_drops = atomic_load(&s->send_drops);
    out->oversized = atomic_load(&s->oversized);
    out->bad_messages = atomic_load(&s->bad_messages);
    out->associations = atomic_load(&s->nassocs);
}

/* ---- commands, from any thread --------------------------------------------------------------- */

static struct cmd *cmd_new(enum cmd_kind kind, sl_id pc, size_t extra)
{
    struct cmd *c = malloc(sizeof(*c) + extra);

    if (c) {
        memset(c, 0, sizeof(*c));
        c->kind = kind;
        c->pc = pc;
    }
    return c;
}

void sl_sctp_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o)
{
    struct cmd *c = cmd_new(CMD_OPEN, pc, 0);

    if (!c)
        return;
    c->open = *o;
    sl_mailbox_post(&s->box, &c->mail);
}

void sl_sctp_close(struct sl_sctp *s, sl_id pc)
{
    struct cmd *c = cmd_new(CMD_CLOSE, pc, 0);

    if (c)
        sl_mailbox_post(&s->box, &c->mail);
}

void sl_sctp_input(struct sl_sctp *s, sl_id pc, const uint8_t *data, size_t len)
{
    struct cmd *c = NULL;

    if (len > SL_SCTP_PACKET_MAX) {
        atomic_fetch_add(&s->bad_packets, 1);
        return;
    }
    if (atomic_fetch_add(&s->inputs_waiting, 1) < INPUTS_MAX)
        c = cmd_new(CMD_INPUT, pc, len);
    if (!c) {
        atomic_fetch_sub(&s->inputs_waiting, 1);
        atomic_fetch_add(&s->input_drops, 1);
        return;
    }
    c->len = len;
    if (len)
        memcpy(c->data, data, len);
    sl_mailbox_post(&s->box, &c->mail);
}

static int item_post(struct sl_sctp *s, sl_id pc, struct sctp_item *it)
{
    struct cmd *c = it ? cmd_new(CMD_SEND, pc, 0) : NULL;

    if (!c) {
        free(it);
        return -ENOMEM;
    }
    c->item = it;
    sl_mailbox_post(&s->box, &c->mail);
    return 0;
}

int sl_sctp_send(struct sl_sctp *s, sl_id pc, const struct sl_sctp_send *to, const void *data,
                 size_t len)
{
    const char *label = to->label ? to->label : "", *protocol = to->protocol ? to->protocol : "";
    size_t label_len = strlen(label), protocol_len = strlen(protocol);
    static const uint8_t nothing = 0;
    struct sctp_item *it;
    char *names;

    if (len > SL_SCTP_MESSAGE_MAX)
        return -EMSGSIZE;
    if (label_len > SL_DCEP_NAME_MAX || protocol_len > SL_DCEP_NAME_MAX)
        return -EINVAL;
    it = item_new(len ? data : &nothing, len ? len : 1, label_len + protocol_len + 2);
    if (!it)
        return -ENOMEM;
    names = (char *)it->data + it->len;
    memcpy(names, label, label_len + 1);
    memcpy(names + label_len + 1, protocol, protocol_len + 1);
    it->label = names;
    it->protocol = names + label_len + 1;
    it->stream = to->stream;
    it->is_unordered = to->is_unordered;
    it->reliability = to->reliability;
    it->limit = to->limit;
    it->charge = SL_SCTP_CHARGE(len);
    if (to->is_binary)
        it->ppid = len ? SL_PPID_BINARY : SL_PPID_BINARY_EMPTY;
    else
        it->ppid = len ? SL_PPID_STRING : SL_PPID_STRING_EMPTY;
    return item_post(s, pc, it);
}

int sl_sctp_close_channel(struct sl_sctp *s, sl_id pc, const char *label)
{
    size_t len = strlen(label) + 1;
    struct sctp_item *it;

    if (len > SL_DCEP_NAME_MAX + 1)
        return -EINVAL;
    it = item_new(label, len, 0);
    if (it) {
        it->is_close = true;
        it->label = (const char *)it->data;
    }
    return item_post(s, pc, it);
}

void sl_sctp_consumed(struct sl_sctp *s, sl_id pc, size_t charge)
{
    struct cmd *c = cmd_new(CMD_CONSUMED, pc, 0);

    if (!c)
        return;
    c->charge = charge;
    sl_mailbox_post(&s->box, &c->mail);
}
