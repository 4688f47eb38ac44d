#include "net_util.h"
#include "../test_oom.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the kernel, or a stand-in that refuses ---- */

static int refuse_errno; /* messages that match get this */
static enum { REFUSE_NOTHING, REFUSE_TRAINS, REFUSE_PORT, REFUSE_ALL } refuse;
static uint16_t refuse_port;
static unsigned int refuse_times; /* 0: for ever */

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags);

static bool is_refused(const struct mmsghdr *m)
{
    switch (refuse) {
    case REFUSE_TRAINS:
        return m->msg_hdr.msg_iovlen > 1;
    case REFUSE_PORT:
        return sl_addr_port(m->msg_hdr.msg_name) == refuse_port;
    case REFUSE_ALL:
        return true;
    default:
        return false;
    }
}

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
    unsigned int good = 0;

    while (good < n && !is_refused(&m[good]))
        good++;
    if (good || !n)
        return __real_sendmmsg(fd, m, good, flags);
    if (refuse_times && !--refuse_times)
        refuse = REFUSE_NOTHING;
    errno = refuse_errno;
    return -1;
}

static void refuse_now(int what, int err, unsigned int times)
{
    refuse = what;
    refuse_errno = err;
    refuse_times = times;
}

/* ---- fixture ---- */

#define RECEIVERS 3

struct net {
    struct sl_udp *tx, *rx[RECEIVERS];
    struct sl_udp_batch *batch;
    struct sl_txq *q;
};

static int net_setup(void **state)
{
    static struct net n;

    refuse = REFUSE_NOTHING;
    n.tx = open_on("127.0.0.1");
    for (size_t i = 0; i < RECEIVERS; i++)
        n.rx[i] = open_on("127.0.0.1");
    assert_int_equal(sl_udp_batch_create(&n.batch), 0);
    assert_int_equal(sl_txq_create(256, &n.q), 0);
    *state = &n;
    return 0;
}

static int net_teardown(void **state)
{
    struct net *n = *state;

    sl_txq_destroy(n->q);
    sl_udp_batch_destroy(n->batch);
    for (size_t i = 0; i < RECEIVERS; i++)
        sl_udp_close(n->rx[i]);
    sl_udp_close(n->tx);
    return 0;
}

/* Packets whose first bytes are their number. */
static uint8_t *packet(unsigned int number)
{
    static uint8_t data[512][1500];

    memset(data[number], (int)number, sizeof(data[number]));
    memcpy(data[number], &number, sizeof(number));
    return data[number];
}

static void add(struct net *n, size_t to, unsigned int number, size_t len)
{
    sl_txq_add(n->q, n->tx->fd, &n->rx[to]->local, NULL, SL_ID_NONE, packet(number), len);
}

static unsigned int number_of(const struct sl_udp_dgram *d)
{
    unsigned int number = 0;

    memcpy(&number, d->data, d->len < sizeof(number) ? d->len : sizeof(number));
    return number;
}

/* Expects packets @from, @from + @step ... at receiver @r and nothing else; sizes in @lens. */
static void expect(struct net *n, size_t r, unsigned int from, unsigned int step,
                   unsigned int count, const size_t *lens)
{
    unsigned int got = 0;

    while (got < count && waits(n->rx[r], 1000)) {
        int k = sl_udp_recv(n->rx[r], n->batch);

        for (int i = 0; i < k; i++, got++) {
            assert_int_equal(number_of(&n->batch->dgrams[i]), from + got * step);
            if (lens)
                assert_int_equal(n->batch->dgrams[i].len, lens[got]);
        }
    }
    assert_int_equal(got, count);
    assert_int_equal(sl_udp_recv(n->rx[r], n->batch), 0);
}

/* ---- tests ---- */

