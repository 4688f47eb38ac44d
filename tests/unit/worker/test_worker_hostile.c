/*
 * Attacks on a worker: from addresses that proved nothing, and by a member that turned evil. In
 * between a good publisher goes on, and each of its packets must reach its subscriber. The seed is
 * fixed, so that a failure comes again.
 */
#include "tests/unit/worker/worker_world.h"

#include "media/media_cache.h"
#include "media/media_track.h"
#include "tests/unit/ice/stun_raw.h"

#include <malloc.h>

#define ROUNDS 100 /* of each kind of attack; after each of them one good packet */
#define BURST  10  /* bad datagrams in a round */
#define LINES  6
#define EVIL   0xe0000000u /* SSRCs: + line, + 0x100 for retransmissions */
#define VICTIM 0xf0000000u

/* ---- helpers --------------------------------------------------------------------------------- */

static uint32_t rnd(void)
{
    static uint64_t x = UINT64_C(0x5eed5eed5eed);

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)(x >> 16);
}

static void scramble(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)rnd();
}

/* A few bytes become others; mostly near the begin, where the headers are. */
static void mutate(uint8_t *p, size_t n, size_t from)
{
    for (unsigned int k = 1 + rnd() % 4; k && n > from; k--) {
        size_t span = n - from, at = from + rnd() % (rnd() % 2 && span > 32 ? 32 : span);

        p[at] = rnd() % 3 ? (uint8_t)rnd() : rnd() % 2 ? 0xff : 0;
    }
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* What this process has of malloc, server and clients. */
static size_t heap_bytes(void)
{
    struct mallinfo2 m;

    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* ---- the scene ------------------------------------------------------------------------------- */

struct scene {
    struct rtc_client pub, sub; /* the good ones, on worker 0 */
    sl_id pub_id, sub_id;
    uint16_t seq;
};

static void scene_begin(struct scene *s) SL_ON_WORKER
{
    memset(s, 0, sizeof(*s));
    s->pub_id = join(&s->pub, 0, SL_DIR_RECV);
    s->sub_id = join(&s->sub, 0, SL_DIR_SEND);
    route(s->pub_id, s->sub_id);
    settle();
    s->seq++;
    send_video(&s->pub, s->seq, 3000u * s->seq, true);
    assert_int_equal(await_rtp(&s->sub, SSRC_OUT, 1), 1);
}

static void scene_end(struct scene *s) SL_ON_WORKER
{
    leave(&s->pub, s->pub_id);
    leave(&s->sub, s->sub_id);
    pthread_mutex_lock(&world.lock);
    world.nreports = 0;
    pthread_mutex_unlock(&world.lock);
}

/* One packet from the good publisher, which must arrive; it comes behind the attack, so that this
 * waits until the attack was dealt with. */
static void good_packet(struct scene *s) SL_ON_WORKER
{
    s->sub.nreceived = 0;
    s->seq++;
    send_video(&s->pub, s->seq, 3000u * s->seq, false);
    assert_int_equal(await_rtp(&s->sub, SSRC_OUT, 1), 1);
    assert_int_equal(s->sub.unreadable, 0);
}

typedef void (*attack_fn)(struct scene *s, struct rtc_client *evil);

static void run(struct scene *s, struct rtc_client *evil, attack_fn attack) SL_ON_WORKER
{
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < BURST; i++)
            attack(s, evil);
        good_packet(s);
    }
}

/* ---- from addresses that proved nothing ------------------------------------------------------ */

static void random_datagrams(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[1500];
    size_t n = rnd() % sizeof(p);

    (void)s;
    SL_ASSUME(worker);
    scramble(p, n);
    rtc_send_raw(evil, p, n);
}

static void checks_gone_wrong(struct scene *s, struct rtc_client *evil)
{
    char user[SL_ICE_UFRAG_MAX + 16];
    struct raw_check check = { user, "no password of anybody's", rnd(), rnd() % 2, false };
    struct raw r;

    SL_ASSUME(worker);
    /* A ufrag that exists: only the password is missing. */
    snprintf(user, sizeof(user), "%s:test", rnd() % 2 ? s->pub.remote.ufrag : "nobody");
    raw_check_write(&r, &check, rnd());
    if (rnd() % 2)
        mutate(r.b, r.n, 0);
    if (rnd() % 4 == 0)
        r.n = rnd() % r.n;
    rtc_send_raw(evil, r.b, r.n);
}

