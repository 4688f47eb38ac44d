/* Who comes later begins with the key frame that was there: order, pace, bounds, and when not. */
#include "tests/unit/media/media_world.h"

#define FRAME_US 33000
#define SSRC(n)  (0x22222200u + (n))
#define SINKS    4

struct fix {
    struct media_world w;
    struct sl_track *t;
    struct sl_mirror *m;
    struct sl_sink *s[SINKS];
    uint8_t nlayers;
    uint16_t seq[SL_LAYERS_MAX];
    uint32_t frame;
};

static void fix_init(struct fix *f, uint8_t nlayers) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);

    memset(f, 0, sizeof(*f));
    mw_init(&f->w);
    f->w.ctx.gop_us = 1200000;
    f->w.ctx.gop_bytes = 100000;
    f->nlayers = in.nlayers = nlayers;
    assert_int_equal(sl_track_create(&f->w.ctx, 1, &in, mw_ask_key, &f->w, &f->t), 0);
    assert_int_equal(sl_mirror_create(&f->w.ctx, 1, 0, &f->m), 0);
    sl_track_join(f->t, f->m);
}

static void come(struct fix *f, unsigned int i) SL_ON_WORKER
{
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    out.tx_ssrc = SSRC(i);
    assert_int_equal(sl_sink_create(&f->w.ctx, &f->w.tx, 2 + i, &out, &f->s[i]), 0);
    assert_int_equal(sl_mirror_add(f->m, f->s[i]), 0);
    sl_sink_set_source(f->s[i], f->nlayers, false);
}

static void fix_fini(struct fix *f) SL_ON_WORKER
{
    for (unsigned int i = 0; i < SINKS; i++) {
        if (f->s[i])
            sl_mirror_del(f->m, f->s[i]);
        sl_sink_destroy(f->s[i]);
    }
    assert_true(sl_list_is_empty(&f->w.ctx.replays));
    sl_track_join(f->t, NULL);
    sl_mirror_destroy(f->m);
    sl_track_destroy(f->t);
    mw_fini(&f->w);
}

static void turn(struct fix *f, uint64_t us) SL_ON_WORKER
{
    f->w.ctx.now_us += us;
    sl_steps_run(&f->w.ctx);
    mw_take(&f->w.tx);
}

/* A frame of each layer, @n packets each, and the time until the next one, in portions. */
static void frames(struct fix *f, unsigned int n, bool key) SL_ON_WORKER
{
    for (uint8_t l = 0; l < f->nlayers; l++)
        for (unsigned int i = 0; i < n; i++)
            mw_push_layer(&f->w, f->t, l, ++f->seq[l], f->frame * 2970, key && i == 0);
    f->frame++;
    for (int i = 0; i < 3; i++)
        turn(f, FRAME_US / 3);
}

/* What went out to sink @i: the input numbers and timestamps, checked to be one stream. */
struct got {
    size_t n;
    uint16_t in[MW_OUT_MAX];
    uint32_t ts[MW_OUT_MAX];
};

static void take(const struct fix *f, unsigned int i, struct got *g)
{
    uint16_t seq = 0;

    g->n = 0;
    for (size_t k = 0; k < f->w.nout; k++) {
        if (mw_ssrc(&f->w, k) != SSRC(i))
            continue;
        assert_true(g->n == 0 || mw_seq(&f->w, k) == (uint16_t)(seq + 1));
        assert_true(g->n == 0 || (int32_t)(mw_ts(&f->w, k) - g->ts[g->n - 1]) >= 0);
        seq = mw_seq(&f->w, k);
        g->ts[g->n] = mw_ts(&f->w, k);
        g->in[g->n++] = sl_get16(f->w.out[k].data + f->w.out[k].len - 40 + 20);
    }
}

