/* What a subscriber's path has room for: what layers cost, what is granted, padding for probes. */
#include "tests/unit/media/media_world.h"

struct fix {
    struct media_world w;
    uint16_t seq;
};

static void fix_init(struct fix *f, uint8_t nlayers) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    memset(f, 0, sizeof(*f));
    in.nlayers = nlayers;
    mw_init(&f->w);
    mw_connect(&f->w, &in, &out, false);
}

/* Layer i sends 25 << i packets of 52 bytes a second; key frames first, and when @key. */
static void play(struct fix *f, int ms, bool key) SL_ON_WORKER
{
    for (int i = 0; i < ms / 10; i++) {
        f->w.ctx.now_us += 10000;
        for (uint8_t l = 0; l < f->w.t->nlayers; l++)
            if (f->seq % (4 >> l) == 0)
                mw_push_layer(&f->w, f->w.t, l, (uint16_t)(f->seq / (4 >> l)), f->seq * 900u,
                              key || f->seq == 0);
        f->seq++;
        mw_flush(&f->w);
        f->w.nout = 0;
    }
}

static void layers_cost_what_they_bring(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    assert_true(sl_sink_bid(f.w.s));
    assert_true(f.w.s->alloc.bps[0][0] == 0); /* not known yet */
    assert_int_equal(f.w.s->alloc.max_sub, 2);
    play(&f, 3000, false);
    assert_true(sl_sink_bid(f.w.s));
    for (int l = 0; l < 3; l++) {
        double want = (25 << l) * 52 * 8;

        assert_true(f.w.s->alloc.bps[l][2] > 0.9 * want);
        assert_true(f.w.s->alloc.bps[l][2] < 1.1 * want);
        assert_true(f.w.s->alloc.bps[l][0] == f.w.s->alloc.bps[l][2]); /* no temporal layers */
    }
    assert_true(sl_sink_cost(f.w.s, false) == f.w.s->alloc.bps[0][2]);
    assert_true(sl_sink_cost(f.w.s, true) == 0); /* its packets have no numbers */
    f.w.s->ext[SL_EXT_TWCC] = 3;
    assert_true(sl_sink_cost(f.w.s, true) == f.w.s->alloc.bps[0][2]);
    f.w.ctx.now_us += SL_RATES_STALE_US + SL_RATES_WINDOW_US;
    assert_true(sl_sink_bid(f.w.s));
    assert_true(f.w.s->alloc.bps[2][2] == 0);
    sl_sink_set_paused(f.w.s, true);
    assert_false(sl_sink_bid(f.w.s));
    assert_true(sl_sink_cost(f.w.s, false) == 0);
    mw_fini(&f.w);
}

/* Another worker sends at once what it has of the last second: nobody pays for that again. */
static void what_came_before_is_no_rate(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    for (uint16_t i = 0; i < 400; i++) {
        struct sl_pkt *p = mw_pkt(&f.w, f.w.t, 0x11111111, i, i * 90u, i == 0);

        p->codec = SL_CODEC_VP8; /* what a track fills in */
        p->is_opaque = p->dd.present = p->dd.known = false;
        p->epoch = 0;
        p->rx_us = 0;
        p->capture_us = 0;
        p->seq = 65536u + i;
        p->ts = i * 90u;
        p->arrival_us = f.w.ctx.now_us - 400000 + i * 1000u;
        sl_mirror_push(f.w.m, p);
        sl_pkt_unref(p);
    }
    sl_mirrors_fan_out(&f.w.ctx);
    f.seq = 400;
    play(&f, 400, false);
    assert_true(sl_sink_bid(f.w.s));
    assert_true(f.w.s->alloc.bps[0][2] > 0);
    assert_true(f.w.s->alloc.bps[0][2] < 1.2 * 25 * 52 * 8);
    mw_fini(&f.w);
}

static void what_is_granted_is_a_maximum(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    play(&f, 500, false);
    assert_int_equal(f.w.s->layers.cur_sub, 2);
    assert_true(sl_sink_bid(f.w.s));
    f.w.s->alloc.sub = 1;
    sl_sink_grant(f.w.s);
    assert_int_equal(sl_layers_target_tid(&f.w.s->layers), 0); /* until the key frame comes */
    play(&f, 40, true);
    assert_int_equal(f.w.s->layers.cur_sub, 1);
    assert_int_equal(sl_layers_target_tid(&f.w.s->layers), 2);
    sl_sink_set_source(f.w.s, 3, false); /* another publisher on the same path */
    assert_int_equal(sl_layers_target_sub(&f.w.s->layers), 1);
    mw_fini(&f.w);
}

