/* The size that a subscriber shows its video in, and what it is told of how that goes. */
#include "tests/unit/media/media_world.h"

#define SECOND UINT64_C(1000000)

struct fix {
    struct media_world w;
    struct sl_layer_wish wish;
    uint16_t n;
};

static void fix_init(struct fix *f) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    memset(f, 0, sizeof(*f));
    in.nlayers = SL_LAYERS_MAX;
    f->wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    mw_init(&f->w);
    mw_connect(&f->w, &in, &out, false);
}

/* 320x180, 640x360, 1280x720 of the first @nlayers at 50 frames a second; a key frame every 100 ms.
 */
static void play(struct fix *f, int ms, int nlayers) SL_ON_WORKER
{
    for (int i = 0; i < ms / 20; i++) {
        f->w.ctx.now_us += 20000;
        f->n++;
        for (uint8_t l = 0; l < nlayers; l++) {
            bool key = f->n % 5 == 1;
            struct sl_pkt *p = mw_pkt(&f->w, f->w.t, 0x11111111u + l, f->n, f->n * 1800u, key);

            p->layer = l;
            p->payload.width = (uint16_t)(key ? 320 << l : 0);
            p->payload.height = (uint16_t)(key ? 180 << l : 0);
            mw_push_pkt(&f->w, f->w.t, p, false);
        }
        sl_sink_tick(f->w.s);
        mw_flush(&f->w);
        f->w.nout = 0;
    }
}

static void show(struct fix *f, int width, int height) SL_ON_WORKER
{
    f->wish.width = width;
    f->wish.height = height;
    sl_sink_set_wish(f->w.s, &f->wish);
}

static void sends_no_larger_picture_than_is_shown(void **state)
{
    static const struct {
        int width, height, layer;
    } t[] = {
        { 1920, 1080, 2 }, { 1280, 720, 2 }, { 800, 450, 2 }, /* down: only where no more than a
                                                                 tenth is missing */
        { 700, 394, 1 },   { 800, 450, 1 }, /* up: only where more than a quarter is missing */
        { 860, 484, 2 },   { 360, 640, 1 }, /* turned */
        { 430, 240, 1 },   { 320, 180, 0 },  { 400, 225, 0 }, { 160, 90, 0 }, { 16384, 16384, 2 },
    };
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    play(&f, 400, 3);
    for (size_t i = 0; i < TEST_COUNT(t); i++) {
        show(&f, t[i].width, t[i].height);
        play(&f, 200, 3);
        assert_int_equal(f.w.s->layers.cur_sub, t[i].layer);
    }
    f.wish.substream = 1; /* the lower of the two counts */
    show(&f, 1280, 720);
    play(&f, 200, 3);
    assert_int_equal(f.w.s->layers.cur_sub, 1);
    mw_fini(&f.w);
}

static void sizes_that_are_told_early_count_when_they_are_known(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    show(&f, 320, 180);
    play(&f, 400, 3);
    assert_int_equal(f.w.s->layers.cur_sub, 0);
    mw_fini(&f.w);
}

static void what_is_not_shown_is_not_sent(void **state)
{
    struct fix f;
    uint64_t before;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    play(&f, 400, 3);
    show(&f, -1, -1);
    before = f.w.s->packets;
    play(&f, 400, 3);
    assert_int_equal(f.w.s->packets, before);
    assert_false(sl_sink_bid(f.w.s)); /* takes no part of the path */
    sl_sink_set_paused(f.w.s, true);
    show(&f, 640, 360);
    play(&f, 400, 3);
    assert_int_equal(f.w.s->packets, before); /* two reasons, one is left */
    sl_sink_set_paused(f.w.s, false);
    play(&f, 200, 3);
    assert_true(f.w.s->packets > before);
    assert_int_equal(f.w.s->layers.cur_sub, 1);
    mw_fini(&f.w);
}

static enum sl_reason reason(const struct fix *f) SL_ON_WORKER
{
    struct sl_quality q;

    assert_true(sl_sink_quality(f->w.s, &q));
    return q.reason;
}

