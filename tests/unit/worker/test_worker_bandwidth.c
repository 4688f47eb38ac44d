/* What publishers are told for their bandwidth estimation: the RTCP that arrives is read. */

#include "rtcp/rtcp_fb_ccfb.h"
#include "rtcp/rtcp_fb_twcc.h"
#include "rtp/rtp_ext.h"
#include "worker_world.h"

#define TWCC_ID 3
#define FIRST   65520 /* the numbers wrap on the way */
#define PACKETS 61

/* A publisher on worker 0 that numbers its packets and takes both kinds of feedback. */
static sl_id publisher(struct rtc_client *c, bool ccfb, uint32_t cap) SL_ON_WORKER
{
    const sl_id id = open_pc(c, 0);
    struct sl_media *media = make_media(SL_DIR_RECV);
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_BITRATE, id, 0);

    media->line[0].ext[SL_EXT_TWCC] = TWCC_ID;
    media->line[0].twcc = !ccfb;
    media->line[0].ccfb = ccfb;
    media->line[0].remb = true;
    post_media(id, media);
    m->number = cap;
    post(m);
    assert_true(rtc_connect(c));
    assert_true(wait_report(SL_REPORT_UP, id));
    return id;
}

static void send_numbered(struct rtc_client *c, uint16_t i) SL_ON_WORKER
{
    const uint16_t n = (uint16_t)(FIRST + i);
    const uint8_t number[2] = { (uint8_t)(n >> 8), (uint8_t)n };
    struct sl_ext_item item = { TWCC_ID, 2, number, 0 };
    uint8_t p[200] = { 0 };

    sl_rtp_write_header(p, true, VIDEO_PT, i, i * 3000u, SSRC_IN);
    p[0] |= 0x10; /* an extension follows */
    assert_int_equal(sl_ext_write(p + SL_RTP_HDR, 64, &item, 1, false), 8);
    rtc_send_rtp(c, p, sizeof(p));
}

/* What RFC 8888 says of each packet, which is numbered by the stream. */
static void read_ccfb(const struct sl_rtcp_pkt *p, uint8_t told[PACKETS])
{
    struct sl_ccfb_status s;
    struct sl_ccfb_it fb;

    assert_int_equal(sl_ccfb_begin(p, &fb), 0);
    while (sl_ccfb_next(&fb, &s)) {
        assert_int_equal(s.ssrc, SSRC_IN);
        assert_in_range(s.seq, 0, PACKETS - 1);
        if (told[s.seq] != 2)
            told[s.seq] = s.arrived ? 2 : 1;
    }
}

/* What the transport-cc feedback that arrived says of each packet: 0 nothing, 1 lost, 2 received.
 */
static void read_feedback(const struct rtc_client *c, uint8_t told[PACKETS])
{
    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_twcc_status s;
        struct sl_rtcp_pkt p;
        struct sl_twcc_it fb;

        while (c->received[i].is_rtcp && sl_rtcp_next(&it, &p) > 0) {
            if (p.pt == SL_RTCP_RTPFB && p.fmt == SL_RTPFB_CCFB)
                read_ccfb(&p, told);
            if (p.pt != SL_RTCP_RTPFB || p.fmt != SL_RTPFB_TWCC)
                continue;
            assert_int_equal(sl_twcc_begin(&p, &fb), 0);
            assert_int_equal(fb.media, SSRC_IN);
            while (sl_twcc_next(&fb, &s)) {
                const uint16_t at = (uint16_t)(s.seq - FIRST);

                assert_in_range(at, 0, PACKETS - 1);
                if (told[at] != 2)
                    told[at] = s.received ? 2 : 1;
            }
        }
    }
}

static void tell(bool ccfb) SL_ON_WORKER
{
    uint8_t told[PACKETS] = { 0 };
    struct rtc_client c;
    sl_id id;

    id = publisher(&c, ccfb, 0);
    for (uint16_t i = 0; i < PACKETS; i++) {
        if (i % 7 != 3)
            send_numbered(&c, i);
        rtc_poll(&c, 5);
    }
    for (int i = 0; i < 1500 && told[PACKETS - 1] == 0; i++) {
        rtc_poll(&c, 20);
        read_feedback(&c, told);
    }
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(told[i], i % 7 == 3 ? 1 : 2);
    leave(&c, id);
}

static void arrivals_and_losses_are_told(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    tell(false);
}

static void so_they_are_by_rfc_8888(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    tell(true);
}

/* The rates that REMB told so far; all are about the publisher's stream. */
static size_t read_remb(const struct rtc_client *c, uint64_t *bps, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_rtcp_pkt p;

        while (c->received[i].is_rtcp && n < max && sl_rtcp_next(&it, &p) > 0) {
            uint32_t sender, ssrc = 0;

            if (sl_rtcp_remb_parse(&p, &sender, &bps[n], &ssrc, 1) != 1)
                continue;
            assert_int_equal(ssrc, SSRC_IN);
            n++;
        }
    }
    return n;
}

static void wait_remb(struct rtc_client *c, uint64_t *bps, size_t n) SL_ON_WORKER
{
    for (int i = 0; i < 1500 && read_remb(c, bps, n) < n; i++) {
        send_numbered(c, 0); /* something to report about */
        rtc_poll(c, 20);
    }
    assert_int_equal(read_remb(c, bps, n), n);
}

static void the_cap_is_told_in_steps_and_its_change_at_once(void **state)
{
    static const uint64_t want[] = { 200000, 400000, 600000, 800000, 300000 };
    uint64_t bps[5];
    struct rtc_client c;
    struct sl_wmsg *m;
    sl_id id;

    (void)state;
    SL_ASSUME(worker);
    id = publisher(&c, false, 800000);
    wait_remb(&c, bps, 4);
    m = sl_wmsg_new(SL_WMSG_BITRATE, id, 0);
    m->number = 300000;
    post(m);
    wait_remb(&c, bps, 5);
    for (size_t i = 0; i < 5; i++)
        assert_in_range(bps[i], want[i] - want[i] / 100, want[i]); /* 18 bits of mantissa */
    leave(&c, id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arrivals_and_losses_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(so_they_are_by_rfc_8888, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cap_is_told_in_steps_and_its_change_at_once, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
