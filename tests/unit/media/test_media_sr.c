/* The publisher's clock, and the round trip to subscribers, from sender reports. */
#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/media_sr.h"

#define NTP0 (INT64_C(3900000000) * 1000000) /* the publisher's clock at our time 0 */

static struct sl_rtcp_sr report(int64_t ntp_us, uint32_t ts)
{
    return (struct sl_rtcp_sr){ .ssrc = 1, .ntp = sl_ntp_from_us((uint64_t)ntp_us), .rtp_ts = ts };
}

static int feed(struct sl_sr_src *s, int64_t ntp_us, uint64_t ts, uint64_t now)
{
    struct sl_rtcp_sr sr = report(ntp_us, (uint32_t)ts);

    return sl_sr_src_on_sr(s, &sr, ts, now);
}

static void a_report_tells_when_a_sample_was_captured(void **state)
{
    struct sl_sr_src s;
    int64_t ntp;

    (void)state;
    sl_sr_src_init(&s, 48000);
    assert_int_equal(sl_sr_src_capture_us(&s, 1, &ntp), -EAGAIN);
    assert_int_equal(feed(&s, NTP0, 100000, 20000), 0);
    assert_int_equal(sl_sr_src_capture_us(&s, 100000 + 48000, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 - 1000000), 0, 1); /* NTP fractions round */
    assert_int_equal(sl_sr_src_capture_us(&s, 100000 - 480, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 + 10000), 0, 1);
}

static void a_wild_report_is_not_believed_a_repeated_one_is(void **state)
{
    struct sl_sr_src s;
    int64_t ntp;

    (void)state;
    sl_sr_src_init(&s, 90000);
    assert_int_equal(feed(&s, NTP0, 0, 0), 0);
    assert_int_equal(feed(&s, NTP0 + 900000000, 90000, 1000000), -EINVAL);
    assert_int_equal(sl_sr_src_capture_us(&s, 90000, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 - 1000000), 0, 1);
    assert_int_equal(feed(&s, NTP0 + 2000000, 180000, 2000000), 0); /* fits again */
    assert_int_equal(feed(&s, NTP0 + 500000000, 270000, 3000000), -EINVAL);
    assert_int_equal(feed(&s, NTP0 + 501000000, 360000, 4000000), 0); /* the clock was set */
    assert_int_equal(sl_sr_src_capture_us(&s, 360000, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 - 501000000), 0, 1);
    {
        struct sl_rtcp_sr none = { .ntp = 0 };

        assert_int_equal(sl_sr_src_on_sr(&s, &none, 0, 5000000), -EINVAL);
        assert_int_equal(s.lsr, 0);
    }
    assert_int_equal(s.refused, 3);
}

static void our_own_clock_serves_without_reports(void **state)
{
    uint64_t ntp;
    uint32_t ts;

    (void)state;
    sl_sr_make_local(48000, 1000, 2000000, 77, 2500000, &ntp, &ts);
    assert_int_equal(ntp, 77);
    assert_int_equal(ts, 25000);
}

static void round_trip_from_reports_sent(void **state)
{
    static const struct {
        uint32_t dlsr;
        uint64_t now;
        int err;
        uint64_t rtt;
    } v[] = {
        { 65536, 1130000, 0, 130000 }, { 0, 130000, 0, 130000 },    { 65536, 990000, 0, 0 },
        { 65536, 500000, -ERANGE, 0 }, { 0, 20000000, -ERANGE, 0 },
    };
    struct sl_sr_sent t = { 0 };
    struct sl_rtcp_rb rb = { .lsr = 0x12345678 };
    uint64_t rtt = 0;

    (void)state;
    assert_int_equal(sl_sr_sent_rtt(&t, &rb, 1, &rtt), -ENOENT);
    sl_sr_sent_add(&t, UINT64_C(0xffff12345678ffff), 0);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        rb.dlsr = v[i].dlsr;
        assert_int_equal(sl_sr_sent_rtt(&t, &rb, v[i].now, &rtt), v[i].err);
        if (!v[i].err)
            assert_int_equal(rtt, v[i].rtt);
    }
    for (int i = 0; i < SL_SR_SENT; i++)
        sl_sr_sent_add(&t, (uint64_t)i << 16, 0);
    assert_int_equal(sl_sr_sent_rtt(&t, &rb, 1, &rtt), -ENOENT);
    rb.lsr = 0;
    assert_int_equal(sl_sr_sent_rtt(&t, &rb, 1, &rtt), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_tells_when_a_sample_was_captured),
        cmocka_unit_test(a_wild_report_is_not_believed_a_repeated_one_is),
        cmocka_unit_test(our_own_clock_serves_without_reports),
        cmocka_unit_test(round_trip_from_reports_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
