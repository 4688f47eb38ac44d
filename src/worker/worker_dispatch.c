/* What a worker does with each message: one function per type, in a table. */
#include "worker/worker_private.h"

#include "media/media_sink.h"
#include "media/media_tap.h"

#include <stdlib.h>

#define SLOTS_MAX 65536 /* peer connections of one worker */

struct sl_endpoint *sl_worker_endpoint(struct sl_worker *w, sl_id id)
{
    uint32_t slot = sl_id_slot(id);

    if (sl_id_worker(id) != w->conf.index || slot >= w->nslots ||
        w->slots[slot].gen != sl_id_gen(id))
        return NULL;
    return w->slots[slot].ep;
}

struct sl_peer *sl_worker_peer(struct sl_worker *w, sl_id pc)
{
    return sl_peer_of(sl_worker_endpoint(w, pc));
}

struct sl_track *sl_worker_track(struct sl_worker *w, sl_id id, uint16_t mindex)
{
    struct sl_endpoint *e = sl_worker_endpoint(w, id);

    return e ? sl_endpoint_track(e, mindex) : NULL;
}

struct sl_sink *sl_worker_sink(struct sl_worker *w, sl_id id, uint16_t mindex)
{
    struct sl_endpoint *e = sl_worker_endpoint(w, id);

    return e ? sl_endpoint_sink(e, mindex) : NULL;
}

static struct sl_worker_slot *slot_get(struct sl_worker *w, sl_id pc)
{
    uint32_t slot = sl_id_slot(pc);

    if (slot >= SLOTS_MAX)
        return NULL;
    if (slot >= w->nslots) {
        uint32_t n = w->nslots ? w->nslots : 64;
        struct sl_worker_slot *slots;

        while (n <= slot)
            n *= 2;
        slots = realloc(w->slots, n * sizeof(*slots));
        if (!slots)
            return NULL;
        for (uint32_t i = w->nslots; i < n; i++)
            slots[i] = (struct sl_worker_slot){ 0 };
        w->slots = slots;
        w->nslots = n;
    }
    return &w->slots[slot];
}

static void tell_down(struct sl_worker *w, struct sl_report *end, const char *reason)
{
    end->reason = reason;
    w->conf.report(w->conf.arg, end);
}

void sl_worker_down(struct sl_worker *w, sl_id id, const char *reason)
{
    struct sl_worker_slot *s = sl_worker_endpoint(w, id) ? &w->slots[sl_id_slot(id)] : NULL;
    struct sl_report *end = s ? s->end : NULL;

    if (!end)
        return;
    s->end = NULL;
    tell_down(w, end, reason);
}

static void open_failed(struct sl_worker *w, struct sl_wmsg *m)
{
    tell_down(w, m->report, "Out of resources");
    m->report = NULL;
}

static void opened(struct sl_worker_slot *s, struct sl_endpoint *ep, struct sl_wmsg *m)
{
    s->ep = ep;
    s->gen = sl_id_gen(m->pc);
    s->end = m->report;
    m->report = NULL;
}

static void on_pc_open(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_worker_slot *s = slot_get(w, m->pc);
    struct sl_peer *p;

    if (!s || s->ep || sl_peer_create(&w->env, m->pc, m->open.lite ? &m->open.local : NULL, &p) < 0)
        open_failed(w, m);
    else
        opened(s, sl_peer_endpoint(p), m);
}

static void on_ep_open(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_worker_slot *s = slot_get(w, m->pc);
    struct sl_endpoint *ep;

    if (!s || s->ep || sl_relay_create(&w->relay_env, m->pc, m->relay, &ep) < 0) {
        open_failed(w, m);
        return;
    }
    m->relay = NULL;
    opened(s, ep, m);
}

static void on_pc_remote(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p &&
        sl_peer_set_remote(p, m->remote.ufrag, &m->remote.fingerprint, m->remote.dtls_server) < 0)
        sl_worker_down(w, m->pc, "Out of resources");
}

static void on_pc_restart(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        (void)sl_peer_restart(p, &m->restart);
}

static void on_ep_media(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_endpoint *e = sl_worker_endpoint(w, m->pc);

    if (!e)
        return;
    if (e->ops->set_media(e, m->media) < 0)
        return; /* it went down */
    m->media = NULL;
    sl_worker_tracks_join(w, e);
}

static void close_endpoint(struct sl_worker *w, struct sl_worker_slot *s) SL_ON_WORKER
{
    struct sl_endpoint *e = s->ep;

    if (!e)
        return;
    for (size_t i = 0; i < e->nlines; i++)
        if (e->lines[i].sink)
            sl_worker_route_del(w, e->lines[i].sink);
    s->ep = NULL;
    e->ops->destroy(e);
    free(s->end);
    s->end = NULL;
}

static void on_ep_close(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    if (sl_worker_endpoint(w, m->pc))
        close_endpoint(w, &w->slots[sl_id_slot(m->pc)]);
    m->report->pc = m->pc; /* it was made before that was known */
    w->conf.report(w->conf.arg, m->report);
    m->report = NULL;
}

void sl_worker_close_all(struct sl_worker *w)
{
    for (uint32_t i = 0; i < w->nslots; i++)
        close_endpoint(w, &w->slots[i]);
    sl_worker_mirrors_drop(w);
}

static void on_route_del(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_sink *s = sl_worker_sink(w, m->pc, m->mindex);

    if (!s)
        return;
    sl_worker_route_del(w, s);
    sl_sink_set_paused(s, false); /* the pause was this route's */
}

static void on_route_pause(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_sink *s = sl_worker_sink(w, m->pc, m->mindex);

    if (s)
        sl_sink_set_paused(s, m->flag);
}

