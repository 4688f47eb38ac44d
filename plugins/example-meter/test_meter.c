#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sluice/mock.h>

extern const struct sl_plugin sl_plugin;

static int setup(void **state)
{
    (void)state;
    return mock_start(&sl_plugin, NULL);
}

static int teardown(void **state)
{
    (void)state;
    mock_stop();
    return 0;
}

static sl_hid listening(void)
{
    const sl_hid h = mock_attach();

    mock_request(h, "{'request':'listen'}", MOCK_OFFER("video 0 vp8", "audio 1 opus recv"),
                 "{'meter':'event','listening':true}", SL_JSEP_ANSWER);
    mock_up(h);
    return h;
}

/* @n packets of 20 ms, the first at @at_us. */
static void speak(sl_hid h, uint64_t at_us, size_t n, uint8_t level)
{
    for (size_t i = 0; i < n; i++)
        mock_tap((struct sl_mref){ h, 1 },
                 &(struct sl_tap_packet){ .arrival_us = at_us + i * 20000, .level = level }, 1);
}

static void tells_the_level_five_times_a_second(void **state)
{
    const sl_hid h = listening();

    (void)state;
    assert_true(mock_line(h, 0)->want.rejected);
    speak(h, 1000000, 5, 40);
    speak(h, 1100000, 5, 30);
    mock_run(0);
    mock_expect_nothing(h);
    speak(h, 1200000, 1, 35);
    mock_run(0);
    mock_expect(h, 0, "{'meter':'level','dbov':-35.0,'peak':-30,'packets':11,'voice':false}",
                SL_JSEP_NONE);
    mock_expect_nothing(h);
}

static void a_slow_control_thread_gets_the_newest_later(void **state)
{
    const sl_hid h = listening();

    (void)state;
    speak(h, 1000000, 50, 20); /* several reports, one post */
    mock_run(0);
    json_decref(mock_take(h));
    mock_expect_nothing(h);
}

static void ends_with_the_handle_whatever_is_under_way(void **state)
{
    const sl_hid h = listening();

    (void)state;
    speak(h, 1000000, 50, 20);
    assert_int_equal(mock_taps(), 1);
    mock_detach(h);
    assert_int_equal(mock_taps(), 0);
    mock_run(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_the_level_five_times_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_control_thread_gets_the_newest_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ends_with_the_handle_whatever_is_under_way, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
