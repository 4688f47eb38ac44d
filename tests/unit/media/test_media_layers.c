#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/media_layers.h"

static struct sl_layer_out decide(struct sl_layers *l, int sub, struct sl_payload_info i,
                                  uint64_t ts, uint64_t now)
{
    struct sl_layer_pkt p = { .substream = (uint8_t)sub, .ts = ts, .info = &i };
    struct sl_layer_out o;

    sl_layers_decide(l, &p, now, &o);
    return o;
}

#define KEY                                                                                        \
    (struct sl_payload_info)                                                                       \
    {                                                                                              \
        .key = true, .start = true, .has_tid = true                                                \
    }
#define T(t)                                                                                       \
    (struct sl_payload_info)                                                                       \
    {                                                                                              \
        .start = true, .has_tid = true, .tid = (t)                                                 \
    }
#define TS(t)                                                                                      \
    (struct sl_payload_info)                                                                       \
    {                                                                                              \
        .start = true, .has_tid = true, .tid = (t), .sync = true                                   \
    }
#define REST(t)                                                                                    \
    (struct sl_payload_info)                                                                       \
    {                                                                                              \
        .has_tid = true, .tid = (t)                                                                \
    }

static void audio_passes_from_the_first_packet(void **state)
{
    struct sl_layers l;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SINGLE, false, 1);
    assert_int_equal(decide(&l, 0, (struct sl_payload_info){ 0 }, 0, 1).verdict, SL_LAYER_SWITCH);
    assert_int_equal(decide(&l, 0, (struct sl_payload_info){ 0 }, 0, 1).verdict, SL_LAYER_FORWARD);
    sl_layers_restart(&l);
    assert_int_equal(decide(&l, 0, (struct sl_payload_info){ 0 }, 0, 1).verdict, SL_LAYER_SWITCH);
}

static void video_waits_for_a_key_frame_and_asks_with_backoff(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;
    int asked = 0;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SINGLE, true, 1);
    for (uint64_t now = 1; now < 10000000; now += 100000) {
        o = decide(&l, 0, T(0), 0, now);
        assert_int_equal(o.verdict, SL_LAYER_WAIT_KEY);
        asked += o.key_sub == 0;
    }
    assert_int_equal(asked, 4); /* 0, 1, 3, 7 s */
    o = decide(&l, 0, KEY, 0, 10000000);
    assert_int_equal(o.verdict, SL_LAYER_SWITCH);
    assert_int_equal(o.key_sub, SL_LAYER_NONE);
    assert_int_equal(decide(&l, 0, T(0), 0, 10000001).verdict, SL_LAYER_FORWARD);
}

static void any_key_frame_towards_the_target_switches(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    o = decide(&l, 0, T(0), 0, 1000);
    assert_int_equal(o.verdict, SL_LAYER_WAIT_KEY);
    assert_int_equal(o.key_sub, 0);
    o = decide(&l, 0, KEY, 0, 2000);
    assert_int_equal(o.verdict, SL_LAYER_SWITCH);
    assert_int_equal(o.events & SL_LAYER_EV_SUBSTREAM, SL_LAYER_EV_SUBSTREAM);
    o = decide(&l, 2, T(0), 0, 3000); /* the top shows up: its key frame is wanted */
    assert_int_equal(o.verdict, SL_LAYER_OTHER);
    assert_int_equal(o.key_sub, 2);
    assert_int_equal(decide(&l, 2, T(0), 0, 4000).key_sub, SL_LAYER_NONE);  /* asked once */
    assert_int_equal(decide(&l, 1, KEY, 0, 5000).verdict, SL_LAYER_SWITCH); /* on the way */
    assert_int_equal(decide(&l, 0, KEY, 0, 5000).verdict, SL_LAYER_OTHER);  /* the wrong way */
    assert_int_equal(decide(&l, 2, KEY, 0, 6000).verdict, SL_LAYER_SWITCH);
    assert_int_equal(decide(&l, 1, KEY, 0, 6000).verdict, SL_LAYER_OTHER);
    assert_int_equal(l.cur_sub, 2);
    sl_layers_wish(&l, 0, -1, -1);
    sl_layers_tick(&l, 7000, &o);
    assert_int_equal(o.key_sub, 0);
    assert_int_equal(decide(&l, 2, T(0), 0, 7000).verdict, SL_LAYER_FORWARD); /* until it comes */
    assert_int_equal(decide(&l, 0, KEY, 0, 8000).verdict, SL_LAYER_SWITCH);
    sl_layers_wish(&l, 9, -1, -1);
    sl_layers_grant(&l, 1, -1, -1);
    assert_int_equal(sl_layers_target_sub(&l), 1);
    assert_int_equal(decide(&l, 3, KEY, 0, 9000).verdict, SL_LAYER_OTHER);
}

