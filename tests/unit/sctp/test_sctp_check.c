#include "base/bytes.h"
#include "sctp/sctp_check.h"
#include "../test_cmocka.h"
#include <errno.h>
#include <string.h>

/* Chunks, each behind a common header with verification tag 1 (INIT: 0). */
static const struct {
    const char *what;
    uint8_t chunk[64];
    size_t len; /* on the wire, with padding */
    int want;
} vectors[] = {
    { "DATA", { 0, 3, 0, 17, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 51, 'x' }, 20, 0 },
    { "DATA, empty", { 0, 3, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 51 }, 16, -EBADMSG },
    { "DATA, length beyond", { 0, 3, 0, 40, 0, 0, 0, 1 }, 20, -EBADMSG },
    { "length below the header", { 0, 3, 0, 3 }, 4, -EBADMSG },
    { "INIT", { 1, 0, 0, 20, 1, 2, 3, 4, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1 }, 20, 0 },
    { "INIT, tag 0",
      { 1, 0, 0, 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1 },
      20,
      -EBADMSG },
    { "INIT, no streams",
      { 1, 0, 0, 20, 1, 2, 3, 4, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1 },
      20,
      -EBADMSG },
    { "INIT, a parameter",
      { 1, 0, 0, 26, 1, 2, 3, 4, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1, 0x80, 8, 0, 6, 0x82, 0xc0 },
      28,
      0 },
    { "INIT, a parameter too long",
      { 1, 0, 0, 26, 1, 2, 3, 4, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1, 0x80, 8, 0, 7, 0x82, 0xc0 },
      28,
      -EBADMSG },
    { "INIT, a parameter of no length",
      { 1, 0, 0, 24, 1, 2, 3, 4, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1, 0x80, 8, 0, 0 },
      24,
      -EBADMSG },
    { "SACK", { 3, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3 }, 20, 0 },
    { "SACK, gaps that are not there",
      { 3, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0 },
      16,
      -EBADMSG },
    { "SACK, a gap that ends before it starts",
      { 3, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 2 },
      20,
      -EBADMSG },
    { "HEARTBEAT", { 4, 0, 0, 12, 0, 1, 0, 8, 1, 2, 3, 4 }, 12, 0 },
    { "ABORT", { 6, 0, 0, 4 }, 4, 0 },
    { "COOKIE ECHO", { 10, 0, 0, 8, 1, 2, 3, 4 }, 8, 0 },
    { "COOKIE ECHO, empty", { 10, 0, 0, 4 }, 4, -EBADMSG },
    { "COOKIE ACK", { 11, 0, 0, 4 }, 4, 0 },
    { "RE-CONFIG, outgoing reset",
      { 0x82, 0, 0, 22, 0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 5 },
      24,
      0 },
    { "RE-CONFIG, too short for what it is",
      { 0x82, 0, 0, 12, 0, 13, 0, 8, 0, 0, 0, 1 },
      12,
      -EBADMSG },
    { "RE-CONFIG, make us have more streams",
      { 0x82, 0, 0, 16, 0, 18, 0, 12, 0, 0, 0, 1, 0, 9, 0, 0 },
      16,
      -EBADMSG },
    { "FORWARD-TSN", { 0xc0, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 2 }, 12, 0 },
    { "ECNE", { 12, 0, 0, 8, 0, 0, 0, 1 }, 8, -EBADMSG },
    { "AUTH", { 15, 0, 0, 8, 0, 0, 0, 1 }, 8, -EBADMSG },
    { "NR-SACK", { 16, 0, 0, 20, 0 }, 20, -EBADMSG },
    { "I-DATA", { 0x40, 0, 0, 24, 0 }, 24, -EBADMSG },
    { "ASCONF", { 0xc1, 0, 0, 8, 0, 0, 0, 1 }, 8, -EBADMSG },
    { "PKTDROP", { 0x81, 0, 0, 16, 0 }, 16, -EBADMSG },
    { "not padded", { 10, 0, 0, 6, 1, 2 }, 6, -EBADMSG },
};

static size_t packet(uint8_t *out, const uint8_t *chunk, size_t len)
{
    memset(out, 0, 12);
    sl_put16(out, 5000);
    sl_put16(out + 2, 5000);
    sl_put32(out + 4, chunk[0] != 1);
    memcpy(out + 12, chunk, len);
    return 12 + len;
}

static void each_chunk_is_judged(void **state)
{
    uint8_t buf[128];

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(vectors); i++) {
        size_t len = packet(buf, vectors[i].chunk, vectors[i].len);
        int got = sl_sctp_check(buf, len);

        if (got != vectors[i].want)
            fail_msg("%s: %d", vectors[i].what, got);
    }
}

static void a_packet_cut_off_is_refused(void **state)
{
    uint8_t buf[128];

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(vectors); i++) {
        size_t len = packet(buf, vectors[i].chunk, vectors[i].len);

        while (len-- > 0)
            assert_int_equal(sl_sctp_check(buf, len), -EBADMSG);
    }
}

static void the_common_header_is_judged(void **state)
{
    static const uint8_t ack[] = { 11, 0, 0, 4 };
    static uint8_t big[SL_SCTP_PACKET_MAX + 4];
    uint8_t buf[16];

    (void)state;
    assert_int_equal(sl_sctp_check(buf, packet(buf, ack, 4)), 0);
    sl_put32(buf + 4, 0); /* no verification tag */
    assert_int_equal(sl_sctp_check(buf, 16), -EBADMSG);
    (void)packet(buf, ack, 4);
    sl_put16(buf, 0);
    assert_int_equal(sl_sctp_check(buf, 16), -EBADMSG);
    (void)packet(buf, ack, 4);
    sl_put16(buf + 2, 0);
    assert_int_equal(sl_sctp_check(buf, 16), -EBADMSG);
    (void)packet(big, ack, 4);
    sl_put16(big + 14, (uint16_t)(sizeof(big) - 12));
    big[12] = 0x84;
    assert_int_equal(sl_sctp_check(big, sizeof(big)), -EBADMSG);
    sl_put16(big + 14, (uint16_t)(sizeof(big) - 16));
    assert_int_equal(sl_sctp_check(big, sizeof(big) - 4), 0);
}

static void init_stands_alone(void **state)
{
    static const uint8_t init[] = { 1, 0, 0, 20, 1, 2, 3, 4, 0,  1, 0, 0,
                                    0, 9, 0, 9,  0, 0, 0, 1, 11, 0, 0, 4 };
    uint8_t buf[64];

    (void)state;
    assert_int_equal(sl_sctp_check(buf, packet(buf, init, 20)), 0);
    assert_int_equal(sl_sctp_check(buf, packet(buf, init, 24)), -EBADMSG);
    sl_put32(buf + 4, 1); /* and has no tag */
    assert_int_equal(sl_sctp_check(buf, 32), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chunk_is_judged),
        cmocka_unit_test(a_packet_cut_off_is_refused),
        cmocka_unit_test(the_common_header_is_judged),
        cmocka_unit_test(init_stands_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
