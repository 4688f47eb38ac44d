/* Redundant audio made for a subscriber who loses packets. */
#include "tests/unit/media/media_world.h"

#include "rtp/rtp_red.h"

#define OPUS 111
#define RED  63

static void begin(struct media_world *w) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(SL_KIND_AUDIO, SL_DIR_RECV);
    struct sl_media_line out = mw_line(SL_KIND_AUDIO, SL_DIR_SEND);

    out.red_pt = RED;
    mw_init(w);
    mw_connect(w, &in, &out, false);
}

static void loss(struct media_world *w, uint8_t fraction, int reports) SL_ON_WORKER
{
    struct sl_rtcp_rb rb = { .fraction = fraction };

    while (reports-- > 0)
        sl_sink_on_rb(w->s, &rb);
}

/* A packet whose payload is its number, @len times. */
static void send(struct media_world *w, uint16_t seq, uint32_t ts, uint16_t len) SL_ON_WORKER
{
    struct sl_pkt *p = mw_pkt(w, w->t, 0x11111111, seq, ts, false);

    p->rtp.payload_len = len;
    p->len = (uint16_t)(p->rtp.payload_off + len);
    memset(p->data + p->rtp.payload_off, seq, len);
    w->ctx.now_us += 20000;
    mw_push_pkt(w, w->t, p, false);
    mw_flush(w);
}

/* The newest one is plain, or RED of these blocks: pairs of number and ticks back, oldest first. */
static void expect(const struct media_world *w, uint8_t pt, size_t n, const int (*want)[2])
{
    const struct mw_out *o = &w->out[w->nout - 1];
    struct sl_red red;

    assert_int_equal(o->data[1] & 0x7f, pt);
    if (pt == OPUS)
        return;
    assert_int_equal(sl_red_parse(o->data + SL_RTP_HDR, o->len - SL_RTP_HDR, &red), 0);
    assert_int_equal(red.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(red.block[i].pt, OPUS);
        assert_int_equal(red.block[i].ts_back, want[i][1]);
        assert_int_equal(o->data[SL_RTP_HDR + red.block[i].off], want[i][0]);
    }
}
#define EXPECT_RED(w, ...)                                                                         \
    expect(w, RED, sizeof((const int[][2]){ __VA_ARGS__ }) / sizeof(int[2]),                       \
           (const int[][2]){ __VA_ARGS__ })
#define EXPECT_PLAIN(w) expect(w, OPUS, 0, NULL)

static void packets_of_before_go_along_while_there_is_loss(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w);
    send(&w, 1, 960, 60);
    loss(&w, 20, 1); /* one report may be chance */
    send(&w, 2, 1920, 60);
    EXPECT_PLAIN(&w);
    loss(&w, 20, 1);
    send(&w, 3, 2880, 60);
    EXPECT_PLAIN(&w); /* nothing was kept yet */
    send(&w, 4, 3840, 60);
    EXPECT_RED(&w, { 3, 960 }, { 4, 0 });
    loss(&w, 60, 2); /* heavy: two go along */
    send(&w, 5, 4800, 60);
    EXPECT_RED(&w, { 3, 1920 }, { 4, 960 }, { 5, 0 });
    send(&w, 7, 6720, 60); /* one was lost on the way to us */
    EXPECT_RED(&w, { 4, 2880 }, { 5, 1920 }, { 7, 0 });
    send(&w, 6, 5760, 60); /* late; it is none that later ones build on */
    EXPECT_PLAIN(&w);
    send(&w, 8, 7680, 60);
    EXPECT_RED(&w, { 5, 2880 }, { 7, 960 }, { 8, 0 });

    loss(&w, 10, SL_RED_REPORTS_DOWN); /* better, one step at a time */
    send(&w, 9, 8640, 60);
    EXPECT_RED(&w, { 8, 960 }, { 9, 0 });
    loss(&w, 5, 50); /* neither way */
    send(&w, 10, 9600, 60);
    EXPECT_RED(&w, { 9, 960 }, { 10, 0 });
    loss(&w, 0, SL_RED_REPORTS_DOWN - 1);
    loss(&w, 6, 1);
    loss(&w, 0, SL_RED_REPORTS_DOWN - 1);
    send(&w, 11, 10560, 60);
    EXPECT_RED(&w, { 10, 960 }, { 11, 0 });
    loss(&w, 0, 1);
    send(&w, 12, 11520, 60);
    EXPECT_PLAIN(&w);
    for (size_t i = 1; i < w.nout; i++) /* whatever they are, they are numbered alike */
        if (i != 5 && i != 6)
            assert_true((uint16_t)(mw_seq(&w, i) - mw_seq(&w, i - 1)) <= 2);
    assert_int_equal(w.s->red.packets, 7);
    mw_fini(&w);
}

