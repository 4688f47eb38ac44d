#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_munge.h"

/* Every output number that was ever given out: under one key none may come twice. */
static uint8_t used[1 << 20];

static void use(uint64_t out)
{
    assert_true(out < sizeof(used));
    assert_int_equal(used[out], 0);
    used[out] = 1;
}

static struct sl_munge_past past;

static void init(struct sl_munge *m)
{
    sl_munge_init(m, 90000, 100, 5000);
    m->past = &past;
}

static struct sl_munge start(uint64_t seq, uint64_t ts)
{
    struct sl_munge m;

    memset(used, 0, sizeof(used));
    init(&m);
    sl_munge_switch(&m, (struct sl_seqts){ seq, ts }, SL_MUNGE_UNKNOWN, 1000000);
    return m;
}

static uint64_t map(struct sl_munge *m, uint64_t seq, uint64_t ts, uint64_t now)
{
    struct sl_seqts o = { 0, 0 };

    assert_int_equal(sl_munge_map(m, (struct sl_seqts){ seq, ts }, now, &o), 0);
    use(o.seq);
    return o.seq;
}

static int map_err(struct sl_munge *m, uint64_t seq)
{
    struct sl_seqts o = { 77, 77 };
    int err = sl_munge_map(m, (struct sl_seqts){ seq, 0 }, 2000000, &o);

    assert_int_equal(o.seq, 77); /* untouched on failure */
    return err;
}

static void begins_with_the_given_numbers(void **state)
{
    struct sl_munge m;
    struct sl_seqts o;

    (void)state;
    init(&m);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 1, 1 }, 1, &o), -ENOTCONN);
    assert_int_equal(sl_munge_drop(&m, 1), -ENOTCONN);
    m = start(70000, 123456);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 70000, 123456 }, 1, &o), 0);
    assert_int_equal(o.seq, 100);
    assert_int_equal(o.ts, 5000);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 70001, 126456 }, 1, &o), 0);
    assert_int_equal(o.seq, 101);
    assert_int_equal(o.ts, 8000);
}

static void a_lost_packet_keeps_its_number(void **state)
{
    struct sl_munge m = start(1000, 0);

    (void)state;
    assert_int_equal(map(&m, 1000, 0, 1), 100);
    assert_int_equal(map(&m, 1003, 0, 1), 103);
    assert_int_equal(map(&m, 1001, 0, 1), 101);
    assert_int_equal(map_err(&m, 1001), -EEXIST);
    assert_int_equal(map(&m, 1002, 0, 1), 102);
    assert_int_equal(map(&m, 1004, 0, 1), 104);
    assert_int_equal(m.dup, 1);
}

static void dropped_packets_leave_no_gap(void **state)
{
    struct sl_munge m = start(1000, 0);

    (void)state;
    assert_int_equal(map(&m, 1000, 0, 1), 100);
    assert_int_equal(sl_munge_drop(&m, 1001), 0);
    assert_int_equal(sl_munge_drop(&m, 1002), 0);
    assert_int_equal(map(&m, 1003, 0, 1), 101);
    assert_int_equal(sl_munge_drop(&m, 1005), 0); /* 1004 is late: 102 stays for it */
    assert_int_equal(map(&m, 1006, 0, 1), 103);
    assert_int_equal(map(&m, 1004, 0, 1), 102);
    assert_int_equal(sl_munge_drop(&m, 1005), -EEXIST);
    assert_int_equal(map(&m, 1009, 0, 1), 106);
    assert_int_equal(sl_munge_drop(&m, 1007), 1); /* late and not wanted: a hole */
    assert_int_equal(map(&m, 1008, 0, 1), 105);
    assert_int_equal(m.holes, 1);
}

static void a_switch_goes_on_with_the_next_number(void **state)
{
    struct sl_munge m = start(1000, 0);
    struct sl_seqts o;

    (void)state;
    map(&m, 1000, 0, 1000000);
    map(&m, 1001, 3000, 1033000);
    sl_munge_switch(&m, (struct sl_seqts){ 50000, 777 }, SL_MUNGE_UNKNOWN, 1083000);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 50000, 777 }, 1083000, &o), 0);
    assert_int_equal(o.seq, 102);
    assert_int_equal(o.ts, 5000 + 3000 + 4500); /* 50 ms later */
    use(o.seq);
    assert_int_equal(map_err(&m, 49999), -EAGAIN);
    assert_int_equal(map_err(&m, 1002), -EAGAIN);
    /* by capture times: 20 ms; then the same frame again in another layer: one tick at least */
    sl_munge_switch(&m, (struct sl_seqts){ 7, 9 }, 20000, 1500000);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 7, 9 }, 1500000, &o), 0);
    assert_int_equal(o.seq, 103);
    assert_int_equal(o.ts, 5000 + 3000 + 4500 + 1800);
    sl_munge_switch(&m, (struct sl_seqts){ 1, 1 }, -5000, 1500000);
    assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 1, 1 }, 1500000, &o), 0);
    assert_int_equal(o.ts, 5000 + 3000 + 4500 + 1800 + 1);
    /* ... and from there on by the clock again */
    assert_int_equal(sl_munge_ts(&m, 1 + 3000), 5000 + 3000 + 4500 + 1800 - 450 + 3000);
}

