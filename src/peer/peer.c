/* A peer's life: ICE path, DTLS handshake, keys, and its end. */
#include "peer/peer_private.h"

#include "base/clock.h"
#include "base/rand.h"
#include "sctp/sctp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- news ------------------------------------------------------------------------------------ */

static void tell(struct sl_peer *p, const struct sl_link *l)
{
    if (p->env->cb.link)
        p->env->cb.link(p->env->arg, p->ep.id, l);
}

static void tell_dtls(struct sl_peer *p, enum sl_dtls_state state)
{
    tell(p, &(struct sl_link){
                .what = SL_LINK_DTLS, .dtls = state, .retransmissions = p->retransmissions });
}

static void tell_pair(struct sl_peer *p)
{
    const struct sl_ice_path *path = &p->path;
    struct sl_link l = { .what = SL_LINK_PAIR };
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    struct sl_addr own;

    l.pair.remote = path->remote;
    l.pair.local = path->local_type ? path->local_candidate : path->local;
    l.pair.local_type = path->local_type ? path->local_type : "host";
    l.pair.remote_type = path->remote_type ? path->remote_type : "prflx";
    l.pair.tcp = path->kind == SL_ICE_PATH_TCP;
    if (!path->local_type && path->fd >= 0 &&
        !getsockname(path->fd, (struct sockaddr *)&ss, &len) &&
        !sl_addr_from_sockaddr((struct sockaddr *)&ss, len, &own)) {
        if (!sl_addr_family(&l.pair.local))
            l.pair.local = own;
        sl_addr_set_port(&l.pair.local, sl_addr_port(&own));
    }
    tell(p, &l);
}

/* ---- DTLS ------------------------------------------------------------------------------------ */

static void arm_dtls_timer(struct sl_peer *p) SL_ON_WORKER
{
    int64_t us = p->dtls ? sl_dtls_timeout_us(p->dtls) : -1;

    if (us >= 0)
        sl_timer_set(p->env->wheel, &p->dtls_timer, p->env->ctx->now_us + (uint64_t)us);
    else
        sl_timer_cancel(&p->dtls_timer);
}

static void on_dtls_timer(struct sl_timer *t, uint64_t now_us)
{
    struct sl_peer *p = sl_container(t, struct sl_peer, dtls_timer);

    SL_ASSUME(worker);
    (void)now_us;
    p->retransmissions++;
    sl_dtls_timeout(p->dtls);
    arm_dtls_timer(p);
}

static void on_dtls_send(void *arg, const uint8_t *data, size_t len)
{
    struct sl_peer *p = arg;

    SL_ASSUME(worker);
    p->dtls_out.packets++;
    p->dtls_out.bytes += len;
    sl_peer_env_send(p->env, p->ep.id, &p->path, data, len);
}

/* Packets that come before the association is opened are SCTP's to lose: it sends them again. */
static void on_dtls_data(void *arg, const uint8_t *data, size_t len)
{
    struct sl_peer *p = arg;

    SL_ASSUME(worker);
    if (p->env->sctp && p->is_up)
        sl_sctp_input(p->env->sctp, p->ep.id, data, len);
}

void sl_peer_sctp_out(struct sl_peer *p, const uint8_t *data, size_t len)
{
    if (p->is_up && !p->is_down)
        (void)sl_dtls_send(p->dtls, data, len);
}

/* Somebody who wants data channels only need not offer SRTP at all. */
static int make_srtp(struct sl_peer *p, struct sl_srtp_keys *keys) SL_ON_WORKER
{
    int err = sl_dtls_keys(p->dtls, keys);

    if (err == -ENOENT && p->media && !sl_peer_has_rtp(p))
        return 0;
    return err < 0 ? err : sl_srtp_create(keys, &p->srtp);
}

static void dtls_connected(struct sl_peer *p) SL_ON_WORKER
{
    struct sl_srtp_keys keys = { 0 };

    if (make_srtp(p, &keys) < 0) {
        explicit_bzero(&keys, sizeof(keys));
        sl_peer_down(p, "DTLS-SRTP stack error");
        return;
    }
    p->profile = keys.profile;
    explicit_bzero(&keys, sizeof(keys));
    if (p->ice_state == SL_ICE_DISCONNECTED)
        sl_timer_set(p->env->wheel, &p->life, p->env->ctx->now_us + p->env->grace_us);
    else
        sl_timer_cancel(&p->life);
    p->tx.open = p->srtp && p->ice_state != SL_ICE_DISCONNECTED;
    p->is_up = true;
    p->up_us = p->env->ctx->now_us;
    sl_peer_media_up(p);
    sl_peer_rtcp_start(p);
    tell_dtls(p, SL_DTLS_CONNECTED);
    p->env->cb.up(p->env->arg, p->ep.id);
}

