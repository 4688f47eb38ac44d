#include "net_util.h"
#include "base/clock.h"
#include "../test_oom.h"
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct sl_udp *rx, *tx;
    struct sl_udp_batch *batch;
};

static struct pair pair_open(const char *rx, const char *tx)
{
    struct pair p = { open_on(rx), open_on(tx), NULL };

    assert_int_equal(sl_udp_batch_create(&p.batch), 0);
    return p;
}

static void pair_close(struct pair *p)
{
    sl_udp_batch_destroy(p->batch);
    sl_udp_close(p->tx);
    sl_udp_close(p->rx);
}

static void send_to(const struct pair *p, const char *ip, const void *data, size_t len)
{
    struct sl_addr to;

    assert_int_equal(sl_addr_from_ip(ip, sl_addr_port(&p->rx->local), &to), 0);
    assert_int_equal(sendto(p->tx->fd, data, len, 0, &to.sa, sl_addr_len(&to)), len);
}

static void a_datagram_comes_with_where_from_and_where_to(void **state)
{
    static const struct {
        const char *bind, *tx, *to;
        bool v6;
    } v[] = {
        { "127.0.0.1", "127.0.0.1", "127.0.0.1", false },
        { "0.0.0.0", "127.0.0.1", "127.0.0.1", false },
        { "0.0.0.0", "127.0.0.9", "127.0.0.7", false },
        { "::1", "::1", "::1", true },
        { "::", "::1", "::1", true },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_udp_dgram *d;
        struct sl_addr want;
        struct pair p;

        if (v[i].v6 && !has_ipv6())
            continue;
        p = pair_open(v[i].bind, v[i].tx);
        assert_int_not_equal(sl_addr_port(&p.rx->local), 0);
        send_to(&p, v[i].to, "hello", 5);
        assert_true(waits(p.rx, 1000));
        assert_int_equal(sl_udp_recv(p.rx, p.batch), 1);
        d = &p.batch->dgrams[0];
        assert_int_equal(d->len, 5);
        assert_memory_equal(d->data, "hello", 5);
        assert_true(sl_addr_is_equal(d->remote, &p.tx->local));
        assert_int_equal(sl_addr_from_ip(v[i].to, sl_addr_port(&p.rx->local), &want), 0);
        assert_true(sl_addr_is_equal(d->local, &want));
        assert_int_equal(sl_udp_recv(p.rx, p.batch), 0);
        assert_int_equal(p.batch->n, 0);
        pair_close(&p);
    }
}

/* Everything by its first byte (RFC 7983), whoever sends it. */
static void two_sockets_share_a_port_by_the_first_byte(void **state)
{
    static const char *const v[] = { "127.0.0.1", "::1" };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_udp *old, *ours;
        struct pair p;

        if (i == 1 && !has_ipv6())
            continue;
        p = pair_open(v[i], v[i]);
        old = p.rx;
        assert_int_equal(sl_udp_open_beside(old->fd, 0, &ours), 0);
        assert_true(sl_addr_is_equal(&ours->local, &old->local));
        for (unsigned int b = 0; b < 256; b++) {
            bool is_ours = (b >= 20 && b < 64) || (b >= 128 && b < 192);
            struct sl_udp *here = is_ours ? ours : old, *there = is_ours ? old : ours;
            uint8_t data[2] = { (uint8_t)b, 7 };

            send_to(&p, v[i], data, sizeof(data));
            assert_true(waits(here, 1000));
            assert_int_equal(sl_udp_recv(here, p.batch), 1);
            assert_int_equal(p.batch->dgrams[0].data[0], b);
            assert_int_equal(sl_udp_recv(there, p.batch), 0);
        }
        send_to(&p, v[i], "", 0);
        assert_true(waits(old, 1000));
        assert_int_equal(sl_udp_recv(old, p.batch), 1);
        sl_udp_close(ours);
        send_to(&p, v[i], "\x80", 1);
        assert_true(waits(old, 1000));
        assert_int_equal(sl_udp_recv(old, p.batch), 1);
        /* And once more, since pairs come and go. */
        assert_int_equal(sl_udp_open_beside(old->fd, 0, &ours), 0);
        send_to(&p, v[i], "\x80", 1);
        assert_true(waits(ours, 1000));
        sl_udp_close(ours);
        pair_close(&p);
    }
}