static void the_first_packet_is_that_of_the_key_frame_and_all_follow(void **state)
{
    static struct got g;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    frames(&f, 3, false);
    frames(&f, 3, true);
    for (int i = 0; i < 20; i++)
        frames(&f, 3, false);
    come(&f, 0);
    assert_int_equal(f.w.asked[0], 0);
    for (int i = 0; i < 6; i++)
        frames(&f, 3, false);
    take(&f, 0, &g);
    assert_int_equal(g.n, 27 * 3);
    for (size_t i = 0; i < g.n; i++) {
        assert_int_equal(g.in[i], 4 + i);
        assert_int_equal(g.ts[i] - g.ts[0], i / 3 * 2970); /* when they were taken */
    }
    assert_int_equal(f.w.asked[0], 0);
    fix_fini(&f);
}

static void the_key_frame_goes_out_at_once(void **state)
{
    static const struct {
        unsigned int key;
        size_t most;
    } t[] = { { 3, SL_REPLAY_MIN }, { 40, 40 }, { 200, SL_REPLAY_KEY } };

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct fix f;

        fix_init(&f, 1);
        frames(&f, t[i].key, true);
        for (int k = 0; k < 6; k++)
            frames(&f, 2, false);
        come(&f, 0);
        turn(&f, SL_STEP_US);
        assert_int_equal(f.w.nout, t[i].most);
        for (int k = 0; k < 60; k++)
            turn(&f, SL_STEP_US);
        assert_int_equal(f.w.nout, t[i].key + 12);
        fix_fini(&f);
    }
}

static void it_goes_out_in_portions_and_live_packets_wait_behind(void **state)
{
    struct fix f;
    size_t before = 0, steps = 0;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    frames(&f, 10, true);
    for (int i = 0; i < 29; i++)
        frames(&f, 10, false);
    come(&f, 0);
    while (!sl_list_is_empty(&f.w.ctx.replays)) {
        if (steps == 2)
            mw_push(&f.w, f.t, ++f.seq[0], 30 * 2970, false);
        assert_true(sl_steps_wait_us(&f.w.ctx, f.w.ctx.now_us) <= SL_STEP_US);
        turn(&f, SL_STEP_US);
        assert_in_range(f.w.nout - before, 0, 300 / SL_REPLAY_SHARE);
        before = f.w.nout;
        steps++;
        turn(&f, 1); /* too early for more */
        assert_int_equal(f.w.nout, before);
    }
    assert_int_equal(f.w.nout, 301);
    assert_in_range(steps, 8, 24); /* 40 to 120 ms */
    assert_int_equal(sl_steps_wait_us(&f.w.ctx, 0), UINT64_MAX);
    fix_fini(&f);
}

/* Each makes the group useless: a key frame is asked for, nothing is replayed. */
static void too_old(struct fix *f) SL_ON_WORKER
{
    frames(f, 1, true);
    for (int i = 0; i < 37; i++)
        frames(f, 1, false);
}

static void too_large(struct fix *f) SL_ON_WORKER
{
    f->w.ctx.gop_bytes = 50 * 52 - 1;
    frames(f, 1, true);
    for (int i = 0; i < 7; i++)
        frames(f, 7, false);
}

static void too_many(struct fix *f) SL_ON_WORKER
{
    frames(f, 1, true);
    for (int i = 0; i < 8; i++)
        frames(f, SL_GOP_PKTS / 8, false);
}

static void with_a_gap(struct fix *f) SL_ON_WORKER
{
    frames(f, 2, true);
    f->seq[0]++;
    frames(f, 2, false);
}

static void gated(struct fix *f) SL_ON_WORKER
{
    frames(f, 2, true);
    sl_track_set_gate(f->t, true); /* what was before is nobody's business any more */
}

static void opaque(struct fix *f) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);

    in.is_e2ee = true;
    sl_track_configure(f->t, &in);
    frames(f, 2, true); /* who knows? */
    frames(f, 2, false);
}

static void off(struct fix *f) SL_ON_WORKER
{
    f->w.ctx.gop_us = 0;
    frames(f, 2, true);
    frames(f, 2, false);
}

