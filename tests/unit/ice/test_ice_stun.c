#include "tests/unit/test_cmocka.h"

#include "ice/ice_stun.h"
#include "stun_raw.h"
#include <arpa/inet.h>
#include <errno.h>

/* RFC 5769 section 2.1: sample request. */
static const uint8_t rfc5769_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};
/* Section 2.2: sample IPv4 response, which answers the request above. */
static const uint8_t rfc5769_response4[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};
/* Section 2.3: sample IPv6 response. */
static const uint8_t rfc5769_response6[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
    0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14,
    0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
    0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};
static const char rfc5769_pwd[] = "VOkJxbRl1RmTxUk/WvJxBt";

static const char *password_of(void *arg, const char *username, size_t len)
{
    const char *want = arg;

    return len == strlen(want) && memcmp(username, want, len) == 0 ? rfc5769_pwd : NULL;
}

static enum sl_stun_result read_raw(struct sl_stun *s, const struct raw *r,
                                    struct sl_stun_check *out)
{
    return sl_stun_read(s, r->b, r->n, password_of, (void *)(uintptr_t) "us:them", out);
}

static int setup(void **state)
{
    return sl_stun_create((struct sl_stun **)state);
}

static int teardown(void **state)
{
    sl_stun_destroy(*state);
    return 0;
}

static void reads_the_request_of_rfc5769(void **state)
{
    struct sl_stun_check c;

    assert_int_equal(sl_stun_read(*state, rfc5769_request, sizeof(rfc5769_request), password_of,
                                  (void *)(uintptr_t) "evtj:h6vY", &c),
                     SL_STUN_OK);
    assert_int_equal(c.priority, 0x6e0001ff);
    assert_int_equal(c.role, SL_STUN_CONTROLLED);
    assert_true(c.tie == 0x932ff9b151263b36);
    assert_false(c.use_candidate);
}

static void tells_wrong_user_password_and_bytes_apart(void **state)
{
    uint8_t m[sizeof(rfc5769_request)];
    struct sl_stun_check c;

    memcpy(m, rfc5769_request, sizeof(m));
    assert_int_equal(sl_stun_read(*state, m, sizeof(m), password_of, (void *)(uintptr_t) "x", &c),
                     SL_STUN_UNKNOWN_USER);
    m[45] ^= 1; /* FINGERPRINT does not hold any more */
    assert_int_equal(
        sl_stun_read(*state, m, sizeof(m), password_of, (void *)(uintptr_t) "evtj:h6vY", &c),
        SL_STUN_MALFORMED);
    sl_put32(m + sizeof(m) - 4, raw_crc32(m, sizeof(m) - 8) ^ 0x5354554e);
    assert_int_equal(
        sl_stun_read(*state, m, sizeof(m), password_of, (void *)(uintptr_t) "evtj:h6vY", &c),
        SL_STUN_BAD_INTEGRITY);
}

static void answers_as_rfc5769_does(void **state)
{
    struct sl_addr a4 = { 0 }, a6 = { 0 };
    uint8_t out[SL_STUN_REPLY_MAX];
    struct sl_stun_check c;
    const uint8_t *v;
    size_t len;
    int n;

    a4.in4.sin_family = AF_INET;
    a4.in4.sin_port = htons(32853);
    inet_pton(AF_INET, "192.0.2.1", &a4.in4.sin_addr);
    a6.in6.sin6_family = AF_INET6;
    a6.in6.sin6_port = htons(32853);
    inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &a6.in6.sin6_addr);
    assert_true(raw_is_sealed(rfc5769_response4, sizeof(rfc5769_response4), rfc5769_pwd));
    assert_true(raw_is_sealed(rfc5769_response6, sizeof(rfc5769_response6), rfc5769_pwd));
    assert_int_equal(sl_stun_read(*state, rfc5769_request, sizeof(rfc5769_request), password_of,
                                  (void *)(uintptr_t) "evtj:h6vY", &c),
                     SL_STUN_OK);

    n = sl_stun_write_success(*state, &a4, out, sizeof(out));
    assert_true(n > 0);
    assert_memory_equal(out + 4, rfc5769_response4 + 4, 16); /* cookie and transaction id */
    assert_int_equal(sl_get16(out), RAW_BINDING_SUCCESS);
    v = raw_find(out, (size_t)n, RAW_XOR_MAPPED, &len);
    assert_non_null(v);
    assert_int_equal(len, 8);
    assert_memory_equal(v, rfc5769_response4 + 40, 8);
    assert_true(raw_is_sealed(out, (size_t)n, rfc5769_pwd));

    n = sl_stun_write_success(*state, &a6, out, sizeof(out));
    assert_true(n > 0);
    v = raw_find(out, (size_t)n, RAW_XOR_MAPPED, &len);
    assert_non_null(v);
    assert_int_equal(len, 20);
    assert_memory_equal(v, rfc5769_response6 + 40, 20);
    assert_true(raw_is_sealed(out, (size_t)n, rfc5769_pwd));
}

