#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_nack.h"

static size_t due(struct sl_nack *n, uint64_t now, uint16_t *seqs)
{
    return sl_nack_due(n, now, seqs, 64);
}

static void a_gap_is_asked_for_after_the_tolerance(void **state)
{
    struct sl_nack n;
    uint16_t s[64];

    (void)state;
    sl_nack_init(&n);
    assert_false(sl_nack_on_packet(&n, 65534, false, 0));
    assert_false(sl_nack_on_packet(&n, 65538, false, 1000));
    assert_int_equal(n.missing, 3);
    assert_int_equal(sl_nack_next_us(&n), 13000);
    assert_int_equal(due(&n, 12999, s), 0);
    assert_true(sl_nack_on_packet(&n, 65536, false, 5000)); /* only late */
    assert_int_equal(due(&n, 13000, s), 2);
    assert_int_equal(s[0], 65535);
    assert_int_equal(s[1], 1);
    assert_true(sl_nack_on_packet(&n, 65535, false, 20000));
    assert_false(sl_nack_on_packet(&n, 65535, false, 20000));
    assert_int_equal(n.recovered, 2);
}

static void retries_follow_the_round_trip_and_end(void **state)
{
    struct sl_nack n;
    uint16_t s[64];
    uint64_t now = 0, last = 0;
    int asked = 0;

    (void)state;
    sl_nack_init(&n);
    n.rtt_us = 40000;
    sl_nack_on_packet(&n, 10, false, 0);
    sl_nack_on_packet(&n, 12, false, 0);
    while ((now = sl_nack_next_us(&n)) != UINT64_MAX) {
        if (due(&n, now, s)) {
            assert_int_equal(s[0], 11);
            if (asked++)
                assert_true(now - last >= 50000);
            last = now;
        }
    }
    assert_in_range(asked, 5, SL_NACK_TRIES);
    assert_true(last <= 1000000);
    assert_int_equal(n.lost, 1);
    assert_int_equal(n.asked, asked);
    assert_false(sl_nack_on_packet(&n, 11, false, last));
}

/* Asked for once, it is a round trip; after more it is none, but may be longer than was thought. */
static void the_round_trip_is_what_resends_take(void **state)
{
    struct sl_nack n;
    uint16_t s[64];

    (void)state;
    sl_nack_init(&n);
    sl_nack_on_packet(&n, 10, false, 0);
    sl_nack_on_packet(&n, 15, false, 0);
    sl_nack_on_resent(&n, 11, 1000); /* not asked for: it tells nothing */
    assert_int_equal(n.rtt_us, 100000);
    assert_int_equal(due(&n, 12000, s), 4);
    assert_int_equal(due(&n, 137000, s), 4);
    sl_nack_on_resent(&n, 11, 192000); /* nothing else is known */
    assert_int_equal(n.rtt_us, 180000);
    sl_nack_on_resent(&n, 99, 192000);
    sl_nack_on_packet(&n, 14, false, 192000);
    sl_nack_on_packet(&n, 20, false, 200000);
    assert_int_equal(due(&n, 212000, s), 4);
    sl_nack_on_resent(&n, 17, 232000);
    assert_int_equal(n.rtt_us, 160000); /* slowly down */
    sl_nack_on_resent(&n, 18, 462000);
    assert_int_equal(n.rtt_us, 250000); /* and up at once */
    sl_nack_restart(&n);                /* the same sender */
    assert_int_equal(n.rtt_us, 250000);
    sl_nack_on_packet(&n, 1, false, 0);
    sl_nack_on_packet(&n, 3, false, 0);
    assert_int_equal(due(&n, 12000, s), 1);
    assert_int_equal(sl_nack_next_us(&n), 12000 + 312500);
    assert_int_equal(due(&n, 324500, s), 1);
    sl_nack_on_resent(&n, 2, 574500); /* of the second: as it was, for all we know */
    assert_int_equal(n.rtt_us, 250000);
    sl_nack_on_resent(&n, 2, 334500); /* too soon: of the first */
    assert_int_equal(n.rtt_us, 322500);
}

static void a_key_frame_clears_what_is_older(void **state)
{
    struct sl_nack n;
    uint16_t s[64];

    (void)state;
    sl_nack_init(&n);
    sl_nack_on_packet(&n, 10, false, 0);
    sl_nack_on_packet(&n, 15, false, 0);
    sl_nack_on_packet(&n, 20, true, 0);
    sl_nack_on_packet(&n, 22, false, 0);
    assert_int_equal(n.cleared, 8);
    assert_int_equal(due(&n, 50000, s), 1);
    assert_int_equal(s[0], 21);
}

static void what_is_tracked_is_bounded(void **state)
{
    struct sl_nack n;
    uint16_t s[64];
    uint64_t seq = 10;

    (void)state;
    sl_nack_init(&n);
    sl_nack_on_packet(&n, seq, false, 0);
    for (int i = 0; i < 50; i++)
        sl_nack_on_packet(&n, seq += 20, false, 0);
    assert_int_equal(n.n, SL_NACK_MAX);
    assert_int_equal(n.lost, 50 * 19 - SL_NACK_MAX);
    assert_int_equal(due(&n, 50000, s), 64);
    assert_int_equal(due(&n, 50000, s), 64);         /* the next ones */
    sl_nack_on_packet(&n, seq += 400, false, 60000); /* more than can be tracked */
    assert_int_equal(n.n, SL_NACK_MAX);
    sl_nack_on_packet(&n, seq += 5000, false, 60000); /* a restart: nothing to ask for */
    assert_int_equal(n.n, 0);
    assert_int_equal(n.missing, n.lost + n.recovered + n.cleared);
}

static void tolerance_and_age_can_be_set(void **state)
{
    struct sl_nack n;
    uint16_t s[64];

    (void)state;
    sl_nack_init(&n);
    n.reorder_us = 0;
    n.max_age_us = 100000;
    sl_nack_on_packet(&n, 1, false, 0);
    sl_nack_on_packet(&n, 3, false, 0);
    assert_int_equal(due(&n, 0, s), 1);
    assert_int_equal(due(&n, 125000, s), 0);
    assert_int_equal(n.lost, 1);
    assert_true(sl_nack_next_us(&n) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_asked_for_after_the_tolerance),
        cmocka_unit_test(retries_follow_the_round_trip_and_end),
        cmocka_unit_test(the_round_trip_is_what_resends_take),
        cmocka_unit_test(a_key_frame_clears_what_is_older),
        cmocka_unit_test(what_is_tracked_is_bounded),
        cmocka_unit_test(tolerance_and_age_can_be_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