static void strangers_media(struct scene *s, struct rtc_client *evil)
{
    static const uint8_t first[] = { 0x80, 0x90, 0x81, 20, 21, 22, 23, 25, 63 };
    uint8_t p[400];
    size_t n = 1 + rnd() % (sizeof(p) - 1);

    (void)s;
    SL_ASSUME(worker);
    scramble(p, n);
    p[0] = first[rnd() % sizeof(first)];
    if (n > 12 && rnd() % 2) { /* as if it were the publisher's */
        sl_rtp_write_header(p, false, rnd() % 2 ? VIDEO_PT : 200 & 0x7f, (uint16_t)rnd(), rnd(),
                            SSRC_IN);
    }
    rtc_send_raw(evil, p, n);
}

static void a_stranger_makes_no_state_and_no_trouble(void **state)
{
    static const attack_fn attacks[3] = { random_datagrams, checks_gone_wrong, strangers_media };
    struct rtc_client evil;
    struct sl_ice_creds creds;
    struct scene s;
    size_t before;

    (void)state;
    SL_ASSUME(worker);
    scene_begin(&s);
    sl_ice_creds_make(0, &creds);
    client_init(&evil, 0, &creds);
    run(&s, &evil, random_datagrams); /* all that grows once has grown */
    run(&s, &evil, checks_gone_wrong);
    run(&s, &evil, strangers_media);
    before = heap_bytes();
    for (size_t i = 0; i < 3 * ROUNDS; i++) { /* nothing else now, which could need memory */
        for (size_t k = 0; k < BURST; k++)
            attacks[i % 3](&s, &evil);
        rtc_poll(&evil, 1);
    }
    settle();
    assert_in_range(heap_bytes(), 0, before + 16384);
    good_packet(&s);
    rtc_poll(&evil, 20);
    assert_false(evil.checked); /* nobody was answered */
    assert_int_equal(evil.state, SL_DTLS_NEW);
    rtc_fini(&evil);
    scene_end(&s);
}

/* ---- a member that turned evil --------------------------------------------------------------- */

static const enum sl_codec codecs[LINES] = { SL_CODEC_VP8, SL_CODEC_VP9,  SL_CODEC_H264,
                                             SL_CODEC_AV1, SL_CODEC_H265, SL_CODEC_OPUS };

/* Lines of all codecs; what one sends to us (@in) and what we send to it (@out). */
static struct sl_media *all_lines(uint32_t in, uint32_t out)
{
    struct sl_media *m = calloc(1, sizeof(*m) + LINES * sizeof(m->line[0]));

    m->n = LINES;
    for (uint16_t i = 0; i < LINES; i++) {
        struct sl_media_line *l = &m->line[i];

        l->mindex = i;
        snprintf(l->mid, sizeof(l->mid), "%u", i);
        l->kind = i == LINES - 1 ? SL_KIND_AUDIO : SL_KIND_VIDEO;
        l->dir = (in ? SL_DIR_RECV : 0) | (out ? SL_DIR_SEND : 0);
        l->codec = codecs[i];
        l->pt = (uint8_t)(96 + 2 * i);
        l->rtx_pt = l->kind == SL_KIND_VIDEO ? (uint8_t)(97 + 2 * i) : SL_PT_NONE;
        l->red_pt = l->kind == SL_KIND_VIDEO ? SL_PT_NONE : 120;
        l->clock_rate = l->kind == SL_KIND_VIDEO ? 90000 : 48000;
        l->nack = l->pli = l->fir = l->remb = l->twcc = true;
        for (uint8_t e = 0; e < SL_EXT_MAX; e++)
            l->ext[e] = (uint8_t)(e + 1);
        l->ext_mixed = i % 2;
        l->ssrc[0] = in ? in + i : 0;
        l->rtx_ssrc[0] = in ? in + 0x100 + i : 0;
        l->tx_ssrc = out ? out + i : 0;
        l->tx_rtx_ssrc = out ? out + 0x100 + i : 0;
    }
    return m;
}

static void route_line(sl_id from, uint16_t from_line, sl_id to, uint16_t line)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, to, 0);

    m->mindex = line;
    m->route.from = from;
    m->route.from_mindex = from_line;
    m->route.nlayers = 1;
    m->route.svc = codecs[line] == SL_CODEC_VP9 || codecs[line] == SL_CODEC_AV1;
    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    post(m);
}

