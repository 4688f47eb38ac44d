/* A peer's m-lines: tracks and sinks, as offer and answer agreed. */
#include "peer/peer_private.h"

#include <errno.h>
#include <stdlib.h>

static int set_track(struct sl_peer *p, struct sl_line *l,
                     const struct sl_media_line *m) SL_ON_WORKER
{
    int err = 0;

    if (l->track)
        sl_track_configure(l->track, m);
    else if ((m->dir & SL_DIR_RECV) && m->clock_rate)
        err = sl_track_create(p->env->ctx, p->ep.id, m, sl_peer_ask_key, p, &l->track);
    if (err == 0 && l->track) {
        l->track->remote = l->remote;
        sl_line_tell_track(l);
    }
    return err;
}

/* A recycled m-line has another SSRC: its sink begins anew; the old SSRC is never used again. */
static int set_sink(struct sl_peer *p, struct sl_line *l,
                    const struct sl_media_line *m) SL_ON_WORKER
{
    if (l->sink && m->tx_ssrc && m->tx_ssrc != l->sink->ssrc) {
        if (p->srtp) { /* and should chance give it to another sink, nothing goes out */
            sl_srtp_forget(p->srtp, l->sink->ssrc);
            if (l->sink->rtx_ssrc)
                sl_srtp_forget(p->srtp, l->sink->rtx_ssrc);
        }
        sl_endpoint_drop_sink(&p->ep, m->mindex);
    }
    if (l->sink)
        sl_sink_configure(l->sink, m);
    else if ((m->dir & SL_DIR_SEND) && m->clock_rate)
        return sl_sink_create(p->env->ctx, &p->tx, p->ep.id, m, &l->sink);
    return 0;
}

/* Reports about what it sends: transport-cc where it can be. */
static void set_feedback(struct sl_peer *p)
{
    for (size_t i = 0; i < p->media->n; i++) {
        const struct sl_media_line *m = &p->media->line[i];

        if (!p->twcc && m->twcc && m->ext[SL_EXT_TWCC] && (m->dir & SL_DIR_RECV)) {
            p->twcc = calloc(1, sizeof(*p->twcc));
            if (p->twcc)
                sl_twcc_rx_init(p->twcc, p->env->twcc_period_us);
        }
        if (!p->ccfb && m->ccfb && (m->dir & SL_DIR_RECV)) {
            p->ccfb = calloc(1, sizeof(*p->ccfb));
            if (p->ccfb)
                sl_ccfb_rx_init(p->ccfb, p->env->twcc_period_us);
        }
    }
}

int sl_peer_set_media(struct sl_endpoint *e, struct sl_media *media)
{
    static const uint8_t no_ids[SL_EXT_MAX];
    struct sl_peer *p = sl_container(e, struct sl_peer, ep);
    int err = sl_endpoint_grow(&p->ep, media->n);

    sl_ext_map_init(&p->extmap, no_ids);
    for (size_t i = 0; err == 0 && i < media->n; i++) {
        struct sl_media_line m = media->line[i];

        if (m.kind == SL_KIND_DATA)
            m.dir = SL_DIR_INACTIVE; /* it may have been another kind before */
        else
            sl_ext_map_add(&p->extmap, m.ext);
        err = set_track(p, &p->ep.lines[i], &m);
        if (err == 0)
            err = set_sink(p, &p->ep.lines[i], &m);
    }
    if (err < 0) {
        sl_peer_down(p, "Out of resources"); /* half of the lines are of the new description */
        return err;
    }
    free(p->media);
    p->media = media;
    sl_peer_rx_reset(p);
    set_feedback(p);
    if (sl_peer_bwe_configure(p) < 0)
        sl_peer_down(p, "Out of resources");
    return 0;
}

bool sl_peer_has_rtp(const struct sl_peer *p)
{
    for (size_t i = 0; i < p->media->n; i++)
        if (p->media->line[i].kind != SL_KIND_DATA && p->media->line[i].dir != SL_DIR_INACTIVE)
            return true;
    return false;
}

void sl_peer_media_up(struct sl_peer *p)
{
    for (size_t i = 0; i < p->ep.nlines; i++)
        if (p->ep.lines[i].sink)
            sl_sink_resume(p->ep.lines[i].sink);
}

void sl_peer_media_fini(struct sl_peer *p)
{
    sl_endpoint_fini(&p->ep);
    free(p->media);
    free(p->rx);
    free(p->twcc);
    free(p->ccfb);
    sl_peer_bwe_fini(p);
    sl_peer_repair_fini(p);
}
