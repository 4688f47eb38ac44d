#include "base/hmap.h"
#include "net/net_udp.h"
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define TX_MAX_DEFAULT 1024
#define TRAIN_PACKETS  64    /* UDP_MAX_SEGMENTS of the older kernels */
#define TRAIN_BYTES    65000 /* below 65535 less the headers */
#define CHUNK_MSGS     64
#define CHUNK_IOVS     256
#define GSO_SOCKETS    64
#define GSO_STRIKES    8    /* trains refused in a row before single packets are the rule */
#define GSO_RETRY      1024 /* single-packet trains before the next try */
#define NONE           UINT32_MAX

struct tx_packet {
    struct iovec data;
    uint32_t next; /* of the same flow */
};

/* All that goes from one socket and source address to one destination. */
struct tx_flow {
    struct sl_addr to, from;
    sl_id owner;
    int fd;
    uint32_t first, last; /* packets */
    uint32_t next;        /* flow of the same socket */
    uint32_t chain;       /* flow of the same bucket */
    uint32_t bucket;
};

struct tx_socket {
    int fd;
    uint32_t first, last; /* flows */
};

/* A path may refuse segments that another one takes, so one refusal says little about the socket:
 * the strikes are taken back by every train that goes through. */
struct tx_gso {
    int fd;
    unsigned int strikes, skipped;
};

struct sl_txq {
    size_t max;
    uint32_t npackets, nflows, nsockets;
    struct tx_packet *packets; /* [max] */
    struct tx_flow *flows;     /* [max] */
    struct tx_socket *sockets; /* [max] */
    uint32_t *buckets;         /* [mask + 1], flows by hash */
    uint32_t mask;
    struct tx_gso gso[GSO_SOCKETS];
    struct sl_txq_stats stats;
    void (*full)(void *arg, sl_id owner);
    void *full_arg;

    /* What the next sendmmsg takes. */
    unsigned int nmsgs, niovs;
    struct mmsghdr msgs[CHUNK_MSGS];
    sl_id owner[CHUNK_MSGS]; /* of msgs */
    struct iovec iovs[CHUNK_IOVS];
    _Alignas(struct cmsghdr) char control[CHUNK_MSGS][64];
};

_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)) <= 64,
               "control messages fit");

const char *sl_tx_drop_to_str(enum sl_tx_drop d)
{
    static const char *const names[SL_TX_DROP_MAX] = {
        [SL_TX_DROP_FULL] = "full",       [SL_TX_DROP_UNREACHABLE] = "unreachable",
        [SL_TX_DROP_TOO_BIG] = "too_big", [SL_TX_DROP_FORBIDDEN] = "forbidden",
        [SL_TX_DROP_OTHER] = "other",
    };

    return d < SL_TX_DROP_MAX ? names[d] : "unknown";
}

static enum sl_tx_drop drop_of(int err)
{
    switch (err) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return SL_TX_DROP_FULL;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
        return SL_TX_DROP_UNREACHABLE;
    case EMSGSIZE:
        return SL_TX_DROP_TOO_BIG;
    case EPERM:
    case EACCES:
        return SL_TX_DROP_FORBIDDEN;
    default:
        return SL_TX_DROP_OTHER;
    }
}

/* ---- queue ---- */

static void txq_clear(struct sl_txq *q)
{
    for (uint32_t f = 0; f < q->nflows; f++)
        q->buckets[q->flows[f].bucket] = NONE;
    q->npackets = q->nflows = q->nsockets = 0;
}

