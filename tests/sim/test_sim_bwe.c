/*
 * Estimator and pacer over links of all kinds: how much of a link is found, how long queues get,
 * how fast steps are followed. Cases of RFC 8867 by their section, where they apply (those of
 * several flows: test_sim_shared.c); the bounds are those of the project's goals.
 */
#include "../unit/test_cmocka.h"
#include "sim_call.h"

#include <stdio.h>

#define KBPS 1e3

static const struct sim_link_conf plain = { .bps = 1e6, .queue_us = 300 * MS, .delay_us = 50 * MS };

static void finds_what_a_steady_link_carries(void **state)
{
    static const struct {
        double kbps;
        int videos;
    } t[] = { { 300, 1 },  { 600, 1 },  { 1000, 1 }, { 1200, 1 },
              { 2000, 2 }, { 2500, 2 }, { 4000, 3 }, { 5000, 4 } };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;

        conf.bps = t[i].kbps * KBPS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        for (int n = 1; n < t[i].videos; n++)
            sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
        sim_run(w, 10 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 310 * SECOND);
        print_message(
            "  %4.0f kbit/s: estimate %3.0f %%, media %3.0f %%, padding %.1f %%, queue p95 "
            "%2.0f ms, %d switches\n",
            t[i].kbps, 100 * sim_estimate_share(w), 100 * sim_goodput(w, &w->call[0]) / conf.bps,
            100.0 * (double)w->call[0].padding / (double)w->call[0].sent, sim_queue_p95(w),
            (int)w->call[0].video[0].switches);
        assert_true(sim_estimate_share(w) >= 0.85);
        assert_true(sim_queue_p95(w) <= 50);
        assert_int_equal(w->over_max_us, 0);
        sim_destroy(w);
    }
}

/* The same path, told by transport-cc and by RFC 8888. */
static void rfc_8888_tells_as_much(void **state)
{
    static const struct {
        double kbps;
        int videos;
        double loss;
    } t[] = { { 400, 1, 0 }, { 1200, 1, 0 }, { 1200, 1, 0.05 }, { 4000, 3, 0 } };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        double share[2], bps[2];

        for (int ccfb = 0; ccfb < 2; ccfb++) {
            struct sim_link_conf conf = plain;
            struct sim_world *w;

            conf.bps = t[i].kbps * KBPS;
            conf.loss = t[i].loss;
            w = sim_create(&conf, 1);
            sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS)->ccfb = ccfb;
            for (int n = 1; n < t[i].videos; n++)
                sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
            sim_run(w, 10 * SECOND);
            sim_begin_measure(w);
            sim_run(w, 210 * SECOND);
            share[ccfb] = sim_estimate_share(w);
            bps[ccfb] = sim_goodput(w, &w->call[0]);
            assert_true(sim_queue_p95(w) <= 50);
            sim_destroy(w);
        }
        print_message("  %.0f kbit/s, %.0f %% lost: estimate %.0f %%, with RFC 8888 %.0f %%; media "
                      "%.0f and %.0f kbit/s\n",
                      t[i].kbps, 100 * t[i].loss, 100 * share[0], 100 * share[1], bps[0] / KBPS,
                      bps[1] / KBPS);
        assert_true(share[1] >= 0.95 * share[0]);
        assert_true(bps[1] >= 0.9 * bps[0]);
    }
}

/* RFC 8867 section 5.1 with steeper steps. */
static void follows_steps_down_and_up(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;
        uint64_t over_us, back_us = 0;

        conf.bps = 2500 * KBPS;
        w = sim_create(&conf, seed);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
        sim_run(w, 40 * SECOND);
        sim_begin_measure(w);
        sim_link_set_bps(&w->link, 600 * KBPS, w->now_us);
        sim_run(w, 80 * SECOND);
        over_us = w->over_max_us;
        sim_link_set_bps(&w->link, 2500 * KBPS, w->now_us);
        for (; back_us < 30 * SECOND; back_us += 100 * MS) {
            if (sl_bwe_estimate(&w->call[0].bwe) >= 0.9 * 2500 * KBPS)
                break;
            sim_run(w, 80 * SECOND + back_us + 100 * MS);
        }
        print_message(
            "  2.5 -> 0.6 -> 2.5 Mbit/s: queue over 200 ms for %.2f s, back after %.1f s\n",
            (double)over_us / 1e6, (double)back_us / 1e6);
        assert_true(over_us <= SECOND);
        assert_true(back_us <= 10 * SECOND);
        sim_destroy(w);
    }
}

