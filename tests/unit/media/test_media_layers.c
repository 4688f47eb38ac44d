#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    for (uint64_t now = 1; now < 10000000; now += 50000) {
        o = decide(&l, 0, T(0), 0, now);
        assert_int_equal(o.verdict, SL_LAYER_WAIT_KEY);
        asked += o.key_sub == 0;
    }
    assert_int_equal(asked, 10); /* 0, 0.15, 0.3, 0.45, 0.6, 0.9, 1.5, 2.7, 5.1, 9.1 s */
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
            assert_true(asked || (now > 250000 && now < 300000));
            asked++;
        }
    }
    assert_int_equal(asked, 3); /* again until it comes */
    assert_int_equal(decide(&l, 1, KEY, 0, now).verdict, SL_LAYER_SWITCH);
    assert_int_equal(decide(&l, 2, T(0), 0, now).key_sub, 2); /* back: upwards again */
    assert_int_equal(decide(&l, 2, KEY, 0, now).verdict, SL_LAYER_SWITCH);
}

/* Frames of three layers, @period_us apart, until @until_us; those of @silent from its time on are
 * missing. When a key frame of a lower layer is wanted, 0: never. */
static uint64_t run_layers(struct sl_layers *l, uint64_t period_us, int silent, uint64_t from_us,
                           uint64_t until_us)
{
    for (uint64_t now = 1000; now < until_us; now += period_us)
        for (int sub = 0; sub < 3; sub++) {
            struct sl_layer_out o;

            if (sub == silent && now >= from_us)
                continue;
            o = decide(l, sub, now == 1000 ? KEY : T(0), now * 9 / 100, now + (uint64_t)sub * 500);
            if (o.key_sub != SL_LAYER_NONE)
                return now;
        }
    return 0;
}

static void a_layer_that_misses_its_frames_has_stopped(void **state)
{
    /* Microseconds between frames; after the last frame, when the next layer is asked for. */
    static const struct {
        uint64_t period, fallback, least, most;
    } c[] = {
        { 16667, 250000, 100000, 120000 },  { 33333, 250000, 100000, 134000 },
        { 66667, 250000, 130000, 134000 },  { 100000, 250000, 199000, 201000 },
        { 200000, 250000, 250000, 600000 }, /* too slow to tell before */
        { 33333, 1000000, 400000, 434000 }, /* who is patient waits longer */
        { 33333, 50000, 50000, 100000 },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(c); i++) {
        uint64_t last = 1000 + 30 * c[i].period, asked;
        struct sl_layers l;

        sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
        sl_layers_set_fallback(&l, c[i].fallback);
        asked = run_layers(&l, c[i].period, 2, last + 1, last + 3000000);
        assert_int_equal(l.cur_sub, 2);
        assert_int_equal(l.key_layer, 1);
        assert_in_range(asked - last, c[i].least, c[i].most);
    }
}

/* An encoder leaves out a frame of the top layer now and then; another one is always slower. */
static void a_layer_that_drops_frames_goes_on(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;
    uint64_t now = 1000;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    for (int frame = 0; frame < 3000; frame++, now += 33333)
        for (int sub = 0; sub < 3; sub++) {
            bool skip = sub == 2 ? frame % 5 == 1 || frame % 5 == 2 : sub == 1 && frame % 4;

            if (skip && frame)
                continue;
            o = decide(&l, sub, frame ? T(0) : KEY, now * 9 / 100, now + (uint64_t)sub * 500);
            assert_int_equal(o.key_sub, SL_LAYER_NONE);
        }
    assert_int_equal(l.cur_sub, 2);
}

/* All that was under way comes at once, the lower layers of each picture first. */
static void a_stall_of_the_network_is_no_end_of_a_layer(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SIMULCAST, true, 3);
    for (uint64_t frame = 0; frame < 600; frame++) {
        uint64_t sent = 1000 + frame * 33333, now = sent;

        if (sent % 2000000 > 1000000 && sent % 2000000 < 1200000)
            now = sent - sent % 2000000 + 1200000;
        for (int sub = 0; sub < 3; sub++) {
            o = decide(&l, sub, frame ? T(0) : KEY, sent * 9 / 100, now + frame);
            assert_int_equal(o.key_sub, SL_LAYER_NONE);
        }
    }
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

static void svc_without_its_top_layer_needs_no_key_frame(void **state)
{
    struct sl_layers l;
    struct sl_layer_out o;

    (void)state;
    sl_layers_init(&l, SL_LAYERS_SVC, true, 1);
    for (uint64_t now = 1000; now < 5000000; now += 33333)
        for (int sid = 0; sid < (now < 1000000 ? 3 : 2); sid++) {
            o = decide(&l, 0, svc(sid, now == 1000, false, true), now, now);
            assert_int_equal(o.key_sub, SL_LAYER_NONE);
            assert_true(o.verdict == SL_LAYER_FORWARD || o.verdict == SL_LAYER_SWITCH);
        }
    sl_layers_wish(&l, -1, -1, 0); /* non-flexible: down at a key frame */
    sl_layers_tick(&l, 5000000, &o);
    assert_int_equal(o.key_sub, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_passes_from_the_first_packet),
        cmocka_unit_test(video_waits_for_a_key_frame_and_asks_with_backoff),
        cmocka_unit_test(any_key_frame_towards_the_target_switches),
        cmocka_unit_test(a_silent_layer_is_left_and_taken_again),
        cmocka_unit_test(a_layer_that_misses_its_frames_has_stopped),
        cmocka_unit_test(a_layer_that_drops_frames_goes_on),
        cmocka_unit_test(a_stall_of_the_network_is_no_end_of_a_layer),
        cmocka_unit_test(svc_without_its_top_layer_needs_no_key_frame),
        cmocka_unit_test(a_pause_of_all_layers_changes_nothing),
        cmocka_unit_test(the_only_layer_left_is_better_than_none),
        cmocka_unit_test(temporal_layers),
        cmocka_unit_test(spatial_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
