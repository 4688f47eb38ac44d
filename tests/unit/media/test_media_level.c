/* Voice: when it begins and ends, and what is held back meanwhile. */
#include "tests/unit/media/media_world.h"

static uint64_t now_us;

/* @ms of packets of 20 ms at @level; the number of reports. */
static int packets(struct sl_voice *v, int ms, uint8_t level, struct sl_voice_report *last)
{
    int n = 0;

    for (; ms > 0; ms -= 20)
        n += sl_voice_add(v, level, now_us += 20000, last);
    return n;
}

static void speech_is_told_at_once_then_ten_times_a_second_until_it_ends(void **state)
{
    struct sl_voice_report r = { 0 };
    struct sl_voice v;

    (void)state;
    sl_voice_init(&v);
    assert_int_equal(packets(&v, 2000, 127, &r), 0);
    assert_int_equal(packets(&v, 20, 30, &r), 1);
    assert_true(r.speaks && r.level == 30 && r.at_us == now_us);
    assert_int_equal(packets(&v, 1000, 30, &r), 10);
    assert_int_equal(r.level, 30);
    assert_int_equal(packets(&v, 1480, 90, &r), 14);
    assert_true(r.speaks && r.level == 127); /* a pause */
    assert_int_equal(packets(&v, 20, 90, &r), 1);
    assert_true(!r.speaks);
    assert_int_equal(packets(&v, 5000, 90, &r), 0);
}

static void a_quiet_voice_is_told_from_noise(void **state)
{
    static const struct {
        uint8_t noise, voice;
        bool speaks;
    } t[] = {
        { 90, 60, true },  { 65, 50, true }, { 65, 60, false }, { 127, 75, false },
        { 50, 45, false }, { 50, 35, true }, { 42, 30, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct sl_voice_report r = { 0 };
        struct sl_voice v;

        sl_voice_init(&v);
        packets(&v, 60000, t[i].noise, &r); /* it settles */
        assert_false(v.speaks);
        packets(&v, 200, t[i].voice, &r);
        assert_int_equal(v.speaks, t[i].speaks);
    }
}

static void packets_that_stay_away_end_it_too(void **state)
{
    struct sl_voice_report r = { 0 };
    struct sl_voice v;

    (void)state;
    sl_voice_init(&v);
    packets(&v, 100, 20, &r);
    now_us += SL_VOICE_HANG_US;
    assert_true(sl_voice_tick(&v, now_us, &r));
    assert_false(r.speaks);
    assert_false(sl_voice_tick(&v, now_us + SL_VOICE_HANG_US, &r));
    packets(&v, 100, 20, &r);
    assert_true(sl_voice_stop(&v, now_us, &r));
    assert_false(r.speaks);
    assert_false(sl_voice_stop(&v, now_us, &r));
}

static void push(struct media_world *w, struct sl_track *t, uint16_t seq, uint8_t level)
{
    struct sl_pkt *p;

    SL_ASSUME(worker);
    w->ctx.now_us += 20000;
    p = mw_pkt(w, t, 0x11111111, seq, seq * 960u, false);
    p->ext.present |= SL_EXT_BIT(SL_EXT_AUDIO_LEVEL);
    p->ext.level = level;
    mw_push_pkt(w, t, p, false);
}

static void what_is_held_begins_with_the_first_loud_packet_and_leaves_no_gap(void **state)
{
    struct sl_media_line in = mw_line(SL_KIND_AUDIO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_AUDIO, SL_DIR_SEND);
    struct media_world w;
    struct sl_mirror *m;
    struct sl_track *t;
    struct sl_sink *s;
    uint16_t seq = 0;

    (void)state;
    SL_ASSUME(worker);
    mw_init(&w);
    assert_int_equal(sl_track_create(&w.ctx, 1, &in, mw_ask_key, &w, &t), 0);
    assert_int_equal(sl_mirror_create(&w.ctx, 1, 0, &m), 0);
    sl_track_join(t, m);
    sl_track_set_remote(t, 1, true);
    assert_int_equal(sl_sink_create(&w.ctx, &w.tx, 2, &out, &s), 0);
    assert_int_equal(sl_mirror_add(m, s), 0);
    sl_sink_set_source(s, 1, false);

    sl_track_set_voice(t, SL_VOICE_REPORT);
    for (; seq < 10; seq++)
        push(&w, t, seq, 90);
    sl_track_set_voice(t, SL_VOICE_HOLD);
    for (; seq < 100; seq++)
        push(&w, t, seq, 90);
    mw_flush(&w);
    assert_int_equal(w.nout, 10);
    assert_int_equal(w.forwarded, 10);
    assert_int_equal(w.voices, 0);
    for (; seq < 120; seq++)
        push(&w, t, seq, 20);
    mw_flush(&w);
    assert_int_equal(w.nout, 30);
    assert_int_equal(w.forwarded, 30);
    assert_true(w.voices > 0 && w.voice.speaks);
    for (size_t i = 1; i < w.nout; i++)
        assert_int_equal((uint16_t)(mw_seq(&w, i) - mw_seq(&w, i - 1)), 1);
    assert_int_equal(mw_ts(&w, 29) - mw_ts(&w, 0), 119 * 960); /* time went on */

    /* Others are louder: speaking on opens nothing, but to begin again does. */
    sl_track_set_voice(t, SL_VOICE_HOLD);
    for (; seq < 150; seq++)
        push(&w, t, seq, 20);
    for (; seq < 250; seq++)
        push(&w, t, seq, 90);
    mw_flush(&w);
    assert_int_equal(w.nout, 30);
    assert_false(w.voice.speaks);
    push(&w, t, seq++, 20);
    mw_flush(&w);
    assert_int_equal(w.nout, 31);

    /* Muted: he is silent, and nothing else is known of him. */
    sl_track_set_gate(t, true);
    assert_false(w.voice.speaks);
    push(&w, t, seq++, 20);
    assert_false(w.voice.speaks);
    sl_track_set_gate(t, false);
    push(&w, t, seq++, 20);
    assert_true(w.voice.speaks);
    w.ctx.now_us += SL_VOICE_HANG_US;
    sl_track_tick(t);
    assert_false(w.voice.speaks);
    sl_track_set_voice(t, SL_VOICE_OFF);
    w.voices = 0;
    push(&w, t, seq++, 20);
    assert_int_equal(w.voices, 0);

    mw_flush(&w);
    sl_mirror_del(m, s);
    sl_sink_destroy(s);
    sl_track_join(t, NULL);
    sl_mirror_destroy(m);
    sl_track_destroy(t);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_is_told_at_once_then_ten_times_a_second_until_it_ends),
        cmocka_unit_test(a_quiet_voice_is_told_from_noise),
        cmocka_unit_test(packets_that_stay_away_end_it_too),
        cmocka_unit_test(what_is_held_begins_with_the_first_loud_packet_and_leaves_no_gap),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
