/* The estimator by hand: what reports say, and what hostile ones must not do. */
#include "../test_cmocka.h"
#include "base/opt.h"
#include "bwe/bwe.h"
#include "rtcp/rtcp_fb_twcc.h"

#include <errno.h>
#include <stdlib.h>

#define MS     UINT64_C(1000)
#define SECOND UINT64_C(1000000)

struct fixture {
    struct sl_bwe b;
    uint64_t now_us;
    uint16_t seq;     /* of the next packet */
    int64_t queue_us; /* of the path */
    int64_t clock_us; /* the receiver's is ahead by so much */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->now_us = 100 * SECOND;
    f->clock_us = 5000000;
    f->seq = 65000;
    sl_bwe_init(&f->b, 1e6);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sl_bwe_fini(&f->b);
    free(f);
    return 0;
}

/* Sends for 100 ms at @bps, and reports: every @lose-th is lost (0: none), the queue grows by
 * @grow_us with each packet. */
static void round_of(struct fixture *f, double bps, unsigned int lose, int64_t grow_us)
{
    int n = (int)(bps / 10 / 8000);

    for (int i = 0; i < n; i++) {
        sl_bwe_on_sent(&f->b, f->seq, 1000, f->now_us);
        f->queue_us += grow_us;
        sl_bwe_report_packet(&f->b, f->seq, !lose || f->seq % lose,
                             (int64_t)f->now_us + f->clock_us + f->queue_us);
        f->seq++;
        f->now_us += 100 * MS / (uint64_t)n;
    }
    sl_bwe_report_end(&f->b, f->now_us);
}

static void the_history_holds_what_is_in_flight(void **state)
{
    static const struct {
        unsigned int flying, want;
    } v[] = { { 1, 64 }, { 64, 64 }, { 65, 128 }, { 1500, 2048 }, { 3000, 2048 } };
    struct fixture *f = *state;

    for (size_t k = 0; k < SL_COUNT(v); k++) {
        for (unsigned int i = 0; i < v[k].flying; i++)
            sl_bwe_on_sent(&f->b, (uint16_t)(f->seq + i), 1000, f->now_us);
        assert_int_equal(f->b.nsent, v[k].want);
        for (unsigned int i = 0; i < v[k].flying; i++)
            sl_bwe_report_packet(&f->b, (uint16_t)(f->seq + i), true,
                                 (int64_t)f->now_us + f->clock_us);
        assert_int_equal(f->b.reported, v[k].flying < 2048 ? v[k].flying : 2048);
        sl_bwe_report_end(&f->b, f->now_us);
        f->seq = (uint16_t)(f->seq + v[k].flying);
        f->now_us += 100 * MS;
    }
}

/* Without reports it holds two seconds, or as much as there is room for. */
static void a_history_that_nobody_reports_on_stays_small(void **state)
{
    struct fixture *f = *state;

    for (unsigned int i = 0; i < 5000; i++) {
        sl_bwe_on_sent(&f->b, f->seq++, 1000, f->now_us);
        f->now_us += 20 * MS;
    }
    assert_int_equal(f->b.nsent, 128);
}

static void is_not_known_before_a_report(void **state)
{
    struct fixture *f = *state;

    assert_false(sl_bwe_is_known(&f->b));
    sl_bwe_on_sent(&f->b, 1, 1000, f->now_us);
    assert_false(sl_bwe_is_known(&f->b));
    sl_bwe_report_packet(&f->b, 1, true, 7);
    sl_bwe_report_end(&f->b, f->now_us + 50 * MS);
    assert_true(sl_bwe_is_known(&f->b));
}

static void grows_while_it_is_used(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++)
        round_of(f, sl_bwe_estimate(&f->b), 0, 0);
    assert_true(sl_bwe_estimate(&f->b) > 1.5e6);
    assert_int_equal(f->b.reason, SL_BWE_GROWING);
}

static void does_not_grow_when_little_is_sent(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++)
        round_of(f, 400e3, 0, 0);
    assert_true(sl_bwe_estimate(&f->b) <= 1e6);
    assert_true(sl_bwe_estimate(&f->b) >= 0.9e6);
}

