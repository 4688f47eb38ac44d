/* Remote publishers and forwarders on two workers: plain sockets on loopback at both ends. */
#include "tests/unit/relay/relay_world.h"

static void payloads_pass_with_the_publishers_ssrc_and_pt(void **state)
{
    struct chain c;
    struct sl_rtp first;
    uint16_t marks[400];

    (void)state;
    SL_ASSUME(worker);
    for (unsigned int w2 = 0; w2 < 2; w2++) {
        c = chain_make(0, w2, 1, media_make(1), 0);
        send_video(c.pub, 1000, 65530, false, 7); /* before a key frame */
        for (uint16_t i = 0; i < 20; i++)
            send_video(c.pub, 1000, (uint16_t)(65531 + i), i == 0, (uint16_t)(100 + i));
        assert_int_equal(await_rtp(c.rcv, 0, 20), 20);
        (void)rtp_of(c.rcv, 0, &first, marks);
        assert_int_equal(first.ssrc, 1000);
        assert_int_equal(first.pt, PT);
        assert_int_equal(first.payload_len, 200 - SL_RTP_HDR);
        for (uint16_t i = 0; i < 20; i++)
            assert_int_equal(marks[i], 100 + i);
        assert_true(count(&nreceiving) > 0);
        chain_end(&c);
    }
}

static void ssrc_and_pt_can_be_overridden(void **state)
{
    struct sl_media *out = media_make(1);
    struct sl_rtp first;
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    out->line[0].tx_ssrc = 777;
    out->line[0].pt = 55;
    c = chain_make(0, 0, 1, out, 0);
    send_video(c.pub, 1000, 1, true, 1);
    assert_int_equal(await_rtp(c.rcv, 777, 1), 1);
    (void)rtp_of(c.rcv, 777, &first, NULL);
    assert_int_equal(rtp_of(c.rcv, 0, NULL, NULL), 1);
    assert_int_equal(first.pt, 55);
    chain_end(&c);
}

static void each_simulcast_layer_has_its_stream_or_one_is_chosen(void **state)
{
    struct sl_media *out = media_make(4);
    uint16_t marks[400];
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    for (unsigned int i = 0; i < 3; i++) {
        out->line[i].tx_ssrc = SL_RELAY_SSRC(4, i);
        out->line[i].tx_layer = (uint8_t)(i + 1);
    }
    out->line[3].tx_ssrc = 9;
    c = chain_make(0, 1, 3, out, 0);
    for (uint16_t i = 0; i < 10; i++)
        for (uint16_t l = 0; l < 3; l++)
            send_video(c.pub, SL_RELAY_SSRC(0, l), (uint16_t)(l * 1000 + i), i == 0,
                       (uint16_t)(l * 100 + i));
    send_video(c.pub, SL_RELAY_SSRC(0, 3), 1, true, 999); /* no such layer, no such line */
    send_video(c.pub, SL_RELAY_SSRC(1, 0), 1, true, 999);
    send_video(c.pub, 5, 1, true, 999);
    for (uint16_t l = 0; l < 3; l++)
        (void)await_rtp(c.rcv, SL_RELAY_SSRC(4, l), 10);
    (void)await_rtp(c.rcv, 9, 10);
    for (uint16_t l = 0; l < 3; l++) {
        assert_int_equal(rtp_of(c.rcv, SL_RELAY_SSRC(4, l), NULL, marks), 10);
        for (uint16_t i = 0; i < 10; i++)
            assert_int_equal(marks[i], l * 100 + i);
    }
    /* Up from the first layer's key frame to the best one's. */
    assert_in_range(rtp_of(c.rcv, 9, NULL, marks), 10, 12);
    assert_int_equal(marks[9] / 100, 2);
    chain_end(&c);
}

static void srtp_protects_both_ways(void **state)
{
    static const unsigned int suites[] = { 80, 32 };
    struct sl_rtcp_pkt pkt;
    struct sl_rtcp_sr sr;
    uint16_t marks[400];
    struct sl_rtp first;

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < 2; i++) {
        struct chain c = chain_make(0, 0, 1, media_make(1), suites[i]);
        struct peer *other = peer_make(&c.pub->to, 80, KEY_B); /* another key */

        send_video(other, 1000, 1, true, 9);
        settle();
        send_video(c.pub, 1000, 1, true, 1);
        send_report(c.pub, 1000, 3000);
        send_video(c.pub, 1000, 2, false, 2);
        assert_int_equal(await_rtp(c.rcv, 1000, 2), 2);
        (void)rtp_of(c.rcv, 1000, &first, marks);
        assert_int_equal(marks[0], 1);
        assert_int_equal(first.payload_len, 200 - SL_RTP_HDR);
        /* On the publisher's own clock, which so crosses any number of servers. */
        assert_true(await_rtcp(c.rcv, SL_RTCP_SR, 255, &pkt));
        assert_int_equal(sl_rtcp_sr_parse(&pkt, &sr, NULL, 0), 0);
        assert_in_range(sr.ntp >> 32, 0xe0000000u, 0xe000001eu);
        peer_free(other);
        chain_end(&c);
    }
}

