/* Who gets which layers. */
#include "../test_cmocka.h"
#include "bwe/bwe_alloc.h"

#define SECOND UINT64_C(1000000)
#define N      4

struct fixture {
    struct sl_alloc_video video[N];
    struct sl_alloc_video *v[N];
    uint64_t now_us;
};

/* 150, 500, 1500 kbit/s; base layers have 40 %, with the next one 60 %. */
static void begin(struct fixture *f)
{
    static const double bps[] = { 150e3, 500e3, 1500e3 }, part[] = { 0.4, 0.6, 1 };

    f->now_us = 100 * SECOND;
    for (int i = 0; i < N; i++) {
        f->v[i] = &f->video[i];
        sl_alloc_init(f->v[i], 1);
        for (int s = 0; s < SL_LAYERS_MAX; s++)
            for (int t = 0; t < SL_ALLOC_TIDS; t++)
                f->video[i].bps[s][t] = bps[s] * part[t];
    }
}

static void run(struct fixture *f, size_t n, double bps)
{
    sl_alloc_run(f->v, n, bps, bps, f->now_us);
}

static void half_of_the_frames_goes_before_the_size(void **state)
{
    static const struct {
        double bps;
        int sub, tid;
    } t[] = {
        { 1500e3, 2, 2 }, { 1499e3, 2, 1 }, { 900e3, 2, 1 }, { 899e3, 1, 2 },  { 499e3, 1, 1 },
        { 299e3, 0, 2 },  { 149e3, 0, 1 },  { 89e3, 0, 0 },  { 59e3, -1, -1 },
    };
    struct fixture f;

    (void)state;
    begin(&f);
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        run(&f, 1, t[i].bps);
        assert_int_equal(f.video[0].sub, t[i].sub);
        assert_int_equal(f.video[0].tid, t[i].tid);
    }
    assert_int_equal(f.video[0].reason, SL_ALLOC_NO_ROOM);
}

static void climbing_takes_more_than_staying(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    run(&f, 1, 600e3);
    assert_int_equal(f.video[0].sub, 1);
    f.now_us += 60 * SECOND;
    run(&f, 1, 950e3); /* 900 would be needed, and a tenth more */
    assert_int_equal(f.video[0].sub, 1);
    assert_int_equal(f.video[0].reason, SL_ALLOC_BANDWIDTH);
    run(&f, 1, 1000e3);
    assert_int_equal(f.video[0].sub, 2);
    run(&f, 1, 900e3);
    assert_int_equal(f.video[0].sub, 2);
}

static void holds_the_longer_the_sooner_it_fell(void **state)
{
    struct fixture f;
    uint64_t hold_us = 0;

    (void)state;
    begin(&f);
    run(&f, 1, 600e3);
    for (int i = 0; i < 4; i++) {
        uint64_t fell_us = f.now_us, us;

        for (; f.video[0].sub != 2; f.now_us += SECOND / 10) {
            run(&f, 1, 1000e3);
            assert_true(f.now_us < fell_us + 40 * SECOND);
        }
        us = f.now_us - fell_us;
        assert_true(us > hold_us);
        hold_us = us;
        f.now_us += SECOND;
        run(&f, 1, 600e3);
        assert_int_equal(f.video[0].sub, 1);
    }
    run(&f, 1, 1000e3);
    assert_int_equal(f.video[0].reason, SL_ALLOC_HOLDING);
    run(&f, 1, 3000e3); /* plenty: there is nothing to be careful about */
    assert_int_equal(f.video[0].sub, 2);
}

static void equals_climb_in_turns(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    run(&f, 4, 2100e3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(f.video[i].sub, 1);
    run(&f, 4, 700e3);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(f.video[i].sub, 0);
        assert_int_equal(f.video[i].tid, 2);
    }
}