static void a_growing_queue_cuts_it_to_what_arrives(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 20; i++)
        round_of(f, 960e3, 0, 0);
    for (int i = 0; i < 5; i++) /* 12 a round: twice as long to arrive as to send */
        round_of(f, 960e3, 0, 100 * (int64_t)MS / 12);
    assert_int_equal(f->b.reason, SL_BWE_DELAY);
    assert_true(sl_bwe_estimate(&f->b) < 0.6e6);
    assert_true(sl_bwe_estimate(&f->b) > 0.3e6);
    assert_true(sl_bwe_target(&f->b) < sl_bwe_estimate(&f->b)); /* the queue has to drain */
}

/* A queue grows, drains, and a frame after a pause finds some of it again: that little arrives then
 * says nothing about the path. */
static void what_comes_after_a_pause_is_not_what_the_path_carries(void **state)
{
    struct fixture *f = *state;
    double before;

    for (int i = 0; i < 20; i++)
        round_of(f, 960e3, 0, 0);
    for (int i = 0; i < 3; i++)
        round_of(f, 960e3, 0, 100 * (int64_t)MS / 12);
    assert_int_equal(f->b.trend.usage, SL_USAGE_OVER);
    before = sl_bwe_estimate(&f->b);
    f->now_us += SECOND;
    for (int i = 0; i < 4; i++) {
        f->queue_us = 25 * MS;
        round_of(f, 80e3, 0, 0);
        f->now_us += 200 * MS;
    }
    assert_true(sl_bwe_estimate(&f->b) >= before);
}

static void loss_of_the_path_is_learned(void **state)
{
    struct fixture *f = *state;
    bool tried = false;

    for (int i = 0; i < 600; i++) {
        round_of(f, sl_bwe_estimate(&f->b), 8, 0);
        tried |= f->b.loss.on_trial;
    }
    assert_true(tried);
    assert_true(sl_bwe_estimate(&f->b) > 0.95e6);
    assert_true(f->b.loss.own > 0.1 && f->b.loss.own < 0.15);
}

static void loss_in_a_queue_ends_with_it(void **state)
{
    struct fixture *f = *state;
    double least;

    for (int i = 0; i < 20; i++)
        round_of(f, 900e3, 0, 0);
    for (int i = 0; i < 12; i++)
        round_of(f, 900e3, 3, 2 * MS); /* it overflows */
    f->queue_us = 0;
    least = sl_bwe_estimate(&f->b);
    assert_true(least < 700e3);
    for (int i = 0; i < 30; i++) {
        round_of(f, sl_bwe_estimate(&f->b), 0, 0);
        assert_true(sl_bwe_estimate(&f->b) >= least);
    }
    assert_true(sl_bwe_estimate(&f->b) > least); /* it grows */
}

static void reports_that_stop_lower_it(void **state)
{
    struct fixture *f = *state;
    double before;

    round_of(f, 800e3, 0, 0);
    before = sl_bwe_estimate(&f->b);
    sl_bwe_tick(&f->b, f->now_us + 10 * SECOND); /* nothing is sent, nothing is due */
    assert_true(sl_bwe_estimate(&f->b) == before);
    for (int i = 0; i < 300; i++) {
        sl_bwe_on_sent(&f->b, f->seq++, 1000, f->now_us);
        f->now_us += 10 * MS;
        sl_bwe_tick(&f->b, f->now_us);
    }
    assert_true(sl_bwe_estimate(&f->b) < 0.5 * before);
    assert_int_equal(f->b.reason, SL_BWE_NO_REPORTS);
}