static void handshake_failed(struct sl_peer *p, const char *reason) SL_ON_WORKER
{
    if (!p->is_down)
        tell_dtls(p, SL_DTLS_FAILED);
    sl_peer_down(p, reason);
}

static void on_dtls_state(void *arg, enum sl_dtls_state state)
{
    struct sl_peer *p = arg;

    SL_ASSUME(worker);
    if (state == SL_DTLS_CONNECTED)
        dtls_connected(p);
    else if (state == SL_DTLS_CLOSED)
        sl_peer_down(p, "DTLS alert");
    else if (state == SL_DTLS_FAILED)
        handshake_failed(p, "DTLS error");
}

static const struct sl_dtls_cb dtls_cb = { .send = on_dtls_send,
                                           .state = on_dtls_state,
                                           .data = on_dtls_data };

/* Needs the remote description and a path; then both directions may begin. */
static void start_dtls(struct sl_peer *p) SL_ON_WORKER
{
    if (!p->has_remote || p->path.kind == SL_ICE_PATH_NONE || p->is_down)
        return;
    if (!p->dtls && sl_dtls_create(p->env->cert, p->dtls_server, &p->fingerprint, p->env->mtu,
                                   &dtls_cb, p, &p->dtls) < 0) {
        sl_peer_down(p, "DTLS-SRTP stack error");
        return;
    }
    if (p->dtls_started)
        return;
    p->dtls_started = true;
    p->dtls_us = p->env->ctx->now_us;
    sl_timer_set(p->env->wheel, &p->life, p->env->ctx->now_us + SL_PEER_DTLS_TIMEOUT_US);
    tell_dtls(p, SL_DTLS_HANDSHAKE);
    sl_dtls_start(p->dtls);
}

/* Beyond the limit the peer sends them again. */
static void keep_early(struct sl_peer *p, const uint8_t *data, size_t len)
{
    struct sl_early *e;

    if (p->nearly == SL_PEER_EARLY_MAX || len > SL_PKT_MAX)
        return;
    e = &p->early[p->nearly];
    e->data = malloc(len);
    if (!e->data)
        return;
    memcpy(e->data, data, len);
    e->len = len;
    p->nearly++;
}

/* What came of the handshake waits for sl_peer_env_handshakes. */
static void schedule_dtls(struct sl_peer *p)
{
    if (p->has_remote && p->path.kind != SL_ICE_PATH_NONE && !p->is_down &&
        sl_list_is_empty(&p->handshake))
        sl_list_add(&p->env->handshakes, &p->handshake);
}

static void take_dtls(struct sl_peer *p, const uint8_t *data, size_t len) SL_ON_WORKER
{
    p->dtls_in.packets++;
    p->dtls_in.bytes += len;
    if (sl_dtls_input(p->dtls, data, len) < 0)
        p->env->ctx->drops[SL_DROP_MALFORMED]++;
}

static void handshake(struct sl_peer *p) SL_ON_WORKER
{
    start_dtls(p);
    for (size_t i = 0; i < p->nearly; i++) {
        if (p->dtls)
            take_dtls(p, p->early[i].data, p->early[i].len);
        free(p->early[i].data);
    }
    p->nearly = 0;
    arm_dtls_timer(p);
}

bool sl_peer_env_handshakes(struct sl_peer_env *env, uint64_t budget_us)
{
    uint64_t begin_us = sl_list_is_empty(&env->handshakes) ? 0 : sl_now_us();

    while (!sl_list_is_empty(&env->handshakes)) {
        struct sl_peer *p = sl_container(env->handshakes.next, struct sl_peer, handshake);

        sl_list_del(&p->handshake);
        handshake(p);
        if (sl_now_us() - begin_us >= budget_us)
            break;
    }
    return !sl_list_is_empty(&env->handshakes);
}

static void input_dtls(struct sl_peer *p, const uint8_t *data, size_t len) SL_ON_WORKER
{
    if (!p->is_up) {
        keep_early(p, data, len);
        schedule_dtls(p);
        return;
    }
    take_dtls(p, data, len);
    arm_dtls_timer(p);
}

