/* Audio and video stay together at the subscriber: what its sender reports say about packets that
 * were captured at one moment, with clocks that drift and start anywhere, over layer switches and
 * another publisher. */
#include "tests/unit/media/media_world.h"

#include "base/clock.h"

#define LIMIT_US 30000
#define NLAYERS  2

/* A publisher: RTP clocks of its streams with an offset and a drift each, and its wall clock. */
struct pub {
    struct sl_track *t[2]; /* audio, video */
    struct sl_mirror *m[2];
    uint64_t ntp_us;     /* wall clock at time 0 */
    double drift_ppm[2]; /* of the sampling clocks against its wall clock */
    uint32_t start[2][NLAYERS];
    uint32_t ssrc[2][NLAYERS];
    uint16_t seq[2][NLAYERS];
    uint64_t delay_us[2]; /* from capture to arrival: encoders and network */
    uint64_t first_sr_us; /* publishers report late sometimes */
};

struct sim {
    struct media_world w;
    struct pub pub[2];
    struct sl_sink *s[2];
    uint64_t t_us; /* since the start */
    /* The subscriber's view: its newest report of each stream. */
    bool has[2];
    uint64_t ntp_us[2];
    uint32_t ts[2];
    /* The newest packet: capture time by the true clock, and timestamp. */
    uint64_t capture_us[2];
    uint32_t out_ts[2];
    int from[2];
    int64_t worst_us;
    size_t measured;
};

static const uint32_t rate[2] = { 48000, 90000 };

static uint32_t ts_at(const struct pub *p, int kind, int layer, uint64_t t_us)
{
    double ticks = (double)t_us * rate[kind] / 1e6 * (1 + p->drift_ppm[kind] / 1e6);

    return p->start[kind][layer] + (uint32_t)(uint64_t)ticks;
}

static void pub_init(struct sim *s, int i) SL_ON_WORKER
{
    struct pub *p = &s->pub[i];

    for (int k = 0; k < 2; k++) {
        struct sl_media_line in = mw_line(k ? SL_KIND_VIDEO : SL_KIND_AUDIO, SL_DIR_RECV);
        sl_id id = (sl_id)(i * 2 + k + 1);

        in.nlayers = k ? NLAYERS : 0;
        assert_int_equal(sl_track_create(&s->w.ctx, id, &in, mw_ask_key, &s->w, &p->t[k]), 0);
        assert_int_equal(sl_mirror_create(&s->w.ctx, id, 0, &p->m[k]), 0);
        sl_track_join(p->t[k], p->m[k]);
        for (uint32_t l = 0; l < NLAYERS; l++) {
            p->ssrc[k][l] = 100u + (uint32_t)i * 10 + (uint32_t)k * 2 + l;
            p->start[k][l] = 0xffff0000u * l + 123456789u * (uint32_t)(i + 1) + (uint32_t)k;
        }
    }
    p->ntp_us = UINT64_C(3900000000000000) + (uint64_t)i * 7300000; /* 7.3 s wrong */
    p->drift_ppm[0] = i ? -80 : 100;
    p->drift_ppm[1] = i ? 60 : -50;
    p->delay_us[0] = 40000;
    p->delay_us[1] = i ? 70000 : 95000;
    p->first_sr_us = i ? 200000 : 900000;
}

static void subscriber_reports(struct sim *s) SL_ON_WORKER;

static void send(struct sim *s, int i, int kind, int layer, bool key) SL_ON_WORKER
{
    struct pub *p = &s->pub[i];
    struct sl_sink *sink = s->s[kind];
    struct sl_pkt *pkt;
    size_t before = s->w.nout;
    uint64_t capture_us = s->t_us - p->delay_us[kind];

    if (s->t_us < p->delay_us[kind])
        return;
    pkt = mw_pkt(&s->w, p->t[kind], p->ssrc[kind][layer], ++p->seq[kind][layer],
                 ts_at(p, kind, layer, capture_us), key);
    pkt->layer = (uint8_t)layer;
    mw_push_pkt(&s->w, p->t[kind], pkt, false);
    mw_take(&s->w.tx);
    if (s->w.nout > before) {
        assert_int_equal(mw_ssrc(&s->w, before), sink->ssrc);
        s->capture_us[kind] = capture_us;
        s->out_ts[kind] = mw_ts(&s->w, before);
        s->from[kind] = i;
    }
    s->w.nout = 0;
    if (s->w.tx.report_due) {
        s->w.tx.report_due = false;
        subscriber_reports(s);
    }
}

static void publisher_reports(struct sim *s, int i) SL_ON_WORKER
{
    struct pub *p = &s->pub[i];

    for (int k = 0; k < 2; k++)
        for (int l = 0; l < (k ? NLAYERS : 1); l++) {
            struct sl_source *src = &p->t[k]->source[l];
            struct sl_rtcp_sr sr = { .ssrc = src->ssrc,
                                     .ntp = sl_ntp_from_us(p->ntp_us + s->t_us),
                                     .rtp_ts = ts_at(p, k, l, s->t_us) };

            if (src->ssrc)
                (void)sl_sr_src_on_sr(&src->sr, &sr, sl_ts_peek(&src->ts, sr.rtp_ts),
                                      s->w.ctx.now_us);
        }
}

