/* A worker's life, and what it tells control. */
#include "worker/worker_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "media/media_pkt.h"
#include "peer/peer_info.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RING_ENTRIES 4096
#define TXQ_PACKETS  1024

/* ---- callbacks of lower levels --------------------------------------------------------------- */

static bool post_report(struct sl_worker *w, const struct sl_report *r)
{
    struct sl_report *copy = malloc(sizeof(*copy));

    if (!copy)
        return false;
    *copy = *r;
    w->conf.report(w->conf.arg, copy);
    return true;
}

static bool on_data(void *arg, sl_id id, uint16_t mindex, bool is_binary, const uint8_t *data,
                    size_t len)
{
    struct sl_report *r = malloc(sizeof(*r) + len + 1);
    struct sl_worker *w = arg;
    char *bytes;

    if (!r)
        return false;
    bytes = (char *)(r + 1);
    memcpy(bytes, data, len);
    bytes[len] = '\0';
    *r = (struct sl_report){ .type = SL_REPORT_DATA, .pc = id, .mindex = mindex };
    r->data.bytes = bytes;
    r->data.len = len;
    r->data.is_binary = is_binary;
    w->conf.report(w->conf.arg, r);
    return true;
}

static bool on_data_sent(void *arg, sl_id id, size_t charge)
{
    return post_report(
        arg, &(struct sl_report){ .type = SL_REPORT_DATA_SENT, .pc = id, .charge = charge });
}

static void on_keyframe(void *arg, sl_id id, uint16_t mindex)
{
    (void)post_report(
        arg, &(struct sl_report){ .type = SL_REPORT_KEYFRAME, .pc = id, .mindex = mindex });
}

static void on_receiving(void *arg, sl_id pc, uint16_t mindex, int substream, bool on)
{
    struct sl_report r = { .type = SL_REPORT_RECEIVING, .pc = pc, .mindex = mindex };

    r.receiving.substream = substream;
    r.receiving.on = on;
    post_report(arg, &r);
}

static void on_slow_link(void *arg, sl_id pc, uint16_t mindex, bool uplink, uint32_t lost)
{
    struct sl_report r = { .type = SL_REPORT_SLOW_LINK, .pc = pc, .mindex = mindex };

    r.slow.uplink = uplink;
    r.slow.lost = lost;
    post_report(arg, &r);
}

static void on_talking(void *arg, sl_id pc, uint16_t mindex, bool on, double level)
{
    struct sl_report r = { .type = SL_REPORT_TALKING, .pc = pc, .mindex = mindex };

    r.talking.on = on;
    r.talking.level = level;
    post_report(arg, &r);
}

static void on_voice(void *arg, sl_id pc, uint16_t mindex, const struct sl_voice_report *v)
{
    struct sl_report r = { .type = SL_REPORT_VOICE, .pc = pc, .mindex = mindex, .voice = *v };

    post_report(arg, &r);
}

static void on_layer(void *arg, sl_id pc, uint16_t mindex, const struct sl_layer_event *ev)
{
    struct sl_report r = { .type = SL_REPORT_LAYER, .pc = pc, .mindex = mindex, .layer = *ev };

    post_report(arg, &r);
}

static void on_quality(void *arg, sl_id pc, uint16_t mindex, const struct sl_quality *q)
{
    struct sl_report r = { .type = SL_REPORT_QUALITY, .pc = pc, .mindex = mindex, .quality = *q };

    post_report(arg, &r);
}

static void on_watched(void *arg, sl_id pc, uint16_t mindex, int layer)
{
    struct sl_report r = { .type = SL_REPORT_WATCHED, .pc = pc, .mindex = mindex };

    r.watched = layer;
    post_report(arg, &r);
}

/* What its owner must know; who cannot be told it is told the end. */
static void tell_surely(struct sl_worker *w, sl_id pc, enum sl_report_type type) SL_ON_WORKER
{
    if (!post_report(w, &(struct sl_report){ .type = type, .pc = pc }))
        sl_worker_down(w, pc, "Out of resources");
}

static void on_up(void *arg, sl_id pc)
{
    SL_ASSUME(worker);
    tell_surely(arg, pc, SL_REPORT_UP);
}

