#include "pc/pc_priv.h"

#include "base/log.h"
#include "ice/ice_nice.h"
#include "net/net_udp.h"
#include "srtp/srtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_MAX 65536
#define DTLS_MOST 80 /* bytes that a DTLS record adds at most */

/* ---- ids ------------------------------------------------------------------------------------- */

static const struct sl_pc_slot *slot_find(const struct sl_pc_world *w, sl_id id)
{
    static const struct sl_pc_slot none;
    const struct sl_pc_slots *s;

    if (sl_id_worker(id) >= w->nworkers)
        return &none;
    s = &w->slots[sl_id_worker(id)];
    if (sl_id_slot(id) >= s->n || s->gen[sl_id_slot(id)] != sl_id_gen(id))
        return &none;
    return &s->slot[sl_id_slot(id)];
}

struct sl_pc *sl_pc_world_find(const struct sl_pc_world *w, sl_id id)
{
    return slot_find(w, id)->pc;
}

struct sl_ep *sl_ep_find(const struct sl_pc_world *w, sl_id id)
{
    return slot_find(w, id)->ep;
}

static int slots_grow(struct sl_pc_slots *s)
{
    uint32_t n = s->n ? s->n * 2 : 64;
    void *pc, *gen, *fr;

    if (n > SLOTS_MAX)
        return -EAGAIN;
    pc = realloc(s->slot, n * sizeof(*s->slot));
    if (pc)
        s->slot = pc;
    gen = realloc(s->gen, n * sizeof(*s->gen));
    if (gen)
        s->gen = gen;
    fr = realloc(s->free, n * sizeof(*s->free));
    if (fr)
        s->free = fr;
    if (!pc || !gen || !fr)
        return -ENOMEM;
    for (uint32_t i = n; i-- > s->n;) {
        s->slot[i] = (struct sl_pc_slot){ 0 };
        s->gen[i] = 0;
        s->free[s->nfree++] = i;
    }
    s->n = n;
    return 0;
}

static unsigned int pick_worker(struct sl_pc_world *w, uint64_t group, struct sl_home **home)
{
    struct sl_place place[SL_WORKERS_MAX];

    for (unsigned int i = 0; i < w->nworkers; i++) {
        struct sl_worker_load load = sl_worker_load(w->workers[i]);
        struct sl_pc_slots *s = &w->slots[i];

        if (s->load_told != load.told) {
            s->load_told = load.told;
            s->fresh = 0;
        }
        place[i] = (struct sl_place){ load.busy_permille, s->live, s->fresh };
    }
    return sl_homes_join(&w->homes, place, w->nworkers, group, home);
}

/* When it fails, @is has no home any more. */
static int slot_take(struct sl_pc_world *w, unsigned int worker, struct sl_pc_slot is, sl_id *id)
{
    struct sl_pc_slots *s = &w->slots[worker];
    uint32_t slot;
    int err = s->nfree ? 0 : slots_grow(s);

    if (!err) {
        is.close = sl_wmsg_new(SL_WMSG_EP_CLOSE, SL_ID_NONE, 0);
        err = is.close ? 0 : -ENOMEM;
    }
    if (err < 0) {
        sl_homes_leave(&w->homes, is.home);
        return err;
    }
    slot = s->free[--s->nfree];
    if (++s->gen[slot] == 0)
        s->gen[slot] = 1;
    s->slot[slot] = is;
    s->live++;
    s->fresh++;
    *id = is.close->pc = sl_id_make(worker, slot, s->gen[slot]);
    return 0;
}

int sl_pc_world_add(struct sl_pc_world *w, struct sl_pc *pc, uint64_t group)
{
    struct sl_pc_slot is = { .pc = pc };
    unsigned int worker;
    int err;

    if (w->npeers >= w->max_peers)
        return -ENOSPC;
    worker = pick_worker(w, group, &is.home);
    err = slot_take(w, worker, is, &pc->id);
    if (!err)
        w->npeers++;
    return err;
}

int sl_pc_world_add_ep(struct sl_pc_world *w, struct sl_ep *ep, sl_id near, uint64_t group,
                       sl_id *id)
{
    struct sl_pc_slot is = { .ep = ep };
    unsigned int worker = near && sl_id_worker(near) < w->nworkers
                              ? sl_id_worker(near)
                              : pick_worker(w, group, &is.home);

    return slot_take(w, worker, is, id);
}

