/*
 * A publisher behind a lossy link, on a virtual clock: what the server's NACK generator asks for
 * comes back as RTX, both ways through the same loss, until everything is there.
 */
#include "tests/unit/test_cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_cache.h"
#include "media/media_nack.h"
#include "rtcp/rtcp.h"
#include "rtp/rtp_rtx.h"
#include "rtp/rtp_seq.h"

#define PACKETS   12000 /* a minute */
#define EVERY_US  5000
#define TICK_US   1000
#define FIRST_SEQ 60000 /* wraps early */
#define PKT_MAX   64
#define LINK_MAX  4096

struct datagram {
    uint64_t at_us;
    uint16_t len;
    uint8_t data[1200];
};

struct link {
    uint32_t x;                         /* random state */
    unsigned loss, jitter_us, delay_us; /* loss in percent */
    struct datagram *q;
    size_t n;
    uint64_t lost, sent;
};

static uint32_t rnd(struct link *l)
{
    l->x = l->x * 1664525 + 1013904223;
    return l->x >> 8;
}

static void link_send(struct link *l, const void *data, size_t len, uint64_t now)
{
    struct datagram *d;

    l->sent++;
    if (rnd(l) % 100 < l->loss) {
        l->lost++;
        return;
    }
    assert_true(l->n < LINK_MAX && len <= sizeof(l->q->data));
    d = &l->q[l->n++];
    d->at_us = now + l->delay_us + (l->jitter_us ? rnd(l) % l->jitter_us : 0);
    d->len = (uint16_t)len;
    memcpy(d->data, data, len);
}

/* The next datagram that has arrived, in any order among those. */
static bool link_recv(struct link *l, uint64_t now, struct datagram *out)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->q[i].at_us > now)
            continue;
        *out = l->q[i];
        l->q[i] = l->q[--l->n];
        return true;
    }
    return false;
}

struct world {
    struct link up, down;
    /* publisher */
    struct sl_cache cache;
    struct sl_resend resend;
    uint16_t rtx_seq;
    uint64_t rtx_sent;
    /* server */
    struct sl_nack nack;
    bool learns; /* the round trip; else it is taken for 100 ms */
    struct sl_seq seq;
    uint8_t got[PACKETS]; /* how often each came */
    uint64_t spurious;
    uint64_t worst_us;  /* from first sending to arrival */
    uint64_t repair_us; /* of those that were asked for, together */
};

static uint64_t sent_at(size_t i)
{
    return 1000000 + (uint64_t)i * EVERY_US;
}

static void publish(struct world *w, size_t i, uint64_t now)
{
    uint8_t *p = calloc(1, PKT_MAX);

    assert_non_null(p);
    sl_rtp_write_header(p, true, 96, (uint16_t)(FIRST_SEQ + i), (uint32_t)i, 1);
    memcpy(p + SL_RTP_HDR, &i, sizeof(i));
    link_send(&w->up, p, SL_RTP_HDR + sizeof(i), now);
    sl_cache_put(&w->cache, FIRST_SEQ + i, p, now);
    sl_resend_pay(&w->resend);
}

static void publisher_answers(struct world *w, const struct datagram *d, uint64_t newest,
                              uint64_t now)
{
    struct sl_rtcp_it it = sl_rtcp_begin(d->data, d->len);
    struct sl_rtcp_pkt p;
    struct sl_rtcp_fb fb;
    uint16_t seqs[512];
    int n;

    while (sl_rtcp_next(&it, &p) == 1) {
        if (p.pt != SL_RTCP_RTPFB)
            continue;
        n = sl_rtcp_nack_parse(&p, &fb, seqs, 512);
        assert_true(n > 0);
        for (int k = 0; k < n; k++) {
            uint8_t rtx[PKT_MAX];
            struct sl_rtp rtp;
            const void *pkt = sl_cache_peek(&w->cache, sl_seq_near(newest, seqs[k]), now);
            int len;

            if (!pkt || sl_resend_may(&w->resend, seqs[k], 1000, now))
                continue;
            assert_int_equal(sl_rtp_parse(pkt, SL_RTP_HDR + sizeof(size_t), &rtp), 0);
            len = sl_rtx_wrap(rtx, sizeof(rtx), pkt, &rtp, 97, 2, w->rtx_seq++);
            assert_true(len > 0);
            link_send(&w->up, rtx, (size_t)len, now);
            w->rtx_sent++;
        }
    }
}

