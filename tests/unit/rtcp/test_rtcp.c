#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtcp/rtcp.h"
#include "rtcp/rtcp_ccfb.h"
#include "rtcp/rtcp_twcc.h"

static void sr_and_sdes_are_read_back(void **state)
{
    const struct sl_rtcp_sr sr = { 1, UINT64_C(0xe0000000deadbeef), 90000, 7, 8 };
    const struct sl_rtcp_rb rb[2] = {
        { 2, 255, -3, 0x10005, 6, 7, 8 },
        { 3, 0, 0x7fffff, 1, 2, 3, 4 },
    };
    struct sl_rtcp_sr s;
    struct sl_rtcp_rb b[31];
    char cname[SL_RTCP_CNAME_MAX + 1];
    uint8_t buf[256];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_it it;
    struct sl_rtcp_pkt p;
    uint32_t ssrc;

    (void)state;
    sl_rtcp_sr_write(&w, &sr, rb, 2);
    sl_rtcp_sdes_write(&w, 1, "janus");
    sl_rtcp_bye_write(&w, (const uint32_t[]){ 1, 9 }, 2);
    assert_false(w.failed);
    assert_int_equal(sl_writer_len(&w) % 4, 0);
    it = sl_rtcp_begin(buf, sl_writer_len(&w));
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(p.pt, SL_RTCP_SR);
    assert_int_equal(sl_rtcp_sr_parse(&p, &s, b, 31), 2);
    assert_true(s.ssrc == sr.ssrc && s.ntp == sr.ntp && s.rtp_ts == sr.rtp_ts &&
                s.packets == sr.packets && s.octets == sr.octets);
    for (int i = 0; i < 2; i++)
        assert_true(b[i].ssrc == rb[i].ssrc && b[i].fraction == rb[i].fraction &&
                    b[i].lost == rb[i].lost && b[i].ext_seq == rb[i].ext_seq &&
                    b[i].jitter == rb[i].jitter && b[i].lsr == rb[i].lsr &&
                    b[i].dlsr == rb[i].dlsr);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_sdes_parse(&p, &ssrc, cname), 0);
    assert_int_equal(ssrc, 1);
    assert_string_equal(cname, "janus");
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_bye_parse(&p, (uint32_t[2]){ 0 }, 2), 2);
    assert_int_equal(sl_rtcp_next(&it, &p), 0);
}

static void feedback_is_read_back(void **state)
{
    static const uint16_t seqs[] = { 65530, 65531, 10, 11, 27, 500 };
    const struct sl_rtcp_fir fir[2] = { { 5, 1 }, { 6, 255 } };
    uint16_t got[64];
    struct sl_rtcp_fir gotfir[4];
    uint32_t ssrc[4], sender;
    uint64_t bps;
    uint8_t buf[256];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_it it;
    struct sl_rtcp_pkt p;
    struct sl_rtcp_fb fb;

    (void)state;
    sl_rtcp_rr_write(&w, 1, NULL, 0);
    sl_rtcp_nack_write(&w, 1, 2, seqs, 6);
    sl_rtcp_pli_write(&w, 1, 2);
    sl_rtcp_fir_write(&w, 1, fir, 2);
    sl_rtcp_remb_write(&w, 1, 2500000, (const uint32_t[]){ 2, 3 }, 2);
    it = sl_rtcp_begin(buf, sl_writer_len(&w));
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_rr_parse(&p, &sender, NULL, 0), 0);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(p.len, 8 + 4 * 3); /* 65530 with 65531 and 10 (16 further), 11 with 27, 500 */
    assert_int_equal(sl_rtcp_nack_parse(&p, &fb, got, 64), 6);
    assert_memory_equal(got, seqs, sizeof(seqs));
    assert_int_equal(sl_rtcp_nack_parse(&p, &fb, got, 3), 3);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_true(p.pt == SL_RTCP_PSFB && p.fmt == SL_PSFB_PLI);
    assert_int_equal(sl_rtcp_fb_parse(&p, &fb), 0);
    assert_int_equal(fb.media, 2);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_fir_parse(&p, &fb, gotfir, 4), 2);
    assert_int_equal(gotfir[1].ssrc, 6);
    assert_int_equal(gotfir[1].seq, 255);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_remb_parse(&p, &sender, &bps, ssrc, 4), 2);
    assert_true(bps <= 2500000 && bps > 2499980);
    assert_int_equal(ssrc[1], 3);
    assert_int_equal(sl_rtcp_next(&it, &p), 0);
}

