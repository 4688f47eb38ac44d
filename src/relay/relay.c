/* A relay's life, what it sends, its timers. */
#include "relay/relay_private.h"

#include "base/rand.h"
#include "rtp/rtp_pkt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

void sl_relay_conf_destroy(struct sl_relay_conf *c)
{
    if (!c)
        return;
    sl_udp_close(c->rtp);
    sl_udp_close(c->rtcp);
    explicit_bzero(&c->keys, sizeof(c->keys));
    free(c);
}

/* ---- out ------------------------------------------------------------------------------------- */

static int seal(struct sl_relay *r, struct sl_slot *s) SL_ON_WORKER
{
    size_t len = s->len;
    int err = 0;

    if (r->srtp)
        err = s->is_rtcp ? sl_srtcp_protect(r->srtp, s->data, &len)
                         : sl_srtp_protect(r->srtp, s->data, &len);
    if (err == 0)
        s->len = (uint16_t)len;
    return err;
}

static void flush(struct sl_tx *tx)
{
    struct sl_relay *r = sl_container(tx, struct sl_relay, tx);
    struct sl_mctx *ctx = r->ep.ctx;
    struct sl_slot *next, *s;

    SL_ASSUME(worker);
    if (tx->report_due) {
        tx->report_due = false;
        if (r->kind->second)
            r->kind->second(r);
    }
    for (s = sl_tx_take(tx); s; s = next) {
        const struct sl_addr *to = s->is_rtcp ? &r->rtcp_to : &r->conf->rtp_to;

        next = s->next;
        if (!sl_addr_len(to) || seal(r, s) < 0) {
            ctx->drops[sl_addr_len(to) ? SL_DROP_PROTECT : SL_DROP_NO_PATH]++;
            sl_pool_put(&ctx->slots, s);
            continue;
        }
        sl_txq_add(r->env->txq, s->is_rtcp ? r->rtcp_fd : r->conf->rtp->fd, to, NULL, r->ep.id,
                   s->data, s->len);
        s->next = ctx->sent;
        ctx->sent = s;
    }
}

struct sl_slot *sl_relay_rtcp_begin(struct sl_relay *r, struct sl_writer *w)
{
    struct sl_slot *slot = sl_addr_len(&r->rtcp_to) ? sl_tx_reserve(&r->tx) : NULL;

    if (!slot)
        return NULL;
    slot->is_rtcp = true;
    *w = sl_writer_make(slot->data, SL_SLOT_MAX);
    return slot;
}

void sl_relay_rtcp_end(struct sl_relay *r, struct sl_slot *slot, struct sl_writer *w)
{
    slot->len = (uint16_t)sl_writer_len(w);
    if (slot->len)
        sl_tx_commit(&r->tx, slot);
    else
        sl_tx_cancel(&r->tx, slot);
}

/* ---- in -------------------------------------------------------------------------------------- */

static void take_datagram(struct sl_relay *r, const struct sl_udp_dgram *d) SL_ON_WORKER
{
    size_t len = d->len;
    int err;

    switch (sl_demux(d->data, len)) {
    case SL_DEMUX_RTP:
        r->kind->rtp(r, d);
        return;
    case SL_DEMUX_RTCP:
        err = r->srtp ? sl_srtcp_unprotect(r->srtp, d->data, &len) : 0;
        if (err == 0)
            r->kind->rtcp(r, d->data, len, d->remote);
        else
            r->ep.ctx->drops[err == -EALREADY ? SL_DROP_REPLAY : SL_DROP_AUTH]++;
        return;
    default:
        r->ep.ctx->drops[SL_DROP_MALFORMED]++;
    }
}

static void on_rtp_socket(struct sl_watch *w, const struct sl_udp_dgram *d)
{
    SL_ASSUME(worker);
    take_datagram(sl_container(w, struct sl_relay, rtp), d);
}

