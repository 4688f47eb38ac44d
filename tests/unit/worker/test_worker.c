/* Two workers, real clients on loopback: joins, forwarding, loss repair, key frames, ends. */
#include "tests/unit/worker/worker_world.h"

static void forwards(unsigned int from_worker, unsigned int to_worker) SL_ON_WORKER
{
    struct rtc_client pub, sub;
    sl_id p = join(&pub, from_worker, SL_DIR_RECV);
    sl_id s = join(&sub, to_worker, SL_DIR_SEND);
    uint16_t seqs[64], marks[64];
    size_t n;

    route(p, s);
    settle();
    send_video(&pub, 65500, 1000, false); /* before a key frame: not for anybody */
    assert_true(await_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI));
    for (unsigned int i = 1; i <= 50; i++)
        send_video(&pub, (uint16_t)(65500 + i), 1000 + i * 3000, i == 1);
    await_rtp(&sub, SSRC_OUT, 50);
    n = count_rtp(&sub, SSRC_OUT, seqs, marks);
    assert_int_equal(n, 50);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(marks[i], (uint16_t)(65501 + i));
        assert_int_equal((uint16_t)(seqs[i] - seqs[0]), i);
    }
    assert_int_equal(sub.unreadable, 0);
    assert_true(has_report(SL_REPORT_RECEIVING, p));
    leave(&pub, p);
    leave(&sub, s);
}

static void forwards_on_one_worker_without_a_gap(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    forwards(0, 0);
}

static void forwards_to_another_worker_without_a_gap(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    forwards(0, 1);
}

static void repairs_the_loss_of_a_subscriber_by_rtx(void **state)
{
    struct rtc_client pub, sub;
    sl_id p, s;
    uint16_t seqs[64], marks[64];
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    const struct rtc_packet *rtx = NULL;
    size_t n;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 1, SL_DIR_SEND);
    route(p, s);
    settle();
    for (unsigned int i = 0; i < 10; i++)
        send_video(&pub, (uint16_t)(100 + i), i * 3000, i == 0);
    await_rtp(&sub, SSRC_OUT, 10);
    n = count_rtp(&sub, SSRC_OUT, seqs, marks);
    assert_int_equal(n, 10);
    sl_rtcp_rr_write(&w, 1, NULL, 0);
    sl_rtcp_nack_write(&w, 1, SSRC_OUT, &seqs[4], 1);
    rtc_send_rtcp(&sub, buf, sl_writer_len(&w));
    await_rtp(&sub, RTX_OUT, 1);
    assert_int_equal(count_rtp(&sub, RTX_OUT, NULL, NULL), 1);
    for (size_t i = 0; i < sub.nreceived; i++)
        if (!sub.received[i].is_rtcp && sl_get32(sub.received[i].data + 8) == RTX_OUT)
            rtx = &sub.received[i];
    assert_non_null(rtx);
    assert_int_equal(rtx->data[1] & 0x7f, RTX_PT);
    assert_int_equal(sl_get16(rtx->data + SL_RTP_HDR), seqs[4]);
    assert_int_equal(sl_get16(rtx->data + SL_RTP_HDR + 2 + 20), 104);
    leave(&pub, p);
    leave(&sub, s);
}

static void asks_the_publisher_for_what_is_missing(void **state)
{
    struct rtc_client pub;
    sl_id p;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    send_video(&pub, 100, 0, true);
    send_video(&pub, 102, 3000, false);
    assert_true(await_rtcp(&pub, SL_RTCP_RTPFB, SL_RTPFB_NACK));
    leave(&pub, p);
}

static void passes_a_picture_loss_on(void **state)
{
    struct rtc_client pub, sub;
    sl_id p, s;
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 1, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_SEND);
    route(p, s);
    send_video(&pub, 1, 0, true);
    rtc_poll(&pub, 700); /* longer than requests are throttled */
    pub.nreceived = 0;
    sl_rtcp_pli_write(&w, 1, SSRC_OUT);
    /* As browsers do, until it helps: one key frame serves all who asked before it. */
    for (int i = 0; i < 50 && !got_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI); i++) {
        rtc_send_rtcp(&sub, buf, sl_writer_len(&w));
        rtc_poll(&pub, 100);
    }
    assert_true(got_rtcp(&pub, SL_RTCP_PSFB, SL_PSFB_PLI));
    leave(&pub, p);
    leave(&sub, s);
}

