/* What one subscriber gets: numbering, switches, extensions, resends, reports. */
#include "tests/unit/media/media_world.h"

#include "base/clock.h"

static void begin(struct media_world *w, enum sl_kind kind) SL_ON_WORKER
{
    struct sl_media_line in = mw_line(kind, SL_DIR_RECV), out = mw_line(kind, SL_DIR_SEND);

    mw_init(w);
    mw_connect(w, &in, &out, false);
}

static void a_sink_that_goes_is_not_named_by_staged_packets(void **state)
{
    struct media_world w;
    struct sl_media_line plain = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    plain.rtx_pt = SL_PT_NONE; /* so that ciphertexts are kept */
    plain.tx_rtx_ssrc = 0;
    sl_sink_configure(w.s, &plain);
    mw_push(&w, w.t, 1, 0, true);
    sl_mirror_del(w.m, w.s);
    sl_sink_destroy(w.s);
    w.s = NULL;
    mw_flush(&w);
    assert_int_equal(w.nout, 1);
    mw_fini(&w);
}

/* Output numbers go up by one from @from on. */
static void assert_continuous(const struct media_world *w, size_t from)
{
    for (size_t i = from + 1; i < w->nout; i++)
        assert_int_equal((uint16_t)(mw_seq(w, i) - mw_seq(w, i - 1)), 1);
}

static void a_pause_leaves_no_gap_in_audio(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    for (uint16_t i = 0; i < 300; i++) {
        if (i == 50)
            sl_sink_set_paused(w.s, true);
        if (i == 200)
            sl_sink_set_paused(w.s, false);
        w.ctx.now_us += 20000;
        mw_push(&w, w.t, i, i * 960u, false);
    }
    mw_flush(&w);
    assert_int_equal(w.nout, 150);
    assert_continuous(&w, 0);
    assert_int_equal(mw_ts(&w, 149) - mw_ts(&w, 0), 299 * 960); /* time went on */
    mw_fini(&w);
}

static void a_gate_leaves_no_gap_and_video_begins_with_a_key_frame(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    mw_push(&w, w.t, 1, 0, true);
    mw_push(&w, w.t, 2, 3000, false);
    sl_track_set_gate(w.t, true);
    for (uint16_t i = 3; i < 100; i++)
        mw_push(&w, w.t, i, i * 3000u, false);
    sl_track_set_gate(w.t, false);
    mw_push(&w, w.t, 100, 300000, false); /* builds on frames that nobody saw */
    mw_push(&w, w.t, 101, 303000, true);
    mw_push(&w, w.t, 102, 306000, false);
    mw_flush(&w);
    assert_int_equal(w.nout, 4);
    assert_continuous(&w, 0);
    assert_int_equal(w.s->drops[SL_DROP_NO_KEYFRAME], 1);
    mw_fini(&w);
}

static void a_line_that_was_off_goes_on_with_a_key_frame(void **state)
{
    struct media_world w;
    struct sl_media_line on = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct sl_media_line off = { .kind = SL_KIND_VIDEO, .pt = SL_PT_NONE, .rtx_pt = SL_PT_NONE };

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    mw_push(&w, w.t, 1, 0, true);
    mw_push(&w, w.t, 2, 3000, false);
    sl_sink_configure(w.s, &off);
    mw_push(&w, w.t, 3, 6000, false);
    sl_sink_configure(w.s, &on);
    assert_int_equal(w.asked[0], 1);
    mw_push(&w, w.t, 4, 9000, false);
    mw_push(&w, w.t, 5, 12000, true);
    mw_flush(&w);
    assert_int_equal(w.nout, 3);
    assert_continuous(&w, 0);
    assert_int_equal(mw_ssrc(&w, 2), 0x22222222);
    mw_fini(&w);
}

static void another_codec_than_negotiated_goes_nowhere(void **state)
{
    struct media_world w;
    struct sl_media_line in = mw_line(SL_KIND_VIDEO, SL_DIR_RECV);
    struct sl_pkt *p;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    in.codec = SL_CODEC_H264;
    sl_track_configure(w.t, &in);
    p = mw_pkt(&w, w.t, 0x11111111, 1, 0, true);
    p->payload.key = p->payload.start = true;
    mw_push_pkt(&w, w.t, p, false);
    assert_int_equal(w.s->drops[SL_DROP_CODEC], 1);
    mw_flush(&w);
    assert_int_equal(w.nout, 0);
    mw_fini(&w);
}

