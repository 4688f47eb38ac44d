/* Mirrors, and the traffic between workers: packets by ring, the rest by message. */
#include "worker/worker_private.h"

#include "media/media_pkt.h"
#include "media/media_sink.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t mirror_hash(sl_id pc, uint16_t mindex)
{
    return sl_hash_u64(pc ^ ((uint64_t)mindex << 40));
}

static struct sl_mirror *mirror_find(struct sl_worker *w, sl_id pc, uint16_t mindex)
{
    struct sl_hnode *n = sl_hmap_first(&w->mirrors, mirror_hash(pc, mindex));

    for (; n; n = sl_hmap_next(n)) {
        struct sl_mirror *m = sl_container(n, struct sl_mirror, node);

        if (m->pc == pc && m->mindex == mindex)
            return m;
    }
    return NULL;
}

static void post_mirror(struct sl_worker *w, enum sl_wmsg_type type, sl_id pc, uint16_t mindex)
{
    struct sl_wmsg *m = sl_wmsg_new(type, pc, 0);

    if (!m)
        return;
    m->mindex = mindex;
    m->worker = w->conf.index;
    sl_worker_post(w->all[sl_id_worker(pc)], m);
}

static struct sl_mirror *mirror_get(struct sl_worker *w, sl_id pc, uint16_t mindex) SL_ON_WORKER
{
    struct sl_mirror *m = mirror_find(w, pc, mindex);

    if (m)
        return m;
    if (sl_id_worker(pc) >= w->nall || sl_mirror_create(&w->ctx, pc, mindex, &m) < 0)
        return NULL;
    if (sl_hmap_add(&w->mirrors, &m->node, mirror_hash(pc, mindex)) < 0) {
        sl_mirror_destroy(m);
        return NULL;
    }
    if (sl_id_worker(pc) == w->conf.index) {
        struct sl_track *t = sl_worker_track(w, pc, mindex);

        if (t)
            sl_track_join(t, m);
    } else {
        post_mirror(w, SL_WMSG_MIRROR_OPEN, pc, mindex);
    }
    return m;
}

static void mirror_drop_if_unused(struct sl_worker *w, struct sl_mirror *m) SL_ON_WORKER
{
    /* Without sinks of its own it still has what those on other workers begin with. */
    if (m->nsinks > 0 || (w->ctx.gop_us && m->track && m->track->remote))
        return;
    if (sl_id_worker(m->pc) == w->conf.index)
        sl_worker_want(w, w->conf.index, m->pc, m->mindex, -1);
    if (m->track)
        sl_track_join(m->track, NULL);
    else if (sl_id_worker(m->pc) != w->conf.index)
        post_mirror(w, SL_WMSG_MIRROR_CLOSE, m->pc, m->mindex);
    sl_hmap_del(&w->mirrors, &m->node);
    sl_mirror_destroy(m);
}

void sl_worker_route_del(struct sl_worker *w, struct sl_sink *sink)
{
    struct sl_mirror *m = sl_sink_mirror(sink);

    if (!m)
        return;
    sl_mirror_del(m, sink);
    mirror_drop_if_unused(w, m);
}

void sl_worker_route_add(struct sl_worker *w, struct sl_wmsg *msg)
{
    struct sl_sink *sink = sl_worker_sink(w, msg->pc, msg->mindex);
    struct sl_mirror *m;

    if (!sink)
        return;
    m = mirror_get(w, msg->route.from, msg->route.from_mindex);
    if (!m)
        return;
    if (sl_sink_mirror(sink) != m) {
        sl_worker_route_del(w, sink);
        if (sl_mirror_add(m, sink) < 0) {
            mirror_drop_if_unused(w, m);
            return;
        }
        sink->wish = msg->route.wish;
        sl_sink_set_source(sink, msg->route.nlayers, msg->route.svc);
    } else if (!sl_sink_has_source(sink, msg->route.nlayers, msg->route.svc)) {
        sink->wish = msg->route.wish; /* a line that is used again, with other layers */
        sl_sink_set_source(sink, msg->route.nlayers, msg->route.svc);
    } else {
        sl_sink_set_wish(sink, &msg->route.wish);
    }
}

void sl_worker_tracks_join(struct sl_worker *w, struct sl_endpoint *e)
{
    for (size_t i = 0; i < e->nlines; i++) {
        struct sl_track *t = e->lines[i].track;
        struct sl_mirror *m = t && !t->mirror ? mirror_find(w, e->id, (uint16_t)i) : NULL;

        if (m)
            sl_track_join(t, m);
        else if (t && !t->mirror && t->remote && w->ctx.gop_us)
            (void)mirror_get(w, e->id, (uint16_t)i);
    }
}

