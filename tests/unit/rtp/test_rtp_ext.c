#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_ext.h"

static const uint8_t ids[SL_EXT_MAX] = {
    [SL_EXT_AUDIO_LEVEL] = 1,
    [SL_EXT_ABS_SEND_TIME] = 2,
    [SL_EXT_TWCC] = 3,
    [SL_EXT_MID] = 4,
    [SL_EXT_RID] = 10,
    [SL_EXT_RRID] = 11,
    [SL_EXT_PLAYOUT_DELAY] = 5,
    [SL_EXT_VIDEO_ORIENTATION] = 13,
    [SL_EXT_DEPENDENCY_DESCRIPTOR] = 12,
};

static int parse_block(const uint8_t *block, size_t len, struct sl_ext_info *out)
{
    uint8_t p[1024];
    struct sl_rtp rtp;
    struct sl_ext_map map;

    sl_rtp_write_header(p, false, 96, 1, 2, 3);
    p[0] |= SL_RTP_EXT;
    memcpy(p + SL_RTP_HDR, block, len);
    assert_int_equal(sl_rtp_parse(p, SL_RTP_HDR + len, &rtp), 0);
    sl_ext_map_init(&map, ids);
    return sl_ext_parse(p, &rtp, &map, out);
}

static void one_byte_form(void **state)
{
    /* level, abs-send-time, twcc, a padding byte, mid, orientation, an unknown one, playout delay
     */
    static const uint8_t b[] = { 0xbe, 0xde, 0,    6,    0x10, 0x85, 0x22, 1,    2,    3,
                                 0x31, 0xab, 0xcd, 0,    0x40, '0',  0xd0, 0x03, 0x61, 9,
                                 9,    0x52, 0x00, 0x10, 0x02, 0,    0,    0 };
    struct sl_ext_info x;

    (void)state;
    assert_int_equal(parse_block(b, sizeof(b), &x), 0);
    assert_int_equal(x.present, SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_ABS_SEND_TIME) |
                                    SL_EXT_BIT(SL_EXT_TWCC) | SL_EXT_BIT(SL_EXT_MID) |
                                    SL_EXT_BIT(SL_EXT_VIDEO_ORIENTATION) |
                                    SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY));
    assert_true(x.voice);
    assert_int_equal(x.level, 5);
    assert_int_equal(x.abs_send_time, 0x010203);
    assert_int_equal(x.twcc, 0xabcd);
    assert_string_equal(x.mid, "0");
    assert_int_equal(x.orientation, 3);
    assert_int_equal(x.playout_min_10ms, 1);
    assert_int_equal(x.playout_max_10ms, 2);
    assert_int_equal(x.off[SL_EXT_TWCC], SL_RTP_HDR + 11);
    assert_int_equal(x.len[SL_EXT_TWCC], 2);
}

static void two_byte_form_carries_long_data(void **state)
{
    uint8_t b[4 + 26 * 4] = { 0x10, 0x05, 0, 26, 12, 97 };
    struct sl_ext_info x;

    (void)state;
    b[4 + 2 + 97] = 10;
    b[4 + 2 + 97 + 1] = 1;
    b[4 + 2 + 97 + 2] = 'h';
    b[4 + 2 + 97 + 3] = 1; /* an audio level of 0 bytes: left out */
    b[4 + 2 + 97 + 4] = 0;
    assert_int_equal(parse_block(b, sizeof(b), &x), 0);
    assert_int_equal(x.present, SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR) | SL_EXT_BIT(SL_EXT_RID));
    assert_int_equal(x.len[SL_EXT_DEPENDENCY_DESCRIPTOR], 97);
    assert_string_equal(x.rid, "h");
}

