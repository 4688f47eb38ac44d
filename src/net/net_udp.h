/*
 * net_udp.h - UDP sockets for media: batches in (recvmmsg, UDP_GRO), trains out (sendmmsg,
 * UDP_SEGMENT).
 *
 * Spec:   RFC 768; udp(7), ip(7), ipv6(7).
 * Thread: one at a time, the worker that owns socket, batch and queue (tests may play it).
 * Owner:  the worker.  After creation the packet path allocates nothing.
 *
 *   n = sl_udp_recv(sock, batch);               once per readable event
 *   for (i = 0; i < n; i++) ... batch->dgrams[i] ...
 *   sl_txq_add(txq, fd, &to, &from, data, len); as often as there is something to send
 *   sl_txq_flush(txq);                          at the end of the turn; then buffers may be reused
 */
#ifndef SL_NET_UDP_H
#define SL_NET_UDP_H

#include "base/id.h"
#include "net/net_addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- sockets ---- */

struct sl_udp {
    int fd;
    struct sl_addr local; /* as bound; the port is the real one */
    bool has_gro;         /* trains of a sender arrive as one message */
    int rcvbuf, sndbuf;   /* bytes that the kernel granted */
    uint64_t overflows;   /* datagrams that the kernel dropped because nobody read them in time */
    uint32_t ovfl_seen;
};

#define SL_UDP_BUF_DEFAULT (8 << 20)

/* Opens and binds a non-blocking socket on @bind; an IPv6 one takes IPv6 only. @buf_bytes of kernel
 * buffer each way (0: SL_UDP_BUF_DEFAULT), less where we have not the right to so much.
 * 0 or -errno (-EADDRINUSE ...). */
int sl_udp_open(const struct sl_addr *bind, int buf_bytes, struct sl_udp **out);
/* Opens one beside @fd, the UDP socket of a library: bound to the same address and port, and in one
 * SO_REUSEPORT group with it, which a BPF program divides by the first byte (RFC 7983). DTLS
 * (20..63) and RTP (128..191) come to ours, the rest (STUN, TURN channels) stays with @fd. Close
 * ours, and all comes to @fd again. What the kernel says when it refuses.
 *
 * UDP_GRO is on for ours only. When a network card's packets are joined (GRO), the kernel asks the
 * group before there is a packet to show to the program: the hash of the addresses decides, and a
 * flow that it gives to @fd arrives unjoined, at ours all the same. That is one flow in two, and
 * costs half a microsecond per packet that we receive. Were it on for @fd, too, STUN joined with
 * what follows would reach the library as one datagram, since only those who asked for trains get
 * them whole. Now the kernel takes them apart for it; only a STUN packet that is joined to the end
 * of a train of RTP is lost to the library, and repeated by the peer as if the network had lost it.
 */
int sl_udp_open_beside(int fd, int buf_bytes, struct sl_udp **out);
void sl_udp_close(struct sl_udp *u); /* NULL is fine */

/* ---- receiving ---- */

#define SL_UDP_BATCH_MSGS   16    /* messages per recvmmsg */
#define SL_UDP_MSG_MAX      65536 /* bytes of one message, which may be a train */
#define SL_UDP_BATCH_DGRAMS 1024  /* datagrams of all trains: the kernel joins at most 64 */

/* All of it is the batch's, until the next sl_udp_recv; @data may be changed in place. */
struct sl_udp_dgram {
    uint8_t *data;
    size_t len;
    const struct sl_addr *remote;
    const struct sl_addr *local; /* the address that it came to; port of the socket */
    uint64_t rx_us; /* when the kernel took it in, by sl_now_us; of a train: the first */
};

struct sl_udp_batch {
    struct sl_udp_dgram dgrams[SL_UDP_BATCH_DGRAMS];
    size_t n;
    bool has_more;                /* all messages were used: the socket probably holds more */
    uint64_t messages, datagrams; /* since creation */
    uint64_t truncated;           /* messages longer than SL_UDP_MSG_MAX, dropped */
    uint64_t surplus;             /* datagrams beyond SL_UDP_BATCH_DGRAMS, dropped */
    struct sl_udp_batch_priv *priv;
};

/* 1 MiB of buffers. 0 or -ENOMEM. */
int sl_udp_batch_create(struct sl_udp_batch **out);
void sl_udp_batch_destroy(struct sl_udp_batch *b);

/* One recvmmsg. How many datagrams are in @b->dgrams: 0 when none waited; or -errno. */
int sl_udp_recv(struct sl_udp *u, struct sl_udp_batch *b);

/* A socket that a loop polls for its owner: one for datagrams, which the loop reads, or another. */
struct sl_watch {
    struct sl_udp *udp; /* NULL: another */
    void (*datagram)(struct sl_watch *w, const struct sl_udp_dgram *d);
    void (*ready)(struct sl_watch *w, uint32_t events); /* another; @events of epoll */
};

/* ---- sending ---- */

/*
 * What one turn of a worker sends. Packets of one (socket, to, from) stay in the order added;
 * neighbours among them that are of equal size (the last may be shorter) leave as one UDP_SEGMENT
 * message, up to 64 packets and 65000 bytes, whatever was added for others in between.
 */
struct sl_txq;

enum sl_tx_drop {
    SL_TX_DROP_FULL,        /* the socket's buffer is full; never waits */
    SL_TX_DROP_UNREACHABLE, /* no route, refused, interface down */
    SL_TX_DROP_TOO_BIG,     /* for the path, alone and unsegmented */
    SL_TX_DROP_FORBIDDEN,   /* packet filter, broadcast */
    SL_TX_DROP_OTHER,
    SL_TX_DROP_MAX
};
const char *sl_tx_drop_to_str(enum sl_tx_drop d);

struct sl_txq_stats {
    uint64_t packets, bytes;        /* handed to the kernel */
    uint64_t calls, messages;       /* sendmmsg calls, messages in them that were taken */
    uint64_t trains;                /* messages of more than one packet */
    uint64_t gso_refused;           /* trains that had to go as single packets */
    uint64_t drops[SL_TX_DROP_MAX]; /* packets */
};

/* Room for @max packets between flushes (0: 1024). 0 or -ENOMEM. */
int sl_txq_create(size_t max, struct sl_txq **out);
void sl_txq_destroy(struct sl_txq *q); /* what was not flushed is not sent */

/* Has @fn told whose packets a full socket did not take, maybe several times for one flush, in
 * which it runs: it must leave the queue alone. */
void sl_txq_on_full(struct sl_txq *q, void (*fn)(void *arg, sl_id owner), void *arg);

/* Takes one packet of @owner (SL_ID_NONE: nobody). @data stays the caller's, unchanged until
 * sl_txq_flush returns; addresses are copied. @from: source address for the kernel to use (port
 * ignored), NULL or AF_UNSPEC: it chooses. A full queue is flushed first: then earlier buffers are
 * free, but may also stay until the flush. */
void sl_txq_add(struct sl_txq *q, int fd, const struct sl_addr *to, const struct sl_addr *from,
                sl_id owner, const void *data, size_t len);

/* Sends all. Whoever cannot be reached does not hold up the others. Returns packets sent. */
size_t sl_txq_flush(struct sl_txq *q);
/* Packets that wait for the flush. */
size_t sl_txq_waiting(const struct sl_txq *q);
const struct sl_txq_stats *sl_txq_stats_get(const struct sl_txq *q);

#endif