static void equal_packets_leave_as_one_message(void **state)
{
    static const struct {
        size_t lens[8];
        size_t n, messages, trains;
    } v[] = {
        { { 1000 }, 1, 1, 0 },
        { { 1000, 1000 }, 2, 1, 1 },
        { { 1000, 1000, 1000, 1000, 1000, 1000 }, 6, 1, 1 },
        { { 1000, 1000, 1000, 700 }, 4, 1, 1 },       /* the last may be shorter */
        { { 1000, 1000, 700, 1000, 1000 }, 5, 2, 2 }, /* and ends the train */
        { { 700, 1000, 1000 }, 3, 2, 1 },             /* none may be longer */
        { { 1000, 999, 998, 997 }, 4, 2, 2 },
        { { 100, 200, 300, 400 }, 4, 4, 0 },
        { { 1000, 0, 1000 }, 3, 3, 0 }, /* an empty one goes alone */
    };
    struct net *n = *state;

    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_txq_stats was = *sl_txq_stats_get(n->q);
        const struct sl_txq_stats *is = sl_txq_stats_get(n->q);
        size_t bytes = 0, k = 0;

        for (k = 0; k < v[i].n; k++) {
            add(n, 0, v[i].lens[k] ? (unsigned int)k : 0, v[i].lens[k]);
            bytes += v[i].lens[k];
        }
        assert_int_equal(sl_txq_waiting(n->q), v[i].n);
        assert_int_equal(sl_txq_flush(n->q), v[i].n);
        assert_int_equal(sl_txq_waiting(n->q), 0);
        assert_int_equal(is->packets - was.packets, v[i].n);
        assert_int_equal(is->bytes - was.bytes, bytes);
        assert_int_equal(is->calls - was.calls, 1);
        assert_int_equal(is->messages - was.messages, v[i].messages);
        assert_int_equal(is->trains - was.trains, v[i].trains);
        for (k = 0; k < v[i].n && waits(n->rx[0], 1000);) {
            int got = sl_udp_recv(n->rx[0], n->batch);

            for (int d = 0; d < got; d++, k++) {
                assert_int_equal(n->batch->dgrams[d].len, v[i].lens[k]);
                assert_int_equal(number_of(&n->batch->dgrams[d]), v[i].lens[k] ? k : 0);
            }
        }
        assert_int_equal(k, v[i].n);
    }
    assert_int_equal(sl_txq_stats_get(n->q)->gso_refused, 0);
}

/* As fan-out adds them: packet by packet, across the subscribers. */
static void packets_to_others_in_between_do_not_break_a_train(void **state)
{
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    for (unsigned int i = 0; i < 60; i++)
        add(n, i % RECEIVERS, i, 1100);
    assert_int_equal(sl_txq_flush(n->q), 60);
    assert_int_equal(s->messages, RECEIVERS);
    assert_int_equal(s->calls, 1);
    assert_true(s->packets / s->messages > 4);
    for (unsigned int r = 0; r < RECEIVERS; r++)
        expect(n, r, r, RECEIVERS, 20, NULL);
}

static void a_train_ends_at_64_packets_and_65000_bytes(void **state)
{
    static const struct {
        size_t len, n, messages;
    } v[] = { { 100, 64, 1 }, { 100, 65, 2 }, { 1300, 50, 1 }, { 1300, 51, 2 } };
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint64_t was = s->messages;

        for (unsigned int k = 0; k < v[i].n; k++)
            add(n, 0, k, v[i].len);
        assert_int_equal(sl_txq_flush(n->q), v[i].n);
        assert_int_equal(s->messages - was, v[i].messages);
        expect(n, 0, 0, 1, (unsigned int)v[i].n, NULL);
    }
    assert_int_equal(s->gso_refused, 0);
}

static void a_full_queue_flushes_itself(void **state)
{
    struct net *n = *state;

    for (unsigned int i = 0; i < 300; i++)
        add(n, 0, i, 50 + i);
    assert_int_equal(sl_txq_waiting(n->q), 300 - 256);
    assert_int_equal(sl_txq_flush(n->q), 300 - 256);
    expect(n, 0, 0, 1, 300, NULL);
    assert_int_equal(sl_txq_flush(n->q), 0);
}

