/*
 * peer_private.h - the inside of a peer, for src/peer/ only.
 *
 * peer.c: life, ICE and DTLS.  peer_media.c: m-lines.  peer_rx.c: RTP from the peer.
 * peer_rtcp.c: RTCP from and to it.  peer_tx.c: what is staged goes out.  peer_bwe.c: what its path
 * carries.
 */
#ifndef SL_PEER_PRIVATE_H
#define SL_PEER_PRIVATE_H

#include "bwe/bwe.h"
#include "ice/ice_lite.h"
#include "ice/ice_nice.h"
#include "media/media_pkt.h"
#include "media/media_sink.h"
#include "media/media_track.h"
#include "net/net_pcap.h"
#include "peer/peer.h"
#include "peer/peer_info.h"
#include "rtcp/rtcp.h"
#include "rtcp/rtcp_ccfb.h"
#include "rtcp/rtcp_twcc.h"
#include "srtp/srtp.h"

#define SL_PEER_SSRCS_MAX   128 /* incoming SSRCs that one peer may use at a time */
#define SL_PEER_EARLY_MAX   8   /* DTLS datagrams of a handshake that wait */
#define SL_PEER_CHECKED_MAX 8   /* full ICE: addresses that passed a check, the newest ones */

#define SL_PEER_SSRC_IDLE_US UINT64_C(5000000) /* then another may take its place */

#define SL_PEER_ICE_TIMEOUT_US  UINT64_C(15000000)
#define SL_PEER_DTLS_TIMEOUT_US UINT64_C(20000000)
#define SL_PEER_RTCP_US         UINT64_C(1000000)
#define SL_PEER_FAST_US         UINT64_C(10000)
#define SL_PEER_TICK_US         UINT64_C(50000)

/* What an incoming SSRC is. */
struct sl_rx_ssrc {
    uint32_t ssrc;
    uint16_t mindex;
    uint8_t layer;
    bool is_rtx;
    uint64_t last_us; /* newest packet */
};

struct sl_peer_bwe;
struct sl_peer_repair;

struct sl_early {
    uint8_t *data;
    size_t len;
};

struct sl_peer {
    struct sl_endpoint ep;
    struct sl_peer_env *env;

    /* ICE */
    struct sl_lite_agent *agent; /* NULL: full ICE */
    enum sl_ice_state ice_state;
    struct sl_ice_path path;
    struct sl_watch socket; /* full ICE: that of the path */
    struct sl_addr checked[SL_PEER_CHECKED_MAX];
    unsigned int nchecked; /* so far; the next place modulo SL_PEER_CHECKED_MAX */
    bool was_connected;
    uint64_t connected_us; /* when there was a path first; 0: not yet */

    /* DTLS */
    bool has_remote;
    bool dtls_server;
    struct sl_fingerprint fingerprint;
    struct sl_dtls *dtls;
    bool dtls_started;
    unsigned int retransmissions; /* of the handshake */
    struct sl_dtls_count dtls_in, dtls_out;
    uint64_t dtls_us, up_us;  /* the handshake's begin and end; 0: not yet */
    struct sl_list handshake; /* in env->handshakes, or alone */
    struct sl_early early[SL_PEER_EARLY_MAX];
    size_t nearly;
    struct sl_srtp *srtp;
    enum sl_srtp_profile profile; /* of srtp */
    bool is_up;
    bool is_down;

    /* Media */
    struct sl_media *media;
    struct sl_ext_map extmap;
    struct sl_rx_ssrc *rx; /* grows to SL_PEER_SSRCS_MAX */
    size_t nrx, rx_cap;
    size_t rx_last; /* index of the last hit */
    struct sl_tx tx;
    struct sl_pcap *capture; /* NULL: nobody wants to see its packets */

    /* RTCP */
    struct sl_twcc_rx *twcc; /* NULL: not negotiated */
    uint32_t twcc_media_ssrc;
    struct sl_ccfb_rx *ccfb;       /* RFC 8888 instead; NULL: not negotiated, or transport-cc is */
    struct sl_peer_bwe *bwe;       /* NULL: the peer reports nothing to estimate from */
    struct sl_peer_repair *repair; /* NULL: it loses little */
    uint64_t tick_us;              /* when tracks and sinks had their last tick */
    uint32_t own_ssrc;             /* of reports when nothing is sent */
    uint32_t bitrate_cap;
    unsigned int remb_step;
    uint64_t remb_at_us;
    uint64_t fir_interval_us;
    uint64_t fir_at_us;

