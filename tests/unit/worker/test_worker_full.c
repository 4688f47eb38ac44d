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

#define FRAMES 30 /* 10 ms apart: less than SL_ENDPOINT_KEY_US */

static uint64_t full_drops(unsigned int worker)
{
    return next_stats(worker).tx.drops[SL_TX_DROP_FULL];
}

static void what_a_full_socket_loses_is_counted_and_a_key_frame_asked(void **state)
{
    struct rtc_client pub, sub, other;
    uint64_t begin_us;
    sl_id p, s, o;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 1, SL_DIR_SEND);
    o = join(&other, 0, SL_DIR_SEND);
    route(p, s);
    route(p, o);
    settle();
    for (uint16_t i = 1; i <= FRAMES; i++) {
        send_video(&pub, i, 3000u * i, i == 1);
        rtc_poll(&pub, 10);
    }
    rtc_poll(&pub, 1000); /* answers of the beginning */
    assert_int_equal(await_rtp(&sub, SSRC_OUT, FRAMES), FRAMES);
    pub.nreceived = sub.nreceived = 0;

    atomic_store(&full_port, port_of(&sub));
    begin_us = sl_now_us();
    for (uint16_t i = FRAMES + 1; i <= 2 * FRAMES; i++) {
        send_video(&pub, i, 3000u * i, false);
        rtc_poll(&pub, 10);
    }
    assert_int_equal(await_rtp(&other, SSRC_OUT, 2 * FRAMES), 2 * FRAMES);
    settle();
    atomic_store(&full_port, 0);
    assert_true(await_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI));
    /* More than one or two only on a machine that stands. */
    assert_in_range(count_plis(&pub), 1, 2 + (sl_now_us() - begin_us) / SL_ENDPOINT_KEY_US);
    rtc_poll(&sub, 0);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 0);
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
