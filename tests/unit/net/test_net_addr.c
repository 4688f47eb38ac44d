#include "../test_cmocka.h"
#include "net/net_addr.h"
#include <errno.h>
#include <string.h>

static struct sl_addr addr(const char *text)
{
    struct sl_addr a;

    assert_int_equal(sl_addr_parse(text, &a), 0);
    return a;
}

static void addresses_are_read_and_written_back(void **state)
{
    static const struct {
        const char *text;
        int family;
        uint16_t port;
        const char *full, *ip;
    } v[] = {
        { "1.2.3.4", AF_INET, 0, "1.2.3.4:0", "1.2.3.4" },
        { "1.2.3.4:80", AF_INET, 80, "1.2.3.4:80", "1.2.3.4" },
        { "255.255.255.255:65535", AF_INET, 65535, "255.255.255.255:65535", "255.255.255.255" },
        { "::", AF_INET6, 0, "[::]:0", "::" },
        { "::1", AF_INET6, 0, "[::1]:0", "::1" },
        { "[::1]", AF_INET6, 0, "[::1]:0", "::1" },
        { "[2001:DB8:0::7]:5000", AF_INET6, 5000, "[2001:db8::7]:5000", "2001:db8::7" },
        { "::ffff:1.2.3.4", AF_INET6, 0, "[::ffff:1.2.3.4]:0", "::ffff:1.2.3.4" },
        { "[fe80::1%1]:9", AF_INET6, 9, "[fe80::1%1]:9", "fe80::1%1" },
        { "fe80::1%lo", AF_INET6, 0, "[fe80::1%1]:0", "fe80::1%1" },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_addr a = addr(v[i].text), b;
        char text[SL_ADDR_TEXT_MAX];

        assert_int_equal(sl_addr_family(&a), v[i].family);
        assert_int_equal(sl_addr_port(&a), v[i].port);
        assert_string_equal(sl_addr_format(&a, text), v[i].full);
        b = addr(text);
        assert_true(sl_addr_is_equal(&a, &b));
        assert_string_equal(sl_addr_format_ip(&a, text), v[i].ip);
        assert_int_equal(sl_addr_from_ip(text, v[i].port, &b), 0);
        assert_true(sl_addr_is_equal(&a, &b));
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const v[] = {
        "",
        "a",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "1.2.3.4:+1",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4:1:",
        "[1.2.3.4]:80",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:",
        "[::1]80",
        "[]:80",
        ":80",
        "::1::",
        "2001:db8::7%lo",
        "fe80::1%",
        "fe80::1%0",
        "fe80::1%no-such-if",
        "localhost",
        "x.local",
        "1.2.3.4:99999999999999999999",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_addr a;

        memset(&a, 0x55, sizeof(a));
        assert_int_equal(sl_addr_parse(v[i], &a), -EBADMSG);
        assert_int_equal(a.sa.sa_family, 0x5555); /* untouched */
    }
}

static void no_address_is_harmless(void **state)
{
    struct sl_addr none = { 0 }, again = { 0 }, some = addr("1.2.3.4");
    char text[SL_ADDR_TEXT_MAX];

    (void)state;
    assert_int_equal(sl_addr_len(&none), 0);
    assert_int_equal(sl_addr_port(&none), 0);
    sl_addr_set_port(&none, 80);
    assert_memory_equal(&none, &again, sizeof(none));
    assert_string_equal(sl_addr_format(&none, text), "none");
    assert_true(sl_addr_is_equal(&none, &again));
    assert_false(sl_addr_is_equal(&none, &some));
    assert_int_equal(sl_addr_hash(&none), sl_addr_hash(&again));
    assert_false(sl_addr_is_any(&none));
    assert_false(sl_addr_is_private(&none));
}

static void equality_and_hash_see_family_address_and_port(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal, same_ip;
    } v[] = {
        { "1.2.3.4:80", "1.2.3.4:80", true, true },
        { "1.2.3.4:80", "1.2.3.4:81", false, true },
        { "1.2.3.4:80", "1.2.3.5:80", false, false },
        { "[::1]:80", "[::1]:80", true, true },
        { "[::1]:80", "[::1]:81", false, true },
        { "[::1]:80", "[::2]:80", false, false },
        { "1.2.3.4:80", "[::ffff:1.2.3.4]:80", false, false },
        { "[fe80::1%1]:80", "[fe80::1%2]:80", false, false },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_addr a = addr(v[i].a), b = addr(v[i].b);

        assert_int_equal(sl_addr_is_equal(&a, &b), v[i].equal);
        assert_int_equal(sl_addr_is_same_ip(&a, &b), v[i].same_ip);
        assert_int_equal(sl_addr_hash(&a) == sl_addr_hash(&b), v[i].equal);
    }
}

static void flow_labels_and_padding_do_not_count(void **state)
{
    struct sl_addr a = addr("[2001:db8::1]:80"), b = a, c = addr("1.2.3.4:80"), d = c;

    (void)state;
    b.in6.sin6_flowinfo = 7;
    b.in6.sin6_scope_id = 3; /* means nothing outside of link-local addresses */
    memset(d.in4.sin_zero, 1, sizeof(d.in4.sin_zero));
    assert_true(sl_addr_is_equal(&a, &b));
    assert_int_equal(sl_addr_hash(&a), sl_addr_hash(&b));
    assert_true(sl_addr_is_equal(&c, &d));
    assert_int_equal(sl_addr_hash(&c), sl_addr_hash(&d));
}

