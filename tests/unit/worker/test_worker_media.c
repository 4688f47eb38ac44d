/* Media over two workers in less common orders: late m-lines, simulcast, a stuck worker, many
 * SSRCs. */
#include "tests/unit/worker/worker_world.h"

/* The publisher's m-line is off when the subscriber comes, and is switched on later. */
static void a_track_made_later_is_forwarded(unsigned int from, unsigned int to) SL_ON_WORKER
{
    struct rtc_client pub, sub;
    sl_id p = join(&pub, from, SL_DIR_INACTIVE);
    sl_id s = join(&sub, to, SL_DIR_SEND);

    route(p, s);
    settle();
    post_media(p, make_media(SL_DIR_RECV));
    settle();
    send_video(&pub, 1, 0, true);
    send_video(&pub, 2, 3000, false);
    await_rtp(&sub, SSRC_OUT, 2);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 2);
    leave(&pub, p);
    leave(&sub, s);
}

static void a_track_made_later_is_forwarded_here(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    a_track_made_later_is_forwarded(0, 0);
}

static void a_track_made_later_is_forwarded_elsewhere(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    a_track_made_later_is_forwarded(0, 1);
}

static void a_route_that_comes_before_its_m_line_waits_for_nobody(void **state)
{
    struct rtc_client pub, sub;
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_INACTIVE);
    route(p, s); /* nothing to route to; control sends it again after the m-lines */
    post(sl_wmsg_new(SL_WMSG_ROUTE_PAUSE, s, 0));
    post(sl_wmsg_new(SL_WMSG_ROUTE_LAYERS, s, 0));
    post(sl_wmsg_new(SL_WMSG_ROUTE_DEL, s, 0));
    post_media(s, make_media(SL_DIR_SEND));
    route(p, s);
    settle();
    send_video(&pub, 1, 0, true);
    await_rtp(&sub, SSRC_OUT, 1);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 1);
    leave(&pub, p);
    leave(&sub, s);
}

static void reports_before_the_m_lines_name_nothing(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    id = open_pc(&c, 0);
    assert_true(rtc_connect(&c));
    send_video(&c, 1, 0, true);
    assert_true(await_rtcp(&c, SL_RTCP_RR, 255));
    leave(&c, id);
}

/* ---- renegotiation ------------------------------------------------------------------------- */

static void a_line_that_comes_back_goes_on_and_a_recycled_one_begins(void **state)
{
    struct rtc_client pub, sub;
    struct sl_media *media;
    uint16_t seqs[64];
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 1, SL_DIR_SEND);
    route(p, s);
    settle();
    send_video(&pub, 1, 0, true);
    send_video(&pub, 2, 3000, false);
    assert_int_equal(await_rtp(&sub, SSRC_OUT, 2), 2);
    post_media(s, make_media(SL_DIR_INACTIVE));
    settle();
    send_video(&pub, 3, 6000, false);
    settle();
    post_media(s, make_media(SL_DIR_SEND));
    route(p, s);
    settle();
    send_video(&pub, 4, 9000, false); /* builds on one that did not go out */
    send_video(&pub, 5, 12000, true);
    await_rtp(&sub, SSRC_OUT, 3);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, seqs, NULL), 3);
    assert_int_equal((uint16_t)(seqs[1] - seqs[0]), 1);
    assert_int_equal((uint16_t)(seqs[2] - seqs[1]), 1);
    media = make_media(SL_DIR_SEND);
    media->line[0].tx_ssrc = 0x44444444;
    media->line[0].tx_rtx_ssrc = 0x55555555;
    send_video(&pub, 6, 15000, false);
    post_media(s, media);
    route(p, s);
    settle();
    send_video(&pub, 7, 18000, true);
    await_rtp(&sub, 0x44444444, 1);
    assert_int_equal(count_rtp(&sub, 0x44444444, NULL, NULL), 1);
    assert_int_equal(sub.unreadable, 0);
    leave(&pub, p);
    leave(&sub, s);
}

