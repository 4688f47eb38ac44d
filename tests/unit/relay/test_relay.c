/* Remote publishers and forwarders on two workers: plain sockets on loopback at both ends. */
#include "tests/unit/test_cmocka.h"

#include "base/secret.h"
#include "relay/relay.h"
#include "rtcp/rtcp.h"
#include "rtp/rtp_pkt.h"
#include "srtp/srtp.h"
#include "tests/unit/test_ports.h"
#include "worker/worker.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NWORKERS 2
#define PT       100

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY_B "HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"

static struct sl_worker *workers[NWORKERS];
static struct sl_cert *cert;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t ndown, nclosed, nreceiving;
static uint32_t last_slot;

static void on_report(void *arg, struct sl_report *r)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    ndown += r->type == SL_REPORT_DOWN;
    nclosed += r->type == SL_REPORT_CLOSED;
    nreceiving += r->type == SL_REPORT_RECEIVING && r->receiving.on;
    pthread_mutex_unlock(&lock);
    free(r);
}

static size_t count(const size_t *n)
{
    size_t v;

    pthread_mutex_lock(&lock);
    v = *n;
    pthread_mutex_unlock(&lock);
    return v;
}

static int setup(void **state)
{
    const uint16_t port = test_ports();
    char err[160];

    (void)state;
    if (!port)
        return -1;
    sl_role_enter(&sl_role_worker); /* the receiver's SRTP */
    if (sl_srtp_init() || sl_cert_create(&cert))
        return -1;
    for (unsigned int i = 0; i < NWORKERS; i++) {
        struct sl_addr bind;
        struct sl_worker_conf c = { .index = i,
                                    .bind = &bind,
                                    .nbind = 1,
                                    .cert = cert,
                                    .mtu = 1200,
                                    .no_media_s = 1,
                                    .twcc_period_us = 100000,
                                    .report = on_report };

        (void)sl_addr_from_ip("127.0.0.1", (uint16_t)(port + i), &bind);
        if (sl_worker_create(&c, &workers[i], err, sizeof(err)) < 0) {
            print_error("%s\n", err);
            return -1;
        }
    }
    if (sl_workers_connect(workers, NWORKERS))
        return -1;
    for (unsigned int i = 0; i < NWORKERS; i++)
        if (sl_worker_start(workers[i]))
            return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (unsigned int i = 0; i < NWORKERS; i++)
        sl_worker_stop(workers[i]);
    sl_workers_destroy(workers, NWORKERS);
    sl_cert_destroy(cert);
    sl_srtp_fini();
    sl_role_leave(&sl_role_worker);
    return 0;
}

/* ---- endpoints ------------------------------------------------------------------------------- */

static void post(struct sl_wmsg *m)
{
    sl_worker_post(workers[sl_id_worker(m->pc)], m);
}

static struct sl_udp *socket_open(void)
{
    struct sl_addr bind;
    struct sl_udp *u = NULL;

    (void)sl_addr_from_ip("127.0.0.1", 0, &bind);
    assert_int_equal(sl_udp_open(&bind, 0, &u), 0);
    return u;
}

static struct sl_relay_conf *conf_make(enum sl_relay_kind kind, unsigned int suite, const char *key)
{
    struct sl_relay_conf *c = calloc(1, sizeof(*c));

    c->kind = kind;
    c->rtp = socket_open();
    c->is_srtp = suite != 0;
    if (suite)
        assert_int_equal(sl_srtp_static_keys(suite, key, &c->keys), 0);
    return c;
}

static sl_id open_relay(struct sl_relay_conf *c, unsigned int worker)
{
    sl_id id = sl_id_make(worker, ++last_slot, 3);
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_OPEN, id, 0);

    m->relay = c;
    post(m);
    return id;
}

/* A VP8 line for each of the bits of @layers when it is sent, else one with @layers layers. */
static struct sl_media *media_make(size_t n)
{
    struct sl_media *m = calloc(1, sizeof(*m) + n * sizeof(m->line[0]));

    m->n = n;
    for (size_t i = 0; i < n; i++) {
        m->line[i].mindex = (uint16_t)i;
        m->line[i].kind = SL_KIND_VIDEO;
        m->line[i].codec = SL_CODEC_VP8;
        m->line[i].pt = m->line[i].rtx_pt = m->line[i].red_pt = SL_PT_NONE;
        m->line[i].clock_rate = 90000;
    }
    return m;
}