static void server_takes(struct world *w, struct datagram *d, uint64_t now)
{
    struct sl_rtp rtp;
    uint64_t seq;
    bool again;
    size_t i;

    assert_int_equal(sl_rtp_parse(d->data, d->len, &rtp), 0);
    again = rtp.ssrc == 2;
    if (again) {
        int n = sl_rtx_unwrap(d->data, &rtp, 96, 1);

        assert_true(n > 0);
        assert_int_equal(sl_rtp_parse(d->data, (size_t)n, &rtp), 0);
    }
    assert_int_equal(rtp.ssrc, 1);
    seq = sl_seq_extend(&w->seq, rtp.seq);
    memcpy(&i, d->data + rtp.payload_off, sizeof(i));
    assert_int_equal(seq, FIRST_SEQ + i);
    if (again && w->learns)
        sl_nack_on_resent(&w->nack, seq, now);
    if (sl_nack_on_packet(&w->nack, seq, false, now) && again)
        w->repair_us += now - sent_at(i);
    w->spurious += w->got[i] > 0;
    w->got[i]++;
    if (now - sent_at(i) > w->worst_us)
        w->worst_us = now - sent_at(i);
}

static void server_asks(struct world *w, uint64_t now)
{
    uint16_t seqs[128];
    uint8_t buf[1200];

    while (sl_nack_next_us(&w->nack) <= now) {
        struct sl_writer wr = sl_writer_make(buf, sizeof(buf));
        size_t n = sl_nack_due(&w->nack, now, seqs, 128);

        if (!n)
            continue;
        sl_rtcp_rr_write(&wr, 9, NULL, 0);
        sl_rtcp_nack_write(&wr, 9, 1, seqs, n);
        assert_false(wr.failed);
        link_send(&w->down, buf, sl_writer_len(&wr), now);
    }
}

static struct world *run(unsigned loss, unsigned jitter_us, unsigned delay_us, bool learns)
{
    struct world *w = calloc(1, sizeof(*w));
    static struct datagram d;
    size_t i = 0;

    assert_non_null(w);
    w->up = (struct link){ .x = 1, .loss = loss, .jitter_us = jitter_us, .delay_us = delay_us };
    w->down = (struct link){ .x = 2, .loss = loss, .jitter_us = jitter_us, .delay_us = delay_us };
    w->up.q = calloc(LINK_MAX, sizeof(struct datagram));
    w->down.q = calloc(LINK_MAX, sizeof(struct datagram));
    assert_true(w->up.q && w->down.q);
    assert_int_equal(sl_cache_init(&w->cache, 1024, 2000000, free), 0);
    sl_nack_init(&w->nack);
    w->learns = learns;
    for (uint64_t now = 1000000; now < sent_at(PACKETS) + 2000000; now += TICK_US) {
        for (; i < PACKETS && sent_at(i) <= now; i++)
            publish(w, i, now);
        while (link_recv(&w->down, now, &d))
            publisher_answers(w, &d, FIRST_SEQ + i, now);
        while (link_recv(&w->up, now, &d))
            server_takes(w, &d, now);
        server_asks(w, now);
    }
    return w;
}

static void destroy(struct world *w)
{
    sl_cache_fini(&w->cache);
    free(w->up.q);
    free(w->down.q);
    free(w);
}

