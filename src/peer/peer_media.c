/* A peer's m-lines: tracks and sinks, as offer and answer agreed. */
#include "peer/peer_private.h"

#include <errno.h>
#include <stdlib.h>

uint16_t sl_peer_nlines(const struct sl_peer *p)
{
    return (uint16_t)p->nlines;
}

struct sl_track *sl_peer_track(struct sl_peer *p, uint16_t mindex)
{
    return mindex < p->nlines ? p->lines[mindex].track : NULL;
}

struct sl_sink *sl_peer_sink(struct sl_peer *p, uint16_t mindex)
{
    return mindex < p->nlines ? p->lines[mindex].sink : NULL;
}

static int grow_lines(struct sl_peer *p, size_t n)
{
    struct sl_peer_line *lines;

    if (n <= p->nlines)
        return 0;
    lines = realloc(p->lines, n * sizeof(*lines));
    if (!lines)
        return -ENOMEM;
    for (size_t i = p->nlines; i < n; i++)
        lines[i] = (struct sl_peer_line){ 0 };
    p->lines = lines;
    p->nlines = n;
    return 0;
}

static int set_track(struct sl_peer *p, struct sl_peer_line *l,
                     const struct sl_media_line *m) SL_ON_WORKER
{
    if (l->track)
        sl_track_configure(l->track, m);
    else if (m->dir & SL_DIR_RECV)
        return sl_track_create(p->env->ctx, p->id, m, sl_peer_ask_key, p, &l->track);
    return 0;
}

/* A recycled m-line has another SSRC: its sink begins anew; the old SSRC is never used again. */
static int set_sink(struct sl_peer *p, struct sl_peer_line *l,
                    const struct sl_media_line *m) SL_ON_WORKER
{
    if (l->sink && m->tx_ssrc && m->tx_ssrc != l->sink->ssrc) {
        p->env->cb.sink_gone(p->env->arg, l->sink);
        sl_sink_destroy(l->sink);
        l->sink = NULL;
    }
    if (l->sink)
        sl_sink_configure(l->sink, m);
    else if (m->dir & SL_DIR_SEND)
        return sl_sink_create(p->env->ctx, &p->tx, p->id, m, &l->sink);
    return 0;
}

static void set_twcc(struct sl_peer *p)
{
    for (size_t i = 0; i < p->media->n; i++) {
        const struct sl_media_line *m = &p->media->line[i];

        if (!p->twcc && m->twcc && m->ext[SL_EXT_TWCC] && (m->dir & SL_DIR_RECV)) {
            p->twcc = calloc(1, sizeof(*p->twcc));
            if (p->twcc)
                sl_twcc_rx_init(p->twcc, p->env->twcc_period_us);
        }
    }
}

int sl_peer_set_media(struct sl_peer *p, struct sl_media *media)
{
    static const uint8_t no_ids[SL_EXT_MAX];
    int err = grow_lines(p, media->n);

    sl_ext_map_init(&p->extmap, no_ids);
    for (size_t i = 0; err == 0 && i < media->n; i++) {
        const struct sl_media_line *m = &media->line[i];

        if (m->kind == SL_KIND_DATA)
            continue;
        sl_ext_map_add(&p->extmap, m->ext);
        err = set_track(p, &p->lines[i], m);
        if (err == 0)
            err = set_sink(p, &p->lines[i], m);
    }
    if (err < 0)
        return err;
    free(p->media);
    p->media = media;
    sl_peer_rx_reset(p);
    set_twcc(p);
    return 0;
}

void sl_peer_media_up(struct sl_peer *p)
{
    for (size_t i = 0; i < p->nlines; i++)
        if (p->lines[i].sink)
            sl_sink_resume(p->lines[i].sink);
}

void sl_peer_media_fini(struct sl_peer *p)
{
    for (size_t i = 0; i < p->nlines; i++) {
        sl_track_destroy(p->lines[i].track);
        sl_sink_destroy(p->lines[i].sink);
    }
    free(p->lines);
    free(p->media);
    free(p->twcc);
}
