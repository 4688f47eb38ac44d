/* What browsers do not send by themselves: simulcast by SSRC, multiopus, L16. */
#include "tests/unit/worker/worker_world.h"

#define NLAYERS 3

/* ---- simulcast by SSRC ----------------------------------------------------------------------- */

static void send_layer(struct rtc_client *c, unsigned int layer, uint16_t seq, uint32_t ts,
                       bool key) SL_ON_WORKER
{
    uint8_t p[200] = { 0 };
    uint8_t *d = p + SL_RTP_HDR;

    sl_rtp_write_header(p, true, VIDEO_PT, seq, ts, SSRC_IN + layer);
    d[0] = 0x90;
    d[1] = 0x80;
    sl_put16(d + 2, 0x8000 | (seq & 0x7fff));
    d[4] = key ? 0x10 : 0x11;
    sl_put16(d + 20, (uint16_t)layer);
    rtc_send_rtp(c, p, sizeof(p));
}

/* Was a key frame of this SSRC asked for? */
static bool got_pli(const struct rtc_client *c, uint32_t ssrc)
{
    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_rtcp_pkt p;

        while (c->received[i].is_rtcp && sl_rtcp_next(&it, &p) > 0)
            if (p.pt == SL_RTCP_PSFB && p.fmt == SL_PSFB_PLI && p.len >= 8 &&
                sl_get32(p.body + 4) == ssrc)
                return true;
    }
    return false;
}

static void wish_substream(sl_id sub, int substream)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_LAYERS, sub, 0);

    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    m->route.wish.substream = (int8_t)substream;
    post(m);
}

/* The last three that came are of the lowest layer. */
static bool is_down(const struct rtc_client *c)
{
    uint16_t marks[64];
    size_t n = count_rtp(c, SSRC_OUT, NULL, marks);

    return n >= 8 && !marks[n - 1] && !marks[n - 2] && !marks[n - 3];
}

static void layers_known_by_ssrc_are_switched(void **state)
{
    struct sl_media *media = make_media(SL_DIR_RECV);
    struct rtc_client pub, sub;
    struct sl_wmsg *m;
    uint16_t seqs[64], marks[64];
    uint16_t seq = 100;
    size_t n;
    sl_id p, s;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&sub, 0, SL_DIR_SEND);
    media->line[0].nlayers = NLAYERS;
    for (unsigned int i = 0; i < NLAYERS; i++)
        media->line[0].ssrc[i] = SSRC_IN + i;
    post_media(p, media);
    route(p, s); /* as it was before there were layers */
    m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, s, 0);
    m->route.from = p;
    m->route.nlayers = NLAYERS;
    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    post(m);
    settle();
    for (int i = 0; i < 8; i++, seq++) { /* longer than requests are throttled */
        for (unsigned int l = 0; l < NLAYERS; l++)
            send_layer(&pub, l, (uint16_t)(seq + 1000 * l), seq * 3000u, i == 0);
        rtc_poll(&pub, 80);
    }
    pub.nreceived = 0;
    wish_substream(s, 0);
    for (int i = 0; i < 300 && !got_pli(&pub, SSRC_IN); i++)
        rtc_poll(&pub, 100);
    assert_true(got_pli(&pub, SSRC_IN));
    for (int i = 0; i < 4; i++, seq++)
        for (unsigned int l = 0; l < NLAYERS; l++)
            send_layer(&pub, l, (uint16_t)(seq + 1000 * l), seq * 3000u, i == 1 && l == 0);
    for (int i = 0; i < 6000 && !is_down(&sub); i++)
        rtc_poll(&sub, 5);
    n = count_rtp(&sub, SSRC_OUT, seqs, marks);
    assert_true(n >= 8);
    assert_int_equal(marks[n - 1], 0);
    for (size_t i = 1; i < n; i++) {
        assert_int_equal(seqs[i], (uint16_t)(seqs[i - 1] + 1));
        if (i < n - 3) /* up with the first key frames, down at the one that was asked for */
            assert_true(marks[i] >= marks[i - 1]);
    }
    assert_int_equal(marks[n - 4], NLAYERS - 1);
    assert_int_equal(marks[n - 3], 0);
    leave(&pub, p);
    leave(&sub, s);
}

/* ---- audio that browsers do not offer -------------------------------------------------------- */

static const struct {
    enum sl_codec codec;
    uint32_t clock_rate;
    uint32_t ticks; /* per packet */
    uint16_t len;
} sounds[] = {
    { SL_CODEC_MULTIOPUS, 48000, 960, 300 }, { SL_CODEC_L16, 16000, 320, 640 },
    { SL_CODEC_L16_48, 48000, 480, 960 },    { SL_CODEC_G722, 8000, 160, 160 },
    { SL_CODEC_ISAC16, 16000, 480, 120 },    { SL_CODEC_ISAC32, 32000, 960, 200 },
};

static struct sl_media *make_sound(size_t i, enum sl_dir dir, uint8_t pt)
{
    struct sl_media *m = make_media(dir);
    struct sl_media_line *l = m->line;

    l->kind = SL_KIND_AUDIO;
    l->codec = sounds[i].codec;
    l->clock_rate = sounds[i].clock_rate;
    l->pt = pt;
    l->rtx_pt = SL_PT_NONE;
    l->nack = l->pli = false;
    l->tx_rtx_ssrc = 0;
    return m;
}

static void check_sound(struct rtc_client *c, size_t which, uint8_t pt) SL_ON_WORKER
{
    uint16_t seq = 0;
    uint32_t ts = 0;
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++) {
        const struct rtc_packet *p = &c->received[i];
        struct sl_rtp rtp;

        if (p->is_rtcp)
            continue;
        assert_int_equal(sl_rtp_parse(p->data, p->len, &rtp), 0);
        assert_int_equal(rtp.pt, pt);
        assert_int_equal(rtp.payload_len, sounds[which].len);
        for (uint16_t k = 0; k < rtp.payload_len; k++)
            assert_int_equal(p->data[rtp.payload_off + k], (uint8_t)(k * 7 + n));
        if (n) {
            assert_int_equal(rtp.seq, (uint16_t)(seq + 1));
            assert_int_equal(rtp.ts, ts + sounds[which].ticks);
        }
        seq = rtp.seq;
        ts = rtp.ts;
        n++;
    }
    assert_int_equal(n, 5);
}

static void sound_of_every_codec_passes_unchanged(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++) {
        struct rtc_client pub, sub;
        sl_id p = join(&pub, 0, SL_DIR_INACTIVE), s = join(&sub, 1, SL_DIR_INACTIVE);

        post_media(p, make_sound(i, SL_DIR_RECV, 101));
        post_media(s, make_sound(i, SL_DIR_SEND, 107)); /* numbers are each connection's own */
        route(p, s);
        settle();
        for (uint16_t k = 0; k < 5; k++) {
            uint8_t pkt[SL_RTP_HDR + 960];

            sl_rtp_write_header(pkt, k == 0, 101, (uint16_t)(65533 + k),
                                UINT32_C(0xffffff00) + k * sounds[i].ticks, SSRC_IN);
            for (uint16_t b = 0; b < sounds[i].len; b++)
                pkt[SL_RTP_HDR + b] = (uint8_t)(b * 7 + k);
            rtc_send_rtp(&pub, pkt, SL_RTP_HDR + sounds[i].len);
        }
        (void)await_rtp(&sub, SSRC_OUT, 5);
        check_sound(&sub, i, 107);
        leave(&pub, p);
        leave(&sub, s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_known_by_ssrc_are_switched),
        cmocka_unit_test(sound_of_every_codec_passes_unchanged),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