static void reports_to_both_sides_every_second(void **state)
{
    struct rtc_client pub, sub;
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_SEND);
    route(p, s);
    settle();
    send_video(&pub, 1, 0, true);
    send_sr(&pub, 0);
    send_video(&pub, 2, 3000, false);
    assert_true(await_rtcp(&pub, SL_RTCP_RR, 255));
    assert_true(await_rtcp(&sub, SL_RTCP_SR, 255));
    assert_true(got_rtcp(&sub, SL_RTCP_SDES, 255));
    leave(&pub, p);
    leave(&sub, s);
}

static void tells_silence_and_the_end_of_the_client(void **state)
{
    struct rtc_client pub;
    sl_id p;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    send_video(&pub, 1, 0, true);
    sl_dtls_close(pub.dtls);
    assert_true(wait_report(SL_REPORT_DOWN, p));
    leave(&pub, p);
}

static void an_unproven_address_gets_no_answer(void **state)
{
    struct rtc_client c, later;
    struct sl_ice_creds creds;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    sl_ice_creds_make(0, &creds); /* nobody's */
    client_init(&c, 0, &creds);
    rtc_check(&c);
    sl_dtls_start(c.dtls);
    id = join(&later, 0, SL_DIR_RECV); /* at the same socket */
    leave(&later, id);
    rtc_poll(&c, 0);
    assert_false(c.checked);
    assert_int_equal(c.state, SL_DTLS_NEW);
    rtc_fini(&c);
}

static void a_wrong_certificate_gets_no_keys(void **state)
{
    struct sl_cert *other = NULL, *mine = world.client_cert;
    struct rtc_client c;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    assert_int_equal(sl_cert_create(&other), 0);
    world.client_cert = other; /* what it shows is not what the description named */
    id = open_pc(&c, 0);
    (void)rtc_connect(&c);
    assert_true(wait_report(SL_REPORT_DOWN, id));
    assert_false(has_report(SL_REPORT_UP, id));
    leave(&c, id);
    world.client_cert = mine;
    sl_cert_destroy(other);
}

static void messages_for_stale_ids_are_harmless(void **state)
{
    struct rtc_client c;
    sl_id id, stale;

    (void)state;
    SL_ASSUME(worker);
    id = join(&c, 0, SL_DIR_SENDRECV);
    stale = sl_id_make(0, sl_id_slot(id), 6);
    route(stale, id);
    route(id, stale);
    post(sl_wmsg_new(SL_WMSG_ROUTE_DEL, stale, 0));
    post(sl_wmsg_new(SL_WMSG_KEYFRAME, stale, 0));
    post(sl_wmsg_new(SL_WMSG_EP_CLOSE, stale, 0));
    assert_true(wait_report(SL_REPORT_CLOSED, stale));
    send_video(&c, 1, 0, true);
    settle();
    rtc_poll(&c, 0);
    assert_int_equal(c.state, SL_DTLS_CONNECTED);
    leave(&c, id);
}

static void the_end_brings_its_report_along(void **state)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_CLOSE, sl_id_make(0, 60, 1), 0);

    (void)state;
    assert_non_null(m->report); /* else a slot could get lost for want of memory */
    post(m);
    assert_true(wait_report(SL_REPORT_CLOSED, sl_id_make(0, 60, 1)));
    m = sl_wmsg_new(SL_WMSG_EP_CLOSE, SL_ID_NONE, 0);
    sl_wmsg_free(m); /* never sent: nothing leaks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards_on_one_worker_without_a_gap),
        cmocka_unit_test(forwards_to_another_worker_without_a_gap),
        cmocka_unit_test(repairs_the_loss_of_a_subscriber_by_rtx),
        cmocka_unit_test(asks_the_publisher_for_what_is_missing),
        cmocka_unit_test(passes_a_picture_loss_on),
        cmocka_unit_test(reports_to_both_sides_every_second),
        cmocka_unit_test(tells_silence_and_the_end_of_the_client),
        cmocka_unit_test(an_unproven_address_gets_no_answer),
        cmocka_unit_test(a_wrong_certificate_gets_no_keys),
        cmocka_unit_test(messages_for_stale_ids_are_harmless),
        cmocka_unit_test(the_end_brings_its_report_along),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