/* What ends the endpoint at its worker. */
static struct sl_wmsg *slot_end(struct sl_pc_world *w, sl_id id) SL_ON_CONTROL
{
    struct sl_pc_slot *s = &w->slots[sl_id_worker(id)].slot[sl_id_slot(id)];
    struct sl_wmsg *m = s->close;

    if (s->pc)
        w->npeers--;
    sl_homes_leave(&w->homes, s->home);
    *s = (struct sl_pc_slot){ 0 };
    w->slots[sl_id_worker(id)].live--;
    return m;
}

void sl_pc_world_del(struct sl_pc_world *w, sl_id id)
{
    sl_pc_world_post(w, slot_end(w, id));
}

/* The worker is done with it, too. */
static void slot_free(struct sl_pc_world *w, sl_id id)
{
    struct sl_pc_slots *s = &w->slots[sl_id_worker(id)];

    s->free[s->nfree++] = sl_id_slot(id);
}

void sl_pc_world_forget(struct sl_pc_world *w, sl_id id)
{
    sl_wmsg_free(slot_end(w, id));
    slot_free(w, id);
}

void sl_pc_world_post(struct sl_pc_world *w, struct sl_wmsg *m)
{
    sl_worker_post(w->workers[sl_id_worker(m->pc)], m);
}

/* ---- from workers and the ICE thread --------------------------------------------------------- */

static void take_report(struct sl_cq_mail *m)
{
    struct sl_report *r = sl_container(m, struct sl_report, cq);
    struct sl_pc_world *w = r->to;
    const struct sl_pc_slot *slot;

    SL_ASSUME(control);
    slot = slot_find(w, r->pc);
    if (r->type == SL_REPORT_CLOSED)
        slot_free(w, r->pc);
    else if (slot->pc)
        sl_pc_on_report(slot->pc, r);
    else if (slot->ep)
        sl_ep_on_report(slot->ep, r);
    if (r->type == SL_REPORT_INFO)
        free(r->info.is);
    free(r);
}

static void on_report(void *arg, struct sl_report *r)
{
    struct sl_pc_world *w = arg;

    r->cq.fn = take_report;
    r->to = w;
    sl_cq_post(w->cq, &r->cq);
}

struct ice_mail {
    struct sl_cq_mail cq;
    struct sl_pc_world *world;
    sl_id pc;
    bool is_creds, is_end;
    struct sl_ice_creds creds;
    char text[SL_ICE_CAND_MAX];
};

static void take_ice(struct sl_cq_mail *m)
{
    struct ice_mail *im = sl_container(m, struct ice_mail, cq);
    struct sl_pc *pc;

    SL_ASSUME(control);
    pc = sl_pc_world_find(im->world, im->pc);
    if (pc && im->is_creds)
        sl_pc_on_creds(pc, &im->creds);
    else if (pc)
        sl_pc_on_candidate(pc, im->is_end ? NULL : im->text);
    free(im);
}

static struct ice_mail *ice_mail_new(struct sl_pc_world *w, sl_id pc)
{
    struct ice_mail *m = calloc(1, sizeof(*m));

    if (m) {
        m->cq.fn = take_ice;
        m->world = w;
        m->pc = pc;
    }
    return m;
}

static void on_ice_creds(void *arg, sl_id pc, const struct sl_ice_creds *creds)
{
    struct sl_pc_world *w = arg;
    struct ice_mail *m = ice_mail_new(w, pc);

    if (!m)
        return;
    m->is_creds = true;
    m->creds = *creds;
    sl_cq_post(w->cq, &m->cq);
}

static void on_ice_candidate(void *arg, sl_id pc, const char *text)
{
    struct sl_pc_world *w = arg;
    struct ice_mail *m = ice_mail_new(w, pc);

    if (!m)
        return;
    m->is_end = !text;
    if (text)
        snprintf(m->text, sizeof(m->text), "%s", text);
    sl_cq_post(w->cq, &m->cq);
}

static struct sl_wmsg *ice_msg(struct sl_pc_world *w, enum sl_wmsg_type type, sl_id pc,
                               size_t extra)
{
    return sl_id_worker(pc) < w->nworkers ? sl_wmsg_new(type, pc, extra) : NULL;
}

