/* What administrators see of a peer: a copy of its state, and its packets in clear text. */
#include "peer/peer_info.h"

#include "peer/peer_private.h"

#include <stdlib.h>
#include <string.h>

static uint32_t rtx_of(const struct sl_peer *p, size_t mindex, int layer)
{
    for (size_t i = 0; i < p->nrx; i++)
        if (p->rx[i].is_rtx && p->rx[i].mindex == mindex && p->rx[i].layer == layer)
            return p->rx[i].ssrc;
    return 0;
}

static void line_info(const struct sl_peer *p, size_t mindex, struct sl_peer_line_info *out)
{
    const struct sl_line *l = &p->ep.lines[mindex];

    out->nlayers = l->track ? l->track->nlayers : 1;
    for (int k = 0; l->track && k < out->nlayers; k++) {
        out->source[k].ssrc = l->track->source[k].ssrc;
        out->source[k].rtx_ssrc = rtx_of(p, mindex, k);
        out->source[k].bytes_second = l->track->source[k].bytes_second;
    }
    if (l->sink) {
        out->sent_second = l->sink->bytes_second;
        out->resent = l->sink->resent;
    }
}

/* False: out of memory. */
static bool counts(const struct sl_peer *p, struct sl_peer_info *info) SL_ON_WORKER
{
    size_t n = sl_endpoint_stats(&p->ep, NULL, 0);
    struct sl_media_stats *list = calloc(n + 1, sizeof(*list));

    if (!list)
        return false;
    (void)sl_endpoint_stats(&p->ep, list, n);
    for (size_t i = 0; i < n; i++)
        info->line[list[i].mindex].source[list[i].layer].count = list[i];
    free(list);
    return true;
}

static enum sl_srtp_profile profile_of(struct sl_peer *p) SL_ON_WORKER
{
    enum sl_srtp_profile profile = SL_SRTP_NONE;
    struct sl_srtp_keys keys;

    if (p->srtp && sl_dtls_keys(p->dtls, &keys) == 0)
        profile = keys.profile;
    explicit_bzero(&keys, sizeof(keys));
    return profile;
}

static struct sl_addr local_of(const struct sl_ice_path *path)
{
    if (path->local_type && sl_addr_family(&path->local_candidate))
        return path->local_candidate;
    return path->udp ? path->udp->local : path->local;
}

struct sl_peer_info *sl_peer_info_get(struct sl_peer *p)
{
    struct sl_peer_info *info = calloc(1, sizeof(*info) + p->ep.nlines * sizeof(info->line[0]));

    if (!info)
        return NULL;
    info->ice_state = p->ice_state;
    info->path = p->path.kind;
    info->local = local_of(&p->path);
    info->remote = p->path.remote;
    info->local_type = p->path.local_type;
    info->remote_type = p->path.remote_type;
    info->connected_us = p->connected_us;
    info->has_dtls = p->dtls != NULL;
    info->is_dtls_server = p->dtls_server;
    info->dtls_state = p->dtls ? sl_dtls_state(p->dtls) : SL_DTLS_NEW;
    info->profile = profile_of(p);
    info->dtls_us = p->dtls_us;
    info->up_us = p->up_us;
    info->retransmissions = p->retransmissions;
    info->twcc = p->twcc != NULL;
    info->is_captured = p->capture != NULL;
    if (p->capture)
        info->captured = sl_pcap_counts(p->capture);
    info->nlines = p->ep.nlines;
    for (size_t i = 0; i < p->ep.nlines; i++)
        line_info(p, i, &info->line[i]);
    if (counts(p, info))
        return info;
    free(info);
    return NULL;
}

void sl_peer_set_capture(struct sl_peer *p, struct sl_pcap *pcap)
{
    sl_pcap_close(p->capture);
    p->capture = pcap;
}

void sl_peer_captured(struct sl_peer *p, bool is_in, const uint8_t *data, size_t len)
{
    const struct sl_pcap_packet pkt = { .is_in = is_in,
                                        .local = local_of(&p->path),
                                        .remote = p->path.remote,
                                        .data = data,
                                        .len = len };

    sl_pcap_put(p->capture, &pkt);
}
