#include "net/net_udp.h"

#include "base/clock.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* ---- sockets ---- */

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* The FORCE variants pass the system's limit and need CAP_NET_ADMIN. */
static int set_buffer(int fd, int force, int plain, int bytes)
{
    int got = 0;
    socklen_t len = sizeof(got);

    if (set_int(fd, SOL_SOCKET, force, bytes))
        (void)set_int(fd, SOL_SOCKET, plain, bytes);
    (void)getsockopt(fd, SOL_SOCKET, plain, &got, &len);
    return got;
}

/* Both must allow it, and agree on what an IPv6 socket takes: else they make two groups. */
static int join(int fd, bool v6, int beside)
{
    int only = 0, err;
    socklen_t len = sizeof(only);

    if (v6 && getsockopt(beside, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len))
        return -errno;
    err = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, only) : 0;
    if (!err)
        err = set_int(beside, SOL_SOCKET, SO_REUSEPORT, 1);
    return err ? err : set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* The older socket is number 0 of the group, ours 1. A program needs a bound socket; until then the
 * group's hash decides, and either one has to live with what is the other's. */
static int divide(int fd)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),          /* none: 0 */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 3, 0), /* to 0 */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 3, 0), /* to 1 */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 64, 1, 0),  /* to 0 */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 20, 1, 0),  /* to 1 */
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 1),
    };
    static const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) ? -errno : 0;
}

