#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sluice/mock.h>
#include "player.h"

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

static sl_hid watching(void)
{
    const sl_hid h = mock_attach();

    mock_request(h, "{'request':'watch'}", NULL, "{'player':'event','watching':true}",
                 SL_JSEP_OFFER);
    mock_request(h, "{'request':'start'}", mock_answer(h), "{'player':'event','started':true}",
                 SL_JSEP_NONE);
    mock_up(h);
    return h;
}

/* Of what was sent since the last look. */
struct heard {
    size_t tones, packets, frames, keys;
    uint64_t tone_us, picture_us; /* of the last */
};

static struct heard hear(size_t player)
{
    struct heard n = { 0 };
    struct mock_packet p;

    while (mock_played(player, &p)) {
        if (p.mindex == LINE_TONE) {
            n.tones++;
            n.tone_us = p.time_us;
            continue;
        }
        n.packets++;
        n.frames += p.marker;
        n.keys += p.payload[0] == 0x90 && !(p.payload[4] & 1);
        n.picture_us = p.time_us;
    }
    return n;
}

static void plays_in_time_and_in_a_loop(void **state)
{
    const sl_hid h = watching();
    struct heard n;

    (void)state;
    assert_true(mock_route(h, 0)->active);
    assert_true(mock_route(h, 1)->active);
    mock_run(980);
    n = hear(0);
    assert_int_equal(n.tones, 50);
    assert_int_equal(n.tone_us, 980000);
    assert_int_equal(n.frames, 15);
    assert_int_equal(n.keys, 1);
    mock_run(8000);
    n = hear(0);
    assert_int_equal(n.tones, 400);
    assert_int_equal(n.tone_us, 8980000);
    assert_in_range(n.frames, 119, 121);
    assert_int_equal(n.keys, 8);
    assert_true(n.packets > n.frames); /* large ones take several */
}

static void goes_on_with_a_key_frame_when_one_is_wanted(void **state)
{
    struct mock_packet p;

    (void)state;
    watching();
    mock_run(320);
    hear(0);
    mock_player_keyframe(0, LINE_PICTURE);
    mock_run(20);
    do
        assert_true(mock_played(0, &p));
    while (p.mindex != LINE_PICTURE);
    assert_int_equal(p.payload[0], 0x90);
    assert_int_equal(p.payload[4] & 1, 0);
    assert_int_equal(p.time_us, 340000);
}

static void plays_while_there_are_viewers(void **state)
{
    const sl_hid a = watching(), b = watching();

    (void)state;
    assert_int_equal(mock_endpoints_alive(), 1);
    assert_int_equal(mock_timers(), 1);
    mock_request(a, "{'request':'stop'}", NULL, "{'player':'event','stopped':true}", SL_JSEP_NONE);
    mock_expect_hangup(a, "Close PC");
    assert_int_equal(mock_endpoints_alive(), 1);
    mock_detach(b);
    assert_int_equal(mock_endpoints_alive(), 0);
    assert_int_equal(mock_timers(), 0);
    watching();
    assert_int_equal(mock_endpoints_alive(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plays_in_time_and_in_a_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(goes_on_with_a_key_frame_when_one_is_wanted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(plays_while_there_are_viewers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
