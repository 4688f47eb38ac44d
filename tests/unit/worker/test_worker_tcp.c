/*
 * ICE-TCP: clients connect to the one TCP port, whichever worker they belong to; and others, who
 * belong to none.
 */
#include "tests/unit/worker/worker_world.h"

#include "tests/unit/ice/stun_raw.h"
#include "worker/worker_tcp.h"

#include <poll.h>

static struct sl_addr tcp_addr(void)
{
    struct sl_addr a;

    (void)sl_addr_from_ip("127.0.0.1", world_tcp_port, &a);
    return a;
}

static sl_id join_by(bool tcp, struct rtc_client *c, unsigned int worker,
                     enum sl_dir dir) SL_ON_WORKER
{
    world_by_tcp = tcp;
    return join(c, worker, dir);
}

static void media_goes_both_ways_by_tcp_on_each_worker(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (unsigned int worker = 0; worker < NWORKERS; worker++) {
        struct rtc_client pub, sub;
        sl_id pub_id = join_by(true, &pub, worker, SL_DIR_RECV);
        sl_id sub_id = join_by(true, &sub, worker, SL_DIR_SEND);
        struct sl_worker_stats s;

        route(pub_id, sub_id);
        settle();
        for (uint16_t seq = 1; seq <= 300; seq++)
            send_video(&pub, seq, 3000u * seq, seq == 1);
        assert_int_equal(await_rtp(&sub, SSRC_OUT, 300), 300);
        assert_int_equal(sub.unreadable, 0);
        assert_true(await_rtcp(&pub, SL_RTCP_RR, 255));
        s = next_stats(worker);
        assert_int_equal(s.paths[SL_ICE_PATH_TCP], 2);
        assert_int_equal(s.paths[SL_ICE_PATH_DIRECT], 0);

        /* Who leaves is said goodbye to, and the connection ends. */
        post(sl_wmsg_new(SL_WMSG_EP_CLOSE, sub_id, 0));
        assert_true(wait_report(SL_REPORT_CLOSED, sub_id));
        for (int i = 0; i < 6000 && !sub.is_closed; i++)
            rtc_poll(&sub, 5);
        assert_true(sub.is_closed);
        assert_int_equal(sub.state, SL_DTLS_CLOSED);
        rtc_fini(&sub);
        leave(&pub, pub_id);
    }
}

static void a_connection_that_breaks_may_be_followed_by_another(void **state)
{
    struct sl_addr server = tcp_addr();
    struct rtc_client pub;
    sl_id id;
    int fd;

    (void)state;
    SL_ASSUME(worker);
    id = join_by(true, &pub, 1, SL_DIR_RECV);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)shutdown(pub.fd, SHUT_RDWR);
    assert_true(wait_report(SL_REPORT_ICE_FAILED, id));
    assert_int_equal(connect(fd, &server.sa, sl_addr_len(&server)), 0);
    assert_int_equal(dup2(fd, pub.fd), pub.fd);
    (void)close(fd);
    pub.frames->start = pub.frames->end = 0;
    pub.is_closed = pub.checked = false;
    rtc_check(&pub);
    for (int i = 0; i < 6000 && !pub.checked; i++)
        rtc_poll(&pub, 5);
    assert_true(pub.checked);
    pub.nreceived = 0;
    send_video(&pub, 1, 3000, true);
    assert_true(await_rtcp(&pub, SL_RTCP_RR, 255)); /* for it */
    leave(&pub, id);
}

/* Whether the server ends a connection that sends this, within @ms. */
static bool is_refused(const void *data, size_t len, int ms)
{
    struct sl_addr server = tcp_addr();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    bool refused;
    char c;

    assert_int_equal(connect(fd, &server.sa, sl_addr_len(&server)), 0);
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
    refused = poll(&p, 1, ms) == 1 && recv(fd, &c, 1, 0) <= 0;
    (void)close(fd);
    return refused;
}