static void says_why_it_is_not_more(void **state)
{
    struct fix f;
    struct sl_quality q;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    assert_false(sl_sink_quality(f.w.s, &q)); /* too early */
    play(&f, 1000, 2);
    assert_int_equal(reason(&f), SL_REASON_NOT_SENT);
    play(&f, 1600, 3);
    assert_int_equal(reason(&f), SL_REASON_ALL);
    show(&f, 320, 180);
    assert_int_equal(reason(&f), SL_REASON_SIZE);
    show(&f, -1, -1);
    assert_int_equal(reason(&f), SL_REASON_HIDDEN);
    show(&f, 0, 0);
    sl_sink_set_load(f.w.s, 1);
    play(&f, 200, 3);
    assert_true(sl_sink_quality(f.w.s, &q));
    assert_int_equal(q.reason, SL_REASON_LOAD);
    assert_int_equal(q.layer, 1);
    assert_int_equal(q.want_layer, 2);
    sl_sink_set_load(f.w.s, SL_LAYERS_MAX - 1);
    for (int i = 0; i < 10; i++)
        sl_sink_on_rb(f.w.s, &(struct sl_rtcp_rb){ .fraction = 26 });
    assert_int_equal(reason(&f), SL_REASON_LOSS);
    for (int i = 0; i < 10; i++)
        sl_sink_on_rb(f.w.s, &(struct sl_rtcp_rb){ .fraction = 0 });
    play(&f, 2500, 2);
    assert_int_equal(reason(&f), SL_REASON_LAYER_ENDED);
    f.n += 3; /* frames that never came */
    play(&f, 1000, 3);
    play(&f, 40, 3);
    assert_int_equal(reason(&f), SL_REASON_SENDER_LOSS);
    f.w.ctx.now_us += 10 * SECOND;
    assert_int_equal(reason(&f), SL_REASON_SILENT);
    /* A report answers ours of 0.2 s ago after 0.1 s. */
    sl_sr_sent_add(&f.w.s->sr_sent, UINT64_C(7) << 32, f.w.ctx.now_us);
    f.w.ctx.now_us += SECOND / 5;
    sl_sink_on_rb(f.w.s, &(struct sl_rtcp_rb){ .lsr = 7 << 16, .dlsr = 6554 });
    assert_int_equal(f.w.s->rtt.lsr, 7 << 16);
    assert_int_equal(f.w.s->rtt.dlsr, 6554);
    assert_in_range(f.w.s->rtt.ntp - f.w.s->rtt.lsr, 13106, 13107);
    mw_fini(&f.w);
}

static void changes_are_told_once_a_second_and_the_last_one_always(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    play(&f, 2000, 3);
    assert_int_equal(f.w.told, 0); /* nobody asked */
    f.wish.tell = 1;
    show(&f, 0, 0);
    play(&f, 20, 3);
    assert_int_equal(f.w.told, 1);
    assert_int_equal(f.w.quality.reason, SL_REASON_ALL);
    for (int i = 0; i < 41; i++) { /* back and forth, the last time down */
        f.wish.substream = (int8_t)(i % 3 == 0);
        show(&f, 0, 0);
        play(&f, 100, 3);
    }
    assert_in_range(f.w.told, 2, 5);
    play(&f, 1200, 3);
    assert_int_equal(f.w.quality.reason, SL_REASON_MAXIMUM);
    assert_int_equal(f.w.quality.layer, 0);
    assert_in_range(f.w.told, 2, 6);
    f.w.told = 0;
    play(&f, 5000, 3);
    assert_int_equal(f.w.told, 0); /* no news */
    f.wish.tell = 2;               /* asked anew */
    show(&f, 0, 0);
    play(&f, 20, 3);
    assert_int_equal(f.w.told, 1);
    mw_fini(&f.w);
}

static void the_track_hears_which_layers_are_wanted(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    play(&f, 400, 3);
    assert_int_equal(f.w.want, 2);
    f.w.wants = 0;
    play(&f, 1000, 3);
    sl_mirror_expire(f.w.m);
    assert_int_equal(f.w.wants, 0); /* no news */
    show(&f, 320, 180);
    assert_int_equal(f.w.wants, 0);
    sl_mirror_expire(f.w.m); /* less: once a second */
    assert_int_equal(f.w.want, 0);
    play(&f, 2500, 1); /* the publisher follows, which is nobody's fault */
    assert_int_equal(reason(&f), SL_REASON_SIZE);
    show(&f, 1280, 720); /* more: at once */
    assert_int_equal(f.w.want, 2);
    assert_int_equal(reason(&f), SL_REASON_NOT_SENT);
    show(&f, -1, -1);
    sl_mirror_expire(f.w.m);
    assert_int_equal(f.w.want, -1);
    mw_fini(&f.w);
}

