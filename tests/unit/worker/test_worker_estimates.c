/* What subscribers report of their paths decides what they get: reports of real peers. */

#include "base/clock.h"
#include "rtcp/rtcp_ccfb.h"
#include "rtcp/rtcp_fb_twcc.h"
#include "rtp/rtp_ext.h"
#include "worker_world.h"

#define TWCC_ID 3

struct call {
    struct rtc_client pub, sub;
    sl_id pub_id, sub_id;
    uint16_t seq;
    size_t read, media; /* packets of the subscriber that were looked at; those with media */
    uint64_t extra_us;  /* delay of the path, in what is reported */
    uint64_t grow_us;   /* by this with each packet */
    size_t lose;        /* every so manieth packet; 0: none */
    size_t came, lost, repaired, again;
    enum { CAME, LOST, REPAIRED } fate[65536]; /* of each number of the media */
    struct sl_twcc_rec rec[256];
    size_t nrec;
    bool ccfb; /* RFC 8888 */
    struct sl_ccfb_rx rx;
    uint64_t next; /* number that the next report begins with */
};

enum feedback { TWCC, CCFB, REMB };

static void begin(struct call *c, enum feedback kind) SL_ON_WORKER
{
    struct sl_media *m = make_media(SL_DIR_SEND);

    memset(c, 0, sizeof(*c));
    c->pub_id = join(&c->pub, 0, SL_DIR_RECV);
    c->sub_id = open_pc(&c->sub, 0);
    m->line[0].twcc = kind == TWCC;
    m->line[0].ext[SL_EXT_TWCC] = kind == TWCC ? TWCC_ID : 0;
    m->line[0].ccfb = c->ccfb = kind == CCFB;
    m->line[0].remb = kind == REMB;
    sl_ccfb_rx_init(&c->rx, 1);
    post_media(c->sub_id, m);
    assert_true(rtc_connect(&c->sub));
    assert_true(wait_report(SL_REPORT_UP, c->sub_id));
    route(c->pub_id, c->sub_id);
}

static void end(struct call *c) SL_ON_WORKER
{
    leave(&c->sub, c->sub_id);
    leave(&c->pub, c->pub_id);
}

/* Nobody asks for it. */
static bool is_lost(struct call *c, const struct rtc_packet *p, const struct sl_rtp *rtp)
{
    if (c->lose && c->came++ % c->lose == 0) {
        if (rtp->ssrc == SSRC_OUT) {
            c->fate[rtp->seq] = LOST;
            c->lost++;
        }
        return true;
    }
    if (rtp->ssrc == RTX_OUT && p->len > rtp->payload_off + 2u) {
        const uint16_t seq = sl_get16(p->data + rtp->payload_off);

        c->repaired += c->fate[seq] == LOST;
        c->again += c->fate[seq] == REPAIRED;
        if (c->fate[seq] == LOST)
            c->fate[seq] = REPAIRED;
    }
    return false;
}

static void read_packets(struct call *c)
{
    uint8_t ids[SL_EXT_MAX] = { 0 };
    struct sl_ext_map map;

    ids[SL_EXT_TWCC] = TWCC_ID;
    sl_ext_map_init(&map, ids);
    for (; c->read < c->sub.nreceived; c->read++) {
        const struct rtc_packet *p = &c->sub.received[c->read];
        struct sl_ext_info ext;
        struct sl_rtp rtp;

        if (p->is_rtcp || sl_rtp_parse(p->data, p->len, &rtp) < 0)
            continue;
        c->media += rtp.ssrc == SSRC_OUT;
        if (c->ccfb) {
            c->extra_us += c->grow_us;
            sl_ccfb_rx_add(&c->rx, rtp.ssrc, rtp.seq, sl_now_us() + c->extra_us);
        }
        if (sl_ext_parse(p->data, &rtp, &map, &ext) < 0 ||
            !(ext.present & SL_EXT_BIT(SL_EXT_TWCC)) || c->nrec == TEST_COUNT(c->rec))
            continue;
        if (is_lost(c, p, &rtp))
            continue;
        c->extra_us += c->grow_us;
        c->rec[c->nrec++] = (struct sl_twcc_rec){ ext.twcc, sl_now_us() + c->extra_us };
    }
    if (c->read == RTC_RECEIVED_MAX)
        c->read = c->sub.nreceived = 0;
}

