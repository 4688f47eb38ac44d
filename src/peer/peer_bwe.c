/* What the path to the peer carries, and which layers it gets of that. */
#include "peer/peer_private.h"

#include "bwe/bwe_ccfb.h"

#include <errno.h>
#include <stdlib.h>

#define ALLOC_US     UINT64_C(200000) /* without reports; with them, after each */
#define ALLOC_MIN_US UINT64_C(40000)

struct sl_peer_bwe {
    struct sl_bwe bwe;
    bool numbered;            /* reports say what arrived, and when */
    struct sl_bwe_ccfb *ccfb; /* RFC 8888; NULL: packets carry their numbers (transport-cc) */
    struct sl_sink **sink;
    struct sl_alloc_video **video;
    size_t cap;
    uint64_t alloc_us;
};

/* One for all lines, kept for life: a number is never given twice. */
int sl_peer_bwe_configure(struct sl_peer *p)
{
    bool numbered = false, ccfb = false, remb = false;
    struct sl_peer_bwe *b = p->bwe;

    for (size_t i = 0; i < p->media->n; i++) {
        const struct sl_media_line *m = &p->media->line[i];

        if (m->kind == SL_KIND_DATA || !(m->dir & SL_DIR_SEND))
            continue;
        ccfb |= m->ccfb;
        numbered |= m->ccfb || (m->twcc && m->ext[SL_EXT_TWCC]);
        remb |= m->remb;
    }
    if (!p->env->estimates || (!b && !numbered && !remb))
        return 0;
    if (!b) {
        b = calloc(1, sizeof(*b));
        if (!b)
            return -ENOMEM;
        sl_bwe_init(&b->bwe, SL_BWE_START);
        p->bwe = b;
    }
    b->numbered |= numbered;
    if (ccfb && !b->ccfb) {
        b->ccfb = calloc(1, sizeof(*b->ccfb));
        if (!b->ccfb)
            return -ENOMEM;
    }
    if (p->ep.nlines > b->cap) {
        struct sl_sink **sink = realloc(b->sink, p->ep.nlines * sizeof(struct sl_sink *));
        struct sl_alloc_video **video;

        if (!sink)
            return -ENOMEM;
        b->sink = sink;
        video = realloc(b->video, p->ep.nlines * sizeof(struct sl_alloc_video *));
        if (!video)
            return -ENOMEM;
        b->video = video;
        b->cap = p->ep.nlines;
    }
    return 0;
}

void sl_peer_bwe_fini(struct sl_peer *p)
{
    if (!p->bwe)
        return;
    sl_bwe_fini(&p->bwe->bwe);
    free(p->bwe->ccfb);
    free(p->bwe->sink);
    free(p->bwe->video);
    free(p->bwe);
}

void sl_peer_bwe_sent(struct sl_peer *p, const struct sl_slot *slot)
{
    uint16_t number = slot->twcc;

    if (!p->bwe || slot->is_rtcp)
        return;
    if (!slot->twcc_off && !p->bwe->ccfb) {
        if (!p->bwe->numbered)
            sl_bwe_note_sent(&p->bwe->bwe, slot->len, p->env->ctx->now_us);
        return;
    }
    if (!slot->twcc_off) {
        number = p->tx.twcc_seq++;
        sl_bwe_ccfb_on_sent(p->bwe->ccfb, sl_get32(slot->data + 8), sl_get16(slot->data + 2),
                            number);
    }
    sl_bwe_on_sent(&p->bwe->bwe, number, slot->len, p->env->ctx->now_us);
}

static void tell_path(struct sl_peer *p, double used) SL_ON_WORKER
{
    const struct sl_bwe *b = &p->bwe->bwe;

    p->tx.path.estimate_bps = (uint32_t)sl_bwe_estimate(b);
    p->tx.path.target_bps = (uint32_t)sl_bwe_target(b);
    p->tx.path.queue_ms = b->queue_us > 0 ? (uint32_t)(b->queue_us / 1000) : 0;
    p->tx.path.free_bps = sl_bwe_target(b) - used;
    p->tx.path.why = sl_bwe_reason_to_str(b->reason);
}