static void on_link(void *arg, sl_id pc, const struct sl_link *l)
{
    post_report(arg, &(struct sl_report){ .type = SL_REPORT_LINK, .pc = pc, .link = *l });
}

void sl_worker_info_report(struct sl_worker *w, sl_id id, bool for_events)
{
    struct sl_peer *p = sl_worker_peer(w, id);
    struct sl_report r = { .type = SL_REPORT_INFO, .pc = id };

    if (!p)
        return; /* control answers without it when the connection ends */
    r.info.is = sl_peer_info_get(p);
    r.info.for_events = for_events;
    if (!post_report(w, &r))
        free(r.info.is);
}

static void on_down(void *arg, sl_id pc, const char *reason)
{
    SL_ASSUME(worker);
    sl_worker_info_report(arg, pc, true);
    sl_worker_down(arg, pc, reason);
}

static void on_ice_failed(void *arg, sl_id pc)
{
    SL_ASSUME(worker);
    tell_surely(arg, pc, SL_REPORT_ICE_FAILED);
}

static void on_full(void *arg, sl_id id)
{
    struct sl_worker *w = arg;
    struct sl_endpoint *e;

    SL_ASSUME(worker);
    e = sl_worker_endpoint(w, id);
    if (e)
        sl_endpoint_lost(e);
}

static void on_sink_gone(void *arg, struct sl_sink *sink)
{
    SL_ASSUME(worker);
    sl_worker_route_del(arg, sink);
}

static void on_lite_gone(void *arg, struct sl_tcp *tcp)
{
    (void)arg;
    sl_worker_tcp_gone(tcp);
}

static void on_lite_state(void *user, enum sl_ice_state state)
{
    SL_ASSUME(worker);
    sl_peer_on_ice_state(user, state);
}

static void on_lite_path(void *user, const struct sl_ice_path *path)
{
    SL_ASSUME(worker);
    sl_peer_on_ice_path(user, path);
}

static void on_lite_send(void *arg, const struct sl_ice_path *path, const uint8_t *data, size_t len)
{
    struct sl_worker *w = arg;

    SL_ASSUME(worker);
    sl_peer_env_send(&w->env, SL_ID_NONE, path, data, len);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void pin(struct sl_worker *w)
{
    cpu_set_t all, one;
    unsigned int skip;

    if (sched_getaffinity(0, sizeof(all), &all) < 0 || !CPU_COUNT(&all))
        return;
    skip = w->conf.index % (unsigned int)CPU_COUNT(&all);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && skip-- == 0) {
            CPU_SET(cpu, &one);
            break;
        }
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        sl_warn("worker", "not pinned", "worker=%u error=\"%s\"", w->conf.index, strerror(errno));
}

static void *worker_main(void *arg)
{
    static const struct sl_ice_lite_cb lite_cb = { on_lite_send, on_lite_gone, on_lite_state,
                                                   on_lite_path };
    struct sl_worker *w = arg;

    sl_role_enter(&sl_role_worker);
    if (w->conf.pin)
        pin(w);
    sl_pkt_thread_init(&w->ctx.pkts);
    w->ctx.now_us = sl_now_us();
    sl_worker_stats_init(w);
    if (sl_ice_lite_create(&w->wheel, &lite_cb, w, &w->env.lite) < 0)
        abort(); /* out of memory before anything began */
    w->lite = w->env.lite;
    while (!w->stopping)
        sl_worker_turn(w);
    sl_worker_close_all(w);
    sl_worker_flush(w);
    sl_worker_tcp_turn(w);
    sl_worker_publish(w);
    sl_worker_drops_tell(w);
    sl_ice_lite_destroy(w->lite);
    sl_pkt_thread_init(NULL);
    sl_role_leave(&sl_role_worker);
    return NULL;
}

static int open_tcp(struct sl_worker *w, struct sl_addr addr, char *err, size_t cap)
{
    char text[SL_ADDR_TEXT_MAX];
    int e;

    if (w->conf.index != 0 || !w->conf.tcp_port)
        return 0;
    sl_addr_set_port(&addr, w->conf.tcp_port);
    e = sl_worker_tcp_listen(w, &addr);
    if (e < 0)
        snprintf(err, cap, "cannot use TCP %s for media: %s", sl_addr_format(&addr, text),
                 strerror(-e));
    return e;
}

