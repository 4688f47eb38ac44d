/* What a plugin sees of a publisher's packets, and when it is let go. */
#include "tests/unit/media/media_world.h"

#include "media/media_tap.h"

struct seen {
    struct sl_media_tap tap;
    size_t calls, n, largest, ended;
    uint64_t last_seq, last_ts;
    size_t key, with_level, voice, opaque;
    const char *owner;
};

static void on_packets(void *arg, const struct sl_tap_packet *p, size_t n)
{
    struct seen *s = arg;

    s->calls++;
    s->owner = sl_media_tap_running();
    s->largest = n > s->largest ? n : s->largest;
    for (size_t i = 0; i < n; i++) {
        if (s->n)
            assert_true(p[i].seq > s->last_seq);
        s->last_seq = p[i].seq;
        s->last_ts = p[i].ts;
        s->key += p[i].keyframe;
        s->with_level += p[i].level != SL_TAP_NO_LEVEL;
        s->voice += p[i].voice;
        s->opaque += p[i].is_opaque;
        assert_int_equal(p[i].len, 40);
        s->n++;
    }
}

static void on_done(struct sl_media_tap *t)
{
    sl_container(t, struct seen, tap)->ended++;
}

static void seen_init(struct seen *s, uint64_t id)
{
    *s = (struct seen){ .tap = { .id = id,
                                 .tap = { .packets = on_packets, .arg = s },
                                 .owner = "test.plugin.tap",
                                 .done = on_done } };
}

static struct sl_track *make(struct media_world *w, enum sl_kind kind) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(kind, SL_DIR_RECV);
    struct sl_track *t = NULL;

    mw_init(w);
    assert_int_equal(sl_track_create(&w->ctx, 1, &in, mw_ask_key, w, &t), 0);
    return t;
}

static void gets_what_is_forwarded_once_a_turn_and_in_order(void **state)
{
    struct media_world w;
    struct sl_track *t;
    struct seen a, b;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, SL_KIND_VIDEO);
    seen_init(&a, 1);
    seen_init(&b, 2);
    sl_track_tap(t, &a.tap);
    sl_track_tap(t, &b.tap);
    for (uint16_t i = 0; i < 5; i++)
        mw_push(&w, t, (uint16_t)(65534 + i), i * 3000u, i == 0);
    mw_push(&w, t, 65535, 3000, false); /* a duplicate */
    assert_int_equal(a.calls, 0);
    sl_media_taps_run(&w.ctx);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.n, 5);
    assert_int_equal(b.n, 5);
    assert_int_equal(a.key, 1);
    assert_int_equal(a.with_level, 0);
    assert_string_equal(a.owner, "test.plugin.tap");
    assert_null(sl_media_tap_running());
    sl_media_taps_run(&w.ctx);
    assert_int_equal(a.calls, 1);

    sl_track_untap(t, 7); /* not there */
    sl_track_untap(t, 1);
    assert_int_equal(a.ended, 1);
    mw_push(&w, t, 10, 15000, false);
    assert_int_equal(a.n, 5);
    sl_track_destroy(t); /* what waits is heard */
    assert_int_equal(b.n, 6);
    assert_int_equal(b.ended, 1);
    mw_fini(&w);
}

static void is_called_earlier_when_much_comes(void **state)
{
    struct media_world w;
    struct sl_track *t;
    struct seen a;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, SL_KIND_VIDEO);
    seen_init(&a, 1);
    sl_track_tap(t, &a.tap);
    for (uint16_t i = 0; i < 2 * SL_TAP_BATCH + 3; i++)
        mw_push(&w, t, i, i * 3000u, i == 0);
    assert_int_equal(a.n, 2 * SL_TAP_BATCH);
    assert_int_equal(a.largest, SL_TAP_BATCH);
    sl_media_taps_run(&w.ctx);
    assert_int_equal(a.n, 2 * SL_TAP_BATCH + 3);
    sl_track_destroy(t);
    mw_fini(&w);
}

static void hears_levels_but_nothing_behind_a_gate(void **state)
{
    struct media_world w;
    struct sl_track *t;
    struct sl_pkt *p;
    struct seen a;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, SL_KIND_AUDIO);
    seen_init(&a, 1);
    sl_track_tap(t, &a.tap);
    p = mw_pkt(&w, t, 5, 1, 960, false);
    p->ext.present = SL_EXT_BIT(SL_EXT_AUDIO_LEVEL);
    p->ext.level = 30;
    p->ext.voice = true;
    mw_push_pkt(&w, t, p, false);
    sl_track_set_gate(t, true);
    mw_push_pkt(&w, t, mw_pkt(&w, t, 5, 2, 1920, false), false);
    sl_media_taps_run(&w.ctx);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.with_level, 1);
    assert_int_equal(a.voice, 1);
    sl_track_set_gate(t, false);
    mw_push_pkt(&w, t, mw_pkt(&w, t, 5, 3, 2880, false), false);
    sl_track_destroy(t);
    assert_int_equal(a.n, 2);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_what_is_forwarded_once_a_turn_and_in_order),
        cmocka_unit_test(is_called_earlier_when_much_comes),
        cmocka_unit_test(hears_levels_but_nothing_behind_a_gate),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