static void remb_rates(void **state)
{
    static const uint64_t v[] = {
        0, 1, 0x3ffff, 0x40000, 128000, UINT64_C(10000000000), UINT64_MAX
    };
    uint8_t buf[64];
    uint64_t bps;
    uint32_t sender;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));
        struct sl_rtcp_it it;
        struct sl_rtcp_pkt p;

        sl_rtcp_remb_write(&w, 1, v[i], NULL, 0);
        it = sl_rtcp_begin(buf, sl_writer_len(&w));
        assert_int_equal(sl_rtcp_next(&it, &p), 1);
        assert_int_equal(sl_rtcp_remb_parse(&p, &sender, &bps, NULL, 0), 0);
        assert_true(bps <= v[i] && v[i] - bps <= v[i] >> 17);
        p.body = (const uint8_t *)"\0\0\0\1\0\0\0\0XXXX\0\0\0\0";
        assert_int_equal(sl_rtcp_remb_parse(&p, &sender, &bps, NULL, 0), -ENOENT);
    }
}

static void bad_compounds_are_refused(void **state)
{
    static const struct {
        uint8_t b[12];
        size_t len;
        int want;
    } v[] = {
        { { 0x80, 201, 0, 1, 0, 0, 0, 1 }, 8, 1 },
        { { 0x80, 201, 0, 2, 0, 0, 0, 1 }, 8, -EBADMSG },
        { { 0x40, 201, 0, 1, 0, 0, 0, 1 }, 8, -EBADMSG },
        { { 0x80, 96, 0, 1, 0, 0, 0, 1 }, 8, -EBADMSG },
        { { 0xa0, 201, 0, 1, 0, 0, 0, 0 }, 8, -EBADMSG }, /* padding of 0 */
        { { 0xa0, 201, 0, 1, 0, 0, 0, 5 }, 8, -EBADMSG }, /* padding of more than there is */
        { { 0x80, 201, 0 }, 3, -EBADMSG },
        { { 0 }, 0, 0 },
    };
    struct sl_rtcp_pkt p;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(v[i].b, v[i].len);

        assert_int_equal(sl_rtcp_next(&it, &p), v[i].want);
    }
}

static void counts_that_lie_are_refused(void **state)
{
    static const uint8_t body[16] = { 0, 0, 0, 1 };
    struct sl_rtcp_pkt p = { SL_RTCP_RR, 31, body, sizeof(body) };
    struct sl_rtcp_sr sr;
    struct sl_rtcp_rb rb[31];
    uint32_t ssrc[31];
    char cname[SL_RTCP_CNAME_MAX + 1];

    (void)state;
    assert_int_equal(sl_rtcp_rr_parse(&p, ssrc, rb, 31), -EBADMSG);
    assert_int_equal(sl_rtcp_sr_parse(&p, &sr, rb, 31), -EBADMSG);
    assert_int_equal(sl_rtcp_bye_parse(&p, ssrc, 31), -EBADMSG);
    assert_int_equal(sl_rtcp_sdes_parse(&p, ssrc, cname), -EBADMSG);
    p.body = (const uint8_t *)"\0\0\0\1\1\xff"
                              "abcdefgh";
    p.len = 12;
    p.fmt = 1;
    assert_int_equal(sl_rtcp_sdes_parse(&p, ssrc, cname), -EBADMSG);
}

static void a_full_buffer_leaves_whole_packets(void **state)
{
    uint8_t buf[24];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_it it;
    struct sl_rtcp_pkt p;

    (void)state;
    sl_rtcp_pli_write(&w, 1, 2);
    sl_rtcp_sdes_write(&w, 1, "a name that does not fit");
    assert_true(w.failed);
    assert_int_equal(sl_writer_len(&w), 12);
    it = sl_rtcp_begin(buf, 12);
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_next(&it, &p), 0);
}

/* ---- transport-cc ---- */

static void begin(const uint8_t *buf, size_t len, struct sl_twcc_it *it)
{
    struct sl_rtcp_it c = sl_rtcp_begin(buf, len);
    struct sl_rtcp_pkt p;

    assert_int_equal(sl_rtcp_next(&c, &p), 1);
    assert_int_equal(sl_twcc_begin(&p, it), 0);
}