static void what_is_not_whole_or_not_within_the_bounds_is_asked_for(void **state)
{
    static void (*const begin[])(struct fix *) = {
        too_old, too_large, too_many, with_a_gap, gated, opaque, off,
    };

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
        struct fix f;

        fix_init(&f, 1);
        begin[i](&f);
        come(&f, 0);
        turn(&f, 5000);
        assert_int_equal(f.w.nout, 0);
        assert_int_equal(f.w.asked[0], begin[i] == gated ? 0 : 1);
        fix_fini(&f);
    }
}

static void a_late_packet_makes_it_whole(void **state)
{
    static struct got g;
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    with_a_gap(&f);
    come(&f, 0);
    assert_int_equal(f.w.asked[0], 1);
    mw_push(&f.w, f.t, 3, 2970, false); /* and the sink, which waits, sees it */
    turn(&f, 5000);
    take(&f, 0, &g);
    assert_int_equal(g.n, 5);
    assert_int_equal(g.in[0], 1);
    fix_fini(&f);
}

/* A packet that is lost on the way to us while others are replayed stays a gap until it comes. */
static void what_comes_late_during_a_replay_goes_out_at_once(void **state)
{
    struct fix f;
    size_t n;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    frames(&f, 20, true);
    come(&f, 0);
    f.seq[0]++; /* 21 */
    mw_push(&f.w, f.t, ++f.seq[0], 2970, false);
    for (int i = 0; i < 5; i++)
        turn(&f, 5000);
    assert_int_equal(f.w.nout, 21);
    mw_push(&f.w, f.t, 21, 2970, false);
    mw_take(&f.w.tx);
    assert_int_equal(f.w.nout, 22);
    n = f.w.nout;
    assert_int_equal((uint16_t)(mw_seq(&f.w, n - 2) - mw_seq(&f.w, n - 1)), 1);
    fix_fini(&f);
}

static void many_who_come_ask_for_nothing(void **state)
{
    static struct got g[SINKS];
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    frames(&f, 4, true);
    for (unsigned int i = 0; i < SINKS; i++) {
        frames(&f, 4, false);
        come(&f, i);
    }
    for (int i = 0; i < 5; i++)
        frames(&f, 4, false);
    for (unsigned int i = 0; i < SINKS; i++) {
        take(&f, i, &g[i]);
        assert_int_equal(g[i].n, 10 * 4);
    }
    assert_int_equal(f.w.asked[0], 0);
    fix_fini(&f);
}

/* The pause was shorter than the group: what was seen already comes again, squeezed, and what is
 * new is in time. */
static void who_resumes_gets_it_and_the_clock_goes_on(void **state)
{
    static struct got g;
    struct fix f;
    size_t n;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    come(&f, 0);
    frames(&f, 2, true);
    for (int i = 0; i < 20; i++)
        frames(&f, 2, false);
    sl_sink_set_paused(f.s[0], true);
    for (int i = 0; i < 5; i++)
        frames(&f, 2, false);
    f.w.asked[0] = 0;
    take(&f, 0, &g);
    n = g.n;
    assert_int_equal(n, 42);
    sl_sink_set_paused(f.s[0], false);
    for (int i = 0; i < 8; i++)
        frames(&f, 2, false);
    take(&f, 0, &g);
    assert_int_equal(g.n, n + 34 * 2);
    assert_int_equal(g.in[n], 1);
    assert_int_equal(g.in[g.n - 1], 34 * 2);
    for (size_t i = n + 2; i < g.n; i++)
        assert_true(g.in[i] % 2 == 0 || g.ts[i] != g.ts[i - 1]); /* each frame its own */
    assert_int_equal(g.ts[g.n - 1] - g.ts[0], 33 * 2970);
    assert_int_equal(f.w.asked[0], 0);
    fix_fini(&f);
}