/* ---- ICE ------------------------------------------------------------------------------------- */

static const struct sl_ice_path no_path = { .kind = SL_ICE_PATH_NONE, .fd = -1 };

static bool is_checked(const struct sl_peer *p, const struct sl_addr *remote)
{
    for (size_t i = 0; i < SL_PEER_CHECKED_MAX && i < p->nchecked; i++)
        if (sl_addr_is_equal(&p->checked[i], remote))
            return true;
    return false;
}

void sl_peer_on_ice_checked(struct sl_peer *p, const struct sl_addr *remote)
{
    if (!is_checked(p, remote))
        p->checked[p->nchecked++ % SL_PEER_CHECKED_MAX] = *remote;
}

/* At our socket beside libnice's. */
static void on_datagram(struct sl_watch *w, const struct sl_udp_dgram *d)
{
    struct sl_peer *p = sl_container(w, struct sl_peer, socket);

    SL_ASSUME(worker);
    if (sl_addr_is_equal(d->remote, &p->path.remote) || is_checked(p, d->remote))
        sl_peer_input(p, d->data, d->len);
    else
        p->env->ctx->drops[SL_DROP_UNKNOWN_ADDRESS]++;
}

static void set_path(struct sl_peer *p, const struct sl_ice_path *path)
{
    p->env->paths[p->path.kind]--;
    p->env->paths[path->kind]++;
    if (!p->connected_us && path->kind != SL_ICE_PATH_NONE)
        p->connected_us = p->env->ctx->now_us;
    p->path = *path;
}

static void drop_path(struct sl_peer *p)
{
    if (p->path.udp) {
        p->env->ctx->cb.flush(p->env->ctx->arg); /* it may stand in the send queue */
        p->env->unwatch(p->env->arg, &p->socket);
        sl_udp_close(p->path.udp);
    }
    set_path(p, &no_path);
}

/* Where our socket cannot be read, libnice goes on reading its own. */
static void take_path(struct sl_peer *p, struct sl_ice_path path)
{
    p->socket = (struct sl_watch){ .udp = path.udp, .datagram = on_datagram };
    if (path.udp && p->env->watch(p->env->arg, &p->socket) < 0) {
        sl_udp_close(path.udp);
        path = (struct sl_ice_path){ .kind = SL_ICE_PATH_AGENT, .fd = -1 };
    }
    set_path(p, &path);
}

void sl_peer_on_ice_path(struct sl_peer *p, const struct sl_ice_path *path)
{
    bool keeps_socket = path->kind == SL_ICE_PATH_DIRECT && path->fd < 0;
    const struct sl_addr was = p->path.remote;
    struct sl_ice_path kept = *path;

    if (path->udp || keeps_socket)
        sl_peer_on_ice_checked(p, &path->remote);
    if (keeps_socket) {
        kept.kind = p->path.kind; /* AGENT where it could not be read, see take_path */
        kept.udp = p->path.udp;
        kept.fd = p->path.fd;
        set_path(p, &kept);
    } else {
        drop_path(p);
        take_path(p, *path);
    }
    if (p->path.kind != SL_ICE_PATH_NONE)
        tell_pair(p);
    if (!sl_addr_is_equal(&p->path.remote, &was))
        sl_peer_bwe_new_way(p);
    schedule_dtls(p);
}

static void on_life(struct sl_timer *t, uint64_t now_us)
{
    struct sl_peer *p = sl_container(t, struct sl_peer, life);

    SL_ASSUME(worker);
    (void)now_us;
    if (p->dtls_started && !p->is_up)
        handshake_failed(p, "DTLS timeout");
    else
        sl_peer_down(p, "ICE failed");
}