static int open_sockets(struct sl_worker *w, char *err, size_t cap)
{
    char text[SL_ADDR_TEXT_MAX];

    for (size_t i = 0; i < w->conf.nbind && w->nsocks < sizeof(w->socks) / sizeof(w->socks[0]);
         i++) {
        struct sl_worker_sock *s = &w->socks[w->nsocks];
        int e = sl_udp_open(&w->conf.bind[i], 0, &s->watch.udp);

        if (e == -EAFNOSUPPORT || e == -EADDRNOTAVAIL) {
            sl_warn("worker", "address not usable", "addr=%s error=\"%s\"",
                    sl_addr_format(&w->conf.bind[i], text), strerror(-e));
            continue;
        }
        if (e < 0) {
            snprintf(err, cap, "cannot use UDP %s for media: %s",
                     sl_addr_format(&w->conf.bind[i], text), strerror(-e));
            return e;
        }
        s->watch.datagram = sl_worker_datagram;
        s->w = w;
        w->nsocks++;
        e = sl_worker_watch(w, &s->watch);
        if (e == 0)
            e = open_tcp(w, w->conf.bind[i], err, cap);
        if (e < 0)
            return e;
    }
    if (w->conf.nbind && !w->nsocks) {
        snprintf(err, cap, "none of the addresses of media.bind can be used");
        return -EADDRNOTAVAIL;
    }
    return 0;
}

static int create_loop(struct sl_worker *w)
{
    struct epoll_event ev = { .events = EPOLLIN };
    int err;

    w->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epfd < 0)
        return -errno;
    err = sl_door_init(&w->door);
    if (err < 0)
        return err;
    sl_mailbox_init(&w->mailbox, &w->door);
    sl_wheel_init(&w->wheel, sl_now_us());
    if (epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->door.efd, &ev) < 0)
        return -errno;
    err = sl_udp_batch_create(&w->batch);
    if (err < 0)
        return err;
    return sl_txq_create(TXQ_PACKETS, &w->txq);
}

static void create_media(struct sl_worker *w)
{
    static const struct sl_media_cb media_cb = {
        .receiving = on_receiving,
        .slow_link = on_slow_link,
        .talking = on_talking,
        .voice = on_voice,
        .layer = on_layer,
        .quality = on_quality,
        .watched = on_watched,
        .want = sl_worker_want,
        .forward = sl_worker_forward,
        .keyframe = sl_worker_keyframe,
        .sink_gone = on_sink_gone,
        .full = on_full,
        .flush = sl_worker_flush,
    };

    sl_mctx_init(&w->ctx, w->conf.index, &media_cb, w);
    sl_txq_on_full(w->txq, on_full, w);
    w->ctx.slowlink_threshold = w->conf.slowlink_threshold;
    w->ctx.no_media_s = w->conf.no_media_s;
    w->ctx.gop_us = w->conf.gop_us;
    w->ctx.gop_bytes = w->conf.gop_bytes;
    sl_hmap_init(&w->mirrors);
    sl_worker_tcp_init(w);
    w->env = (struct sl_peer_env){
        .ctx = &w->ctx,
        .wheel = &w->wheel,
        .nice = w->conf.nice,
        .sctp = w->conf.sctp,
        .txq = w->txq,
        .cert = w->conf.cert,
        .mtu = w->conf.mtu,
        .twcc_period_us = w->conf.twcc_period_us,
        .estimates = w->conf.estimates,
        .max_ssrcs = w->conf.max_ssrcs,
        .grace_us = (uint64_t)w->conf.ice_grace_s * 1000000,
        .watch = sl_worker_watch,
        .unwatch = sl_worker_unwatch,
        .cb = { on_up, on_down, on_ice_failed, on_link },
        .arg = w,
    };
    sl_list_init(&w->env.handshakes);
    sl_list_init(&w->env.tcp_dirty);
    w->relay_env = (struct sl_relay_env){
        .data = on_data,
        .data_sent = on_data_sent,
        .keyframe = on_keyframe,
        .ctx = &w->ctx,
        .wheel = &w->wheel,
        .txq = w->txq,
        .watch = sl_worker_watch,
        .unwatch = sl_worker_unwatch,
        .arg = w,
    };
}

