#include "media/media_track.h"

#include "media/media_mirror.h"
#include "media/media_tap.h"

#include <errno.h>
#include <stdlib.h>

int sl_track_create(struct sl_mctx *ctx, sl_id pc, const struct sl_media_line *line,
                    void (*ask_key)(void *arg, struct sl_track *t, struct sl_source *s), void *arg,
                    struct sl_track **out)
{
    struct sl_track *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->ctx = ctx;
    t->arg = arg;
    t->ask_key = ask_key;
    t->pc = pc;
    t->mindex = line->mindex;
    t->watched = t->watched_told = SL_LAYERS_MAX - 1;
    for (int i = 0; i < SL_LAYERS_MAX; i++)
        sl_source_init(&t->source[i], line->clock_rate, line->nack);
    sl_level_init(&t->level, 0, 0);
    sl_voice_init(&t->voice);
    sl_track_configure(t, line);
    *out = t;
    return 0;
}

void sl_track_destroy(struct sl_track *t)
{
    if (!t)
        return;
    if (t->mirror)
        t->mirror->track = NULL;
    while (t->taps)
        sl_track_untap(t, t->taps->id);
    for (int i = 0; i < SL_LAYERS_MAX; i++)
        sl_dd_source_destroy(t->dd[i]);
    free(t);
}

static void tell_receiving(struct sl_track *t, int layer, bool on)
{
    t->source[layer].receiving = on;
    t->ctx->cb.receiving(t->ctx->arg, t->pc, t->mindex, t->nlayers > 1 ? layer : -1, on);
}

void sl_track_configure(struct sl_track *t, const struct sl_media_line *line)
{
    bool receives = line->dir & SL_DIR_RECV;

    if (receives) { /* a line that is off says nothing about the rest */
        if (!t->receives || t->codec != line->codec)
            t->epoch++;
        t->kind = line->kind;
        t->codec = line->codec;
        t->pt = line->pt;
        t->rtx_pt = line->rtx_pt;
        t->nlayers = line->nlayers > 1 ? line->nlayers : 1;
        t->is_e2ee = line->is_e2ee;
    }
    t->receives = receives;
    for (int i = 0; i < SL_LAYERS_MAX; i++) {
        struct sl_source *s = &t->source[i];

        if (!receives && s->receiving)
            tell_receiving(t, i, false);
        s->wants_nack = receives && line->nack;
        if (receives && s->clock_rate != line->clock_rate)
            sl_source_init(s, line->clock_rate, line->nack);
    }
}

void sl_track_join(struct sl_track *t, struct sl_mirror *m)
{
    if (t->mirror)
        t->mirror->track = NULL;
    t->mirror = m;
    if (m)
        m->track = t;
}

void sl_track_set_remote(struct sl_track *t, unsigned int worker, bool on)
{
    if (on)
        t->remote |= UINT64_C(1) << worker;
    else
        t->remote &= ~(UINT64_C(1) << worker);
}

static uint8_t top_of(const struct sl_track *t, uint8_t layer)
{
    uint8_t n = t->nspatial > t->nlayers ? t->nspatial : t->nlayers;

    return layer < n ? layer : (uint8_t)(n - 1);
}

static void tell_watched(struct sl_track *t) SL_ON_WORKER
{
    uint8_t before = top_of(t, t->watched_told);

    t->watched_told = t->watched;
    t->unwatched_us = 0;
    if (top_of(t, t->watched) != before)
        t->ctx->cb.watched(t->ctx->arg, t->pc, t->mindex, top_of(t, t->watched));
}

void sl_track_set_watched(struct sl_track *t, uint8_t layer)
{
    t->watched = layer;
    if (layer >= t->watched_told)
        tell_watched(t);
    else if (!t->unwatched_us)
        t->unwatched_us = t->ctx->now_us;
}

void sl_track_refill(struct sl_track *t, unsigned int worker)
{
    struct sl_mctx *c = t->ctx;

    for (int i = 0; t->mirror && i < t->nlayers; i++) {
        const struct sl_gop *g = &t->mirror->gop[i];

        if (!sl_gop_is_whole(g, c->gop_us, c->now_us))
            continue;
        for (uint64_t seq = g->first; seq <= g->newest; seq++) {
            struct sl_pkt *pkt = sl_mirror_find(t->mirror, (uint8_t)i, g->ssrc, seq);

            if (!pkt || !c->cb.forward(c->arg, worker, t->pc, t->mindex, pkt))
                break; /* it sees that something is missing */
        }
    }
}

