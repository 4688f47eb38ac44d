/* Lasting connections: which sessions they own, and how often they guessed wrong. */

#include "api/api_priv.h"
#include <stdlib.h>

static uint64_t conn_hash(const struct sl_transport *t, sl_conn id)
{
    return sl_hash_u64(id ^ sl_hash_u64((uint64_t)(uintptr_t)t));
}

static struct api_conn *conn_find(struct sl_api *api, const struct sl_transport *t, sl_conn id)
{
    struct sl_hnode *n = sl_hmap_first(&api->conns, conn_hash(t, id));

    for (; n; n = sl_hmap_next(n)) {
        struct api_conn *c = sl_container(n, struct api_conn, node);

        if (c->id == id && c->t == t)
            return c;
    }
    return NULL;
}

struct api_conn *api_conn_get(struct sl_api *api, const struct api_from *from)
{
    struct api_conn *c;

    if (!from->conn)
        return NULL;
    c = conn_find(api, from->t, from->conn);
    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->t = from->t;
    c->id = from->conn;
    sl_list_init(&c->sessions);
    if (sl_hmap_add(&api->conns, &c->node, conn_hash(c->t, c->id))) {
        free(c);
        return NULL;
    }
    return c;
}

/* Its sessions end, or wait for a claim. */
static void orphan_sessions(struct sl_api *api, struct api_conn *c) SL_ON_CONTROL;
static void orphan_sessions(struct sl_api *api, struct api_conn *c)
{
    while (!sl_list_is_empty(&c->sessions)) {
        struct sl_session *s = sl_container(c->sessions.next, struct sl_session, owner_link);

        sl_list_del(&s->owner_link);
        s->owner = NULL;
        if (!api->conf.reclaim_timeout_s || api->closing) {
            api_session_destroy(s);
            continue;
        }
        s->orphaned = true;
        s->orphaned_us = api->cq->now_us;
        sl_timer_set(&api->cq->wheel, &s->timer, api->cq->now_us);
    }
}

void api_conn_gone(struct sl_api *api, const struct sl_transport *t, sl_conn id)
{
    struct api_conn *c = conn_find(api, t, id);

    if (!c)
        return;
    orphan_sessions(api, c);
    sl_hmap_del(&api->conns, &c->node);
    free(c);
}

void api_conns_fini(struct sl_api *api)
{
    for (size_t i = 0; i < api->conns.nbuckets; i++) {
        while (api->conns.buckets[i]) {
            struct api_conn *c = sl_container(api->conns.buckets[i], struct api_conn, node);

            sl_hmap_del(&api->conns, &c->node);
            free(c);
        }
    }
}
