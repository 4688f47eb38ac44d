#include "../test_cmocka.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* What @say logs, without the end of line. */
static char line[16384];

static void caught(void (*say)(void))
{
    int fd[2], err = dup(STDERR_FILENO);
    ssize_t n;

    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
    say();
    (void)dup2(err, STDERR_FILENO);
    n = read(fd[0], line, sizeof(line) - 1);
    line[n > 0 ? n : 0] = '\0';
    (void)close(fd[0]);
    (void)close(fd[1]);
    (void)close(err);
}

#define WHEN_LEN 24 /* 2026-11-21T10:00:00.123Z */

static void say_connected(void)
{
    sl_info("dtls", "connected", "pc=%x ms=%u", 0x2a, 41u);
}

static void say_nothing_more(void)
{
    sl_warn("core", "stopped", "%s", "");
}

static void say_hostile(void)
{
    sl_error("sdp", "refused", "name=%s", "x\n2026 INFO y\x1b[0m\xff\xc3\xa4");
}

static void say_quoted(void)
{
    sl_info("api", "refused", "why=\"no such room\" code=426 text=\"say \"hi\"\" tail=a\\b");
}

static void say_free_text(void)
{
    sl_info("api", "note", "code=7 just some words");
}

static void say_unfinished(void)
{
    sl_info("api", "note", "a=\"b c");
}

static void say_debug(void)
{
    sl_debug("api", "detail", "a=%d", 1);
}

static void say_too_much(void)
{
    sl_info("api", "long", "a=%05000d", 1);
}

static void say_too_much_to_escape(void)
{
    char quotes[3000];

    memset(quotes, '"', sizeof(quotes));
    quotes[sizeof(quotes) - 1] = '\0';
    sl_info("api", "long", "a=%s", quotes);
}

static void a_text_line_says_time_level_module_event_and_pairs(void **state)
{
    (void)state;
    sl_log_set_format(SL_LOG_TEXT);
    caught(say_connected);
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[19], '.');
    assert_int_equal(line[WHEN_LEN - 1], 'Z');
    assert_string_equal(line + WHEN_LEN, " INFO dtls connected pc=2a ms=41\n");
    caught(say_nothing_more);
    assert_string_equal(line + WHEN_LEN, " WARN core stopped\n");
}

static void control_characters_and_bad_utf8_do_not_get_through(void **state)
{
    (void)state;
    sl_log_set_format(SL_LOG_TEXT);
    caught(say_hostile);
    assert_string_equal(line + WHEN_LEN, " ERROR sdp refused name=x?2026 INFO y?[0m?\xc3\xa4\n");
}

static void json_lines_hold_the_pairs(void **state)
{
    static const struct {
        void (*say)(void);
        const char *want;
    } v[] = {
        { say_connected, "\"level\":\"info\",\"mod\":\"dtls\",\"event\":\"connected\","
                         "\"pc\":\"2a\",\"ms\":\"41\"}\n" },
        { say_nothing_more, "\"level\":\"warn\",\"mod\":\"core\",\"event\":\"stopped\"}\n" },
        { say_quoted, "\"level\":\"info\",\"mod\":\"api\",\"event\":\"refused\","
                      "\"why\":\"no such room\",\"code\":\"426\","
                      "\"text\":\"say \\\"hi\\\"\",\"tail\":\"a\\\\b\"}\n" },
        { say_free_text, "\"level\":\"info\",\"mod\":\"api\",\"event\":\"note\","
                         "\"code\":\"7\",\"msg\":\"just some words\"}\n" },
        { say_unfinished, "\"level\":\"info\",\"mod\":\"api\",\"event\":\"note\","
                          "\"a\":\"\\\"b\",\"msg\":\"c\"}\n" },
    };

    (void)state;
    sl_log_set_format(SL_LOG_JSON);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        caught(v[i].say);
        assert_memory_equal(line, "{\"time\":\"", 9);
        assert_string_equal(line + 9 + WHEN_LEN + 2, v[i].want);
    }
    sl_log_set_format(SL_LOG_TEXT);
}

static void lines_beyond_the_limit_end_well(void **state)
{
    size_t n;

    (void)state;
    caught(say_too_much);
    n = strlen(line);
    assert_in_range(n, 2000, 3000);
    assert_string_equal(line + n - 4, "...\n");
    sl_log_set_format(SL_LOG_JSON);
    caught(say_too_much_to_escape);
    n = strlen(line);
    assert_in_range(n, 3000, 6000);
    assert_string_equal(line + n - 3, "\"}\n");
    sl_log_set_format(SL_LOG_TEXT);
}

static void levels_below_the_wanted_one_are_silent(void **state)
{
    (void)state;
    caught(say_debug);
    assert_string_equal(line, "");
    sl_log_set_level(SL_LOG_DEBUG);
    caught(say_debug);
    assert_string_equal(line + WHEN_LEN, " DEBUG api detail a=1\n");
    sl_log_set_level(SL_LOG_ERROR);
    caught(say_connected);
    assert_string_equal(line, "");
    sl_log_set_level(SL_LOG_INFO);
    assert_int_equal(sl_log_get_level(), SL_LOG_INFO);
}

static void *say_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++)
        sl_info("thread", "said", "text=%s", "abcdefghijklmnopqrstuvwxyz");
    return NULL;
}

static void say_in_threads(void)
{
    pthread_t t[4];

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, say_many, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

static void lines_of_threads_do_not_mix(void **state)
{
    static const char want[] = " INFO thread said text=abcdefghijklmnopqrstuvwxyz\n";
    size_t lines = 0;

    (void)state;
    caught(say_in_threads);
    for (char *p = line; *p; p += WHEN_LEN + sizeof(want) - 1, lines++)
        assert_memory_equal(p + WHEN_LEN, want, sizeof(want) - 1);
    assert_int_equal(lines, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_says_time_level_module_event_and_pairs),
        cmocka_unit_test(control_characters_and_bad_utf8_do_not_get_through),
        cmocka_unit_test(json_lines_hold_the_pairs),
        cmocka_unit_test(lines_beyond_the_limit_end_well),
        cmocka_unit_test(levels_below_the_wanted_one_are_silent),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };

    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
