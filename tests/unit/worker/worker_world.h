/*
 * worker_world.h - two workers on loopback, control played by messages, and real clients.
 */
#ifndef SL_TEST_WORKER_WORLD_H
#define SL_TEST_WORKER_WORLD_H

#include "tests/unit/test_cmocka.h"

#include "base/clock.h"
#include "peer/peer_info.h"
#include "rtcp/rtcp.h"
#include "rtp/rtp_pkt.h"
#include "rtp/rtp_rtx.h"
#include "rtp/rtp_seq.h"
#include "tests/mock/rtc_client.h"
#include "tests/unit/test_ports.h"
#include "worker/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NWORKERS 2
#define REPORTS  4096
#define VIDEO_PT 96
#define RTX_PT   97
#define SSRC_IN  0x11111111u
#define SSRC_OUT 0x22222222u
#define RTX_OUT  0x33333333u
/* Connections that there are not: their end is a worker's answer to settle() and stick(). */
#define SETTLED(worker) sl_id_make(worker, 0, 998)
#define STUCK           sl_id_make(1, 0, 999)

struct world {
    struct sl_worker *workers[NWORKERS];
    struct sl_cert *cert, *client_cert;
    struct sl_fingerprint fp, client_fp;
    pthread_mutex_t lock;
    struct sl_report reports[REPORTS];
    size_t nreports;
    struct sl_media_stats stats[8]; /* of the last SL_REPORT_INFO, */
    struct sl_path_state way;       /* and what its path carries */
    uint32_t slot;
    atomic_uint settled[NWORKERS];
    atomic_bool stuck; /* worker 1 is to be, at its next report */
    atomic_bool is_stuck;
};

static struct world world;
/* Options of the workers, to be set before setup. */
static uint32_t world_burst_wait_us;
static uint64_t world_gop_us;
static bool world_pin;
static uint16_t world_port; /* of worker 0, the others follow; setup finds it */
static bool world_has_tcp;  /* ICE-TCP, at world_tcp_port */
#define world_tcp_port ((uint16_t)(world_port + NWORKERS))
/* How clients connect. */
static bool world_by_tcp;

static inline void on_report(void *arg, struct sl_report *r)
{
    struct world *w = arg;

    while (atomic_load(&w->stuck) && sl_id_worker(r->pc) == 1) {
        atomic_store(&w->is_stuck, true);
        usleep(1000); /* a worker that does nothing else */
    }
    if (r->pc == SETTLED(sl_id_worker(r->pc))) {
        atomic_fetch_add(&w->settled[sl_id_worker(r->pc)], 1);
        free(r);
        return;
    }
    pthread_mutex_lock(&w->lock);
    if (r->type == SL_REPORT_INFO) {
        const struct sl_peer_info *in = r->info.is;

        w->way = in->way;
        memcpy(w->stats, in->stats, (in->nstats < 8 ? in->nstats : 8) * sizeof(w->stats[0]));
        free(r->info.is);
    }
    if (w->nreports < REPORTS)
        w->reports[w->nreports++] = *r;
    pthread_mutex_unlock(&w->lock);
    free(r);
}

static inline bool has_report(enum sl_report_type type, sl_id pc)
{
    bool found = false;

    pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.nreports; i++)
        if (world.reports[i].type == type && world.reports[i].pc == pc)
            found = true;
    pthread_mutex_unlock(&world.lock);
    return found;
}

static inline bool wait_report(enum sl_report_type type, sl_id pc)
{
    for (int i = 0; i < 6000; i++) {
        if (has_report(type, pc))
            return true;
        usleep(5000);
    }
    return false;
}

static inline void post(struct sl_wmsg *m)
{
    sl_worker_post(world.workers[sl_id_worker(m->pc)], m);
}

/*
 * Waits until the workers did what was posted before, and what they posted to each other for it.
 * The mail of a turn comes before its sockets and rings: with four answers of each worker there was
 * a turn that found what had been sent to it, and one that found what that brought for the other.
 */
static inline void settle(void)
{
    for (unsigned int round = 0; round < 4 * NWORKERS; round++) {
        const unsigned int worker = round % NWORKERS;
        const unsigned int before = atomic_load(&world.settled[worker]);

        post(sl_wmsg_new(SL_WMSG_EP_CLOSE, SETTLED(worker), 0));
        for (int i = 0; i < 30000 && atomic_load(&world.settled[worker]) == before; i++)
            usleep(1000);
        assert_int_not_equal(atomic_load(&world.settled[worker]), before);
    }
}