/* Audio comes first and is not chosen from. Where reports are about numbered packets only (the
 * audio of Firefox has no numbers) the estimate is what is left beside the others. */
static void allocate(struct sl_peer *p) SL_ON_WORKER
{
    struct sl_peer_bwe *b = p->bwe;
    const bool by_number = b->numbered && !b->ccfb;
    uint64_t now_us = p->env->ctx->now_us;
    double audio = 0, used;
    size_t n = 0;

    b->alloc_us = now_us;
    for (size_t i = 0; i < p->ep.nlines && n < b->cap; i++) {
        struct sl_sink *s = p->ep.lines[i].sink;

        if (s && sl_sink_bid(s)) {
            b->video[n] = &s->alloc;
            b->sink[n++] = s;
        } else if (s) {
            audio += sl_sink_cost(s, by_number);
        }
    }
    sl_bwe_want(&b->bwe, sl_alloc_wanted(b->video, n) * SL_ALLOC_MARGIN + audio);
    if (!sl_bwe_is_known(&b->bwe))
        return;
    /* Who tells by REMB only has nothing to tell when nothing comes: none pauses. */
    used = sl_alloc_run(b->video, n, (b->numbered ? sl_bwe_estimate(&b->bwe) : SL_BWE_MAX) - audio,
                        sl_bwe_target(&b->bwe) - audio, now_us);
    for (size_t i = 0; i < n; i++)
        sl_sink_grant(b->sink[i]);
    tell_path(p, used + audio);
}

int sl_peer_bwe_on_report(struct sl_peer *p, const struct sl_rtcp_pkt *pkt)
{
    bool ccfb = pkt->fmt == SL_RTPFB_CCFB;
    int err;

    if (!p->bwe || !p->bwe->numbered || (ccfb && !p->bwe->ccfb))
        return 0;
    err = ccfb ? sl_bwe_on_ccfb(&p->bwe->bwe, p->bwe->ccfb, pkt, p->env->ctx->now_us)
               : sl_bwe_on_twcc(&p->bwe->bwe, pkt, p->env->ctx->now_us);
    p->tx.hold.pace.bps = sl_bwe_pace_bps(&p->bwe->bwe);
    if (err == 0 && !ccfb)
        sl_peer_repair_on_twcc(p, pkt, p->bwe->bwe.loss.recent);
    if (err == 0 && p->env->ctx->now_us >= p->bwe->alloc_us + ALLOC_MIN_US)
        allocate(p);
    return err;
}

void sl_peer_bwe_on_remb(struct sl_peer *p, uint64_t bps)
{
    if (p->bwe)
        sl_bwe_on_remb(&p->bwe->bwe, bps, p->env->ctx->now_us);
}

void sl_peer_bwe_new_way(struct sl_peer *p)
{
    if (p->bwe)
        sl_bwe_new_way(&p->bwe->bwe);
}

/* When a probe is on or due: what waits, then padding; how soon to look again. */
static void probe(struct sl_peer *p) SL_ON_WORKER
{
    struct sl_bwe *b = &p->bwe->bwe;
    size_t bytes, done = 0;

    bytes = sl_bwe_probe_bytes(b, p->env->ctx->now_us);
    if (bytes)
        done = sl_peer_tx_hurry(p, bytes);
    for (size_t i = 0; i < p->ep.nlines && done < bytes; i++)
        if (p->ep.lines[i].sink)
            done += sl_sink_pad(p->ep.lines[i].sink, bytes - done);
    if (sl_bwe_is_probing(b))
        sl_peer_rtcp_need(p, p->env->ctx->now_us + SL_PEER_FAST_US);
}

void sl_peer_bwe_tick(struct sl_peer *p)
{
    struct sl_peer_bwe *b = p->bwe;
    uint64_t now_us = p->env->ctx->now_us;

    if (!b || !p->tx.open)
        return;
    if (b->numbered)
        sl_bwe_tick(&b->bwe, now_us);
    p->tx.hold.pace.bps = sl_bwe_pace_bps(&b->bwe);
    if (now_us >= b->alloc_us + ALLOC_US)
        allocate(p);
    if (b->numbered)
        probe(p);
}
