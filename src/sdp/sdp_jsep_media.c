#include "sdp/sdp_jsep_priv.h"
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX_ABSENT 65536 /* RFC 8841 section 6.1 */

static void media_codec(const struct jsep_line *l, struct sl_media_line *m)
{
    m->codec = l->codec.codec;
    m->pt = l->codec.codec == SL_CODEC_NONE ? SL_PT_NONE : l->codec.pt;
    m->rtx_pt = l->rtx_pt;
    m->red_pt = l->red_pt;
    m->clock_rate = sl_sdp_codec_get(l->codec.codec)->clock;
    m->channels = l->kind == SL_KIND_AUDIO && !l->channels ? 1 : l->channels;
    m->nack = l->nack;
    m->pli = l->pli;
    m->fir = l->fir;
    m->remb = l->remb;
    m->twcc = l->twcc;
    m->ccfb = l->ccfb;
    memcpy(m->ext, l->ext_id, sizeof(m->ext));
    m->ext_mixed = l->ext_mixed;
    m->tx_ssrc = l->ssrc;
    m->tx_rtx_ssrc = l->rtx_pt != SL_PT_NONE ? l->rtx_ssrc : 0;
}

static void media_layers(const struct jsep_line *l, struct sl_media_line *m)
{
    m->nlayers = l->nlayers;
    memcpy(m->rid, l->rid, sizeof(m->rid));
    memcpy(m->ssrc, l->layer_ssrc, sizeof(m->ssrc));
    memcpy(m->rtx_ssrc, l->layer_rtx, sizeof(m->rtx_ssrc));
    m->npairs = l->npairs;
    for (size_t i = 0; i < l->npairs; i++) {
        m->pair[i].ssrc = l->pair_ssrc[i];
        m->pair[i].rtx_ssrc = l->pair_rtx[i];
    }
}

static void media_sctp(const struct sl_sdp_section *s, struct sl_media_line *m)
{
    uint64_t port = 5000;

    if (s->has_sctp_port)
        port = s->sctp_port;
    else if (s->sctpmap) /* the older form: "5000 webrtc-datachannel 1024" */
        port = strtoul(s->sctpmap, NULL, 10);
    m->sctp_port = (uint16_t)(port <= 65535 ? port : 0);
    m->sctp_message_max = s->has_max_message ? s->max_message : MESSAGE_MAX_ABSENT;
}

struct sl_media *sl_jsep_media(const struct sl_jsep *j)
{
    const struct jsep_round *r = j->cur;
    struct sl_media *media;

    if (!r)
        return NULL;
    media = calloc(1, sizeof(*media) + r->n * sizeof(media->line[0]));
    if (!media)
        return NULL;
    media->n = r->n;
    for (size_t i = 0; i < r->n; i++) {
        const struct jsep_line *l = &r->lines[i];
        struct sl_media_line *m = &media->line[i];

        m->mindex = (uint16_t)i;
        memcpy(m->mid, l->mid, sizeof(m->mid));
        m->kind = l->kind;
        m->dir = l->refused ? SL_DIR_INACTIVE : l->dir;
        m->pt = m->rtx_pt = m->red_pt = SL_PT_NONE;
        if (l->refused)
            continue;
        if (l->kind == SL_KIND_DATA) {
            media_sctp(l->remote, m);
            continue;
        }
        media_codec(l, m);
        if (l->dir & SL_DIR_RECV)
            media_layers(l, m);
    }
    return media;
}