static void a_picture_loss_travels_to_the_publisher(void **state)
{
    struct chain c;
    struct sl_rtcp_fb fb;
    struct sl_rtcp_pkt pkt;
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(1, 0, 1, media_make(1), 0);
    /* The publisher's reports tell where its feedback goes. */
    sl_rtcp_rr_write(&w, 5, NULL, 0);
    send_to(c.pub, &c.pub->to, buf, sl_writer_len(&w));
    send_video(c.pub, 1000, 1, true, 1);
    peer_poll(c.pub, 700); /* longer than requests are throttled */
    c.pub->n = 0;
    w = sl_writer_make(buf, sizeof(buf));
    sl_rtcp_pli_write(&w, 1, 1000);
    send_to(c.rcv, &c.fwd_addr, buf, sl_writer_len(&w));
    assert_true(await_rtcp(c.pub, SL_RTCP_PSFB, SL_PSFB_PLI, &pkt));
    assert_int_equal(sl_rtcp_fb_parse(&pkt, &fb), 0);
    assert_int_equal(fb.media, 1000);
    peer_poll(c.pub, 600);
    c.pub->n = 0;
    w = sl_writer_make(buf, sizeof(buf));
    sl_rtcp_fir_write(&w, 1, &(struct sl_rtcp_fir){ 1000, 1 }, 1);
    send_to(c.rcv, &c.fwd_addr, buf, sl_writer_len(&w));
    assert_true(await_rtcp(c.pub, SL_RTCP_PSFB, SL_PSFB_PLI, NULL));
    chain_end(&c);
}

static void another_sender_is_not_heard_while_the_first_one_sends(void **state)
{
    struct peer *other;
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(0, 0, 1, media_make(1), 0);
    other = peer_make(&c.pub->to, 0, NULL);
    send_video(c.pub, 1000, 1, true, 1);
    settle();
    send_video(other, 1000, 2, true, 666);
    assert_int_equal(await_rtp(c.rcv, 1000, 1), 1);
    peer_free(other);
    chain_end(&c);
}

static void junk_is_dropped(void **state)
{
    static const uint8_t junk[][8] = { { 0 }, { 0x80, 100 }, { 0x80, 200, 0, 9 }, { 0xff, 0xff } };
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(0, 0, 1, media_make(1), 0);
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        for (size_t len = 1; len <= 8; len++) {
            send_to(c.pub, &c.pub->to, junk[i], len);
            send_to(c.rcv, &c.fwd_addr, junk[i], len);
        }
    send_video(c.pub, 1000, 1, true, 1);
    assert_int_equal(await_rtp(c.rcv, 1000, 1), 1);
    chain_end(&c);
}

static void messages_for_stale_ids_are_harmless(void **state)
{
    sl_id stale = sl_id_make(0, ++last_slot, 1), id;

    (void)state;
    set_media(stale, media_make(1));
    close_relay(stale);
    id = open_relay(conf_make(SL_RELAY_FORWARD, 0, NULL), 0);
    route(stale, id, 0, 1);
    route(stale, id, 9, 1);
    set_media(id, media_make(2));
    close_relay(id);
    assert_int_equal(count(&ndown), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_pass_with_the_publishers_ssrc_and_pt),
        cmocka_unit_test(ssrc_and_pt_can_be_overridden),
        cmocka_unit_test(each_simulcast_layer_has_its_stream_or_one_is_chosen),
        cmocka_unit_test(srtp_protects_both_ways),
        cmocka_unit_test(a_picture_loss_travels_to_the_publisher),
        cmocka_unit_test(another_sender_is_not_heard_while_the_first_one_sends),
        cmocka_unit_test(junk_is_dropped),
        cmocka_unit_test(messages_for_stale_ids_are_harmless),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
