/*
 * Joins over bad links, on a virtual clock: libssl reads gettimeofday, and finds ours.
 */
#include "../unit/dtls/dtls_pair.h"
#include "base/opt.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

static struct dtls_pair pair;

/* The linker exports it to libssl only when it is visible. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict tz)
{
    (void)tz;
    tv->tv_sec = (time_t)(pair.now_us / 1000000);
    tv->tv_usec = (suseconds_t)(pair.now_us % 1000000);
    return 0;
}

#define START_US 1000000000u
#define SECOND   1000000u

static unsigned int draw(struct dtls_pair *p)
{
    p->seed = p->seed * 1103515245u + 12345u;
    return p->seed >> 16 & 0x7fff;
}

static void start(const struct dtls_opts *opts, unsigned int seed,
                  int64_t (*link)(struct dtls_pair *, const struct dtls_dgram *))
{
    SL_ASSUME(worker);
    pair_init(&pair, opts);
    pair.seed = seed;
    pair.link = link;
    sl_dtls_start(pair.end[SERVER].d);
    sl_dtls_start(pair.end[CLIENT].d);
}

static void check_same_keys(void)
{
    struct sl_srtp_keys c, s;

    SL_ASSUME(worker);
    assert_int_equal(sl_dtls_keys(pair.end[CLIENT].d, &c), 0);
    assert_int_equal(sl_dtls_keys(pair.end[SERVER].d, &s), 0);
    assert_memory_equal(c.local, s.remote, sizeof(c.local));
}

/* ---- loss ------------------------------------------------------------------------------------ */

static size_t to_lose; /* the n-th datagram of all, counted from 0 */
static size_t counted;

static int64_t link_lose_one(struct dtls_pair *p, const struct dtls_dgram *g)
{
    (void)p;
    (void)g;
    return counted++ == to_lose ? -1 : 10000;
}

/* The handshake without loss takes two round trips of 20 ms and the way of the last flight.
 * Whatever single datagram is lost, one turn of the 50 ms timer mends it. */
static void any_one_lost_datagram_costs_one_timer(void **state)
{
    size_t all = 1000;

    (void)state;
    for (to_lose = all; to_lose + 1 > 0; to_lose = to_lose == 1000 ? all - 1 : to_lose - 1) {
        counted = 0;
        start(NULL, 1, link_lose_one);
        pair_run(&pair, START_US + 20 * SECOND);
        assert_true(pair_is_up(&pair));
        check_same_keys();
        if (to_lose == 1000) {
            all = counted;
            assert_int_equal(pair.now_us, START_US + 40000);
            assert_in_range(all, 3, 12);
        } else {
            assert_in_range(pair.now_us, START_US + 40000, START_US + 150000);
        }
        pair_fini(&pair);
    }
}

static int64_t link_bad(struct dtls_pair *p, const struct dtls_dgram *g)
{
    (void)g;
    if (draw(p) % 100 < 25)
        return -1;
    return 5000 + draw(p) % 60000; /* jitter that reorders */
}

static void joins_over_a_quarter_of_loss_and_reordering(void **state)
{
    uint64_t worst = 0;

    (void)state;
    for (unsigned int seed = 1; seed <= 150; seed++) {
        struct dtls_opts opts = { .mtu = { seed % 2 ? 1200 : 300, seed % 3 ? 1200 : 400 } };

        start(&opts, seed, link_bad);
        pair.duplicate = seed % 5 == 0;
        pair_run(&pair, START_US + 20 * SECOND);
        assert_true(pair_is_up(&pair));
        check_same_keys();
        if (pair.now_us - START_US > worst)
            worst = pair.now_us - START_US;
        pair_fini(&pair);
    }
    print_message("worst of 150 joins: %u ms\n", (unsigned int)(worst / 1000));
    assert_in_range(worst, 50000, 12 * SECOND);
}

/* The server is done when its last flight leaves. When that is lost, the client asks again. */
static int64_t link_lose_last_flight(struct dtls_pair *p, const struct dtls_dgram *g)
{
    if (g->to == CLIENT && sl_dtls_state(p->end[CLIENT].d) == SL_DTLS_HANDSHAKE &&
        g->bytes[0] == 20 && counted++ < to_lose) /* change_cipher_spec */
        return -1;
    return 1000;
}

static void a_connected_server_repeats_its_last_flight(void **state)
{
    (void)state;
    for (to_lose = 1; to_lose <= 3; to_lose++) {
        counted = 0;
        start(NULL, 1, link_lose_last_flight);
        pair_run(&pair, START_US + 20 * SECOND);
        assert_true(pair_is_up(&pair));
        assert_int_equal(counted, to_lose + 1);
        check_same_keys();
        pair_fini(&pair);
    }
}

static int64_t link_dead(struct dtls_pair *p, const struct dtls_dgram *g)
{
    (void)p;
    (void)g;
    return -1;
}

static void gives_up_after_twenty_seconds_of_silence(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    start(NULL, 1, link_dead);
    assert_int_equal(sl_dtls_timeout_us(pair.end[CLIENT].d), 50000);
    assert_int_equal(sl_dtls_timeout_us(pair.end[SERVER].d), -1);
    pair_run(&pair, START_US + 60 * SECOND);
    assert_int_equal(sl_dtls_state(pair.end[CLIENT].d), SL_DTLS_FAILED);
    assert_int_equal(sl_dtls_timeout_us(pair.end[CLIENT].d), -1);
    assert_in_range(pair.now_us, START_US + 20 * SECOND, START_US + 30 * SECOND);
    assert_in_range(pair.end[CLIENT].nsent, 10, 13);
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_lost_datagram_costs_one_timer),
        cmocka_unit_test(joins_over_a_quarter_of_loss_and_reordering),
        cmocka_unit_test(a_connected_server_repeats_its_last_flight),
        cmocka_unit_test(gives_up_after_twenty_seconds_of_silence),
    };
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests_name("sim_dtls", tests, NULL, NULL);
    sl_role_leave(&sl_role_worker);
    return failed;
}
