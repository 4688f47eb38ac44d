/* Sources, packets and mirrors: numbering, duplicates, references. */
#include "tests/unit/media/media_world.h"

static struct sl_track *make(struct media_world *w) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_track *t = NULL;

    mw_init(w);
    assert_int_equal(sl_track_create(&w->ctx, 1, &in, mw_ask_key, w, &t), 0);
    return t;
}

static void numbers_are_told_once(void **state)
{
    static const struct {
        uint16_t seq;
        enum sl_drop want;
    } v[] = {
        { 65534, SL_DROP_NONE },      { 65534, SL_DROP_DUPLICATE },
        { 1, SL_DROP_NONE }, /* over the wrap */
        { 65535, SL_DROP_NONE },      { 0, SL_DROP_NONE },
        { 65535, SL_DROP_DUPLICATE }, { 2000, SL_DROP_NONE }, /* a jump past the whole window */
        { 1, SL_DROP_OLD },           { 977, SL_DROP_NONE },  /* the last one inside */
        { 976, SL_DROP_OLD },         { 977, SL_DROP_DUPLICATE },
    };
    struct media_world w;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w);
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        struct sl_pkt *p = mw_pkt(&w, t, 7, v[i].seq, 0, false);

        assert_int_equal(sl_source_push(&t->source[0], p, false, w.ctx.now_us), v[i].want);
        sl_pkt_unref(p);
    }
    sl_track_destroy(t);
    mw_fini(&w);
}

static void numbers_go_on_past_many_wraps(void **state)
{
    struct media_world w;
    struct sl_track *t;
    uint64_t last = 0;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w);
    for (uint32_t i = 0; i < 300000; i++) {
        struct sl_pkt *p = mw_pkt(&w, t, 7, (uint16_t)i, i * 100000u, false);

        assert_int_equal(sl_source_push(&t->source[0], p, false, w.ctx.now_us), SL_DROP_NONE);
        assert_true(i == 0 || p->seq == last + 1);
        last = p->seq;
        sl_pkt_unref(p);
    }
    sl_track_destroy(t);
    mw_fini(&w);
}

/* Streams that fell silent must not hold the packets that others need. */
static void caches_give_back_what_is_too_old(void **state)
{
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct sl_mirror *m = NULL;
    struct media_world w;
    struct sl_sink *s;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w);
    assert_int_equal(sl_mirror_create(&w.ctx, 1, 0, &m), 0);
    sl_track_join(t, m);
    assert_int_equal(sl_sink_create(&w.ctx, &w.tx, 2, &out, &s), 0);
    assert_int_equal(sl_mirror_add(m, s), 0);
    for (uint16_t i = 0; i < 400; i++) {
        w.ctx.now_us += 1000;
        mw_push(&w, t, i, i * 90u, false);
    }
    assert_int_equal(w.ctx.pkts.used, 400);
    w.ctx.now_us += SL_MIRROR_CACHE_US;
    mw_push(&w, t, 400, 36000, false);
    assert_in_range(w.ctx.pkts.used, 1, 2); /* the next packet already makes room */
    w.ctx.now_us += SL_MIRROR_CACHE_US + 1;
    sl_mirror_expire(m);
    assert_int_equal(w.ctx.pkts.used, 0); /* and time does without one */
    sl_mirror_del(m, s);
    sl_sink_destroy(s);
    sl_mirror_destroy(m);
    sl_track_destroy(t);
    mw_fini(&w);
}

static void a_jump_leaves_nothing_in_the_cache(void **state)
{
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct sl_mirror *m = NULL;
    struct media_world w;
    struct sl_sink *s;
    struct sl_track *t;

    (void)state;
    SL_ASSUME(worker);
    t = make(&w);
    assert_int_equal(sl_mirror_create(&w.ctx, 1, 0, &m), 0);
    sl_track_join(t, m);
    assert_int_equal(sl_sink_create(&w.ctx, &w.tx, 2, &out, &s), 0);
    assert_int_equal(sl_mirror_add(m, s), 0);
    for (uint16_t i = 0; i < 100; i++)
        mw_push(&w, t, i, 0, false);
    mw_push(&w, t, 20000, 0, false);
    w.ctx.now_us += SL_MIRROR_CACHE_US + 1;
    sl_mirror_expire(m);
    assert_int_equal(w.ctx.pkts.used, 0);
    sl_mirror_del(m, s);
    sl_sink_destroy(s);
    sl_mirror_destroy(m);
    sl_track_destroy(t);
    mw_fini(&w);
}

static void a_packet_lives_as_long_as_its_last_reference(void **state)
{
    struct media_world w;
    struct sl_pkt *p;

    (void)state;
    SL_ASSUME(worker);
    mw_init(&w);
    p = sl_pkt_get(&w.ctx.pkts);
    assert_non_null(p);
    assert_ptr_equal(sl_pkt_ref(p), p);
    sl_pkt_unref(p);
    assert_int_equal(w.ctx.pkts.used, 1);
    sl_pkt_unref(p);
    assert_int_equal(w.ctx.pkts.used, 0);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_told_once),
        cmocka_unit_test(numbers_go_on_past_many_wraps),
        cmocka_unit_test(caches_give_back_what_is_too_old),
        cmocka_unit_test(a_jump_leaves_nothing_in_the_cache),
        cmocka_unit_test(a_packet_lives_as_long_as_its_last_reference),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
