/* A subscriber whose packets the kernel does not take any more, on another worker than the
 * publisher: what is lost is counted, nobody else loses any, and a key frame is asked for. */
#include "tests/unit/worker/worker_world.h"

#include <errno.h>
#include <sys/socket.h>

static atomic_uint full_port; /* packets to it meet a full socket; 0: none */

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags);

static bool is_full(const struct mmsghdr *m)
{
    return sl_addr_port(m->msg_hdr.msg_name) == atomic_load(&full_port);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
    unsigned int good = 0;

    while (good < n && !is_full(&m[good]))
        good++;
    if (good || !n)
        return __real_sendmmsg(fd, m, good, flags);
    errno = EAGAIN;
    return -1;
}

static unsigned int port_of(const struct rtc_client *c)
{
    struct sl_addr a = { 0 };
    socklen_t len = sizeof(a);

    assert_int_equal(getsockname(c->fd, &a.sa, &len), 0);
    return sl_addr_port(&a);
}

static size_t key_frames_asked(const struct rtc_client *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_rtcp_pkt p;

        while (c->received[i].is_rtcp && sl_rtcp_next(&it, &p) > 0)
            n += p.pt == SL_RTCP_PSFB && p.fmt == SL_PSFB_PLI;
    }
    return n;
}

#define FRAMES 30 /* 10 ms apart: less than SL_ENDPOINT_KEY_US */

static uint64_t full_drops(unsigned int worker)
{
    struct sl_worker_stats s;

    usleep(1100000); /* told once a second */
    sl_worker_stats_get(world.workers[worker], &s);
    return s.tx.drops[SL_TX_DROP_FULL];
}

static void what_a_full_socket_loses_is_counted_and_a_key_frame_asked(void **state)
{
    struct rtc_client pub, sub, other;
    sl_id p, s, o;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 1, SL_DIR_SEND);
    o = join(&other, 0, SL_DIR_SEND);
    route(p, s);
    route(p, o);
    rtc_poll(&pub, 50);
    for (uint16_t i = 1; i <= FRAMES; i++) {
        send_video(&pub, i, 3000u * i, i == 1);
        rtc_poll(&pub, 10);
    }
    rtc_poll(&pub, 1000); /* answers of the beginning */
    rtc_poll(&sub, 50);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), FRAMES);
    pub.nreceived = sub.nreceived = 0;

    atomic_store(&full_port, port_of(&sub));
    for (uint16_t i = FRAMES + 1; i <= 2 * FRAMES; i++) {
        send_video(&pub, i, 3000u * i, false);
        rtc_poll(&pub, 10);
    }
    rtc_poll(&pub, 300);
    atomic_store(&full_port, 0);
    assert_in_range(key_frames_asked(&pub), 1, 3); /* more than one only on a machine that stands */
    rtc_poll(&sub, 50);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 0);
    rtc_poll(&other, 50);
    assert_int_equal(count_rtp(&other, SSRC_OUT, NULL, NULL), 2 * FRAMES);
    assert_in_range(full_drops(1), FRAMES, FRAMES + 20); /* and a report or two */
    assert_int_equal(full_drops(0), 0);

    send_video(&pub, 2 * FRAMES + 1, 3000u * (2 * FRAMES + 1), true);
    await_rtp(&sub, SSRC_OUT, 1);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 1);
    leave(&other, o);
    leave(&sub, s);
    leave(&pub, p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_full_socket_loses_is_counted_and_a_key_frame_asked),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
