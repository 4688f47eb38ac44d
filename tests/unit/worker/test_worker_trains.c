/* Traffic as Chromium sends it: frames of six packets back to back, 83 % of neighbours equal in
 * size, the others within 16 bytes. It must leave in trains. */
#include "tests/unit/worker/worker_world.h"

#define PACKETS     6
#define SUBSCRIBERS 3

/* One of the frame's packets; the bytes behind the VP8 header tell which. */
static void send_part(struct rtc_client *c, uint16_t seq, unsigned int frame, unsigned int part,
                      size_t len) SL_ON_WORKER
{
    uint8_t p[1300] = { 0 };
    uint8_t *d = p + SL_RTP_HDR;

    sl_rtp_write_header(p, part == PACKETS - 1, VIDEO_PT, seq, frame * 3000, SSRC_IN);
    d[0] = part ? 0x80 : 0x90; /* X, S */
    d[1] = 0x80;               /* I */
    sl_put16(d + 2, (uint16_t)(0x8000 | frame));
    d[4] = frame ? 0x11 : 0x10;
    memcpy(d + 7, "\x9d\x01\x2a\x80\x02\xe0\x01", 7);
    memset(d + 14, (int)(frame + part), len - SL_RTP_HDR - 14);
    rtc_send_rtp(c, p, len);
}

/* All but about one in six neighbours are equal; an encoder that cuts evenly makes the later ones
 * longer by one. */
static size_t size_of(unsigned int frame, unsigned int part)
{
    size_t size = 1050 + frame % 7;

    if (part > frame % PACKETS)
        size += 1 + frame % 16;
    return size;
}

/* The worker finds the whole frame when it wakes, as it does when it has some work. */
static void send_frame(struct rtc_client *c, unsigned int frame) SL_ON_WORKER
{
    stick();
    for (unsigned int part = 0; part < PACKETS; part++)
        send_part(c, (uint16_t)(frame * PACKETS + part), frame, part, size_of(frame, part));
    usleep(1000);
    let_go();
}

static void expect_payload(const struct rtc_packet *p, unsigned int i)
{
    unsigned int frame = i / PACKETS, part = i % PACKETS;
    struct sl_rtp rtp;

    assert_int_equal(sl_rtp_parse(p->data, p->len, &rtp), 0);
    assert_int_equal(rtp.payload_len, size_of(frame, part) - SL_RTP_HDR);
    assert_int_equal(p->data[rtp.payload_off + rtp.payload_len - 1], (uint8_t)(frame + part));
}

/* As a publisher that paces its packets. */
static void send_frame_spread(struct rtc_client *c, unsigned int frame) SL_ON_WORKER
{
    for (unsigned int part = 0; part < PACKETS; part++) {
        send_part(c, (uint16_t)(frame * PACKETS + part), frame, part, size_of(frame, part));
        usleep(900);
    }
}

/* Packets per message of @frames frames to SUBSCRIBERS, all on worker 1. */
static double run(void (*send)(struct rtc_client *c, unsigned int frame), unsigned int frames,
                  struct sl_hist *latency) SL_ON_WORKER
{
    struct rtc_client pub, sub[SUBSCRIBERS];
    struct sl_worker_stats before, after;
    sl_id p, to[SUBSCRIBERS];
    double per_message;

    p = join(&pub, 1, SL_DIR_RECV);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        to[i] = join(&sub[i], 1, SL_DIR_SEND);
        route(p, to[i]);
    }
    before = next_stats(1);
    for (unsigned int f = 0; f < frames; f++) {
        send(&pub, f);
        for (int i = 0; i < SUBSCRIBERS; i++)
            (void)await_rtp(&sub[i], SSRC_OUT, (f + 1) * PACKETS);
    }
    after = next_stats(1);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        unsigned int n = 0;

        assert_int_equal(count_rtp(&sub[i], SSRC_OUT, NULL, NULL), frames * PACKETS);
        for (size_t k = 0; k < sub[i].nreceived; k++)
            if (!sub[i].received[k].is_rtcp && sl_get32(sub[i].received[k].data + 8) == SSRC_OUT)
                expect_payload(&sub[i].received[k], n++);
        assert_int_equal(sub[i].unreadable, 0);
    }
    per_message = (double)(after.tx.packets - before.tx.packets) /
                  (double)(after.tx.messages - before.tx.messages);
    print_message("%.2f packets per message, %u bytes padded to %u packets\n", per_message,
                  (unsigned int)(after.padded_bytes - before.padded_bytes),
                  (unsigned int)(after.padded_packets - before.padded_packets));
    sl_hist_since(&after.latency, &before.latency, latency);
    assert_true(after.padded_bytes - before.padded_bytes <=
                16 * (after.padded_packets - before.padded_packets));
    for (int i = 0; i < SUBSCRIBERS; i++)
        leave(&sub[i], to[i]);
    leave(&pub, p);
    return per_message;
}

static void frames_leave_as_trains_and_arrive_as_they_were(void **state)
{
    struct sl_hist latency;

    (void)state;
    SL_ASSUME(worker);
    assert_true(run(send_frame, 40, &latency) >= 4);
}

/* Packets a millisecond apart, and a wait that is longer than their frame. */
static void a_spread_frame_is_collected_when_packets_may_wait(void **state)
{
    const unsigned int frames = 12;
    struct sl_hist latency;

    (void)state;
    SL_ASSUME(worker);
    assert_true(run(send_frame_spread, frames, &latency) >= 3); /* with reports, which go alone */
    assert_int_equal(latency.count, frames * PACKETS * SUBSCRIBERS);
    /* The first of a frame waits, and nobody waits much longer than told. */
    assert_in_range(sl_hist_quantile(&latency, 1000), world_burst_wait_us * 3 / 4, 1000000);
    assert_in_range(sl_hist_quantile(&latency, 500), 1, world_burst_wait_us * 3);
}

int main(void)
{
    const struct CMUnitTest at_once[] = {
        cmocka_unit_test(frames_leave_as_trains_and_arrive_as_they_were),
    };
    const struct CMUnitTest waiting[] = {
        cmocka_unit_test(a_spread_frame_is_collected_when_packets_may_wait),
    };
    int failed = cmocka_run_group_tests(at_once, setup, teardown);

    world_burst_wait_us = 250000; /* much longer than a frame takes, also on a busy machine */
    return failed + cmocka_run_group_tests(waiting, setup, teardown);
}