static double random_loss(double loss, double burst, uint32_t seed)
{
    struct sim_link_conf conf = plain;
    struct sim_world *w;
    double bps;

    conf.bps = 2600 * KBPS;
    conf.loss = loss;
    conf.burst = burst;
    conf.burst_length = 8;
    w = sim_create(&conf, seed);
    (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
    sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
    sim_run(w, 10 * SECOND);
    sim_begin_measure(w);
    sim_run(w, 310 * SECOND);
    bps = sim_goodput(w, &w->call[0]);
    sim_destroy(w);
    return bps;
}

static void is_not_driven_away_by_loss_with_flat_delay(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        double whole = random_loss(0, 0, seed), at_2 = random_loss(0.02, 0, seed),
               at_10 = random_loss(0.1, 0, seed), bursts = random_loss(0, 0.005, seed);

        print_message(
            "  of the goodput without loss: 2 %% lost %.0f %%, 10 %% lost %.0f %%, bursts "
            "%.0f %%\n",
            100 * at_2 / whole, 100 * at_10 / whole, 100 * bursts / whole);
        assert_true(at_2 >= 0.85 * whole);
        assert_true(at_10 >= 0.75 * whole);
        assert_true(bursts >= 0.7 * whole);
    }
}

/* Routers at home have queues of some tens of milliseconds: what is longer is lost. */
static void loses_little_where_buffers_are_short(void **state)
{
    static const struct {
        double kbps;
        int videos;
    } t[] = { { 300, 1 }, { 600, 1 }, { 1000, 1 }, { 1200, 1 }, { 2000, 2 }, { 4000, 3 } };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        double lost[2];

        for (int unpaced = 0; unpaced < 2; unpaced++) {
            struct sim_link_conf conf = plain;
            struct sim_world *w;

            conf.bps = t[i].kbps * KBPS;
            conf.queue_us = 40 * MS;
            w = sim_create(&conf, 1);
            w->unpaced = unpaced;
            (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
            for (int n = 1; n < t[i].videos; n++)
                sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
            sim_run(w, 10 * SECOND);
            sim_begin_measure(w);
            sim_run(w, 310 * SECOND);
            lost[unpaced] = sim_lost(&w->call[0]);
            print_message("  40 ms at %.0f kbit/s%s: media %.0f kbit/s, estimate %.0f %%, %.2f %% "
                          "lost, longest wait %.0f ms\n",
                          t[i].kbps, unpaced ? ", unpaced" : "", sim_goodput(w, &w->call[0]) / KBPS,
                          100 * sim_estimate_share(w), 100 * lost[unpaced],
                          (double)w->call[0].held_max_us / 1000);
            assert_true(sim_estimate_share(w) >= 0.85);
            sim_destroy(w);
        }
        assert_true(lost[0] < 0.01);
        assert_true(lost[1] < 0.02 || lost[0] < lost[1] / 4); /* without pacing it is worse */
    }
}