static void set_media(sl_id id, struct sl_media *media)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_MEDIA, id, 0);

    m->media = media;
    post(m);
}

static void route(sl_id from, sl_id to, uint16_t to_line, uint8_t nlayers)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, to, 0);

    m->mindex = to_line;
    m->route.from = from;
    m->route.nlayers = nlayers;
    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    post(m);
}

static void close_relay(sl_id id)
{
    size_t before = count(&nclosed);

    post(sl_wmsg_new(SL_WMSG_EP_CLOSE, id, 0));
    for (int i = 0; i < 30000 && count(&nclosed) == before; i++)
        usleep(1000);
    assert_int_equal(count(&nclosed), before + 1);
}

/* Waits until the workers did what was posted, and saw what was sent; that takes a few turns. */
static void settle(void)
{
    for (unsigned int i = 0; i < 4 * NWORKERS; i++)
        close_relay(sl_id_make(i % NWORKERS, 0, 998)); /* there is none */
}

/* ---- the other machines ---------------------------------------------------------------------- */

struct peer {
    int fd; /* without UDP_GRO: a datagram is a packet */
    struct sl_addr local;
    struct sl_addr to; /* of what it sends */
    struct sl_srtp *srtp;
    size_t n;
    struct {
        uint8_t data[1500];
        size_t len;
        struct sl_addr from;
    } got[400];
};

static struct peer *peer_make(const struct sl_addr *to, unsigned int suite,
                              const char *key) SL_ON_WORKER
{
    struct peer *p = calloc(1, sizeof(*p));
    socklen_t len = sizeof(p->local);
    struct sl_srtp_keys keys;

    (void)sl_addr_from_ip("127.0.0.1", 0, &p->local);
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->fd, &p->local.sa, sl_addr_len(&p->local)), 0);
    assert_int_equal(getsockname(p->fd, &p->local.sa, &len), 0);
    if (to)
        p->to = *to;
    if (suite) {
        assert_int_equal(sl_srtp_static_keys(suite, key, &keys), 0);
        assert_int_equal(sl_srtp_create(&keys, &p->srtp), 0);
    }
    return p;
}

static void peer_free(struct peer *p) SL_ON_WORKER
{
    sl_srtp_destroy(p->srtp);
    (void)close(p->fd);
    free(p);
}

static void send_to(const struct peer *p, const struct sl_addr *to, const void *data, size_t len)
{
    assert_int_equal(sendto(p->fd, data, len, 0, &to->sa, sl_addr_len(to)), (ssize_t)len);
}

/* One VP8 frame; @mark tells it from others at the end. */
static void send_video(struct peer *p, uint32_t ssrc, uint16_t seq, bool key,
                       uint16_t mark) SL_ON_WORKER
{
    uint8_t b[300] = { 0 };
    size_t len = 200;
    uint8_t *d = b + SL_RTP_HDR;

    sl_rtp_write_header(b, true, PT, seq, seq * 3000u, ssrc);
    d[0] = 0x10; /* S: no picture id, so that the payload stays as it is */
    d[1] = key ? 0x10 : 0x11;
    d[2] = 0x02;
    memcpy(d + 4, "\x9d\x01\x2a\x80\x02\xe0\x01", 7);
    sl_put16(d + 20, mark);
    if (p->srtp)
        assert_int_equal(sl_srtp_protect(p->srtp, b, &len), 0);
    send_to(p, &p->to, b, len);
}

static void send_report(struct peer *p, uint32_t ssrc, uint32_t ts) SL_ON_WORKER
{
    struct sl_rtcp_sr sr = { .ssrc = ssrc, .ntp = UINT64_C(0xe0000000) << 32, .rtp_ts = ts };
    uint8_t b[100];
    struct sl_writer w = sl_writer_make(b, 60);
    size_t len;

    sl_rtcp_sr_write(&w, &sr, NULL, 0);
    len = sl_writer_len(&w);
    if (p->srtp)
        assert_int_equal(sl_srtcp_protect(p->srtp, b, &len), 0);
    send_to(p, &p->to, b, len);
}