static void a_silent_layer_is_left_and_taken_again(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;
    uint64_t now = 1000;
    int asked = 0;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    decide(&l, 2, KEY, 0, now);
    decide(&l, 1, T(0), 0, now);
    assert_int_equal(l.cur_sub, 2);
    for (; now < 600000; now += 20000) { /* 2 is silent, 1 goes on */
        o = decide(&l, 1, T(0), 0, now);
        if (o.key_sub != SL_LAYER_NONE) {
            assert_int_equal(o.key_sub, 1);
            assert_true(now > 250000 && now < 300000);
            asked++;
        }
    }
    assert_int_equal(asked, 1);
    assert_int_equal(decide(&l, 1, KEY, 0, now).verdict, SL_LAYER_SWITCH);
    assert_int_equal(decide(&l, 2, T(0), 0, now).key_sub, 2); /* back: upwards again */
    assert_int_equal(decide(&l, 2, KEY, 0, now).verdict, SL_LAYER_SWITCH);
}

static void a_pause_of_all_layers_changes_nothing(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    decide(&l, 2, KEY, 0, 1000);
    for (uint64_t now = 1000; now < 20000000; now += 1000000) { /* one picture per second */
        for (int sub = 0; sub < 3; sub++) {
            o = decide(&l, sub, T(0), 0, now + (uint64_t)sub * 5000);
            assert_int_equal(o.key_sub, SL_LAYER_NONE);
        }
        sl_layers_tick(&l, now + 900000, &o);
        assert_int_equal(o.key_sub, SL_LAYER_NONE);
    }
    assert_int_equal(l.cur_sub, 2);
}

static void the_only_layer_left_is_better_than_none(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;
    int got = SL_LAYER_NONE;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    sl_layers_wish(&l, 0, -1, -1);
    decide(&l, 0, KEY, 0, 1000);
    for (uint64_t now = 2000; now < 2000000; now += 33000) {
        o = decide(&l, 2, T(0), 0, now);
        got = o.key_sub != SL_LAYER_NONE ? o.key_sub : got;
    }
    assert_int_equal(got, 2);
    assert_int_equal(decide(&l, 2, KEY, 0, 2000000).verdict, SL_LAYER_SWITCH);
}

static void temporal_layers(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    sl_layers_wish(&l, 0, 1, -1);
    o = decide(&l, 0, KEY, 0, 1);
    assert_int_equal(o.events, SL_LAYER_EV_SUBSTREAM | SL_LAYER_EV_TEMPORAL);
    assert_int_equal(decide(&l, 0, T(2), 0, 1).verdict, SL_LAYER_DROP);
    assert_int_equal(decide(&l, 0, T(1), 0, 1).verdict, SL_LAYER_FORWARD);
    sl_layers_wish(&l, -1, 0, -1);
    assert_int_equal(decide(&l, 0, REST(1), 0, 1).verdict,
                     SL_LAYER_FORWARD); /* not inside a frame */
    o = decide(&l, 0, T(0), 0, 1);
    assert_int_equal(o.events, SL_LAYER_EV_TEMPORAL);
    assert_int_equal(decide(&l, 0, T(1), 0, 1).verdict, SL_LAYER_DROP);
    sl_layers_wish(&l, -1, 2, -1);
    assert_int_equal(decide(&l, 0, T(1), 0, 1).verdict, SL_LAYER_DROP);  /* no sync */
    assert_int_equal(decide(&l, 0, TS(2), 0, 1).verdict, SL_LAYER_DROP); /* one step at a time */
    assert_int_equal(decide(&l, 0, TS(1), 0, 1).verdict, SL_LAYER_FORWARD);
    assert_int_equal(decide(&l, 0, T(2), 0, 1).verdict, SL_LAYER_DROP);
    assert_int_equal(decide(&l, 0, TS(2), 0, 1).verdict, SL_LAYER_FORWARD);
    assert_int_equal(decide(&l, 0, T(3), 0, 1).verdict, SL_LAYER_FORWARD); /* 2 means all */
}