static void subscriber_reports(struct sim *s) SL_ON_WORKER
{
    for (int k = 0; k < 2; k++) {
        uint8_t buf[128];
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));
        struct sl_rtcp_sr sr;
        struct sl_rtcp_rb rb[1];
        struct sl_rtcp_pkt pkt;
        struct sl_rtcp_it it;

        sl_sink_write_sr(s->s[k], &w, sl_ntp_from_us(UINT64_C(3800000000000000) + s->t_us));
        it = sl_rtcp_begin(buf, sl_writer_len(&w));
        if (sl_rtcp_next(&it, &pkt) <= 0)
            continue;
        assert_true(sl_rtcp_sr_parse(&pkt, &sr, rb, 1) >= 0);
        s->has[k] = true;
        s->ntp_us[k] = sl_us_from_ntp(sr.ntp);
        s->ts[k] = sr.rtp_ts;
    }
}

/* When the subscriber believes that the newest packet was captured. */
static int64_t believed_us(const struct sim *s, int k)
{
    int64_t ticks = (int32_t)(s->out_ts[k] - s->ts[k]);

    return (int64_t)s->ntp_us[k] + ticks * 1000000 / (int64_t)rate[k];
}

static void measure(struct sim *s)
{
    int64_t off[2], d;

    if (!s->has[0] || !s->has[1] || s->from[0] != s->from[1])
        return;
    for (int k = 0; k < 2; k++)
        off[k] = believed_us(s, k) - (int64_t)s->capture_us[k];
    d = off[0] > off[1] ? off[0] - off[1] : off[1] - off[0];
    s->measured++;
    if (d > s->worst_us)
        s->worst_us = d;
    if (d > LIMIT_US)
        fail_msg("audio and video are %lld us apart at %llu us", (long long)d,
                 (unsigned long long)s->t_us);
}

static void start(struct sim *s) SL_ON_WORKER
{
    memset(s, 0, sizeof(*s));
    mw_init(&s->w);
    for (int i = 0; i < 2; i++)
        pub_init(s, i);
    for (int k = 0; k < 2; k++) {
        struct sl_media_line out = mw_line(k ? SL_KIND_VIDEO : SL_KIND_AUDIO, SL_DIR_SEND);

        out.tx_ssrc += (uint32_t)k;
        assert_int_equal(sl_sink_create(&s->w.ctx, &s->w.tx, 9, &out, &s->s[k]), 0);
    }
}

static void watch(struct sim *s, int i, int k) SL_ON_WORKER
{
    if (sl_sink_mirror(s->s[k]))
        sl_mirror_del(sl_sink_mirror(s->s[k]), s->s[k]);
    assert_int_equal(sl_mirror_add(s->pub[i].m[k], s->s[k]), 0);
    sl_sink_set_source(s->s[k], k ? NLAYERS : 1, false);
}

static void end(struct sim *s) SL_ON_WORKER
{
    print_message("worst=%lld us of %zu measurements\n", (long long)s->worst_us, s->measured);
    for (int k = 0; k < 2; k++) {
        if (sl_sink_mirror(s->s[k]))
            sl_mirror_del(sl_sink_mirror(s->s[k]), s->s[k]);
        sl_sink_destroy(s->s[k]);
        for (int i = 0; i < 2; i++) {
            sl_track_join(s->pub[i].t[k], NULL);
            sl_mirror_destroy(s->pub[i].m[k]);
            sl_track_destroy(s->pub[i].t[k]);
        }
    }
    mw_fini(&s->w);
}

/* Both publishers send; key frames come every two seconds. */
static void run(struct sim *s, uint64_t for_us) SL_ON_WORKER
{
    uint64_t until = s->t_us + for_us;

    for (; s->t_us < until; s->t_us += 1000, s->w.ctx.now_us += 1000) {
        for (int i = 0; i < 2; i++) {
            uint64_t t = s->t_us + (uint64_t)i * 7000;

            if (t % 20000 == 0)
                send(s, i, 0, 0, false);
            for (int l = 0; l < NLAYERS && t % 33000 == 0; l++)
                send(s, i, 1, l, t % 1980000 == 0);
            if (s->t_us >= s->pub[i].first_sr_us &&
                (s->t_us - s->pub[i].first_sr_us) % 1000000 == 0)
                publisher_reports(s, i);
        }
        if (s->t_us % 1000000 == 400000)
            subscriber_reports(s);
        measure(s);
    }
}

static void clocks_that_drift_stay_together(void **state)
{
    struct sim s;

    (void)state;
    SL_ASSUME(worker);
    start(&s);
    watch(&s, 0, 0);
    watch(&s, 0, 1);
    run(&s, 120000000);
    assert_true(s.measured > 50000);
    end(&s);
}

static void a_switch_of_layers_keeps_them_together(void **state)
{
    struct sl_layer_wish wish = SL_LAYER_WISH_INIT;
    struct sim s;

    (void)state;
    SL_ASSUME(worker);
    start(&s);
    watch(&s, 0, 0);
    watch(&s, 0, 1);
    for (int n = 0; n < 10; n++) {
        wish.substream = (int8_t)(n % 2);
        sl_sink_set_wish(s.s[1], &wish);
        run(&s, 5300000);
        assert_int_equal(s.s[1]->layers.cur_sub, n % 2);
    }
    end(&s);
}

static void another_publisher_keeps_them_together(void **state)
{
    struct sim s;

    (void)state;
    SL_ASSUME(worker);
    start(&s);
    for (int n = 0; n < 10; n++) {
        watch(&s, n % 2, 0);
        watch(&s, n % 2, 1);
        run(&s, 700000); /* audio goes on at once, video waits for a key frame */
        run(&s, 6600000);
    }
    assert_true(s.measured > 30000);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_drift_stay_together),
        cmocka_unit_test(a_switch_of_layers_keeps_them_together),
        cmocka_unit_test(another_publisher_keeps_them_together),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
