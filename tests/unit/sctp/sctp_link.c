#include "sctp_link.h"
#include "base/clock.h"
#include "../test_cmocka.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct packet {
    struct sl_list link;
    uint64_t due_us;
    int to;
    size_t len;
    uint8_t data[];
};

static int who_is(const struct link *l, sl_id pc)
{
    return l->ends[BOB].pc == pc ? BOB : ALICE;
}

unsigned int link_dice(struct link *l)
{
    l->seed = l->seed * 1664525u + 1013904223u;
    return (l->seed >> 8) % 1000;
}

void link_inject(struct link *l, int to, const uint8_t *data, size_t len)
{
    struct packet *p = malloc(sizeof(*p) + len);

    if (!p)
        abort();
    p->due_us = sl_now_us() + (link_dice(l) < l->late ? 3000 : 200);
    p->to = to;
    p->len = len;
    memcpy(p->data, data, len);
    sl_list_add(&l->packets, &p->link);
}

/* CRC32c, least significant byte first: RFC 9260 appendix A. */
void link_sum(uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;

    memset(data + 8, 0, 4);
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++)
        data[8 + i] = (uint8_t)(crc >> (8 * i));
}

static void on_out(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    SL_ASSUME(sctp);
    struct link *l = arg;
    int from = who_is(l, pc);

    pthread_mutex_lock(&l->lock);
    l->ends[from].packets++;
    if (len > l->ends[from].most)
        l->ends[from].most = len;
    if (!l->is_cut && link_dice(l) >= l->loss) {
        link_inject(l, !from, data, len);
        if (link_dice(l) < l->dup)
            link_inject(l, !from, data, len);
    }
    pthread_mutex_unlock(&l->lock);
}

static void on_up(void *arg, sl_id pc)
{
    struct link *l = arg;

    pthread_mutex_lock(&l->lock);
    l->ends[who_is(l, pc)].is_up = true;
    pthread_mutex_unlock(&l->lock);
}

static void on_down(void *arg, sl_id pc, const char *reason)
{
    struct link *l = arg;
    struct end *e = &l->ends[who_is(l, pc)];

    pthread_mutex_lock(&l->lock);
    e->is_down = true;
    e->reason = reason;
    pthread_mutex_unlock(&l->lock);
}

static void channel_note(struct end *e, const struct sl_sctp_channel *ch)
{
    e->last = *ch;
    (void)strncpy(e->names[0], ch->label, SL_DCEP_NAME_MAX);
    (void)strncpy(e->names[1], ch->protocol, SL_DCEP_NAME_MAX);
    e->last.label = e->names[0];
    e->last.protocol = e->names[1];
}

static void on_channel(struct link *l, sl_id pc, const struct sl_sctp_channel *ch, bool is_open)
{
    struct end *e = &l->ends[who_is(l, pc)];

    pthread_mutex_lock(&l->lock);
    if (e->is_open[ch->stream] == is_open)
        abort(); /* told twice */
    e->is_open[ch->stream] = is_open;
    if (is_open) {
        e->opened++;
        channel_note(e, ch);
    } else {
        e->closed++;
    }
    pthread_mutex_unlock(&l->lock);
}

static void on_channel_open(void *arg, sl_id pc, const struct sl_sctp_channel *ch)
{
    on_channel(arg, pc, ch, true);
}

static void on_channel_closed(void *arg, sl_id pc, const struct sl_sctp_channel *ch)
{
    on_channel(arg, pc, ch, false);
}

static void on_message(void *arg, sl_id pc, const struct sl_sctp_channel *ch, bool is_binary,
                       const uint8_t *data, size_t len)
{
    struct link *l = arg;
    struct end *e = &l->ends[who_is(l, pc)];
    bool is_slow;

    pthread_mutex_lock(&l->lock);
    channel_note(e, ch);
    e->messages++;
    e->per_stream[ch->stream]++;
    e->is_binary = is_binary;
    e->last_len = len;
    if (e->log_len + len <= LOG_MAX) {
        if (len)
            memcpy(e->log + e->log_len, data, len);
        e->log_len += len;
    }
    is_slow = e->is_slow;
    if (is_slow)
        e->owed += SL_SCTP_CHARGE(len);
    pthread_mutex_unlock(&l->lock);
    if (!is_slow)
        sl_sctp_consumed(l->s, pc, SL_SCTP_CHARGE(len));
}

static void on_sent(void *arg, sl_id pc, size_t charge)
{
    struct link *l = arg;

    pthread_mutex_lock(&l->lock);
    l->ends[who_is(l, pc)].sent += charge;
    pthread_mutex_unlock(&l->lock);
}

static bool both_up(const struct link *l, const void *arg)
{
    (void)arg;
    return l->ends[0].is_up && l->ends[1].is_up;
}

void link_open(struct link *l, int who, uint64_t message_max)
{
    const struct sl_sctp_open o = { .is_dtls_client = who == ALICE,
                                    .local_port = SL_SCTP_PORT,
                                    .remote_port = SL_SCTP_PORT,
                                    .message_max = message_max };

    sl_sctp_open(l->s, l->ends[who].pc, &o);
}