static void what_does_not_fit_is_left_out(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w);
    loss(&w, 60, 2);
    send(&w, 1, 960, 60);
    send(&w, 2, 960 + SL_RED_BACK_MAX, 60);
    EXPECT_RED(&w, { 1, SL_RED_BACK_MAX }, { 2, 0 });
    send(&w, 3, 960 + 2 * SL_RED_BACK_MAX + 1, 60); /* a pause: too long ago */
    EXPECT_PLAIN(&w);
    send(&w, 4, 40000, 500);
    send(&w, 5, 40960, 490);
    EXPECT_RED(&w, { 4, 960 }, { 5, 0 }); /* not three of them */
    send(&w, 6, 41920, 520);
    EXPECT_PLAIN(&w);
    send(&w, 7, 42880, 1100);
    EXPECT_PLAIN(&w);
    assert_int_equal(w.out[w.nout - 1].len, SL_RTP_HDR + 1100);
    mw_fini(&w);
}

static void another_source_and_a_gate_begin_anew(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w);
    loss(&w, 20, 2);
    send(&w, 1, 960, 60);
    send(&w, 2, 1920, 60);
    EXPECT_RED(&w, { 1, 960 }, { 2, 0 });
    sl_track_set_gate(w.t, true);
    send(&w, 3, 2880, 60);
    sl_track_set_gate(w.t, false);
    send(&w, 4, 3840, 60); /* nobody hears what was said before */
    EXPECT_PLAIN(&w);
    send(&w, 5, 4800, 60);
    EXPECT_RED(&w, { 4, 960 }, { 5, 0 });
    sl_mirror_del(w.m, w.s);
    assert_int_equal(sl_mirror_add(w.m, w.s), 0);
    sl_sink_set_source(w.s, 1, false);
    send(&w, 6, 5760, 60);
    EXPECT_PLAIN(&w);
    mw_fini(&w);
}

static void only_who_has_it_gets_it_and_not_twice(void **state)
{
    struct sl_media_line plain = mw_line(SL_KIND_AUDIO, SL_DIR_SEND);
    struct sl_pkt *p;
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w);
    loss(&w, 20, 2);
    send(&w, 1, 960, 60);
    p = mw_pkt(&w, w.t, 0x11111111, 2, 1920, false); /* the publisher's own */
    p->red_off = 5;
    mw_push_pkt(&w, w.t, p, false);
    mw_flush(&w);
    assert_int_equal(w.out[1].data[1] & 0x7f, RED);
    assert_int_equal(w.out[1].len, SL_RTP_HDR + 40);
    w.t->is_e2ee = true; /* a payload is decrypted as one */
    send(&w, 3, 2880, 60);
    EXPECT_PLAIN(&w);
    w.t->is_e2ee = false;
    sl_sink_configure(w.s, &plain);
    loss(&w, 60, 10);
    send(&w, 4, 3840, 60);
    send(&w, 5, 4800, 60);
    EXPECT_PLAIN(&w);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_before_go_along_while_there_is_loss),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(another_source_and_a_gate_begin_anew),
        cmocka_unit_test(only_who_has_it_gets_it_and_not_twice),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