int sl_txq_create(size_t max, struct sl_txq **out)
{
    struct sl_txq *q = calloc(1, sizeof(*q));
    size_t nbuckets = 64;

    if (!q)
        return -ENOMEM;
    q->max = max ? max : TX_MAX_DEFAULT;
    if (q->max > UINT32_MAX / 4)
        goto fail;
    while (nbuckets < 2 * q->max)
        nbuckets *= 2;
    q->mask = (uint32_t)nbuckets - 1;
    q->packets = calloc(q->max, sizeof(*q->packets));
    q->flows = calloc(q->max, sizeof(*q->flows));
    q->sockets = calloc(q->max, sizeof(*q->sockets));
    q->buckets = malloc(nbuckets * sizeof(*q->buckets));
    if (!q->packets || !q->flows || !q->sockets || !q->buckets)
        goto fail;
    memset(q->buckets, 0xff, nbuckets * sizeof(*q->buckets));
    for (size_t i = 0; i < GSO_SOCKETS; i++)
        q->gso[i].fd = -1;
    *out = q;
    return 0;

fail:
    sl_txq_destroy(q);
    return -ENOMEM;
}

void sl_txq_destroy(struct sl_txq *q)
{
    if (!q)
        return;
    free(q->buckets);
    free(q->sockets);
    free(q->flows);
    free(q->packets);
    free(q);
}

static bool flow_is(const struct tx_flow *f, int fd, const struct sl_addr *to,
                    const struct sl_addr *from)
{
    return f->fd == fd && sl_addr_is_equal(&f->to, to) && sl_addr_is_same_ip(&f->from, from);
}

/* Few sockets carry all when ICE-lite does the work, and then the last few are looked through.
 * With a socket per peer a miss only means one more sendmmsg. */
static struct tx_socket *socket_of(struct sl_txq *q, int fd)
{
    struct tx_socket *s;

    for (uint32_t back = 1; back <= 4 && back <= q->nsockets; back++) {
        s = &q->sockets[q->nsockets - back];
        if (s->fd == fd)
            return s;
    }
    s = &q->sockets[q->nsockets++];
    *s = (struct tx_socket){ fd, NONE, NONE };
    return s;
}

static struct tx_flow *flow_of(struct sl_txq *q, int fd, const struct sl_addr *to,
                               const struct sl_addr *from, sl_id owner)
{
    uint32_t bucket, i;
    struct tx_socket *s;
    struct tx_flow *f;

    /* The last one first: a row of packets for one subscriber needs no hash. */
    if (q->nflows && flow_is(&q->flows[q->nflows - 1], fd, to, from))
        return &q->flows[q->nflows - 1];
    bucket = (uint32_t)sl_addr_hash(to) & q->mask;
    for (i = q->buckets[bucket]; i != NONE; i = q->flows[i].chain) {
        if (flow_is(&q->flows[i], fd, to, from))
            return &q->flows[i];
    }
    i = q->nflows++;
    f = &q->flows[i];
    *f = (struct tx_flow){ *to, *from, owner, fd, NONE, NONE, NONE, q->buckets[bucket], bucket };
    q->buckets[bucket] = i;
    s = socket_of(q, fd);
    if (s->last == NONE)
        s->first = i;
    else
        q->flows[s->last].next = i;
    s->last = i;
    return f;
}

void sl_txq_add(struct sl_txq *q, int fd, const struct sl_addr *to, const struct sl_addr *from,
                sl_id owner, const void *data, size_t len)
{
    static const struct sl_addr any = { .sa.sa_family = AF_UNSPEC };
    struct tx_flow *f;
    uint32_t i;

    if (q->npackets == q->max)
        (void)sl_txq_flush(q);
    f = flow_of(q, fd, to, from ? from : &any, owner);
    i = q->npackets++;
    q->packets[i] = (struct tx_packet){ { (void *)(uintptr_t)data, len }, NONE };
    if (f->last == NONE)
        f->first = i;
    else
        q->packets[f->last].next = i;
    f->last = i;
}

void sl_txq_on_full(struct sl_txq *q, void (*fn)(void *arg, sl_id owner), void *arg)
{
    q->full = fn;
    q->full_arg = arg;
}

size_t sl_txq_waiting(const struct sl_txq *q)
{
    return q->npackets;
}

const struct sl_txq_stats *sl_txq_stats_get(const struct sl_txq *q)
{
    return &q->stats;
}