/* Begins of payloads that lead parsers somewhere. */
static const struct {
    uint8_t n;
    uint8_t b[20];
} seeds[] = {
    { 14, { 0x90, 0x80, 0x80, 1, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1 } }, /* VP8 */
    { 12, { 0xff, 0xe0, 0xff, 0x80, 1, 0xff, 0x3e, 0xff, 0xff, 0xff, 0xff, 0xff } },
    { 14, { 0xba, 0x80, 1, 0, 0, 0x1b, 2, 0x80, 1, 0xe0, 0x49, 0x83, 0x42, 0 } }, /* VP9, with SS */
    { 12, { 0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0xff, 0xff, 0x65, 0, 0 } },       /* STAP-A */
    { 6, { 0x7c, 0x85, 0x88, 0x84, 0, 0x33 } },                                   /* FU-A */
    { 12, { 0x38, 0x0a, 0x0b, 0, 0, 0, 4, 0x47, 0x7e, 0x1a, 0xff, 0xff } },       /* AV1 */
    { 8, { 0x60, 1, 0, 2, 0x40, 1, 0xff, 0xff } },                                /* H265 AP */
    { 10, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x6f, 0 } },          /* RED */
};

static void evil_rtp(struct scene *s, struct rtc_client *evil)
{
    static uint16_t seqs[LINES];
    unsigned int line = rnd() % LINES, kind = rnd() % 8;
    bool rtx = kind == 7, red = line == LINES - 1 && rnd() % 2;
    size_t n = 1 + rnd() % 1200, off = SL_RTP_HDR, ext;
    uint8_t p[1400];

    (void)s;
    SL_ASSUME(worker);
    scramble(p, sizeof(p));
    if (kind == 6)
        seqs[line] = (uint16_t)(seqs[line] + rnd() % 20000);
    seqs[line]++;
    sl_rtp_write_header(p, rnd() % 2, (uint8_t)(red ? 120 : 96 + 2 * line + rtx), seqs[line],
                        rnd() % 4 ? seqs[line] * 3000u : rnd(), EVIL + line + (rtx ? 0x100 : 0));
    if (kind == 5) { /* contributing sources */
        p[0] |= rnd() % 16;
        off += 4u * (p[0] & 15);
    }
    if (rnd() % 2) { /* extensions of both profiles and none, up to as many as fit */
        ext = rnd() % 4 ? rnd() % 12 : rnd() % 255;
        p[0] |= SL_RTP_EXT;
        sl_put16(p + off, rnd() % 3 ? 0xbede : rnd() % 2 ? 0x1000 : (uint16_t)rnd());
        sl_put16(p + off + 2, (uint16_t)ext);
        off += 4 + 4 * ext;
    }
    if (off + n > sizeof(p) - 40)
        n = sizeof(p) - 40 - off;
    if (rnd() % 4) {
        unsigned int k = rnd() % (sizeof(seeds) / sizeof(seeds[0]));

        memcpy(p + off, seeds[k].b, seeds[k].n);
        if (rnd() % 2)
            mutate(p + off, seeds[k].n, 0);
    }
    if (rtx && rnd() % 2)
        n = rnd() % 4; /* too short for the number of the original */
    if (rnd() % 8 == 0) {
        p[0] |= 0x20; /* padding: as it comes, often more than there is */
        if (rnd() % 2)
            p[off + n - 1] = (uint8_t)n;
    }
    rtc_send_rtp(evil, p, off + n);
}

/* Every one of them is a new one, with a mid that exists. */
static void many_ssrcs(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[100] = { 0 };

    (void)s;
    SL_ASSUME(worker);
    sl_rtp_write_header(p, true, VIDEO_PT, (uint16_t)rnd(), rnd(), rnd());
    p[0] |= SL_RTP_EXT;
    memcpy(p + SL_RTP_HDR, "\xbe\xde\x00\x01", 4);
    p[16] = (uint8_t)((SL_EXT_MID + 1) << 4);
    p[17] = (uint8_t)('0' + rnd() % LINES);
    memcpy(p + 20, seeds[0].b, seeds[0].n);
    rtc_send_rtp(evil, p, sizeof(p));
}