void sl_peer_on_ice_state(struct sl_peer *p, enum sl_ice_state state)
{
    enum sl_ice_state old = p->ice_state;

    p->ice_state = state;
    if (state != old)
        tell(p, &(struct sl_link){ .what = SL_LINK_ICE, .ice = state });
    if (state == SL_ICE_CONNECTED) {
        if (old == SL_ICE_DISCONNECTED && p->is_up)
            sl_timer_cancel(&p->life);
        p->was_connected = true;
        if (p->is_up && !p->is_down && !p->tx.open) {
            p->tx.open = true;
            sl_peer_media_up(p); /* what was missed is not known over there */
        }
    } else if (state == SL_ICE_DISCONNECTED && old != SL_ICE_DISCONNECTED && !p->is_down) {
        p->tx.open = false;
        if (p->is_up) /* else the deadline of DTLS goes on */
            sl_timer_set(p->env->wheel, &p->life, p->env->ctx->now_us + p->env->grace_us);
        p->env->cb.ice_failed(p->env->arg, p->ep.id);
    } else if (state == SL_ICE_FAILED && !p->was_connected) {
        sl_peer_down(p, "ICE failed");
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

void sl_peer_down(struct sl_peer *p, const char *reason)
{
    if (p->is_down)
        return;
    p->is_down = true;
    p->tx.open = false;
    sl_timer_cancel(&p->life);
    sl_peer_rtcp_stop(p);
    p->env->cb.down(p->env->arg, p->ep.id, reason);
}

static void destroy(struct sl_endpoint *e)
{
    struct sl_peer *p = sl_container(e, struct sl_peer, ep);

    SL_ASSUME(worker);
    if (p->dtls && !p->is_down)
        sl_dtls_close(p->dtls);
    sl_timer_cancel(&p->life);
    sl_timer_cancel(&p->dtls_timer);
    sl_list_del(&p->handshake);
    sl_peer_rtcp_stop(p);
    sl_tx_fini(&p->tx);
    sl_peer_media_fini(p);
    sl_lite_agent_destroy(p->agent);
    drop_path(p);
    p->env->paths[SL_ICE_PATH_NONE]--;
    sl_dtls_destroy(p->dtls);
    sl_srtp_destroy(p->srtp);
    sl_pcap_close(p->capture);
    for (size_t i = 0; i < p->nearly; i++)
        free(p->early[i].data);
    free(p);
}

static const struct sl_endpoint_ops ops = { .destroy = destroy, .set_media = sl_peer_set_media };

int sl_peer_create(struct sl_peer_env *env, sl_id id, const struct sl_ice_creds *local,
                   struct sl_peer **out)
{
    struct sl_peer *p = calloc(1, sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    p->env = env;
    sl_endpoint_init(&p->ep, &ops, env->ctx, id);
    p->path = no_path;
    p->own_ssrc = sl_rand32() | 1;
    sl_tx_init(&p->tx, env->ctx, sl_peer_tx_flush);
    sl_timer_init(&p->life, on_life);
    sl_timer_init(&p->dtls_timer, on_dtls_timer);
    sl_list_init(&p->handshake);
    sl_peer_rtcp_init(p);
    if (local) {
        err = sl_lite_agent_create(env->lite, local, p, &p->agent);
        if (err < 0) {
            free(p);
            return err;
        }
    }
    env->paths[SL_ICE_PATH_NONE]++;
    *out = p;
    return 0;
}

struct sl_endpoint *sl_peer_endpoint(struct sl_peer *p)
{
    return &p->ep;
}

struct sl_peer *sl_peer_of(struct sl_endpoint *e)
{
    return e && e->ops == &ops ? sl_container(e, struct sl_peer, ep) : NULL;
}

int sl_peer_set_remote(struct sl_peer *p, const char *ufrag, const struct sl_fingerprint *fp,
                       bool dtls_server)
{
    if (p->agent)
        sl_lite_agent_set_remote(p->agent, ufrag);
    if (p->has_remote)
        return 0;
    p->has_remote = true;
    p->fingerprint = *fp;
    p->dtls_server = dtls_server;
    sl_timer_set(p->env->wheel, &p->life, p->env->ctx->now_us + SL_PEER_ICE_TIMEOUT_US);
    schedule_dtls(p);
    return 0;
}

int sl_peer_restart(struct sl_peer *p, const struct sl_ice_creds *local)
{
    return p->agent ? sl_lite_agent_restart(p->agent, local) : 0;
}

void sl_peer_input(struct sl_peer *p, uint8_t *data, size_t len)
{
    enum sl_demux kind = sl_demux(data, len);

    if (p->is_down)
        return;
    if (kind == SL_DEMUX_RTP)
        sl_peer_rx_rtp(p, data, len);
    else if (kind == SL_DEMUX_RTCP)
        sl_peer_rx_rtcp(p, data, len);
    else if (kind == SL_DEMUX_DTLS)
        input_dtls(p, data, len);
    else
        p->env->ctx->drops[SL_DROP_MALFORMED]++;
}