    struct sl_timer life; /* ICE and DTLS deadlines, grace */
    struct sl_timer dtls_timer;
    struct sl_timer rtcp_timer;
    struct sl_timer fast_timer; /* layers: every 50 ms; NACK, transport-cc: when due */
};

/* peer.c */
void sl_peer_down(struct sl_peer *p, const char *reason) SL_ON_WORKER;

/* peer_media.c */
int sl_peer_set_media(struct sl_endpoint *e, struct sl_media *media) SL_ON_WORKER;
void sl_peer_media_fini(struct sl_peer *p) SL_ON_WORKER;
void sl_peer_media_up(struct sl_peer *p) SL_ON_WORKER; /* keys are there */
bool sl_peer_has_rtp(const struct sl_peer *p);         /* @p has media */

/* peer_rx.c */
void sl_peer_rx_rtp(struct sl_peer *p, const uint8_t *data, size_t len) SL_ON_WORKER;
/* What a failed sl_srtp_unprotect or sl_srtcp_unprotect is counted as. */
enum sl_drop sl_peer_why_unread(int err);
struct sl_rx_ssrc *sl_peer_rx_find(struct sl_peer *p, uint32_t ssrc) SL_ON_WORKER;
void sl_peer_rx_reset(struct sl_peer *p) SL_ON_WORKER; /* SSRCs as announced by p->media */

/* peer_rtcp.c */
void sl_peer_rx_rtcp(struct sl_peer *p, uint8_t *data, size_t len) SL_ON_WORKER;
void sl_peer_rtcp_init(struct sl_peer *p) SL_ON_WORKER;
void sl_peer_rtcp_start(struct sl_peer *p) SL_ON_WORKER; /* keys are there */
void sl_peer_send_reports(struct sl_peer *p) SL_ON_WORKER;
/* NACKs or transport-cc of @p are due then (UINT64_MAX: not at all). */
void sl_peer_rtcp_need(struct sl_peer *p, uint64_t due_us) SL_ON_WORKER;
void sl_peer_rtcp_stop(struct sl_peer *p) SL_ON_WORKER;

/* A request for a key frame of @s, sent at once (the track throttles). */
void sl_peer_ask_key(void *arg, struct sl_track *t, struct sl_source *s);

/* peer_info.c: one packet in clear text, for whoever captures */
void sl_peer_captured(struct sl_peer *p, bool is_in, const uint8_t *data, size_t len) SL_ON_WORKER;

/* peer_bwe.c */
int sl_peer_bwe_configure(struct sl_peer *p) SL_ON_WORKER; /* after p->media changed; 0, -ENOMEM */
void sl_peer_bwe_fini(struct sl_peer *p);
void sl_peer_bwe_sent(struct sl_peer *p, const struct sl_slot *slot) SL_ON_WORKER;
/* Reports of the peer. 0 or -EBADMSG. */
int sl_peer_bwe_on_report(struct sl_peer *p, const struct sl_rtcp_pkt *pkt) SL_ON_WORKER;
void sl_peer_bwe_on_remb(struct sl_peer *p, uint64_t bps) SL_ON_WORKER;
/* Packets go to another address from now on. */
void sl_peer_bwe_new_way(struct sl_peer *p) SL_ON_WORKER;
/* At SL_PEER_TICK_US, and while probing at SL_PEER_FAST_US: layers, probes, silence. */
void sl_peer_bwe_tick(struct sl_peer *p) SL_ON_WORKER;

/* peer_repair.c */
void sl_peer_repair_sent(struct sl_peer *p, const struct sl_slot *slot) SL_ON_WORKER;
/* @loss: the share of packets, lately. */
void sl_peer_repair_on_twcc(struct sl_peer *p, const struct sl_rtcp_pkt *pkt,
                            double loss) SL_ON_WORKER;
void sl_peer_repair_fini(struct sl_peer *p);

/* peer_tx.c */
void sl_peer_tx_flush(struct sl_tx *tx);
/* About @bytes of what is held back leave now. How many did. */
size_t sl_peer_tx_hurry(struct sl_peer *p, size_t bytes) SL_ON_WORKER;

#endif