static void a_probe_finds_more(void **state)
{
    struct fixture *f = *state;
    uint32_t bytes = 0;

    sl_bwe_want(&f->b, 4e6);
    for (int i = 0; i < 200 && !f->b.probe.cluster; i++) {
        round_of(f, 400e3, 0, 0);
        (void)sl_bwe_probe_bytes(&f->b, f->now_us);
    }
    assert_true(sl_bwe_is_probing(&f->b));
    for (int i = 0; i < 10 && sl_bwe_is_probing(&f->b); i++) {
        f->now_us += 10 * MS;
        for (uint32_t n = sl_bwe_probe_bytes(&f->b, f->now_us); n; n -= n < 1000 ? n : 1000) {
            sl_bwe_on_sent(&f->b, f->seq, 1000, f->now_us);
            sl_bwe_report_packet(&f->b, f->seq, true, (int64_t)f->now_us + f->clock_us);
            f->seq++;
            bytes += 1000;
        }
    }
    sl_bwe_report_end(&f->b, f->now_us);
    assert_true(bytes >= 3e6 * 0.03 / 8);
    assert_true(sl_bwe_estimate(&f->b) > 2.5e6);
    assert_int_equal(f->b.reason, SL_BWE_PROBED);
}

static void nothing_is_probed_for_when_nothing_is_wanted(void **state)
{
    struct fixture *f = *state;

    sl_bwe_want(&f->b, 500e3);
    for (int i = 0; i < 200; i++) {
        round_of(f, 400e3, 0, 0);
        assert_int_equal(sl_bwe_probe_bytes(&f->b, f->now_us), 0);
    }
    assert_int_equal(f->b.probe.cluster, 0);
}

static void remb_is_all_or_a_cap(void **state)
{
    struct fixture *f = *state;

    sl_bwe_on_remb(&f->b, 3000000, f->now_us);
    assert_true(sl_bwe_is_known(&f->b));
    assert_true(sl_bwe_estimate(&f->b) == 3e6);
    sl_bwe_on_remb(&f->b, 700000, f->now_us);
    assert_true(sl_bwe_estimate(&f->b) == 700e3);
    round_of(f, 400e3, 0, 0); /* from here on, there are reports */
    sl_bwe_on_remb(&f->b, 900000, f->now_us);
    assert_true(sl_bwe_estimate(&f->b) <= 900e3);
    sl_bwe_on_remb(&f->b, UINT64_MAX, f->now_us);
    assert_true(sl_bwe_estimate(&f->b) <= SL_BWE_MAX);
}

static void remb_that_does_not_fall_lets_more_be_tried(void **state)
{
    struct fixture *f = *state;

    sl_bwe_want(&f->b, 2e6);
    sl_bwe_on_remb(&f->b, 300000, f->now_us);
    for (int i = 0; i < 200; i++, f->now_us += 100 * MS) {
        sl_bwe_note_sent(&f->b, 2500, f->now_us); /* 200 kbit/s */
        if (i % 10 == 0)
            sl_bwe_on_remb(&f->b, 310000, f->now_us);
    }
    assert_in_range(sl_bwe_estimate(&f->b), 480000, 510000); /* and not for ever */
    sl_bwe_on_remb(&f->b, 170000, f->now_us);
    assert_true(sl_bwe_estimate(&f->b) == 170000);
}

static void another_way_is_learned_anew(void **state)
{
    struct fixture *f = *state;
    double before;

    for (int i = 0; i < 50; i++)
        round_of(f, 960e3, 0, 0);
    before = sl_bwe_estimate(&f->b);
    f->queue_us += 300000;
    sl_bwe_new_way(&f->b);
    for (int i = 0; i < 20; i++)
        round_of(f, 960e3, 0, 0);
    assert_true(sl_bwe_estimate(&f->b) >= before);
    assert_true(sl_bwe_target(&f->b) >= before);
    assert_true(f->b.queue_us < 1000);
}

/* A queue that stands for long though all comes through is the length of the way. */
static void a_way_that_became_longer_is_found_out(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 50; i++)
        round_of(f, 960e3, 0, 0);
    f->queue_us += 200000;
    for (int i = 0; i < 25; i++)
        round_of(f, 960e3, 0, 0);
    assert_true(f->b.queue_us < 1000);
    assert_true(sl_bwe_target(&f->b) >= sl_bwe_estimate(&f->b)); /* nothing has to drain */
    f->queue_us += 100000; /* and what comes on top is a queue, until that stands, too */
    round_of(f, 960e3, 0, 0);
    assert_true(f->b.queue_us > 99000);
}

