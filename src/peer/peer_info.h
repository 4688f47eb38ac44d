/*
 * peer_info.h - what a peer connection is and did, as its worker sees it: a copy for
 * administrators and event handlers.
 *
 * Thread: made by the worker, read by whoever got it. Owner: who asked; free with free().
 * Units:  microseconds of sl_now_us(), 0: not yet; counters from the beginning.
 */
#ifndef SL_PEER_INFO_H
#define SL_PEER_INFO_H

#include "base/role.h"
#include "dtls/dtls.h"
#include "ice/ice.h"
#include "media/media_stats.h"
#include "net/net_pcap.h"
#include <sluice/types.h>

struct sl_peer;

/* Datagrams of the handshake and of data channels. */
struct sl_dtls_count {
    uint64_t packets, bytes;
};

struct sl_peer_info {
    enum sl_ice_state ice_state;
    enum sl_ice_path_kind path;
    struct sl_addr local, remote;         /* without family: not known */
    const char *local_type, *remote_type; /* "host", ...; NULL: not known */
    uint64_t connected_us;
    bool is_dtls_server;
    enum sl_dtls_state dtls_state;
    enum sl_srtp_profile profile;
    uint64_t dtls_us, up_us;
    unsigned int retransmissions;
    struct sl_dtls_count dtls_in, dtls_out;
    bool twcc;
    struct sl_path_state way; /* what it carries to the peer */
    unsigned int held;        /* packets that wait for it (media_hold.h), */
    size_t held_bytes;        /* and bytes of them */
    bool is_captured;
    struct sl_pcap_counts captured;
    size_t nstats;
    struct sl_media_stats stats[]; /* in the order of m-lines */
};

/* NULL: out of memory. */
struct sl_peer_info *sl_peer_info_get(struct sl_peer *p) SL_ON_WORKER;

#endif