static void twcc_is_read_back(void **state)
{
    uint32_t x = 7;

    (void)state;
    for (int round = 0; round < 500; round++) {
        struct sl_twcc_rec rec[200];
        uint8_t buf[1200];
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));
        struct sl_twcc_it it;
        struct sl_twcc_status s;
        uint64_t seq = 65500 + x % 100, at = UINT64_C(1000000000) * (1 + round % 3);
        uint64_t base = seq - x % 5;
        size_t n = 1 + x % 200, done, k = 0;

        for (size_t i = 0; i < n; i++) {
            x = x * 1664525 + 1013904223;
            rec[i] = (struct sl_twcc_rec){ seq, at };
            seq += 1 + ((x >> 20) % 8 == 0 ? x >> 28 : 0);
            at += (x >> 8) % (round % 2 ? 2000 : 200000);
            at -= (x >> 24) % 3 == 0 ? 500 : 0;
        }
        done = sl_twcc_write(&w, 1, 2, (uint8_t)round, base, rec, n);
        assert_true(done > 0 && done <= n);
        begin(buf, sl_writer_len(&w), &it);
        assert_int_equal(it.fb_count, (uint8_t)round);
        assert_int_equal(it.base, (uint16_t)base);
        assert_true(it.count <= SL_TWCC_MAX);
        while (sl_twcc_next(&it, &s)) {
            if (!s.received)
                continue;
            assert_int_equal(s.seq, (uint16_t)rec[k].seq);
            assert_in_range(llabs(s.arrival_us - (int64_t)rec[k].arrival_us), 0, 250);
            k++;
        }
        assert_int_equal(k, done);
    }
}

static void twcc_chunks_of_the_draft(void **state)
{
    /* run of 3 small, one-bit vector (lost, received), two-bit vector (large, lost, small) */
    static const uint8_t b[] = {
        0x8f, 205, 0,    8, 0,    0, 0,    1, 0, 0, 0, 2, 0,    10,   0, 3 + 14 + 3, 0, 0,
        1,    9,   0x20, 3, 0x88, 0, 0xe1, 0, 4, 8, 0, 4, 0xff, 0xfc, 0, 0,          0, 0,
    };
    static const int64_t want[20] = { 65000, 67000, 67000, -1, -1, 68000, -1, -1,    -1, -1,
                                      -1,    -1,    -1,    -1, -1, -1,    -1, 67000, -1, 67000 };
    struct sl_twcc_it it;
    struct sl_twcc_status s;
    int i = 0;

    (void)state;
    begin(b, sizeof(b), &it);
    for (; sl_twcc_next(&it, &s); i++) {
        assert_int_equal(s.seq, 10 + i);
        assert_int_equal(s.received, want[i] >= 0);
        if (s.received)
            assert_int_equal(s.arrival_us, want[i]);
    }
    assert_int_equal(i, 20);
}

