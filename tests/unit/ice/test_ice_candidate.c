#include "tests/unit/test_cmocka.h"

#include "ice/ice.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void parses_what_browsers_send(void **state)
{
    static const struct {
        const char *text;
        struct sl_ice_candidate want;
    } v[] = {
        { "candidate:560124692 1 udp 2122194687 127.0.0.1 58247 typ host generation 0 network-id 3",
          { "560124692", 1, true, 2122194687, "127.0.0.1", 58247, "host" } },
        { "a=candidate:0 2 UDP 2122187006 192.0.2.2 60086 typ host",
          { "0", 2, true, 2122187006, "192.0.2.2", 60086, "host" } },
        { "810467740 1 udp 2122267903 ::1 36035 typ host\r\n",
          { "810467740", 1, true, 2122267903, "::1", 36035, "host" } },
        { "candidate:1 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active",
          { "1", 1, false, 2105458943, "192.0.2.2", 9, "host" } },
        { "candidate:842163049 1 udp 1677729535 198.51.100.7 3333 typ srflx raddr 0.0.0.0 rport 0",
          { "842163049", 1, true, 1677729535, "198.51.100.7", 3333, "srflx" } },
        { "candidate:1 1 udp 2113937151 9e4b3d5c-7d6f-4c5e-8a1b-0f2e3d4c5b6a.local 50000 typ host",
          { "1", 1, true, 2113937151, "9e4b3d5c-7d6f-4c5e-8a1b-0f2e3d4c5b6a.local", 50000,
            "host" } },
        { "candidate:a+/B 1 udp 4294967295 2001:db8::1 65535 typ relay raddr ::1 rport 1",
          { "a+/B", 1, true, 4294967295, "2001:db8::1", 65535, "relay" } },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_ice_candidate c;

        assert_int_equal(sl_ice_candidate_parse(v[i].text, &c), 0);
        assert_string_equal(c.foundation, v[i].want.foundation);
        assert_int_equal(c.component, v[i].want.component);
        assert_int_equal(c.is_udp, v[i].want.is_udp);
        assert_int_equal(c.priority, v[i].want.priority);
        assert_string_equal(c.address, v[i].want.address);
        assert_int_equal(c.port, v[i].want.port);
        assert_string_equal(c.type, v[i].want.type);
    }
}

static void refuses_what_is_no_candidate(void **state)
{
    static const char *const v[] = {
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1 1",
        "candidate:1 1 udp 1 192.0.2.1 1 typ",
        "candidate:1 1 udp 1 192.0.2.1 1 typ alien",
        "candidate:1 0 udp 1 192.0.2.1 1 typ host",
        "candidate:1 257 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 sctp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
        "candidate:1 1 udp 99999999999999999999999 192.0.2.1 1 typ host",
        "candidate:1 1 udp -1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.1 1x typ host",
        "candidate:1 1 udp 1 <script> 1 typ host",
        "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1\r\n192.0.2.1 1 typ host",
    };
    char longest[SL_ICE_CAND_MAX + 2];
    struct sl_ice_candidate c;

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_ice_candidate_parse(v[i], &c), -EBADMSG);
    memset(longest, ' ', sizeof(longest));
    memcpy(longest, "candidate:1 1 udp 1 192.0.2.1 1 typ host", 40);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(sl_ice_candidate_parse(longest, &c), -EBADMSG);
    longest[sizeof(longest) - 2] = '\0';
    assert_int_equal(sl_ice_candidate_parse(longest, &c), 0);
}

static void writes_host_candidates_in_order_of_preference(void **state)
{
    struct sl_addr a4 = { 0 }, a6 = { 0 };
    struct sl_ice_candidate c, d;
    char text[SL_ICE_CAND_MAX];
    int n;

    (void)state;
    a4.in4.sin_family = AF_INET;
    a4.in4.sin_port = htons(10000);
    inet_pton(AF_INET, "192.0.2.1", &a4.in4.sin_addr);
    a6.in6.sin6_family = AF_INET6;
    a6.in6.sin6_port = htons(10001);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &a6.in6.sin6_addr);

    n = sl_ice_candidate_write_host(&a4, true, 0, text, sizeof(text));
    assert_string_equal(text, "candidate:1 1 udp 2130706431 192.0.2.1 10000 typ host");
    assert_int_equal(n, strlen(text));
    assert_int_equal(sl_ice_candidate_parse(text, &c), 0);
    assert_true(sl_ice_candidate_write_host(&a6, true, 1, text, sizeof(text)) > 0);
    assert_int_equal(sl_ice_candidate_parse(text, &d), 0);
    assert_string_equal(d.address, "192.0.2.1");
    assert_int_equal(d.port, 10001);
    assert_true(d.priority < c.priority);
    assert_string_not_equal(d.foundation, c.foundation);
    /* RFC 6544 section 4.5; any TCP candidate comes after any UDP one. */
    assert_true(sl_ice_candidate_write_host(&a4, false, 2, text, sizeof(text)) > 0);
    assert_string_equal(text, "candidate:3 1 tcp 1520434687 192.0.2.1 10000 typ host "
                              "tcptype passive");
    assert_true(sl_ice_candidate_write_host(&a4, false, 0, text, sizeof(text)) > 0);
    assert_int_equal(sl_ice_candidate_parse(text, &c), 0);
    assert_true(sl_ice_candidate_write_host(&a4, true, 70000, text, sizeof(text)) > 0);
    assert_int_equal(sl_ice_candidate_parse(text, &d), 0);
    assert_true(d.priority > c.priority);
    assert_int_equal(sl_ice_candidate_write_host(&a4, true, 0, text, 20), -ENOSPC);
    a4.in4.sin_family = AF_UNSPEC;
    assert_int_equal(sl_ice_candidate_write_host(&a4, true, 0, text, sizeof(text)), -EINVAL);
}

static void makes_credentials_of_ice_chars(void **state)
{
    struct sl_ice_creds a, b;

    (void)state;
    sl_ice_creds_make(0, &a);
    sl_ice_creds_make(0, &b);
    assert_int_equal(strlen(a.ufrag), 9);
    assert_int_equal(strlen(a.pwd), 24);
    assert_string_not_equal(a.ufrag, b.ufrag);
    assert_string_not_equal(a.pwd, b.pwd);
    for (unsigned int w = 0; w < 64; w++) {
        sl_ice_creds_make(w, &a);
        assert_int_equal(sl_ice_ufrag_worker(a.ufrag, strlen(a.ufrag)), w);
    }
    assert_int_equal(sl_ice_ufrag_worker("", 0), -EBADMSG);
    assert_int_equal(sl_ice_ufrag_worker("\0AAAAAAAA", 9), -EBADMSG);
    assert_int_equal(sl_ice_ufrag_worker("-AAAAAAAA", 9), -EBADMSG);
    assert_int_equal(sl_ice_ufrag_worker("AAAAAAAAAA", 10), -EBADMSG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_browsers_send),
        cmocka_unit_test(refuses_what_is_no_candidate),
        cmocka_unit_test(writes_host_candidates_in_order_of_preference),
        cmocka_unit_test(makes_credentials_of_ice_chars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