static void the_important_climb_first_but_starve_nobody(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    f.video[2].priority = 9;
    run(&f, 4, 1300e3);
    assert_int_equal(f.video[2].sub, 2);
    for (int i = 0; i < 4; i++)
        assert_true(f.video[i].sub >= 0);
    run(&f, 4, 130e3); /* for two base layers */
    assert_int_equal(f.video[2].sub, 0);
    assert_int_equal(f.video[0].sub, 0);
    assert_int_equal(f.video[1].sub, SL_ALLOC_PAUSED);
    assert_int_equal(f.video[3].sub, SL_ALLOC_PAUSED);
    assert_int_equal(f.video[3].reason, SL_ALLOC_NO_ROOM);
}

static void a_queue_that_drains_pauses_nobody(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    sl_alloc_run(f.v, 2, 800e3, 30e3, f.now_us);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f.video[i].sub, 0);
        assert_int_equal(f.video[i].tid, 0);
    }
}

static void what_was_asked_for_is_a_maximum(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    sl_alloc_want(f.v[0], 1, 1);
    run(&f, 1, 9e6);
    assert_int_equal(f.video[0].sub, 1);
    assert_int_equal(f.video[0].tid, 1);
    assert_int_equal(f.video[0].reason, SL_ALLOC_WANTED);
    assert_true(sl_alloc_wanted(f.v, 1) == 300e3);
    sl_alloc_want(f.v[0], 1, 0);
    run(&f, 1, 9e6);
    assert_int_equal(f.video[0].tid, 0);
    sl_alloc_want(f.v[0], 2, 2); /* more at once, not rung by rung, but no more than fits */
    run(&f, 1, 600e3);
    assert_int_equal(f.video[0].sub, 1);
    assert_int_equal(f.video[0].tid, 2);
    sl_alloc_want(f.v[0], 1, 1);
    sl_alloc_want(f.v[0], 2, 2);
    run(&f, 1, 9e6);
    assert_int_equal(f.video[0].sub, 2);
}

static void layers_that_are_not_sent_are_passed_over(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (int t = 0; t < SL_ALLOC_TIDS; t++)
        f.video[0].bps[2][t] = 0;
    run(&f, 1, 9e6); /* should the layer come, it is taken at once */
    assert_int_equal(f.video[0].sub, 2);
    assert_int_equal(f.video[0].reason, SL_ALLOC_NOT_SENT);
    for (int t = 0; t < SL_ALLOC_TIDS; t++) /* the lowest one: then the next is the last to go */
        f.video[0].bps[0][t] = 0;
    run(&f, 1, 210e3);
    assert_int_equal(f.video[0].sub, 1);
    assert_int_equal(f.video[0].tid, 0);
    for (int t = 0; t < SL_ALLOC_TIDS; t++)
        f.video[0].bps[1][t] = 0;
    run(&f, 1, 10e3); /* nothing is known of it: nothing is held back */
    assert_int_equal(f.video[0].sub, 2);
    assert_true(sl_alloc_wanted(f.v, 1) == 0);
}

static void one_layer_that_costs_all_is_one_rung(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (int s = 0; s < SL_LAYERS_MAX; s++)
        for (int t = 0; t < SL_ALLOC_TIDS; t++)
            f.video[0].bps[s][t] = s == 0 ? 800e3 : 0;
    run(&f, 1, 1000e3);
    assert_int_equal(f.video[0].sub, 2);
    assert_int_equal(f.video[0].reason, SL_ALLOC_NOT_SENT);
    run(&f, 1, 700e3);
    assert_int_equal(f.video[0].sub, SL_ALLOC_PAUSED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_frames_goes_before_the_size),
        cmocka_unit_test(climbing_takes_more_than_staying),
        cmocka_unit_test(holds_the_longer_the_sooner_it_fell),
        cmocka_unit_test(equals_climb_in_turns),
        cmocka_unit_test(the_important_climb_first_but_starve_nobody),
        cmocka_unit_test(a_queue_that_drains_pauses_nobody),
        cmocka_unit_test(what_was_asked_for_is_a_maximum),
        cmocka_unit_test(layers_that_are_not_sent_are_passed_over),
        cmocka_unit_test(one_layer_that_costs_all_is_one_rung),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