void sl_worker_mirrors_drop(struct sl_worker *w)
{
    for (size_t i = 0; i < w->mirrors.nbuckets; i++)
        while (w->mirrors.buckets[i]) {
            struct sl_mirror *m = sl_container(w->mirrors.buckets[i], struct sl_mirror, node);

            sl_hmap_del(&w->mirrors, &m->node);
            sl_mirror_destroy(m);
        }
}

void sl_worker_mirrors_expire(struct sl_worker *w)
{
    for (size_t i = 0; i < w->mirrors.nbuckets; i++)
        for (struct sl_hnode *n = w->mirrors.buckets[i]; n; n = n->next)
            sl_mirror_expire(sl_container(n, struct sl_mirror, node));
}

static void set_mirror(struct sl_worker *w, const struct sl_wmsg *m, bool on) SL_ON_WORKER
{
    struct sl_endpoint *e = sl_worker_endpoint(w, m->pc);

    if (e)
        sl_endpoint_set_mirror(e, m->mindex, m->worker, on);
}

/* Another worker has sinks for a track of ours. It gets what its first ones begin with, and from
 * now on that is there for the next worker, too. */
void sl_worker_mirror_open(struct sl_worker *w, struct sl_wmsg *m)
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    set_mirror(w, m, true);
    if (!w->ctx.gop_us || !t || !mirror_get(w, m->pc, m->mindex))
        return;
    sl_track_refill(t, m->worker);
}

void sl_worker_mirror_close(struct sl_worker *w, struct sl_wmsg *m)
{
    struct sl_mirror *mirror = mirror_find(w, m->pc, m->mindex);

    set_mirror(w, m, false);
    if (mirror)
        mirror_drop_if_unused(w, mirror);
}

/* What sinks here want of a publisher on worker @to, maybe this one. */
void sl_worker_want(void *arg, unsigned int to, sl_id pc, uint16_t mindex, int layer)
{
    struct sl_worker *w = arg;
    struct sl_endpoint *e;
    struct sl_wmsg *m;

    SL_ASSUME(worker);
    if (to == w->conf.index) {
        e = sl_worker_endpoint(w, pc);
        if (e)
            sl_endpoint_want(e, mindex, to, layer);
        return;
    }
    m = sl_wmsg_new(SL_WMSG_WANT, pc, 0);
    if (!m)
        return;
    m->mindex = mindex;
    m->want.worker = w->conf.index;
    m->want.layer = layer;
    sl_worker_post(w->all[to], m);
}

/* A key frame request that came from a sink here, for a publisher on worker @to. */
void sl_worker_keyframe(void *arg, unsigned int to, sl_id pc, uint16_t mindex, int layer)
{
    struct sl_worker *w = arg;
    struct sl_wmsg *m = sl_wmsg_new(SL_WMSG_KEYFRAME, pc, 0);

    if (!m)
        return;
    m->mindex = mindex;
    m->layer = layer;
    sl_worker_post(w->all[to], m);
}

/* ---- rings ----------------------------------------------------------------------------------- */

bool sl_worker_forward(void *arg, unsigned int to, sl_id pc, uint16_t mindex, struct sl_pkt *pkt)
{
    struct sl_worker *w = arg;
    struct sl_ring_entry *e = sl_ring_stage(&w->all[to]->in[w->conf.index]);

    if (!e) {
        w->ctx.drops[SL_DROP_RING_FULL]++;
        return false;
    }
    e->pc = pc;
    e->mindex = mindex;
    e->pkt = pkt ? sl_pkt_ref(pkt) : NULL;
    w->stats.ring_out++;
    w->staged_mask |= UINT64_C(1) << to;
    return true;
}

void sl_worker_publish(struct sl_worker *w)
{
    while (w->staged_mask) {
        unsigned int to = (unsigned int)__builtin_ctzll(w->staged_mask);

        w->staged_mask &= w->staged_mask - 1;
        sl_ring_publish(&w->all[to]->in[w->conf.index]);
        w->stats.wakes += sl_door_ring(&w->all[to]->door);
    }
}

bool sl_worker_rings_are_empty(struct sl_worker *w)
{
    for (size_t i = 0; i < w->nall; i++)
        if (i != w->conf.index && sl_ring_peek(&w->in[i]))
            return false;
    return true;
}

bool sl_worker_take_rings(struct sl_worker *w)
{
    bool any = false;

    for (size_t i = 0; i < w->nall; i++) {
        struct sl_ring_entry *e;

        if (i == w->conf.index)
            continue;
        for (int n = 0; n < 1024 && (e = sl_ring_peek(&w->in[i])); n++) {
            struct sl_mirror *m = mirror_find(w, e->pc, e->mindex);

            if (m && e->pkt)
                sl_mirror_push(m, e->pkt);
            else if (m)
                sl_mirror_forget(m);
            if (e->pkt)
                sl_pkt_unref(e->pkt);
            sl_ring_pop(&w->in[i]);
            w->stats.ring_in++;
            any = true;
        }
    }
    return any;
}