static void reports_wait_for_the_clock_of_the_publisher(void **state)
{
    struct media_world w;
    uint8_t buf[256];
    struct sl_writer to = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_sr sr = { .ssrc = 0x11111111, .rtp_ts = 960 };
    struct sl_rtcp_it it;
    struct sl_rtcp_pkt pkt;
    struct sl_rtcp_rb rb[1];
    uint64_t ntp_us = UINT64_C(3900000000000000);

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    mw_push(&w, w.t, 1, 960, false);
    w.ctx.now_us += 1000000;
    sl_sink_write_sr(w.s, &to, sl_ntp_from_us(ntp_us + 7000000));
    assert_int_equal(sl_writer_len(&to), 0);
    sr.ntp = sl_ntp_from_us(ntp_us);
    assert_int_equal(
        sl_sr_src_on_sr(&w.t->source[0].sr, &sr, sl_ts_peek(&w.t->source[0].ts, 960), w.ctx.now_us),
        0);
    mw_push(&w, w.t, 51, 960 + 48000, false);
    w.ctx.now_us -= 500; /* its packet came through a ring, stamped after our turn began */
    sl_sink_write_sr(w.s, &to, sl_ntp_from_us(ntp_us + 7000000));
    assert_true(sl_writer_len(&to) > 0);
    it = sl_rtcp_begin(buf, sl_writer_len(&to));
    assert_int_equal(sl_rtcp_next(&it, &pkt), 1);
    assert_int_equal(sl_rtcp_sr_parse(&pkt, &sr, rb, 1), 0);
    mw_flush(&w);
    assert_int_equal(sr.rtp_ts, mw_ts(&w, 1));
    assert_true(sl_us_from_ntp(sr.ntp) - (ntp_us + 1000000) + 2 <= 4);
    mw_fini(&w);
}

static void reports_go_by_our_clock_when_the_publisher_sends_none(void **state)
{
    struct media_world w;
    uint8_t buf[256];
    struct sl_writer to = sl_writer_make(buf, sizeof(buf));

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    for (uint16_t i = 0; i < 300; i++) {
        w.ctx.now_us += 20000;
        mw_push(&w, w.t, i, i * 960u, false);
    }
    sl_sink_write_sr(w.s, &to, sl_ntp_from_us(UINT64_C(3900000000000000)));
    assert_true(sl_writer_len(&to) > 0);
    mw_fini(&w);
}

static void a_wished_playout_delay_is_in_every_packet(void **state)
{
    struct media_world w;
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct sl_layer_wish wish = SL_LAYER_WISH_INIT;
    struct sl_ext_map map;
    struct sl_ext_info ext;
    struct sl_rtp rtp;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    out.ext[SL_EXT_PLAYOUT_DELAY] = 5;
    out.ext[SL_EXT_MID] = 3;
    sl_sink_configure(w.s, &out);
    wish.min_delay = 10;
    wish.max_delay = 200;
    sl_sink_set_wish(w.s, &wish);
    mw_push(&w, w.t, 1, 0, true);
    mw_flush(&w);
    assert_int_equal(w.nout, 1);
    sl_ext_map_init(&map, out.ext);
    assert_int_equal(sl_rtp_parse(w.out[0].data, w.out[0].len, &rtp), 0);
    assert_int_equal(sl_ext_parse(w.out[0].data, &rtp, &map, &ext), 0);
    assert_true(ext.present & SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY));
    assert_int_equal(sl_get24(w.out[0].data + ext.off[SL_EXT_PLAYOUT_DELAY]), 10 << 12 | 200);
    mw_fini(&w);
}

