#include "../test_cmocka.h"
#include "base/bytes.h"
#include "base/id.h"

static void what_is_written_is_read_back(void **state)
{
    static const uint8_t want[] = { 0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0x80, 0, 0,   0x7f,
                                    0xde, 0xad, 0xbe, 0xef, 0,    1,    2,    3, 'h', 'i' };
    uint8_t buf[20];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_reader r = sl_reader_make(buf, sizeof(buf));

    (void)state;
    sl_write8(&w, 0x01);
    sl_write16(&w, 0x0203);
    sl_write24(&w, 0xfffefd);
    sl_write32(&w, 0x8000007f);
    sl_write64(&w, 0xdeadbeef00010203);
    sl_write_bytes(&w, "hi", 2);
    assert_false(w.failed);
    assert_int_equal(sl_writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));

    assert_int_equal(sl_read8(&r), 0x01);
    assert_int_equal(sl_read16(&r), 0x0203);
    assert_int_equal(sl_read24(&r), 0xfffefd);
    assert_int_equal(sl_read32(&r), 0x8000007f);
    assert_int_equal(sl_read64(&r), 0xdeadbeef00010203);
    assert_memory_equal(sl_read_bytes(&r, 2), "hi", 2);
    assert_int_equal(sl_reader_left(&r), 0);
    assert_false(r.failed);
}

static void reading_past_the_end_gives_zeroes_and_sticks(void **state)
{
    static const uint8_t data[] = { 0xff, 0xff, 0xff };
    struct sl_reader r = sl_reader_make(data, sizeof(data));

    (void)state;
    assert_int_equal(sl_read32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(sl_read8(&r), 0); /* there, but the error sticks */
    assert_null(sl_read_bytes(&r, 0));
    r = sl_reader_make(data, sizeof(data));
    assert_null(sl_read_bytes(&r, SIZE_MAX));
    assert_true(r.failed);
}

static void writing_past_the_end_writes_nothing_and_sticks(void **state)
{
    uint8_t buf[4] = { 1, 1, 1, 1 };
    struct sl_writer w = sl_writer_make(buf, 3);

    (void)state;
    sl_write16(&w, 0x2222);
    sl_write16(&w, 0x3333);
    assert_true(w.failed);
    sl_write8(&w, 0x44);
    assert_int_equal(sl_writer_len(&w), 2);
    assert_int_equal(buf[2], 1);
    assert_int_equal(buf[3], 1);
}

static void ids_carry_worker_slot_and_generation(void **state)
{
    sl_id id = sl_id_make(42, 0x010007, 0xdeadbeef);

    (void)state;
    assert_int_equal(sl_id_worker(id), 42);
    assert_int_equal(sl_id_slot(id), 0x010007);
    assert_int_equal(sl_id_gen(id), 0xdeadbeef);
    assert_int_equal(sl_id_worker(sl_id_make(0x1ff, 0, 0)), 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(reading_past_the_end_gives_zeroes_and_sticks),
        cmocka_unit_test(writing_past_the_end_writes_nothing_and_sticks),
        cmocka_unit_test(ids_carry_worker_slot_and_generation),
    };

    return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
