/* Names become addresses on another thread; nothing is left behind when nobody wants them. */
#include "tests/unit/test_cmocka.h"

#include "api/api_dns.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sl_cq q;
static struct sl_dns *dns;
static int nresults, last_err;
static char last_ip[64];

static void run(sl_dns_fn fn, void *arg, int err, const char *ip)
{
    fn(arg, err, ip);
}

static int setup(void **state)
{
    (void)state;
    sl_role_enter(&sl_role_control);
    nresults = 0;
    return sl_cq_init(&q, sl_now_us()) || sl_dns_create(&q, run, &dns) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    SL_ASSUME(control);
    sl_dns_destroy(dns);
    sl_cq_fini(&q);
    sl_role_leave(&sl_role_control);
    return 0;
}

static void on_result(void *arg, int err, const char *ip)
{
    assert_ptr_equal(arg, &q);
    assert_true(err ? ip == NULL : ip != NULL);
    nresults++;
    last_err = err;
    snprintf(last_ip, sizeof(last_ip), "%s", ip ? ip : "");
}

static void turn(int wanted) SL_ON_CONTROL
{
    for (int i = 0; i < 1000 && nresults < wanted; i++) {
        usleep(10000);
        sl_cq_run(&q, sl_now_us());
    }
}

static void addresses_are_answered_at_once(void **state)
{
    static const struct {
        const char *host;
        int family, err;
        const char *ip;
    } v[] = {
        { "192.0.2.1", AF_UNSPEC, 0, "192.0.2.1" },
        { "192.0.2.1", AF_INET, 0, "192.0.2.1" },
        { "192.0.2.1", AF_INET6, -ENOENT, "" },
        { "2001:db8::1", AF_UNSPEC, 0, "2001:db8::1" },
        { "2001:db8::1", AF_INET, -ENOENT, "" },
        { "::ffff:192.0.2.1", AF_INET, 0, "192.0.2.1" },
        { "", AF_UNSPEC, -ENOENT, "" },
    };
    char name[400];
    uint64_t id;

    (void)state;
    SL_ASSUME(control);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        assert_int_equal(sl_dns_resolve(dns, v[i].host, v[i].family, on_result, &q, &id), 0);
        assert_int_equal(id, 0);
        assert_int_equal(nresults, i + 1);
        assert_int_equal(last_err, v[i].err);
        assert_string_equal(last_ip, v[i].ip);
    }
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(sl_dns_resolve(dns, name, AF_UNSPEC, on_result, &q, &id), 0);
    assert_int_equal(last_err, -ENOENT);
}

static void a_name_is_answered_later(void **state)
{
    uint64_t id;

    (void)state;
    SL_ASSUME(control);
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    assert_true(id != 0);
    assert_int_equal(nresults, 0);
    turn(1);
    assert_int_equal(nresults, 1);
    assert_int_equal(last_err, 0);
    assert_string_equal(last_ip, "127.0.0.1");
}

static void a_cancelled_lookup_is_silent(void **state)
{
    uint64_t id, other;

    (void)state;
    SL_ASSUME(control);
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    sl_dns_cancel(dns, id);
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &other), 0);
    assert_true(other != id);
    turn(1);
    usleep(100000);
    sl_cq_run(&q, sl_now_us());
    assert_int_equal(nresults, 1);
}

static void too_many_at_a_time_are_refused(void **state)
{
    uint64_t id;

    (void)state;
    SL_ASSUME(control);
    for (int i = 0; i < SL_DNS_MAX; i++)
        assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), -EAGAIN);
    turn(SL_DNS_MAX);
    assert_int_equal(nresults, SL_DNS_MAX);
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    turn(SL_DNS_MAX + 1);
    assert_int_equal(nresults, SL_DNS_MAX + 1);
}

static void the_owner_may_go_first(void **state)
{
    uint64_t id;

    (void)state;
    SL_ASSUME(control);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    usleep(100000); /* some are in the queue */
    assert_int_equal(sl_dns_resolve(dns, "localhost", AF_INET, on_result, &q, &id), 0);
    sl_dns_destroy(dns); /* and one may still run */
    dns = NULL;
    sl_cq_run(&q, sl_now_us());
    usleep(100000);
    sl_cq_run(&q, sl_now_us());
    assert_int_equal(nresults, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(addresses_are_answered_at_once), T(a_name_is_answered_later),
        T(a_cancelled_lookup_is_silent),   T(too_many_at_a_time_are_refused),
        T(the_owner_may_go_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
