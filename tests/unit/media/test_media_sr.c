#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "media/media_munge.h"
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

static void the_line_maps_both_ways(void **state)
{
    struct sl_sr_src s;
    int64_t ntp;
    uint64_t ts;

    (void)state;
    sl_sr_src_init(&s, 48000);
    assert_int_equal(sl_sr_src_capture_us(&s, 1, &ntp), -EAGAIN);
    assert_int_equal(sl_sr_src_ts(&s, NTP0, &ts), -EAGAIN);
    assert_int_equal(feed(&s, NTP0, 100000, 20000), 0);
    assert_int_equal(sl_sr_src_capture_us(&s, 100000 + 48000, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 - 1000000), 0, 1); /* NTP fractions round */
    assert_int_equal(sl_sr_src_capture_us(&s, 100000 - 480, &ntp), 0);
    assert_in_range(llabs(ntp - NTP0 + 10000), 0, 1);
    assert_int_equal(sl_sr_src_ts(&s, NTP0 + 2000000, &ts), 0);
    assert_in_range(ts, 100000 + 95999, 100000 + 96001);
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

static void elapsed_time_of_two_layers(void **state)
{
    struct sl_sr_src a, b;

    (void)state;
    sl_sr_src_init(&a, 90000);
    sl_sr_src_init(&b, 90000);
    assert_int_equal(feed(&a, NTP0, 1000, 0), 0);
    assert_true(sl_sr_elapsed_us(&a, 1000, &b, 5) == SL_MUNGE_UNKNOWN);
    assert_int_equal(feed(&b, NTP0 + 100000, 777000, 0), 0);
    assert_in_range(sl_sr_elapsed_us(&a, 1000 + 90 * 50, &b, 777000), 49998, 50002);
    assert_true(sl_sr_elapsed_us(&a, 1000, &b, UINT64_C(777000) + 90000 * 60) == SL_MUNGE_UNKNOWN);
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

/* A publisher for ten minutes: its audio clock runs 80 ppm fast, its video clock 60 ppm slow
 * against its NTP clock, which drifts from ours by 50 ppm; reports jitter by +-4 ms and are up to
 * 150 ms on their way; the subscriber's video switches between layers every 7 s. Whatever a
 * subscriber computes from our reports: audio and video of one moment differ by < 30 ms. */
#define LAYERS 2
static void audio_and_video_stay_in_sync(void **state)
{
    static const double ppm[1 + LAYERS] = { 80e-6, -60e-6, -60e-6 };
    static const uint32_t rate[1 + LAYERS] = { 48000, 90000, 90000 };
    static const uint64_t ts0[1 + LAYERS] = { 5000000, 900000000, 4200000000 };
    struct sl_sr_src s[1 + LAYERS];
    static struct sl_munge_past past[2];
    struct sl_munge m[2]; /* audio, video */
    struct sl_seqts out;
    uint64_t seq[1 + LAYERS] = { 0, 0, 0 };
    uint32_t x = 9;
    int cur = 1;
    int64_t worst = 0;

    (void)state;
#define TS(k, ms)  (ts0[k] + (uint64_t)((double)(ms) / 1000 * rate[k] * (1 + ppm[k])))
#define NTP_AT(ms) (NTP0 + (int64_t)((double)(ms)*1000 * (1 + 50e-6)))
    for (int k = 0; k <= LAYERS; k++) {
        sl_sr_src_init(&s[k], rate[k]);
        seq[k] = 1000u * (unsigned)k;
    }
    sl_munge_init(&m[0], 48000, 1, 7);
    sl_munge_init(&m[1], 90000, 1, 12345678);
    m[0].past = &past[0];
    m[1].past = &past[1];
    for (uint64_t ms = 0; ms < 600000; ms += 20) {
        uint64_t now = ms * 1000 + 30000;

        for (int k = 0; k <= LAYERS; k++) {
            struct sl_munge *g = &m[k > 0];

            if (ms % 1000 == 20u * (unsigned)k) { /* a report that is late and jitters */
                int64_t jitter = (int64_t)((x = x * 1664525 + 1013904223) >> 16) % 4000;

                assert_int_equal(feed(&s[k], NTP_AT(ms) + (x >> 31 ? jitter : -jitter), TS(k, ms),
                                      now + (x >> 8) % 150000),
                                 0);
            }
            seq[k]++;
            if (k > 0 && k != cur)
                continue;
            if (ms == 0)
                sl_munge_switch(g, (struct sl_seqts){ seq[k], TS(k, ms) }, SL_MUNGE_UNKNOWN, now);
            assert_int_equal(sl_munge_map(g, (struct sl_seqts){ seq[k], TS(k, ms) }, now, &out), 0);
        }
        if (ms && ms % 7000 == 0) {
            int64_t e = sl_sr_elapsed_us(&s[cur], sl_munge_last_ts(&m[1]), &s[3 - cur],
                                         TS(3 - cur, ms + 20));

            cur = 3 - cur;
            assert_true(ms < 2000 || e != SL_MUNGE_UNKNOWN);
            sl_munge_switch(&m[1], (struct sl_seqts){ seq[cur] + 1, TS(cur, ms + 20) }, e, now);
        }
        if (ms > 2000 && ms % 500 == 0) { /* what the subscriber makes of our reports */
            uint64_t ntp[2], in;
            uint32_t rtp[2];
            int64_t at[2];

            for (int k = 0; k < 2; k++) {
                int src = k ? cur : 0;
                uint64_t o;

                assert_int_equal(sl_sr_make(&s[src], sl_munge_ts_off(&m[k]), now, &ntp[k], &rtp[k]),
                                 0);
                in = TS(src, ms);
                o = in + sl_munge_ts_off(&m[k]);
                at[k] = (int64_t)sl_us_from_ntp(ntp[k]) +
                        (int64_t)(int32_t)((uint32_t)o - rtp[k]) * 1000000 / rate[src];
            }
            if (llabs(at[0] - at[1]) > worst)
                worst = llabs(at[0] - at[1]);
        }
    }
    print_message("worst difference %lld us\n", (long long)worst);
    assert_in_range(worst, 0, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_maps_both_ways),
        cmocka_unit_test(a_wild_report_is_not_believed_a_repeated_one_is),
        cmocka_unit_test(elapsed_time_of_two_layers),
        cmocka_unit_test(our_own_clock_serves_without_reports),
        cmocka_unit_test(round_trip_from_reports_sent),
        cmocka_unit_test(audio_and_video_stay_in_sync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
