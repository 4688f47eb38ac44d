#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_seq.h"

static void wraps_without_a_gap(void **state)
{
    static const struct {
        uint16_t in;
        uint64_t want;
    } v[] = {
        { 65535, 65535 }, { 0, 65536 }, { 65535, 65535 }, { 1, 65537 }, /* one late packet */
        { 32768, 98304 }, { 0, 65536 },
    };
    struct sl_seq s = { 0 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_seq_extend(&s, v[i].in), v[i].want);
}

static void packets_from_before_the_first_stay_positive(void **state)
{
    struct sl_seq s = { 0 };
    struct sl_ts t = { 0 };
    uint64_t first = sl_seq_extend(&s, 0);

    (void)state;
    assert_int_equal(sl_seq_extend(&s, 65535), first - 1);
    assert_int_equal(sl_seq_extend(&s, 1), first + 1);
    assert_int_equal(sl_seq_peek(&s, 0xfff0), first - 16);
    assert_int_equal(s.max, first + 1);

    first = sl_ts_extend(&t, 10);
    assert_int_equal(sl_ts_extend(&t, UINT32_MAX), first - 11);
    assert_int_equal(sl_ts_extend(&t, 3010), first + 3000);
    assert_int_equal((uint32_t)first, 10);
}

static void timestamps_wrap(void **state)
{
    struct sl_ts t = { 0 };

    (void)state;
    assert_int_equal(sl_ts_extend(&t, 0xffffff00), 0xffffff00);
    assert_int_equal(sl_ts_extend(&t, 0x100), UINT64_C(0x100000100));
    assert_int_equal(sl_ts_peek(&t, 0xffffffff), 0xffffffff);
}

static void a_million_packets_count_a_million(void **state)
{
    struct sl_seq s = { 0 };
    uint64_t first = sl_seq_extend(&s, 40000);

    (void)state;
    for (uint64_t i = 1; i < 1000000; i++)
        assert_int_equal(sl_seq_extend(&s, (uint16_t)(40000 + i)), first + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_without_a_gap),
        cmocka_unit_test(packets_from_before_the_first_stay_positive),
        cmocka_unit_test(timestamps_wrap),
        cmocka_unit_test(a_million_packets_count_a_million),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
