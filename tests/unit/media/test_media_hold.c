/* What waits for a thin path, and in which order it leaves. */
#include "tests/unit/media/media_world.h"

#include "rtp/rtp_ext.h"

#define MS   UINT64_C(1000)
#define BPS  1.2e6
#define TWCC 5
#define AST  6

struct fix {
    struct media_world w;
    struct sl_track *t[2]; /* video, audio */
    struct sl_mirror *m[2];
    struct sl_sink *s[2];
    uint16_t seq[2];
};

static int setup(void **state)
{
    static const enum sl_kind kinds[] = { SL_KIND_VIDEO, SL_KIND_AUDIO };
    struct fix *f = calloc(1, sizeof(*f));

    SL_ASSUME(worker);
    assert_non_null(f);
    mw_init(&f->w);
    for (int i = 0; i < 2; i++) {
        struct sl_media_line in = mw_line(kinds[i], SL_DIR_RECV);
        struct sl_media_line out = mw_line(kinds[i], SL_DIR_SEND);
        sl_id id = (sl_id)i + 1;

        out.ext[SL_EXT_TWCC] = TWCC;
        out.ext[SL_EXT_ABS_SEND_TIME] = AST;
        out.mindex = (uint16_t)i;
        out.tx_ssrc += (uint32_t)i;
        out.nack = true;
        assert_int_equal(sl_track_create(&f->w.ctx, id, &in, mw_ask_key, &f->w, &f->t[i]), 0);
        assert_int_equal(sl_mirror_create(&f->w.ctx, id, 0, &f->m[i]), 0);
        sl_track_join(f->t[i], f->m[i]);
        assert_int_equal(sl_sink_create(&f->w.ctx, &f->w.tx, 9, &out, &f->s[i]), 0);
        assert_int_equal(sl_mirror_add(f->m[i], f->s[i]), 0);
        sl_sink_set_source(f->s[i], 1, false);
    }
    f->w.tx.hold.pace.bps = BPS;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fix *f = *state;

    SL_ASSUME(worker);
    for (int i = 0; i < 2; i++) {
        sl_mirror_del(f->m[i], f->s[i]);
        sl_sink_destroy(f->s[i]);
        sl_mirror_destroy(f->m[i]);
        sl_track_destroy(f->t[i]);
    }
    mw_fini(&f->w);
    free(f);
    return 0;
}

static void push(struct fix *f, int i, size_t n, bool key) SL_ON_WORKER
{
    for (size_t k = 0; k < n; k++) {
        struct sl_pkt *pkt =
            mw_pkt(&f->w, f->t[i], 0x1000 + (uint32_t)i, f->seq[i], f->seq[i] * 450u, key && !k);

        f->seq[i]++;
        mw_push_pkt(&f->w, f->t[i], pkt, k + 1 == n);
    }
    sl_mirrors_fan_out(&f->w.ctx);
    mw_take(&f->w.tx);
}

static void pass(struct fix *f, uint64_t us) SL_ON_WORKER
{
    f->w.ctx.now_us += us;
    sl_steps_run(&f->w.ctx);
}

static uint16_t twcc_of(const struct mw_out *o)
{
    uint8_t ids[SL_EXT_MAX] = { 0 };
    struct sl_ext_info ext;
    struct sl_ext_map map;
    struct sl_rtp rtp;

    ids[SL_EXT_TWCC] = TWCC;
    sl_ext_map_init(&map, ids);
    assert_int_equal(sl_rtp_parse(o->data, o->len, &rtp), 0);
    assert_int_equal(sl_ext_parse(o->data, &rtp, &map, &ext), 0);
    assert_true(ext.present & SL_EXT_BIT(SL_EXT_TWCC));
    return ext.twcc;
}

static void a_frame_leaves_in_portions_in_its_order(void **state)
{
    struct fix *f = *state;
    size_t bytes = 0;
    int steps = 0;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    assert_in_range(f->w.nout, 1, 199);
    assert_int_equal(f->w.ctx.nheld, 200 - f->w.nout);
    assert_true(sl_steps_wait_us(&f->w.ctx, f->w.ctx.now_us) <= SL_STEP_US);
    for (; f->w.ctx.nheld; steps++)
        pass(f, SL_STEP_US);
    assert_int_equal(f->w.nout, 200);
    for (size_t i = 0; i < f->w.nout; i++) {
        bytes += f->w.out[i].len;
        if (i)
            assert_int_equal(sl_get16(f->w.out[i].data + 2),
                             (uint16_t)(sl_get16(f->w.out[i - 1].data + 2) + 1));
        assert_int_equal(twcc_of(&f->w.out[i]), i);
    }
    assert_true((double)steps * SL_STEP_US >= (double)bytes * 8e6 / BPS - 20.0 * MS);
    assert_int_equal(sl_steps_wait_us(&f->w.ctx, f->w.ctx.now_us), UINT64_MAX);
    assert_int_equal(f->w.tx.hold.bytes, 0);
}