static void whom_a_mixer_mixed_is_told_on(void **state)
{
    static const uint8_t csrcs[] = { 0, 0, 0, 1, 0, 0, 0, 2 }, levels[] = { 10, 20 };
    struct media_world w;
    struct sl_media_line out = mw_line(SL_KIND_AUDIO, SL_DIR_SEND);
    struct sl_ext_map map;
    struct sl_ext_info ext;
    struct sl_rtp rtp;
    struct sl_pkt *p;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    out.ext[SL_EXT_MID] = 3;
    out.ext[SL_EXT_TWCC] = 4;
    out.ext[SL_EXT_CSRC_AUDIO_LEVEL] = 7;
    sl_sink_configure(w.s, &out);
    p = mw_pkt(&w, w.t, 0x11111111, 1, 0, false);
    memmove(p->data + SL_RTP_HDR + 16, p->data + p->rtp.payload_off, p->rtp.payload_len);
    memcpy(p->data + SL_RTP_HDR, csrcs, sizeof(csrcs));
    memcpy(p->data + SL_RTP_HDR + sizeof(csrcs), levels, sizeof(levels));
    p->rtp.csrc_count = 2;
    p->rtp.payload_off = SL_RTP_HDR + 16;
    p->ext.present = SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL);
    p->ext.off[SL_EXT_CSRC_AUDIO_LEVEL] = SL_RTP_HDR + sizeof(csrcs);
    p->ext.len[SL_EXT_CSRC_AUDIO_LEVEL] = sizeof(levels);
    w.tx.twcc_seq = 0x1234;
    mw_push_pkt(&w, w.t, p, false);
    mw_flush(&w);
    assert_int_equal(w.nout, 1);
    sl_ext_map_init(&map, out.ext);
    assert_int_equal(sl_rtp_parse(w.out[0].data, w.out[0].len, &rtp), 0);
    assert_int_equal(sl_ext_parse(w.out[0].data, &rtp, &map, &ext), 0);
    assert_int_equal(rtp.csrc_count, 2);
    assert_memory_equal(w.out[0].data + SL_RTP_HDR, csrcs, sizeof(csrcs));
    assert_int_equal(ext.len[SL_EXT_CSRC_AUDIO_LEVEL], sizeof(levels));
    assert_memory_equal(w.out[0].data + ext.off[SL_EXT_CSRC_AUDIO_LEVEL], levels, sizeof(levels));
    assert_int_equal(ext.twcc, 0x1234);
    assert_string_equal(ext.mid, "0");
    mw_fini(&w);
}

static void an_element_too_long_for_the_connection_costs_no_other(void **state)
{
    struct media_world w;
    struct sl_media_line out = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    struct sl_ext_map map;
    struct sl_ext_info ext;
    struct sl_rtp rtp;
    struct sl_pkt *p;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    out.ext[SL_EXT_MID] = 3;
    out.ext[SL_EXT_DEPENDENCY_DESCRIPTOR] = 7; /* ext_mixed is not negotiated */
    sl_sink_configure(w.s, &out);
    p = mw_pkt(&w, w.t, 0x11111111, 1, 0, true);
    p->ext.present = SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR);
    p->ext.off[SL_EXT_DEPENDENCY_DESCRIPTOR] = SL_RTP_HDR;
    p->ext.len[SL_EXT_DEPENDENCY_DESCRIPTOR] = 30;
    mw_push_pkt(&w, w.t, p, false);
    mw_flush(&w);
    assert_int_equal(w.nout, 1);
    sl_ext_map_init(&map, out.ext);
    assert_int_equal(sl_rtp_parse(w.out[0].data, w.out[0].len, &rtp), 0);
    assert_int_equal(sl_ext_parse(w.out[0].data, &rtp, &map, &ext), 0);
    assert_string_equal(ext.mid, "0");
    mw_fini(&w);
}

static void redundant_audio_is_stripped_for_those_without_it(void **state)
{
    struct media_world w;
    struct sl_media_line out = mw_line(SL_KIND_AUDIO, SL_DIR_SEND);
    struct sl_pkt *p;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    p = mw_pkt(&w, w.t, 0x11111111, 1, 0, false);
    p->red_off = 5;
    mw_push_pkt(&w, w.t, p, false);
    out.red_pt = 63;
    sl_sink_configure(w.s, &out);
    p = mw_pkt(&w, w.t, 0x11111111, 2, 960, false);
    p->red_off = 5;
    mw_push_pkt(&w, w.t, p, false);
    mw_flush(&w);
    assert_int_equal(w.nout, 2);
    assert_int_equal(w.out[0].data[1] & 0x7f, 111);
    assert_int_equal(w.out[0].len, SL_RTP_HDR + 35);
    assert_int_equal(sl_get16(w.out[0].data + SL_RTP_HDR + 15), 1);
    assert_int_equal(w.out[1].data[1] & 0x7f, 63);
    assert_int_equal(w.out[1].len, SL_RTP_HDR + 40);
    mw_fini(&w);
}

static void the_packets_of_a_turn_come_together(void **state)
{
    struct media_world w;
    uint16_t seq = 0;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    for (; seq < 3; seq++)
        sl_track_push(w.t, mw_pkt(&w, w.t, 0x11111111, seq, seq * 960u, false), false);
    assert_int_equal(w.nout, 0);
    sl_mirrors_fan_out(&w.ctx);
    assert_int_equal(w.nout, 3);
    /* No more than a batch waits. */
    for (; seq < 3 + SL_MIRROR_BATCH + 1; seq++)
        sl_track_push(w.t, mw_pkt(&w, w.t, 0x11111111, seq, seq * 960u, false), false);
    assert_int_equal(w.nout, 3 + SL_MIRROR_BATCH);
    /* A publisher that goes is heard to the end. */
    sl_mirror_destroy(w.m);
    assert_int_equal(w.nout, 3 + SL_MIRROR_BATCH + 1);
    assert_continuous(&w, 0);
    assert_int_equal(sl_mirror_create(&w.ctx, 1, 0, &w.m), 0);
    assert_int_equal(sl_mirror_add(w.m, w.s), 0);
    mw_fini(&w);
}