static void tell_talking(struct sl_track *t, enum sl_talk change)
{
    if (change != SL_TALK_SAME)
        t->ctx->cb.talking(t->ctx->arg, t->pc, t->mindex, change == SL_TALK_BEGAN,
                           t->level.average);
}

/* Sinks begin anew: their numbering has no gap for what was not forwarded. */
static void hold(struct sl_track *t, bool held)
{
    if (t->is_held && !held)
        t->epoch++;
    t->is_held = held;
}

static void tell_voice(struct sl_track *t, const struct sl_voice_report *v)
{
    t->ctx->cb.voice(t->ctx->arg, t->pc, t->mindex, v);
}

static void hear(struct sl_track *t, uint8_t level)
{
    struct sl_voice_report v;
    bool spoke = t->voice.speaks;

    if (t->talk_on)
        tell_talking(t, sl_level_add(&t->level, level));
    if (!t->voice_on || !sl_voice_add(&t->voice, level, t->ctx->now_us, &v))
        return;
    if (v.speaks && !spoke)
        hold(t, false);
    tell_voice(t, &v);
}

void sl_track_set_voice(struct sl_track *t, enum sl_voice_mode mode)
{
    if (!t->voice_on && mode != SL_VOICE_OFF)
        sl_voice_init(&t->voice);
    t->voice_on = mode != SL_VOICE_OFF;
    hold(t, mode == SL_VOICE_HOLD);
}

/* Nobody who comes later is shown what was before, on whichever worker. */
static void forget(struct sl_track *t)
{
    uint64_t todo = t->to_forget & t->remote;

    t->to_forget = 0;
    while (todo) {
        unsigned int w = (unsigned int)__builtin_ctzll(todo);

        todo &= todo - 1;
        if (!t->ctx->cb.forward(t->ctx->arg, w, t->pc, t->mindex, NULL))
            t->to_forget |= UINT64_C(1) << w;
    }
}

void sl_track_set_gate(struct sl_track *t, bool closed)
{
    struct sl_voice_report v;

    if (t->gated == closed)
        return;
    t->gated = closed;
    if (t->mirror)
        sl_mirror_forget(t->mirror);
    t->to_forget = t->remote;
    forget(t);
    if (closed) {
        tell_talking(t, sl_level_stop(&t->level));
        if (sl_voice_stop(&t->voice, t->ctx->now_us, &v))
            tell_voice(t, &v);
    } else {
        t->epoch++;
    }
    sl_track_keyframe(t, -1);
}

void sl_track_talk_detect(struct sl_track *t, uint32_t packets, uint8_t threshold)
{
    t->talk_on = packets > 0;
    sl_level_set(&t->level, packets, threshold);
}

void sl_track_tap(struct sl_track *t, struct sl_media_tap *tap)
{
    sl_list_init(&tap->waiting);
    tap->next = t->taps;
    t->taps = tap;
}

void sl_track_untap(struct sl_track *t, uint64_t id)
{
    struct sl_media_tap **at = &t->taps, *tap;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    tap = *at;
    if (!tap)
        return;
    *at = tap->next;
    sl_media_tap_end(tap);
}

static void forward(struct sl_track *t, struct sl_pkt *pkt) SL_ON_WORKER
{
    uint64_t remote = t->remote;

    for (struct sl_media_tap *tap = t->taps; tap; tap = tap->next)
        sl_media_tap_push(tap, t->ctx, pkt);
    if (t->mirror)
        sl_mirror_push(t->mirror, pkt);
    while (remote) {
        unsigned int w = (unsigned int)__builtin_ctzll(remote);

        remote &= remote - 1;
        if (!t->ctx->cb.forward(t->ctx->arg, w, t->pc, t->mindex, pkt)) {
            t->starved |= UINT64_C(1) << w;
        } else if (t->starved & (UINT64_C(1) << w)) {
            /* It has room again, but what came between is missing there. */
            t->starved &= ~(UINT64_C(1) << w);
            sl_track_keyframe(t, -1);
        }
    }
}