static void answers_leave_from_the_address_asked_for(void **state)
{
    static const struct {
        const char *bind, *from, *to;
        size_t packets;
        bool v6;
    } v[] = {
        { "0.0.0.0", "127.0.0.7", "127.0.0.1", 1, false },
        { "0.0.0.0", "127.0.0.8", "127.0.0.1", 5, false }, /* beside UDP_SEGMENT */
        { "::", "::1", "::1", 1, true },
        { "::", "::1", "::1", 5, true },
    };
    struct net *n = *state;

    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_udp *tx, *rx;
        struct sl_addr from;
        size_t got = 0;

        if (v[i].v6 && !has_ipv6())
            continue;
        tx = open_on(v[i].bind);
        rx = open_on(v[i].to);
        assert_int_equal(sl_addr_from_ip(v[i].from, 0, &from), 0);
        for (unsigned int k = 0; k < v[i].packets; k++)
            sl_txq_add(n->q, tx->fd, &rx->local, &from, SL_ID_NONE, packet(k), 800);
        assert_int_equal(sl_txq_flush(n->q), v[i].packets);
        sl_addr_set_port(&from, sl_addr_port(&tx->local));
        while (got < v[i].packets && waits(rx, 1000)) {
            int k = sl_udp_recv(rx, n->batch);

            for (int d = 0; d < k; d++, got++)
                assert_true(sl_addr_is_equal(n->batch->dgrams[d].remote, &from));
        }
        assert_int_equal(got, v[i].packets);
        sl_udp_close(rx);
        sl_udp_close(tx);
    }
    assert_int_equal(sl_txq_stats_get(n->q)->gso_refused, 0);
}

static void several_sockets_get_one_call_each(void **state)
{
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    for (unsigned int i = 0; i < 20; i++)
        sl_txq_add(n->q, i % 2 ? n->tx->fd : n->rx[1]->fd, &n->rx[0]->local, NULL, SL_ID_NONE,
                   packet(i), 500);
    assert_int_equal(sl_txq_flush(n->q), 20);
    assert_int_equal(s->calls, 2);
    assert_int_equal(s->messages, 2);
    for (unsigned int i = 0; i < 20;) {
        int k;

        assert_true(waits(n->rx[0], 1000));
        k = sl_udp_recv(n->rx[0], n->batch);
        for (int d = 0; d < k; d++, i++) {
            bool second = sl_addr_is_equal(n->batch->dgrams[d].remote, &n->tx->local);

            assert_int_equal(number_of(&n->batch->dgrams[d]) % 2, second);
        }
    }
}

static void a_refused_train_goes_as_single_packets(void **state)
{
    static const int errors[] = { EIO, EINVAL, EMSGSIZE };
    static const size_t lens[] = { 1000, 1000, 1000, 400 };
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    for (size_t i = 0; i < TEST_COUNT(errors); i++) {
        refuse_now(REFUSE_TRAINS, errors[i], 1);
        for (unsigned int k = 0; k < 4; k++)
            add(n, 0, k, lens[k]);
        add(n, 1, 7, 100);
        assert_int_equal(sl_txq_flush(n->q), 5);
        assert_int_equal(s->gso_refused, i + 1);
        expect(n, 0, 0, 1, 4, lens);
        expect(n, 1, 7, 1, 1, NULL);
    }
    assert_int_equal(s->trains, 0);
}

static void the_source_address_stays_when_a_train_is_taken_apart(void **state)
{
    struct sl_udp *tx = open_on("0.0.0.0");
    struct net *n = *state;
    struct sl_addr from;

    assert_int_equal(sl_addr_parse("127.0.0.9", &from), 0);
    refuse_now(REFUSE_TRAINS, EIO, 1);
    for (unsigned int k = 0; k < 3; k++)
        sl_txq_add(n->q, tx->fd, &n->rx[0]->local, &from, SL_ID_NONE, packet(k), 500);
    assert_int_equal(sl_txq_flush(n->q), 3);
    assert_true(waits(n->rx[0], 1000));
    assert_int_equal(sl_udp_recv(n->rx[0], n->batch), 3);
    for (int d = 0; d < 3; d++)
        assert_true(sl_addr_is_same_ip(n->batch->dgrams[d].remote, &from));
    sl_udp_close(tx);
}

static void a_socket_that_takes_no_trains_is_remembered_and_tried_again(void **state)
{
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);
    uint64_t refused;

    refuse_now(REFUSE_TRAINS, EIO, 0);
    for (int turn = 0; turn < 100; turn++) {
        for (unsigned int k = 0; k < 3; k++)
            add(n, 0, k, 1000);
        assert_int_equal(sl_txq_flush(n->q), 3);
        expect(n, 0, 0, 1, 3, NULL);
    }
    refused = s->gso_refused;
    assert_in_range(refused, 1, 20);
    refuse_now(REFUSE_NOTHING, 0, 0);
    for (int turn = 0; turn < 2000 && !s->trains; turn++) {
        for (unsigned int k = 0; k < 3; k++)
            add(n, 0, k, 1000);
        assert_int_equal(sl_txq_flush(n->q), 3);
        expect(n, 0, 0, 1, 3, NULL);
    }
    assert_int_equal(s->trains, 1);
    assert_int_equal(s->gso_refused, refused);
}