static void tells_a_mapped_address_as_ipv4(void **state)
{
    struct sl_addr a = { 0 };
    uint8_t out[SL_STUN_REPLY_MAX];
    struct sl_stun_check c;
    const uint8_t *v;
    size_t len;
    int n;

    a.in6.sin6_family = AF_INET6;
    a.in6.sin6_port = htons(32853);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &a.in6.sin6_addr);
    (void)sl_stun_read(*state, rfc5769_request, sizeof(rfc5769_request), password_of,
                       (void *)(uintptr_t) "evtj:h6vY", &c);
    n = sl_stun_write_success(*state, &a, out, sizeof(out));
    v = raw_find(out, (size_t)n, RAW_XOR_MAPPED, &len);
    assert_non_null(v);
    assert_int_equal(len, 8);
    assert_memory_equal(v, rfc5769_response4 + 40, 8);
}

static int error_code(const uint8_t *b, size_t n)
{
    size_t len;
    const uint8_t *v = raw_find(b, n, RAW_ERROR_CODE, &len);

    return v && len >= 4 ? v[2] * 100 + v[3] : 0;
}

static void writes_errors_with_integrity_for_who_is_authenticated(void **state)
{
    static const int codes[] = { 400, 401, 420, 487 };
    const struct raw_check rc = { "us:them", rfc5769_pwd, 1, false, false };
    uint8_t out[SL_STUN_REPLY_MAX];
    struct sl_stun_check c;
    struct raw r;

    raw_check_write(&r, &rc, 7);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_OK);
    for (size_t i = 0; i < 4; i++) {
        int n = sl_stun_write_error(*state, codes[i], out, sizeof(out));

        assert_true(n > 0);
        assert_int_equal(sl_get16(out), RAW_BINDING_ERROR);
        assert_int_equal(error_code(out, (size_t)n), codes[i]);
        assert_true(raw_is_sealed(out, (size_t)n, rfc5769_pwd));
    }
}

static void lists_unknown_attributes(void **state)
{
    uint8_t tid[12] = { 1 }, out[SL_STUN_REPLY_MAX];
    struct sl_stun_check c;
    const uint8_t *v;
    struct raw r;
    size_t len;
    int n;

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    raw_attr32(&r, RAW_PRIORITY, 5);
    raw_attr32(&r, 0x7abc, 0);
    raw_attr32(&r, 0xc057, 0); /* optional: nothing to complain of */
    raw_attr(&r, 0x0019, "odd", 3);
    raw_integrity(&r, rfc5769_pwd);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_UNKNOWN_ATTR);
    n = sl_stun_write_error(*state, 420, out, sizeof(out));
    assert_true(n > 0);
    v = raw_find(out, (size_t)n, RAW_UNKNOWN, &len);
    assert_non_null(v);
    assert_int_equal(len, 4);
    assert_int_equal(sl_get16(v), 0x7abc);
    assert_int_equal(sl_get16(v + 2), 0x0019);
    assert_true(raw_is_sealed(out, (size_t)n, rfc5769_pwd));
}