void link_init(struct link *l, bool is_raw)
{
    static const struct sl_sctp_cb cb = { .out = on_out,
                                          .up = on_up,
                                          .down = on_down,
                                          .channel_open = on_channel_open,
                                          .channel_closed = on_channel_closed,
                                          .message = on_message,
                                          .sent = on_sent };
    const struct sl_sctp_conf conf = { .mtu = MTU };

    memset(l, 0, sizeof(*l));
    l->seed = 1;
    sl_list_init(&l->packets);
    assert_int_equal(pthread_mutex_init(&l->lock, NULL), 0);
    for (int i = 0; i < 2; i++) {
        l->ends[i].pc = sl_id_make(0, (uint32_t)i + 1, 7);
        l->ends[i].log = malloc(LOG_MAX);
        assert_non_null(l->ends[i].log);
    }
    assert_int_equal(sl_sctp_create(&conf, &cb, l, &l->s), 0);
    if (is_raw)
        return;
    link_open(l, ALICE, SL_SCTP_MESSAGE_MAX);
    link_open(l, BOB, SL_SCTP_MESSAGE_MAX);
    assert_true(link_run(l, both_up, NULL, 10000));
}

void link_fini(struct link *l)
{
    sl_sctp_destroy(l->s);
    while (!sl_list_is_empty(&l->packets)) {
        struct packet *p = sl_container(l->packets.next, struct packet, link);

        sl_list_del(&p->link);
        free(p);
    }
    for (int i = 0; i < 2; i++)
        free(l->ends[i].log);
    pthread_mutex_destroy(&l->lock);
}

/* Under the lock. */
static void carry(struct link *l)
{
    uint64_t now_us = sl_now_us();
    struct sl_list *i, *next;

    sl_list_for_each_safe (i, next, &l->packets) {
        struct packet *p = sl_container(i, struct packet, link);

        if (p->due_us > now_us)
            continue;
        sl_list_del(&p->link);
        if (l->mangle)
            l->mangle(l, p->to, p->data, p->len);
        sl_sctp_input(l->s, l->ends[p->to].pc, p->data, p->len);
        free(p);
    }
}

bool link_run(struct link *l, bool (*done)(const struct link *l, const void *arg), const void *arg,
              unsigned int ms)
{
    uint64_t end_us = sl_now_us() + ms * 1000ull;
    bool is_done;

    for (;;) {
        pthread_mutex_lock(&l->lock);
        carry(l);
        is_done = done(l, arg);
        pthread_mutex_unlock(&l->lock);
        if (is_done || sl_now_us() > end_us)
            return is_done;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
}

static bool never(const struct link *l, const void *arg)
{
    (void)l;
    (void)arg;
    return false;
}

void link_for(struct link *l, unsigned int ms)
{
    (void)link_run(l, never, NULL, ms);
}

int link_send(struct link *l, int who, const char *label, bool is_binary, const void *data,
              size_t len)
{
    const struct sl_sctp_send to = {
        .stream = SL_SCTP_BY_LABEL, .label = label, .protocol = "test", .is_binary = is_binary
    };

    return sl_sctp_send(l->s, l->ends[who].pc, &to, data, len);
}

const struct end *link_end(struct link *l, int who)
{
    struct end *e = &l->seen[who];

    pthread_mutex_lock(&l->lock);
    *e = l->ends[who];
    pthread_mutex_unlock(&l->lock);
    e->last.label = e->names[0];
    e->last.protocol = e->names[1];
    return e;
}

void link_consume(struct link *l, int who)
{
    struct end *e = &l->ends[who];
    size_t owed;

    pthread_mutex_lock(&l->lock);
    owed = e->owed;
    e->owed = 0;
    e->is_slow = false;
    pthread_mutex_unlock(&l->lock);
    sl_sctp_consumed(l->s, e->pc, owed);
}

/* ---- for tests ------------------------------------------------------------------------------- */

static int setup(void **state, bool is_raw)
{
    struct link *l = malloc(sizeof(*l));

    if (!l)
        return -1;
    link_init(l, is_raw);
    *state = l;
    return 0;
}

int link_setup(void **state)
{
    return setup(state, false);
}

int link_setup_raw(void **state)
{
    return setup(state, true);
}

int link_teardown(void **state)
{
    link_fini(*state);
    free(*state);
    return 0;
}

bool has_messages(const struct link *l, const void *want)
{
    const struct want *w = want;

    return l->ends[w->who].messages >= w->n;
}

bool has_opened(const struct link *l, const void *want)
{
    const struct want *w = want;

    return l->ends[w->who].opened >= w->n;
}

bool has_closed(const struct link *l, const void *want)
{
    const struct want *w = want;

    return l->ends[w->who].closed >= w->n;
}

bool is_down(const struct link *l, const void *want)
{
    const struct want *w = want;

    return l->ends[w->who].is_down;
}

bool link_until(struct link *l, bool (*done)(const struct link *l, const void *want), int who,
                size_t n, unsigned int ms)
{
    const struct want w = { who, n };

    return link_run(l, done, &w, ms);
}
