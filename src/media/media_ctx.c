#include "media/media_ctx.h"

#include "media/media_gop.h"
#include "media/media_pkt.h"

#define PKTS_PER_SLAB  128
#define PKTS_LIMIT     65536
#define SLOTS_PER_SLAB 128
#define SLOTS_LIMIT    8192

const char *sl_drop_to_str(enum sl_drop why)
{
    static const char *const names[SL_DROP_MAX] = {
        [SL_DROP_NONE] = "none",
        [SL_DROP_MALFORMED] = "malformed",
        [SL_DROP_TOO_LONG] = "too_long",
        [SL_DROP_NO_MEMORY] = "no_memory",
        [SL_DROP_NO_KEYS] = "no_keys",
        [SL_DROP_AUTH] = "auth",
        [SL_DROP_REPLAY] = "replay",
        [SL_DROP_UNKNOWN_SSRC] = "unknown_ssrc",
        [SL_DROP_SSRC_LIMIT] = "ssrc_limit",
        [SL_DROP_UNKNOWN_ADDRESS] = "unknown_address",
        [SL_DROP_NOT_RECEIVING] = "not_receiving",
        [SL_DROP_WRONG_PT] = "wrong_pt",
        [SL_DROP_DUPLICATE] = "duplicate",
        [SL_DROP_OLD] = "old",
        [SL_DROP_PADDING] = "padding",
        [SL_DROP_GATED] = "gated",
        [SL_DROP_PAUSED] = "paused",
        [SL_DROP_BANDWIDTH] = "bandwidth",
        [SL_DROP_LAYER] = "layer",
        [SL_DROP_NO_KEYFRAME] = "no_keyframe",
        [SL_DROP_CODEC] = "codec",
        [SL_DROP_NO_PATH] = "no_path",
        [SL_DROP_RING_FULL] = "ring_full",
        [SL_DROP_TCP_FULL] = "tcp_full",
        [SL_DROP_PROTECT] = "protect",
        [SL_DROP_DATA_FULL] = "data_full",
    };

    return why < SL_DROP_MAX ? names[why] : "?";
}

void sl_mctx_init(struct sl_mctx *m, unsigned int worker, const struct sl_media_cb *cb, void *arg)
{
    *m = (struct sl_mctx){ .worker = worker, .cb = *cb, .arg = arg };
    sl_pool_init(&m->pkts, sizeof(struct sl_pkt), PKTS_PER_SLAB, PKTS_LIMIT);
    sl_pool_init(&m->slots, sizeof(struct sl_slot), SLOTS_PER_SLAB, SLOTS_LIMIT);
    sl_list_init(&m->mirrors);
    sl_list_init(&m->replays);
    sl_list_init(&m->holding);
    sl_list_init(&m->taps);
    sl_list_init(&m->dirty);
    sl_list_init(&m->lossy);
}

void sl_mctx_fini(struct sl_mctx *m)
{
    sl_pool_fini(&m->slots);
    sl_pool_fini(&m->pkts);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static bool has_steps(const struct sl_mctx *ctx)
{
    return !sl_list_is_empty(&ctx->replays) || !sl_list_is_empty(&ctx->holding);
}

void sl_steps_need(struct sl_mctx *ctx, struct sl_list *list, struct sl_list *node)
{
    if (!has_steps(ctx))
        ctx->step_us = list == &ctx->holding ? ctx->now_us + SL_STEP_US : ctx->now_us;
    sl_list_add(list, node);
}

static void move(struct sl_list *n, struct sl_list *to)
{
    sl_list_del(n);
    sl_list_add(to, n);
}

void sl_steps_run(struct sl_mctx *ctx)
{
    struct sl_list todo;

    if (!has_steps(ctx) || ctx->now_us < ctx->step_us)
        return;
    ctx->step_us = ctx->now_us + SL_STEP_US;
    sl_list_init(&todo);
    while (!sl_list_is_empty(&ctx->holding))
        move(ctx->holding.next, &todo);
    while (!sl_list_is_empty(&todo)) { /* one's flush may be another's, when slots run out */
        struct sl_tx *tx = sl_container(todo.next, struct sl_tx, hold.node);

        move(&tx->hold.node, &ctx->holding);
        tx->flush(tx);
    }
    sl_replays_run(ctx);
}

uint64_t sl_steps_wait_us(const struct sl_mctx *ctx, uint64_t now_us)
{
    if (!has_steps(ctx))
        return UINT64_MAX;
    return ctx->step_us > now_us ? ctx->step_us - now_us : 0;
}

/* ---- output ---------------------------------------------------------------------------------- */

void sl_tx_init(struct sl_tx *tx, struct sl_mctx *ctx, void (*flush)(struct sl_tx *tx))
{
    *tx = (struct sl_tx){ .ctx = ctx, .flush = flush };
    sl_list_init(&tx->dirty);
    tx->last = &tx->first;
    sl_hold_init(&tx->hold);
}

void sl_tx_fini(struct sl_tx *tx)
{
    while (tx->first) {
        struct sl_slot *s = tx->first;

        tx->first = s->next;
        sl_pool_put(&tx->ctx->slots, s);
    }
    tx->last = &tx->first;
    tx->nstaged = 0;
    sl_list_del(&tx->dirty);
    sl_hold_fini(tx);
}

struct sl_slot *sl_tx_reserve(struct sl_tx *tx)
{
    struct sl_slot *s;

    if (!tx->open)
        return NULL;
    s = sl_pool_get(&tx->ctx->slots);
    if (!s) {
        tx->ctx->cb.flush(tx->ctx->arg);
        s = sl_pool_get(&tx->ctx->slots);
        if (!s)
            return NULL;
    }
    s->next = NULL;
    s->len = 0;
    s->rx_us = 0;
    s->is_rtcp = false;
    s->may_pad = false;
    s->rank = SL_RANK_NOW;
    s->twcc_off = s->ast_off = s->twcc = 0;
    s->repair_line = 0;
    s->is_sealed = false;
    s->keep = NULL;
    return s;
}

void sl_tx_commit(struct sl_tx *tx, struct sl_slot *slot)
{
    *tx->last = slot;
    tx->last = &slot->next;
    if (tx->nstaged++ == 0)
        sl_list_add(&tx->ctx->dirty, &tx->dirty);
}

void sl_tx_cancel(struct sl_tx *tx, struct sl_slot *slot)
{
    sl_pool_put(&tx->ctx->slots, slot);
}

struct sl_slot *sl_tx_take(struct sl_tx *tx)
{
    struct sl_slot *s = tx->first;

    tx->first = NULL;
    tx->last = &tx->first;
    tx->nstaged = 0;
    sl_list_del(&tx->dirty);
    return s;
}

void sl_tx_forget(struct sl_tx *tx, const struct sl_sink *sink)
{
    for (struct sl_slot *s = tx->first; s; s = s->next)
        if (s->keep == sink)
            s->keep = NULL;
    sl_hold_forget(&tx->hold, sink);
}