static void a_pause_ends_with_its_route(void **state)
{
    struct rtc_client pub, sub;
    struct sl_wmsg *m;
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_SEND);
    route(p, s);
    m = sl_wmsg_new(SL_WMSG_ROUTE_PAUSE, s, 0);
    m->flag = true;
    post(m);
    settle();
    send_video(&pub, 1, 0, true);
    settle();
    rtc_poll(&sub, 0);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 0);
    post(sl_wmsg_new(SL_WMSG_ROUTE_DEL, s, 0));
    route(p, s);
    settle();
    send_video(&pub, 2, 3000, true);
    await_rtp(&sub, SSRC_OUT, 1);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 1);
    leave(&pub, p);
    leave(&sub, s);
}

/* ---- simulcast ------------------------------------------------------------------------------- */

static void send_layer(struct rtc_client *c, uint8_t layer, uint16_t seq, bool key) SL_ON_WORKER
{
    uint8_t p[200] = { 0 };
    uint8_t *d = p + SL_RTP_HDR;

    sl_rtp_write_header(p, true, VIDEO_PT, seq, seq * 3000u, SSRC_IN + layer);
    memcpy(d, "\x90\x80\x80\x00\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01", 14);
    sl_put16(d + 2, 0x8000 | (seq & 0x7fff));
    d[4] = key ? 0x10 : 0x11;
    sl_put16(d + 20, (uint16_t)(layer << 12 | (seq & 0xfff)));
    rtc_send_rtp(c, p, sizeof(p));
}

static void wish(sl_id s, int8_t substream)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_LAYERS, s, 0);

    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    m->route.wish.substream = substream;
    post(m);
}

/* Waits until the last that was told of @p is @layer. */
static bool is_watched(sl_id p, int layer)
{
    int last = -1;

    for (int i = 0; i < 200 && last != layer; i++) {
        usleep(100000);
        pthread_mutex_lock(&world.lock);
        for (size_t k = 0; k < world.nreports; k++)
            if (world.reports[k].type == SL_REPORT_WATCHED && world.reports[k].pc == p)
                last = world.reports[k].watched;
        pthread_mutex_unlock(&world.lock);
    }
    return last == layer;
}

static void simulcast_layers_are_switched_without_a_gap(void **state)
{
    struct rtc_client pub, sub;
    struct sl_media *media = make_media(SL_DIR_RECV);
    struct sl_wmsg *m;
    uint16_t seqs[256], marks[256], seq = 0;
    size_t n;
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 1, SL_DIR_SEND);
    media->line[0].nlayers = 3;
    for (uint32_t l = 0; l < 3; l++)
        media->line[0].ssrc[l] = SSRC_IN + l;
    post_media(p, media);
    m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, s, 0);
    m->route.from = p;
    m->route.nlayers = 3;
    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    m->route.wish.substream = 0;
    post(m);
    settle();
    for (int8_t want = 0; want < 4; want++) {
        int8_t layer = want == 3 ? 1 : want;

        wish(s, layer);
        settle();
        sub.nreceived = 0;
        for (int i = 0; i < 20; i++, seq++) {
            for (uint8_t l = 0; l < 3; l++)
                send_layer(&pub, l, (uint16_t)(seq + l * 1000), i == 5);
            rtc_poll(&sub, 2);
        }
        (void)await_rtp(&sub, SSRC_OUT, want == 0 ? 15 : 20);
        settle();
        rtc_poll(&sub, 0);
        n = count_rtp(&sub, SSRC_OUT, seqs, marks);
        /* Nothing before the first key frame; a switch upwards may give a frame of each layer. */
        assert_in_range(n, want == 0 ? 15 : 20, want == 0 ? 15 : 21);
        for (size_t i = 1; i < n; i++)
            assert_int_equal((uint16_t)(seqs[i] - seqs[i - 1]), 1);
        assert_int_equal(marks[n - 1] >> 12, layer);
        assert_int_equal(sub.unreadable, 0);
    }
    assert_true(has_report(SL_REPORT_LAYER, s));
    assert_true(is_watched(p, 1)); /* the last wish, of another worker */
    wish(s, 2);
    assert_true(is_watched(p, 2));
    leave(&pub, p);
    leave(&sub, s);
}