static void everything_is_recovered(void **state)
{
    static const struct {
        unsigned loss, jitter_us, delay_us;
        uint64_t worst_us;
    } v[] = {
        { 0, 0, 20000, 25000 },       { 0, 9000, 20000, 32000 },   { 5, 0, 20000, 600000 },
        { 10, 8000, 20000, 800000 },  { 20, 8000, 10000, 900000 }, { 20, 0, 35000, 1100000 },
        { 5, 20000, 80000, 1100000 },
    };

    (void)state;
    for (size_t k = 0; k < TEST_COUNT(v); k++) {
        struct world *w = run(v[k].loss, v[k].jitter_us, v[k].delay_us, true);
        uint64_t missing = 0;

        /* The very last packets have none behind them that would show the gap. */
        for (size_t i = 0; i < PACKETS - 20; i++)
            missing += w->got[i] == 0;
        print_message(
            "loss %2u %%, jitter %2u ms, delay %2u ms: missing %d, RTX %d, asked %d, twice "
            "%d, worst %d ms\n",
            v[k].loss, v[k].jitter_us / 1000, v[k].delay_us / 1000, (int)missing, (int)w->rtx_sent,
            (int)w->nack.asked, (int)w->spurious, (int)(w->worst_us / 1000));
        assert_int_equal(missing, 0);
        assert_int_equal(w->nack.lost, 0);
        assert_in_range(w->worst_us, 0, v[k].worst_us);
        if (v[k].loss == 0) {
            assert_int_equal(w->nack.asked, 0); /* reordering within the tolerance is no loss */
            assert_int_equal(w->rtx_sent, 0);
        } else {
            assert_true(w->up.lost > PACKETS * v[k].loss / 200);
            /* Bounded: no more than what the loss of requests and answers makes necessary. */
            assert_true(w->nack.asked < w->nack.missing * 2);
            assert_true(w->spurious * 20 < w->nack.missing);
        }
        destroy(w);
    }
}

/* On a short way a lost request or answer costs less time, on a long one nothing is asked for that
 * is on its way. */
static void the_round_trip_is_learned(void **state)
{
    static const struct {
        unsigned loss, delay_us;
    } v[] = { { 20, 10000 }, { 10, 20000 }, { 5, 100000 }, { 5, 150000 } };

    (void)state;
    for (size_t k = 0; k < TEST_COUNT(v); k++) {
        double mean_ms[2], asked[2];

        for (int learns = 0; learns < 2; learns++) {
            struct world *w = run(v[k].loss, 0, v[k].delay_us, learns);

            mean_ms[learns] = (double)w->repair_us / 1e3 / (double)w->nack.recovered;
            asked[learns] = (double)w->nack.asked / (double)w->nack.missing;
            if (learns)
                assert_in_range(w->nack.rtt_us, 2 * v[k].delay_us, 3 * v[k].delay_us);
            destroy(w);
        }
        print_message("loss %2u %%, round trip %3u ms: repaired after %.0f ms, asked for %.2f "
                      "times; learned: %.0f ms, %.2f\n",
                      v[k].loss, v[k].delay_us / 500, mean_ms[0], asked[0], mean_ms[1], asked[1]);
        if (2 * v[k].delay_us < 100000)
            assert_true(mean_ms[1] < 0.85 * mean_ms[0]);
        else
            assert_true(asked[1] < 0.7 * asked[0]);
    }
}

static void a_dead_uplink_is_given_up(void **state)
{
    struct sl_nack n;
    uint16_t seqs[64];
    uint64_t asked = 0;

    (void)state;
    sl_nack_init(&n);
    n.rtt_us = 50000;
    sl_nack_on_packet(&n, 1000, false, 0);
    sl_nack_on_packet(&n, 1101, false, 0);
    for (uint64_t now = 0; now < 5000000; now += TICK_US)
        asked += sl_nack_due(&n, now, seqs, 64);
    assert_true(asked <= 100 * SL_NACK_TRIES);
    assert_int_equal(n.lost, 100);
    assert_true(sl_nack_next_us(&n) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_recovered),
        cmocka_unit_test(the_round_trip_is_learned),
        cmocka_unit_test(a_dead_uplink_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
