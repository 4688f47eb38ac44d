/*
 * peer.h - the worker half of a peer connection: ICE path, DTLS, SRTP, and its m-lines as tracks
 * (what it sends to us) and sinks (what we send to it).
 *
 * Thread: worker.  Owner: the worker, by sl_id; it stays there for life.
 *
 * Hostile until proven: DTLS, SRTP and SRTCP are taken only from an address that passed an
 * authenticated check (the worker looks that up before it calls sl_peer_input); SRTP contexts exist
 * only after the fingerprint matched; the number of SSRCs is bounded.
 */
#ifndef SL_PEER_H
#define SL_PEER_H

#include "base/list.h"
#include "base/role.h"
#include "base/timer.h"
#include "dtls/dtls.h"
#include "ice/ice.h"
#include "media/media_endpoint.h"
#include "net/net_udp.h"
#include "sdp/sdp_media.h"

struct sl_ice_lite;
struct sl_nice;
struct sl_pcap;
struct sl_peer;
struct sl_sctp;

/* News of the transport, for those who watch. */
enum sl_link_what { SL_LINK_ICE, SL_LINK_PAIR, SL_LINK_DTLS };
struct sl_link {
    enum sl_link_what what;
    enum sl_ice_state ice;
    struct {
        struct sl_addr local, remote; /* without family: not known */
        const char *local_type, *remote_type;
        bool tcp;
    } pair;
    enum sl_dtls_state dtls; /* HANDSHAKE, CONNECTED or FAILED */
    unsigned int retransmissions;
};

struct sl_peer_cb {
    /* None may destroy the peer inside; the owner marks it and does so later. */
    void (*up)(void *arg, sl_id pc);
    void (*down)(void *arg, sl_id pc, const char *reason); /* once; @reason is a literal */
    void (*ice_failed)(void *arg, sl_id pc);
    void (*link)(void *arg, sl_id pc, const struct sl_link *l); /* may be NULL */
};

/* What all peers of a worker share. */
struct sl_peer_env {
    struct sl_mctx *ctx;
    struct sl_wheel *wheel;
    struct sl_ice_lite *lite;
    struct sl_nice *nice; /* NULL: lite only */
    struct sl_sctp *sctp; /* NULL: no data channels */
    struct sl_txq *txq;
    const struct sl_cert *cert;
    size_t mtu;                /* bytes of UDP payload */
    uint64_t twcc_period_us;   /* between transport-cc reports */
    bool estimates;            /* what the paths to peers carry, and layers to fit */
    size_t max_ssrcs;          /* incoming, of one peer; 0: SL_PEER_SSRCS_MAX */
    uint64_t grace_us;         /* kept after loss of consent */
    struct sl_list handshakes; /* peers that wait for sl_peer_env_handshakes */
    /* Full ICE: reads our sockets beside libnice's. 0 or -errno; unwatch before the socket is
     * closed. */
    int (*watch)(void *arg, struct sl_watch *w);
    void (*unwatch)(void *arg, struct sl_watch *w);
    struct sl_list tcp_dirty;          /* connections (sl_tcp_send) to be flushed */
    uint32_t paths[SL_ICE_PATH_KINDS]; /* peers by the kind of path that they have */
    struct sl_peer_cb cb;
    void *arg;
};

/* Goes on with the DTLS handshakes for which something came. One costs as much as hundreds of
 * packets (0.3 ms), so they wait until the media of a turn is out, and take @budget_us of it at
 * most, and one step. True: some wait for the next turn. */
bool sl_peer_env_handshakes(struct sl_peer_env *env, uint64_t budget_us) SL_ON_WORKER;

/* Copies one datagram into a slot and queues it on @path at once (DTLS, STUN answers). */
void sl_peer_env_send(struct sl_peer_env *env, sl_id pc, const struct sl_ice_path *path,
                      const uint8_t *data, size_t len) SL_ON_WORKER;

/* @local: credentials of an ICE-lite agent; NULL: ICE is the ICE thread's. 0 or -ENOMEM.
 * It ends by ops->destroy of its endpoint, which sends close_notify when DTLS is up; lines that
 * ops->set_media gives it keep their tracks and sinks by index. */
int sl_peer_create(struct sl_peer_env *env, sl_id id, const struct sl_ice_creds *local,
                   struct sl_peer **out) SL_ON_WORKER;
struct sl_endpoint *sl_peer_endpoint(struct sl_peer *p);
/* NULL: an endpoint of another kind, or NULL itself. */
struct sl_peer *sl_peer_of(struct sl_endpoint *e);

/* What the remote description says about the transport. The first call starts the clock of ICE
 * (15 s) and DTLS (20 s); later ones (restart) change the ufrag only. */
int sl_peer_set_remote(struct sl_peer *p, const char *ufrag, const struct sl_fingerprint *fp,
                       bool dtls_server) SL_ON_WORKER;
int sl_peer_restart(struct sl_peer *p, const struct sl_ice_creds *local) SL_ON_WORKER;
/* One DTLS, SRTP or SRTCP datagram from a checked address; @data may be written to. */
void sl_peer_input(struct sl_peer *p, uint8_t *data, size_t len) SL_ON_WORKER;

/* One SCTP packet to the peer; dropped unless DTLS is up (SCTP sends it again). */
void sl_peer_sctp_out(struct sl_peer *p, const uint8_t *data, size_t len) SL_ON_WORKER;

/* From the ICE back end. @path: its udp is the peer's from here on. */
void sl_peer_on_ice_state(struct sl_peer *p, enum sl_ice_state state) SL_ON_WORKER;
void sl_peer_on_ice_path(struct sl_peer *p, const struct sl_ice_path *path) SL_ON_WORKER;
/* Full ICE: @remote passed a check, so that what comes from it is taken. */
void sl_peer_on_ice_checked(struct sl_peer *p, const struct sl_addr *remote) SL_ON_WORKER;

/* REMB cap for what the peer sends, bit/s; 0: none. */
void sl_peer_set_bitrate(struct sl_peer *p, uint32_t bps) SL_ON_WORKER;
/* RTP and RTCP of both directions go to @pcap in clear text, which is the peer's from here on; the
 * one before, if any, is closed. NULL: none any more. */
void sl_peer_set_capture(struct sl_peer *p, struct sl_pcap *pcap) SL_ON_WORKER;
/* A key frame of each video track at least that often, seconds; 0: off. */
void sl_peer_set_fir_interval(struct sl_peer *p, uint32_t seconds) SL_ON_WORKER;

#endif
