/* A publisher's m-line: where its packets go, key frame requests, silence, the gate. */
#include "tests/unit/media/media_world.h"

static struct sl_track *make(struct media_world *w, uint8_t nlayers) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_track *t = NULL;

    mw_init(w);
    in.nlayers = nlayers;
    assert_int_equal(sl_track_create(&w->ctx, 1, &in, mw_ask_key, w, &t), 0);
    return t;
}

static void end(struct media_world *w, struct sl_track *t) SL_ON_WORKER
{
    sl_track_destroy(t);
    mw_fini(w);
}

static void a_worker_that_was_full_gets_a_key_frame_once_it_has_room(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    sl_track_set_remote(t, 3, true);
    mw_push(&w, t, 1, 0, true);
    w.ring_full = true;
    mw_push(&w, t, 2, 0, false);
    mw_push(&w, t, 3, 0, false);
    assert_int_equal(w.asked[0], 0); /* useless while it is full */
    w.ring_full = false;
    mw_push(&w, t, 4, 0, false);
    mw_push(&w, t, 5, 0, false);
    assert_int_equal(w.forwarded, 3);
    assert_int_equal(w.asked[0], 1);
    end(&w, t);
}

static void key_frame_requests_are_merged_and_the_last_one_is_not_lost(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    sl_track_keyframe(t, -1); /* nobody to ask yet */
    assert_int_equal(w.asked[0], 0);
    mw_push(&w, t, 1, 0, false);
    sl_track_tick(t);
    assert_int_equal(w.asked[0], 1);
    for (int i = 0; i < 50; i++)
        sl_track_keyframe(t, -1);
    assert_int_equal(w.asked[0], 1);
    w.ctx.now_us += SL_KEY_AGAIN_MIN_US;
    sl_track_tick(t);
    assert_int_equal(w.asked[0], 2);
    w.ctx.now_us += SL_KEY_AGAIN_MIN_US;
    sl_track_tick(t); /* nobody asked again */
    assert_int_equal(w.asked[0], 2);
    sl_track_keyframe(t, 0);
    assert_int_equal(w.asked[0], 3);
    sl_track_keyframe(t, 0);
    w.ctx.now_us += 1000;
    mw_push(&w, t, 2, 3000, true); /* serves the deferred wish */
    w.ctx.now_us += SL_KEY_AGAIN_MAX_US;
    sl_track_tick(t);
    assert_int_equal(w.asked[0], 3);
    end(&w, t);
}

/* Every @step_us somebody wants a key frame, for @us; they come @answer_us after the request, 0:
 * never. The number of requests. */
static size_t want_all_the_time(uint64_t us, uint64_t answer_us) SL_ON_WORKER
{
    struct media_world w;
    struct sl_track *t = make(&w, 1);
    uint64_t begin_us = w.ctx.now_us, due_us = 0;
    size_t asked, told = 0;
    uint16_t seq = 1;

    mw_push(&w, t, seq, 0, false);
    for (; w.ctx.now_us < begin_us + us; w.ctx.now_us += 10000) {
        if (due_us && w.ctx.now_us >= due_us) {
            seq++;
            mw_push(&w, t, seq, seq * 3000u, true);
            due_us = 0;
        }
        sl_track_keyframe(t, -1);
        sl_track_tick(t);
        if (w.asked[0] > told && answer_us && !due_us)
            due_us = w.ctx.now_us + answer_us;
        told = w.asked[0];
    }
    asked = w.asked[0];
    end(&w, t);
    return asked;
}

static void requests_are_soon_repeated_but_few_in_the_long_run(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    assert_int_equal(want_all_the_time(140000, 0), 1);
    assert_int_equal(want_all_the_time(460000, 0), 4); /* 0, 150, 300, 450 ms */
    assert_in_range(want_all_the_time(10000000, 0), 20, 24);
    assert_in_range(want_all_the_time(10000000, 30000), 20, 24);
    /* Who is far away is not asked again while the answer may be under way. */
    assert_in_range(want_all_the_time(1300000, 240000), 4, 5);
}

