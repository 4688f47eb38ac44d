/* What a worker tells of itself: load, trains, wakes, latency. */
#include "tests/unit/worker/worker_world.h"

static void latency_is_told_for_every_packet_that_left(void **state)
{
    struct sl_worker_stats before = next_stats(0), s;
    struct rtc_client pub, sub;
    sl_id p, to;
    size_t got = 0;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    to = join(&sub, 0, SL_DIR_SEND);
    route(p, to);
    settle();
    for (unsigned int i = 0; i < 200; i++) {
        send_video(&pub, (uint16_t)(1 + i), i * 3000, i == 0);
        (void)await_rtp(&sub, SSRC_OUT, i + 1);
    }
    got = count_rtp(&sub, SSRC_OUT, NULL, NULL);
    s = next_stats(0);
    assert_int_equal(got, 200);
    assert_int_equal(s.latency.count - before.latency.count, 200);
    assert_true(s.recent.count >= 200);
    assert_true(s.rx_datagrams - before.rx_datagrams >= 200);
    assert_true(s.tx.packets - before.tx.packets >= 200);
    print_message("p50 %u us, p99 %u us\n", (unsigned int)sl_hist_quantile(&s.latency, 500),
                  (unsigned int)sl_hist_quantile(&s.latency, 990));
    /* Generous: the machine may be busy. */
    assert_in_range(sl_hist_quantile(&s.latency, 500), 1, 1000000);
    leave(&pub, p);
    leave(&sub, to);
}

/* What waits while the worker is stuck is late by as much. */
static void latency_counts_from_the_arrival_at_the_kernel(void **state)
{
    struct rtc_client pub, sub;
    struct sl_worker_stats s;
    struct sl_hist before, new;
    sl_id p, to;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 1, SL_DIR_RECV);
    to = join(&sub, 1, SL_DIR_SEND);
    route(p, to);
    settle();
    send_video(&pub, 1, 0, true);
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 1), 1);
    before = next_stats(1).latency;
    stick();
    for (unsigned int i = 0; i < 20; i++)
        send_video(&pub, (uint16_t)(2 + i), 3000 * (i + 1), false);
    usleep(300000);
    let_go();
    await_rtp(&sub, SSRC_OUT, 21);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 21);
    s = next_stats(1);
    sl_hist_since(&s.latency, &before, &new);
    assert_int_equal(new.count, 20);
    assert_true(sl_hist_quantile(&new, 1) > 250000);
    leave(&pub, p);
    leave(&sub, to);
}

/* A worker that waits for something, or for a core, is not loaded. */
static void load_is_cpu_time(void **state)
{
    uint64_t cpu_us = next_stats(1).cpu_us;
    struct sl_worker_load before = sl_worker_load(world.workers[1]), load;

    (void)state;
    stick();
    usleep(1500000);
    let_go();
    for (int i = 0; i < 3000 && sl_worker_load(world.workers[1]).told == before.told; i++)
        usleep(10000);
    load = sl_worker_load(world.workers[1]);
    assert_int_not_equal(load.told, before.told);
    assert_in_range(load.busy_permille, 0, 500);
    assert_true(next_stats(1).cpu_us - cpu_us < 1000000);
}

/* The CPU time of a worker is where it is told. */
static void work_is_load(void **state)
{
    struct rtc_client pub, sub;
    uint64_t before_us, after_us;
    sl_id p, to;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    to = join(&sub, 0, SL_DIR_SEND);
    route(p, to);
    before_us = next_stats(0).cpu_us;
    for (unsigned int i = 0; i < 3000; i++) {
        send_video(&pub, (uint16_t)(1 + i), i * 3000, i == 0);
        if (i % 100 == 99)
            rtc_poll(&sub, 1);
    }
    after_us = next_stats(0).cpu_us;
    assert_in_range(after_us - before_us, 1000, 10000000); /* a third of a microsecond each */
    leave(&pub, p);
    leave(&sub, to);
}

/* Timers of all peers fire together, and feedback that is not due wakes nobody. */
static void peers_that_do_nothing_let_the_worker_sleep(void **state)
{
    struct rtc_client c[8];
    uint64_t turns, us;
    sl_id id[8];

    (void)state;
    SL_ASSUME(worker);
    for (int i = 0; i < 8; i++)
        id[i] = join(&c[i], 0, i % 2 ? SL_DIR_SEND : SL_DIR_RECV);
    turns = next_stats(0).turns;
    us = sl_now_us();
    usleep(3000000);
    turns = next_stats(0).turns - turns;
    us = sl_now_us() - us;
    print_message("%u turns in %u ms\n", (unsigned int)turns, (unsigned int)(us / 1000));
    assert_in_range(turns, 1, us / 20000);
    for (int i = 0; i < 8; i++)
        leave(&c[i], id[i]);
}

/* Of each m-line, to control. */
static struct sl_media_stats media_stats(sl_id id)
{
    struct sl_media_stats s;

