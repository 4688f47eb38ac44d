#include "net_util.h"
#include "net/net_tcp.h"
#include "base/bytes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- frames ---- */

static void feed(struct sl_frames *f, const void *data, size_t len)
{
    size_t room;
    uint8_t *at = sl_frames_room(f, &room);

    assert_true(room >= len);
    memcpy(at, data, len);
    sl_frames_add(f, len);
}

static void frames_come_whole_however_they_are_cut(void **state)
{
    static const uint8_t stream[] = { 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd', 0, 2, 'e', 'f' };
    static const struct {
        const char *data;
        size_t len;
    } want[] = { { "abc", 3 }, { "", 0 }, { "d", 1 }, { "ef", 2 } };
    struct sl_frames *f = calloc(1, sizeof(*f));

    (void)state;
    for (size_t cut = 1; cut <= sizeof(stream); cut++) {
        size_t got = 0, len;
        uint8_t *data;

        for (size_t at = 0; at < sizeof(stream); at += cut) {
            feed(f, stream + at, cut < sizeof(stream) - at ? cut : sizeof(stream) - at);
            while (sl_frames_next(f, &data, &len) == 1) {
                assert_true(got < TEST_COUNT(want));
                assert_int_equal(len, want[got].len);
                assert_memory_equal(data, want[got].data, len);
                got++;
            }
        }
        assert_int_equal(got, TEST_COUNT(want));
        assert_int_equal(f->start, f->end);
    }
    free(f);
}

static void a_frame_longer_than_a_packet_is_refused(void **state)
{
    struct sl_frames *f = calloc(1, sizeof(*f));
    uint8_t big[2 + SL_FRAME_MAX] = { SL_FRAME_MAX >> 8, SL_FRAME_MAX & 0xff };
    uint8_t *data;
    size_t len, room;
    int err;

    (void)state;
    feed(f, big, sizeof(big) - 1);
    assert_int_equal(sl_frames_next(f, &data, &len), 0);
    feed(f, big, 1);
    assert_int_equal(sl_frames_next(f, &data, &len), 1);
    assert_int_equal(len, SL_FRAME_MAX);
    /* Whatever is missing of a frame, there is room for it. */
    for (int i = 0; i < 100; i++) {
        feed(f, big, sizeof(big) - 1 - (size_t)i);
        while ((err = sl_frames_next(f, &data, &len)) == 1)
            ;
        (void)sl_frames_room(f, &room);
        assert_true(err < 0 || room >= sizeof(big));
        if (err < 0)
            break;
    }
    f->start = f->end = 0;
    sl_put16(big, SL_FRAME_MAX + 1);
    feed(f, big, 2);
    assert_int_equal(sl_frames_next(f, &data, &len), -EBADMSG);
    free(f);
}

/* ---- connections ---- */

struct link {
    int listener, client;
    struct sl_tcp *t;
    struct sl_list dirty;
};

static void link_open(struct link *l, const char *ip)
{
    struct sl_addr at, own = { 0 };
    socklen_t len = sizeof(own);

    assert_int_equal(sl_addr_from_ip(ip, 0, &at), 0);
    l->listener = sl_tcp_listen(&at);
    assert_true(l->listener >= 0);
    assert_int_equal(getsockname(l->listener, &own.sa, &len), 0);
    assert_int_equal(sl_tcp_accept(l->listener, &l->t), -EAGAIN);
    l->client = socket(sl_addr_family(&at), SOCK_STREAM, 0);
    assert_int_equal(connect(l->client, &own.sa, sl_addr_len(&own)), 0);
    assert_int_equal(sl_tcp_accept(l->listener, &l->t), 0);
    assert_true(sl_addr_is_equal(&l->t->local, &own));
    sl_list_init(&l->dirty);
}

static void link_close(struct link *l)
{
    sl_tcp_destroy(l->t);
    assert_true(sl_list_is_empty(&l->dirty));
    (void)close(l->client);
    (void)close(l->listener);
}

static void wait_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 2000), 1);
}

