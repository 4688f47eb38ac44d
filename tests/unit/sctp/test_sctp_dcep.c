#include "sctp/sctp_dcep.h"
#include "../test_cmocka.h"
#include <errno.h>
#include <string.h>

/* RFC 8832 section 5.1. */
static void an_open_is_read_field_by_field(void **state)
{
    static const uint8_t in[] = { 0x03, 0x81, 0x01, 0x00, 0,   0,   0,   7,  0,
                                  3,    0,    2,    'l',  'a', 'b', 'p', 'r' };
    struct sl_dcep_open o;

    (void)state;
    assert_int_equal(sl_dcep_open_parse(in, sizeof(in), &o), 0);
    assert_false(o.ordered);
    assert_int_equal(o.reliability, SL_RELIABLE_REXMIT);
    assert_int_equal(o.limit, 7);
    assert_int_equal(o.priority, 256);
    assert_int_equal(o.label_len, 3);
    assert_memory_equal(o.label, "lab", 3);
    assert_int_equal(o.protocol_len, 2);
    assert_memory_equal(o.protocol, "pr", 2);
}

static void what_is_written_is_read_back(void **state)
{
    static const enum sl_reliability kinds[] = { SL_RELIABLE, SL_RELIABLE_REXMIT,
                                                 SL_RELIABLE_TIMED };
    uint8_t buf[SL_DCEP_OPEN_MAX];
    char name[SL_DCEP_NAME_MAX];

    (void)state;
    memset(name, 'a', sizeof(name));
    for (size_t i = 0; i < TEST_COUNT(kinds) * 2; i++) {
        const struct sl_dcep_open in = { .ordered = i % 2,
                                         .reliability = kinds[i / 2],
                                         .limit = kinds[i / 2] == SL_RELIABLE ? 0 : 1000,
                                         .priority = 512,
                                         .label = name,
                                         .label_len = sizeof(name) - i,
                                         .protocol = name,
                                         .protocol_len = i ? sizeof(name) - i : sizeof(name) };
        struct sl_dcep_open out;
        int len = sl_dcep_open_write(&in, buf, sizeof(buf));

        assert_int_equal(len, 12 + in.label_len + in.protocol_len);
        assert_int_equal(sl_dcep_open_write(&in, buf, (size_t)len - 1), -ENOSPC);
        assert_int_equal(sl_dcep_open_write(&in, buf, (size_t)len), len);
        assert_int_equal(sl_dcep_open_parse(buf, (size_t)len, &out), 0);
        assert_int_equal(sl_dcep_open_parse(buf, (size_t)len - 1, &out), -EBADMSG);
        assert_int_equal(out.ordered, in.ordered);
        assert_int_equal(out.reliability, in.reliability);
        assert_int_equal(out.limit, in.limit);
        assert_int_equal(out.priority, in.priority);
        assert_int_equal(out.label_len, in.label_len);
        assert_int_equal(out.protocol_len, in.protocol_len);
    }
}

static void a_name_too_long_is_refused(void **state)
{
    static uint8_t buf[12 + SL_DCEP_NAME_MAX + 1] = { 0x03 };
    static const char name[SL_DCEP_NAME_MAX + 1];
    const struct sl_dcep_open in = { .label = name, .label_len = sizeof(name), .protocol = "" };
    struct sl_dcep_open o;

    (void)state;
    assert_int_equal(sl_dcep_open_write(&in, buf, sizeof(buf)), -EINVAL);
    buf[0] = 0x03;
    buf[8] = (SL_DCEP_NAME_MAX + 1) >> 8;
    buf[9] = (SL_DCEP_NAME_MAX + 1) & 0xff;
    assert_int_equal(sl_dcep_open_parse(buf, sizeof(buf), &o), -E2BIG);
}

static void names_are_utf8_without_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int want;
    } v[] = {
        { "", 0, 0 },
        { "plain", 5, 0 },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 0 },
        { "a\0b", 3, -EILSEQ },
        { "\x80", 1, -EILSEQ },             /* no first byte */
        { "\xc0\xaf", 2, -EILSEQ },         /* overlong */
        { "\xe0\x80\xaf", 3, -EILSEQ },     /* overlong */
        { "\xed\xa0\x80", 3, -EILSEQ },     /* surrogate */
        { "\xf4\x90\x80\x80", 4, -EILSEQ }, /* above U+10FFFF */
        { "\xf0\x9f\x98", 3, -EILSEQ },     /* cut off */
        { "\xe2\x82\x41", 3, -EILSEQ },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint8_t buf[64] = { 0x03 };
        struct sl_dcep_open o;

        for (int is_protocol = 0; is_protocol < 2; is_protocol++) {
            memset(buf + 1, 0, sizeof(buf) - 1);
            buf[is_protocol ? 11 : 9] = (uint8_t)v[i].len;
            if (v[i].len)
                memcpy(buf + 12, v[i].bytes, v[i].len);
            assert_int_equal(sl_dcep_open_parse(buf, 12 + v[i].len, &o), v[i].want);
        }
    }
}

static void what_is_no_open_is_refused(void **state)
{
    static const uint8_t types[][2] = { { 0x02, 0 }, { 0x00, 0 }, { 0x03, 3 }, { 0x03, 0x83 } };
    struct sl_dcep_open o;
    uint8_t buf[12] = { 0 };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(types); i++) {
        memcpy(buf, types[i], 2);
        assert_int_equal(sl_dcep_open_parse(buf, sizeof(buf), &o), -EBADMSG);
    }
    buf[0] = 0x03;
    buf[1] = 0;
    assert_int_equal(sl_dcep_open_parse(buf, sizeof(buf), &o), 0);
    for (size_t len = 0; len < sizeof(buf); len++)
        assert_int_equal(sl_dcep_open_parse(buf, len, &o), -EBADMSG);
}

static void an_ack_is_one_byte(void **state)
{
    static const uint8_t two[] = { 0x02, 0x00 };

    (void)state;
    assert_true(sl_dcep_is_ack(&sl_dcep_ack, 1));
    assert_false(sl_dcep_is_ack(two, 2));
    assert_false(sl_dcep_is_ack(two, 0));
    assert_false(sl_dcep_is_open(&sl_dcep_ack, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_is_read_field_by_field),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_name_too_long_is_refused),
        cmocka_unit_test(names_are_utf8_without_nul),
        cmocka_unit_test(what_is_no_open_is_refused),
        cmocka_unit_test(an_ack_is_one_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
