/*
 * Several flows on one bottleneck: who has which share of it. Cases of RFC 8867 by their section.
 */
#include "../unit/test_cmocka.h"
#include "sim_call.h"

#include <stdio.h>

#define KBPS 1e3

static const struct sim_link_conf plain = { .bps = 1e6, .queue_us = 300 * MS, .delay_us = 50 * MS };

/* RFC 8867 section 5.4; the second comes later. 5.5: their round trips differ. */
static void shares_a_bottleneck(void **state)
{
    static const struct {
        double kbps;
        uint64_t back_us;
    } t[] = { { 1000, 50 * MS }, { 2000, 50 * MS }, { 4000, 50 * MS }, { 2000, 150 * MS } };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        double a = 0, b = 0, share;

        for (uint32_t seed = 1; seed <= 3; seed++) {
            struct sim_link_conf conf = plain;
            struct sim_world *w;

            conf.bps = t[i].kbps * KBPS;
            w = sim_create(&conf, seed);
            for (int n = 0; n < 2; n++) {
                struct sim_call *c = sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);

                sim_add_video(c, 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
            }
            w->call[1].begin_us += 20 * SECOND;
            w->call[1].back_us = t[i].back_us;
            sim_run(w, 40 * SECOND);
            sim_begin_measure(w);
            sim_run(w, 340 * SECOND);
            a += sim_goodput(w, &w->call[0]) / 3;
            b += sim_goodput(w, &w->call[1]) / 3;
            sim_destroy(w);
        }
        share = (a > b ? a : b) / (a + b);
        print_message("  two on %.0f kbit/s: %.0f and %.0f, share %.0f:%.0f\n", t[i].kbps, a / KBPS,
                      b / KBPS, 100 * share, 100 - 100 * share);
        assert_true(share <= 0.6);
        assert_true(a + b >= 0.6 * t[i].kbps * KBPS);
    }
}

/* RFC 8867 section 5.2. */
static void two_follow_a_link_that_varies(void **state)
{
    static const double ratio[] = { 2, 1, 1.75, 0.5, 1 };
    struct sim_link_conf conf = plain;
    struct sim_world *w;
    double a, b, carried = 0;

    (void)state;
    w = sim_create(&conf, 2);
    for (int n = 0; n < 2; n++) {
        struct sim_call *c = sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);

        sim_add_video(c, 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
    }
    for (size_t i = 0; i < TEST_COUNT(ratio); i++) {
        sim_link_set_bps(&w->link, ratio[i] * 2000 * KBPS, w->now_us);
        sim_run(w, (i * 25 + 5) * SECOND);
        sim_begin_measure(w);
        sim_run(w, (i + 1) * 25 * SECOND);
        a = sim_goodput(w, &w->call[0]);
        b = sim_goodput(w, &w->call[1]);
        carried = (a + b) / w->link.conf.bps;
        print_message("  two, 5 s after the step to %.0f kbit/s: %.0f and %.0f kbit/s (%.0f %%), "
                      "queue p95 %.0f ms, over 200 ms for %.2f s\n",
                      w->link.conf.bps / KBPS, a / KBPS, b / KBPS, 100 * carried, sim_queue_p95(w),
                      (double)w->over_max_us / 1e6);
        assert_true(carried >= 0.55);
        assert_true(a >= 0.25 * (a + b) && b >= 0.25 * (a + b));
        assert_true(sim_queue_p95(w) <= 100);
        assert_true(w->over_max_us <= SECOND / 2);
    }
    sim_destroy(w);
}