void sl_track_push(struct sl_track *t, struct sl_pkt *pkt, bool is_rtx)
{
    struct sl_source *s = &t->source[pkt->layer];
    enum sl_drop why;

    pkt->codec = t->codec;
    pkt->rx_us = t->ctx->rx_us;
    if (s->ssrc != pkt->rtp.ssrc)
        sl_source_restart(s, pkt->rtp.ssrc);
    sl_dd_source_read(&t->dd[pkt->layer], pkt);
    pkt->is_opaque = t->is_e2ee && !pkt->dd.known;
    why = sl_source_push(s, pkt, is_rtx, t->ctx->now_us);
    if (pkt->payload.has_sid && !pkt->is_opaque && pkt->payload.sid >= t->nspatial)
        t->nspatial = (uint8_t)(pkt->payload.sid + 1);
    if (why == SL_DROP_NONE && !s->receiving)
        tell_receiving(t, pkt->layer, true);
    if (why == SL_DROP_NONE && t->gated)
        why = SL_DROP_GATED;
    if (why == SL_DROP_NONE && (pkt->ext.present & SL_EXT_BIT(SL_EXT_AUDIO_LEVEL)))
        hear(t, pkt->ext.level);
    if (why == SL_DROP_NONE && t->is_held)
        why = SL_DROP_GATED;
    pkt->epoch = t->epoch;
    if (why == SL_DROP_NONE)
        forward(t, pkt);
    t->ctx->drops[why]++;
    sl_pkt_unref(pkt);
}

static bool may_ask(const struct sl_source *s, uint64_t now_us)
{
    uint64_t again_us = 2 * s->key_answer_us;

    if (again_us < SL_KEY_AGAIN_MIN_US)
        again_us = SL_KEY_AGAIN_MIN_US;
    if (again_us > SL_KEY_AGAIN_MAX_US)
        again_us = SL_KEY_AGAIN_MAX_US;
    /* Nobody to ask before its first packet came. */
    return s->ssrc && (!s->key_asked_us || now_us >= s->key_asked_us + again_us) &&
           s->key_budget_us <= now_us + (SL_KEY_BURST - 1) * SL_KEY_PACE_US;
}

static void ask_or_defer(struct sl_track *t, struct sl_source *s)
{
    uint64_t now_us = t->ctx->now_us;

    if (!may_ask(s, now_us)) {
        if (!s->key_wanted_us)
            s->key_wanted_us = now_us;
        return;
    }
    s->key_wanted_us = 0;
    s->key_asked_us = now_us;
    if (!s->key_since_us)
        s->key_since_us = now_us;
    s->key_budget_us = (s->key_budget_us > now_us ? s->key_budget_us : now_us) + SL_KEY_PACE_US;
    t->ask_key(t->arg, t, s);
}

void sl_track_keyframe(struct sl_track *t, int layer)
{
    if (t->kind != SL_KIND_VIDEO || !t->receives || t->gated)
        return;
    for (int i = 0; i < t->nlayers; i++)
        if (layer < 0 || layer == i)
            ask_or_defer(t, &t->source[i]);
}

void sl_track_tick(struct sl_track *t)
{
    if (t->unwatched_us && t->ctx->now_us >= t->unwatched_us + SL_TRACK_UNWATCHED_US)
        tell_watched(t);
    struct sl_voice_report v;

    if (sl_voice_tick(&t->voice, t->ctx->now_us, &v))
        tell_voice(t, &v);
    if (t->to_forget)
        forget(t);
    for (int i = 0; i < t->nlayers; i++) {
        struct sl_source *s = &t->source[i];

        if (!s->key_wanted_us)
            continue;
        if (s->key_us >= s->key_wanted_us)
            s->key_wanted_us = 0; /* one came meanwhile and serves this wish, too */
        else
            ask_or_defer(t, s);
    }
}

void sl_track_second(struct sl_track *t)
{
    struct sl_mctx *c = t->ctx;

    for (int i = 0; i < t->nlayers; i++) {
        struct sl_source *s = &t->source[i];
        uint64_t lost = s->nack.lost - s->lost_told;

        s->lost_told = s->nack.lost;
        s->bytes_second = s->bytes - s->bytes_told;
        s->bytes_told = s->bytes;
        if (c->slowlink_threshold && lost >= c->slowlink_threshold)
            c->cb.slow_link(c->arg, t->pc, t->mindex, false, (uint32_t)lost);
        if (s->receiving && c->no_media_s &&
            c->now_us - s->last_us >= (uint64_t)c->no_media_s * 1000000)
            tell_receiving(t, i, false);
    }
}
