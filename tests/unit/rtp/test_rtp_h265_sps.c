/* Sizes in parameter sets of H.265: of an encoder that is in use, and made by hand. */
#include "../test_bits.h"
#include "../test_cmocka.h"
#include "rtp/rtp_h265_sps.h"
#include "rtp/rtp_payload.h"

#include <errno.h>
#include <string.h>

/* x265, main profile, level 4, with emulation prevention */
static const uint8_t x265[] = { 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00,
                                0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x78, 0xa0, 0x03, 0xc0, 0x80,
                                0x10, 0xe5, 0x96, 0x66, 0x69, 0x24, 0xca, 0xe0, 0x10, 0x00, 0x00,
                                0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x80 };

struct field {
    unsigned int subs; /* sub-layers below the highest, the first with profile and level */
    uint32_t chroma, width, height, crop[4];
};

/* All bits of what is passed over are set, so that nothing there looks like emulation prevention.
 */
static struct bits make(const struct field *f)
{
    struct bits m = { 0 };

    put(&m, 16, 0x4201);
    put(&m, 4, 0xf);
    put(&m, 3, f->subs);
    put(&m, 1, 1);
    for (int i = 0; i < 96; i++)
        put(&m, 1, 1);
    for (unsigned int i = 0; i < f->subs; i++)
        put(&m, 2, i == 0 ? 3 : 0);
    if (f->subs) {
        put(&m, 2 * (8 - f->subs), 0xffff);
        for (int i = 0; i < 96; i++)
            put(&m, 1, 1);
    }
    put_ue(&m, 0);
    put_ue(&m, f->chroma);
    if (f->chroma == 3)
        put(&m, 1, 1);
    put_ue(&m, f->width);
    put_ue(&m, f->height);
    put(&m, 1, 1);
    for (int i = 0; i < 4; i++)
        put_ue(&m, f->crop[i]);
    put(&m, 1, 1);
    return m;
}

static void reads_what_an_encoder_writes(void **state)
{
    uint16_t w = 0, h = 0;

    (void)state;
    assert_int_equal(sl_h265_sps_size(x265, sizeof(x265), &w, &h), 0);
    assert_int_equal(w, 1920);
    assert_int_equal(h, 1080);
}

static void reads_all_that_may_stand_before_the_size(void **state)
{
    static const struct {
        struct field f;
        int width, height;
    } t[] = {
        { { 0, 1, 1280, 720, { 0 } }, 1280, 720 },
        { { 2, 1, 320, 184, { 0, 0, 0, 2 } }, 320, 180 },
        { { 6, 2, 960, 540, { 1, 1, 1, 1 } }, 956, 538 },
        { { 0, 3, 640, 360, { 1, 0, 0, 1 } }, 639, 359 },
        { { 1, 0, 16, 16, { 0, 1, 2, 3 } }, 15, 11 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct bits m = make(&t[i].f);
        uint16_t w = 0, h = 0;

        assert_int_equal(sl_h265_sps_size(m.b, bits_len(&m), &w, &h), 0);
        assert_int_equal(w, t[i].width);
        assert_int_equal(h, t[i].height);
        for (size_t n = 0; n < m.pos / 8; n++) /* cut anywhere */
            assert_int_equal(sl_h265_sps_size(m.b, n, &w, &h), -EBADMSG);
    }
}

static void refuses_what_cannot_be(void **state)
{
    static const struct field t[] = {
        { 0, 1, 20000, 720, { 0 } },         /* too wide */
        { 0, 1, 0, 720, { 0 } },             /* nothing */
        { 0, 1, 160, 90, { 40, 40, 0, 0 } }, /* nothing left */
    };
    uint16_t w = 7, h = 8;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct bits m = make(&t[i]);

        assert_int_equal(sl_h265_sps_size(m.b, bits_len(&m), &w, &h), -EBADMSG);
    }
    assert_int_equal(w, 7);
    assert_int_equal(h, 8);
}

/* As packets have it: alone, and with the others of a key frame. */
static void packets_tell_their_size(void **state)
{
    uint8_t ap[128] = { 48 << 1, 1, 0, 2, 32 << 1, 1, 0, sizeof(x265) };
    struct sl_payload_info info;

    (void)state;
    assert_int_equal(sl_payload_parse(SL_CODEC_H265, x265, sizeof(x265), &info), 0);
    assert_int_equal(info.width, 1920);
    memcpy(ap + 8, x265, sizeof(x265));
    assert_int_equal(sl_payload_parse(SL_CODEC_H265, ap, 8 + sizeof(x265), &info), 0);
    assert_true(info.key);
    assert_int_equal(info.height, 1080);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_an_encoder_writes),
        cmocka_unit_test(reads_all_that_may_stand_before_the_size),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(packets_tell_their_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