/* 1 s of another layer is replayed: it advances, and the frames that are due are in time. */
static void what_is_replayed_is_squeezed_before_what_is_new(void **state)
{
    struct sl_munge m = start(1000, 0);
    uint64_t first = 700000, last = 5000;
    struct sl_seqts o;

    (void)state;
    map(&m, 1000, 0, 5000000);
    sl_munge_switch(&m, (struct sl_seqts){ 1, first }, -1000000, 4000000);
    for (uint64_t i = 0; i <= 40; i++) {
        uint64_t in = first + i * 3000, line = 5000 - 90000 + i * 3000;

        assert_int_equal(sl_munge_map(&m, (struct sl_seqts){ 1 + i, in }, 1, &o), 0);
        assert_true(o.ts > last && o.ts - last <= 3000);
        if (i <= 30)
            assert_in_range(o.ts, 5001, 5001 + 30 * 3000 / 256);
        if (i >= 31)
            assert_int_equal(o.ts, line);
        assert_int_equal(sl_munge_ts(&m, in), o.ts); /* as its retransmission has it */
        last = o.ts;
    }
    assert_int_equal(sl_munge_ts(&m, first - 90000), 5000 - 180000); /* a clock that jumps back */
}

static void a_switch_without_packets_costs_nothing(void **state)
{
    struct sl_munge m = start(1000, 0);

    (void)state;
    sl_munge_switch(&m, (struct sl_seqts){ 5, 5 }, SL_MUNGE_UNKNOWN, 9000000);
    sl_munge_switch(&m, (struct sl_seqts){ 9, 5 }, SL_MUNGE_UNKNOWN, 9000000);
    assert_int_equal(map(&m, 9, 5, 9000000), 100);
    assert_int_equal(m.out_ts, 5000);
}

static void find_tells_what_went_out(void **state)
{
    struct sl_munge m = start(65530, 0);
    uint64_t in, out;

    (void)state;
    for (uint64_t s = 65530; s < 65530 + 2000; s++) {
        if (s % 3 == 0)
            assert_int_equal(sl_munge_drop(&m, s), 0);
        else if (s % 7 != 0)
            map(&m, s, s, 1);
    }
    for (uint64_t s = 67529; s > 67529 - 500; s--) {
        uint16_t o = past.out16[s % SL_MUNGE_WINDOW];

        if (s % 3 == 0 || s % 7 == 0)
            continue;
        assert_int_equal(sl_munge_find(&m, o, &in, &out), 0);
        assert_int_equal(in, s);
        assert_true(used[out]);
        assert_int_equal((uint16_t)out, o);
    }
    assert_int_equal(sl_munge_find(&m, (uint16_t)(m.out_next), &in, &out), -ENOENT);
    assert_int_equal(sl_munge_find(&m, (uint16_t)(m.out_next - 700), &in, &out), -ENOENT);
    sl_munge_switch(&m, (struct sl_seqts){ 1, 1 }, SL_MUNGE_UNKNOWN, 1);
    assert_int_equal(sl_munge_find(&m, (uint16_t)(m.out_next - 1), &in, &out), -ENOENT);
}

static void a_restarted_input_does_not_drag_the_output_along(void **state)
{
    struct sl_munge m = start(1000, 0);

    (void)state;
    assert_int_equal(map(&m, 1000, 0, 1), 100);
    assert_int_equal(map(&m, 31000, 0, 1), 101);
    assert_int_equal(map_err(&m, 30999), -EAGAIN);
    assert_int_equal(map(&m, 31001, 0, 1), 102);
    assert_int_equal(map(&m, 31601, 0, 1), 702);   /* a loss it may be */
    assert_int_equal(map_err(&m, 31002), -EAGAIN); /* beyond the window */
}

static void no_number_comes_twice_whatever_happens(void **state)
{
    struct sl_munge m = start(100000, 0);
    uint64_t seq = 100000, in, out;
    uint32_t x = 42;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct sl_seqts o;
        uint64_t s;
        int err;

        x = x * 1664525 + 1013904223;
        seq += (x >> 28) == 0 ? x >> 24 & 7 : 1;
        s = seq - ((x >> 12) % 16 == 0 ? (x >> 4) % 700 : 0); /* late, doubled, too late */
        if ((x >> 8) % 977 == 0) {
            seq = (x >> 9) % 100000 + 5000;
            s = seq;
            sl_munge_switch(&m, (struct sl_seqts){ s, x }, SL_MUNGE_UNKNOWN, (uint64_t)i * 1000);
        }
        if ((x >> 16) % 5 == 0) {
            sl_munge_drop(&m, s);
            continue;
        }
        err = sl_munge_map(&m, (struct sl_seqts){ s, s * 10 }, (uint64_t)i * 1000, &o);
        if (err) {
            assert_true(err == -EAGAIN || err == -EEXIST);
            continue;
        }
        use(o.seq);
        assert_true(o.seq < m.out_next);
        assert_int_equal(sl_munge_find(&m, (uint16_t)o.seq, &in, &out), 0);
        assert_true(in == s && out == o.seq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_the_given_numbers),
        cmocka_unit_test(a_lost_packet_keeps_its_number),
        cmocka_unit_test(dropped_packets_leave_no_gap),
        cmocka_unit_test(a_switch_goes_on_with_the_next_number),
        cmocka_unit_test(a_switch_without_packets_costs_nothing),
        cmocka_unit_test(what_is_replayed_is_squeezed_before_what_is_new),
        cmocka_unit_test(find_tells_what_went_out),
        cmocka_unit_test(a_restarted_input_does_not_drag_the_output_along),
        cmocka_unit_test(no_number_comes_twice_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