/* ---- messages ---- */

static size_t control_add(char *at, int level, int type, const void *data, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)at;

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    return CMSG_SPACE(len);
}

static size_t control_write(char *at, const struct sl_addr *from, uint16_t segment)
{
    size_t n = 0;

    if (sl_addr_family(from) == AF_INET) {
        struct in_pktinfo info = { .ipi_spec_dst = from->in4.sin_addr };

        n += control_add(at, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else if (sl_addr_family(from) == AF_INET6) {
        struct in6_pktinfo info = { .ipi6_addr = from->in6.sin6_addr,
                                    .ipi6_ifindex = from->in6.sin6_scope_id };

        n += control_add(at, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if (segment)
        n += control_add(at + n, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
    return n;
}

static struct tx_gso *gso_of(struct sl_txq *q, int fd)
{
    struct tx_gso *g = &q->gso[(unsigned int)fd % GSO_SOCKETS];

    if (g->fd != fd)
        *g = (struct tx_gso){ .fd = fd };
    return g;
}

static bool can_gso(struct sl_txq *q, int fd)
{
    struct tx_gso *g = gso_of(q, fd);

    if (g->strikes < GSO_STRIKES)
        return true;
    if (++g->skipped < GSO_RETRY)
        return false;
    g->skipped = 0;
    return true;
}

static unsigned int bytes_of(const struct msghdr *h)
{
    size_t n = 0;

    for (size_t i = 0; i < h->msg_iovlen; i++)
        n += h->msg_iov[i].iov_len;
    return (unsigned int)n;
}

static void count_sent(struct sl_txq *q, int fd, const struct mmsghdr *m, int n)
{
    q->stats.messages += (uint64_t)n;
    for (int i = 0; i < n; i++) {
        const struct msghdr *h = &m[i].msg_hdr;

        q->stats.packets += h->msg_iovlen;
        q->stats.bytes += bytes_of(h);
        if (h->msg_iovlen > 1) {
            q->stats.trains++;
            gso_of(q, fd)->strikes = 0;
        }
    }
}

static void count_drop(struct sl_txq *q, const struct mmsghdr *m, size_t n, int err)
{
    for (size_t i = 0; i < n; i++)
        q->stats.drops[drop_of(err)] += m[i].msg_hdr.msg_iovlen;
}

/* Of the chunk's messages, from @i on. */
static void tell_full(struct sl_txq *q, unsigned int i, unsigned int n)
{
    for (unsigned int end = i + n; q->full && i < end; i++)
        if (q->owner[i] != SL_ID_NONE)
            q->full(q->full_arg, q->owner[i]);
}

/* Takes the first messages off: how many went, or -errno of the first. */
static int send_some(struct sl_txq *q, int fd, struct mmsghdr *m, unsigned int n)
{
    int sent;

    /* A refusal may be the answer to an earlier packet, left on a connected socket: it is reported
     * once and nothing was sent, so once more. */
    for (int tries = 0;; tries++) {
        q->stats.calls++;
        sent = sendmmsg(fd, m, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            break;
        if (errno != EINTR && (errno != ECONNREFUSED || tries))
            return -errno;
    }
    count_sent(q, fd, m, sent);
    return sent;
}

static void send_single(struct sl_txq *q, int fd, unsigned int at)
{
    const struct msghdr *h = &q->msgs[at].msg_hdr;
    struct mmsghdr m[TRAIN_PACKETS];
    unsigned int n = (unsigned int)h->msg_iovlen;
    struct cmsghdr *last;
    size_t control = h->msg_controllen - CMSG_SPACE(sizeof(uint16_t)); /* less UDP_SEGMENT */

    last = control ? h->msg_control : NULL;
    for (unsigned int i = 0; i < n; i++) {
        m[i].msg_hdr = *h;
        m[i].msg_hdr.msg_iov = &h->msg_iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_control = last;
        m[i].msg_hdr.msg_controllen = control;
    }
    for (unsigned int i = 0; i < n;) {
        int sent = send_some(q, fd, m + i, n - i);

        if (sent > 0) {
            i += (unsigned int)sent;
            continue;
        }
        if (drop_of(-sent) == SL_TX_DROP_FULL) {
            count_drop(q, m + i, n - i, -sent);
            tell_full(q, at, 1);
            return;
        }
        count_drop(q, m + i++, 1, -sent);
    }
}

static bool is_refused_train(const struct mmsghdr *m, int err)
{
    return m->msg_hdr.msg_iovlen > 1 && (err == EIO || err == EINVAL || err == EMSGSIZE);
}

static void chunk_send(struct sl_txq *q, int fd)
{
    for (unsigned int i = 0; i < q->nmsgs;) {
        struct mmsghdr *m = &q->msgs[i];
        int sent = send_some(q, fd, m, q->nmsgs - i);

        if (sent > 0) {
            i += (unsigned int)sent;
        } else if (is_refused_train(m, -sent)) {
            gso_of(q, fd)->strikes++;
            q->stats.gso_refused++;
            send_single(q, fd, i);
            i++;
        } else if (drop_of(-sent) == SL_TX_DROP_FULL) {
            /* The next ones would meet the same full buffer, a system call each. */
            count_drop(q, m, q->nmsgs - i, -sent);
            tell_full(q, i, q->nmsgs - i);
            break;
        } else {
            count_drop(q, m, 1, -sent);
            i++;
        }
    }
    q->nmsgs = q->niovs = 0;
}

/* Appends one message with packet @p and those after it that fit its train; the packet after. */
static uint32_t chunk_add(struct sl_txq *q, struct tx_flow *f, uint32_t p, bool gso)
{
    size_t segment = q->packets[p].data.iov_len, bytes = 0, n = 0;
    struct mmsghdr *m = &q->msgs[q->nmsgs];
    struct iovec *iov = &q->iovs[q->niovs];
    char *control = q->control[q->nmsgs];

    do {
        const struct tx_packet *pkt = &q->packets[p];

        bytes += pkt->data.iov_len;
        iov[n++] = pkt->data;
        p = pkt->next;
        if (pkt->data.iov_len < segment) /* only the last may be shorter */
            break;
    } while (gso && p != NONE && n < TRAIN_PACKETS && q->packets[p].data.iov_len &&
             q->packets[p].data.iov_len <= segment &&
             bytes + q->packets[p].data.iov_len <= TRAIN_BYTES);
    m->msg_hdr = (struct msghdr){
        .msg_name = &f->to,
        .msg_namelen = sl_addr_len(&f->to),
        .msg_iov = iov,
        .msg_iovlen = n,
        .msg_control = control,
        .msg_controllen = control_write(control, &f->from, n > 1 ? (uint16_t)segment : 0),
    };
    if (!m->msg_hdr.msg_controllen)
        m->msg_hdr.msg_control = NULL;
    q->owner[q->nmsgs] = f->owner;
    q->nmsgs++;
    q->niovs += (unsigned int)n;
    return p;
}

size_t sl_txq_flush(struct sl_txq *q)
{
    uint64_t before = q->stats.packets;

    for (uint32_t s = 0; s < q->nsockets; s++) {
        int fd = q->sockets[s].fd;

        for (uint32_t i = q->sockets[s].first; i != NONE; i = q->flows[i].next) {
            struct tx_flow *f = &q->flows[i];

            for (uint32_t p = f->first; p != NONE;) {
                if (q->nmsgs == CHUNK_MSGS || q->niovs + TRAIN_PACKETS > CHUNK_IOVS)
                    chunk_send(q, fd);
                p = chunk_add(q, f, p, q->packets[p].next != NONE && can_gso(q, fd));
            }
        }
        chunk_send(q, fd);
    }
    txq_clear(q);
    return (size_t)(q->stats.packets - before);
}
