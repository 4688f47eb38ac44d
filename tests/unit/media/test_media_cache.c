#include "tests/unit/test_cmocka.h"

#include "tests/unit/test_oom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_cache.h"

static int pkts[4096]; /* references held to each */
static void unref(void *p)
{
    int *i = p;

    assert_true(*i > 0);
    --*i;
}

static void put(struct sl_cache *c, uint64_t seq, uint64_t now)
{
    pkts[seq % 4096]++;
    sl_cache_put(c, seq, &pkts[seq % 4096], now);
}

static int held(void)
{
    int n = 0;

    for (size_t i = 0; i < 4096; i++)
        n += pkts[i];
    return n;
}

static void the_last_packets_are_there(void **state)
{
    struct sl_cache c;

    (void)state;
    assert_int_equal(sl_cache_init(&c, 100, 1000000, unref), 0);
    for (uint64_t s = 1000; s < 2000; s++)
        put(&c, s, 1);
    assert_int_equal(held(), 128);
    assert_int_equal(c.count, 128);
    for (uint64_t s = 1000; s < 2000; s++)
        assert_true((sl_cache_peek(&c, s, 2) != NULL) == (s >= 2000 - 128));
    put(&c, 1000, 2); /* far too late: released at once */
    assert_int_equal(held(), 128);
    assert_null(sl_cache_peek(&c, 1000, 2));
    put(&c, 1999, 2); /* again: replaces */
    assert_int_equal(held(), 128);
    sl_cache_fini(&c);
    assert_int_equal(held(), 0);
    sl_cache_fini(&c);
}

static void memory_that_is_not_there(void **state)
{
    struct sl_cache c = { 0 };

    (void)state;
    oom_fail_at(1);
    assert_int_equal(sl_cache_init(&c, 64, 1, unref), -ENOMEM);
    assert_true(oom_happened());
    sl_cache_fini(&c);
    assert_int_equal(sl_cache_init(&c, SIZE_MAX / 2, 1, unref), -ENOMEM);
}

static void old_ones_are_not_given_out_and_expire(void **state)
{
    struct sl_cache c;

    (void)state;
    assert_int_equal(sl_cache_init(&c, 64, 1000, unref), 0);
    assert_int_equal(sl_cache_expire(&c, 1), 0);
    for (uint64_t s = 0; s < 10; s++)
        put(&c, s * 2, s * 100);
    assert_non_null(sl_cache_peek(&c, 0, 1000));
    assert_null(sl_cache_peek(&c, 0, 1001));
    assert_int_equal(sl_cache_expire(&c, 1250), 3);
    assert_int_equal(held(), 7);
    assert_int_equal(sl_cache_expire(&c, 100000), 7);
    assert_int_equal(c.count, 0);
    put(&c, 900, 100000);
    assert_int_equal(sl_cache_expire(&c, 200000), 1);
    sl_cache_fini(&c);
    assert_int_equal(held(), 0);
}

static void resends_keep_their_distance(void **state)
{
    static const struct {
        uint64_t now;
        int want;
    } v[] = {
        { 0, 0 },      { 39999, -EALREADY },  { 40000, 0 },  { 79999, -EALREADY },
        { 80000, 0 },  { 120000, 0 },         { 160000, 0 }, { 200000, 0 },
        { 240000, 0 }, { 319999, -EALREADY }, { 320000, 0 }, { 479999, -EALREADY },
        { 480000, 0 },
    };
    struct sl_resend r = { 0 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_resend_may(&r, 5, 1000, v[i].now), v[i].want);
    assert_int_equal(sl_resend_may(&r, 7, 300000, 0), 0);
    assert_int_equal(sl_resend_may(&r, 7, 300000, 299999), -EALREADY);
    assert_int_equal(sl_resend_may(&r, 5 + SL_RESEND_SLOTS, 1000, 480001), 0); /* another one */
    assert_int_equal(sl_resend_may(&r, 5 + SL_RESEND_SLOTS, 1000, 480002), -EALREADY);
}

/* Two numbers of one slot push each other out, so that each may be asked for again and again. */
static void resends_are_paid_for_by_new_packets(void **state)
{
    struct sl_resend r = { 0 };
    uint16_t seq = 0;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 10000; i++, seq ^= SL_RESEND_SLOTS)
        n += sl_resend_may(&r, seq, 1000, 1) == 0;
    assert_int_equal(n, SL_RESEND_DEBT_MAX);
    assert_int_equal(sl_resend_may(&r, seq, 1000, 1), -ENOBUFS);
    sl_resend_pay(&r);
    assert_int_equal(sl_resend_may(&r, seq, 1000, 1), 0);
    assert_int_equal(sl_resend_may(&r, seq ^ SL_RESEND_SLOTS, 1000, 1), -ENOBUFS);
    for (size_t i = 0; i < 2 * SL_RESEND_DEBT_MAX; i++)
        sl_resend_pay(&r);
    assert_int_equal(r.debt, 0); /* nothing is saved up for later */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_packets_are_there),
        cmocka_unit_test(memory_that_is_not_there),
        cmocka_unit_test(old_ones_are_not_given_out_and_expire),
        cmocka_unit_test(resends_keep_their_distance),
        cmocka_unit_test(resends_are_paid_for_by_new_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
