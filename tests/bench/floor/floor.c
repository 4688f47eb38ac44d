/*
 * floor.c - the bare forwarder: what SRTP and the kernel's UDP path cost, and nothing else.
 *
 *   floor --port N [--method sendto|sendmmsg|gso] [--profile gcm|sha1_80] [--bind ADDRESS]
 *
 * One thread, one socket. Peers register as floor.h says; each turn takes one recvmmsg (UDP_GRO),
 * opens what publishers sent and writes, seals and sends a copy for every other subscriber of the
 * room. No feedback, no resends, no layers, no limits. At SIGTERM or SIGINT it prints one line of
 * JSON: what went in and out, how, and the CPU that this process used since the first packet.
 */
#include "floor.h"
#include "base/opt.h"
#include "net/net_addr.h"
#include "srtp/srtp.h"
#include <getopt.h>
#include <inttypes.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define RX_MSGS     16
#define RX_MSG_MAX  65536
#define TURN_MAX    (RX_MSGS * 64) /* datagrams; the kernel joins at most 64 */
#define TX_SLOTS    256            /* sealed packets between two sends: they stay in the cache */
#define TX_SLOT_LEN 1600
#define TX_MSGS     64
#define TRAIN_MAX   64
#define TRAIN_BYTES 65000
#define SOCKET_BUF  (8 << 20)

enum method { METHOD_SENDTO, METHOD_SENDMMSG, METHOD_GSO };
static const char *const method_names[] = { "sendto", "sendmmsg", "gso" };

static const struct {
    const char *name;
    enum sl_srtp_profile profile;
} profiles[] = { { "gcm", SL_SRTP_AEAD_AES_128_GCM }, { "sha1_80", SL_SRTP_AES128_CM_SHA1_80 } };

struct peer {
    struct floor_reg reg;
    struct sl_addr addr;
    struct sl_srtp *srtp;
};

/* A packet of this turn, opened, in the receive buffers. */
struct packet {
    struct peer *from;
    const uint8_t *data;
    size_t len;
};

static struct {
    int fd;
    enum method method;
    size_t profile; /* index of profiles */

    struct peer peers[FLOOR_PEER_MAX];
    struct peer *by_port[65536]; /* whoever registered last from this port */
    struct peer *subscribers[FLOOR_PEER_MAX];
    size_t nsubscribers;

    struct packet turn[TURN_MAX];
    size_t nturn;

    struct mmsghdr rx[RX_MSGS];
    struct iovec rx_iov[RX_MSGS];
    struct sl_addr rx_from[RX_MSGS];
    _Alignas(struct cmsghdr) char rx_control[RX_MSGS][CMSG_SPACE(sizeof(int))];
    uint8_t rx_data[RX_MSGS][RX_MSG_MAX];

    struct mmsghdr tx[TX_MSGS];
    struct iovec tx_iov[TX_SLOTS];
    _Alignas(struct cmsghdr) char tx_control[TX_MSGS][CMSG_SPACE(sizeof(uint16_t))];
    uint8_t tx_data[TX_SLOTS][TX_SLOT_LEN];
    size_t nmsgs, nslots;
    const struct peer *tx_to; /* of the last message */
    size_t tx_bytes;          /* in it */

    uint64_t began_user, began_sys; /* CPU at the first packet */
    uint64_t turns, in, out, calls, messages, refused, drops_full, drops_other;
} f;

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void count_failed(const struct mmsghdr *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *(errno == EAGAIN ? &f.drops_full : &f.drops_other) += m[i].msg_hdr.msg_iovlen;
}

static int send_one(const struct msghdr *h)
{
    return sendto(f.fd, h->msg_iov->iov_base, h->msg_iov->iov_len, MSG_DONTWAIT, h->msg_name,
                  h->msg_namelen) < 0
               ? -1
               : 1;
}