static void bad_blocks(void **state)
{
    static const struct {
        uint8_t b[12];
        size_t len;
        int want;
        uint32_t present;
    } v[] = {
        { { 0xbe, 0xde, 0, 1, 0x3f, 1, 2, 3 }, 8, -EBADMSG, 0 }, /* 16 bytes of 3 */
        { { 0x10, 0x00, 0, 1, 0, 0, 0, 3 }, 8, -EBADMSG, 0 },    /* no length byte */
        { { 0x10, 0x00, 0, 1, 3, 9, 1, 1 }, 8, -EBADMSG, 0 },    /* 9 bytes of 2 */
        { { 0xbe, 0xde, 0, 1, 0xf0, 0x10, 0x80, 0 }, 8, 0, 0 },  /* id 15 ends it */
        { { 0xab, 0xcd, 0, 1, 0x10, 0x80, 0, 0 }, 8, 0, 0 },     /* another profile */
        { { 0xbe, 0xde, 0, 1, 0x40, ' ', 0, 0 }, 8, 0, 0 },      /* a mid with a blank */
        { { 0xbe, 0xde, 0, 1, 0x30, 1, 0, 0 }, 8, 0, 0 },        /* twcc of one byte */
        { { 0xbe, 0xde, 0, 0 }, 4, 0, 0 },
        { { 0xbe, 0xde, 0, 2, 0x10, 1, 0x10, 2, 0, 0, 0, 0 },
          12,
          0,
          SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) },
    };
    struct sl_ext_info x;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        assert_int_equal(parse_block(v[i].b, v[i].len, &x), v[i].want);
        if (v[i].want == 0)
            assert_int_equal(x.present, v[i].present);
    }
    assert_int_equal(x.level, 2); /* the last one counts */
}

static void what_is_written_is_read_back(void **state)
{
    static const uint8_t dd[40] = { 7 };
    struct sl_ext_item it[] = {
        { 4, 3, "mid", 0 },
        { 3, 2, NULL, 0 },
        { 2, 3, NULL, 0 },
        { 12, 40, dd, 0 },
    };
    uint8_t b[128];
    struct sl_ext_info x;
    int n;

    (void)state;
    for (int mixed = 0; mixed < 2; mixed++) {
        n = sl_ext_write(b, sizeof(b), it, 4, mixed);
        assert_true(n > 0 && n % 4 == 0);
        sl_ext_patch_twcc(b, it[1].off, 0xbeef);
        sl_ext_patch_abs_send_time(b, it[2].off, 1500000);
        assert_int_equal(parse_block(b, (size_t)n, &x), 0);
        assert_string_equal(x.mid, "mid");
        assert_int_equal(x.twcc, 0xbeef);
        assert_int_equal(x.abs_send_time, 0x060000); /* 1.5 s in 6.18 */
        if (mixed) {
            assert_int_equal(x.len[SL_EXT_DEPENDENCY_DESCRIPTOR], 40);
        } else {
            assert_false(x.present & SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR));
            assert_int_equal(it[3].off, 0);
        }
    }
    assert_int_equal(sl_ext_write(b, sizeof(b), it, 3, true), 16);
    assert_int_equal(b[0], 0xbe); /* one-byte form when it is enough */
    assert_int_equal(sl_ext_write(b, 15, it, 3, true), -EMSGSIZE);
    assert_int_equal(sl_ext_write(b, sizeof(b), it, 0, true), 0);
    assert_int_equal(sl_ext_write(b, sizeof(b), it + 3, 1, false), 0);
}

static void abs_send_time_wraps_at_64_seconds(void **state)
{
    (void)state;
    assert_int_equal(sl_ext_abs_send_time(64000000), 0);
    assert_int_equal(sl_ext_abs_send_time(63999999), 0xffffff);
    assert_int_equal(sl_ext_abs_send_time(UINT64_C(3600000000) + 250000),
                     sl_ext_abs_send_time(250000 + 16000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_form),
        cmocka_unit_test(two_byte_form_carries_long_data),
        cmocka_unit_test(bad_blocks),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(abs_send_time_wraps_at_64_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