static void on_route_layers(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_sink *s = sl_worker_sink(w, m->pc, m->mindex);

    if (s)
        sl_sink_set_wish(s, &m->route.wish);
}

static void on_keyframe(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (t)
        sl_track_keyframe(t, m->layer);
}

static void on_want(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_endpoint *e = sl_worker_endpoint(w, m->pc);

    if (e)
        sl_endpoint_want(e, m->mindex, m->want.worker, m->want.layer);
}

static void on_gate(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (t)
        sl_track_set_gate(t, m->flag);
}

static void on_talk(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (t)
        sl_track_talk_detect(t, m->talk.packets, m->talk.threshold);
}

static void on_voice(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (t)
        sl_track_set_voice(t, m->voice);
}

static void on_tap(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (!t)
        return; /* it ends with the message */
    sl_track_tap(t, m->tap);
    m->tap = NULL;
}

static void on_untap(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_track *t = sl_worker_track(w, m->pc, m->mindex);

    if (t)
        sl_track_untap(t, m->id);
}

static void on_bitrate(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_set_bitrate(p, m->number);
}

static void on_fir_interval(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_set_fir_interval(p, m->number);
}

static void on_pc_info(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    sl_worker_info_report(w, m->pc, m->flag);
}

static void on_pc_capture(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (!p)
        return;
    sl_peer_set_capture(p, m->capture);
    m->capture = NULL;
}

static void on_no_media(struct sl_worker *w, struct sl_wmsg *m)
{
    w->ctx.no_media_s = m->number;
}

static void on_slowlink(struct sl_worker *w, struct sl_wmsg *m)
{
    w->ctx.slowlink_threshold = m->number;
}

static void on_stop(struct sl_worker *w, struct sl_wmsg *m)
{
    (void)m;
    w->stopping = true;
}

static void on_ice_state(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_on_ice_state(p, m->ice_state);
}

static void on_ice_path(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (!p)
        return;
    sl_peer_on_ice_path(p, &m->path);
    m->path.udp = NULL; /* the peer's now */
}

static void on_ice_checked(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_on_ice_checked(p, &m->checked);
}

static void on_ice_data(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_input(p, m->data.bytes, m->data.len);
}

static void on_sctp_out(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_peer *p = sl_worker_peer(w, m->pc);

    if (p)
        sl_peer_sctp_out(p, m->data.bytes, m->data.len);
}

static void on_ep_data(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_relay *r = sl_relay_of(sl_worker_endpoint(w, m->pc));

    if (r)
        sl_relay_data_send(r, m->data.ssrc, m->data.is_binary, m->data.bytes, m->data.len);
}

static void on_ep_play(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_relay *r = sl_relay_of(sl_worker_endpoint(w, m->pc));

    if (r)
        sl_relay_play(r, m->mindex, m->data.bytes, m->data.len);
}

static void on_ep_consumed(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER
{
    struct sl_relay *r = sl_relay_of(sl_worker_endpoint(w, m->pc));

    if (r)
        sl_relay_data_consumed(r, m->number);
}

void sl_worker_dispatch(struct sl_worker *w, struct sl_wmsg *m)
{
    static void (*const handlers[SL_WMSG_MAX])(struct sl_worker *, struct sl_wmsg *) = {
        [SL_WMSG_EP_OPEN] = on_ep_open,
        [SL_WMSG_PC_OPEN] = on_pc_open,
        [SL_WMSG_PC_REMOTE] = on_pc_remote,
        [SL_WMSG_PC_RESTART] = on_pc_restart,
        [SL_WMSG_EP_MEDIA] = on_ep_media,
        [SL_WMSG_EP_CLOSE] = on_ep_close,
        [SL_WMSG_ROUTE_ADD] = sl_worker_route_add,
        [SL_WMSG_ROUTE_DEL] = on_route_del,
        [SL_WMSG_ROUTE_PAUSE] = on_route_pause,
        [SL_WMSG_ROUTE_LAYERS] = on_route_layers,
        [SL_WMSG_KEYFRAME] = on_keyframe,
        [SL_WMSG_BITRATE] = on_bitrate,
        [SL_WMSG_FIR_INTERVAL] = on_fir_interval,
        [SL_WMSG_GATE] = on_gate,
        [SL_WMSG_TALK] = on_talk,
        [SL_WMSG_VOICE] = on_voice,
        [SL_WMSG_TAP] = on_tap,
        [SL_WMSG_UNTAP] = on_untap,
        [SL_WMSG_EP_DATA] = on_ep_data,
        [SL_WMSG_EP_PLAY] = on_ep_play,
        [SL_WMSG_EP_CONSUMED] = on_ep_consumed,
        [SL_WMSG_PC_INFO] = on_pc_info,
        [SL_WMSG_PC_CAPTURE] = on_pc_capture,
        [SL_WMSG_SLOWLINK] = on_slowlink,
        [SL_WMSG_NO_MEDIA] = on_no_media,
        [SL_WMSG_STOP] = on_stop,
        [SL_WMSG_ICE_STATE] = on_ice_state,
        [SL_WMSG_ICE_PATH] = on_ice_path,
        [SL_WMSG_ICE_CHECKED] = on_ice_checked,
        [SL_WMSG_ICE_DATA] = on_ice_data,
        [SL_WMSG_SCTP_OUT] = on_sctp_out,
        [SL_WMSG_MIRROR_OPEN] = sl_worker_mirror_open,
        [SL_WMSG_WANT] = on_want,
        [SL_WMSG_MIRROR_CLOSE] = sl_worker_mirror_close,
        [SL_WMSG_TCP] = sl_worker_tcp_take,
    };

    handlers[m->type](w, m);
    sl_wmsg_free(m);
}