static void flush(void)
{
    for (size_t i = 0; i < f.nmsgs;) {
        int sent = f.method == METHOD_SENDTO
                       ? send_one(&f.tx[i].msg_hdr)
                       : sendmmsg(f.fd, f.tx + i, (unsigned int)(f.nmsgs - i), MSG_DONTWAIT);

        f.calls++;
        if (sent <= 0) { /* a full buffer stays full for all that are left */
            size_t lost = errno == EAGAIN ? f.nmsgs - i : 1;

            count_failed(f.tx + i, lost);
            i += lost;
            continue;
        }
        f.messages += (uint64_t)sent;
        for (; sent > 0; sent--, i++)
            f.out += f.tx[i].msg_hdr.msg_iovlen;
    }
    f.nmsgs = f.nslots = 0;
    f.tx_to = NULL;
}

static bool joins_train(const struct peer *to, size_t len)
{
    const struct msghdr *h = f.nmsgs ? &f.tx[f.nmsgs - 1].msg_hdr : NULL;

    /* All but the last are of one size, and the last is not longer. */
    return f.method == METHOD_GSO && h && f.tx_to == to && h->msg_iovlen < TRAIN_MAX &&
           f.tx_bytes + len <= TRAIN_BYTES && len <= h->msg_iov[0].iov_len &&
           h->msg_iov[h->msg_iovlen - 1].iov_len == h->msg_iov[0].iov_len;
}

static void mark_train(struct msghdr *h)
{
    char *control = f.tx_control[f.nmsgs - 1];
    struct cmsghdr *c = (struct cmsghdr *)(void *)control;
    uint16_t segment = (uint16_t)h->msg_iov[0].iov_len;

    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
    h->msg_control = control;
    h->msg_controllen = CMSG_SPACE(sizeof(segment));
}

static void queue(struct peer *to, uint8_t *data, size_t len)
{
    struct iovec *iov = &f.tx_iov[f.nslots++];

    *iov = (struct iovec){ data, len };
    if (joins_train(to, len)) {
        struct msghdr *h = &f.tx[f.nmsgs - 1].msg_hdr;

        h->msg_iovlen++;
        f.tx_bytes += len;
        mark_train(h);
        return;
    }
    f.tx[f.nmsgs++].msg_hdr = (struct msghdr){
        .msg_name = &to->addr,
        .msg_namelen = sl_addr_len(&to->addr),
        .msg_iov = iov,
        .msg_iovlen = 1,
    };
    f.tx_to = to;
    f.tx_bytes = len;
}

static void forward(struct peer *to, const struct packet *p) SL_ON_WORKER
{
    size_t len = p->len;
    uint8_t *out;

    if (f.nslots == TX_SLOTS || f.nmsgs == TX_MSGS)
        flush();
    out = f.tx_data[f.nslots];
    memcpy(out, p->data, len);
    sl_put16(out + 2, (uint16_t)(sl_get16(out + 2) + floor_seq_offset(to->reg.peer)));
    sl_put32(out + 8, floor_ssrc_down(p->from->reg.peer, floor_ssrc_media(sl_get32(out + 8))));
    if (sl_srtp_protect(to->srtp, out, &len)) {
        f.refused++;
        return;
    }
    queue(to, out, len);
}

static void fan_out(void) SL_ON_WORKER
{
    for (size_t i = 0; i < f.nsubscribers; i++) {
        struct peer *to = f.subscribers[i];

        for (size_t k = 0; k < f.nturn; k++)
            if (f.turn[k].from != to && f.turn[k].from->reg.room == to->reg.room)
                forward(to, &f.turn[k]);
    }
    flush();
    f.nturn = 0;
}

/* ---- peers ----------------------------------------------------------------------------------- */

static void peer_remove(struct peer *p) SL_ON_WORKER
{
    uint16_t port = sl_addr_port(&p->addr);

    for (size_t i = 0; i < f.nsubscribers; i++)
        if (f.subscribers[i] == p)
            f.subscribers[i--] = f.subscribers[--f.nsubscribers];
    if (f.by_port[port] == p)
        f.by_port[port] = NULL;
    sl_srtp_destroy(p->srtp);
    *p = (struct peer){ 0 };
}

static struct peer *peer_of(const struct sl_addr *from)
{
    struct peer *p = f.by_port[sl_addr_port(from)];

    return p && sl_addr_is_equal(&p->addr, from) ? p : NULL;
}