static void who_proves_nothing_is_sent_away(void **state)
{
    struct sl_ice_creds creds;
    char user[SL_ICE_UFRAG_MAX + 8];
    struct raw_check c = { user, "not the password of anybody", 1, true, false };
    uint8_t frame[2000] = { 0 };
    struct raw r;

    (void)state;
    assert_true(is_refused("GET / HTTP/1.1\r\n\r\n", 18, 30000)); /* a frame of 18245 bytes */
    assert_true(is_refused("\0\4\x16\xfe\xff\0", 6, 30000));      /* DTLS before any check */
    assert_true(is_refused("\0\0", 2, 30000));
    for (unsigned int worker = 0; worker < 64; worker++) { /* those that there are and others */
        sl_ice_creds_make(worker, &creds);
        (void)snprintf(user, sizeof(user), "%s:test", creds.ufrag);
        raw_check_write(&r, &c, 1);
        sl_put16(frame, (uint16_t)r.n);
        memcpy(frame + 2, r.b, r.n);
        assert_true(is_refused(frame, 2 + r.n, 30000));
    }
    assert_false(is_refused("\0", 1, 500));  /* may still become something */
    assert_true(is_refused("\0", 1, 30000)); /* but not for ever */
}

static void many_idle_connections_do_not_keep_others_out(void **state)
{
    struct sl_addr server = tcp_addr();
    int fds[SL_TCP_UNPROVEN_MAX + 50];
    struct rtc_client pub;
    unsigned int closed = 0;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fds[i] >= 0);
        assert_int_equal(connect(fds[i], &server.sa, sl_addr_len(&server)), 0);
    }
    id = join_by(true, &pub, 1, SL_DIR_RECV);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        char c;

        closed += recv(fds[i], &c, 1, MSG_DONTWAIT) == 0;
        (void)close(fds[i]);
    }
    assert_in_range(closed, 50, 60);
    leave(&pub, id);
}

/* It costs only itself: the queue is bounded, others get all, and it goes on afterwards. */
static void a_slow_reader_loses_packets_and_nobody_else_does(void **state)
{
    struct rtc_client pub, slow, sub;
    struct sl_worker_stats s;
    sl_id pub_id, slow_id, sub_id;
    const uint16_t n = 20000;
    static uint16_t marks[RTC_RECEIVED_MAX];
    int little = 32768;
    uint16_t mark = 0;
    size_t got;

    (void)state;
    SL_ASSUME(worker);
    pub_id = join_by(false, &pub, 0, SL_DIR_RECV);
    slow_id = join_by(true, &slow, 0, SL_DIR_SEND);
    assert_int_equal(setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
    sub_id = join_by(false, &sub, 0, SL_DIR_SEND);
    route(pub_id, slow_id);
    route(pub_id, sub_id);
    settle();
    got = 0;
    for (uint16_t seq = 1; seq <= n; seq++) {
        send_video(&pub, seq, 3000u * seq, seq == 1);
        if (seq % 20 == 0) {
            got += await_rtp(&sub, SSRC_OUT, 20);
            sub.nreceived = 0;
        }
    }
    assert_int_equal(got, n);
    s = next_stats(0);
    assert_true(s.drops[SL_DROP_TCP_FULL] > 0);
    assert_true(s.drops[SL_DROP_TCP_FULL] < n);
    /* It reads again: what comes then is what is sent then. */
    for (uint16_t i = 1; i <= 600 && mark <= n; i++) {
        send_video(&pub, n + i, 3000u * (n + i), true);
        slow.nreceived = 0;
        rtc_poll(&slow, 50);
        assert_false(slow.is_closed);
        got = count_rtp(&slow, SSRC_OUT, NULL, marks);
        mark = got ? marks[got - 1] : 0;
    }
    assert_true(mark > n);
    assert_int_equal(slow.unreadable, 0);
    leave(&slow, slow_id);
    leave(&sub, sub_id);
    leave(&pub, pub_id);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_goes_both_ways_by_tcp_on_each_worker),
        cmocka_unit_test(a_connection_that_breaks_may_be_followed_by_another),
        cmocka_unit_test(who_proves_nothing_is_sent_away),
        cmocka_unit_test(many_idle_connections_do_not_keep_others_out),
        cmocka_unit_test(a_slow_reader_loses_packets_and_nobody_else_does),
    };

    world_has_tcp = true;
    return cmocka_run_group_tests(tests, setup, teardown);
}