static void audio_passes_by_and_numbers_count_what_leaves(void **state)
{
    struct fix *f = *state;
    size_t n;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    n = f->w.nout;
    push(f, 1, 1, false);
    assert_int_equal(f->w.nout, n + 1);
    assert_int_equal(sl_get32(f->w.out[n].data + 8), f->s[1]->ssrc);
    assert_int_equal(twcc_of(&f->w.out[n]), n);
    while (f->w.ctx.nheld)
        pass(f, SL_STEP_US);
    for (size_t i = 0; i < f->w.nout; i++)
        assert_int_equal(twcc_of(&f->w.out[i]), i);
}

static void resends_go_before_media(void **state)
{
    struct fix *f = *state;
    uint16_t lost;
    size_t at, n;

    SL_ASSUME(worker);
    push(f, 0, 60, true);
    lost = sl_get16(f->w.out[0].data + 2);
    f->w.ctx.now_us += 5 * MS;
    n = f->w.nout;
    sl_sink_resend(f->s[0], &lost, 1);
    mw_take(&f->w.tx);
    while (f->w.ctx.nheld)
        pass(f, SL_STEP_US);
    assert_int_equal(f->w.nout, 61);
    for (at = n; at < f->w.nout && sl_get32(f->w.out[at].data + 8) != f->s[0]->rtx_ssrc; at++)
        ;
    assert_in_range(at, n, n + 1);
}

static void a_probe_takes_what_waits(void **state)
{
    struct fix *f = *state;
    struct sl_slot *s, *next;
    size_t bytes = 0, held;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    held = f->w.tx.hold.bytes;
    for (s = sl_hold_take(&f->w.tx, 3000); s; s = next) {
        next = s->next;
        bytes += s->len;
        sl_pool_put(&f->w.ctx.slots, s);
    }
    assert_in_range(bytes, 3000, 3000 + SL_SLOT_MAX);
    assert_int_equal(f->w.tx.hold.bytes, held - bytes);
}

static void without_a_limit_all_of_it_leaves(void **state)
{
    struct fix *f = *state;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    assert_true(f->w.ctx.nheld > 0);
    f->w.tx.hold.pace.bps = 0;
    pass(f, SL_STEP_US);
    assert_int_equal(f->w.nout, 200);
    push(f, 0, 200, false);
    assert_int_equal(f->w.nout, 400);
}

static void a_worker_holds_no_more_than_it_may(void **state)
{
    struct fix *f = *state;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    f->w.ctx.nheld += SL_HOLD_MAX;
    push(f, 0, 1, false);
    f->w.ctx.nheld -= SL_HOLD_MAX;
    assert_int_equal(f->w.nout, 201);
}

static void what_waits_goes_with_its_connection(void **state)
{
    struct fix *f = *state;

    SL_ASSUME(worker);
    push(f, 0, 200, true);
    assert_true(f->w.ctx.nheld > 0);
    sl_tx_fini(&f->w.tx);
    assert_int_equal(f->w.ctx.nheld, 0);
    assert_int_equal(f->w.ctx.slots.used, 0);
    assert_int_equal(sl_steps_wait_us(&f->w.ctx, f->w.ctx.now_us), UINT64_MAX);
}

/* A replay would only make the queue longer. */
static void a_replay_goes_on_when_there_is_room(void **state)
{
    struct fix *f = *state;
    size_t steps = 0;

    SL_ASSUME(worker);
    f->w.ctx.gop_us = 5000 * MS;
    f->w.ctx.gop_bytes = 1 << 20;
    f->w.tx.hold.pace.bps = 0;
    push(f, 0, 300, true);
    f->w.nout = 0;
    f->w.tx.hold.pace.bps = BPS;
    sl_sink_resume(f->s[0]);
    assert_true(f->s[0]->replay.on);
    for (; f->s[0]->replay.on || f->w.ctx.nheld; steps++) {
        assert_true(f->w.ctx.nheld < 3 * SL_REPLAY_MIN + 300 / SL_REPLAY_SHARE);
        pass(f, SL_STEP_US);
    }
    assert_int_equal(f->w.nout, 300);
    assert_true(steps > 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_frame_leaves_in_portions_in_its_order),
        TEST(audio_passes_by_and_numbers_count_what_leaves),
        TEST(resends_go_before_media),
        TEST(a_probe_takes_what_waits),
        TEST(without_a_limit_all_of_it_leaves),
        TEST(a_worker_holds_no_more_than_it_may),
        TEST(what_waits_goes_with_its_connection),
        TEST(a_replay_goes_on_when_there_is_room),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