/* A policer drops what is too much and delays nothing. */
static void gives_way_to_a_policer(void **state)
{
    struct sim_link_conf conf = plain;
    struct sim_world *w;
    uint64_t before;
    double lost;

    (void)state;
    conf.bps = 1000 * KBPS;
    conf.queue_us = 25 * MS;
    w = sim_create(&conf, 1);
    (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
    sim_run(w, 20 * SECOND);
    sim_begin_measure(w);
    before = w->link.dropped;
    sim_run(w, 80 * SECOND);
    lost = (double)(w->link.dropped - before) / (double)(w->npackets + w->link.dropped - before);
    print_message("  policed to 1 Mbit/s: media %.0f kbit/s, %.1f %% lost\n",
                  sim_goodput(w, &w->call[0]) / KBPS, 100 * lost);
    assert_true(sim_goodput(w, &w->call[0]) >= 350 * KBPS);
    assert_true(lost < 0.08);
    sim_destroy(w);
}

static void bears_jitter_and_reordering(void **state)
{
    static const struct {
        const char *what;
        uint64_t jitter_us;
        double reorder;
    } t[] = { { "30 ms of jitter", 30 * MS, 0 }, { "2 % reordered", 0, 0.02 } };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;

        conf.bps = 2000 * KBPS;
        conf.jitter_us = t[i].jitter_us;
        conf.reorder = t[i].reorder;
        conf.reorder_us = 20 * MS;
        w = sim_create(&conf, 3);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_run(w, 20 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 140 * SECOND);
        print_message("  %s: estimate %.0f %%, media %.0f kbit/s\n", t[i].what,
                      100 * sim_estimate_share(w), sim_goodput(w, &w->call[0]) / KBPS);
        assert_true(sim_goodput(w, &w->call[0]) >= 900 * KBPS);
        sim_destroy(w);
    }
}

/* The first second is a guess, which is too much here. */
static void finds_out_soon_that_a_link_is_thin(void **state)
{
    static const double kbps[] = { 250, 400, 600, 1000 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(kbps); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;

        conf.bps = kbps[i] * KBPS;
        conf.queue_us = 500 * MS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_begin_measure(w);
        sim_run(w, 10 * SECOND);
        print_message("  start on %.0f kbit/s: queue over 200 ms for %.2f s\n", kbps[i],
                      (double)w->over_max_us / 1e6);
        assert_true(w->over_max_us <= 1500 * MS);
        assert_true(sl_bwe_estimate(&w->call[0].bwe) <= 1.1 * conf.bps);
        sim_destroy(w);
    }
}

/* Reports are late and some are lost. Beside other media: test_sim_shared.c. */
static void lives_with_a_bad_way_back(void **state)
{
    struct sim_link_conf conf = plain;
    struct sim_world *w;

    (void)state;
    conf.bps = 1000 * KBPS;
    w = sim_create(&conf, 5);
    (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
    w->call[0].back_us = 200 * MS;
    w->call[0].back_loss = 0.2;
    sim_run(w, 20 * SECOND);
    sim_begin_measure(w);
    sim_run(w, 140 * SECOND);
    print_message("  reports 200 ms late, 20 %% lost: estimate %.0f %%, media %.0f kbit/s\n",
                  100 * sim_estimate_share(w), sim_goodput(w, &w->call[0]) / KBPS);
    assert_true(sim_estimate_share(w) >= 0.8);
    assert_true(sim_goodput(w, &w->call[0]) >= 450 * KBPS);
    sim_destroy(w);
}

/* RFC 8867 section 5.8. */
static void resumes_after_a_pause(void **state)
{
    struct sim_link_conf conf = plain;
    struct sim_world *w;

    (void)state;
    conf.bps = 1000 * KBPS;
    w = sim_create(&conf, 7);
    (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
    w->call[0].pause_us = 40 * SECOND;
    w->call[0].resume_us = 60 * SECOND;
    sim_run(w, 51 * SECOND);
    sim_begin_measure(w);
    sim_run(w, 56 * SECOND);
    print_message("  five seconds after a pause of 20 s: %.0f kbit/s\n",
                  sim_goodput(w, &w->call[0]) / KBPS);
    assert_true(sim_goodput(w, &w->call[0]) >= 450 * KBPS);
    assert_true(w->over_max_us <= SECOND);
    sim_destroy(w);
}

static void comes_back_soon_after_a_dip(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        struct sim_link_conf conf = plain;
        uint64_t back_us = 0, full_us = 0;
        struct sim_world *w;

        conf.bps = 2500 * KBPS;
        w = sim_create(&conf, seed);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_run(w, 30 * SECOND);
        sim_link_set_bps(&w->link, 300 * KBPS, w->now_us);
        sim_run(w, 32 * SECOND);
        sim_link_set_bps(&w->link, 2500 * KBPS, w->now_us);
        for (uint64_t us = 0; !full_us && us < 30 * SECOND; us += 100 * MS) {
            const struct sl_alloc_video *v = &w->call[0].video[0].alloc;

            if (!back_us && sl_bwe_target(&w->call[0].bwe) >= 1600 * KBPS)
                back_us = us;
            if (v->sub == 2)
                full_us = us;
            sim_run(w, 32 * SECOND + us + 100 * MS);
        }
        print_message("  two seconds of 300 kbit/s: the estimate is back after %.1f s, the size "
                      "after %.1f s\n",
                      (double)back_us / 1e6, (double)full_us / 1e6);
        assert_in_range(back_us, 1, 5 * SECOND);
        assert_in_range(full_us, 1, 10 * SECOND);
        sim_destroy(w);
    }
}

/* Who tells by REMB only grants half as much again as what comes: the next layer is tried, and what
 * was too much less and less often. */
static void remb_leads_up_again(void **state)
{
    static const double kbps[] = { 800, 1200, 2500 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(kbps); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;
        double before;

        conf.bps = kbps[i] * KBPS;
        w = sim_create(&conf, 1);
        sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS)->remb = true;
        sim_run(w, 30 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 90 * SECOND);
        before = sim_goodput(w, &w->call[0]);
        sim_link_set_bps(&w->link, 200 * KBPS, w->now_us);
        sim_run(w, 95 * SECOND);
        sim_link_set_bps(&w->link, conf.bps, w->now_us);
        sim_run(w, 115 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 235 * SECOND);
        print_message("  REMB, %.0f kbit/s: %.0f kbit/s, from 20 s after a dip on %.0f; queue p95 "
                      "%.0f ms, over 200 ms for %.1f s\n",
                      kbps[i], before / KBPS, sim_goodput(w, &w->call[0]) / KBPS, sim_queue_p95(w),
                      (double)w->over_max_us / 1e6);
        assert_true(before >= 400 * KBPS);
        assert_true(sim_goodput(w, &w->call[0]) >= 320 * KBPS);
        assert_true(w->over_max_us <= 1500 * MS);
        sim_destroy(w);
    }
}

