#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_level.h"
#include "media/media_rr.h"
#include "rtp/rtp_seq.h"

static void losses_are_counted_per_interval_and_in_all(void **state)
{
    struct sl_rr r;
    struct sl_rtcp_rb b;

    (void)state;
    sl_rr_init(&r, 90000);
    assert_int_equal(sl_rr_report(&r, 7, 0, 0, 0, &b), -EAGAIN);
    for (uint64_t s = 65500; s < 65600; s++)
        if (s % 4 != 0)
            sl_rr_on_packet(&r, s, (uint32_t)(s * 3000), s * 33333);
    assert_int_equal(sl_rr_report(&r, 7, 0x1234, 1000000, 3000000, &b), 0);
    assert_int_equal(b.ssrc, 7);
    assert_int_equal(b.ext_seq, 65599);
    assert_int_equal(b.lost, 24); /* 65500 itself is one of them: the first was 65501 */
    assert_int_equal(b.fraction, 24 * 256 / 99);
    assert_int_equal(b.lsr, 0x1234);
    assert_int_equal(b.dlsr, 2 * 65536);
    assert_int_equal(sl_rr_lost(&r), 24);
    for (uint64_t s = 65600; s < 65700; s++)
        sl_rr_on_packet(&r, s, (uint32_t)(s * 3000), s * 33333);
    assert_int_equal(sl_rr_report(&r, 7, 0, 0, 0, &b), 0);
    assert_int_equal(b.fraction, 0);
    assert_int_equal(b.lost, 24);
    assert_int_equal(b.lsr, 0);
}

/* RFC 3550 section 6.4.1: cycles are counted from the first packet on, wherever its extension
 * began (rtp_seq.h), and not from one that comes later and was sent before. */
static void cycles_are_counted_from_the_first_packet(void **state)
{
    static const struct {
        uint16_t first, last;
        uint32_t want;
    } v[] = {
        { 150, 180, 180 },
        { 1, 30000, 30000 },
        { 65530, 5, 65536 + 5 },
        { 32768, 32769, 32769 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_seq seq = { 0 };
        struct sl_rtcp_rb b;
        struct sl_rr r;

        sl_rr_init(&r, 90000);
        for (uint16_t s = v[i].first; s != (uint16_t)(v[i].last + 1); s++)
            sl_rr_on_packet(&r, sl_seq_extend(&seq, s), s, s);
        sl_rr_on_packet(&r, sl_seq_extend(&seq, (uint16_t)(v[i].first - 1)), 0, 0);
        assert_int_equal(sl_rr_report(&r, 7, 0, 0, 0, &b), 0);
        assert_int_equal(b.ext_seq, v[i].want);
    }
}

static void duplicates_make_it_negative_not_huge(void **state)
{
    struct sl_rr r;
    struct sl_rtcp_rb b;

    (void)state;
    sl_rr_init(&r, 48000);
    for (int i = 0; i < 10; i++)
        sl_rr_on_packet(&r, 100, 1, 1);
    assert_int_equal(sl_rr_report(&r, 7, 0, 0, 0, &b), 0);
    assert_int_equal(b.lost, -9);
    assert_int_equal(b.fraction, 0);
}

static void jitter_follows_rfc_3550(void **state)
{
    struct sl_rr r;

    (void)state;
    sl_rr_init(&r, 8000);
    for (uint32_t i = 0; i < 100; i++) /* exactly in time */
        sl_rr_on_packet(&r, 100 + i, i * 160, 1000000 + i * 20000);
    assert_int_equal(sl_rr_jitter_us(&r), 0);
    for (uint32_t i = 100; i < 1000; i++) /* every other packet 10 ms late: |D| is 10 ms */
        sl_rr_on_packet(&r, 100 + i, i * 160, 1000000 + i * 20000 + (i & 1) * 10000);
    assert_in_range(sl_rr_jitter_us(&r), 9000, 10500);
    sl_rr_on_packet(&r, 1200, 0xf0000000, 30000000); /* restarted timestamps are not jitter */
    sl_rr_on_packet(&r, 1201, 0x70000000, 30000000); /* by half of all, which has no opposite */
    assert_in_range(sl_rr_jitter_us(&r), 9000, 10500);
}

static void talking_is_decided_per_interval(void **state)
{
    struct sl_level l;

    (void)state;
    sl_level_init(&l, 0, 0);
    assert_int_equal(l.packets, 100);
    assert_int_equal(l.below, 25);
    sl_level_set(&l, 4, 30);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sl_level_add(&l, 10), SL_TALK_SAME);
    assert_int_equal(sl_level_add(&l, 12), SL_TALK_BEGAN);
    assert_true(l.average == 10.5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sl_level_add(&l, 20), SL_TALK_SAME); /* still */
    for (int i = 0; i < 3; i++)
        assert_int_equal(sl_level_add(&l, 30), SL_TALK_SAME);
    assert_int_equal(sl_level_add(&l, 30), SL_TALK_STOPPED); /* not below */
    assert_int_equal(sl_level_stop(&l), SL_TALK_SAME);
    for (int i = 0; i < 3; i++)
        sl_level_add(&l, 0);
    assert_int_equal(sl_level_add(&l, 0), SL_TALK_BEGAN);
    assert_int_equal(sl_level_stop(&l), SL_TALK_STOPPED);
    assert_true(l.average == 127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_counted_per_interval_and_in_all),
        cmocka_unit_test(cycles_are_counted_from_the_first_packet),
        cmocka_unit_test(duplicates_make_it_negative_not_huge),
        cmocka_unit_test(jitter_follows_rfc_3550),
        cmocka_unit_test(talking_is_decided_per_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