static void answers_with_the_most_unknown_attributes_within_the_limit(void **state)
{
    uint8_t tid[12] = { 1 }, out[SL_STUN_REPLY_MAX];
    struct sl_stun_check c;
    struct raw r;

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    for (unsigned int i = 0; i < 250; i++)
        raw_attr(&r, (uint16_t)(0x7000 + i), NULL, 0);
    raw_integrity(&r, rfc5769_pwd);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_UNKNOWN_ATTR);
    assert_true(sl_stun_write_error(*state, 420, out, sizeof(out)) > 0);
}

static void ignores_what_follows_the_integrity(void **state)
{
    uint8_t tid[12] = { 1 };
    struct sl_stun_check c;
    struct raw r;

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    raw_attr32(&r, RAW_PRIORITY, 5);
    raw_integrity(&r, rfc5769_pwd);
    raw_attr(&r, RAW_USE_CANDIDATE, NULL, 0); /* anybody on the way could have put it there */
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_OK);
    assert_false(c.use_candidate);
}

static void demands_what_a_check_must_have(void **state)
{
    uint8_t tid[12] = { 1 };
    struct sl_stun_check c;
    struct raw r;

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    raw_integrity(&r, rfc5769_pwd);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_NO_PRIORITY);

    raw_init(&r, RAW_BINDING, tid);
    raw_attr32(&r, RAW_PRIORITY, 5);
    raw_integrity(&r, rfc5769_pwd);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_NO_CREDS);

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_NO_CREDS);

    raw_init(&r, RAW_BINDING, tid);
    raw_attr(&r, RAW_USERNAME, "us:them", 7);
    raw_attr32(&r, RAW_PRIORITY, 5);
    raw_integrity(&r, rfc5769_pwd);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_MALFORMED); /* no FINGERPRINT */

    raw_init(&r, RAW_BINDING_INDICATION, tid);
    raw_fingerprint(&r);
    assert_int_equal(read_raw(*state, &r, &c), SL_STUN_NOT_REQUEST);
    assert_int_equal(sl_stun_write_error(*state, 400, r.b, sizeof(r.b)), -EINVAL);
}

static void refuses_attributes_of_wrong_length(void **state)
{
    static const struct {
        uint16_t type;
        size_t len;
    } v[] = {
        { RAW_INTEGRITY, 4 },     { RAW_INTEGRITY, 0 },      { RAW_INTEGRITY, 32 },
        { RAW_USERNAME, 0 },      { RAW_USERNAME, 514 },     { RAW_PRIORITY, 2 },
        { RAW_USE_CANDIDATE, 4 }, { RAW_ICE_CONTROLLED, 4 }, { RAW_ICE_CONTROLLING, 12 },
    };
    uint8_t tid[12] = { 1 }, zero[520] = { 0 };
    struct sl_stun_check c;
    struct raw r;

    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        raw_init(&r, RAW_BINDING, tid);
        raw_attr(&r, v[i].type, zero, v[i].len);
        raw_fingerprint(&r);
        assert_int_equal(read_raw(*state, &r, &c), SL_STUN_MALFORMED);
    }
}

static void refuses_every_truncation(void **state)
{
    struct sl_stun_check c;

    for (size_t n = 0; n < sizeof(rfc5769_request); n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */

        assert_non_null(exact);
        memcpy(exact, rfc5769_request, n);
        assert_int_equal(
            sl_stun_read(*state, exact, n, password_of, (void *)(uintptr_t) "evtj:h6vY", &c),
            SL_STUN_MALFORMED);
        free(exact);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_the_request_of_rfc5769, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_wrong_user_password_and_bytes_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_as_rfc5769_does, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_a_mapped_address_as_ipv4, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_errors_with_integrity_for_who_is_authenticated,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(lists_unknown_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_with_the_most_unknown_attributes_within_the_limit,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(ignores_what_follows_the_integrity, setup, teardown),
        cmocka_unit_test_setup_teardown(demands_what_a_check_must_have, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_attributes_of_wrong_length, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_every_truncation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
