/* Whether the load generator sends what it says and counts what it gets. */
#include "../test_cmocka.h"

#include "rtp/rtp_payload.h"
#include "tests/load/load_rx.h"
#include "tests/load/load_tx.h"
#include <stdlib.h>
#include <string.h>

#define SECONDS 60

static const struct load_line audio = { SL_KIND_AUDIO, "0", 111, SL_PT_NONE, { 0 }, 0, 0 };
static const struct load_line video = { SL_KIND_VIDEO, "1", 96, 97, { 0 }, 0, 0 };

struct shape {
    size_t packets, frames, neighbours, equal, apart;
    uint64_t bytes;
};

/* Video only, for a minute; each call of load_tx_take is a moment. */
static void send_a_minute(const struct load_tx_conf *conf, struct shape *out)
{
    static struct load_pkt pkts[LOAD_TRAIN_MAX];
    const uint32_t ssrc = 1;
    uint64_t now_us = 1000000, end_us = now_us + SECONDS * UINT64_C(1000000);
    struct load_tx *tx;
    size_t last_len = 0;
    uint16_t seq = 0;

    memset(out, 0, sizeof(*out));
    assert_int_equal(load_tx_create(conf, &audio, &video, &ssrc, 1, 2, now_us, &tx), 0);
    for (; now_us < end_us; now_us = load_tx_due_us(tx)) {
        size_t n;

        while ((n = load_tx_take(tx, now_us, pkts)) > 0)
            for (size_t i = 0; i < n; i++) {
                struct sl_rtp h;

                assert_int_equal(sl_rtp_parse(pkts[i].data, pkts[i].len, &h), 0);
                if (h.pt != video.pt)
                    continue;
                assert_true(out->packets == 0 || h.seq == (uint16_t)(seq + 1));
                seq = h.seq;
                out->packets++;
                out->bytes += h.payload_len;
                out->frames += h.marker;
                if (last_len) {
                    out->neighbours++;
                    out->equal += last_len == h.payload_len;
                    out->apart += last_len > h.payload_len + 16u || last_len + 16 < h.payload_len;
                }
                last_len = h.marker ? 0 : h.payload_len;
            }
    }
    load_tx_destroy(tx);
}

static void a_train_is_chromiums(void **state)
{
    const struct load_tx_conf conf = { 30, 1500, 100, 0 };
    struct shape s;

    (void)state;
    send_a_minute(&conf, &s);
    assert_in_range(s.frames, SECONDS * 30 - 2, SECONDS * 30 + 2);
    assert_in_range(s.bytes * 8 / SECONDS / 1000, 1440, 1600);
    assert_in_range(10 * s.packets / s.frames, 57, 65);    /* 6.1 */
    assert_in_range(100 * s.equal / s.neighbours, 79, 87); /* 83 % */
    assert_int_equal(s.apart, 0);
}

static void a_spread_train_takes_its_time(void **state)
{
    const struct load_tx_conf conf = { 30, 1500, 0, 900 };
    static struct load_pkt pkts[LOAD_TRAIN_MAX];
    const uint32_t ssrc = 1;
    uint64_t due_us;
    struct load_tx *tx;

    (void)state;
    assert_int_equal(load_tx_create(&conf, &audio, &video, &ssrc, 1, 2, 0, &tx), 0);
    due_us = load_tx_due_us(tx);
    for (int i = 0; i < 5; i++) { /* the first frame is a key frame of many packets */
        assert_int_equal(load_tx_take(tx, due_us, pkts), 1);
        assert_int_equal(load_tx_take(tx, due_us, pkts), 0);
        assert_int_equal(load_tx_due_us(tx), due_us + 900);
        due_us += 900;
    }
    load_tx_destroy(tx);
}

static bool next_frame_is_key(struct load_tx *tx)
{
    static struct load_pkt pkts[LOAD_TRAIN_MAX];
    uint64_t now_us = load_tx_due_us(tx);
    bool key = false;
    size_t n;

    while ((n = load_tx_take(tx, now_us, pkts)) > 0)
        for (size_t i = 0; i < n; i++) {
            struct sl_payload_info info;
            struct sl_rtp h;

            assert_int_equal(sl_rtp_parse(pkts[i].data, pkts[i].len, &h), 0);
            assert_int_equal(
                sl_payload_parse(SL_CODEC_VP8, pkts[i].data + h.payload_off, h.payload_len, &info),
                0);
            key |= info.key;
        }
    return key;
}

static void a_key_frame_comes_when_asked_for(void **state)
{
    const struct load_tx_conf conf = { 30, 1500, 0, 0 };
    const uint32_t ssrc = 1;
    uint8_t pli[64];
    struct sl_writer w = sl_writer_make(pli, sizeof(pli));
    struct load_tx *tx;

    (void)state;
    sl_rtcp_pli_write(&w, 9, ssrc);
    assert_int_equal(load_tx_create(&conf, &audio, &video, &ssrc, 1, 2, 0, &tx), 0);
    assert_true(next_frame_is_key(tx));
    assert_false(next_frame_is_key(tx));
    load_tx_feedback(tx, pli, sl_writer_len(&w));
    assert_true(next_frame_is_key(tx));
    assert_false(next_frame_is_key(tx));
    load_tx_destroy(tx);
}