static void the_clock_on_the_wire_wraps(void **state)
{
    struct fixture *f = *state;

    f->clock_us = (INT64_C(64000) << 24) - (int64_t)f->now_us - 3 * (int64_t)SECOND;
    for (int i = 0; i < 60; i++) {
        int64_t wrap = INT64_C(64000) << 24;

        if ((int64_t)f->now_us + f->clock_us >= wrap)
            f->clock_us -= wrap;
        round_of(f, 960e3, 0, 0);
        assert_true(f->b.queue_us < 1000);
    }
    assert_true(sl_bwe_estimate(&f->b) >= 1e6);
}

/* Unknown packets, the same one again, times from nowhere: the estimate stays within its bounds. */
static void hostile_reports_do_no_harm(void **state)
{
    struct fixture *f = *state;
    uint32_t x = 1;

    for (int i = 0; i < 20000; i++) {
        x = x * 1664525 + 1013904223;
        if (i % 3 == 0)
            sl_bwe_on_sent(&f->b, f->seq++, x % 3000, f->now_us);
        sl_bwe_report_packet(&f->b, (uint16_t)(f->seq - x % 5000), x & 0x10000,
                             (int64_t)((uint64_t)x << (x % 30)) * (x & 0x20000 ? 1 : -1));
        if (i % 17 == 0)
            sl_bwe_report_end(&f->b, f->now_us);
        f->now_us += x % 2000;
        sl_bwe_tick(&f->b, f->now_us);
        (void)sl_bwe_probe_bytes(&f->b, f->now_us);
        assert_true(sl_bwe_estimate(&f->b) >= SL_BWE_MIN);
        assert_true(sl_bwe_estimate(&f->b) <= SL_BWE_MAX);
        assert_true(sl_bwe_target(&f->b) > 0);
    }
}

static void reads_what_is_on_the_wire(void **state)
{
    struct fixture *f = *state;
    struct sl_twcc_rec rec[3] = { { 65534, 1000000 }, { 65535, 1010000 }, { 65537, 1030000 } };
    uint8_t buf[256];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_pkt p;
    struct sl_rtcp_it it;

    for (uint32_t seq = 65534; seq < 65538; seq++)
        sl_bwe_on_sent(&f->b, (uint16_t)seq, 1000, f->now_us);
    assert_int_equal(sl_twcc_write(&w, 1, 2, 0, 65534, rec, 3), 3);
    it = sl_rtcp_begin(buf, sl_writer_len(&w));
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_bwe_on_twcc(&f->b, &p, f->now_us + 60 * MS), 0);
    assert_int_equal(f->b.rtt_us, 60 * MS);
    assert_int_equal(f->b.loss.reported, 4);
    assert_int_equal(f->b.loss.lost, 1);
    assert_int_equal(sl_bwe_on_twcc(&f->b, &p, f->now_us + 70 * MS), 0); /* again: nothing new */
    assert_int_equal(f->b.loss.reported, 4);
    p.len = 9;
    assert_int_equal(sl_bwe_on_twcc(&f->b, &p, f->now_us), -EBADMSG);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(the_history_holds_what_is_in_flight),
        T(a_history_that_nobody_reports_on_stays_small),
        T(is_not_known_before_a_report),
        T(grows_while_it_is_used),
        T(does_not_grow_when_little_is_sent),
        T(a_growing_queue_cuts_it_to_what_arrives),
        T(what_comes_after_a_pause_is_not_what_the_path_carries),
        T(loss_of_the_path_is_learned),
        T(loss_in_a_queue_ends_with_it),
        T(reports_that_stop_lower_it),
        T(a_probe_finds_more),
        T(nothing_is_probed_for_when_nothing_is_wanted),
        T(remb_is_all_or_a_cap),
        T(remb_that_does_not_fall_lets_more_be_tried),
        T(another_way_is_learned_anew),
        T(a_way_that_became_longer_is_found_out),
        T(the_clock_on_the_wire_wraps),
        T(hostile_reports_do_no_harm),
        T(reads_what_is_on_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