static inline int setup(void **state)
{
    char text[128], err[160];

    (void)state;
    memset(&world, 0, sizeof(world));
    if (!world_port && !(world_port = test_ports()))
        return -1;
    pthread_mutex_init(&world.lock, NULL);
    sl_role_enter(&sl_role_worker);
    if (sl_srtp_init() || sl_cert_create(&world.cert) || sl_cert_create(&world.client_cert))
        return -1;
    snprintf(text, sizeof(text), "sha-256 %s", sl_cert_fingerprint(world.cert));
    (void)sl_fingerprint_parse(text, &world.fp);
    snprintf(text, sizeof(text), "sha-256 %s", sl_cert_fingerprint(world.client_cert));
    (void)sl_fingerprint_parse(text, &world.client_fp);
    for (unsigned int i = 0; i < NWORKERS; i++) {
        struct sl_addr bind;
        struct sl_worker_conf c = {
            .index = i,
            .bind = &bind,
            .nbind = 1,
            .cert = world.cert,
            .mtu = 1200,
            .ice_grace_s = 90,
            .no_media_s = 1,
            .twcc_period_us = 100000,
            .burst_wait_us = world_burst_wait_us,
            .gop_us = world_gop_us,
            .gop_bytes = 1000000,
            .pin = world_pin,
            .max_ssrcs = 64,
            .estimates = true,
            .tcp_port = world_has_tcp ? world_tcp_port : 0,
            .report = on_report,
            .arg = &world,
        };

        (void)sl_addr_from_ip("127.0.0.1", (uint16_t)(world_port + i), &bind);
        if (sl_worker_create(&c, &world.workers[i], err, sizeof(err)) < 0) {
            print_error("%s\n", err);
            return -1;
        }
    }
    if (sl_workers_connect(world.workers, NWORKERS))
        return -1;
    for (unsigned int i = 0; i < NWORKERS; i++)
        if (sl_worker_start(world.workers[i]))
            return -1;
    settle(); /* they run */
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    SL_ASSUME(worker);
    for (unsigned int i = 0; i < NWORKERS; i++)
        sl_worker_stop(world.workers[i]);
    sl_workers_destroy(world.workers, NWORKERS);
    sl_cert_destroy(world.cert);
    sl_cert_destroy(world.client_cert);
    sl_srtp_fini();
    sl_role_leave(&sl_role_worker);
    pthread_mutex_destroy(&world.lock);
    return 0;
}

/* Worker 1 does nothing from here on, until it is let go. */
static inline void stick(void)
{
    atomic_store(&world.is_stuck, false);
    atomic_store(&world.stuck, true);
    post(sl_wmsg_new(SL_WMSG_EP_CLOSE, STUCK, 0)); /* it gets stuck on the answer */
    for (int i = 0; i < 30000 && !atomic_load(&world.is_stuck); i++)
        usleep(1000);
    assert_true(atomic_load(&world.is_stuck));
}

static inline void let_go(void)
{
    atomic_store(&world.stuck, false);
}

/* What @worker tells of itself next, which it does once a second. */
static inline struct sl_worker_stats next_stats(unsigned int worker)
{
    struct sl_worker_stats s;
    unsigned int told;

    settle();
    told = sl_worker_load(world.workers[worker]).told;
    for (int i = 0; i < 6000 && sl_worker_load(world.workers[worker]).told == told; i++)
        usleep(5000);
    assert_int_not_equal(sl_worker_load(world.workers[worker]).told, told);
    sl_worker_stats_get(world.workers[worker], &s);
    return s;
}

/* One video m-line. */
static inline struct sl_media *make_media(enum sl_dir dir)
{
    struct sl_media *m = calloc(1, sizeof(*m) + sizeof(m->line[0]));
    struct sl_media_line *l = m->line;

    m->n = 1;
    strcpy(l->mid, "0");
    l->kind = SL_KIND_VIDEO;
    l->dir = dir;
    l->codec = SL_CODEC_VP8;
    l->pt = VIDEO_PT;
    l->rtx_pt = RTX_PT;
    l->red_pt = SL_PT_NONE;
    l->clock_rate = 90000;
    l->nack = l->pli = true;
    if (dir & SL_DIR_RECV)
        l->ssrc[0] = SSRC_IN;
    if (dir & SL_DIR_SEND) {
        l->tx_ssrc = SSRC_OUT;
        l->tx_rtx_ssrc = RTX_OUT;
        l->remb = true;
    }
    return m;
}

/* A client that checks addresses of @worker with @creds. */
static inline void client_init(struct rtc_client *c, unsigned int worker,
                               const struct sl_ice_creds *creds) SL_ON_WORKER
{
    struct sl_addr server;

    uint16_t port = world_by_tcp ? world_tcp_port : (uint16_t)(world_port + worker);
    int err;

    (void)sl_addr_from_ip("127.0.0.1", port, &server);
    err = world_by_tcp ? rtc_init_tcp(c, &server, creds, world.client_cert, &world.fp)
                       : rtc_init(c, &server, creds, world.client_cert, &world.fp);
    assert_int_equal(err, 0);
}

/* A peer connection on @worker without m-lines, and its client, which is not connected yet. */
static inline sl_id open_pc(struct rtc_client *c, unsigned int worker) SL_ON_WORKER
{
    sl_id id = sl_id_make(worker, ++world.slot, 7);
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_PC_OPEN, id, 0);
    struct sl_ice_creds creds;

    sl_ice_creds_make(worker, &creds);
    m->open.lite = true;
    m->open.local = creds;
    post(m);
    m = sl_wmsg_new(SL_WMSG_PC_REMOTE, id, 0);
    strcpy(m->remote.ufrag, "test");
    m->remote.fingerprint = world.client_fp;
    m->remote.dtls_server = true;
    post(m);
    client_init(c, worker, &creds);
    return id;
}

