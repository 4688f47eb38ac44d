/* Who joins a running stream gets its last key frame and all that followed, on whichever worker he
 * is, and nobody asks the publisher for another. */
#include "tests/unit/worker/worker_world.h"

#define FRAMES 60

/* As a client does: its route is there before it is connected. */
static sl_id come(struct rtc_client *c, unsigned int worker, sl_id pub) SL_ON_WORKER
{
    const sl_id id = open_pc(c, worker);

    post_media(id, make_media(SL_DIR_SEND));
    route(pub, id);
    assert_true(rtc_connect(c));
    assert_true(wait_report(SL_REPORT_UP, id));
    return id;
}

static void assert_has_all(struct rtc_client *c, uint16_t last) SL_ON_WORKER
{
    uint16_t seqs[2 * FRAMES], marks[2 * FRAMES];
    size_t n;

    (void)await_rtp(c, SSRC_OUT, last + 1u);
    settle();
    rtc_poll(c, 0); /* nothing beyond that */
    n = count_rtp(c, SSRC_OUT, seqs, marks);
    assert_int_equal(n, last + 1);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(marks[i], i); /* 0 is the key frame */
        assert_int_equal((uint16_t)(seqs[i] - seqs[0]), i);
    }
}

static void those_who_come_later_begin_with_the_key_frame(void **state)
{
    struct rtc_client pub, first, near, far;
    sl_id p, f, n, r;
    uint16_t seq = 0;
    size_t asked;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 1, SL_DIR_RECV);
    /* The first one is on the other worker: there is a mirror here, too, from now on. */
    f = come(&first, 0, p);
    settle();
    send_video(&pub, seq++, 0, true);
    settle();
    rtc_poll(&pub, 0);
    asked = count_plis(&pub);
    for (; seq < FRAMES; seq++)
        send_video(&pub, seq, seq * 3000u, false);
    n = come(&near, 1, p);
    assert_has_all(&near, seq - 1);
    /* The other worker forgets and comes again. */
    leave(&first, f);
    r = come(&far, 0, p);
    send_video(&pub, seq, seq * 3000u, false);
    assert_has_all(&far, seq);
    rtc_poll(&pub, 0);
    assert_int_equal(count_plis(&pub), asked);
    leave(&near, n);
    leave(&pub, p); /* while a worker still has a mirror of it */
    leave(&far, r);
}

static void gate(sl_id pub, bool closed) SL_ON_WORKER
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_GATE, pub, 0);

    assert_non_null(m);
    m->flag = closed;
    post(m);
}

static void who_comes_while_a_publisher_is_muted_sees_nothing_of_before(void **state)
{
    struct rtc_client pub, first, later[2];
    sl_id p, f, n[2];
    uint16_t seq = 0;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 1, SL_DIR_RECV);
    f = come(&first, 0, p); /* there is a mirror on the other worker */
    for (; seq < FRAMES; seq++)
        send_video(&pub, seq, seq * 3000u, seq == 0);
    assert_has_all(&first, seq - 1);
    gate(p, true);
    for (unsigned int w = 0; w < 2; w++)
        n[w] = come(&later[w], w, p);
    settle();
    for (unsigned int w = 0; w < 2; w++) {
        uint16_t seqs[FRAMES], marks[FRAMES];

        rtc_poll(&later[w], 100); /* longer than the steps of a replay */
        assert_int_equal(count_rtp(&later[w], SSRC_OUT, seqs, marks), 0);
        leave(&later[w], n[w]);
    }
    leave(&first, f);
    leave(&pub, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_while_a_publisher_is_muted_sees_nothing_of_before),
        cmocka_unit_test(those_who_come_later_begin_with_the_key_frame),
    };

    world_gop_us = 60000000; /* machines may be busy */
    return cmocka_run_group_tests(tests, setup, teardown);
}
