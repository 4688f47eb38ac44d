#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_vp8.h"

static struct sl_payload_info pic(uint16_t pid, uint8_t tl0, uint8_t key)
{
    return (struct sl_payload_info){ .pid_bits = 15,
                                     .pid = pid,
                                     .pid_off = 2,
                                     .has_tl0 = true,
                                     .tl0 = tl0,
                                     .tl0_off = 4,
                                     .has_tid = true,
                                     .has_keyidx = true,
                                     .keyidx = key,
                                     .keyidx_off = 5 };
}

static struct sl_vp8_ids map(struct sl_vp8_munge *m, uint16_t pid, uint8_t tl0)
{
    struct sl_payload_info i = pic(pid, tl0, 3);
    struct sl_vp8_ids o = { 0, 0, 0 };

    assert_int_equal(sl_vp8_munge_map(m, &i, &o), 0);
    return o;
}

static void ids_go_on_across_switches(void **state)
{
    struct sl_vp8_munge m;
    struct sl_vp8_ids o;

    (void)state;
    sl_vp8_munge_init(&m);
    assert_int_equal(map(&m, 0x7fff, 255).pid, 0x7fff);
    o = map(&m, 0, 0);
    assert_int_equal(o.pid, 0);
    assert_int_equal(o.tl0, 0);
    sl_vp8_munge_switch(&m);
    o = map(&m, 5000, 77);
    assert_int_equal(o.pid, 1);
    assert_int_equal(o.tl0, 1);
    assert_int_equal(o.keyidx, 4);
    assert_int_equal(map(&m, 5000, 77).pid, 1); /* the next packet of the picture */
    o = map(&m, 5001, 78);
    assert_int_equal(o.pid, 2);
    assert_int_equal(o.tl0, 2);
}

static void dropped_pictures_leave_no_gap(void **state)
{
    struct sl_vp8_munge m;
    struct sl_payload_info i = pic(11, 1, 0);
    struct sl_vp8_ids o;

    (void)state;
    sl_vp8_munge_init(&m);
    assert_int_equal(map(&m, 10, 1).pid, 10);
    sl_vp8_munge_drop(&m, &i);
    sl_vp8_munge_drop(&m, &i); /* its second packet */
    assert_int_equal(map(&m, 12, 2).pid, 11);
    assert_int_equal(sl_vp8_munge_map(&m, &i, &o), -EAGAIN);
    assert_int_equal(sl_vp8_munge_find(&m, &i, &o), -ENOENT);
    assert_int_equal(map(&m, 10, 1).pid, 10); /* late, as before */
    assert_int_equal(map(&m, 14, 3).pid, 13);
    assert_int_equal(map(&m, 13, 2).pid, 12); /* a whole picture late */
    i = pic(14, 3, 0);
    assert_int_equal(sl_vp8_munge_find(&m, &i, &o), 0);
    assert_int_equal(o.pid, 13);
    i = pic(15, 3, 0);
    assert_int_equal(sl_vp8_munge_find(&m, &i, &o), -ENOENT);
}

static void numbering_has_no_gap_over_many_wraps(void **state)
{
    struct sl_vp8_munge m;
    uint16_t pid = 0x7f00, want = 0x7f00;

    (void)state;
    sl_vp8_munge_init(&m);
    for (int i = 0; i < 100000; i++, pid = (pid + 1) & 0x7fff) {
        struct sl_payload_info p = pic(pid, (uint8_t)i, 0);

        if (i % 4 == 3) {
            sl_vp8_munge_drop(&m, &p);
            continue;
        }
        assert_int_equal(map(&m, pid, (uint8_t)i).pid, want);
        want = (want + 1) & 0x7fff;
    }
}

static void writing_keeps_the_size(void **state)
{
    uint8_t p[] = { 0x90, 0xf0, 0x80, 0x05, 0x07, 0x63, 0x01, 0xaa };
    struct sl_payload_info i, j;
    const struct sl_vp8_ids ids = { 0x1234, 200, 9 };

    (void)state;
    assert_int_equal(sl_payload_parse(SL_CODEC_VP8, p, sizeof(p), &i), 0);
    sl_vp8_munge_write(p, &i, &ids);
    assert_int_equal(sl_payload_parse(SL_CODEC_VP8, p, sizeof(p), &j), 0);
    assert_int_equal(j.pid, 0x1234);
    assert_int_equal(j.pid_bits, 15);
    assert_int_equal(j.tl0, 200);
    assert_int_equal(j.keyidx, 9);
    assert_int_equal(j.tid, i.tid);
    assert_int_equal(j.sync, i.sync);
    assert_int_equal(j.hdr_len, i.hdr_len);
    {
        uint8_t q[] = { 0x90, 0x80, 0x05, 0x01, 0xaa };

        assert_int_equal(sl_payload_parse(SL_CODEC_VP8, q, sizeof(q), &i), 0);
        sl_vp8_munge_write(q, &i, &ids);
        assert_int_equal(q[2], 0x34);
        assert_int_equal(q[3], 0x01);
    }
}

static void a_stream_without_ids_passes(void **state)
{
    struct sl_vp8_munge m;
    struct sl_payload_info i = { 0 };
    struct sl_vp8_ids o = { 9, 9, 9 };

    (void)state;
    sl_vp8_munge_init(&m);
    assert_int_equal(sl_vp8_munge_map(&m, &i, &o), 0);
    sl_vp8_munge_drop(&m, &i);
    assert_int_equal(sl_vp8_munge_find(&m, &i, &o), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_go_on_across_switches),
        cmocka_unit_test(dropped_pictures_leave_no_gap),
        cmocka_unit_test(numbering_has_no_gap_over_many_wraps),
        cmocka_unit_test(writing_keeps_the_size),
        cmocka_unit_test(a_stream_without_ids_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