/* @beside: -1, or the socket to share the port with. */
static int udp_setup(struct sl_udp *u, const struct sl_addr *bind_to, int buf_bytes, int beside)
{
    bool v6 = sl_addr_family(bind_to) == AF_INET6;
    struct sl_addr bound = { 0 };
    socklen_t len = sizeof(bound);
    int err;

    if (beside >= 0)
        err = join(u->fd, v6, beside);
    else
        err = v6 ? set_int(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
    if (err)
        return err;
    err = v6 ? set_int(u->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
             : set_int(u->fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (err)
        return err;
    /* Worth having, and works without. */
    u->has_gro = !set_int(u->fd, IPPROTO_UDP, UDP_GRO, 1);
    (void)set_int(u->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    (void)set_int(u->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    u->rcvbuf = set_buffer(u->fd, SO_RCVBUFFORCE, SO_RCVBUF, buf_bytes);
    u->sndbuf = set_buffer(u->fd, SO_SNDBUFFORCE, SO_SNDBUF, buf_bytes);
    if (bind(u->fd, &bind_to->sa, sl_addr_len(bind_to)) || getsockname(u->fd, &bound.sa, &len))
        return -errno;
    u->local = bound;
    return beside >= 0 ? divide(u->fd) : 0;
}

static int udp_open(const struct sl_addr *bind, int buf_bytes, int beside, struct sl_udp **out)
{
    struct sl_udp *u;
    int err;

    if (!sl_addr_len(bind))
        return -EAFNOSUPPORT;
    u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->fd = socket(sl_addr_family(bind), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (u->fd < 0) {
        err = -errno;
        goto fail;
    }
    err = udp_setup(u, bind, buf_bytes > 0 ? buf_bytes : SL_UDP_BUF_DEFAULT, beside);
    if (err)
        goto fail;
    *out = u;
    return 0;

fail:
    sl_udp_close(u);
    return err;
}

int sl_udp_open(const struct sl_addr *bind, int buf_bytes, struct sl_udp **out)
{
    return udp_open(bind, buf_bytes, -1, out);
}

int sl_udp_open_beside(int fd, int buf_bytes, struct sl_udp **out)
{
    struct sl_addr own = { 0 };
    socklen_t len = sizeof(own);

    if (getsockname(fd, &own.sa, &len))
        return -errno;
    return udp_open(&own, buf_bytes, fd, out);
}

void sl_udp_close(struct sl_udp *u)
{
    if (!u)
        return;
    if (u->fd >= 0)
        (void)close(u->fd);
    free(u);
}

/* ---- receiving ---- */

#define CMSG_ROOM 192
#define AGE_MAX   60000000 /* us; what looks older was stamped before the wall clock was set */

struct rx_slot {
    struct sl_addr remote;
    struct sl_addr local;
    struct iovec iov;
    _Alignas(struct cmsghdr) char control[CMSG_ROOM];
};

struct sl_udp_batch_priv {
    struct mmsghdr msgs[SL_UDP_BATCH_MSGS];
    struct rx_slot slots[SL_UDP_BATCH_MSGS];
    uint64_t now_us, wall_us; /* of the last recvmmsg */
    uint8_t data[SL_UDP_BATCH_MSGS][SL_UDP_MSG_MAX];
};

int sl_udp_batch_create(struct sl_udp_batch **out)
{
    struct sl_udp_batch *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    b->priv = calloc(1, sizeof(*b->priv));
    if (!b->priv) {
        free(b);
        return -ENOMEM;
    }
    for (size_t i = 0; i < SL_UDP_BATCH_MSGS; i++) {
        struct rx_slot *s = &b->priv->slots[i];

        s->iov = (struct iovec){ b->priv->data[i], SL_UDP_MSG_MAX };
        b->priv->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &s->remote,
            .msg_iov = &s->iov,
            .msg_iovlen = 1,
            .msg_control = s->control,
        };
    }
    *out = b;
    return 0;
}

void sl_udp_batch_destroy(struct sl_udp_batch *b)
{
    if (!b)
        return;
    free(b->priv);
    free(b);
}

struct rx_info {
    size_t segment; /* bytes of all datagrams of a train but the last; 0: no train */
    uint32_t ovfl;
    bool has_ovfl;
    uint64_t wall_us; /* 0: not stamped */
};

/* Reads the control messages; @local comes with the socket's own address. */
static void rx_control(struct msghdr *h, struct sl_addr *local, struct rx_info *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->in4.sin_addr = info.ipi_spec_dst;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->in6.sin6_addr = info.ipi6_addr;
            local->in6.sin6_scope_id =
                IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;

            memcpy(&segment, CMSG_DATA(c), sizeof(segment));
            out->segment = segment > 0 ? (size_t)segment : 0;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&out->ovfl, CMSG_DATA(c), sizeof(out->ovfl));
            out->has_ovfl = true;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            out->wall_us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
        }
    }
}

/* The kernel stamps by the wall clock, which may have been set since. */
static uint64_t rx_time(const struct sl_udp_batch_priv *b, uint64_t stamp_us)
{
    uint64_t age = b->wall_us - stamp_us;

    return stamp_us && age < AGE_MAX && age < b->now_us ? b->now_us - age : b->now_us;
}

static void rx_split(struct sl_udp_batch *b, const struct rx_slot *s, uint8_t *data, size_t len,
                     const struct rx_info *info)
{
    size_t segment = info->segment;
    uint64_t rx_us = rx_time(b->priv, info->wall_us);

    if (!segment || segment > len)
        segment = len;
    do {
        size_t n = segment < len ? segment : len;

        if (b->n == SL_UDP_BATCH_DGRAMS) {
            b->surplus += len ? (len + segment - 1) / segment : 1;
            return;
        }
        b->dgrams[b->n++] = (struct sl_udp_dgram){ data, n, &s->remote, &s->local, rx_us };
        data += n;
        len -= n;
    } while (len);
}

static void rx_message(struct sl_udp *u, struct sl_udp_batch *b, size_t i)
{
    struct mmsghdr *m = &b->priv->msgs[i];
    struct rx_slot *s = &b->priv->slots[i];
    struct rx_info info = { 0 };

    s->local = u->local;
    rx_control(&m->msg_hdr, &s->local, &info);
    if (info.has_ovfl) {
        u->overflows += info.ovfl - u->ovfl_seen; /* 32 bits, wraps */
        u->ovfl_seen = info.ovfl;
    }
    if (m->msg_hdr.msg_flags & MSG_TRUNC) {
        b->truncated++;
        return;
    }
    rx_split(b, s, b->priv->data[i], m->msg_len, &info);
}

int sl_udp_recv(struct sl_udp *u, struct sl_udp_batch *b)
{
    int n, tries = 0;

    b->n = 0;
    b->has_more = false;
    for (size_t i = 0; i < SL_UDP_BATCH_MSGS; i++) {
        b->priv->msgs[i].msg_hdr.msg_namelen = sizeof(struct sl_addr);
        b->priv->msgs[i].msg_hdr.msg_controllen = CMSG_ROOM;
    }
    /* An error that an ICMP message left on the socket says nothing about what waits to be read. */
    do
        n = recvmmsg(u->fd, b->priv->msgs, SL_UDP_BATCH_MSGS, MSG_DONTWAIT, NULL);
    while (n < 0 && errno != EAGAIN && errno != EBADF && ++tries < 4);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    b->priv->now_us = sl_now_us();
    b->priv->wall_us = sl_wall_us();
    for (int i = 0; i < n; i++)
        rx_message(u, b, (size_t)i);
    b->has_more = n == SL_UDP_BATCH_MSGS;
    b->messages += (uint64_t)n;
    b->datagrams += b->n;
    return (int)b->n;
}