static struct sl_payload_info svc(int sid, bool key, bool flexible, bool end)
{
    return (struct sl_payload_info){ .key = key && sid == 0,
                                     .start = true,
                                     .end = end,
                                     .has_sid = true,
                                     .has_tid = true,
                                     .sid = (uint8_t)sid,
                                     .flexible = flexible,
                                     .has_ss = key && sid == 0,
                                     .nspatial = 3 };
}

static void spatial_layers(void **state)
{
    for (int flexible = 0; flexible < 2; flexible++) {
        struct sl_layers l;
        struct sl_layer_out o;

        (void)state;
        sl_layers_init(&l, SL_LAYERS_SVC, true, 1);
        sl_layers_wish(&l, -1, -1, 1);
        assert_int_equal(decide(&l, 0, svc(0, false, flexible, true), 1, 1).verdict,
                         SL_LAYER_WAIT_KEY);
        o = decide(&l, 0, svc(0, true, flexible, true), 10, 1);
        assert_int_equal(o.verdict, SL_LAYER_SWITCH);
        assert_false(o.set_marker);
        o = decide(&l, 0, svc(1, true, flexible, true), 10, 1);
        assert_int_equal(o.verdict, SL_LAYER_FORWARD);
        assert_true(o.set_marker); /* the picture ends here for this subscriber */
        assert_int_equal(decide(&l, 0, svc(2, true, flexible, true), 10, 1).verdict, SL_LAYER_DROP);
        sl_layers_wish(&l, -1, -1, 2);
        o = decide(&l, 0, svc(0, false, flexible, true), 20, 1);
        assert_int_equal(o.key_sub, 0); /* up by a key frame */
        assert_int_equal(decide(&l, 0, svc(2, false, flexible, true), 20, 1).verdict,
                         SL_LAYER_DROP);
        o = decide(&l, 0, svc(0, true, flexible, true), 30, 1);
        assert_int_equal(o.events & SL_LAYER_EV_SPATIAL, SL_LAYER_EV_SPATIAL);
        assert_int_equal(decide(&l, 0, svc(2, true, flexible, true), 30, 1).verdict,
                         SL_LAYER_FORWARD);
        sl_layers_wish(&l, -1, -1, 0);
        assert_int_equal(decide(&l, 0, svc(2, false, flexible, true), 30, 1).verdict,
                         SL_LAYER_FORWARD); /* still the same picture */
        decide(&l, 0, svc(0, false, flexible, true), 40, 1);
        assert_int_equal(decide(&l, 0, svc(1, false, flexible, true), 40, 1).verdict,
                         flexible ? SL_LAYER_DROP : SL_LAYER_FORWARD);
        decide(&l, 0, svc(0, true, flexible, true), 50, 1);
        assert_int_equal(decide(&l, 0, svc(1, true, flexible, true), 50, 1).verdict, SL_LAYER_DROP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_passes_from_the_first_packet),
        cmocka_unit_test(video_waits_for_a_key_frame_and_asks_with_backoff),
        cmocka_unit_test(any_key_frame_towards_the_target_switches),
        cmocka_unit_test(a_silent_layer_is_left_and_taken_again),
        cmocka_unit_test(a_pause_of_all_layers_changes_nothing),
        cmocka_unit_test(the_only_layer_left_is_better_than_none),
        cmocka_unit_test(temporal_layers),
        cmocka_unit_test(spatial_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