/* Compound packets whose members are right, nearly right, and nonsense. */
static void evil_rtcp(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[1300];
    struct sl_writer w = sl_writer_make(p, 1200);
    uint32_t media = VICTIM + rnd() % LINES;
    struct sl_rtcp_sr sr = { .ssrc = EVIL + rnd() % LINES,
                             .ntp = (uint64_t)rnd() << 32 | rnd(),
                             .rtp_ts = rnd() };
    struct sl_rtcp_rb rb = { .ssrc = media,
                             .fraction = 255,
                             .lost = (int32_t)rnd() >> 8,
                             .ext_seq = rnd(),
                             .jitter = rnd(),
                             .lsr = rnd(),
                             .dlsr = rnd() };
    struct sl_rtcp_fir fir = { media, (uint8_t)rnd() };
    size_t n;

    (void)s;
    SL_ASSUME(worker);
    sl_rtcp_sr_write(&w, &sr, &rb, 1);
    for (unsigned int k = rnd() % 4; k; k--) {
        uint16_t seqs[3] = { (uint16_t)rnd(), (uint16_t)rnd(), (uint16_t)rnd() };

        switch (rnd() % 6) {
        case 0:
            sl_rtcp_rr_write(&w, rnd(), &rb, rnd() % 2);
            break;
        case 1:
            sl_rtcp_nack_write(&w, 1, media, seqs, 3);
            break;
        case 2:
            sl_rtcp_remb_write(&w, 1, (uint64_t)rnd() << 20, &media, 1);
            break;
        case 3:
            sl_rtcp_bye_write(&w, &sr.ssrc, 1);
            break;
        case 4:
            sl_rtcp_sdes_write(&w, sr.ssrc, "nobody");
            break;
        default:
            sl_rtcp_fir_write(&w, 1, &fir, 1);
        }
    }
    n = sl_writer_len(&w);
    if (rnd() % 2) { /* transport-cc, or another kind of feedback, with whatever in it */
        size_t words = 2 + rnd() % 20;

        scramble(p + n, 4 * words + 4);
        p[n] = (uint8_t)(0x80 | (rnd() % 2 ? 15 : rnd() % 32));
        p[n + 1] = (uint8_t)(rnd() % 2 ? 205 : 200 + rnd() % 8);
        sl_put16(p + n + 2, (uint16_t)(rnd() % 4 ? words : rnd()));
        n += 4 * words + 4;
    }
    if (rnd() % 3 == 0)
        mutate(p, n, 8);
    rtc_send_rtcp(evil, p, n);
}

static void key_frames_wanted(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[1300];
    struct sl_writer w = sl_writer_make(p, 1200);
    struct sl_rtcp_fir fir = { VICTIM, 0 };

    (void)s;
    SL_ASSUME(worker);
    sl_rtcp_rr_write(&w, 1, NULL, 0);
    for (int i = 0; i < 40; i++) {
        fir.seq = (uint8_t)rnd();
        sl_rtcp_pli_write(&w, 1, VICTIM);
        sl_rtcp_fir_write(&w, 1, &fir, 1);
    }
    rtc_send_rtcp(evil, p, sl_writer_len(&w));
}

/* All numbers there are, in a few datagrams: twenty NACKs of 128 in each. */
static void everything_is_lost(struct scene *s, struct rtc_client *evil)
{
    static uint16_t seq;
    uint8_t p[1300];
    struct sl_writer w = sl_writer_make(p, 1200);

    (void)s;
    SL_ASSUME(worker);
    sl_rtcp_rr_write(&w, 1, NULL, 0);
    for (int i = 0; i < 20; i++) {
        uint16_t seqs[128];

        for (int k = 0; k < 128; k++)
            seqs[k] = seq++;
        sl_rtcp_nack_write(&w, 1, VICTIM, seqs, 128);
    }
    rtc_send_rtcp(evil, p, sl_writer_len(&w));
}

static void dtls_records(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[600];
    size_t n = 13 + rnd() % (sizeof(p) - 13);

    (void)s;
    SL_ASSUME(worker);
    scramble(p, n);
    p[0] = (uint8_t)(20 + rnd() % 6);
    sl_put16(p + 1, rnd() % 2 ? 0xfefd : 0xfeff);
    sl_put16(p + 3, (uint16_t)(rnd() % 3));
    memset(p + 5, 0, 4);
    sl_put16(p + 11, (uint16_t)(rnd() % 4 ? n - 13 : rnd()));
    rtc_send_raw(evil, p, n);
}

static void dtls_data(struct scene *s, struct rtc_client *evil)
{
    uint8_t p[1000];
    size_t n = 1 + rnd() % sizeof(p);

    (void)s;
    SL_ASSUME(worker);
    scramble(p, n);
    (void)sl_dtls_send(evil->dtls, p, n);
}