static void report(struct call *c) SL_ON_WORKER
{
    while (c->rx.pending) {
        uint8_t buf[1200];
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));

        (void)sl_ccfb_rx_write(&c->rx, &w, 1, sl_now_us() + c->extra_us);
        rtc_send_rtcp(&c->sub, buf, sl_writer_len(&w));
    }
    for (size_t at = 0, n; at < c->nrec; at += n) {
        uint8_t buf[1200];
        struct sl_writer w = sl_writer_make(buf, sizeof(buf));

        n = sl_twcc_write(&w, 1, SSRC_OUT, 0, c->next, c->rec + at, c->nrec - at);
        if (!n)
            break;
        c->next = c->rec[at + n - 1].seq + 1;
        rtc_send_rtcp(&c->sub, buf, sl_writer_len(&w));
    }
    c->nrec = 0;
}

static void remb(struct call *c, uint64_t bps) SL_ON_WORKER
{
    const uint32_t ssrc = SSRC_OUT;
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    sl_rtcp_remb_write(&w, 1, bps, &ssrc, 1);
    rtc_send_rtcp(&c->sub, buf, sl_writer_len(&w));
}

/* Plays @ms of 300 kbit/s, and reports; how many packets with media came. */
static size_t play(struct call *c, int ms) SL_ON_WORKER
{
    size_t before = c->media;

    for (int i = 0; i < ms / 5; i++) {
        send_video(&c->pub, c->seq, c->seq * 450u, c->seq % 20 == 0);
        c->seq++;
        rtc_poll(&c->pub, 1);
        rtc_poll(&c->sub, 4);
        c->pub.nreceived = 0;
        read_packets(c);
        if (i % 10 == 9)
            report(c);
    }
    return c->media - before;
}

static void fill_up(struct call *c, enum feedback kind) SL_ON_WORKER
{
    bool starved = false;

    begin(c, kind);
    assert_true(play(c, 1000) > 50);
    c->grow_us = 10000; /* it takes three times as long to come as to send */
    for (int i = 0; i < 30 && !starved; i++)
        starved = play(c, 300) == 0;
    assert_true(starved);
}

static void a_path_that_fills_up_is_given_less_and_tried_again(void **state)
{
    static struct call c;
    bool back = false;

    (void)state;
    SL_ASSUME(worker);
    fill_up(&c, TWCC);
    (void)play(&c, (int)(c.extra_us / 1000)); /* the queue drains */
    c.grow_us = 0;
    c.extra_us = 0;
    for (int i = 0; i < 60 && !back; i++)
        back = play(&c, 300) > 10;
    assert_true(back); /* that there is room again was found out by padding */
    end(&c);
}

static void rfc_8888_tells_that_it_fills_up(void **state)
{
    static struct call c;

    (void)state;
    SL_ASSUME(worker);
    fill_up(&c, CCFB);
    end(&c);
}

/* Every seventh is lost, also of the resends: the report is enough. */
static void what_is_reported_lost_is_sent_again(void **state)
{
    static struct call c;

    (void)state;
    SL_ASSUME(worker);
    begin(&c, TWCC);
    (void)play(&c, 500);
    c.lose = 7;
    (void)play(&c, 1500); /* until it is known that packets are lost here */
    memset(c.fate, 0, sizeof(c.fate));
    c.lost = c.repaired = c.again = 0;
    for (int i = 0; i < 30 && c.lost < 10; i++) /* on a busy machine less comes in a second */
        (void)play(&c, 1000);
    c.lose = 0;
    for (int i = 0; i < 30 && c.repaired < c.lost; i++) /* what is under way */
        (void)play(&c, 100);
    /* Now and then a probe repeats one that needed no repair any more. */
    if (c.repaired < c.lost * 9 / 10 || c.again > c.lost * 2 / 10 || c.lost < 5)
        fail_msg("%zu of %zu, %zu again", c.repaired, c.lost, c.again);
    end(&c);
}

static void remb_alone_pauses_nothing(void **state)
{
    static struct call c;

    (void)state;
    SL_ASSUME(worker);
    begin(&c, REMB);
    remb(&c, 60000); /* less than the one layer that there is: but who would tell when it fits? */
    assert_true(play(&c, 2000) > 100);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_path_that_fills_up_is_given_less_and_tried_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rfc_8888_tells_that_it_fills_up, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_reported_lost_is_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(remb_alone_pauses_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