static void destroy(struct sl_worker *w);

int sl_worker_create(const struct sl_worker_conf *conf, struct sl_worker **out, char *err,
                     size_t cap)
{
    struct sl_worker *w = calloc(1, sizeof(*w));
    int e;

    snprintf(err, cap, "out of resources");
    if (!w)
        return -ENOMEM;
    w->conf = *conf;
    w->epfd = -1;
    w->door.efd = -1;
    pthread_mutex_init(&w->told_lock, NULL);
    e = create_loop(w);
    create_media(w);
    if (e == 0)
        e = open_sockets(w, err, cap);
    w->conf.bind = NULL;
    if (e < 0) {
        destroy(w);
        return e;
    }
    *out = w;
    return 0;
}

int sl_workers_connect(struct sl_worker *const *workers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sl_worker *w = workers[i];

        w->all = workers;
        w->nall = n;
        w->in = calloc(n, sizeof(*w->in));
        if (!w->in)
            return -ENOMEM;
        for (size_t j = 0; j < n; j++)
            if (j != i && sl_ring_init(&w->in[j], RING_ENTRIES, sizeof(struct sl_ring_entry)) < 0)
                return -ENOMEM;
    }
    return 0;
}

int sl_worker_start(struct sl_worker *w)
{
    int err = pthread_create(&w->thread, NULL, worker_main, w);
    char name[16];

    if (err)
        return -err;
    snprintf(name, sizeof(name), "sl-worker-%u", w->conf.index % 1000);
    pthread_setname_np(w->thread, name);
    w->started = true;
    return 0;
}

void sl_worker_stop(struct sl_worker *w)
{
    struct sl_wmsg *m;

    if (!w->started)
        return;
    m = sl_wmsg_new(SL_WMSG_STOP, SL_ID_NONE, 0);
    if (!m)
        abort(); /* nothing else ends the thread */
    sl_worker_post(w, m);
    pthread_join(w->thread, NULL);
    w->started = false;
}

static void free_mail(struct sl_worker *w)
{
    struct sl_mail *mail = sl_mailbox_take(&w->mailbox), *next;

    for (; mail; mail = next) {
        next = mail->next;
        sl_wmsg_free(sl_container(mail, struct sl_wmsg, mail));
    }
}

/* Packets that came after the end. */
static void drain_rings(struct sl_worker *w)
{
    for (size_t i = 0; w->in && i < w->nall; i++) {
        struct sl_ring_entry *e;

        while (w->in[i].data && (e = sl_ring_peek(&w->in[i]))) {
            if (e->pkt)
                sl_pkt_unref(e->pkt);
            sl_ring_pop(&w->in[i]);
        }
    }
}

static void destroy(struct sl_worker *w)
{
    if (w->door.efd >= 0)
        free_mail(w);
    for (size_t i = 0; w->in && i < w->nall; i++)
        if (w->in[i].data)
            sl_ring_fini(&w->in[i]);
    free(w->in);
    sl_worker_tcp_fini(w);
    for (size_t i = 0; i < w->nsocks; i++)
        sl_udp_close(w->socks[i].watch.udp);
    sl_txq_destroy(w->txq);
    sl_udp_batch_destroy(w->batch);
    sl_hmap_fini(&w->mirrors);
    free(w->slots);
    sl_mctx_fini(&w->ctx);
    if (w->door.efd >= 0)
        sl_door_fini(&w->door);
    if (w->epfd >= 0)
        (void)close(w->epfd);
    pthread_mutex_destroy(&w->told_lock);
    free(w);
}

void sl_workers_destroy(struct sl_worker *const *workers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (workers[i])
            drain_rings(workers[i]);
    for (size_t i = 0; i < n; i++)
        if (workers[i])
            destroy(workers[i]);
}

void sl_worker_post(struct sl_worker *w, struct sl_wmsg *m)
{
    sl_mailbox_post(&w->mailbox, &m->mail);
}