/* A replay would be over before the next allocation. */
static void a_new_one_begins_with_what_is_free(void **state)
{
    static const struct {
        double free_bps;
        int sub;
    } t[] = { { 50000, 2 }, { 30000, 1 }, { 12000, 0 }, { -5000, 0 } };

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
        struct sl_sink *s;
        struct fix f;

        fix_init(&f, 3); /* 10, 21 and 42 kbit/s */
        play(&f, 3000, false);
        f.w.tx.path.why = "probed";
        f.w.tx.path.free_bps = t[i].free_bps;
        out.tx_ssrc++;
        assert_int_equal(sl_sink_create(&f.w.ctx, &f.w.tx, 3, &out, &s), 0);
        assert_int_equal(sl_mirror_add(f.w.m, s), 0);
        sl_sink_set_source(s, 3, false);
        assert_int_equal(sl_layers_target_sub(&s->layers), t[i].sub);
        assert_false(s->starved); /* who gives way is not decided here */
        assert_true(f.w.tx.path.free_bps < t[i].free_bps - 9000);
        sl_mirror_del(f.w.m, s);
        sl_sink_destroy(s);
        mw_fini(&f.w);
    }
}

static void a_starved_video_pauses_and_resumes_with_a_key_frame(void **state)
{
    struct fix f;
    uint64_t before;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 3);
    play(&f, 500, false);
    assert_true(sl_sink_bid(f.w.s));
    f.w.s->alloc.sub = f.w.s->alloc.tid = SL_ALLOC_PAUSED;
    sl_sink_grant(f.w.s);
    before = f.w.s->packets;
    play(&f, 500, true);
    assert_int_equal(f.w.s->packets, before);
    assert_int_equal(f.w.s->drops[SL_DROP_BANDWIDTH], 25 / 2 + 25 + 50);
    f.w.s->alloc.sub = f.w.s->alloc.tid = 2;
    sl_sink_grant(f.w.s);
    play(&f, 100, false);
    assert_int_equal(f.w.s->packets, before); /* not in the middle */
    play(&f, 100, true);
    assert_true(f.w.s->packets > before);
    mw_fini(&f.w);
}

static void padding_is_recent_packets_again(void **state)
{
    struct sl_media_line plain = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f, 1);
    assert_int_equal(sl_sink_pad(f.w.s, 1000), 0); /* nothing was sent yet */
    play(&f, 1000, true);
    assert_in_range(sl_sink_pad(f.w.s, 500), 500, 552);
    mw_flush(&f.w);
    assert_int_equal(f.w.nout, 10);
    for (size_t i = 0; i < f.w.nout; i++) {
        assert_int_equal(mw_ssrc(&f.w, i), 0x33333333);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(mw_seq(&f.w, i), mw_seq(&f.w, k));
    }
    assert_int_equal(f.w.s->resent, 0); /* nobody missed them */
    assert_true(sl_sink_pad(f.w.s, 1000000) <= SL_SINK_PAD_MAX * 52);
    mw_flush(&f.w);
    f.w.s->alloc.sub = f.w.s->alloc.tid = SL_ALLOC_PAUSED;
    sl_sink_grant(f.w.s);
    f.w.nout = 0;
    assert_in_range(sl_sink_pad(f.w.s, 1000), 1000, 1300);
    mw_flush(&f.w);
    for (size_t i = 0; i < f.w.nout; i++) {
        struct sl_rtp rtp;

        assert_int_equal(mw_ssrc(&f.w, i), 0x33333333);
        assert_int_equal(sl_rtp_parse(f.w.out[i].data, f.w.out[i].len, &rtp), 0);
        assert_int_equal(rtp.payload_len, 0);
    }
    plain.tx_rtx_ssrc = 0;
    sl_sink_configure(f.w.s, &plain);
    assert_int_equal(sl_sink_pad(f.w.s, 1000), 0); /* the same number twice would say nothing */
    mw_fini(&f.w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_cost_what_they_bring),
        cmocka_unit_test(what_came_before_is_no_rate),
        cmocka_unit_test(what_is_granted_is_a_maximum),
        cmocka_unit_test(a_new_one_begins_with_what_is_free),
        cmocka_unit_test(a_starved_video_pauses_and_resumes_with_a_key_frame),
        cmocka_unit_test(padding_is_recent_packets_again),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