static void many_datagrams_come_in_batches_in_order(void **state)
{
    struct pair p = pair_open("127.0.0.1", "127.0.0.1");
    unsigned int got = 0;
    int calls = 0;

    (void)state;
    for (unsigned int i = 0; i < 40; i++)
        send_to(&p, "127.0.0.1", &i, sizeof(i));
    while (got < 40 && waits(p.rx, 1000)) {
        int n = sl_udp_recv(p.rx, p.batch);

        assert_true(n > 0);
        assert_int_equal(p.batch->has_more, n >= SL_UDP_BATCH_MSGS);
        for (int k = 0; k < n; k++, got++)
            assert_memory_equal(p.batch->dgrams[k].data, &got, sizeof(got));
        calls++;
    }
    assert_int_equal(got, 40);
    assert_int_equal(calls, 3);
    assert_int_equal(p.batch->datagrams, 40);
    pair_close(&p);
}

static void empty_datagrams_are_datagrams(void **state)
{
    struct pair p = pair_open("127.0.0.1", "127.0.0.1");

    (void)state;
    send_to(&p, "127.0.0.1", "", 0);
    send_to(&p, "127.0.0.1", "x", 1);
    assert_true(waits(p.rx, 1000));
    assert_int_equal(sl_udp_recv(p.rx, p.batch), 2);
    assert_int_equal(p.batch->dgrams[0].len, 0);
    assert_int_equal(p.batch->dgrams[1].len, 1);
    pair_close(&p);
}

static void the_longest_datagram_fits(void **state)
{
    struct pair p = pair_open("127.0.0.1", "127.0.0.1");
    static uint8_t data[65507];

    (void)state;
    memset(data, 7, sizeof(data));
    send_to(&p, "127.0.0.1", data, sizeof(data));
    assert_true(waits(p.rx, 1000));
    assert_int_equal(sl_udp_recv(p.rx, p.batch), 1);
    assert_int_equal(p.batch->dgrams[0].len, sizeof(data));
    assert_memory_equal(p.batch->dgrams[0].data, data, sizeof(data));
    assert_int_equal(p.batch->truncated, 0);
    pair_close(&p);
}

/* Sends @n bytes as a train of @segment each. */
static ssize_t send_train(const struct pair *p, const void *data, size_t n, uint16_t segment)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(segment))] = { 0 };
    struct iovec iov = { (void *)(uintptr_t)data, n };
    struct sl_addr to = p->rx->local;
    struct msghdr m = {
        .msg_name = &to,
        .msg_namelen = sl_addr_len(&to),
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
    return sendmsg(p->tx->fd, &m, 0);
}

static void a_train_is_split_into_its_datagrams(void **state)
{
    static const struct {
        size_t bytes;
        uint16_t segment;
        size_t want;
    } v[] = { { 5000, 1000, 5 }, { 5001, 1000, 6 }, { 1999, 1000, 2 }, { 640, 10, 64 } };
    struct pair p = pair_open("127.0.0.1", "127.0.0.1");
    uint8_t data[5001];

    (void)state;
    if (!p.rx->has_gro)
        print_message("no UDP_GRO in this kernel: trains arrive as single datagrams\n");
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint64_t messages = p.batch->messages;
        size_t at = 0, got = 0;

        assert_int_equal(send_train(&p, data, v[i].bytes, v[i].segment), v[i].bytes);
        while (got < v[i].want && waits(p.rx, 1000)) {
            int n = sl_udp_recv(p.rx, p.batch);

            for (int k = 0; k < n; k++, got++) {
                const struct sl_udp_dgram *d = &p.batch->dgrams[k];

                assert_int_equal(d->len,
                                 v[i].bytes - at < v[i].segment ? v[i].bytes - at : v[i].segment);
                assert_memory_equal(d->data, data + at, d->len);
                assert_true(sl_addr_is_equal(d->remote, &p.tx->local));
                at += d->len;
            }
        }
        assert_int_equal(got, v[i].want);
        assert_int_equal(at, v[i].bytes);
        if (p.rx->has_gro)
            assert_int_equal(p.batch->messages - messages, 1);
    }
    pair_close(&p);
}

static void what_nobody_reads_in_time_is_counted(void **state)
{
    struct sl_udp *rx = NULL, *tx = open_on("127.0.0.1");
    struct sl_udp_batch *b = NULL;
    static uint8_t data[1000];
    struct sl_addr a;
    uint64_t got = 0;

    (void)state;
    assert_int_equal(sl_addr_parse("127.0.0.1", &a), 0);
    assert_int_equal(sl_udp_open(&a, 4096, &rx), 0);
    assert_int_equal(sl_udp_batch_create(&b), 0);
    for (int i = 0; i < 100; i++)
        (void)sendto(tx->fd, data, sizeof(data), 0, &rx->local.sa, sl_addr_len(&rx->local));
    while (waits(rx, 0))
        got += (uint64_t)sl_udp_recv(rx, b);
    assert_in_range(got, 1, 99);
    /* The count travels with the next datagram. */
    assert_int_equal(sendto(tx->fd, data, 1, 0, &rx->local.sa, sl_addr_len(&rx->local)), 1);
    assert_true(waits(rx, 1000));
    assert_int_equal(sl_udp_recv(rx, b), 1);
    assert_int_equal(rx->overflows, 100 - got);
    sl_udp_batch_destroy(b);
    sl_udp_close(rx);
    sl_udp_close(tx);
}