/* Another cell, another route: the delay of which nobody sent too much. */
static void a_longer_way_is_no_queue(void **state)
{
    static const struct {
        double kbps;
        uint64_t more_us;
    } t[] = { { 600, 200 * MS }, { 2000, 120 * MS }, { 2000, 200 * MS }, { 2000, 500 * MS } };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct sim_link_conf conf = plain;
        struct sim_world *w;
        double least = 1;
        int below = 0;

        conf.bps = t[i].kbps * KBPS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_add_video(&w->call[0], 150 * KBPS, 500 * KBPS, 1500 * KBPS, 1);
        sim_run(w, 30 * SECOND);
        conf.delay_us += t[i].more_us;
        sim_link_set(&w->link, &conf, w->now_us);
        for (uint64_t us = 0; us < 30 * SECOND; us += 100 * MS) {
            double part = sl_bwe_target(&w->call[0].bwe) / conf.bps;

            least = part < least ? part : least;
            below += part < 0.8;
            sim_run(w, 30 * SECOND + us + 100 * MS);
        }
        print_message("  %.0f kbit/s, %d ms longer: down to %.0f %%, below 80 %% for %.1f s\n",
                      t[i].kbps, (int)(t[i].more_us / MS), 100 * least, below / 10.0);
        assert_true(below <= 60);
        sim_destroy(w);
    }
}

/* In the lift: nothing goes through, and then all does. */
static void comes_back_soon_after_nothing_went_through(void **state)
{
    static const unsigned int seconds[] = { 2, 5, 9 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(seconds); i++) {
        uint64_t begin_us = (30 + seconds[i]) * SECOND, back_us = 0, full_us = 0;
        struct sim_link_conf conf = plain;
        struct sim_world *w;

        conf.bps = 2500 * KBPS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        sim_run(w, 30 * SECOND);
        conf.loss = 1;
        sim_link_set(&w->link, &conf, w->now_us);
        sim_run(w, begin_us);
        conf.loss = 0;
        sim_link_set(&w->link, &conf, w->now_us);
        sim_begin_measure(w);
        for (uint64_t us = 0; !full_us && us < 30 * SECOND; us += 100 * MS) {
            if (!back_us && sl_bwe_target(&w->call[0].bwe) >= 1600 * KBPS)
                back_us = us;
            if (w->call[0].video[0].alloc.sub == 2)
                full_us = us;
            sim_run(w, begin_us + us + 100 * MS);
        }
        print_message(
            "  nothing for %u s: the estimate is back after %.1f s, the size after %.1f s; "
            "queue p95 %.0f ms\n",
            seconds[i], (double)back_us / 1e6, (double)full_us / 1e6, sim_queue_p95(w));
        assert_true(back_us <= 5 * SECOND);
        assert_in_range(full_us, 1, 8 * SECOND);
        sim_destroy(w);
    }
}

