/*
 * sctp.h - data channels: SCTP over DTLS with usrsctp, all associations in one SCTP thread.
 *
 * Spec:   RFC 8831 (data channels), RFC 8832 (DCEP), RFC 8261 (SCTP over DTLS), RFC 9260 (SCTP),
 *         RFC 3758 (partial reliability), RFC 6525 (stream reset closes a channel)
 * Thread: the functions below may be called from any thread; they post to the SCTP thread and
 *         return. Callbacks run on the SCTP thread and only post. A pc id that is unknown there is
 *         ignored.
 * Owner:  whoever creates it; one per process, since usrsctp is global. The only user of usrsctp.
 *
 * Everything is bounded, in both directions and per association:
 *  - a message has SL_SCTP_MESSAGE_MAX bytes at most; a longer one ends the association;
 *  - what was delivered by cb.message and not yet given back with sl_sctp_consumed is at most about
 *    SL_SCTP_WINDOW; beyond, nothing is read and the peer's window closes;
 *  - what waits to be sent is SL_SCTP_QUEUE_MAX at most; beyond, sends are dropped and counted.
 *    cb.sent tells what left the queue, so that a sender who keeps its own account loses nothing.
 * Both accounts are in SL_SCTP_CHARGE(bytes).
 */
#ifndef SL_SCTP_H
#define SL_SCTP_H

#include "base/id.h"
#include "base/role.h"
#include "sctp/sctp_dcep.h"

#define SL_SCTP_PORT        5000
#define SL_SCTP_MESSAGE_MAX (256 * 1024) /* announced as a=max-message-size */
/* Per direction, ids 0 to 255: each costs 102 bytes of every association, used or not, and browsers
 * do not let streams be added later (RFC 6525). Each end may open half of them. */
#define SL_SCTP_STREAMS     256
#define SL_SCTP_WINDOW      (1024 * 1024)
#define SL_SCTP_QUEUE_MAX   (1024 * 1024)
#define SL_SCTP_CHARGE(len) ((size_t)(len) + 256)

/* By label: the channel that was heard last among those of that name; none: a new one is opened. */
#define SL_SCTP_BY_LABEL (-1)

struct sl_sctp;

/* Labels are those of DCEP. A stream that the peer uses without it ("negotiated") is a channel from
 * its first message on, reliable and ordered in our direction, with the label "". */
struct sl_sctp_channel {
    uint16_t stream;
    const char *label, *protocol; /* UTF-8 */
    bool ordered;
    enum sl_reliability reliability;
    uint32_t limit; /* retransmissions or milliseconds */
    bool by_peer;   /* who opened it */
};

struct sl_sctp_cb {
    /* One SCTP packet, to be sent as DTLS application data; at most conf.mtu bytes. */
    void (*out)(void *arg, sl_id pc, const uint8_t *data, size_t len);
    /* The association: up once; down once, at the latest when it was closed from here, and then as
     * the last of its callbacks. @reason is a literal. */
    void (*up)(void *arg, sl_id pc);
    void (*down)(void *arg, sl_id pc, const char *reason);
    /* A channel may carry messages both ways; it is gone. Channels that are open when the
     * association ends are closed first. */
    void (*channel_open)(void *arg, sl_id pc, const struct sl_sctp_channel *ch);
    void (*channel_closed)(void *arg, sl_id pc, const struct sl_sctp_channel *ch);
    /* A whole message. Give it back later: sl_sctp_consumed(pc, SL_SCTP_CHARGE(len)). */
    void (*message)(void *arg, sl_id pc, const struct sl_sctp_channel *ch, bool is_binary,
                    const uint8_t *data, size_t len);
    /* @charge left the queue: handed to the network, or dropped. Also for an unknown pc. */
    void (*sent)(void *arg, sl_id pc, size_t charge);
};

struct sl_sctp_conf {
    size_t mtu; /* bytes of an SCTP packet, 524 to 4096: what sl_dtls_send takes with any suite */
};

/* @cb stays the caller's and must outlive the thread. 0; -EBUSY: there is one already; -EINVAL;
 * -ENOMEM; -EAGAIN: no thread. */
int sl_sctp_create(const struct sl_sctp_conf *conf, const struct sl_sctp_cb *cb, void *arg,
                   struct sl_sctp **out);
void sl_sctp_destroy(
    struct sl_sctp *s); /* aborts what is open, ends the thread; no callback after */

struct sl_sctp_open {
    bool is_dtls_client; /* our role: even stream ids, else odd ones (RFC 8832 section 6) */
    uint16_t local_port, remote_port;
    uint64_t message_max; /* what the peer takes, bytes; 0: any */
};

/* DTLS is up: begins the handshake at once (the peer does the same; RFC 8841). */
void sl_sctp_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o);
/* Aborts the association; its channels are told closed, what waited is told sent, and it is told
 * down, unless it was before. Then no callback for @pc follows until it is opened again. */
void sl_sctp_close(struct sl_sctp *s, sl_id pc);

/* One received packet, copied. Packets that fail sctp_check.h, and those beyond 4096 that wait for
 * the thread, are dropped and counted. */
void sl_sctp_input(struct sl_sctp *s, sl_id pc, const uint8_t *data, size_t len);

struct sl_sctp_send {
    int stream;           /* or SL_SCTP_BY_LABEL */
    const char *label;    /* by label; NULL is "" */
    const char *protocol; /* of a channel that is opened; NULL is "" */
    bool is_binary;
    /* Of a channel that is opened; all 0 is reliable and ordered. */
    bool is_unordered;
    enum sl_reliability reliability;
    uint32_t limit;
};

/* Copies @data. A channel that the peer closed is not opened again by its label until the peer does
 * so: such a message is dropped. 0; -EMSGSIZE: longer than SL_SCTP_MESSAGE_MAX; -EINVAL: a name
 * longer than SL_DCEP_NAME_MAX; -ENOMEM. Only after 0 cb.sent follows. */
int sl_sctp_send(struct sl_sctp *s, sl_id pc, const struct sl_sctp_send *to, const void *data,
                 size_t len);
/* Closes the channel that we opened with this label, after what was sent before; none: nothing
 * happens. 0; -EINVAL: a name longer than SL_DCEP_NAME_MAX; -ENOMEM. */
int sl_sctp_close_channel(struct sl_sctp *s, sl_id pc, const char *label);
void sl_sctp_consumed(struct sl_sctp *s, sl_id pc, size_t charge);

/* Since the start. Any thread. */
struct sl_sctp_stats {
    uint64_t bad_packets;  /* failed sctp_check.h, or no such pc */
    uint64_t input_drops;  /* too many waited for the thread, or no memory */
    uint64_t send_drops;   /* queue full, too long for the peer, no channel, no stream left */
    uint64_t oversized;    /* associations that ended for a message too long */
    uint64_t bad_messages; /* unknown payload type, no DCEP, stream that we do not have */
    uint64_t associations; /* now */
};
void sl_sctp_stats_get(const struct sl_sctp *s, struct sl_sctp_stats *out);

#endif