static void a_request_names_one_simulcast_layer_or_all(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 3);
    for (uint8_t l = 0; l < 3; l++)
        mw_push_layer(&w, t, l, 1, 0, false);
    sl_track_keyframe(t, 1);
    assert_int_equal(w.asked[0] + w.asked[2], 0);
    assert_int_equal(w.asked[1], 1);
    w.ctx.now_us += SL_KEY_AGAIN_MAX_US;
    sl_track_keyframe(t, -1);
    assert_int_equal(w.asked[0], 1);
    assert_int_equal(w.asked[1], 2);
    assert_int_equal(w.asked[2], 1);
    end(&w, t);
}

static void a_closed_gate_forwards_nothing_and_asks_for_nothing(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    sl_track_set_remote(t, 1, true);
    mw_push(&w, t, 1, 0, true);
    w.ring_full = true;
    sl_track_set_gate(t, true);
    assert_int_equal(w.forgotten, 0);
    w.ring_full = false;
    sl_track_tick(t);
    sl_track_tick(t);
    assert_int_equal(w.forgotten, 1);
    mw_push(&w, t, 2, 0, false);
    sl_track_keyframe(t, -1);
    assert_int_equal(w.forwarded, 1);
    assert_int_equal(w.ctx.drops[SL_DROP_GATED], 1);
    assert_int_equal(w.asked[0], 0);
    sl_track_set_gate(t, false);
    assert_int_equal(w.asked[0], 1);
    mw_push(&w, t, 3, 0, false);
    assert_int_equal(w.forwarded, 2);
    end(&w, t);
}

static void silence_and_sound_are_told_once(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    w.ctx.no_media_s = 2;
    mw_push(&w, t, 1, 0, true);
    mw_push(&w, t, 2, 0, false);
    assert_int_equal(w.receiving_on, 1);
    w.ctx.now_us += 1900000;
    sl_track_second(t);
    assert_int_equal(w.receiving_off, 0);
    w.ctx.now_us += 200000;
    sl_track_second(t);
    sl_track_second(t);
    assert_int_equal(w.receiving_off, 1);
    mw_push(&w, t, 3, 0, false);
    assert_int_equal(w.receiving_on, 2);
    end(&w, t);
}

static void a_rejected_line_stops_and_may_come_back(void **state)
{
    struct media_world w;
    struct sl_track *t;
    struct sl_media_line off = { .kind = SL_KIND_VIDEO, .pt = SL_PT_NONE, .rtx_pt = SL_PT_NONE };
    struct sl_media_line on = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    mw_push(&w, t, 1, 0, true);
    sl_track_configure(t, &off);
    assert_int_equal(w.receiving_off, 1);
    sl_track_keyframe(t, -1);
    assert_int_equal(w.asked[0], 0);
    sl_track_configure(t, &on);
    mw_push(&w, t, 500, 0, true);
    assert_int_equal(w.receiving_on, 2);
    end(&w, t);
}

static void an_ssrc_that_takes_over_counts_anew(void **state)
{
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w, 1);
    mw_push(&w, t, 60000, 0, true);
    mw_push_pkt(&w, t, mw_pkt(&w, t, 0x99, 3, 0, true), false);
    mw_push_pkt(&w, t, mw_pkt(&w, t, 0x99, 3, 0, true), false);
    assert_int_equal(t->source[0].ssrc, 0x99);
    assert_int_equal(w.ctx.drops[SL_DROP_NONE], 2);
    assert_int_equal(w.ctx.drops[SL_DROP_DUPLICATE], 1);
    assert_int_equal(t->source[0].nack.missing, 0);
    end(&w, t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_was_full_gets_a_key_frame_once_it_has_room),
        cmocka_unit_test(key_frame_requests_are_merged_and_the_last_one_is_not_lost),
        cmocka_unit_test(requests_are_soon_repeated_but_few_in_the_long_run),
        cmocka_unit_test(a_request_names_one_simulcast_layer_or_all),
        cmocka_unit_test(a_closed_gate_forwards_nothing_and_asks_for_nothing),
        cmocka_unit_test(silence_and_sound_are_told_once),
        cmocka_unit_test(a_rejected_line_stops_and_may_come_back),
        cmocka_unit_test(an_ssrc_that_takes_over_counts_anew),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
