/* Sizes in parameter sets of encoders that are in use, and in such as nobody sends. */
#include "../test_bits.h"
#include "../test_cmocka.h"
#include "rtp/rtp_h264_sps.h"
#include "rtp/rtp_payload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    unsigned int v;

    for (; sscanf(hex + 2 * n, "%2x", &v) == 1; n++)
        out[n] = (uint8_t)v;
    return n;
}

static void reads_what_encoders_write(void **state)
{
    static const struct {
        const char *hex;
        int width, height;
    } t[] = {
        /* x264, high profile, with emulation prevention */
        { "6764001facd9405005bb011000000300100000030"
          "3c0f1831960",
          1280, 720 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        uint16_t w = 0, h = 0;
        uint8_t sps[64];
        size_t n = unhex(t[i].hex, sps);

        assert_int_equal(sl_h264_sps_size(sps, n, &w, &h), 0);
        assert_int_equal(w, t[i].width);
        assert_int_equal(h, t[i].height);
    }
}

/* ---- made by hand ---------------------------------------------------------------------------- */

struct field {
    uint8_t profile;
    uint32_t chroma, order; /* pic_order_cnt_type */
    uint32_t lists;         /* 0: none; each step of the first scaling list, as it is coded */
    bool interlaced;
    uint32_t mbs_w, units_h, crop[4];
};

static struct bits make(const struct field *f)
{
    struct bits m = { 0 };

    put(&m, 8, 0x67);
    put(&m, 8, f->profile);
    put(&m, 16, 31);
    put_ue(&m, 0);
    if (f->profile == 100) {
        put_ue(&m, f->chroma);
        if (f->chroma == 3)
            put(&m, 1, 0);
        put_ue(&m, 0);
        put_ue(&m, 0);
        put(&m, 2, f->lists != 0);
        for (int i = 0; f->lists && i < (f->chroma == 3 ? 12 : 8); i++) {
            put(&m, 1, i == 0 || i == 6);
            for (int k = 0; i == 0 && k < 16; k++)
                put_ue(&m, f->lists);
            if (i == 6)
                put_ue(&m, 16); /* -8: the rest is as by default */
        }
    }
    put_ue(&m, 0);
    put_ue(&m, f->order);
    if (f->order == 0)
        put_ue(&m, 2);
    if (f->order == 1) {
        put(&m, 1, 0);
        put_ue(&m, 3);
        put_ue(&m, 4);
        put_ue(&m, 2);
        put_ue(&m, 5);
        put_ue(&m, 6);
    }
    put_ue(&m, 1);
    put(&m, 1, 0);
    put_ue(&m, f->mbs_w - 1);
    put_ue(&m, f->units_h - 1);
    put(&m, 1, !f->interlaced);
    if (f->interlaced)
        put(&m, 1, 0);
    put(&m, 1, 1);
    put(&m, 1, 1);
    for (int i = 0; i < 4; i++)
        put_ue(&m, f->crop[i]);
    put(&m, 2, 1); /* no VUI, and the stop bit */
    return m;
}

static void reads_all_that_may_stand_before_the_size(void **state)
{
    static const struct {
        struct field f;
        int width, height;
    } t[] = {
        { { 66, 1, 0, 0, false, 80, 45, { 0 } }, 1280, 720 },
        { { 66, 1, 2, 0, false, 20, 12, { 0, 0, 0, 6 } }, 320, 180 },
        { { 77, 1, 1, 0, true, 120, 34, { 0, 0, 0, 2 } }, 1920, 1080 },
        { { 100, 1, 0, 1, false, 40, 23, { 0, 0, 0, 4 } }, 640, 360 },
        { { 100, 3, 0, 1, false, 40, 23, { 1, 1, 2, 6 } }, 638, 360 },
        { { 100, 0, 0, 0, false, 1, 1, { 1, 2, 3, 4 } }, 13, 9 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct bits m = make(&t[i].f);
        uint16_t w = 0, h = 0;

        assert_int_equal(sl_h264_sps_size(m.b, bits_len(&m), &w, &h), 0);
        assert_int_equal(w, t[i].width);
        assert_int_equal(h, t[i].height);
        for (size_t n = 0; n + 1 < m.pos / 8; n++) /* cut anywhere */
            assert_int_equal(sl_h264_sps_size(m.b, n, &w, &h), -EBADMSG);
    }
}

static void refuses_what_cannot_be(void **state)
{
    static const struct field t[] = {
        { 66, 1, 0, 0, false, 2000, 45, { 0 } },          /* too wide */
        { 66, 1, 0, 0, false, 10, 10, { 40, 40, 0, 0 } }, /* nothing left */
        { 100, 1, 0, 255, false, 40, 23, { 0 } },         /* a step of 128 */
        { 100, 1, 0, 258, false, 40, 23, { 0 } },         /* of -129 */
        { 100, 1, 0, 0xfffffffd, false, 40, 23, { 0 } },  /* of 2^31 - 1 */
    };
    uint8_t zeros[64] = { 0x67, 66 };
    uint16_t w = 7, h = 8;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct bits m = make(&t[i]);

        assert_int_equal(sl_h264_sps_size(m.b, bits_len(&m), &w, &h), -EBADMSG);
    }
    assert_int_equal(sl_h264_sps_size(zeros, sizeof(zeros), &w, &h), -EBADMSG);
    assert_int_equal(w, 7);
    assert_int_equal(h, 8);
}

/* As packets have it: alone, and with the others of a key frame. */
static void packets_tell_their_size(void **state)
{
    struct bits m = make(&(struct field){ 66, 1, 0, 0, false, 80, 45, { 0 } });
    size_t n = bits_len(&m);
    uint8_t stap[160] = { 0x78, 0, 1, 0x09, 0, (uint8_t)n };
    struct sl_payload_info info;

    (void)state;
    assert_int_equal(sl_payload_parse(SL_CODEC_H264, m.b, n, &info), 0);
    assert_int_equal(info.width, 1280);
    memcpy(stap + 6, m.b, n);
    assert_int_equal(sl_payload_parse(SL_CODEC_H264, stap, 6 + n, &info), 0);
    assert_true(info.key);
    assert_int_equal(info.height, 720);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_encoders_write),
        cmocka_unit_test(reads_all_that_may_stand_before_the_size),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(packets_tell_their_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
