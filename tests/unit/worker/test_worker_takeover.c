/*
 * Full ICE at a worker: a socket of this test stands for libnice's, and the worker gets one beside
 * it with the selected path. Checks, of which nothing is done here, stay with the first.
 */
#include "tests/unit/worker/worker_world.h"

#include "net/net_udp.h"
#include "tests/unit/ice/stun_raw.h"

#include <poll.h>

struct full {
    sl_id id;
    struct sl_udp *nice; /* libnice's */
    struct sl_udp_batch *batch;
    struct rtc_client c;
    struct sl_addr client;
};

static struct sl_addr client_addr(const struct rtc_client *c)
{
    struct sl_addr a = { 0 };
    socklen_t len = sizeof(a);

    assert_int_equal(getsockname(c->fd, &a.sa, &len), 0);
    return a;
}

static void post_path(struct full *f, enum sl_ice_path_kind kind, bool has_socket)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ICE_PATH, f->id, 0);

    m->path = (struct sl_ice_path){ .kind = kind, .remote = f->client, .fd = -1 };
    if (has_socket) {
        assert_int_equal(sl_udp_open_beside(f->nice->fd, 0, &m->path.udp), 0);
        m->path.fd = m->path.udp->fd;
    }
    post(m);
}

static void post_state(struct full *f, enum sl_ice_state state)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ICE_STATE, f->id, 0);

    m->ice_state = state;
    post(m);
}

/* As told once a second. */
static void wait_direct(unsigned int n)
{
    struct sl_worker_stats s;

    for (int i = 0; i < 3000; i++) {
        sl_worker_stats_get(world.workers[0], &s);
        if (s.paths[SL_ICE_PATH_DIRECT] == n)
            return;
        usleep(10000);
    }
    fail_msg("%u direct paths, expected %u", s.paths[SL_ICE_PATH_DIRECT], n);
}

/* A publisher of full ICE on worker 0, up. */
static void full_join(struct full *f) SL_ON_WORKER
{
    struct sl_ice_creds creds;
    struct sl_wmsg *m;
    struct sl_addr lo;

    memset(f, 0, sizeof(*f));
    f->id = sl_id_make(0, ++world.slot, 7);
    assert_int_equal(sl_addr_from_ip("127.0.0.1", 0, &lo), 0);
    assert_int_equal(sl_udp_open(&lo, 0, &f->nice), 0);
    assert_int_equal(sl_udp_batch_create(&f->batch), 0);
    post(sl_wmsg_new(SL_WMSG_PC_OPEN, f->id, 0));
    m = sl_wmsg_new(SL_WMSG_PC_REMOTE, f->id, 0);
    m->remote.fingerprint = world.client_fp;
    m->remote.dtls_server = true;
    post(m);
    post_media(f->id, make_media(SL_DIR_RECV));
    sl_ice_creds_make(0, &creds);
    assert_int_equal(rtc_init(&f->c, &f->nice->local, &creds, world.client_cert, &world.fp), 0);
    f->client = client_addr(&f->c);
    post_state(f, SL_ICE_CONNECTED);
    post_path(f, SL_ICE_PATH_DIRECT, true);
    f->c.checked = true; /* by libnice */
    assert_true(rtc_connect(&f->c));
    assert_true(wait_report(SL_REPORT_UP, f->id));
}

static void full_leave(struct full *f) SL_ON_WORKER
{
    leave(&f->c, f->id);
    sl_udp_batch_destroy(f->batch);
    sl_udp_close(f->nice);
}

/* Datagrams that came to libnice. */
static int at_nice(struct full *f, int wait_ms)
{
    struct pollfd p = { .fd = f->nice->fd, .events = POLLIN };

    return poll(&p, 1, wait_ms) > 0 ? sl_udp_recv(f->nice, f->batch) : 0;
}

static void media_comes_to_the_worker_and_checks_do_not(void **state)
{
    struct rtc_client sub;
    struct full f;
    sl_id sub_id;

    (void)state;
    SL_ASSUME(worker);
    full_join(&f);
    sub_id = join(&sub, 1, SL_DIR_SEND);
    route(f.id, sub_id);
    settle();
    for (uint16_t seq = 1; seq <= 300; seq++) {
        send_video(&f.c, seq, 3000u * seq, seq == 1);
        if (seq % 10 == 0)
            (void)await_rtp(&sub, SSRC_OUT, seq);
    }
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 300), 300);
    assert_int_equal(at_nice(&f, 0), 0);
    rtc_check(&f.c);
    assert_int_equal(at_nice(&f, 30000), 1);
    /* A channel of a TURN server that libnice talks to. */
    rtc_send_raw(&f.c,
                 "\x40\x01\x00\x04"
                 "data",
                 8);
    assert_int_equal(at_nice(&f, 30000), 1);
    wait_direct(1);
    leave(&sub, sub_id);
    full_leave(&f);
    wait_direct(0);
}

static void only_addresses_that_passed_a_check_are_heard(void **state)
{
    struct rtc_client sub, stranger;
    struct sl_wmsg *m;
    struct full f;
    sl_id sub_id;
    int own;

    (void)state;
    SL_ASSUME(worker);
    full_join(&f);
    sub_id = join(&sub, 0, SL_DIR_SEND);
    route(f.id, sub_id);
    settle();
    assert_int_equal(rtc_init(&stranger, &f.nice->local, &f.c.remote, world.client_cert, &world.fp),
                     0);
    own = f.c.fd;
    f.c.fd = stranger.fd; /* even with the right keys */
    send_video(&f.c, 1, 3000, true);
    f.c.fd = own;
    send_video(&f.c, 2, 6000, true);
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 1), 1);
    m = sl_wmsg_new(SL_WMSG_ICE_CHECKED, f.id, 0);
    m->checked = client_addr(&stranger);
    post(m);
    settle();
    f.c.fd = stranger.fd;
    send_video(&f.c, 3, 9000, false);
    f.c.fd = own;
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 2), 2);
    rtc_fini(&stranger);
    leave(&sub, sub_id);
    full_leave(&f);
}

static void the_pair_changes_and_fails_and_comes_back(void **state)
{
    struct rtc_client sub;
    struct full f;
    sl_id sub_id;

    (void)state;
    SL_ASSUME(worker);
    full_join(&f);
    sub_id = join(&sub, 0, SL_DIR_SEND);
    route(f.id, sub_id);
    settle();
    send_video(&f.c, 1, 3000, true);
    for (uint16_t seq = 2; seq <= 50; seq++) {
        post_path(&f, SL_ICE_PATH_DIRECT, false); /* nothing that waits in the socket is lost */
        send_video(&f.c, seq, 3000u * seq, false);
    }
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 50), 50);

    post_path(&f, SL_ICE_PATH_NONE, false); /* consent was lost */
    post_state(&f, SL_ICE_DISCONNECTED);
    assert_true(wait_report(SL_REPORT_ICE_FAILED, f.id));
    send_video(&f.c, 51, 153000, false); /* libnice's business now */
    assert_int_equal(at_nice(&f, 30000), 1);

    post_state(&f, SL_ICE_CONNECTED);
    post_path(&f, SL_ICE_PATH_DIRECT, true);
    send_video(&f.c, 52, 156000, true);
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 51), 51);
    leave(&sub, sub_id);
    full_leave(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_comes_to_the_worker_and_checks_do_not),
        cmocka_unit_test(only_addresses_that_passed_a_check_are_heard),
        cmocka_unit_test(the_pair_changes_and_fails_and_comes_back),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