/* Takes what comes within @ms; with SRTP it must authenticate. */
static void peer_poll(struct peer *p, int ms) SL_ON_WORKER
{
    struct pollfd pfd = { p->fd, POLLIN, 0 };

    while (p->n < 400 && poll(&pfd, 1, ms) > 0) {
        struct sl_addr *from = &p->got[p->n].from;
        socklen_t alen = sizeof(*from);
        ssize_t n = recvfrom(p->fd, p->got[p->n].data, 1500, 0, &from->sa, &alen);
        size_t len = (size_t)n;

        assert_true(n > 0);
        if (p->srtp)
            assert_int_equal(sl_demux(p->got[p->n].data, len) == SL_DEMUX_RTCP
                                 ? sl_srtcp_unprotect(p->srtp, p->got[p->n].data, &len)
                                 : sl_srtp_unprotect(p->srtp, p->got[p->n].data, &len),
                             0);
        p->got[p->n++].len = len;
        ms = ms > 100 ? 100 : ms;
    }
}

/* RTP that came: how many of @ssrc (0: any); marks in order. */
static size_t rtp_of(const struct peer *p, uint32_t ssrc, struct sl_rtp *first, uint16_t *marks)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct sl_rtp rtp;

        if (sl_demux(p->got[i].data, p->got[i].len) != SL_DEMUX_RTP ||
            sl_rtp_parse(p->got[i].data, p->got[i].len, &rtp) < 0 || (ssrc && rtp.ssrc != ssrc))
            continue;
        if (n == 0 && first)
            *first = rtp;
        if (marks)
            marks[n] = sl_get16(p->got[i].data + rtp.payload_off + 20);
        n++;
    }
    return n;
}

/* Polls until @n of @ssrc are there, for half a minute at most: how many there are then. */
static size_t await_rtp(struct peer *p, uint32_t ssrc, size_t n) SL_ON_WORKER
{
    for (int i = 0; i < 6000 && rtp_of(p, ssrc, NULL, NULL) < n; i++)
        peer_poll(p, 5);
    settle();
    peer_poll(p, 0);
    return rtp_of(p, ssrc, NULL, NULL);
}

static bool got_rtcp(const struct peer *p, uint8_t pt, uint8_t fmt, struct sl_rtcp_pkt *out)
{
    for (size_t i = 0; i < p->n; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(p->got[i].data, p->got[i].len);
        struct sl_rtcp_pkt pkt;

        if (sl_demux(p->got[i].data, p->got[i].len) != SL_DEMUX_RTCP)
            continue;
        while (sl_rtcp_next(&it, &pkt) > 0)
            if (pkt.pt == pt && (fmt == 255 || pkt.fmt == fmt)) {
                if (out)
                    *out = pkt;
                return true;
            }
    }
    return false;
}

/* Polls until it is there, for half a minute at most. */
static bool await_rtcp(struct peer *p, uint8_t pt, uint8_t fmt,
                       struct sl_rtcp_pkt *out) SL_ON_WORKER
{
    for (int i = 0; i < 6000 && !got_rtcp(p, pt, fmt, NULL); i++)
        peer_poll(p, 5);
    return got_rtcp(p, pt, fmt, out);
}

/* ---- a publisher elsewhere, a forwarder here, a receiver elsewhere --------------------------- */

struct chain {
    struct peer *pub, *rcv;
    sl_id remote, fwd;
    struct sl_addr fwd_addr;
};

/* @layers of the one video line; the forwarder has the lines of @out. */
static struct chain chain_make(unsigned int w1, unsigned int w2, uint8_t layers,
                               struct sl_media *out, unsigned int suite) SL_ON_WORKER
{
    struct sl_relay_conf *rc = conf_make(SL_RELAY_REMOTE, suite, KEY_A);
    struct sl_relay_conf *fc = conf_make(SL_RELAY_FORWARD, suite, KEY_B);
    struct sl_media *in = media_make(1);
    struct chain c;

    c.pub = peer_make(&rc->rtp->local, suite, KEY_A);
    c.rcv = peer_make(NULL, suite, KEY_B);
    c.fwd_addr = fc->rtp->local;
    fc->rtp_to = fc->rtcp_to = c.rcv->local;
    in->line[0].dir = SL_DIR_RECV;
    in->line[0].nlayers = layers;
    for (unsigned int i = 0; i < SL_LAYERS_MAX; i++)
        in->line[0].ssrc[i] = SL_RELAY_SSRC(0, i);
    c.remote = open_relay(rc, w1);
    set_media(c.remote, in);
    c.fwd = open_relay(fc, w2);
    for (size_t i = 0; i < out->n; i++)
        out->line[i].dir = SL_DIR_SEND;
    size_t n = out->n;
    set_media(c.fwd, out);
    for (size_t i = 0; i < n; i++)
        route(c.remote, c.fwd, (uint16_t)i, layers);
    settle();
    return c;
}