/* A send queue: what is encrypted stays in its slots until it is sent. */
static struct sl_slot *queued;
static size_t portions;

static void queue(struct sl_tx *tx)
{
    struct sl_slot *s, *next;

    SL_ASSUME(worker);
    for (s = sl_tx_take(tx); s; s = next) {
        next = s->next;
        s->next = queued;
        queued = s;
    }
}

static void send_queued(void *arg)
{
    struct media_world *w = arg;
    struct sl_slot *next;

    portions++;
    for (; queued; queued = next) {
        next = queued->next;
        sl_pool_put(&w->ctx.slots, queued);
    }
}

static void many_packets_are_sent_in_portions(void **state)
{
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_AUDIO);
    w.tx.flush = queue;
    w.ctx.cb.flush = send_queued;
    for (uint16_t seq = 0; seq < 1000; seq++) {
        mw_push(&w, w.t, seq, seq * 960u, false);
        assert_in_range(w.ctx.slots.used, 0, 255);
    }
    assert_int_equal(portions, 15);
    send_queued(&w);
    assert_int_equal(w.s->packets, 1000);
    mw_fini(&w);
}

static void resends_without_rtx_are_the_same_bytes(void **state)
{
    struct media_world w;
    struct sl_media_line plain = mw_line(SL_KIND_VIDEO, SL_DIR_SEND);
    uint16_t seq;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    plain.rtx_pt = SL_PT_NONE;
    plain.tx_rtx_ssrc = 0;
    sl_sink_configure(w.s, &plain);
    mw_push(&w, w.t, 1, 0, true);
    mw_push(&w, w.t, 2, 3000, false);
    mw_flush(&w);
    seq = mw_seq(&w, 1);
    sl_sink_resend(w.s, &seq, 1);
    sl_sink_resend(w.s, &seq, 1); /* too soon */
    mw_flush(&w);
    assert_int_equal(w.nout, 3);
    assert_true(w.out[2].is_sealed);
    assert_int_equal(w.out[2].len, w.out[1].len);
    assert_memory_equal(w.out[2].data, w.out[1].data, w.out[1].len);
    mw_fini(&w);
}

/* And costs no memory yet. */
static void a_sink_that_sent_nothing_has_nothing_to_resend(void **state)
{
    const uint16_t seq = 1;
    struct media_world w;

    (void)state;
    SL_ASSUME(worker);
    begin(&w, SL_KIND_VIDEO);
    sl_sink_resend(w.s, &seq, 1);
    assert_int_equal(sl_sink_pad(w.s, 1000), 0);
    mw_flush(&w);
    assert_int_equal(w.nout, 0);
    assert_null(w.s->past);
    mw_push(&w, w.t, 1, 0, true);
    assert_non_null(w.s->past);
    mw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sink_that_goes_is_not_named_by_staged_packets),
        cmocka_unit_test(a_pause_leaves_no_gap_in_audio),
        cmocka_unit_test(a_gate_leaves_no_gap_and_video_begins_with_a_key_frame),
        cmocka_unit_test(a_line_that_was_off_goes_on_with_a_key_frame),
        cmocka_unit_test(another_codec_than_negotiated_goes_nowhere),
        cmocka_unit_test(reports_wait_for_the_clock_of_the_publisher),
        cmocka_unit_test(reports_go_by_our_clock_when_the_publisher_sends_none),
        cmocka_unit_test(a_wished_playout_delay_is_in_every_packet),
        cmocka_unit_test(whom_a_mixer_mixed_is_told_on),
        cmocka_unit_test(an_element_too_long_for_the_connection_costs_no_other),
        cmocka_unit_test(redundant_audio_is_stripped_for_those_without_it),
        cmocka_unit_test(the_packets_of_a_turn_come_together),
        cmocka_unit_test(many_packets_are_sent_in_portions),
        cmocka_unit_test(a_sink_that_sent_nothing_has_nothing_to_resend),
        cmocka_unit_test(resends_without_rtx_are_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, mw_group_setup, mw_group_teardown);
}