static inline void post_media(sl_id id, struct sl_media *media)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_EP_MEDIA, id, 0);

    m->media = media;
    post(m);
}

/* A peer connection on @worker and its connected client. */
static inline sl_id join(struct rtc_client *c, unsigned int worker, enum sl_dir dir) SL_ON_WORKER
{
    const sl_id id = open_pc(c, worker);

    post_media(id, make_media(dir));
    assert_true(rtc_connect(c));
    assert_true(wait_report(SL_REPORT_UP, id));
    return id;
}

static inline void leave(struct rtc_client *c, sl_id id) SL_ON_WORKER
{
    post(sl_wmsg_new(SL_WMSG_EP_CLOSE, id, 0));
    assert_true(wait_report(SL_REPORT_CLOSED, id));
    rtc_fini(c);
}

static inline void route(sl_id from, sl_id to)
{
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_ROUTE_ADD, to, 0);

    m->route.from = from;
    m->route.nlayers = 1;
    m->route.wish = (struct sl_layer_wish)SL_LAYER_WISH_INIT;
    post(m);
}

/* A VP8 packet of one frame each: descriptor with a 15-bit picture id, then the frame. */
static inline void send_video(struct rtc_client *c, uint16_t seq, uint32_t ts,
                              bool key) SL_ON_WORKER
{
    uint8_t p[200] = { 0 };
    uint8_t *d = p + SL_RTP_HDR;

    sl_rtp_write_header(p, true, VIDEO_PT, seq, ts, SSRC_IN);
    d[0] = 0x90; /* X, S */
    d[1] = 0x80; /* I */
    sl_put16(d + 2, 0x8000 | (seq & 0x7fff));
    d[4] = key ? 0x10 : 0x11; /* P bit of the frame tag */
    d[5] = 0x02;
    memcpy(d + 7, "\x9d\x01\x2a\x80\x02\xe0\x01", 7);
    sl_put16(d + 20, seq); /* to be recognised at the other end */
    rtc_send_rtp(c, p, sizeof(p));
}

/* The publisher's clock: @ts is now. */
static inline void send_sr(struct rtc_client *c, uint32_t ts) SL_ON_WORKER
{
    struct sl_rtcp_sr sr = { .ssrc = SSRC_IN,
                             .ntp = sl_ntp_from_wall_us(sl_wall_us()),
                             .rtp_ts = ts };
    uint8_t buf[64];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));

    sl_rtcp_sr_write(&w, &sr, NULL, 0);
    rtc_send_rtcp(c, buf, sl_writer_len(&w));
}

/* RTP of @ssrc that arrived, in order of arrival. */
static inline size_t count_rtp(const struct rtc_client *c, uint32_t ssrc, uint16_t *seqs,
                               uint16_t *marks)
{
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++) {
        const struct rtc_packet *p = &c->received[i];
        struct sl_rtp rtp;

        if (p->is_rtcp || sl_rtp_parse(p->data, p->len, &rtp) < 0 || rtp.ssrc != ssrc)
            continue;
        if (seqs)
            seqs[n] = rtp.seq;
        if (marks)
            marks[n] = sl_get16(p->data + rtp.payload_off + 20);
        n++;
    }
    return n;
}

/* @fmt: 255 for any. */
static inline size_t count_rtcp(const struct rtc_client *c, uint8_t pt, uint8_t fmt)
{
    size_t n = 0;

    for (size_t i = 0; i < c->nreceived; i++) {
        struct sl_rtcp_it it = sl_rtcp_begin(c->received[i].data, c->received[i].len);
        struct sl_rtcp_pkt p;

        while (c->received[i].is_rtcp && sl_rtcp_next(&it, &p) > 0)
            n += p.pt == pt && (fmt == 255 || p.fmt == fmt);
    }
    return n;
}

static inline bool got_rtcp(const struct rtc_client *c, uint8_t pt, uint8_t fmt)
{
    return count_rtcp(c, pt, fmt) > 0;
}

/* How often we asked it for a key frame. */
static inline size_t count_plis(const struct rtc_client *c)
{
    return count_rtcp(c, SL_RTCP_PSFB, SL_PSFB_PLI);
}

/* Polls until it is there, for half a minute at most: machines may be busy. */
static inline bool await_rtcp(struct rtc_client *c, uint8_t pt, uint8_t fmt) SL_ON_WORKER
{
    for (int i = 0; i < 6000 && !got_rtcp(c, pt, fmt); i++)
        rtc_poll(c, 5);
    return got_rtcp(c, pt, fmt);
}

/* The same for @n packets with @ssrc: how many there are. */
static inline size_t await_rtp(struct rtc_client *c, uint32_t ssrc, size_t n) SL_ON_WORKER
{
    for (int i = 0; i < 6000 && count_rtp(c, ssrc, NULL, NULL) < n; i++)
        rtc_poll(c, 5);
    return count_rtp(c, ssrc, NULL, NULL);
}

#endif