static void chain_end(struct chain *c) SL_ON_WORKER
{
    close_relay(c->fwd);
    close_relay(c->remote);
    peer_free(c->pub);
    peer_free(c->rcv);
}

static void payloads_pass_with_the_publishers_ssrc_and_pt(void **state)
{
    struct chain c;
    struct sl_rtp first;
    uint16_t marks[400];

    (void)state;
    SL_ASSUME(worker);
    for (unsigned int w2 = 0; w2 < 2; w2++) {
        c = chain_make(0, w2, 1, media_make(1), 0);
        send_video(c.pub, 1000, 65530, false, 7); /* before a key frame */
        for (uint16_t i = 0; i < 20; i++)
            send_video(c.pub, 1000, (uint16_t)(65531 + i), i == 0, (uint16_t)(100 + i));
        assert_int_equal(await_rtp(c.rcv, 0, 20), 20);
        (void)rtp_of(c.rcv, 0, &first, marks);
        assert_int_equal(first.ssrc, 1000);
        assert_int_equal(first.pt, PT);
        assert_int_equal(first.payload_len, 200 - SL_RTP_HDR);
        for (uint16_t i = 0; i < 20; i++)
            assert_int_equal(marks[i], 100 + i);
        assert_true(count(&nreceiving) > 0);
        chain_end(&c);
    }
}

static void ssrc_and_pt_can_be_overridden(void **state)
{
    struct sl_media *out = media_make(1);
    struct sl_rtp first;
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    out->line[0].tx_ssrc = 777;
    out->line[0].pt = 55;
    c = chain_make(0, 0, 1, out, 0);
    send_video(c.pub, 1000, 1, true, 1);
    assert_int_equal(await_rtp(c.rcv, 777, 1), 1);
    (void)rtp_of(c.rcv, 777, &first, NULL);
    assert_int_equal(rtp_of(c.rcv, 0, NULL, NULL), 1);
    assert_int_equal(first.pt, 55);
    chain_end(&c);
}

static void each_simulcast_layer_has_its_stream_or_one_is_chosen(void **state)
{
    struct sl_media *out = media_make(4);
    uint16_t marks[400];
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    for (unsigned int i = 0; i < 3; i++) {
        out->line[i].tx_ssrc = SL_RELAY_SSRC(4, i);
        out->line[i].tx_layer = (uint8_t)(i + 1);
    }
    out->line[3].tx_ssrc = 9;
    c = chain_make(0, 1, 3, out, 0);
    for (uint16_t i = 0; i < 10; i++)
        for (uint16_t l = 0; l < 3; l++)
            send_video(c.pub, SL_RELAY_SSRC(0, l), (uint16_t)(l * 1000 + i), i == 0,
                       (uint16_t)(l * 100 + i));
    send_video(c.pub, SL_RELAY_SSRC(0, 3), 1, true, 999); /* no such layer, no such line */
    send_video(c.pub, SL_RELAY_SSRC(1, 0), 1, true, 999);
    send_video(c.pub, 5, 1, true, 999);
    for (uint16_t l = 0; l < 3; l++)
        (void)await_rtp(c.rcv, SL_RELAY_SSRC(4, l), 10);
    (void)await_rtp(c.rcv, 9, 10);
    for (uint16_t l = 0; l < 3; l++) {
        assert_int_equal(rtp_of(c.rcv, SL_RELAY_SSRC(4, l), NULL, marks), 10);
        for (uint16_t i = 0; i < 10; i++)
            assert_int_equal(marks[i], l * 100 + i);
    }
    /* Up from the first layer's key frame to the best one's. */
    assert_in_range(rtp_of(c.rcv, 9, NULL, marks), 10, 12);
    assert_int_equal(marks[9] / 100, 2);
    chain_end(&c);
}

static void srtp_protects_both_ways(void **state)
{
    static const unsigned int suites[] = { 80, 32 };
    struct sl_rtcp_pkt pkt;
    struct sl_rtcp_sr sr;
    uint16_t marks[400];
    struct sl_rtp first;

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < 2; i++) {
        struct chain c = chain_make(0, 0, 1, media_make(1), suites[i]);
        struct peer *other = peer_make(&c.pub->to, 80, KEY_B); /* another key */

        send_video(other, 1000, 1, true, 9);
        settle();
        send_video(c.pub, 1000, 1, true, 1);
        send_report(c.pub, 1000, 3000);
        send_video(c.pub, 1000, 2, false, 2);
        assert_int_equal(await_rtp(c.rcv, 1000, 2), 2);
        (void)rtp_of(c.rcv, 1000, &first, marks);
        assert_int_equal(marks[0], 1);
        assert_int_equal(first.payload_len, 200 - SL_RTP_HDR);
        /* On the publisher's own clock, which so crosses any number of servers. */
        assert_true(await_rtcp(c.rcv, SL_RTCP_SR, 255, &pkt));
        assert_int_equal(sl_rtcp_sr_parse(&pkt, &sr, NULL, 0), 0);
        assert_in_range(sr.ntp >> 32, 0xe0000000u, 0xe000001eu);
        peer_free(other);
        chain_end(&c);
    }
}

