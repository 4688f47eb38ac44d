/* A room that grows too large for its worker, with real workers: it goes on at another one, and
 * what is published at the first arrives there. */
#include "pc_fix.h"
#include "rtp/rtp_pkt.h"

#define ROOM    7
#define AUDIO   0           /* m-line of the offer */
#define SSRC    2010559287u /* as announced there */
#define OPUS_PT 111
#define PACKETS 50
#define MARK    "from the first worker"
#define CROWD   (2 * SL_PLACE_SPILL / SL_PLACE_GUESS) /* more than a worker takes at once */

static void negotiate(struct sl_pc *pc, struct rtc_client *c) SL_ON_CONTROL
{
    struct sl_jsep_in in;

    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_int_equal(answer(pc, &in), 0);
    connect_client(c, sl_id_worker(sl_pc_id(pc)));
}

static void listen_to(struct sl_pc *pub, struct sl_pc *sub) SL_ON_CONTROL
{
    struct sl_pc_source src;

    assert_int_equal(sl_pc_source(pub, AUDIO, &src), 0);
    assert_int_equal(sl_pc_route_add(&src, sub, AUDIO, NULL), 0);
}

static void send_audio(struct rtc_client *c, uint16_t seq, uint16_t n) SL_ON_WORKER
{
    uint8_t pkt[SL_RTP_HDR + sizeof(MARK)];

    for (uint16_t end = (uint16_t)(seq + n); seq != end; seq++) {
        sl_rtp_write_header(pkt, false, OPUS_PT, seq, 960u * seq, SSRC);
        memcpy(pkt + SL_RTP_HDR, MARK, sizeof(MARK));
        rtc_send_rtp(c, pkt, sizeof(pkt));
        rtc_poll(c, 2);
    }
}

static size_t heard(const struct rtc_client *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++)
        n += !c->received[i].is_rtcp &&
             memmem(c->received[i].data, c->received[i].len, MARK, sizeof(MARK));
    return n;
}

static void a_room_too_large_goes_on_at_another_worker_and_hears_the_first(void **state)
{
    struct sl_pc *crowd[CROWD] = { 0 }, *pub, *near, *far = NULL;
    struct rtc_client cpub, cnear, cfar;
    unsigned int home, n = 0;

    (void)state;
    SL_ASSUME(control);
    pub = create_in(ROOM);
    home = sl_id_worker(sl_pc_id(pub));
    negotiate(pub, &cpub);
    near = create_in(ROOM);
    assert_int_equal(sl_id_worker(sl_pc_id(near)), home);
    negotiate(near, &cnear);
    while (!far && n < CROWD) {
        struct sl_pc *pc = create_in(ROOM);

        if (sl_id_worker(sl_pc_id(pc)) == home)
            crowd[n++] = pc;
        else
            far = pc;
    }
    assert_non_null(far);
    assert_true(n > 20); /* not before there is a reason */
    negotiate(far, &cfar);
    listen_to(pub, near);
    listen_to(pub, far);

    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    for (uint16_t seq = 1; seq < 1000 && !heard(&cfar); seq++) { /* until the way is open */
        send_audio(&cpub, seq, 1);
        rtc_poll(&cfar, 10);
    }
    assert_true(heard(&cfar) > 0);
    rtc_poll(&cnear, 200);
    rtc_poll(&cfar, 200);
    cnear.nreceived = cfar.nreceived = 0;
    send_audio(&cpub, 1000, PACKETS);
    for (int i = 0; i < 1000 && (heard(&cnear) < PACKETS || heard(&cfar) < PACKETS); i++) {
        rtc_poll(&cnear, 20);
        rtc_poll(&cfar, 20);
    }
    assert_int_equal(heard(&cnear), PACKETS);
    assert_int_equal(heard(&cfar), PACKETS);
    assert_int_equal(cfar.unreadable, 0);
    rtc_fini(&cpub);
    rtc_fini(&cnear);
    rtc_fini(&cfar);
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
    while (n > 0)
        sl_pc_destroy(crowd[--n]);
    sl_pc_destroy(far);
    sl_pc_destroy(near);
    sl_pc_destroy(pub);
    turn(60);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_too_large_goes_on_at_another_worker_and_hears_the_first),
    };

    fix_workers = 2;
    return cmocka_run_group_tests(tests, setup, teardown);
}