static void on_rtcp_socket(struct sl_watch *w, const struct sl_udp_dgram *d)
{
    SL_ASSUME(worker);
    take_datagram(sl_container(w, struct sl_relay, rtcp), d);
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void on_tick(struct sl_timer *t, uint64_t now_us)
{
    struct sl_relay *r = sl_container(t, struct sl_relay, tick);
    bool second = now_us >= r->second_us;

    SL_ASSUME(worker);
    for (size_t i = 0; i < r->ep.nlines; i++) {
        struct sl_line *l = &r->ep.lines[i];

        if (l->track)
            sl_track_tick(l->track);
        if (l->sink)
            sl_sink_tick(l->sink);
        if (second && l->track)
            sl_track_second(l->track);
        if (second && l->sink)
            sl_sink_second(l->sink);
    }
    if (second && r->kind->second)
        r->kind->second(r);
    if (second)
        r->second_us = now_us + SECOND_US;
    sl_timer_set(r->env->wheel, t, now_us + RELAY_TICK_US);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int set_media(struct sl_endpoint *e, struct sl_media *media)
{
    static const uint8_t no_ids[SL_EXT_MAX];
    struct sl_relay *r = sl_container(e, struct sl_relay, ep);
    int err;

    SL_ASSUME(worker);
    err = sl_endpoint_grow(e, media->n);
    sl_ext_map_init(&r->extmap, no_ids);
    memset(r->by_wire, 0, sizeof(r->by_wire));
    for (size_t i = 0; err == 0 && i < media->n; i++) {
        sl_ext_map_add(&r->extmap, media->line[i].ext);
        err = r->kind->set_line(r, &media->line[i]);
    }
    if (err < 0) { /* half of the lines are of the new description */
        memset(r->by_wire, 0, sizeof(r->by_wire));
        r->tx.open = false;
        return err;
    }
    free(r->media);
    r->media = media;
    return 0;
}

static void destroy(struct sl_endpoint *e)
{
    struct sl_relay *r = sl_container(e, struct sl_relay, ep);

    SL_ASSUME(worker);
    sl_timer_cancel(&r->tick);
    if (r->conf) {
        /* The sockets may stand in the send queue. */
        r->ep.ctx->cb.flush(r->ep.ctx->arg);
        if (r->conf->rtp)
            r->env->unwatch(r->env->arg, &r->rtp);
        if (r->conf->rtcp)
            r->env->unwatch(r->env->arg, &r->rtcp);
    }
    sl_tx_fini(&r->tx);
    sl_endpoint_fini(e);
    sl_srtp_destroy(r->srtp);
    sl_relay_conf_destroy(r->conf);
    free(r->plays);
    free(r->media);
    free(r);
}

static const struct sl_endpoint_ops ops = { .destroy = destroy, .set_media = set_media };

struct sl_relay *sl_relay_of(struct sl_endpoint *e)
{
    return e && e->ops == &ops ? sl_container(e, struct sl_relay, ep) : NULL;
}

static int watch(struct sl_relay *r, struct sl_relay_conf *conf) SL_ON_WORKER
{
    int err;

    if (!conf->rtp)
        return 0;
    r->rtp = (struct sl_watch){ .udp = conf->rtp, .datagram = on_rtp_socket };
    r->rtcp = (struct sl_watch){ .udp = conf->rtcp, .datagram = on_rtcp_socket };
    err = r->env->watch(r->env->arg, &r->rtp);
    if (err < 0 || !conf->rtcp)
        return err;
    err = r->env->watch(r->env->arg, &r->rtcp);
    if (err < 0)
        r->env->unwatch(r->env->arg, &r->rtp);
    return err;
}

int sl_relay_create(struct sl_relay_env *env, sl_id id, struct sl_relay_conf *conf,
                    struct sl_endpoint **out)
{
    static const struct relay_kind *const kinds[] = {
        [SL_RELAY_FORWARD] = &sl_relay_forward,
        [SL_RELAY_REMOTE] = &sl_relay_remote,
        [SL_RELAY_PLAYER] = &sl_relay_player,
    };
    struct sl_relay *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->env = env;
    r->kind = kinds[conf->kind];
    sl_endpoint_init(&r->ep, &ops, env->ctx, id);
    sl_tx_init(&r->tx, env->ctx, flush);
    sl_timer_init(&r->tick, on_tick);
    r->own_ssrc = sl_rand32() | 0x80000000u;
    r->data_seq = sl_rand32() & 0x7fff;
    r->rtcp_to = conf->rtcp_to;
    r->rtcp_fd = conf->rtcp ? conf->rtcp->fd : conf->rtp ? conf->rtp->fd : -1;
    r->tx.open = true;
    err = conf->is_srtp ? sl_srtp_create(&conf->keys, &r->srtp) : 0;
    if (err == 0)
        err = watch(r, conf);
    if (err < 0) {
        destroy(&r->ep);
        return err;
    }
    r->conf = conf;
    explicit_bzero(&conf->keys, sizeof(conf->keys));
    sl_timer_set(env->wheel, &r->tick, env->ctx->now_us + RELAY_TICK_US);
    *out = &r->ep;
    return 0;
}
