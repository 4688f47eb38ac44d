#include "../test_cmocka.h"
#include "base/clock.h"

static void the_monotonic_clock_does_not_go_back(void **state)
{
    uint64_t before = sl_now_us();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = sl_now_us();

        assert_true(now >= before);
        before = now;
    }
}

static void the_wall_clock_knows_the_century(void **state)
{
    (void)state;
    assert_in_range(sl_wall_us(), 1577836800000000, 4102444800000000); /* 2020 to 2100 */
}

static void ntp_counts_seconds_from_1900(void **state)
{
    static const struct {
        uint64_t wall_us, ntp;
    } v[] = {
        { 0, 0x83aa7e8000000000 },
        { 500000, 0x83aa7e8080000000 },
        { 1250000, 0x83aa7e8140000000 },
        { 999999, 0x83aa7e80ffffef39 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_ntp_from_wall_us(v[i].wall_us), v[i].ntp);
}

static void durations_survive_the_way_to_ntp_and_back(void **state)
{
    static const uint64_t us[] = { 0, 1, 999999, 1000000, 1234567, 86400000001 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(us); i++)
        assert_in_range(us[i] - sl_us_from_ntp(sl_ntp_from_us(us[i])), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(the_wall_clock_knows_the_century),
        cmocka_unit_test(ntp_counts_seconds_from_1900),
        cmocka_unit_test(durations_survive_the_way_to_ntp_and_back),
    };

    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