static void of_simulcast_it_is_the_layer_that_is_wanted(void **state)
{
    struct sl_layer_wish low = SL_LAYER_WISH_INIT;
    static struct got g;
    struct fix f;
    size_t n;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    frames(&f, 2, true);
    for (int i = 0; i < 5; i++)
        frames(&f, 2, false);
    come(&f, 0);
    frames(&f, 2, false);
    assert_int_equal(f.s[0]->layers.cur_sub, 2);
    take(&f, 0, &g);
    assert_int_equal(g.n, 14);
    n = g.n;
    low.substream = 0; /* the key frame is recent: so is the switch */
    sl_sink_set_wish(f.s[0], &low);
    frames(&f, 2, false);
    assert_int_equal(f.s[0]->layers.cur_sub, 0);
    take(&f, 0, &g);
    assert_int_equal(g.n, n + 2 + 16); /* the old layer goes on until then */
    assert_int_equal(g.in[n + 2], 1);
    /* The newest frame had been seen in the other layer. */
    assert_in_range(g.ts[g.n - 1] - g.ts[0], 7 * 2970 + 1, 7 * 2970 + 1 + 7 * 2970 / 256);
    for (int i = 0; i < 10; i++)
        frames(&f, 2, false);
    sl_sink_set_wish(f.s[0], &(struct sl_layer_wish)SL_LAYER_WISH_INIT); /* now it is old */
    frames(&f, 2, false);
    assert_int_equal(f.s[0]->layers.cur_sub, 0);
    assert_int_equal(f.w.asked[2], 1);
    fix_fini(&f);
}

/* Of the wanted layer there is no whole group, of a lower one there is. */
static void a_lower_layer_is_better_than_nothing(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    frames(&f, 2, true);
    f.seq[2]++;
    frames(&f, 2, false);
    come(&f, 0);
    turn(&f, 5000);
    assert_int_equal(f.s[0]->layers.cur_sub, 1);
    assert_int_equal(f.w.asked[2], 1);
    frames(&f, 2, true);
    assert_int_equal(f.s[0]->layers.cur_sub, 2);
    fix_fini(&f);
}

static void another_worker_is_sent_what_is_whole(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    frames(&f, 2, true);
    f.seq[1]++;
    frames(&f, 2, false);
    sl_track_refill(f.t, 1);
    assert_int_equal(f.w.forwarded, 8);
    f.w.ring_full = true;
    sl_track_refill(f.t, 1);
    assert_int_equal(f.w.forwarded, 8);
    fix_fini(&f);
}

/* References only, and no more of them than the cache holds. */
static void what_it_takes_is_bounded(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    f.w.ctx.gop_bytes = SIZE_MAX;
    frames(&f, 1, true);
    for (int i = 0; i < 36; i++)
        frames(&f, 100, false);
    assert_in_range(f.w.ctx.pkts.used, 1, SL_GOP_PKTS);
    f.w.ctx.now_us += 2000000;
    sl_mirror_expire(f.m);
    assert_int_equal(f.w.ctx.pkts.used, 0);
    fix_fini(&f);
}

static void audio_is_not_replayed(void **state)
{
    struct sl_media_line in = mw_line(SL_KIND_AUDIO, SL_DIR_RECV);
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    sl_track_configure(f.t, &in);
    f.t->kind = SL_KIND_AUDIO;
    frames(&f, 3, false);
    assert_int_equal(f.w.ctx.pkts.used, 0);
    fix_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_packet_is_that_of_the_key_frame_and_all_follow),
        cmocka_unit_test(the_key_frame_goes_out_at_once),
        cmocka_unit_test(it_goes_out_in_portions_and_live_packets_wait_behind),
        cmocka_unit_test(what_is_not_whole_or_not_within_the_bounds_is_asked_for),
        cmocka_unit_test(a_late_packet_makes_it_whole),
        cmocka_unit_test(what_comes_late_during_a_replay_goes_out_at_once),
        cmocka_unit_test(many_who_come_ask_for_nothing),
        cmocka_unit_test(who_resumes_gets_it_and_the_clock_goes_on),
        cmocka_unit_test(of_simulcast_it_is_the_layer_that_is_wanted),
        cmocka_unit_test(a_lower_layer_is_better_than_nothing),
        cmocka_unit_test(another_worker_is_sent_what_is_whole),
        cmocka_unit_test(what_it_takes_is_bounded),
        cmocka_unit_test(audio_is_not_replayed),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