    pthread_mutex_lock(&world.lock);
    world.nreports = 0;
    pthread_mutex_unlock(&world.lock);
    post(sl_wmsg_new(SL_WMSG_PC_INFO, id, 0));
    assert_true(wait_report(SL_REPORT_INFO, id));
    pthread_mutex_lock(&world.lock);
    s = world.stats[0];
    pthread_mutex_unlock(&world.lock);
    return s;
}

/* What the subscriber says: it can take 250 kbit/s, and misses two packets. */
static void say_feedback(struct rtc_client *c) SL_ON_WORKER
{
    static const uint16_t missing[] = { 3, 4 };
    static const uint32_t ssrc = SSRC_OUT;
    uint8_t buf[128];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    sl_rtcp_rr_write(&w, 1, NULL, 0);
    sl_rtcp_remb_write(&w, 1, 250000, &ssrc, 1);
    sl_rtcp_nack_write(&w, 1, SSRC_OUT, missing, 2);
    rtc_send_rtcp(c, buf, sl_writer_len(&w));
    settle();
}

static void what_was_counted_of_an_m_line_is_told(void **state)
{
    struct rtc_client pub, sub;
    struct sl_media_stats s;
    sl_id p, to;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    to = join(&sub, 0, SL_DIR_SEND);
    route(p, to);
    settle();
    for (unsigned int i = 0; i < 50; i++) {
        if (i != 20) /* lost on its way */
            send_video(&pub, (uint16_t)(1 + i), i * 3000, i == 0);
    }
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 49), 49);
    assert_true(await_rtcp(&pub, SL_RTCP_RTPFB, SL_RTPFB_NACK));
    s = media_stats(p);
    assert_int_equal(s.packets_in, 49);
    assert_int_equal(s.lost, 1);
    assert_true(s.bytes_in > 49 * 12 && s.nacks_out > 0);
    assert_int_equal(s.clock_rate, 90000);
    assert_int_equal(s.packets_out, 0);
    say_feedback(&sub);
    s = media_stats(to);
    assert_int_equal(s.remb_bps, 250000);
    assert_int_equal(s.nacks_in, 2);
    assert_int_equal(s.packets_out, 49);
    assert_true(s.bytes_out > 0 && s.bytes_out < 49 * 1200);
    assert_int_equal(s.packets_in, 0);
    for (int i = 0; i < 40 && !world.way.why; i++) { /* told with the layers, five times a second */
        rtc_poll(&sub, 50);
        (void)media_stats(to);
    }
    assert_non_null(world.way.why);
    assert_string_equal(world.way.why, "remb");
    assert_in_range(world.way.estimate_bps, 249000, 250000);
    leave(&pub, p);
    leave(&sub, to);
}

/* The pair, what ICE and DTLS do, and the last numbers, in this order. */
static void news_of_a_connection_are_told(void **state)
{
    static const enum sl_report_type order[] = { SL_REPORT_UP, SL_REPORT_INFO, SL_REPORT_DOWN };
    unsigned int pairs = 0, ice = 0, dtls = 0, at = 0;
    struct rtc_client pub;
    sl_id p;

    (void)state;
    SL_ASSUME(worker);
    pthread_mutex_lock(&world.lock);
    world.nreports = 0;
    pthread_mutex_unlock(&world.lock);
    p = join(&pub, 0, SL_DIR_RECV);
    sl_dtls_close(pub.dtls); /* the client goes */
    assert_true(wait_report(SL_REPORT_DOWN, p));
    pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.nreports; i++) {
        const struct sl_report *r = &world.reports[i];
        const struct sl_link *l = &r->link;

        if (r->pc != p)
            continue;
        if (at < 3 && r->type == order[at])
            at++;
        if (r->type != SL_REPORT_LINK)
            continue;
        if (l->what == SL_LINK_PAIR) {
            pairs++;
            assert_int_equal(sl_addr_port(&l->pair.local), world_port);
            assert_true(sl_addr_family(&l->pair.remote) == AF_INET);
            assert_string_equal(l->pair.remote_type, "prflx");
        } else if (l->what == SL_LINK_ICE) {
            ice += l->ice == SL_ICE_CONNECTED;
        } else {
            assert_int_equal(l->dtls, dtls ? SL_DTLS_CONNECTED : SL_DTLS_HANDSHAKE);
            assert_int_equal(at, 0); /* before it is up */
            dtls++;
        }
    }
    pthread_mutex_unlock(&world.lock);
    assert_int_equal(at, 3);
    assert_int_equal(dtls, 2);
    assert_true(pairs >= 1 && ice == 1);
    leave(&pub, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_is_told_for_every_packet_that_left),
        cmocka_unit_test(latency_counts_from_the_arrival_at_the_kernel),
        cmocka_unit_test(what_was_counted_of_an_m_line_is_told),
        cmocka_unit_test(news_of_a_connection_are_told),
        cmocka_unit_test(load_is_cpu_time),
        cmocka_unit_test(work_is_load),
        cmocka_unit_test(peers_that_do_nothing_let_the_worker_sleep),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