static void a_datagram_says_when_it_came(void **state)
{
    struct sl_udp *tx = open_on("127.0.0.1"), *rx = open_on("127.0.0.1");
    struct sl_udp_batch *b = NULL;

    (void)state;
    assert_int_equal(sl_udp_batch_create(&b), 0);
    for (int i = 0; i < 3; i++) {
        uint64_t before = sl_now_us(), after;

        assert_int_equal(sendto(tx->fd, "x", 1, 0, &rx->local.sa, sl_addr_len(&rx->local)), 1);
        after = sl_now_us();
        assert_true(waits(rx, 1000));
        usleep(30000); /* until somebody reads */
        assert_int_equal(sl_udp_recv(rx, b), 1);
        /* The clocks are read one after the other. */
        assert_in_range(b->dgrams[0].rx_us, before - 2000, after + 5000);
    }
    sl_udp_batch_destroy(b);
    sl_udp_close(rx);
    sl_udp_close(tx);
}

static void sockets_that_cannot_be_had_say_why(void **state)
{
    struct sl_udp *u = open_on("127.0.0.1"), *second = NULL;
    struct sl_addr none = { 0 }, foreign;

    (void)state;
    assert_int_equal(sl_udp_open(&u->local, 0, &second), -EADDRINUSE);
    assert_int_equal(sl_udp_open(&none, 0, &second), -EAFNOSUPPORT);
    assert_int_equal(sl_addr_parse("192.0.2.1", &foreign), 0);
    assert_int_equal(sl_udp_open(&foreign, 0, &second), -EADDRNOTAVAIL);
    assert_null(second);
    sl_udp_close(u);
    sl_udp_close(NULL);
}

static void both_families_share_a_port(void **state)
{
    int err = -EADDRINUSE;

    (void)state;
    /* Somebody else may have the other family's. */
    for (int i = 0; i < 50 && err == -EADDRINUSE && has_ipv6(); i++) {
        struct sl_udp *v4 = open_on("0.0.0.0"), *v6 = NULL;
        struct sl_addr a;

        assert_int_equal(sl_addr_from_ip("::", sl_addr_port(&v4->local), &a), 0);
        err = sl_udp_open(&a, 0, &v6);
        sl_udp_close(v6);
        sl_udp_close(v4);
    }
    assert_int_equal(err, has_ipv6() ? 0 : -EADDRINUSE);
}

static void buffers_are_as_large_as_allowed(void **state)
{
    struct sl_udp *u = open_on("127.0.0.1");

    (void)state;
    assert_true(u->rcvbuf >= 4096);
    assert_true(u->sndbuf >= 4096);
    sl_udp_close(u);
}

static void setup_survives_every_failed_allocation(void **state)
{
    struct sl_addr a;

    (void)state;
    assert_int_equal(sl_addr_parse("127.0.0.1", &a), 0);
    for (unsigned int n = 1; n < 100; n++) {
        struct sl_udp_batch *b = NULL;
        struct sl_udp *u = NULL;
        int err;

        oom_fail_at(n);
        err = sl_udp_open(&a, 0, &u);
        if (!err)
            err = sl_udp_batch_create(&b);
        sl_udp_batch_destroy(b);
        sl_udp_close(u);
        if (!oom_happened()) {
            assert_int_equal(err, 0);
            assert_int_equal(n, 4);
            return;
        }
        assert_int_equal(err, -ENOMEM);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_comes_with_where_from_and_where_to),
        cmocka_unit_test(two_sockets_share_a_port_by_the_first_byte),
        cmocka_unit_test(many_datagrams_come_in_batches_in_order),
        cmocka_unit_test(empty_datagrams_are_datagrams),
        cmocka_unit_test(the_longest_datagram_fits),
        cmocka_unit_test(a_train_is_split_into_its_datagrams),
        cmocka_unit_test(what_nobody_reads_in_time_is_counted),
        cmocka_unit_test(a_datagram_says_when_it_came),
        cmocka_unit_test(sockets_that_cannot_be_had_say_why),
        cmocka_unit_test(both_families_share_a_port),
        cmocka_unit_test(buffers_are_as_large_as_allowed),
        cmocka_unit_test(setup_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests_name("net/net_udp", tests, NULL, NULL);
}