static void kinds_are_told_apart(void **state)
{
    enum { ANY = 1, LOOP = 2, LINK = 4, PRIV = 8, MULTI = 16 };
    static const struct {
        const char *ip;
        int kinds;
    } v[] = {
        { "0.0.0.0", ANY },
        { "::", ANY },
        { "127.0.0.1", LOOP },
        { "127.255.255.255", LOOP },
        { "::1", LOOP },
        { "126.255.255.255", 0 },
        { "128.0.0.1", 0 },
        { "9.255.255.255", 0 },
        { "10.0.0.0", PRIV },
        { "10.255.255.255", PRIV },
        { "11.0.0.0", 0 },
        { "172.15.255.255", 0 },
        { "172.16.0.0", PRIV },
        { "172.31.255.255", PRIV },
        { "172.32.0.0", 0 },
        { "192.167.255.255", 0 },
        { "192.168.0.1", PRIV },
        { "192.169.0.0", 0 },
        { "100.63.255.255", 0 },
        { "100.64.0.0", PRIV },
        { "100.127.255.255", PRIV },
        { "100.128.0.0", 0 },
        { "169.254.1.1", PRIV | LINK },
        { "169.255.0.0", 0 },
        { "224.0.0.1", MULTI },
        { "239.255.255.255", MULTI },
        { "240.0.0.0", 0 },
        { "8.8.8.8", 0 },
        { "fe80::1", PRIV | LINK },
        { "febf::1", PRIV | LINK },
        { "fec0::1", 0 },
        { "fc00::1", PRIV },
        { "fdff::1", PRIV },
        { "fe00::1", 0 },
        { "fbff::1", 0 },
        { "ff02::1", MULTI },
        { "2001:db8::1", 0 },
        { "::ffff:127.0.0.1", LOOP },
        { "::ffff:10.0.0.1", PRIV },
        { "::ffff:0.0.0.0", ANY },
        { "::ffff:169.254.0.1", PRIV | LINK },
        { "::ffff:8.8.8.8", 0 },
        { "::ffff:224.0.0.1", MULTI },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_addr a = addr(v[i].ip);
        int kinds = (sl_addr_is_any(&a) ? ANY : 0) | (sl_addr_is_loopback(&a) ? LOOP : 0) |
                    (sl_addr_is_link_local(&a) ? LINK : 0) | (sl_addr_is_private(&a) ? PRIV : 0) |
                    (sl_addr_is_multicast(&a) ? MULTI : 0);

        if (kinds != v[i].kinds)
            print_message("%s\n", v[i].ip);
        assert_int_equal(kinds, v[i].kinds);
    }
}

static void mapped_addresses_become_ipv4(void **state)
{
    struct sl_addr a = addr("[::ffff:1.2.3.4]:80"), want = addr("1.2.3.4:80"),
                   six = addr("[::1]:80");
    struct sl_addr before = six, got;

    (void)state;
    assert_true(sl_addr_is_v4mapped(&a));
    assert_int_equal(sl_addr_from_sockaddr(&a.sa, sizeof(a.in6), &got), 0);
    assert_true(sl_addr_is_equal(&got, &want));
    sl_addr_unmap(&a);
    assert_true(sl_addr_is_equal(&a, &want));
    sl_addr_unmap(&a);
    assert_true(sl_addr_is_equal(&a, &want));
    sl_addr_unmap(&six);
    assert_true(sl_addr_is_equal(&six, &before));
}

static void sockaddrs_of_other_kinds_or_too_short_are_refused(void **state)
{
    struct sl_addr a = addr("1.2.3.4:80"), b = addr("::1"), out;
    struct sockaddr other = { .sa_family = AF_UNIX };

    (void)state;
    assert_int_equal(sl_addr_from_sockaddr(&a.sa, sizeof(a.in4) - 1, &out), -EINVAL);
    assert_int_equal(sl_addr_from_sockaddr(&b.sa, sizeof(b.in6) - 1, &out), -EINVAL);
    assert_int_equal(sl_addr_from_sockaddr(&other, sizeof(other), &out), -EINVAL);
    assert_int_equal(sl_addr_from_sockaddr(&a.sa, sizeof(a.in4), &out), 0);
    assert_true(sl_addr_is_equal(&a, &out));
}

static void own_addresses_are_listed_once_with_the_port(void **state)
{
    struct sl_addr all[64], loopback = addr("127.0.0.1:7000");
    int n = sl_addr_list_local(AF_UNSPEC, true, 7000, all, TEST_COUNT(all));
    int without = sl_addr_list_local(AF_UNSPEC, false, 7000, NULL, 0);
    int v4 = sl_addr_list_local(AF_INET, true, 7000, NULL, 0);
    int v6 = sl_addr_list_local(AF_INET6, true, 7000, NULL, 0);
    size_t found = 0;

    (void)state;
    assert_in_range(n, 1, TEST_COUNT(all));
    for (int i = 0; i < n; i++) {
        assert_int_equal(sl_addr_port(&all[i]), 7000);
        assert_false(sl_addr_is_link_local(&all[i]));
        found += sl_addr_is_equal(&all[i], &loopback);
        without += sl_addr_is_loopback(&all[i]);
    }
    assert_int_equal(found, 1);
    assert_int_equal(without, n);
    assert_int_equal(v4 + v6, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written_back),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(no_address_is_harmless),
        cmocka_unit_test(equality_and_hash_see_family_address_and_port),
        cmocka_unit_test(flow_labels_and_padding_do_not_count),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(mapped_addresses_become_ipv4),
        cmocka_unit_test(sockaddrs_of_other_kinds_or_too_short_are_refused),
        cmocka_unit_test(own_addresses_are_listed_once_with_the_port),
    };

    return cmocka_run_group_tests_name("net/net_addr", tests, NULL, NULL);
}