/* ---- a stuck worker -------------------------------------------------------------------------- */

#define BURSTS 110
#define BURST  50

static void a_stuck_worker_costs_only_itself(void **state)
{
    struct rtc_client pub, near, far;
    sl_id p, n, f;
    uint16_t seq = 0;
    size_t got = 0, want = 0;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    n = join(&near, 0, SL_DIR_SEND);
    f = join(&far, 1, SL_DIR_SEND);
    route(p, n);
    route(p, f);
    settle();
    send_video(&pub, ++seq, 0, true);
    await_rtp(&far, SSRC_OUT, 1);
    assert_int_equal(count_rtp(&far, SSRC_OUT, NULL, NULL), 1);
    assert_int_equal(await_rtp(&near, SSRC_OUT, 1), 1);
    stick();
    for (int b = 0; b < BURSTS; b++) {
        near.nreceived = 0;
        for (int i = 0; i < BURST; i++, want++, seq++)
            send_video(&pub, (uint16_t)(seq + 1), seq * 3000u, false);
        got += await_rtp(&near, SSRC_OUT, BURST);
    }
    assert_int_equal(got, want);
    rtc_poll(&pub, 600); /* longer than requests are throttled */
    pub.nreceived = 0;
    far.nreceived = 0;
    let_go();
    assert_true(await_rtp(&far, SSRC_OUT, 1) > 0);
    settle();
    rtc_poll(&pub, 0);
    assert_false(got_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI));
    send_video(&pub, (uint16_t)(seq + 1), seq * 3000u, false); /* there is room again */
    assert_true(await_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI));
    leave(&pub, p);
    leave(&near, n);
    leave(&far, f);
}

/* A client may check as soon as it has the answer, when the worker has not read yet what was posted
 * before that; a second check would come 50 ms later. */
static void the_first_check_meets_a_worker_that_read_its_mail(void **state)
{
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    stick();
    id = open_pc(&c, 1);
    rtc_check(&c);
    let_go();
    for (int i = 0; i < 6000 && !c.checked; i++)
        rtc_poll(&c, 5);
    assert_true(c.checked);
    leave(&c, id);
}

/* ---- SSRCs ----------------------------------------------------------------------------------- */

/* A key frame that says its mid, under an SSRC that nobody announced. */
static void send_unknown(struct rtc_client *c, uint32_t ssrc) SL_ON_WORKER
{
    uint8_t p[200] = { 0 };
    uint8_t *d = p + SL_RTP_HDR;

    sl_rtp_write_header(p, true, VIDEO_PT, 1, 0, ssrc);
    p[0] |= SL_RTP_EXT;
    memcpy(d, "\xbe\xde\x00\x01\x30\x30\x00\x00", 8); /* id 3: "0" */
    memcpy(d + 8, "\x90\x80\x80\x01\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01", 14);
    rtc_send_rtp(c, p, sizeof(p));
}

static void ssrcs_are_bounded_but_never_run_out(void **state)
{
    struct rtc_client pub, sub;
    struct sl_media *media = make_media(SL_DIR_RECV);
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_SEND);
    media->line[0].ext[SL_EXT_MID] = 3;
    media->line[0].ssrc[0] = 0;
    post_media(p, media);
    route(p, s);
    settle();
    for (uint32_t i = 0; i < 80; i++) {
        send_unknown(&pub, 5000 + i);
        if (i % 20 == 19)
            rtc_poll(&sub, 20);
    }
    (void)await_rtp(&sub, SSRC_OUT, 63);
    settle();
    rtc_poll(&sub, 0);
    /* The one that was announced first has a place, too. */
    assert_in_range(count_rtp(&sub, SSRC_OUT, NULL, NULL), 63, 64);
    usleep(5100000); /* until they count as idle */
    sub.nreceived = 0;
    send_unknown(&pub, 9000);
    await_rtp(&sub, SSRC_OUT, 1);
    assert_int_equal(count_rtp(&sub, SSRC_OUT, NULL, NULL), 1);
    leave(&pub, p);
    leave(&sub, s);
}

