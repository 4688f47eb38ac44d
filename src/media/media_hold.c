#include "media/media_hold.h"

#include "media/media_ctx.h"

void sl_hold_init(struct sl_hold *h)
{
    *h = (struct sl_hold){ .n = 0 };
    for (int r = 0; r < SL_RANK_MAX; r++)
        h->queue[r].last = &h->queue[r].first;
    sl_list_init(&h->node);
}

static struct sl_slot *pop(struct sl_tx *tx, enum sl_rank rank)
{
    struct sl_hold *h = &tx->hold;
    struct sl_slot *s = h->queue[rank].first;

    h->queue[rank].first = s->next;
    if (!s->next)
        h->queue[rank].last = &h->queue[rank].first;
    h->bytes -= s->len;
    tx->ctx->nheld--;
    if (--h->n == 0)
        sl_list_del(&h->node);
    return s;
}

void sl_hold_fini(struct sl_tx *tx)
{
    for (int r = 0; r < SL_RANK_MAX; r++)
        while (tx->hold.queue[r].first)
            sl_pool_put(&tx->ctx->slots, pop(tx, r));
}

void sl_hold_forget(struct sl_hold *h, const struct sl_sink *sink)
{
    for (int r = 0; r < SL_RANK_MAX; r++)
        for (struct sl_slot *s = h->queue[r].first; s; s = s->next)
            if (s->keep == sink)
                s->keep = NULL;
}

static void push(struct sl_tx *tx, struct sl_slot *s) SL_ON_WORKER
{
    struct sl_hold *h = &tx->hold;

    s->held_us = tx->ctx->now_us;
    s->next = NULL;
    *h->queue[s->rank].last = s;
    h->queue[s->rank].last = &s->next;
    h->bytes += s->len;
    tx->ctx->nheld++;
    if (h->n++ == 0)
        sl_steps_need(tx->ctx, &tx->ctx->holding, &h->node);
}

/* Behind *@last what leaves first, of so many bytes. */
static struct sl_slot **take(struct sl_tx *tx, size_t bytes, struct sl_slot **last)
{
    for (size_t done = 0; done < bytes && tx->hold.n;) {
        enum sl_rank rank = tx->hold.queue[SL_RANK_RESEND].first ? SL_RANK_RESEND : SL_RANK_MEDIA;
        struct sl_slot *s = pop(tx, rank);

        done += s->len;
        if (s->held_us != tx->ctx->now_us)
            s->rx_us = 0; /* it waited for the path, not for us */
        *last = s;
        last = &s->next;
    }
    *last = NULL;
    return last;
}

struct sl_slot *sl_hold_take(struct sl_tx *tx, size_t bytes)
{
    struct sl_slot *first = NULL;

    sl_pace_on_sent(&tx->hold.pace, bytes < tx->hold.bytes ? bytes : tx->hold.bytes);
    take(tx, bytes, &first);
    return first;
}

static uint64_t oldest_us(const struct sl_hold *h)
{
    uint64_t us = UINT64_MAX;

    for (int r = 0; r < SL_RANK_MAX; r++)
        if (h->queue[r].first && h->queue[r].first->held_us < us)
            us = h->queue[r].first->held_us;
    return us;
}

struct sl_slot *sl_hold_pass(struct sl_tx *tx, struct sl_slot *staged)
{
    struct sl_hold *h = &tx->hold;
    struct sl_slot *first = NULL, **last = &first, *next;
    const bool full = tx->ctx->nheld >= SL_HOLD_MAX;
    size_t before, may, now = 0;

    if (h->pace.bps <= 0 && !h->n)
        return staged;
    for (; staged; staged = next) {
        next = staged->next;
        if (staged->rank == SL_RANK_NOW) {
            *last = staged;
            last = &staged->next;
            now += staged->len;
        } else {
            push(tx, staged);
        }
    }
    sl_pace_on_sent(&h->pace, now);
    *last = NULL;
    if (!h->n)
        return first;
    before = h->bytes;
    may = full ? before : sl_pace_may(&h->pace, before, oldest_us(h), tx->ctx->now_us);
    take(tx, may, last);
    sl_pace_on_sent(&h->pace, before - h->bytes);
    return first;
}