/* RFC 8867 section 5.3: a call each way, and each has its reports in the other's queue. */
static void each_way_is_the_way_back_of_the_other(void **state)
{
    static const struct {
        double there, back; /* of 2 Mbit/s */
    } t[] = { { 1, 1 }, { 1, 0.5 }, { 0.5, 1 }, { 0.5, 0.5 }, { 1, 0.15 } };
    struct sim_link_conf conf = plain;
    struct sim_world *w;

    (void)state;
    conf.bps = 2000 * KBPS;
    w = sim_create(&conf, 4);
    sim_two_way(w, &conf);
    for (int n = 0; n < 2; n++) {
        struct sim_call *c = sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);

        sim_add_video(c, 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
        c->backwards = n;
    }
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        double a, b;

        sim_link_set_bps(&w->link, t[i].there * 2000 * KBPS, w->now_us);
        sim_link_set_bps(&w->back, t[i].back * 2000 * KBPS, w->now_us);
        sim_run(w, (i * 25 + 5) * SECOND);
        sim_begin_measure(w);
        sim_run(w, (i + 1) * 25 * SECOND);
        a = sim_goodput(w, &w->call[0]) / w->link.conf.bps;
        b = sim_goodput(w, &w->call[1]) / w->back.conf.bps;
        print_message("  %.0f kbit/s there, %.0f back: %.0f and %.0f %% used, queue p95 %.0f ms\n",
                      w->link.conf.bps / KBPS, w->back.conf.bps / KBPS, 100 * a, 100 * b,
                      sim_queue_p95(w));
        assert_true(a >= 0.5 && b >= 0.5);
        assert_true(sim_queue_p95(w) <= 100);
        assert_true(w->over_max_us <= SECOND / 2);
    }
    sim_destroy(w);
}

/* RFC 8867 section 5.5. */
static void round_trips_matter_little(void **state)
{
    static const uint64_t back_ms[] = { 10, 25, 50, 100, 150 };
    struct sim_link_conf conf = plain;
    double bps[TEST_COUNT(back_ms)], sum = 0, squares = 0;
    struct sim_world *w;

    (void)state;
    conf.bps = 4000 * KBPS;
    conf.delay_us = 10 * MS;
    w = sim_create(&conf, 1);
    for (size_t i = 0; i < TEST_COUNT(back_ms); i++) {
        struct sim_call *c = sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);

        c->begin_us += i * 10 * SECOND;
        c->back_us = back_ms[i] * MS;
    }
    sim_run(w, 100 * SECOND);
    sim_begin_measure(w);
    sim_run(w, 400 * SECOND);
    for (size_t i = 0; i < TEST_COUNT(back_ms); i++) {
        bps[i] = sim_goodput(w, &w->call[i]);
        sum += bps[i];
        squares += bps[i] * bps[i];
        print_message("  round trip %d ms: %.0f kbit/s\n", (int)back_ms[i] + 10, bps[i] / KBPS);
    }
    print_message("  fairness %.2f, %.0f %% of the link, queue p95 %.0f ms\n",
                  sum * sum / (TEST_COUNT(back_ms) * squares), 100 * sum / conf.bps,
                  sim_queue_p95(w));
    assert_true(sum * sum / (TEST_COUNT(back_ms) * squares) >= 0.9);
    assert_true(sum >= 0.65 * conf.bps);
    assert_true(sim_queue_p95(w) <= 100);
    sim_destroy(w);
}

/* RFC 8867 section 5.6. Who keeps queues short gives way to who fills them: video goes, audio
 * stays, and video is back soon after. */
static void gives_way_to_a_download(void **state)
{
    static const uint64_t queue_ms[] = { 50, 100, 300 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(queue_ms); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;
        double beside, after;

        conf.bps = 2000 * KBPS;
        conf.queue_us = queue_ms[i] * MS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_run(w, 20 * SECOND);
        w->tcp.on = true;
        sim_run(w, 30 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 130 * SECOND);
        beside = sim_goodput(w, &w->call[0]);
        print_message(
            "  beside a download, queue of %d ms: %.0f kbit/s, %.1f %% lost, the download "
            "%.0f; ",
            (int)queue_ms[i], beside / KBPS, 100 * sim_lost(&w->call[0]),
            (double)w->tcp.delivered * 8 / 100 / KBPS);
        w->tcp.on = false;
        sim_run(w, 145 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 155 * SECOND);
        after = sim_goodput(w, &w->call[0]);
        print_message("15 s after it: %.0f\n", after / KBPS);
        assert_true(beside >= 36 * KBPS); /* audio */
        assert_true(after >= 850 * KBPS);
        sim_destroy(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_a_bottleneck),
        cmocka_unit_test(two_follow_a_link_that_varies),
        cmocka_unit_test(each_way_is_the_way_back_of_the_other),
        cmocka_unit_test(round_trips_matter_little),
        cmocka_unit_test(gives_way_to_a_download),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
