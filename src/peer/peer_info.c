/* What administrators see of a peer: a copy of its state, and its packets in clear text. */
#include "peer/peer_info.h"

#include "peer/peer_private.h"

#include <stdlib.h>

static uint32_t rtx_of(const struct sl_peer *p, const struct sl_media_stats *s)
{
    for (size_t i = 0; i < p->nrx; i++)
        if (p->rx[i].is_rtx && p->rx[i].mindex == s->mindex && p->rx[i].layer == s->layer)
            return p->rx[i].ssrc;
    return 0;
}

static struct sl_addr local_of(const struct sl_ice_path *path)
{
    if (path->local_type && sl_addr_family(&path->local_candidate))
        return path->local_candidate;
    return path->udp ? path->udp->local : path->local;
}

struct sl_peer_info *sl_peer_info_get(struct sl_peer *p)
{
    size_t n = sl_endpoint_stats(&p->ep, NULL, 0);
    struct sl_peer_info *info = calloc(1, sizeof(*info) + n * sizeof(info->stats[0]));

    if (!info)
        return NULL;
    info->ice_state = p->ice_state;
    info->path = p->path.kind;
    info->local = local_of(&p->path);
    info->remote = p->path.remote;
    info->local_type = p->path.local_type;
    info->remote_type = p->path.remote_type;
    info->connected_us = p->connected_us;
    info->is_dtls_server = p->dtls_server;
    info->dtls_state = p->dtls ? sl_dtls_state(p->dtls) : SL_DTLS_NEW;
    info->profile = p->profile;
    info->dtls_us = p->dtls_us;
    info->up_us = p->up_us;
    info->retransmissions = p->retransmissions;
    info->dtls_in = p->dtls_in;
    info->dtls_out = p->dtls_out;
    info->twcc = p->twcc != NULL;
    info->way = p->tx.path;
    info->held = p->tx.hold.n;
    info->held_bytes = p->tx.hold.bytes;
    info->is_captured = p->capture != NULL;
    if (p->capture)
        info->captured = sl_pcap_counts(p->capture);
    info->nstats = sl_endpoint_stats(&p->ep, info->stats, n);
    for (size_t i = 0; i < n; i++)
        info->stats[i].rtx_ssrc = rtx_of(p, &info->stats[i]);
    return info;
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
