#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_payload.h"
#include "rtp/rtp_red.h"
#include "rtp/rtp_rtx.h"

static struct sl_payload_info parse(enum sl_codec c, const uint8_t *p, size_t len)
{
    struct sl_payload_info i;

    assert_int_equal(sl_payload_parse(c, p, len, &i), 0);
    return i;
}
#define PARSE(c, ...)                                                                              \
    parse(SL_CODEC_##c, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static int refused(enum sl_codec c, const uint8_t *p, size_t len)
{
    struct sl_payload_info i;

    return sl_payload_parse(c, p, len, &i) == -EBADMSG;
}
#define REFUSED(c, ...)                                                                            \
    refused(SL_CODEC_##c, (const uint8_t[]){ __VA_ARGS__ },                                        \
            sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void vp8_descriptors_of_rfc_7741(void **state)
{
    struct sl_payload_info i;

    (void)state;
    /* section 4.6.1: key frame, S=1, 640x480, no extension */
    i = PARSE(VP8, 0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01);
    assert_true(i.key && i.start && !i.has_tid && i.pid_bits == 0);
    assert_int_equal(i.width, 640);
    assert_int_equal(i.height, 480);
    /* section 4.6.4: 15 bits of picture id, TL0PICIDX, TID and Y, interframe */
    i = PARSE(VP8, 0x90, 0xe0, 0x92, 0x34, 0x77, 0x60, 0x01);
    assert_true(i.start && !i.key && i.has_tid && i.sync && i.has_tl0);
    assert_int_equal(i.pid_bits, 15);
    assert_int_equal(i.pid, 0x1234);
    assert_int_equal(i.pid_off, 2);
    assert_int_equal(i.tl0, 0x77);
    assert_int_equal(i.tl0_off, 4);
    assert_int_equal(i.tid, 1);
    assert_int_equal(i.hdr_len, 6);
    /* 7 bits, KEYIDX alone, N, continuation of partition 1 */
    i = PARSE(VP8, 0xa1, 0x90, 0x05, 0x1f, 0x00);
    assert_true(!i.start && !i.key && i.discardable && i.has_keyidx && !i.has_tid);
    assert_int_equal(i.pid_bits, 7);
    assert_int_equal(i.pid, 5);
    assert_int_equal(i.keyidx, 31);
    assert_int_equal(i.keyidx_off, 3);
    /* partition 1 may begin with an even byte: not a key frame */
    i = PARSE(VP8, 0x11, 0x00, 0x00);
    assert_true(!i.start && !i.key);

    assert_true(REFUSED(VP8, 0x10));
    assert_true(REFUSED(VP8, 0x90, 0x80, 0x80));
    assert_true(REFUSED(VP8, 0x90, 0xe0, 0x92, 0x34, 0x77, 0x60));
}

static void vp9_descriptors_of_rfc_9628(void **state)
{
    struct sl_payload_info i;

    (void)state;
    /* I L B, non-flexible; key frame of the base layer with SS: 2 layers, sizes, 1 group entry */
    i = PARSE(VP9, 0xaa, 0x81, 0x02, 0x00, 0x2a, 0x38, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 1, 0x14,
              1, 0xff);
    assert_true(i.key && i.start && !i.end && i.has_ss && i.has_tl0 && !i.flexible);
    assert_int_equal(i.pid, 0x102);
    assert_int_equal(i.nspatial, 2);
    assert_int_equal(i.width, 640);
    assert_int_equal(i.height, 360);
    assert_int_equal(i.tl0, 0x2a);
    assert_int_equal(i.tl0_off, 4);
    assert_int_equal(i.hdr_len, 17);
    /* the upper spatial layer of the same key picture, whole layer frame in one packet */
    i = PARSE(VP9, 0xac, 0x81, 0x02, 0x03, 0x2a, 0xff);
    assert_true(!i.key && i.start && i.end && i.inter_layer);
    assert_int_equal(i.sid, 1);
    /* flexible, P, two references, TID 2 with U */
    i = PARSE(VP9, 0xf8, 0x05, 0x50, 0x03, 0x04, 0xff);
    assert_true(i.flexible && i.inter_pic && i.sync && !i.key && !i.has_tl0);
    assert_int_equal(i.pid_bits, 7);
    assert_int_equal(i.tid, 2);
    assert_int_equal(i.hdr_len, 5);
    /* no layers at all */
    i = PARSE(VP9, 0x8c, 0x01, 0xff);
    assert_true(i.key && !i.has_sid);

    assert_true(REFUSED(VP9, 0xf8, 0x05, 0x50, 0x03, 0x05, 0x07, 0x01, 0xff)); /* four references */
    assert_true(REFUSED(VP9, 0x02, 0xf8, 1, 2, 3));
    assert_true(REFUSED(VP9, 0x02, 0x08, 200, 0x04));
    assert_true(REFUSED(VP9, 0x8c, 0x01));
}

static void h264_packets_of_rfc_6184(void **state)
{
    (void)state;
    assert_true(PARSE(H264, 0x65, 1).key);
    assert_true(PARSE(H264, 0x67, 1).key);
    assert_false(PARSE(H264, 0x41, 1).key);
    assert_false(PARSE(H264, 0x68, 1).key);
    assert_true(PARSE(H264, 0x01, 1).discardable);
    /* STAP-A of SPS and PPS; of PPS alone */
    assert_true(PARSE(H264, 0x78, 0, 2, 0x67, 1, 0, 1, 0x68).key);
    assert_false(PARSE(H264, 0x78, 0, 1, 0x68).key);
    /* FU-A of an IDR: start, middle */
    assert_true(PARSE(H264, 0x7c, 0x85, 1).key);
    assert_false(PARSE(H264, 0x7c, 0x05, 1).key);
    assert_true(PARSE(H264, 0x7c, 0x45, 1).end);

    assert_true(REFUSED(H264, 0x78, 0, 9, 0x67));
    assert_true(REFUSED(H264, 0x78, 0, 0, 0x67));
    assert_true(REFUSED(H264, 0x7c, 0x85));
    assert_true(REFUSED(H264, 0x00, 1));
    assert_true(refused(SL_CODEC_H264, (const uint8_t *)"", 0));
}

static void h265_packets_of_rfc_7798(void **state)
{
    (void)state;
    assert_true(PARSE(H265, 19 << 1, 1, 0).key);
    assert_true(PARSE(H265, 33 << 1, 1, 0).key);
    assert_false(PARSE(H265, 1 << 1, 1, 0).key);
    assert_int_equal(PARSE(H265, 1 << 1, 3, 0).tid, 2);
    assert_true(PARSE(H265, 48 << 1, 1, 0, 2, 32 << 1, 1).key);
    assert_true(PARSE(H265, 49 << 1, 1, 0x80 | 20, 0).key);
    assert_false(PARSE(H265, 49 << 1, 1, 20, 0).key);

    assert_true(REFUSED(H265, 19 << 1, 0, 0));
    assert_true(REFUSED(H265, 19 << 1, 1));
    assert_true(REFUSED(H265, 48 << 1, 1, 0, 9, 1));
    assert_true(REFUSED(H265, 49 << 1, 1, 0x80));
}

static void av1_packets(void **state)
{
    struct sl_payload_info i;

    (void)state;
    /* N, W=2: sequence header (with length), frame */
    i = PARSE(AV1, 0x28, 0x02, 0x08, 0x00, 0x30, 0xff);
    assert_true(i.key && i.start && i.end);
    /* W=0: every element has a length; frame with an extension of T1 S2 */
    i = PARSE(AV1, 0x00, 0x03, 0x34, 0x30, 0xff);
    assert_true(!i.key && i.has_tid);
    assert_int_equal(i.tid, 1);
    assert_int_equal(i.sid, 2);
    /* continuation: the first bytes are no OBU header, even if they look like one */
    i = PARSE(AV1, 0x90, 0x08, 0x00);
    assert_true(!i.key && !i.start);

    assert_true(REFUSED(AV1, 0x88, 0x01));
    assert_true(REFUSED(AV1, 0x20, 0x05, 0x08));
    assert_true(REFUSED(AV1, 0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80));
    assert_true(REFUSED(AV1, 0x10));
}

static void audio_has_no_descriptor(void **state)
{
    struct sl_payload_info i = PARSE(OPUS, 1, 2, 3);

    (void)state;
    assert_false(i.key);
    assert_int_equal(i.hdr_len, 0);
    assert_int_equal(sl_payload_parse(SL_CODEC_OPUS, NULL, 0, &i), 0);
    assert_true(refused(SL_CODEC_MAX, (const uint8_t *)"a", 1));
}

static void cuts_of_any_descriptor_are_safe(void **state)
{
    static const uint8_t p[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct sl_payload_info i;

    (void)state;
    for (int c = 0; c < SL_CODEC_MAX; c++)
        for (size_t n = 0; n <= sizeof(p); n++)
            if (sl_payload_parse((enum sl_codec)c, p, n, &i) == 0)
                assert_true(i.hdr_len <= n);
}

static void rtx_gives_the_original_back(void **state)
{
    uint8_t orig[64], rtx[64];
    struct sl_rtp r, x;
    int n, m;

    (void)state;
    sl_rtp_write_header(orig, true, 96, 0xfffe, 1000, 7);
    orig[0] |= SL_RTP_EXT;
    memcpy(orig + 12, (const uint8_t[]){ 0xbe, 0xde, 0, 1, 0x40, '1', 0, 0 }, 8);
    memcpy(orig + 20, "payload", 7);
    assert_int_equal(sl_rtp_parse(orig, 27, &r), 0);
    n = sl_rtx_wrap(rtx, sizeof(rtx), orig, &r, 97, 8, 5);
    assert_int_equal(n, 29);
    assert_int_equal(sl_rtp_parse(rtx, (size_t)n, &x), 0);
    assert_int_equal(x.pt, 97);
    assert_int_equal(x.ssrc, 8);
    assert_int_equal(x.seq, 5);
    assert_true(x.marker);
    n = sl_rtp_pad(rtx, (size_t)n, sizeof(rtx), 4); /* padding is not handed on */
    assert_int_equal(sl_rtp_parse(rtx, (size_t)n, &x), 0);
    m = sl_rtx_unwrap(rtx, &x, 96, 7);
    assert_int_equal(m, 27);
    assert_memory_equal(rtx, orig, 27);
    assert_int_equal(sl_rtx_wrap(rtx, 28, orig, &r, 97, 8, 5), -EMSGSIZE);
}

static void rtx_without_payload_is_a_probe(void **state)
{
    static const struct {
        size_t payload;
        int want;
    } v[] = { { 0, -ENODATA }, { 1, -EBADMSG }, { 2, -ENODATA }, { 3, 13 } };
    uint8_t p[32] = { 0 };
    struct sl_rtp r;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        sl_rtp_write_header(p, false, 97, 1, 2, 3);
        assert_int_equal(sl_rtp_parse(p, 12 + v[i].payload, &r), 0);
        assert_int_equal(sl_rtx_unwrap(p, &r, 96, 7), v[i].want);
    }
}

static void red_blocks_of_rfc_2198(void **state)
{
    /* one redundant block of 3 bytes 960 ticks back, primary of 2 */
    static const uint8_t p[] = { 0x80 | 111, 960 >> 6, (960 & 0x3f) << 2, 3, 111, 1, 2, 3, 8, 9 };
    struct sl_red red;

    (void)state;
    assert_int_equal(sl_red_parse(p, sizeof(p), &red), 0);
    assert_int_equal(red.n, 2);
    assert_int_equal(red.block[0].pt, 111);
    assert_int_equal(red.block[0].ts_back, 960);
    assert_int_equal(red.block[0].off, 5);
    assert_int_equal(red.block[0].len, 3);
    assert_int_equal(red.block[1].pt, 111);
    assert_int_equal(red.block[1].off, 8);
    assert_int_equal(red.block[1].len, 2);
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(sl_red_parse(p, n, &red), -EBADMSG);
    {
        uint8_t many[64];

        memset(many, 0x80, sizeof(many));
        assert_int_equal(sl_red_parse(many, sizeof(many), &red), -EBADMSG);
    }
}

static void red_is_written_as_it_is_read(void **state)
{
    static const uint8_t want[] = {
        0x80 | 111, 960 >> 6, (960 & 0x3f) << 2, 3, 111, 1, 2, 3, 8, 9
    };
    static const uint8_t old[] = { 1, 2, 3 }, now[] = { 8, 9 };
    struct sl_red_part p[SL_RED_MAX + 1] = { { 111, 960, 3, old }, { 111, 0, 2, now } };
    uint8_t buf[32];

    (void)state;
    assert_int_equal(sl_red_write(p, 2, buf, sizeof(want)), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    assert_int_equal(sl_red_write(p, 2, buf, sizeof(want) - 1), -ENOBUFS);
    assert_int_equal(sl_red_write(p, 0, buf, sizeof(buf)), -EINVAL);
    assert_int_equal(sl_red_write(p, SL_RED_MAX + 1, buf, sizeof(buf)), -EINVAL);
    p[0].ts_back = SL_RED_BACK_MAX + 1;
    assert_int_equal(sl_red_write(p, 2, buf, sizeof(buf)), -EINVAL);
    p[0].ts_back = 960;
    p[0].len = SL_RED_LEN_MAX + 1;
    assert_int_equal(sl_red_write(p, 2, buf, sizeof(buf)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vp8_descriptors_of_rfc_7741),
        cmocka_unit_test(vp9_descriptors_of_rfc_9628),
        cmocka_unit_test(h264_packets_of_rfc_6184),
        cmocka_unit_test(h265_packets_of_rfc_7798),
        cmocka_unit_test(av1_packets),
        cmocka_unit_test(audio_has_no_descriptor),
        cmocka_unit_test(cuts_of_any_descriptor_are_safe),
        cmocka_unit_test(rtx_gives_the_original_back),
        cmocka_unit_test(rtx_without_payload_is_a_probe),
        cmocka_unit_test(red_blocks_of_rfc_2198),
        cmocka_unit_test(red_is_written_as_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
