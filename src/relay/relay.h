/*
 * relay.h - endpoints that speak plain RTP or SRTP over UDP with another machine: a *forwarder*
 * sends what publishers here send, a *remote publisher* receives what a forwarder elsewhere sends.
 * And one that speaks with nobody: a *player* publishes packets that a plugin makes.
 *
 * Spec:   RFC 3550, RFC 3711 with static keys, RFC 4585 (PLI), RFC 5104 (FIR), RFC 5761 (RTCP on
 * the same port) Thread: worker; sockets and struct sl_relay_conf are made by control and handed
 * over whole. Owner:  the worker's slot table, as struct sl_endpoint.
 *
 * A forwarder has one socket: RTP leaves from it to `rtp_to`, reports to `rtcp_to` if that is set,
 * and key frame requests are taken at it from the receiver's address. One m-line is one RTP stream:
 * the SSRC (0: the first packet's), the payload type (SL_PT_NONE: the publisher's) and the
 * simulcast layer are those of its struct sl_media_line.
 *
 * A remote publisher has a socket for RTP and one for RTCP, and takes either at both. A stream is
 * told by its SSRC: ssrc[] of struct sl_media_line. Without SRTP nothing proves who sends: the
 * first sender is kept to until it was silent for SL_RELAY_LATCH_US. Key frames are asked for at
 * the address that reports came from.
 */
#ifndef SL_RELAY_H
#define SL_RELAY_H

#include "base/timer.h"
#include "dtls/dtls.h"
#include "media/media_endpoint.h"
#include "net/net_udp.h"
#include "srtp/srtp.h"
#include <sluice/plugin.h>

#define SL_RELAY_LATCH_US UINT64_C(5000000)

/* Data messages, one datagram each: a forwarder sends them as they are, or behind an RTP header
 * whose payload type is 0 for text and 1 for binary, which is how a remote publisher takes them for
 * its data m-lines. Both ways what is between control and worker is bounded, as a charge per
 * endpoint; what is beyond is dropped, as the network would. */
#define SL_RELAY_DATA_MAX         SL_FORWARD_DATA_MAX /* bytes of a message */
#define SL_RELAY_DATA_HEAD        12                  /* bytes before a message, for the header */
#define SL_RELAY_DATA_TAIL        SL_SRTP_OVERHEAD    /* and behind it */
#define SL_RELAY_DATA_WINDOW      (1024u * 1024)
#define SL_RELAY_DATA_CHARGE(len) ((size_t)(len) + 256)

/* SSRCs of cascading: a stream's m-line at its first publisher and its simulcast layer. */
#define SL_RELAY_SSRC(mindex, layer) (1000u + 10u * (mindex) + (layer))

/* What all relays of a worker share. */
struct sl_relay_env {
    struct sl_mctx *ctx;
    struct sl_wheel *wheel;
    struct sl_txq *txq;
    /* 0 or -errno; unwatch before the socket is closed. */
    int (*watch)(void *arg, struct sl_watch *w);
    void (*unwatch)(void *arg, struct sl_watch *w);
    /* To control; false: out of memory. A message for m-line @mindex: give it back later with
     * sl_relay_data_consumed. What was sent or dropped of what sl_relay_data_send got. */
    bool (*data)(void *arg, sl_id id, uint16_t mindex, bool is_binary, const uint8_t *data,
                 size_t len);
    bool (*data_sent)(void *arg, sl_id id, size_t charge);
    /* To control: a player shall go on with a key frame. */
    void (*keyframe)(void *arg, sl_id id, uint16_t mindex);
    void *arg;
};

enum sl_relay_kind { SL_RELAY_FORWARD, SL_RELAY_REMOTE, SL_RELAY_PLAYER };

struct sl_relay_conf {
    enum sl_relay_kind kind;
    struct sl_udp *rtp, *rtcp;      /* owned; NULL: none (a player has neither) */
    struct sl_addr rtp_to, rtcp_to; /* forwarder; rtcp_to without family: no reports */
    bool is_srtp;
    struct sl_srtp_keys keys;
};

/* Frees it with its sockets, wiping the keys; any thread. NULL is fine. */
void sl_relay_conf_destroy(struct sl_relay_conf *c);

/* Takes @conf over when it returns 0. -ENOMEM or -errno. */
int sl_relay_create(struct sl_relay_env *env, sl_id id, struct sl_relay_conf *conf,
                    struct sl_endpoint **out) SL_ON_WORKER;

struct sl_relay;
/* NULL: @e is NULL or another kind. */
struct sl_relay *sl_relay_of(struct sl_endpoint *e);

/* A forwarder sends @data, which has DATA_HEAD bytes of room before it and DATA_TAIL behind. @ssrc
 * 0: as it is (never with SRTP). */
void sl_relay_data_send(struct sl_relay *r, uint32_t ssrc, bool is_binary, uint8_t *data,
                        size_t len) SL_ON_WORKER;
/* A player sends packets: each is this, then its payload. The charge is that of the whole. */
struct sl_relay_packet {
    uint64_t time_us;
    uint16_t len;
    bool marker;
};
void sl_relay_play(struct sl_relay *r, uint16_t mindex, const uint8_t *packets,
                   size_t len) SL_ON_WORKER;
/* Control has handled so much of what env.data brought. */
void sl_relay_data_consumed(struct sl_relay *r, size_t charge) SL_ON_WORKER;

#endif