struct member {
    struct rtc_client c;
    sl_id id;
};

static void member_begin(struct member *m, unsigned int worker, uint32_t in,
                         uint32_t out) SL_ON_WORKER
{
    m->id = join(&m->c, worker, SL_DIR_INACTIVE);
    post_media(m->id, all_lines(in, out));
}

/* All that it can send; its media go to victims on both workers. */
static void turn_evil(void) SL_ON_WORKER
{
    static const attack_fn attacks[] = { evil_rtp,  evil_rtp,     evil_rtcp,
                                         dtls_data, dtls_records, many_ssrcs };
    struct member evil, near, far;
    struct scene s;

    scene_begin(&s);
    member_begin(&evil, 0, EVIL, VICTIM);
    member_begin(&near, 0, 0, VICTIM);
    member_begin(&far, 1, 0, VICTIM);
    for (uint16_t i = 0; i < LINES; i++) {
        route_line(evil.id, i, near.id, i);
        route_line(evil.id, i, far.id, i);
        route_line(i ? evil.id : s.pub_id, i, evil.id, i); /* its own, too */
    }
    settle();
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        run(&s, &evil.c, attacks[i]);
    settle();
    rtc_poll(&near.c, 20);
    rtc_poll(&far.c, 20);
    assert_true(near.c.nreceived > 0);
    assert_true(far.c.nreceived > 0);
    assert_int_equal(near.c.unreadable, 0);
    assert_int_equal(far.c.unreadable, 0);
    leave(&evil.c, evil.id);
    leave(&near.c, near.id);
    leave(&far.c, far.id);
    scene_end(&s);
}

static void a_member_that_turns_evil_harms_nobody_else(void **state)
{
    size_t before;

    (void)state;
    SL_ASSUME(worker);
    turn_evil(); /* pools and caches grow to what they need */
    before = heap_bytes();
    turn_evil();
    assert_in_range(heap_bytes(), 0, before + (512 << 10));
}

static void a_publisher_is_asked_for_key_frames_now_and_then_only(void **state)
{
    struct member evil;
    struct scene s;
    uint64_t begin_us;
    size_t asked, may;

    (void)state;
    SL_ASSUME(worker);
    scene_begin(&s);
    member_begin(&evil, 0, 0, VICTIM);
    route_line(s.pub_id, 0, evil.id, 0);
    settle();
    s.pub.nreceived = 0;
    begin_us = sl_now_us();
    run(&s, &evil.c, key_frames_wanted);
    rtc_poll(&s.pub, 600); /* longer than requests are throttled */
    may = (size_t)((sl_now_us() - begin_us) / SL_KEY_PACE_US) + SL_KEY_BURST + 1;
    asked = count_rtcp(&s.pub, SL_RTCP_PSFB, SL_PSFB_PLI) +
            count_rtcp(&s.pub, SL_RTCP_PSFB, SL_PSFB_FIR);
    assert_in_range(asked, 1, may);
    leave(&evil.c, evil.id);
    scene_end(&s);
}

static void who_asks_for_everything_gets_little_more_than_once(void **state)
{
    struct member evil;
    struct scene s;
    size_t sent = 0, resent = 0;

    (void)state;
    SL_ASSUME(worker);
    scene_begin(&s);
    member_begin(&evil, 0, 0, VICTIM);
    route_line(s.pub_id, 0, evil.id, 0);
    settle();
    for (int i = 0; i < 200; i++) {
        s.seq++;
        send_video(&s.pub, s.seq, 3000u * s.seq, i == 0);
    }
    assert_int_equal(await_rtp(&s.sub, SSRC_OUT, 201), 201);
    settle();
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < BURST; i++)
            everything_is_lost(&s, &evil.c);
        good_packet(&s);
        rtc_poll(&evil.c, 1);
        sent += count_rtp(&evil.c, VICTIM, NULL, NULL);
        resent += count_rtp(&evil.c, VICTIM + 0x100, NULL, NULL);
        evil.c.nreceived = 0;
    }
    assert_true(sent > 0);
    assert_in_range(resent, 1, sent + SL_RESEND_DEBT_MAX);
    leave(&evil.c, evil.id);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_makes_no_state_and_no_trouble),
        cmocka_unit_test(a_member_that_turns_evil_harms_nobody_else),
        cmocka_unit_test(a_publisher_is_asked_for_key_frames_now_and_then_only),
        cmocka_unit_test(who_asks_for_everything_gets_little_more_than_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