/* ---- reports --------------------------------------------------------------------------------- */

#define LINES 40 /* more than one receiver report has room for */

/* Every block that came is counted at its source; false: a packet that does not begin with a
 * report. */
static bool count_blocks(const struct rtc_client *c, unsigned int seen[LINES]) SL_ON_WORKER
{
    memset(seen, 0, LINES * sizeof(*seen));
    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_rtcp_rb rb[SL_RTCP_RB_MAX];
        struct sl_rtcp_pkt pkt;
        uint32_t ssrc;

        while (c->received[i].is_rtcp && sl_rtcp_next(&it, &pkt) > 0) {
            int n = pkt.pt == SL_RTCP_RR ? sl_rtcp_rr_parse(&pkt, &ssrc, rb, SL_RTCP_RB_MAX) : 0;

            for (int b = 0; b < n; b++)
                if (rb[b].ssrc - SSRC_IN < LINES)
                    seen[rb[b].ssrc - SSRC_IN]++;
        }
        if (c->received[i].is_rtcp && c->received[i].data[1] != SL_RTCP_RR &&
            c->received[i].data[1] != SL_RTCP_SR && c->received[i].data[1] != SL_RTCP_PSFB)
            return false;
    }
    return true;
}

static bool saw_all(const unsigned int seen[LINES])
{
    for (size_t i = 0; i < LINES; i++)
        if (!seen[i])
            return false;
    return true;
}

static void every_source_is_reported_about(void **state)
{
    const uint64_t begin_us = sl_now_us();
    struct sl_media *one = make_media(SL_DIR_RECV);
    struct sl_media *m = calloc(1, sizeof(*m) + LINES * sizeof(m->line[0]));
    unsigned int seen[LINES] = { 0 }, may;
    struct rtc_client pub;
    sl_id p;

    (void)state;
    SL_ASSUME(worker);
    m->n = LINES;
    for (uint16_t i = 0; i < LINES; i++) {
        m->line[i] = one->line[0];
        m->line[i].mindex = i;
        m->line[i].ssrc[0] = SSRC_IN + i;
    }
    free(one);
    p = join(&pub, 0, SL_DIR_RECV);
    post_media(p, m);
    settle();
    for (uint32_t i = 0; i < LINES; i++) {
        uint8_t pkt[64] = { 0 };

        sl_rtp_write_header(pkt, true, VIDEO_PT, 1, 0, SSRC_IN + i);
        memcpy(pkt + SL_RTP_HDR, "\x90\x80\x80\x01\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01", 14);
        rtc_send_rtp(&pub, pkt, sizeof(pkt));
    }
    for (int i = 0; i < 300 && !saw_all(seen); i++) {
        rtc_poll(&pub, 100);
        assert_true(count_blocks(&pub, seen));
    }
    may = 3 + (unsigned int)((sl_now_us() - begin_us) / 1000000); /* they come once a second */
    for (size_t i = 0; i < LINES; i++)
        assert_in_range(seen[i], 1, may);
    leave(&pub, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_track_made_later_is_forwarded_here),
        cmocka_unit_test(a_track_made_later_is_forwarded_elsewhere),
        cmocka_unit_test(a_route_that_comes_before_its_m_line_waits_for_nobody),
        cmocka_unit_test(reports_before_the_m_lines_name_nothing),
        cmocka_unit_test(a_line_that_comes_back_goes_on_and_a_recycled_one_begins),
        cmocka_unit_test(a_pause_ends_with_its_route),
        cmocka_unit_test(simulcast_layers_are_switched_without_a_gap),
        cmocka_unit_test(a_stuck_worker_costs_only_itself),
        cmocka_unit_test(the_first_check_meets_a_worker_that_read_its_mail),
        cmocka_unit_test(ssrcs_are_bounded_but_never_run_out),
        cmocka_unit_test(every_source_is_reported_about),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