static void twcc_messages_that_lie_are_refused(void **state)
{
    static const struct {
        uint8_t count, c0, c1;
        size_t deltas;
        int want;
    } v[] = {
        { 3, 0x20, 3, 3, 0 },        { 3, 0x20, 3, 2, -EBADMSG }, { 3, 0x40, 3, 6, 0 },
        { 3, 0x40, 3, 5, -EBADMSG }, { 9, 0x20, 3, 3, -EBADMSG }, { 3, 0x00, 0, 3, -EBADMSG },
        { 0, 0x20, 3, 3, -EBADMSG }, { 1, 0x20, 200, 1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint8_t b[32] = {
            0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, v[i].count, 0, 0, 1, 0, v[i].c0, v[i].c1
        };
        struct sl_rtcp_pkt p = { SL_RTCP_RTPFB, SL_RTPFB_TWCC, b, 18 + v[i].deltas };
        struct sl_twcc_it it;

        assert_int_equal(sl_twcc_begin(&p, &it), v[i].want);
    }
}

static void recorder_tells_each_arrival(void **state)
{
    static uint8_t seen[4096];
    struct sl_twcc_rx rx;
    uint64_t now = 1000000;
    uint16_t seq = 65000;
    uint32_t x = 3;
    size_t sent = 0;

    (void)state;
    memset(seen, 0, sizeof(seen));
    sl_twcc_rx_init(&rx, 100000);
    assert_true(sl_twcc_rx_due_us(&rx) == UINT64_MAX);
    for (int i = 0; i < 3000; i++, now += 1000) {
        x = x * 1664525 + 1013904223;
        if (x >> 29 != 0) { /* one in eight is lost */
            sl_twcc_rx_add(&rx, (uint16_t)(seq + i), now);
            sent++;
            seen[i] = 1;
        }
        if (sl_twcc_rx_due_us(&rx) <= now || i == 2999) {
            uint8_t buf[1200];
            struct sl_writer w = sl_writer_make(buf, sizeof(buf));

            while (sl_twcc_rx_write(&rx, &w, 1, 2, now)) {
                struct sl_twcc_it it;
                struct sl_twcc_status s;

                begin(buf, sl_writer_len(&w), &it);
                while (sl_twcc_next(&it, &s)) {
                    uint16_t k = (uint16_t)(s.seq - seq);

                    assert_true(seen[k] == (s.received ? 1 : 0));
                    seen[k] = 2; /* told once */
                }
                w = sl_writer_make(buf, sizeof(buf));
            }
            assert_true(sl_twcc_rx_due_us(&rx) == UINT64_MAX);
        }
    }
    for (int i = 0; i < 2990; i++)
        assert_int_equal(seen[i], 2);
    assert_int_equal(rx.dup, 0);
    sl_twcc_rx_add(&rx, (uint16_t)(seq + 1), now);
    assert_int_equal(rx.dup, 1);
}

static void a_late_packet_is_told_again(void **state)
{
    struct sl_twcc_rx rx;
    uint8_t buf[1200];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_twcc_it it;
    struct sl_twcc_status s;

    (void)state;
    sl_twcc_rx_init(&rx, 100000);
    sl_twcc_rx_add(&rx, 1, 1000);
    sl_twcc_rx_add(&rx, 3, 1100);
    assert_true(sl_twcc_rx_write(&rx, &w, 1, 2, 2000));
    sl_twcc_rx_add(&rx, 2, 3000);
    assert_int_equal(sl_twcc_rx_due_us(&rx), 102000);
    w = sl_writer_make(buf, sizeof(buf));
    assert_true(sl_twcc_rx_write(&rx, &w, 1, 2, 102000));
    begin(buf, sl_writer_len(&w), &it);
    assert_true(sl_twcc_next(&it, &s));
    assert_int_equal(s.seq, 2);
    assert_true(s.received);
    assert_int_equal(it.fb_count, 1);
}

/* ---- RFC 8888 -------------------------------------------------------------------------------- */

static int ccfb_of(const uint8_t *buf, size_t len, struct sl_ccfb_it *it)
{
    struct sl_rtcp_it c = sl_rtcp_begin(buf, len);
    struct sl_rtcp_pkt p;

    assert_int_equal(sl_rtcp_next(&c, &p), 1);
    return sl_ccfb_begin(&p, it);
}

static void ccfb_is_laid_out_as_the_rfc_draws_it(void **state)
{
    static const uint8_t b[] = {
        0x8b, 205,  0,    9,    0,    0,    0, 1, /* header, sender */
        0xaa, 0xbb, 0xcc, 0xdd, 0xff, 0xff, 0, 3, /* three from 65535 on */
        0x80, 0x00, 0x00, 0x00, 0xbf, 0xfd, 0, 0, /* now; lost; ECT(1), 8 s ago; padding */
        0x11, 0x22, 0x33, 0x44, 0,    7,    0, 2, /* two */
        0x9f, 0xff, 0x9f, 0xfe,                   /* at no known time, too long ago */
        0,    2,    0x80, 0,                      /* at 2.5 s */
    };
    static const struct {
        uint32_t ssrc;
        uint16_t seq;
        bool arrived, has_time;
        int64_t us;
    } want[] = {
        { 0xaabbccdd, 65535, true, true, 2500000 },
        { 0xaabbccdd, 0, false, false, 0 },
        { 0xaabbccdd, 1, true, true, 2500000 - INT64_C(8189) * 1000000 / 1024 },
        { 0x11223344, 7, true, false, 0 },
        { 0x11223344, 8, true, false, 0 },
    };
    struct sl_ccfb_status s;
    struct sl_ccfb_it it;

    (void)state;
    assert_int_equal(ccfb_of(b, sizeof(b), &it), 0);
    assert_int_equal(it.sender, 1);
    for (size_t i = 0; i < TEST_COUNT(want); i++) {
        assert_true(sl_ccfb_next(&it, &s));
        assert_int_equal(s.ssrc, want[i].ssrc);
        assert_int_equal(s.seq, want[i].seq);
        assert_int_equal(s.arrived, want[i].arrived);
        assert_int_equal(s.has_time, want[i].has_time);
        assert_true(s.arrival_us - want[i].us <= 1 && want[i].us - s.arrival_us <= 1);
    }
    assert_false(sl_ccfb_next(&it, &s));
}

static void ccfb_that_lies_is_refused(void **state)
{
    uint8_t b[] = { 0x8b, 205, 0, 5, 0,    0, 0,    1, 1, 2, 3, 4,
                    0,    7,   0, 2, 0x80, 0, 0x80, 0, 0, 2, 0, 0 };
    struct sl_ccfb_it it;

    (void)state;
    assert_int_equal(ccfb_of(b, sizeof(b), &it), 0);
    for (unsigned int n = 3; n < 65536; n++) { /* more than there is */
        sl_put16(b + 14, (uint16_t)n);
        assert_int_equal(ccfb_of(b, sizeof(b), &it), -EBADMSG);
    }
    sl_put16(b + 14, 0); /* the timestamp would be half a stream */
    assert_int_equal(ccfb_of(b, sizeof(b), &it), -EBADMSG);
    b[3] = 1;
    assert_int_equal(ccfb_of(b, 8, &it), -EBADMSG);
}

static void ccfb_reports_tell_each_arrival(void **state)
{
    struct sl_ccfb_rx *rx = calloc(1, sizeof(*rx));
    uint64_t now_us = 50000000, told[2] = { 0 }, lost[2] = { 0 };
    uint32_t x = 5;

    (void)state;
    assert_non_null(rx);
    sl_ccfb_rx_init(rx, 100000);
    assert_true(sl_ccfb_rx_due_us(rx) == UINT64_MAX);
    for (uint16_t i = 0; i < 2000; i++, now_us += 1000) {
        x = x * 1103515245 + 12345;
        if (x >> 30)
            sl_ccfb_rx_add(rx, 0x100 + (i & 1), (uint16_t)(65000 + i / 2), now_us);
        while (sl_ccfb_rx_due_us(rx) <= now_us || (i == 1999 && rx->pending)) {
            uint8_t buf[120]; /* not all fits at once */
            struct sl_writer w = sl_writer_make(buf, sizeof(buf));
            struct sl_ccfb_status s;
            struct sl_ccfb_it it;

            (void)sl_ccfb_rx_write(rx, &w, 9, now_us);
            assert_int_equal(ccfb_of(buf, sl_writer_len(&w), &it), 0);
            while (sl_ccfb_next(&it, &s)) {
                told[s.ssrc & 1] += s.arrived;
                lost[s.ssrc & 1] += !s.arrived;
                if (s.arrived) {
                    int64_t at_us =
                        50000000 + (uint16_t)(s.seq - 65000) * 2000 + (s.ssrc & 1) * 1000;

                    assert_in_range(s.arrival_us + 1100 - at_us, 0, 2200);
                }
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_in_range(told[i], 700, 800);
        assert_in_range(told[i] + lost[i], 990, 1000);
    }
    assert_true(sl_ccfb_rx_due_us(rx) == UINT64_MAX);
    /* One that was told as lost comes: it is told again. Numbers never seen push out the oldest. */
    sl_ccfb_rx_add(rx, 0x100, (uint16_t)(65000 + 999 - 100), now_us);
    for (uint32_t i = 0; i < 100; i++)
        sl_ccfb_rx_add(rx, 0x5000 + i, (uint16_t)i, now_us);
    assert_in_range(rx->pending, 1, 101);
    while (rx->pending) {
        uint8_t buf[1200];
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));

        (void)sl_ccfb_rx_write(rx, &w, 9, now_us);
        assert_true(sl_writer_len(&w) > SL_CCFB_FIXED);
    }
    free(rx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sr_and_sdes_are_read_back),
        cmocka_unit_test(feedback_is_read_back),
        cmocka_unit_test(remb_rates),
        cmocka_unit_test(bad_compounds_are_refused),
        cmocka_unit_test(counts_that_lie_are_refused),
        cmocka_unit_test(a_full_buffer_leaves_whole_packets),
        cmocka_unit_test(twcc_is_read_back),
        cmocka_unit_test(twcc_chunks_of_the_draft),
        cmocka_unit_test(twcc_messages_that_lie_are_refused),
        cmocka_unit_test(recorder_tells_each_arrival),
        cmocka_unit_test(a_late_packet_is_told_again),
        cmocka_unit_test(ccfb_is_laid_out_as_the_rfc_draws_it),
        cmocka_unit_test(ccfb_that_lies_is_refused),
        cmocka_unit_test(ccfb_reports_tell_each_arrival),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