/* A small path MTU to one peer must not cost the others their trains. */
static void one_narrow_path_does_not_stop_the_trains_of_others(void **state)
{
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    refuse_port = sl_addr_port(&n->rx[0]->local);
    for (int turn = 0; turn < 100; turn++) {
        refuse_now(REFUSE_PORT, EMSGSIZE, 1); /* the train, not the packets after it */
        for (unsigned int k = 0; k < 3; k++) {
            add(n, 0, k, 1000);
            add(n, 1, k, 1000);
        }
        assert_int_equal(sl_txq_flush(n->q), 6);
        expect(n, 0, 0, 1, 3, NULL);
        expect(n, 1, 0, 1, 3, NULL);
    }
    assert_int_equal(s->gso_refused, 100);
    assert_int_equal(s->trains, 100);
}

static void one_who_cannot_be_reached_does_not_stop_the_others(void **state)
{
    static const struct {
        int err;
        enum sl_tx_drop why;
    } v[] = {
        { EHOSTUNREACH, SL_TX_DROP_UNREACHABLE }, { ENETUNREACH, SL_TX_DROP_UNREACHABLE },
        { ECONNREFUSED, SL_TX_DROP_UNREACHABLE }, { EPERM, SL_TX_DROP_FORBIDDEN },
        { EMSGSIZE, SL_TX_DROP_TOO_BIG },         { EAFNOSUPPORT, SL_TX_DROP_OTHER },
    };
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);

    refuse_port = sl_addr_port(&n->rx[1]->local);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint64_t drops = s->drops[v[i].why];

        refuse_now(REFUSE_PORT, v[i].err, 0);
        for (unsigned int k = 0; k < 12; k++)
            add(n, k % RECEIVERS, k, 700);
        assert_int_equal(sl_txq_flush(n->q), 8);
        assert_int_equal(s->drops[v[i].why] - drops, 4);
        expect(n, 0, 0, RECEIVERS, 4, NULL);
        expect(n, 2, 2, RECEIVERS, 4, NULL);
        assert_int_equal(sl_udp_recv(n->rx[1], n->batch), 0);
    }
}

/* Told of owners 1 to RECEIVERS, a bit each. */
static void on_full(void *arg, sl_id owner)
{
    *(unsigned int *)arg |= 1u << owner;
}

static void a_full_socket_drops_and_counts_at_once_and_tells_whose(void **state)
{
    struct net *n = *state;
    const struct sl_txq_stats *s = sl_txq_stats_get(n->q);
    unsigned int lost = 0;

    sl_txq_on_full(n->q, on_full, &lost);
    refuse_now(REFUSE_ALL, EAGAIN, 0);
    for (unsigned int k = 0; k < 30; k++)
        sl_txq_add(n->q, n->tx->fd, &n->rx[k % RECEIVERS]->local, NULL, 1 + k % RECEIVERS,
                   packet(k), 700);
    assert_int_equal(sl_txq_flush(n->q), 0);
    assert_int_equal(s->drops[SL_TX_DROP_FULL], 30);
    assert_int_equal(s->calls, 1);
    assert_int_equal(lost, 2 + 4 + 8);

    lost = 0; /* who cannot be reached is another matter */
    refuse_port = sl_addr_port(&n->rx[1]->local);
    for (unsigned int i = 0; i < 2; i++) {
        refuse_now(REFUSE_PORT, i ? EHOSTUNREACH : EAGAIN, 1);
        sl_txq_add(n->q, n->tx->fd, &n->rx[1]->local, NULL, i ? 3 : 2, packet(1), 700);
        sl_txq_add(n->q, n->tx->fd, &n->rx[0]->local, NULL, SL_ID_NONE, packet(1), 700);
        (void)sl_txq_flush(n->q);
    }
    assert_int_equal(lost, 4);
    while (sl_udp_recv(n->rx[0], n->batch) > 0)
        ;
    refuse_now(REFUSE_NOTHING, 0, 0);
    add(n, 0, 5, 700);
    assert_int_equal(sl_txq_flush(n->q), 1);
    expect(n, 0, 5, 1, 1, NULL);
}

