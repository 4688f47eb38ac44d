/* What was staged in a turn goes out: encrypt in place, hand to the send queue. */
#include "peer/peer_private.h"

#include "media/media_pad.h"
#include "net/net_tcp.h"

#include <string.h>

static void give_back(struct sl_peer_env *env, struct sl_slot *s)
{
    sl_pool_put(&env->ctx->slots, s);
}

/* Queues one sealed slot on @path; the slot belongs to the queue until its flush. */
static void queue(struct sl_peer_env *env, sl_id pc, const struct sl_ice_path *path,
                  struct sl_slot *s)
{
    if (path->kind == SL_ICE_PATH_AGENT) {
        sl_nice_send(env->nice, pc, s->data, s->len);
        give_back(env, s);
        return;
    }
    if (path->kind == SL_ICE_PATH_TCP) {
        if (sl_tcp_send(path->tcp, s->data, s->len, &env->tcp_dirty) < 0) {
            env->ctx->drops[SL_DROP_TCP_FULL]++;
            env->ctx->cb.full(env->ctx->arg, pc);
        }
        give_back(env, s);
        return;
    }
    if (path->kind == SL_ICE_PATH_NONE) {
        env->ctx->drops[SL_DROP_NO_PATH]++;
        give_back(env, s);
        return;
    }
    sl_txq_add(env->txq, path->fd, &path->remote, &path->local, pc, s->data, s->len);
    s->next = env->ctx->sent;
    env->ctx->sent = s;
}

void sl_peer_env_send(struct sl_peer_env *env, sl_id pc, const struct sl_ice_path *path,
                      const uint8_t *data, size_t len)
{
    struct sl_slot *s;

    if (len > SL_SLOT_MAX)
        return;
    s = sl_pool_get(&env->ctx->slots);
    if (!s) { /* media took all: that goes out first */
        env->ctx->cb.flush(env->ctx->arg);
        s = sl_pool_get(&env->ctx->slots);
    }
    if (!s) {
        env->ctx->drops[SL_DROP_NO_MEMORY]++;
        return;
    }
    memcpy(s->data, data, len);
    s->len = (uint16_t)len;
    s->rx_us = 0;
    queue(env, pc, path, s);
}

static int seal(struct sl_peer *p, struct sl_slot *s) SL_ON_WORKER
{
    size_t len = s->len;
    int err;

    if (s->is_sealed)
        return 0;
    if (p->capture)
        sl_peer_captured(p, false, s->data, s->len);
    err = s->is_rtcp ? sl_srtcp_protect(p->srtp, s->data, &len)
                     : sl_srtp_protect(p->srtp, s->data, &len);
    if (err < 0)
        return err;
    s->len = (uint16_t)len;
    if (s->keep)
        sl_sink_keep_sealed(s->keep, s->data, s->len);
    return 0;
}

static void depart(struct sl_peer *p, struct sl_slot *s) SL_ON_WORKER
{
    struct sl_slot *next;

    sl_pad_even_out(p->env->ctx, s);
    for (; s; s = next) {
        next = s->next;
        sl_slot_stamp(&p->tx, s);
        if (!p->srtp || seal(p, s) < 0) {
            p->env->ctx->drops[SL_DROP_PROTECT]++;
            give_back(p->env, s);
            continue;
        }
        sl_peer_bwe_sent(p, s);
        sl_peer_repair_sent(p, s);
        queue(p->env, p->ep.id, &p->path, s);
    }
}

void sl_peer_tx_flush(struct sl_tx *tx)
{
    struct sl_peer *p = sl_container(tx, struct sl_peer, tx);

    SL_ASSUME(worker);
    if (tx->report_due && tx->open) {
        tx->report_due = false;
        sl_peer_send_reports(p);
    }
    depart(p, sl_hold_pass(tx, sl_tx_take(tx)));
}

size_t sl_peer_tx_hurry(struct sl_peer *p, size_t bytes)
{
    size_t before = p->tx.hold.bytes;

    depart(p, sl_hold_take(&p->tx, bytes));
    return before - p->tx.hold.bytes;
}
