#include "media/media_pkt.h"

static _Thread_local struct sl_pool *own;

void sl_pkt_thread_init(struct sl_pool *pool)
{
    own = pool;
}

struct sl_pkt *sl_pkt_get(struct sl_pool *pool)
{
    struct sl_pkt *pkt = sl_pool_get(pool);

    if (!pkt)
        return NULL;
    atomic_init(&pkt->refs, 1);
    pkt->pool = pool;
    return pkt;
}

struct sl_pkt *sl_pkt_ref(struct sl_pkt *pkt)
{
    atomic_fetch_add_explicit(&pkt->refs, 1, memory_order_relaxed);
    return pkt;
}

void sl_pkt_unref(struct sl_pkt *pkt)
{
    if (atomic_fetch_sub_explicit(&pkt->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (pkt->pool == own)
        sl_pool_put(pkt->pool, pkt);
    else
        sl_pool_put_remote(pkt->pool, pkt);
}
