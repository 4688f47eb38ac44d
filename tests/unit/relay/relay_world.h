/*
 * relay_world.h - what test_relay.c stands on: two workers with relays, the machines at their other
 * ends as plain sockets on loopback, and a chain of both (chain_make).
 *
 * Thread: the test's main one, which counts as a worker's where SRTP is used.
 */
#ifndef RELAY_WORLD_H
#define RELAY_WORLD_H

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

#endif