static void on_ice_state(void *arg, sl_id pc, enum sl_ice_state state)
{
    struct sl_pc_world *w = arg;
    struct sl_wmsg *m = ice_msg(w, SL_WMSG_ICE_STATE, pc, 0);

    if (!m)
        return;
    m->ice_state = state;
    sl_worker_post(w->workers[sl_id_worker(pc)], m);
}

static void on_ice_path(void *arg, sl_id pc, const struct sl_ice_path *path)
{
    struct sl_pc_world *w = arg;
    struct sl_wmsg *m = ice_msg(w, SL_WMSG_ICE_PATH, pc, 0);

    if (!m) {
        sl_udp_close(path->udp);
        return;
    }
    m->path = *path;
    sl_worker_post(w->workers[sl_id_worker(pc)], m);
}

static void on_ice_checked(void *arg, sl_id pc, const struct sl_addr *remote)
{
    struct sl_pc_world *w = arg;
    struct sl_wmsg *m = ice_msg(w, SL_WMSG_ICE_CHECKED, pc, 0);

    if (!m)
        return;
    m->checked = *remote;
    sl_worker_post(w->workers[sl_id_worker(pc)], m);
}

static void on_ice_data(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    struct sl_pc_world *w = arg;
    struct sl_wmsg *m = ice_msg(w, SL_WMSG_ICE_DATA, pc, len);

    if (!m)
        return;
    memcpy(m->data.bytes, data, len);
    sl_worker_post(w->workers[sl_id_worker(pc)], m);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Parses a comma list; entries without port get @port. Count or -EINVAL. */
static int parse_list(const char *list, uint16_t port, struct sl_addr *out, size_t cap, char *err,
                      size_t ecap)
{
    char copy[1024], *save = NULL;
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", list);
    for (char *t = strtok_r(copy, ", ", &save); t; t = strtok_r(NULL, ", ", &save)) {
        if (n == cap || sl_addr_from_ip(t, port, &out[n]) < 0) {
            snprintf(err, ecap, "'%s' is not an IP address", t);
            return -EINVAL;
        }
        n++;
    }
    return (int)n;
}

static size_t bind_addresses(const struct sl_media_conf *c, struct sl_addr *out, size_t cap,
                             char *err, size_t ecap)
{
    int n;

    if (!c->bind) {
        (void)sl_addr_from_ip("0.0.0.0", (uint16_t)c->port, &out[0]);
        (void)sl_addr_from_ip("::", (uint16_t)c->port, &out[1]);
        return 2;
    }
    n = parse_list(c->bind, (uint16_t)c->port, out, cap, err, ecap);
    return n < 0 ? 0 : (size_t)n;
}

/* What candidates name: public_ip, or what the sockets are bound to, or all addresses of the
 * machine. */
static int announced_addresses(struct sl_pc_world *w, const struct sl_media_conf *c,
                               const struct sl_addr *bind, size_t nbind, char *err, size_t ecap)
{
    int n;

    if (c->public_ip) {
        n = parse_list(c->public_ip, (uint16_t)c->port, w->announced, SL_PC_ADDRS_MAX, err, ecap);
        if (n < 0)
            return n;
        w->nannounced = (size_t)n;
        return 0;
    }
    for (size_t i = 0; i < nbind; i++) {
        struct sl_addr *out = &w->announced[w->nannounced];
        size_t room = SL_PC_ADDRS_MAX - w->nannounced;

        if (!sl_addr_is_any(&bind[i])) {
            if (room)
                w->announced[w->nannounced++] = bind[i];
            continue;
        }
        n = sl_addr_list_local(sl_addr_family(&bind[i]), false, (uint16_t)c->port, out, room);
        if (n > 0)
            w->nannounced += (size_t)n < room ? (size_t)n : room;
    }
    if (!w->nannounced) /* a machine without network still serves itself */
        (void)sl_addr_from_ip("127.0.0.1", (uint16_t)c->port, &w->announced[w->nannounced++]);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int create_nice(struct sl_pc_world *w, const struct sl_media_conf *c,
                       const struct sl_addr *bind, size_t nbind)
{
    static const struct sl_nice_cb cb = { on_ice_creds, on_ice_candidate, on_ice_state,
                                          on_ice_path,  on_ice_checked,   on_ice_data };
    char texts[SL_PC_ADDRS_MAX][SL_ADDR_TEXT_MAX];
    const char *public_ip[SL_PC_ADDRS_MAX];
    bool all = nbind && sl_addr_is_any(&bind[0]);
    struct sl_nice_conf nc = {
        .stun_server = c->stun_server,
        .turn_server = c->turn_server,
        .turn_user = c->turn_user,
        .turn_password = c->turn_password,
        .port_low = (uint16_t)c->rtp_port_range.low,
        .port_high = (uint16_t)c->rtp_port_range.high,
        .bind = bind,
        .nbind = all ? 0 : nbind,
        .public_ip = public_ip,
    };

    if (c->public_ip)
        for (; nc.npublic < w->nannounced; nc.npublic++)
            public_ip[nc.npublic] = sl_addr_format_ip(&w->announced[nc.npublic], texts[nc.npublic]);
    return sl_nice_create(&nc, &cb, w, &w->nice);
}

static int create_workers(struct sl_pc_world *w, const struct sl_pc_world_conf *conf,
                          struct sl_addr *bind, size_t nbind, char *err, size_t cap)
{
    const struct sl_media_conf *c = conf->media;
    struct sl_worker_conf wc = {
        .pin = conf->pin_workers,
        .cert = w->cert,
        .nice = w->nice,
        .sctp = w->sctp,
        .mtu = (size_t)c->mtu,
        .ice_grace_s = (uint32_t)c->ice_grace_s,
        .slowlink_threshold = (uint32_t)c->slowlink_threshold,
        .no_media_s = (uint32_t)c->no_media_timer_s,
        .gop_us = (uint64_t)c->gop_ms * 1000,
        .gop_bytes = (size_t)c->gop_bytes,
        .twcc_period_us = (uint64_t)c->twcc_period_ms * 1000,
        .burst_wait_us = (uint32_t)c->burst_wait_us,
        .estimates = c->auto_layers,
        .busy_limit = (unsigned int)c->busy_limit,
        .max_ssrcs = (uint32_t)c->max_ssrcs,
        .tcp_port = w->tcp_port,
        .report = on_report,
        .arg = w,
    };
    int e;

    for (unsigned int i = 0; i < w->nworkers; i++) {
        for (size_t b = 0; b < nbind; b++)
            sl_addr_set_port(&bind[b], (uint16_t)(c->port + i));
        wc.index = i;
        wc.bind = bind;
        wc.nbind = c->ice == SL_MEDIA_ICE_FULL ? 0 : nbind;
        e = sl_worker_create(&wc, &w->workers[i], err, cap);
        if (e < 0)
            return e;
    }
    snprintf(err, cap, "out of resources");
    e = sl_workers_connect(w->workers, w->nworkers);
    for (unsigned int i = 0; e == 0 && i < w->nworkers; i++)
        e = sl_worker_start(w->workers[i]);
    return e;
}

static int create_cert(struct sl_pc_world *w, const struct sl_media_conf *c, char *err, size_t cap)
{
    int e =
        c->dtls_cert ? sl_cert_load(c->dtls_cert, c->dtls_key, &w->cert) : sl_cert_create(&w->cert);

    if (e < 0 && c->dtls_cert)
        snprintf(err, cap, "cannot load media.dtls_cert '%s' with media.dtls_key '%s': %s",
                 c->dtls_cert, c->dtls_key ? c->dtls_key : "",
                 e == -EINVAL ? "unreadable, or they do not match" : strerror(-e));
    else if (e < 0)
        snprintf(err, cap, "cannot make a DTLS certificate: %s", strerror(-e));
    return e;
}

static int create_all(struct sl_pc_world *w, const struct sl_pc_world_conf *conf, char *err,
                      size_t cap) SL_ON_CONTROL
{
    const struct sl_media_conf *c = conf->media;
    struct sl_addr bind[SL_PC_ADDRS_MAX];
    size_t nbind = bind_addresses(c, bind, SL_PC_ADDRS_MAX, err, cap);
    int e;

    if (!nbind)
        return -EINVAL;
    e = announced_addresses(w, c, bind, nbind, err, cap);
    if (e < 0)
        return e;
    (void)sl_addr_format_ip(&w->announced[0], w->address);
    if (nbind == 1 && !sl_addr_is_any(&bind[0]))
        w->bound = bind[0];
    e = sl_srtp_init();
    if (e < 0) {
        snprintf(err, cap, "the SRTP self check failed");
        return e;
    }
    e = create_cert(w, c, err, cap);
    if (e < 0)
        return e;
    if (c->ice == SL_MEDIA_ICE_FULL) {
        e = create_nice(w, c, bind, nbind);
        if (e < 0) {
            snprintf(err, cap, "cannot start ICE: %s", strerror(-e));
            return e;
        }
    }
    e = sl_pc_data_start(w, (size_t)c->mtu - DTLS_MOST);
    if (e < 0) {
        snprintf(err, cap, "cannot start SCTP: %s", strerror(-e));
        return e;
    }
    return create_workers(w, conf, bind, nbind, err, cap);
}

int sl_pc_world_create(const struct sl_pc_world_conf *conf, struct sl_pc_world **out, char *err,
                       size_t cap)
{
    struct sl_pc_world *w = calloc(1, sizeof(*w));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int e = -ENOMEM;

    snprintf(err, cap, "out of memory");
    if (!w)
        return e;
    sl_homes_init(&w->homes);
    w->cq = conf->cq;
    w->keep_sdps = conf->keep_sdps;
    w->max_peers = conf->media->max_peers;
    w->tcp_port = (uint16_t)conf->media->tcp_port; /* lite only, see control_conf.c */
    w->nworkers = conf->workers ? conf->workers : (unsigned int)(cores > 0 ? cores : 1);
    if (w->nworkers > SL_WORKERS_MAX)
        w->nworkers = SL_WORKERS_MAX;
    w->workers = calloc(w->nworkers, sizeof(struct sl_worker *));
    w->slots = calloc(w->nworkers, sizeof(*w->slots));
    if (w->workers && w->slots)
        e = create_all(w, conf, err, cap);
    if (e < 0) {
        sl_pc_world_destroy(w);
        return e;
    }
    sl_info("media", "ready", "workers=%u ice=%s address=%s udp=%u tcp=%u", w->nworkers,
            w->nice ? "full" : "lite", w->address, w->nice ? 0 : (unsigned int)conf->media->port,
            w->tcp_port);
    *out = w;
    return 0;
}

void sl_pc_world_destroy(struct sl_pc_world *w)
{
    if (!w)
        return;
    for (unsigned int i = 0; w->workers && i < w->nworkers; i++)
        if (w->workers[i])
            sl_worker_stop(w->workers[i]);
    sl_nice_destroy(w->nice);
    sl_sctp_destroy(w->sctp);
    if (w->cq)
        sl_cq_run(w->cq, w->cq->now_us); /* their last reports name this world */
    if (w->workers)
        sl_workers_destroy(w->workers, w->nworkers);
    sl_pcap_wait();
    for (unsigned int i = 0; w->slots && i < w->nworkers; i++) {
        for (uint32_t s = 0; s < w->slots[i].n; s++)
            sl_wmsg_free(w->slots[i].slot[s].close);
        free(w->slots[i].slot);
        free(w->slots[i].gen);
        free(w->slots[i].free);
    }
    free(w->slots);
    sl_homes_fini(&w->homes);
    free(w->workers);
    sl_cert_destroy(w->cert);
    free(w);
}

static void tell_all(struct sl_pc_world *w, enum sl_wmsg_type type, uint32_t number) SL_ON_CONTROL
{
    for (unsigned int i = 0; i < w->nworkers; i++) {
        struct sl_wmsg *m = sl_wmsg_new(type, SL_ID_NONE, 0);

        if (!m)
            return;
        m->number = number;
        sl_worker_post(w->workers[i], m);
    }
}

void sl_pc_world_set_slowlink(struct sl_pc_world *w, uint32_t packets)
{
    tell_all(w, SL_WMSG_SLOWLINK, packets);
}

void sl_pc_world_set_no_media(struct sl_pc_world *w, uint32_t seconds)
{
    tell_all(w, SL_WMSG_NO_MEDIA, seconds);
}