/* A connected socket reports the refusal of an earlier packet instead of sending the next. */
static void an_old_refusal_costs_no_new_packet(void **state)
{
    struct net *n = *state;

    refuse_now(REFUSE_ALL, ECONNREFUSED, 1);
    add(n, 0, 3, 100);
    assert_int_equal(sl_txq_flush(n->q), 1);
    expect(n, 0, 3, 1, 1, NULL);
    refuse_now(REFUSE_ALL, EINTR, 3);
    add(n, 0, 4, 100);
    assert_int_equal(sl_txq_flush(n->q), 1);
    expect(n, 0, 4, 1, 1, NULL);
}

static void packets_too_big_for_udp_are_dropped_with_their_reason(void **state)
{
    static uint8_t big[70000];
    struct net *n = *state;

    sl_txq_add(n->q, n->tx->fd, &n->rx[0]->local, NULL, SL_ID_NONE, big, sizeof(big));
    add(n, 0, 1, 100);
    assert_int_equal(sl_txq_flush(n->q), 1);
    assert_int_equal(sl_txq_stats_get(n->q)->drops[SL_TX_DROP_TOO_BIG], 1);
    expect(n, 0, 1, 1, 1, NULL);
}

static void a_closed_socket_drops_only_its_own(void **state)
{
    struct net *n = *state;

    sl_txq_add(n->q, 1000000, &n->rx[0]->local, NULL, SL_ID_NONE, packet(1), 100);
    add(n, 0, 2, 100);
    assert_int_equal(sl_txq_flush(n->q), 1);
    assert_int_equal(sl_txq_stats_get(n->q)->drops[SL_TX_DROP_OTHER], 1);
    expect(n, 0, 2, 1, 1, NULL);
}

static void every_drop_has_a_name(void **state)
{
    (void)state;
    for (int d = 0; d < SL_TX_DROP_MAX; d++)
        assert_string_not_equal(sl_tx_drop_to_str((enum sl_tx_drop)d), "unknown");
    assert_string_equal(sl_tx_drop_to_str(SL_TX_DROP_MAX), "unknown");
}

static void creating_survives_every_failed_allocation(void **state)
{
    (void)state;
    for (unsigned int n = 1; n < 100; n++) {
        struct sl_txq *q = NULL;
        int err;

        oom_fail_at(n);
        err = sl_txq_create(0, &q);
        if (!oom_happened()) {
            assert_int_equal(err, 0);
            assert_int_equal(n, 6);
            sl_txq_destroy(q);
            return;
        }
        assert_int_equal(err, -ENOMEM);
        assert_null(q);
    }
    fail();
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, net_setup, net_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(equal_packets_leave_as_one_message),
        NET_TEST(packets_to_others_in_between_do_not_break_a_train),
        NET_TEST(a_train_ends_at_64_packets_and_65000_bytes),
        NET_TEST(a_full_queue_flushes_itself),
        NET_TEST(answers_leave_from_the_address_asked_for),
        NET_TEST(several_sockets_get_one_call_each),
        NET_TEST(a_refused_train_goes_as_single_packets),
        NET_TEST(the_source_address_stays_when_a_train_is_taken_apart),
        NET_TEST(a_socket_that_takes_no_trains_is_remembered_and_tried_again),
        NET_TEST(one_narrow_path_does_not_stop_the_trains_of_others),
        NET_TEST(one_who_cannot_be_reached_does_not_stop_the_others),
        NET_TEST(a_full_socket_drops_and_counts_at_once_and_tells_whose),
        NET_TEST(an_old_refusal_costs_no_new_packet),
        NET_TEST(packets_too_big_for_udp_are_dropped_with_their_reason),
        NET_TEST(a_closed_socket_drops_only_its_own),
        cmocka_unit_test(every_drop_has_a_name),
        cmocka_unit_test(creating_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests_name("net/net_tx", tests, NULL, NULL);
}