static void peer_add(struct peer *p, const struct floor_reg *r,
                     const struct sl_addr *from) SL_ON_WORKER
{
    struct peer *before = f.by_port[sl_addr_port(from)];
    struct sl_srtp_keys keys;

    fan_out(); /* what was received for the old one */
    if (before && before != p)
        peer_remove(before);
    if (p->srtp)
        peer_remove(p);
    floor_keys(profiles[f.profile].profile, r->peer, true, &keys);
    if (sl_srtp_create(&keys, &p->srtp))
        return;
    p->reg = *r;
    p->addr = *from;
    f.by_port[sl_addr_port(from)] = p;
    if (r->flags & FLOOR_SUBSCRIBE)
        f.subscribers[f.nsubscribers++] = p;
}

static void on_register(const struct sl_addr *from, const uint8_t *data, size_t len) SL_ON_WORKER
{
    uint8_t answer[FLOOR_REG_LEN];
    struct floor_reg r;
    struct peer *p;

    if (floor_reg_parse(data, len, &r) || (r.flags & FLOOR_ACK)) {
        f.refused++;
        return;
    }
    p = &f.peers[r.peer];
    if (!p->srtp || !sl_addr_is_equal(&p->addr, from) || p->reg.flags != r.flags ||
        p->reg.room != r.room)
        peer_add(p, &r, from);
    if (!p->srtp)
        return; /* it will ask again */
    r.flags |= FLOOR_ACK;
    r.profile = profiles[f.profile].profile;
    floor_reg_write(&r, answer);
    (void)sendto(f.fd, answer, sizeof(answer), MSG_DONTWAIT, &from->sa, sl_addr_len(from));
}

/* ---- CPU ------------------------------------------------------------------------------------- */

static uint64_t us_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static void cpu_get(uint64_t *user_us, uint64_t *sys_us)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    *user_us = us_of(u.ru_utime);
    *sys_us = us_of(u.ru_stime);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void on_datagram(const struct sl_addr *from, uint8_t *data, size_t len) SL_ON_WORKER
{
    struct peer *p;

    if (len >= 2 && data[1] >= 192 && data[1] <= 223)
        return; /* RTCP (RFC 5761 section 4) */
    if (len < 12 || len > TX_SLOT_LEN - SL_SRTP_OVERHEAD || (data[0] & 0xc0) != 0x80) {
        on_register(from, data, len);
        return;
    }
    if (!f.in++) /* start and registrations aside */
        cpu_get(&f.began_user, &f.began_sys);
    p = peer_of(from);
    if (!p || !(p->reg.flags & FLOOR_PUBLISH) || sl_srtp_unprotect(p->srtp, data, &len)) {
        f.refused++;
        return;
    }
    if (f.nturn == TURN_MAX)
        fan_out();
    f.turn[f.nturn++] = (struct packet){ p, data, len };
}

static size_t segment_of(struct msghdr *h, size_t len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        int segment;

        if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
            continue;
        memcpy(&segment, CMSG_DATA(c), sizeof(segment));
        if (segment > 0)
            return (size_t)segment;
    }
    return len;
}

static void turn(void) SL_ON_WORKER
{
    int n;

    for (size_t i = 0; i < RX_MSGS; i++) {
        f.rx[i].msg_hdr.msg_namelen = sizeof(f.rx_from[i]);
        f.rx[i].msg_hdr.msg_controllen = sizeof(f.rx_control[i]);
    }
    n = recvmmsg(f.fd, f.rx, RX_MSGS, MSG_DONTWAIT, NULL);
    f.turns++;
    for (int i = 0; i < n; i++) {
        size_t len = f.rx[i].msg_len, segment = segment_of(&f.rx[i].msg_hdr, len);

        for (size_t off = 0; off < len; off += segment)
            on_datagram(&f.rx_from[i], f.rx_data[i] + off,
                        len - off < segment ? len - off : segment);
    }
    fan_out();
}

/* ---- program --------------------------------------------------------------------------------- */