/* Who uses little learns little, and does not ask for more than is there to be sent; when there is,
 * a probe finds out before the layer goes up. */
static void probes_before_a_layer_goes_up(void **state)
{
    static const double kbps[] = { 1600, 2000, 6000 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(kbps); i++) {
        struct sim_link_conf conf = plain;
        double before, at = 0, cost = 0;
        struct sim_world *w;
        struct sim_video *v;
        uint8_t cluster;
        uint64_t us = 0;

        conf.bps = kbps[i] * KBPS;
        w = sim_create(&conf, 1);
        (void)sim_add_call(w, 150 * KBPS, 500 * KBPS, 1500 * KBPS);
        v = &w->call[0].video[0];
        sl_alloc_want(&v->alloc, 1, 2);
        w->call[0].bwe.estimate_bps = 700 * KBPS;
        sim_run(w, 20 * SECOND);
        sim_begin_measure(w);
        sim_run(w, 40 * SECOND);
        assert_int_equal(v->sub, 1);
        assert_int_equal(w->call[0].padding, 0);
        before = sl_bwe_estimate(&w->call[0].bwe);
        assert_true(before <= 1.5 * 540 * KBPS && before >= 540 * KBPS);
        cluster = w->call[0].bwe.probe.cluster;
        sl_alloc_want(&v->alloc, 2, 2);
        v->alloc.sub = 1; /* or it would be tried until the next report */
        sim_begin_measure(w);
        for (; v->alloc.sub != 2 && us < 20 * SECOND; us += 10 * MS)
            sim_run(w, 40 * SECOND + us + 10 * MS);
        at = sl_bwe_estimate(&w->call[0].bwe);
        cost = v->alloc.sub == 2 ? v->alloc.bps[2][v->alloc.tid] + 40 * KBPS : 0;
        sim_run(w, 70 * SECOND);
        print_message("  %.0f kbit/s: known to carry %.0f, then %.0f when a layer of %.0f went up "
                      "after %.1f s; queue p95 %.0f ms\n",
                      kbps[i], before / KBPS, at / KBPS, cost / KBPS, (double)us / 1e6,
                      sim_queue_p95(w));
        assert_true(w->call[0].bwe.probe.cluster != cluster);
        assert_true(cost > 0 && at >= cost);
        assert_true(us <= 5 * SECOND);
        assert_true(sim_queue_p95(w) <= 50);
        assert_int_equal(w->over_max_us, 0);
        sim_destroy(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_steady_link_carries),
        cmocka_unit_test(rfc_8888_tells_as_much),
        cmocka_unit_test(follows_steps_down_and_up),
        cmocka_unit_test(is_not_driven_away_by_loss_with_flat_delay),
        cmocka_unit_test(loses_little_where_buffers_are_short),
        cmocka_unit_test(gives_way_to_a_policer),
        cmocka_unit_test(bears_jitter_and_reordering),
        cmocka_unit_test(finds_out_soon_that_a_link_is_thin),
        cmocka_unit_test(lives_with_a_bad_way_back),
        cmocka_unit_test(resumes_after_a_pause),
        cmocka_unit_test(comes_back_soon_after_a_dip),
        cmocka_unit_test(remb_leads_up_again),
        cmocka_unit_test(a_longer_way_is_no_queue),
        cmocka_unit_test(comes_back_soon_after_nothing_went_through),
        cmocka_unit_test(probes_before_a_layer_goes_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