static void packets_go_both_ways_and_a_turn_is_one_write(void **state)
{
    static const char *const ips[] = { "127.0.0.1", "::1" };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(ips); i++) {
        struct link l;
        uint8_t *data, buf[64];
        size_t len;

        if (i == 1 && !has_ipv6())
            continue;
        link_open(&l, ips[i]);
        assert_int_equal(sl_tcp_read(l.t), 0);
        assert_int_equal(write(l.client, "\0\5hello\0", 8), 8);
        wait_readable(l.t->fd);
        assert_int_equal(sl_tcp_read(l.t), 8);
        assert_int_equal(sl_frames_next(&l.t->in, &data, &len), 1);
        assert_int_equal(len, 5);
        assert_memory_equal(data, "hello", 5);
        assert_int_equal(sl_frames_next(&l.t->in, &data, &len), 0);

        assert_int_equal(sl_tcp_send(l.t, (const uint8_t *)"one", 3, &l.dirty), 0);
        assert_int_equal(sl_tcp_send(l.t, (const uint8_t *)"two", 3, &l.dirty), 0);
        assert_ptr_equal(sl_container(l.dirty.next, struct sl_tcp, dirty), l.t);
        assert_int_equal(recv(l.client, buf, sizeof(buf), MSG_DONTWAIT), -1);
        assert_int_equal(sl_tcp_flush(l.t), 0);
        assert_true(sl_list_is_empty(&l.dirty));
        wait_readable(l.client);
        assert_int_equal(recv(l.client, buf, sizeof(buf), 0), 10);
        assert_memory_equal(buf, "\0\3one\0\3two", 10);

        assert_int_equal(shutdown(l.client, SHUT_WR), 0);
        wait_readable(l.t->fd);
        assert_int_equal(sl_tcp_read(l.t), -EPIPE);
        link_close(&l);
    }
}

/* What it takes arrives in order and whole, and what it refuses not at all. */
static void a_slow_reader_gets_whole_packets_and_no_endless_queue(void **state)
{
    uint8_t pkt[1200] = { 0 }, *data;
    struct sl_frames *f = calloc(1, sizeof(*f));
    unsigned int sent = 0, refused = 0, got = 0;
    uint32_t last = 0;
    struct link l;

    (void)state;
    link_open(&l, "127.0.0.1");
    for (uint32_t i = 1; i <= 5000; i++) {
        int err;

        sl_put32(pkt, i);
        err = sl_tcp_send(l.t, pkt, sizeof(pkt), &l.dirty);
        assert_true(err == 0 || err == -ENOBUFS);
        sent += err == 0;
        refused += err != 0;
        assert_in_range(sl_tcp_flush(l.t), 0, SL_TCP_QUEUE_MAX);
    }
    assert_true(refused > 0);
    assert_int_equal(sl_tcp_send(l.t, pkt, SL_FRAME_MAX + 1, &l.dirty), -EMSGSIZE);
    while (got < sent) {
        size_t room, len;
        uint8_t *at = sl_frames_room(f, &room);
        ssize_t n;

        (void)sl_tcp_flush(l.t);
        wait_readable(l.client);
        n = recv(l.client, at, room, 0);
        assert_true(n > 0);
        sl_frames_add(f, (size_t)n);
        while (sl_frames_next(f, &data, &len) == 1) {
            assert_int_equal(len, sizeof(pkt));
            assert_true(sl_get32(data) > last);
            last = sl_get32(data);
            got++;
        }
    }
    assert_int_equal(sl_tcp_flush(l.t), 0);
    free(f);
    link_close(&l);
}

static void a_broken_connection_says_so(void **state)
{
    struct linger hard = { 1, 0 };
    struct link l;
    int err = 0;

    (void)state;
    link_open(&l, "127.0.0.1");
    assert_int_equal(setsockopt(l.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    (void)close(l.client);
    l.client = dup(l.listener);
    for (int i = 0; i < 100 && err >= 0; i++) {
        assert_int_equal(sl_tcp_send(l.t, (const uint8_t *)"x", 1, &l.dirty), 0);
        err = sl_tcp_flush(l.t);
        usleep(1000);
    }
    assert_true(err == -ECONNRESET || err == -EPIPE);
    link_close(&l);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_whole_however_they_are_cut),
        cmocka_unit_test(a_frame_longer_than_a_packet_is_refused),
        cmocka_unit_test(packets_go_both_ways_and_a_turn_is_one_write),
        cmocka_unit_test(a_slow_reader_gets_whole_packets_and_no_endless_queue),
        cmocka_unit_test(a_broken_connection_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