static void a_picture_loss_travels_to_the_publisher(void **state)
{
    struct chain c;
    struct sl_rtcp_fb fb;
    struct sl_rtcp_pkt pkt;
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(1, 0, 1, media_make(1), 0);
    /* The publisher's reports tell where its feedback goes. */
    sl_rtcp_rr_write(&w, 5, NULL, 0);
    send_to(c.pub, &c.pub->to, buf, sl_writer_len(&w));
    send_video(c.pub, 1000, 1, true, 1);
    peer_poll(c.pub, 700); /* longer than requests are throttled */
    c.pub->n = 0;
    w = sl_writer_make(buf, sizeof(buf));
    sl_rtcp_pli_write(&w, 1, 1000);
    send_to(c.rcv, &c.fwd_addr, buf, sl_writer_len(&w));
    assert_true(await_rtcp(c.pub, SL_RTCP_PSFB, SL_PSFB_PLI, &pkt));
    assert_int_equal(sl_rtcp_fb_parse(&pkt, &fb), 0);
    assert_int_equal(fb.media, 1000);
    peer_poll(c.pub, 600);
    c.pub->n = 0;
    w = sl_writer_make(buf, sizeof(buf));
    sl_rtcp_fir_write(&w, 1, &(struct sl_rtcp_fir){ 1000, 1 }, 1);
    send_to(c.rcv, &c.fwd_addr, buf, sl_writer_len(&w));
    assert_true(await_rtcp(c.pub, SL_RTCP_PSFB, SL_PSFB_PLI, NULL));
    chain_end(&c);
}

static void another_sender_is_not_heard_while_the_first_one_sends(void **state)
{
    struct peer *other;
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(0, 0, 1, media_make(1), 0);
    other = peer_make(&c.pub->to, 0, NULL);
    send_video(c.pub, 1000, 1, true, 1);
    settle();
    send_video(other, 1000, 2, true, 666);
    assert_int_equal(await_rtp(c.rcv, 1000, 1), 1);
    peer_free(other);
    chain_end(&c);
}

static void junk_is_dropped(void **state)
{
    static const uint8_t junk[][8] = { { 0 }, { 0x80, 100 }, { 0x80, 200, 0, 9 }, { 0xff, 0xff } };
    struct chain c;

    (void)state;
    SL_ASSUME(worker);
    c = chain_make(0, 0, 1, media_make(1), 0);
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        for (size_t len = 1; len <= 8; len++) {
            send_to(c.pub, &c.pub->to, junk[i], len);
            send_to(c.rcv, &c.fwd_addr, junk[i], len);
        }
    send_video(c.pub, 1000, 1, true, 1);
    assert_int_equal(await_rtp(c.rcv, 1000, 1), 1);
    chain_end(&c);
}

static void messages_for_stale_ids_are_harmless(void **state)
{
    sl_id stale = sl_id_make(0, ++last_slot, 1), id;

    (void)state;
    set_media(stale, media_make(1));
    close_relay(stale);
    id = open_relay(conf_make(SL_RELAY_FORWARD, 0, NULL), 0);
    route(stale, id, 0, 1);
    route(stale, id, 9, 1);
    set_media(id, media_make(2));
    close_relay(id);
    assert_int_equal(count(&ndown), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_pass_with_the_publishers_ssrc_and_pt),
        cmocka_unit_test(ssrc_and_pt_can_be_overridden),
        cmocka_unit_test(each_simulcast_layer_has_its_stream_or_one_is_chosen),
        cmocka_unit_test(srtp_protects_both_ways),
        cmocka_unit_test(a_picture_loss_travels_to_the_publisher),
        cmocka_unit_test(another_sender_is_not_heard_while_the_first_one_sends),
        cmocka_unit_test(junk_is_dropped),
        cmocka_unit_test(messages_for_stale_ids_are_harmless),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