static void set_buffer(int force, int plain)
{
    int bytes = SOCKET_BUF;

    if (setsockopt(f.fd, SOL_SOCKET, force, &bytes, sizeof(bytes)))
        (void)setsockopt(f.fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

static void open_socket(const struct sl_addr *at)
{
    struct sl_addr bound = { 0 };
    socklen_t len = sizeof(bound);
    int on = 1;

    f.fd = socket(sl_addr_family(at), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f.fd < 0)
        die("floor: socket");
    set_buffer(SO_RCVBUFFORCE, SO_RCVBUF);
    set_buffer(SO_SNDBUFFORCE, SO_SNDBUF);
    (void)setsockopt(f.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)); /* else one by one */
    if (bind(f.fd, &at->sa, sl_addr_len(at)) || getsockname(f.fd, &bound.sa, &len))
        die("floor: bind");
    for (size_t i = 0; i < RX_MSGS; i++) {
        f.rx_iov[i] = (struct iovec){ f.rx_data[i], RX_MSG_MAX };
        f.rx[i].msg_hdr = (struct msghdr){ .msg_name = &f.rx_from[i],
                                           .msg_iov = &f.rx_iov[i],
                                           .msg_iovlen = 1,
                                           .msg_control = f.rx_control[i] };
    }
    fprintf(stderr, "floor: listening port=%u method=%s profile=%s\n", sl_addr_port(&bound),
            method_names[f.method], profiles[f.profile].name);
}

static void report(void)
{
    uint64_t user, sys;

    cpu_get(&user, &sys);
    user -= f.began_user;
    sys -= f.began_sys;
    printf("{\"bench\":\"floor\",\"method\":\"%s\",\"profile\":\"%s\",\"turns\":%" PRIu64
           ",\"packets_in\":%" PRIu64 ",\"packets_out\":%" PRIu64 ",\"calls\":%" PRIu64
           ",\"messages\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"drops_full\":%" PRIu64
           ",\"drops_other\":%" PRIu64 ",\"user_us\":%" PRIu64 ",\"sys_us\":%" PRIu64
           ",\"us_per_packet\":%.3f}\n",
           method_names[f.method], profiles[f.profile].name, f.turns, f.in, f.out, f.calls,
           f.messages, f.refused, f.drops_full, f.drops_other, user, sys,
           f.out ? (double)(user + sys) / (double)f.out : 0.0);
}

static void run(void) SL_ON_WORKER
{
    struct epoll_event ev = { .events = EPOLLIN };
    struct sigaction sa = { .sa_handler = on_signal };
    int ep = epoll_create1(EPOLL_CLOEXEC);
    sigset_t blocked, open;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, f.fd, &ev))
        die("floor: epoll");
    while (!stop)
        if (epoll_pwait(ep, &ev, 1, -1, &open) > 0)
            turn();
    close(ep);
}

static void usage(void)
{
    fprintf(stderr, "usage: floor --port N [--method sendto|sendmmsg|gso] "
                    "[--profile gcm|sha1_80] [--bind ADDRESS]\n");
    exit(2);
}

static enum method method_by_name(const char *name)
{
    for (size_t i = 0; i < SL_COUNT(method_names); i++)
        if (!strcmp(name, method_names[i]))
            return (enum method)i;
    usage();
    return METHOD_GSO;
}

static size_t profile_by_name(const char *name)
{
    for (size_t i = 0; i < SL_COUNT(profiles); i++)
        if (!strcmp(name, profiles[i].name))
            return i;
    usage();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "bind", required_argument, NULL, 'b' },
        { "method", required_argument, NULL, 'm' },
        { "profile", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    const char *ip = "127.0.0.1";
    struct sl_addr at;
    int c, port = -1;

    f.method = METHOD_GSO;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'p':
            port = atoi(optarg);
            break;
        case 'b':
            ip = optarg;
            break;
        case 'm':
            f.method = method_by_name(optarg);
            break;
        case 's':
            f.profile = profile_by_name(optarg);
            break;
        default:
            usage();
        }
    }
    if (port < 0 || port > 65535 || optind < argc || sl_addr_from_ip(ip, (uint16_t)port, &at))
        usage();
    sl_role_enter(&sl_role_worker);
    if (sl_srtp_init()) {
        fprintf(stderr, "floor: SRTP does not work\n");
        return 1;
    }
    open_socket(&at);
    run();
    report();
    for (size_t i = 0; i < FLOOR_PEER_MAX; i++)
        sl_srtp_destroy(f.peers[i].srtp);
    sl_srtp_fini();
    close(f.fd);
    return 0;
}