static void the_publisher_is_told_less_late_and_more_at_once(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    sl_track_set_watched(f.w.t, 2);
    sl_track_set_watched(f.w.t, 0);
    f.w.ctx.now_us += SL_TRACK_UNWATCHED_US - 1;
    sl_track_tick(f.w.t);
    sl_track_set_watched(f.w.t, 1); /* meanwhile: what holds in the end counts */
    assert_int_equal(f.w.watches, 0);
    f.w.ctx.now_us += 1;
    sl_track_tick(f.w.t);
    sl_track_tick(f.w.t);
    assert_int_equal(f.w.watches, 1);
    assert_int_equal(f.w.watched, 1);
    sl_track_set_watched(f.w.t, 2);
    assert_int_equal(f.w.watches, 2);
    assert_int_equal(f.w.watched, 2);
    sl_track_set_watched(f.w.t, 0);
    f.w.ctx.now_us += SL_TRACK_UNWATCHED_US - 1;
    sl_track_set_watched(f.w.t, 2); /* back before it was told */
    f.w.ctx.now_us += SL_TRACK_UNWATCHED_US;
    sl_track_tick(f.w.t);
    assert_int_equal(f.w.watches, 2);
    mw_fini(&f.w);
}

/* Three spatial layers of one stream. */
static void of_svc_spatial_layers_are_wanted(void **state)
{
    struct fix f;

    (void)state;
    SL_ASSUME(worker);
    fix_init(&f);
    f.w.t->nlayers = 1;
    sl_sink_set_source(f.w.s, 1, true);
    for (uint16_t i = 0; i < 30; i++) {
        struct sl_pkt *p = mw_pkt(&f.w, f.w.t, 7, i, i / 3 * 3000u, i < 3);

        p->payload.has_sid = true;
        p->payload.sid = i % 3;
        p->payload.nspatial = i < 3 ? 3 : 0;
        p->payload.width = i < 3 ? 1280 : 0;
        p->payload.height = i < 3 ? 720 : 0;
        mw_push_pkt(&f.w, f.w.t, p, false);
    }
    show(&f, 640, 360);
    sl_mirror_expire(f.w.m);
    assert_int_equal(f.w.want, 1);
    sl_track_set_watched(f.w.t, 1);
    f.w.ctx.now_us += SL_TRACK_UNWATCHED_US;
    sl_track_tick(f.w.t);
    assert_int_equal(f.w.watched, 1);
    show(&f, 1280, 720);
    assert_int_equal(f.w.want, 2);
    sl_track_set_watched(f.w.t, 2);
    assert_int_equal(f.w.watched, 2);
    mw_fini(&f.w);
}

static void the_sizes_of_spatial_layers_halve(void **state)
{
    const struct sl_payload_info info = { .nspatial = 3, .width = 1280, .height = 720 };
    struct sl_sizes z = { 0 };

    (void)state;
    assert_int_equal(sl_sizes_enough(&z, 1, 1, 0), 2); /* nothing is known */
    sl_sizes_note(&z, 0, &info);
    assert_int_equal(z.width[0], 320);
    assert_int_equal(z.height[1], 360);
    assert_int_equal(sl_sizes_enough(&z, 640, 360, 2), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_no_larger_picture_than_is_shown),
        cmocka_unit_test(sizes_that_are_told_early_count_when_they_are_known),
        cmocka_unit_test(what_is_not_shown_is_not_sent),
        cmocka_unit_test(says_why_it_is_not_more),
        cmocka_unit_test(changes_are_told_once_a_second_and_the_last_one_always),
        cmocka_unit_test(the_track_hears_which_layers_are_wanted),
        cmocka_unit_test(the_publisher_is_told_less_late_and_more_at_once),
        cmocka_unit_test(of_svc_spatial_layers_are_wanted),
        cmocka_unit_test(the_sizes_of_spatial_layers_halve),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
