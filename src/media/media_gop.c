#include "media/media_gop.h"

#include "media/media_mirror.h"
#include "media/media_pkt.h"
#include "media/media_sink.h"

/* ---- the group ------------------------------------------------------------------------------- */

static void begin(struct sl_gop *g, const struct sl_pkt *pkt)
{
    g->on = true;
    g->epoch = pkt->epoch;
    g->first = pkt->seq;
    g->key_ts = pkt->ts;
    g->key_us = pkt->arrival_us;
    g->count = 0;
    g->bytes = 0;
}

bool sl_gop_note(struct sl_gop *g, const struct sl_pkt *pkt, size_t max_bytes)
{
    const bool is_key = pkt->payload.key && !pkt->is_opaque;

    if (g->ssrc != pkt->rtp.ssrc)
        *g = (struct sl_gop){ .ssrc = pkt->rtp.ssrc, .newest = pkt->seq };
    if (pkt->seq > g->newest)
        g->newest = pkt->seq;
    if (pkt->arrival_us > g->last_us)
        g->last_us = pkt->arrival_us;
    if (g->epoch != pkt->epoch)
        g->on = false; /* something is missing on purpose */
    /* Several packets of a key frame may say so (parameter sets), and come in any order. */
    if (is_key && (!g->on || (int64_t)(pkt->ts - g->key_ts) > 0) && pkt->seq == g->newest)
        begin(g, pkt);
    else if (is_key && g->on && pkt->ts == g->key_ts && pkt->seq < g->first)
        g->first = pkt->seq;
    if (!g->on || pkt->seq < g->first)
        return false;
    g->count++;
    g->bytes += pkt->len;
    g->on = g->bytes <= max_bytes && g->newest - g->first < SL_GOP_PKTS;
    return g->on;
}

bool sl_gop_is_whole(const struct sl_gop *g, uint64_t max_us, uint64_t now_us)
{
    return g->on && g->count == g->newest - g->first + 1 &&
           (now_us <= g->key_us || now_us - g->key_us <= max_us);
}

/* ---- its replay ------------------------------------------------------------------------------ */

void sl_replay_stop(struct sl_sink *s)
{
    s->replay.on = false;
    sl_list_del(&s->replay.node);
}

bool sl_replay_holds(const struct sl_replay *r, const struct sl_pkt *pkt)
{
    return r->on && pkt->rtp.ssrc == r->ssrc && pkt->layer == r->layer && pkt->seq >= r->next;
}

static bool begin_layer(struct sl_sink *s, int layer, uint64_t max_us) SL_ON_WORKER
{
    const struct sl_gop *g = &s->mirror->gop[layer];
    struct sl_mctx *c = s->ctx;
    struct sl_replay *r = &s->replay;

    if (!sl_gop_is_whole(g, max_us, c->now_us))
        return false;
    sl_steps_need(c, &c->replays, &r->node);
    r->on = true;
    r->layer = (uint8_t)layer;
    r->ssrc = g->ssrc;
    r->next = g->first;
    r->whole = g->newest;
    return true;
}

bool sl_replay_begin(struct sl_sink *s, int layer)
{
    const struct sl_layers *l = &s->layers;
    const bool has_picture = l->mode == SL_LAYERS_SVC ? l->cur_sid >= 0 : l->cur_sub >= 0;
    uint64_t max_us = s->ctx->gop_us;

    if (s->replay.on)
        return s->replay.layer == layer;
    if (!max_us || !l->video || layer < 0 || layer >= SL_LAYERS_MAX)
        return false;
    if (has_picture) /* of this source nothing is to come twice */
        return l->mode == SL_LAYERS_SIMULCAST &&
               begin_layer(s, layer, max_us < SL_REPLAY_SWITCH_US ? max_us : SL_REPLAY_SWITCH_US);
    if (begin_layer(s, layer, max_us))
        return true;
    for (int i = layer - 1; l->mode == SL_LAYERS_SIMULCAST && i >= 0; i--)
        if (begin_layer(s, i, max_us))
            break;
    return false;
}

/* The group is not what it was said to be: the sink needs a key frame. */
static void give_up(struct sl_sink *s) SL_ON_WORKER
{
    s->mirror->gop[s->replay.layer].on = false;
    sl_sink_resume(s);
}

static void run(struct sl_sink *s) SL_ON_WORKER
{
    struct sl_replay *r = &s->replay;
    const struct sl_gop *g = &s->mirror->gop[r->layer];
    uint64_t n = g->newest >= r->next ? (g->newest - r->next) / SL_REPLAY_SHARE : 0;

    n = n < SL_REPLAY_MIN ? SL_REPLAY_MIN : n;
    for (uint64_t done = 0; r->on; done++) {
        struct sl_pkt *pkt;

        if (g->ssrc != r->ssrc || r->next > g->newest) {
            sl_replay_stop(s); /* from here on live packets go on */
            return;
        }
        pkt = sl_mirror_find(s->mirror, r->layer, r->ssrc, r->next);
        if (!pkt && r->next <= r->whole) {
            give_up(s);
            return;
        }
        /* The first picture is what is waited for. */
        if (done >= n && (!pkt || pkt->ts != g->key_ts || done >= SL_REPLAY_KEY))
            return;
        r->next++;
        if (!pkt)
            continue; /* it may come late, and then goes the way of live ones */
        sl_sink_replay(s, pkt);
        if (r->on && s->cur_ssrc != r->ssrc) { /* another layer was faster */
            sl_replay_stop(s);
            sl_mirror_keyframe(s->mirror, r->layer);
        }
    }
}

void sl_replays_run(struct sl_mctx *ctx)
{
    struct sl_list *n, *next;

    for (n = ctx->replays.next; n != &ctx->replays; n = next) {
        struct sl_sink *s = sl_container(n, struct sl_sink, replay.node);

        next = n->next;
        if (s->tx->hold.n >= SL_REPLAY_MIN)
            continue;
        run(s);
        sl_sink_flush(s);
    }
}
