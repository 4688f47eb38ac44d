#include "../test_cmocka.h"

#include "base/clock.h"
#include "base/hist.h"

#include <string.h>

static void buckets_follow_each_other_without_a_gap(void **state)
{
    unsigned int last = 0;

    (void)state;
    for (uint64_t v = 0; v < 100000; v++) {
        unsigned int b = sl_hist_bucket(v);

        assert_in_range(b, last, last + 1);
        assert_true(sl_hist_floor(b) <= v);
        assert_true(sl_hist_floor(b + 1) > v);
        last = b;
    }
    for (unsigned int b = 0; b < SL_HIST_BUCKETS; b++)
        assert_int_equal(sl_hist_bucket(sl_hist_floor(b)), b);
}

static void a_bucket_is_one_eighth_wide_at_most(void **state)
{
    (void)state;
    for (unsigned int b = 8; b < SL_HIST_BUCKETS; b++)
        assert_true((sl_hist_floor(b + 1) - sl_hist_floor(b)) * 8 <= sl_hist_floor(b));
}

static void what_is_too_great_is_counted_last(void **state)
{
    (void)state;
    assert_int_equal(sl_hist_bucket(SL_HIST_VALUE_MAX), SL_HIST_BUCKETS - 1);
    assert_int_equal(sl_hist_bucket(SL_HIST_VALUE_MAX + 1), SL_HIST_BUCKETS - 1);
    assert_int_equal(sl_hist_bucket(UINT64_MAX), SL_HIST_BUCKETS - 1);
    assert_int_equal(sl_hist_floor(SL_HIST_BUCKETS), SL_HIST_VALUE_MAX + 1);
}

static void quantiles_are_true_within_an_eighth(void **state)
{
    static const unsigned int permille[] = { 1, 100, 500, 900, 990, 999, 1000 };
    struct sl_hist h = { 0 };

    (void)state;
    assert_int_equal(sl_hist_quantile(&h, 500), 0);
    for (uint64_t v = 1; v <= 10000; v++)
        sl_hist_add(&h, v);
    for (size_t i = 0; i < TEST_COUNT(permille); i++) {
        uint64_t want = 10 * permille[i], got = sl_hist_quantile(&h, permille[i]);

        assert_in_range(got, want - want / 8, want + want / 8);
    }
    h = (struct sl_hist){ 0 };
    sl_hist_add(&h, 7);
    for (size_t i = 0; i < TEST_COUNT(permille); i++)
        assert_int_equal(sl_hist_quantile(&h, permille[i]), 7);
}

static void a_difference_has_only_what_came_since(void **state)
{
    struct sl_hist h = { 0 }, before, diff;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sl_hist_add(&h, 5000);
    before = h;
    for (int i = 0; i < 100; i++)
        sl_hist_add(&h, 3);
    sl_hist_since(&h, &before, &diff);
    assert_int_equal(diff.count, 100);
    assert_int_equal(sl_hist_quantile(&diff, 1000), 3);
    assert_in_range(sl_hist_quantile(&h, 500), 4400, 5600);
}

/* Always on means that it costs nothing to speak of beside a microsecond of sending. */
static void an_add_costs_nanoseconds(void **state)
{
    struct sl_hist h = { 0 };
    uint64_t x = 12345, begin = sl_now_us(), took;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        sl_hist_add(&h, x >> 48);
    }
    took = sl_now_us() - begin;
    print_message("%.1f ns per value\n", (double)took / 1000);
    assert_in_range(sl_hist_quantile(&h, 500), 28000, 37000);
    assert_true(took < 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_follow_each_other_without_a_gap),
        cmocka_unit_test(a_bucket_is_one_eighth_wide_at_most),
        cmocka_unit_test(what_is_too_great_is_counted_last),
        cmocka_unit_test(quantiles_are_true_within_an_eighth),
        cmocka_unit_test(a_difference_has_only_what_came_since),
        cmocka_unit_test(an_add_costs_nanoseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
