#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/opt.h"
#include <errno.h>
#include <string.h>

struct conf {
    bool enabled;
    int64_t port;
    char *bind;
    char *password;
    struct sl_opt_range ports;
    int64_t level;
};

static const char *const words[] = { "error", "warn", "info", NULL };
static const struct sl_opt opts[] = {
    SL_OPT_BOOL("enabled", struct conf, enabled, "yes", "serve at all"),
    SL_OPT_INT("port", struct conf, port, 8088, 0, 65535, "TCP port"),
    SL_OPT_STR("bind", struct conf, bind, "::", "address"),
    SL_OPT_SECRET("password", struct conf, password, "who may"),
    SL_OPT_RANGE("ports", struct conf, ports, "40000-49999", 1024, 65535, "UDP ports"),
    SL_OPT_ENUM("level", struct conf, level, "info", words, "how much to say"),
};
static const struct sl_opt_group group = { "http", opts, SL_COUNT(opts) };

static void defaults_come_from_the_table(void **state)
{
    struct conf c;

    (void)state;
    memset(&c, 0xa5, sizeof(c));
    assert_int_equal(sl_opt_defaults(&group, &c), 0);
    assert_true(c.enabled);
    assert_int_equal(c.port, 8088);
    assert_string_equal(c.bind, "::");
    assert_null(c.password);
    assert_int_equal(c.ports.low, 40000);
    assert_int_equal(c.ports.high, 49999);
    assert_int_equal(c.level, 2);
    sl_opt_fini(&group, &c);
    assert_null(c.bind);
}

static void good_values_are_taken(void **state)
{
    char err[128] = "";
    struct conf c;

    (void)state;
    assert_int_equal(sl_opt_defaults(&group, &c), 0);
    assert_int_equal(sl_opt_set(&group, &c, "enabled", "No", err, sizeof(err)), 0);
    assert_int_equal(sl_opt_set(&group, &c, "port", "0", err, sizeof(err)), 0);
    assert_int_equal(sl_opt_set(&group, &c, "bind", "127.0.0.1", err, sizeof(err)), 0);
    assert_int_equal(sl_opt_set(&group, &c, "password", "geheim", err, sizeof(err)), 0);
    assert_int_equal(sl_opt_set(&group, &c, "ports", "1024-1024", err, sizeof(err)), 0);
    assert_int_equal(sl_opt_set(&group, &c, "level", "WARN", err, sizeof(err)), 0);
    assert_false(c.enabled);
    assert_int_equal(c.port, 0);
    assert_string_equal(c.bind, "127.0.0.1");
    assert_string_equal(c.password, "geheim");
    assert_int_equal(c.ports.low, 1024);
    assert_int_equal(c.ports.high, 1024);
    assert_int_equal(c.level, 1);
    /* An empty secret is no secret. */
    assert_int_equal(sl_opt_set(&group, &c, "password", "", err, sizeof(err)), 0);
    assert_null(c.password);
    assert_string_equal(err, "");
    sl_opt_fini(&group, &c);
}

static void bad_values_are_refused_with_what_is_expected(void **state)
{
    static const struct {
        const char *key, *text;
        int rc;
        const char *err;
    } v[] = {
        { "enabled", "maybe", -EINVAL, "expects yes or no, not 'maybe'" },
        { "port", "abc", -EINVAL, "expects a number from 0 to 65535, not 'abc'" },
        { "port", "", -EINVAL, "expects a number from 0 to 65535, not ''" },
        { "port", "-", -EINVAL, "expects a number from 0 to 65535, not '-'" },
        { "port", "-1", -EINVAL, "expects a number from 0 to 65535, not '-1'" },
        { "port", "65536", -EINVAL, "expects a number from 0 to 65535, not '65536'" },
        { "port", " 80", -EINVAL, "expects a number from 0 to 65535, not ' 80'" },
        { "port", "80x", -EINVAL, "expects a number from 0 to 65535, not '80x'" },
        { "port", "99999999999999999999", -EINVAL,
          "expects a number from 0 to 65535, not '99999999999999999999'" },
        { "ports", "5000", -EINVAL,
          "expects LOW-HIGH with numbers from 1024 to 65535, not '5000'" },
        { "ports", "6000-5000", -EINVAL,
          "expects LOW-HIGH with numbers from 1024 to 65535, not '6000-5000'" },
        { "ports", "80-5000", -EINVAL,
          "expects LOW-HIGH with numbers from 1024 to 65535, not '80-5000'" },
        { "ports", "5000-", -EINVAL,
          "expects LOW-HIGH with numbers from 1024 to 65535, not '5000-'" },
        { "ports", "", -EINVAL, "expects LOW-HIGH with numbers from 1024 to 65535, not ''" },
        { "level", "loud", -EINVAL, "expects one of error, warn, info, not 'loud'" },
        { "prot", "80", -ENOENT, "" },
    };
    struct conf c;

    (void)state;
    assert_int_equal(sl_opt_defaults(&group, &c), 0);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        char err[128] = "", small[8];

        assert_int_equal(sl_opt_set(&group, &c, v[i].key, v[i].text, err, sizeof(err)), v[i].rc);
        assert_string_equal(err, v[i].err);
        assert_int_equal(sl_opt_set(&group, &c, v[i].key, v[i].text, small, sizeof(small)),
                         v[i].rc);
        assert_int_equal(sl_opt_set(&group, &c, v[i].key, v[i].text, NULL, 0), v[i].rc);
    }
    assert_true(c.enabled);
    assert_int_equal(c.port, 8088);
    assert_int_equal(c.ports.low, 40000);
    assert_int_equal(c.level, 2);
    sl_opt_fini(&group, &c);
}

static void out_of_memory_is_reported_and_leaves_nothing_behind(void **state)
{
    char err[64];
    struct conf c;

    (void)state;
    oom_fail_at(1);
    assert_int_equal(sl_opt_defaults(&group, &c), -ENOMEM);
    assert_true(oom_happened());
    assert_null(c.bind);
    assert_int_equal(sl_opt_defaults(&group, &c), 0);
    oom_fail_at(1);
    assert_int_equal(sl_opt_set(&group, &c, "bind", "::1", err, sizeof(err)), -ENOMEM);
    assert_true(oom_happened());
    assert_string_equal(c.bind, "::");
    sl_opt_fini(&group, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_table),
        cmocka_unit_test(good_values_are_taken),
        cmocka_unit_test(bad_values_are_refused_with_what_is_expected),
        cmocka_unit_test(out_of_memory_is_reported_and_leaves_nothing_behind),
    };

    return cmocka_run_group_tests_name("base/opt", tests, NULL, NULL);
}
