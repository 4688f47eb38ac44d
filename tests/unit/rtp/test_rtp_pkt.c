#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <string.h>

#include "rtp/rtp_pkt.h"

static void first_byte_tells_the_protocol(void **state)
{
    static const struct {
        uint8_t b0, b1;
        size_t len;
        enum sl_demux want;
    } v[] = {
        { 0, 1, 20, SL_DEMUX_STUN },         { 3, 0, 20, SL_DEMUX_STUN },
        { 0, 1, 19, SL_DEMUX_UNKNOWN },      { 4, 0, 40, SL_DEMUX_UNKNOWN },
        { 19, 0, 40, SL_DEMUX_UNKNOWN },     { 20, 254, 13, SL_DEMUX_DTLS },
        { 63, 254, 13, SL_DEMUX_DTLS },      { 22, 254, 12, SL_DEMUX_UNKNOWN },
        { 64, 0, 4, SL_DEMUX_TURN_CHANNEL }, { 79, 0, 4, SL_DEMUX_TURN_CHANNEL },
        { 80, 0, 40, SL_DEMUX_UNKNOWN },     { 127, 0, 40, SL_DEMUX_UNKNOWN },
        { 128, 96, 12, SL_DEMUX_RTP },       { 191, 111, 12, SL_DEMUX_RTP },
        { 128, 96, 11, SL_DEMUX_UNKNOWN },   { 128, 0x80 | 96, 12, SL_DEMUX_RTP },
        { 128, 191, 12, SL_DEMUX_RTP },      { 128, 192, 8, SL_DEMUX_RTCP },
        { 128, 200, 8, SL_DEMUX_RTCP },      { 129, 206, 12, SL_DEMUX_RTCP },
        { 128, 223, 8, SL_DEMUX_RTCP },      { 128, 224, 12, SL_DEMUX_RTP },
        { 128, 200, 7, SL_DEMUX_UNKNOWN },   { 192, 0, 40, SL_DEMUX_UNKNOWN },
    };
    uint8_t buf[40] = { 0 };

    (void)state;
    assert_int_equal(sl_demux(buf, 0), SL_DEMUX_UNKNOWN);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        buf[0] = v[i].b0;
        buf[1] = v[i].b1;
        assert_int_equal(sl_demux(buf, v[i].len), v[i].want);
    }
}

/* Version 2, padding, extension, two CSRCs, marker. */
static const uint8_t full[] = {
    0xb2, 0xe0, 0x12, 0x34, 0,    0,    0x10, 0, 0xca, 0xfe, 0xba, 0xbe, /* fixed */
    0,    0,    0,    1,    0,    0,    0,    2,                         /* CSRC */
    0xbe, 0xde, 0,    1,    0x10, 0x7f, 0,    0,                         /* extension */
    'a',  'b',  'c',  0,    0,    3,                                     /* payload, padding */
};

static void all_parts_are_found(void **state)
{
    struct sl_rtp r;

    (void)state;
    assert_int_equal(sl_rtp_parse(full, sizeof(full), &r), 0);
    assert_int_equal(r.seq, 0x1234);
    assert_int_equal(r.ts, 0x1000);
    assert_int_equal(r.ssrc, 0xcafebabe);
    assert_int_equal(r.pt, 96);
    assert_true(r.marker);
    assert_int_equal(r.csrc_count, 2);
    assert_true(r.has_ext);
    assert_int_equal(r.ext_profile, 0xbede);
    assert_int_equal(r.ext_off, 24);
    assert_int_equal(r.ext_len, 4);
    assert_int_equal(r.payload_off, 28);
    assert_int_equal(r.payload_len, 3);
    assert_int_equal(r.pad_len, 3);
    assert_memory_equal(full + r.payload_off, "abc", 3);

    assert_int_equal(sl_rtp_parse_header(full, sizeof(full), &r), 0);
    assert_int_equal(r.payload_len, 6);
    assert_int_equal(r.pad_len, 0);
}

static void every_cut_is_refused_or_stays_inside(void **state)
{
    struct sl_rtp r;

    (void)state;
    for (size_t n = 0; n < sizeof(full); n++) {
        uint8_t copy[sizeof(full)];

        memcpy(copy, full, n);
        if (n < 28)
            assert_int_equal(sl_rtp_parse(copy, n, &r), -EBADMSG);
        else if (sl_rtp_parse(copy, n, &r) == 0)
            assert_true(r.payload_off + r.payload_len + r.pad_len <= (int)n);
    }
}

static void padding_must_fit(void **state)
{
    uint8_t p[16] = { 0xa0, 96 };
    struct sl_rtp r;

    (void)state;
    p[15] = 0;
    assert_int_equal(sl_rtp_parse(p, 16, &r), -EBADMSG);
    p[15] = 5;
    assert_int_equal(sl_rtp_parse(p, 16, &r), -EBADMSG);
    p[15] = 4; /* padding only: a probe */
    assert_int_equal(sl_rtp_parse(p, 16, &r), 0);
    assert_int_equal(r.payload_len, 0);
    assert_int_equal(r.pad_len, 4);
    assert_int_equal(sl_rtp_parse(p, 12, &r), -EBADMSG);
    p[0] = 0x40;
    assert_int_equal(sl_rtp_parse(p, 16, &r), -EBADMSG);
}

static void what_is_written_is_read_back(void **state)
{
    uint8_t p[40];
    struct sl_rtp r;
    int n;

    (void)state;
    sl_rtp_write_header(p, true, 111, 0xfffe, 0x80000001, 42);
    memcpy(p + SL_RTP_HDR, "xyz", 3);
    n = sl_rtp_pad(p, SL_RTP_HDR + 3, sizeof(p), 9);
    assert_int_equal(n, 24);
    assert_int_equal(sl_rtp_parse(p, (size_t)n, &r), 0);
    assert_true(r.marker);
    assert_int_equal(r.pt, 111);
    assert_int_equal(r.seq, 0xfffe);
    assert_int_equal(r.ts, 0x80000001);
    assert_int_equal(r.ssrc, 42);
    assert_int_equal(r.payload_len, 3);
    assert_int_equal(r.pad_len, 9);
    assert_int_equal(sl_rtp_pad(p, 30, sizeof(p), 11), -EMSGSIZE);
    assert_int_equal(sl_rtp_pad(p, 30, sizeof(p), 0), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_byte_tells_the_protocol),
        cmocka_unit_test(all_parts_are_found),
        cmocka_unit_test(every_cut_is_refused_or_stays_inside),
        cmocka_unit_test(padding_must_fit),
        cmocka_unit_test(what_is_written_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