/* ---- receiving ---------------------------------------------------------------------------------
 */

struct world {
    struct load_tally tally;
    struct load_rx rx;
    struct load_tx *tx;
    struct load_pkt pkts[LOAD_TRAIN_MAX];
    size_t n;
};

static struct world *world_make(const struct load_rx_conf *conf)
{
    static const struct load_tx_conf tx = { 30, 1500, 0, 0 };
    static const uint32_t ssrc = 1;
    struct world *w = calloc(1, sizeof(*w));
    struct load_line line = video;

    assert_non_null(w);
    line.ssrc = ssrc;
    line.rtx_ssrc = 7;
    w->tally.to_ns = UINT64_MAX;
    assert_int_equal(load_rx_init(&w->rx, conf, &w->tally), 0);
    assert_int_equal(load_rx_describe(&w->rx, &line, 1), 0);
    assert_int_equal(load_tx_create(&tx, NULL, &video, &ssrc, 1, 2, 0, &w->tx), 0);
    load_tx_set_audience(w->tx, 0, &w->tally, 1);
    w->n = load_tx_take(w->tx, load_tx_due_us(w->tx), w->pkts);
    assert_true(w->n >= 10);
    return w;
}

static void world_free(struct world *w)
{
    load_tx_destroy(w->tx);
    load_rx_fini(&w->rx);
    free(w);
}

static void hear(struct world *w, size_t i, uint64_t delay_ns)
{
    const struct load_pkt *p = &w->pkts[i];

    load_rx_packet(&w->rx, p->data, p->len, sl_get64(p->data + p->len - 8) + delay_ns, 1);
}

static void each_packet_counts_once(void **state)
{
    static const struct load_rx_conf conf = { false, false };
    struct world *w = world_make(&conf);

    (void)state;
    for (size_t i = 0; i < 10; i++)
        if (i != 4 && i != 6)
            hear(w, i, 250000);
    hear(w, 6, 250000); /* late */
    hear(w, 6, 250000); /* twice */
    hear(w, 9, 250000); /* twice */
    assert_int_equal(w->tally.expected, w->n);
    assert_int_equal(w->tally.delivered, 9);
    assert_int_equal(w->tally.repaired, 1);
    assert_int_equal(w->tally.duplicates, 2);
    assert_int_equal(w->tally.holes, 2);
    assert_in_range(load_hist_at(&w->tally.latency, 0.5), 245000, 250000);
    world_free(w);
}

static void what_is_missing_is_asked_for_until_it_comes(void **state)
{
    static const struct load_rx_conf conf = { true, false };
    struct world *w = world_make(&conf);
    uint8_t buf[256], rtx[LOAD_PKT_MAX + 2];
    struct sl_writer out = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_pkt p;
    struct sl_rtcp_it it;
    struct sl_rtcp_fb fb;
    uint16_t seqs[8];
    size_t len;

    (void)state;
    hear(w, 0, 0);
    hear(w, 2, 0);
    load_rx_feedback(&w->rx, 2, &out);
    it = sl_rtcp_begin(buf, sl_writer_len(&out));
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(p.pt, SL_RTCP_RR); /* a compound packet begins with a report */
    assert_int_equal(sl_rtcp_next(&it, &p), 1);
    assert_int_equal(sl_rtcp_nack_parse(&p, &fb, seqs, 8), 1);
    assert_int_equal(seqs[0], sl_get16(w->pkts[1].data + 2));
    /* As RFC 4588 sends it again: another stream, the old number before the payload. */
    len = w->pkts[1].len;
    memcpy(rtx, w->pkts[1].data, SL_RTP_HDR);
    memcpy(rtx + SL_RTP_HDR, w->pkts[1].data + 2, 2);
    memcpy(rtx + SL_RTP_HDR + 2, w->pkts[1].data + SL_RTP_HDR, len - SL_RTP_HDR);
    rtx[1] = video.rtx_pt;
    sl_put32(rtx + 8, 7);
    load_rx_packet(&w->rx, rtx, len + 2, 0, 3);
    assert_int_equal(w->tally.delivered, 3);
    assert_int_equal(w->tally.repaired, 1);
    out = sl_writer_make(buf, sizeof(buf));
    load_rx_feedback(&w->rx, 900000, &out);
    assert_int_equal(sl_writer_len(&out), 0);
    world_free(w);
}

static void percentiles_are_right_to_two_percent(void **state)
{
    struct load_hist *h = calloc(1, sizeof(*h));

    (void)state;
    assert_non_null(h);
    for (uint64_t v = 1; v <= 100000; v++)
        load_hist_add(h, v * 100);
    for (int p = 1; p < 100; p++) {
        uint64_t want = (uint64_t)p * 100000;

        assert_in_range(load_hist_at(h, p / 100.0), want - want / 50, want + want / 50);
    }
    assert_int_equal(h->max, 10000000);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_train_is_chromiums),
        cmocka_unit_test(a_spread_train_takes_its_time),
        cmocka_unit_test(a_key_frame_comes_when_asked_for),
        cmocka_unit_test(each_packet_counts_once),
        cmocka_unit_test(what_is_missing_is_asked_for_until_it_comes),
        cmocka_unit_test(percentiles_are_right_to_two_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
