#include "load_peer.h"

#include "base/clock.h"
#include "tests/bench/floor/floor.h"
#include "tests/unit/ice/stun_raw.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH      64
#define DATAGRAM   2048
#define BUFFER     (16 << 20) /* a generator that waits for its turn loses nothing */
#define CAP_BUFFER (64 << 10)
#define MTU        1200
#define CHECK_US   50000   /* until the first answer: as Chromium */
#define CONSENT_US 4000000 /* RFC 7675: 4 to 6 s */
#define SOON_US    5000

static void send_raw(struct load_peer *p, const void *data, size_t len)
{
    (void)send(p->fd, data, len, MSG_DONTWAIT);
}

static void on_dtls_send(void *arg, const uint8_t *data, size_t len)
{
    send_raw(arg, data, len);
}

static void on_dtls_state(void *arg, enum sl_dtls_state state)
{
    struct load_peer *p = arg;
    struct sl_srtp_keys keys;

    SL_ASSUME(worker);
    if (state == SL_DTLS_CONNECTED && sl_dtls_keys(p->dtls, &keys) == 0 &&
        sl_srtp_create(&keys, &p->srtp) == 0) {
        p->connected_us = sl_now_us();
        p->due_us = 0;
        if (p->conf->data)
            (void)load_data_open(p->conf->data, p);
    }
}

static void on_dtls_data(void *arg, const uint8_t *data, size_t len)
{
    struct load_peer *p = arg;

    SL_ASSUME(worker);
    if (p->conf->data)
        load_data_input(p->conf->data, p, data, len);
}

/* ---- connectivity checks --------------------------------------------------------------------- */

static void send_check(struct load_peer *p, uint64_t now_us)
{
    char user[2 * SL_ICE_UFRAG_MAX + 2];
    struct raw_check check = { user, p->theirs.pwd, 0x6e0001ff, p->controlling, !p->controlling };
    struct raw r;

    snprintf(user, sizeof(user), "%s:%s", p->theirs.ufrag, p->local.creds.ufrag);
    raw_check_write(&r, &check, ++p->nchecks);
    send_raw(p, r.b, r.n);
    p->check_due_us = now_us + (p->checked ? CONSENT_US : CHECK_US);
}

static void send_registration(struct load_peer *p, uint64_t now_us)
{
    send_raw(p, p->reg, p->reg_len);
    p->check_due_us = p->checked ? UINT64_MAX : now_us + CHECK_US;
}

/* To a server that checks us, too (full ICE). Its password is not verified: it is our own server.
 */
static void answer_check(struct load_peer *p, const uint8_t *req, const struct sl_addr *from)
{
    uint8_t mapped[8];
    struct raw r;

    raw_init(&r, RAW_BINDING_SUCCESS, req + 8);
    sl_put16(mapped, 1); /* IPv4 */
    sl_put16(mapped + 2, sl_addr_port(from) ^ 0x2112);
    sl_put32(mapped + 4, ntohl(from->in4.sin_addr.s_addr) ^ 0x2112A442);
    raw_attr(&r, RAW_XOR_MAPPED, mapped, sizeof(mapped));
    raw_integrity(&r, p->local.creds.pwd);
    raw_fingerprint(&r);
    send_raw(p, r.b, r.n);
}

static void on_answered(struct load_peer *p, uint64_t now_us) SL_ON_WORKER
{
    if (p->checked)
        return;
    p->checked = true;
    p->checked_us = now_us;
    p->check_due_us = now_us + CONSENT_US;
    if (p->dtls)
        sl_dtls_start(p->dtls);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void take_registration(struct load_peer *p, const uint8_t *data, size_t len,
                              uint64_t now_us) SL_ON_WORKER
{
    struct floor_reg reg;
    struct sl_srtp_keys keys;

    if (p->srtp || floor_reg_parse(data, len, &reg) < 0 || !(reg.flags & FLOOR_ACK))
        return;
    floor_keys(reg.profile, reg.peer, false, &keys);
    if (sl_srtp_create(&keys, &p->srtp) == 0) {
        p->checked = true;
        p->checked_us = p->connected_us = now_us;
    }
}

static void take(struct load_peer *p, uint8_t *data, size_t len, uint64_t at_ns,
                 uint64_t now_us) SL_ON_WORKER
{
    switch (sl_demux(data, len)) {
    case SL_DEMUX_STUN:
        if (sl_get16(data) == RAW_BINDING) {
            struct sl_addr peer = { 0 };
            socklen_t n = sizeof(peer);

            if (getpeername(p->fd, &peer.sa, &n) == 0)
                answer_check(p, data, &peer);
        } else if (sl_get16(data) == RAW_BINDING_SUCCESS) {
            on_answered(p, now_us);
        }
        return;
    case SL_DEMUX_DTLS:
        if (p->dtls)
            (void)sl_dtls_input(p->dtls, data, len);
        return;
    case SL_DEMUX_RTP:
        if (p->conf->loss > 0 && drand48() < p->conf->loss) {
            p->rx.tally->dropped++;
            return;
        }
        if (!p->srtp || sl_srtp_unprotect(p->srtp, data, &len) < 0)
            p->rx.tally->unreadable += p->srtp != NULL;
        else
            load_rx_packet(&p->rx, data, len, at_ns, now_us);
        return;
    case SL_DEMUX_RTCP:
        if (p->srtp && p->tx && sl_srtcp_unprotect(p->srtp, data, &len) == 0)
            load_tx_feedback(p->tx, data, len);
        return;
    default:
        if (p->reg_len)
            take_registration(p, data, len, now_us);
    }
}

/* When the kernel got it; and what it dropped before it. */
static uint64_t read_control(struct load_peer *p, struct msghdr *m)
{
    uint64_t at_ns = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec ts;
        uint32_t drops;

        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            at_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&drops, CMSG_DATA(c), sizeof(drops));
            p->rx.tally->overflowed += drops - p->overflows;
            p->overflows = drops;
        }
    }
    return at_ns ? at_ns : load_wall_ns();
}

/* One recvmmsg of at most @max datagrams; how many bytes, and in *@n how many datagrams. */
static size_t receive(struct load_peer *p, unsigned int max, int *n) SL_ON_WORKER
{
    static uint8_t data[BATCH][DATAGRAM];
    static uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(4)];
    static struct mmsghdr msgs[BATCH];
    static struct iovec iov[BATCH];
    uint64_t now_us;
    size_t bytes = 0;

    for (unsigned int i = 0; i < max; i++) {
        iov[i] = (struct iovec){ data[i], DATAGRAM };
        msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
                                           .msg_iovlen = 1,
                                           .msg_control = control[i],
                                           .msg_controllen = sizeof(control[i]) };
    }
    *n = recvmmsg(p->fd, msgs, max, MSG_DONTWAIT, NULL);
    now_us = sl_now_us();
    for (int i = 0; i < *n; i++) {
        bytes += msgs[i].msg_len;
        take(p, data[i], msgs[i].msg_len, read_control(p, &msgs[i].msg_hdr), now_us);
    }
    return bytes;
}

/* Reads what a capped link would have let through; the rest waits in a small buffer, or is lost. */
static void receive_capped(struct load_peer *p, uint64_t now_us) SL_ON_WORKER
{
    uint64_t burst = p->read_bps / 80; /* 100 ms, in bytes */
    int n;

    p->read_tokens += (now_us - p->read_at_us) * p->read_bps / 8000000;
    p->read_at_us = now_us;
    if (p->read_tokens > burst)
        p->read_tokens = burst;
    while (p->read_tokens >= MTU) {
        size_t bytes = receive(p, 1, &n);

        if (n <= 0)
            return;
        p->read_tokens -= bytes < p->read_tokens ? bytes : p->read_tokens;
    }
}

static void on_ready(struct load_io *io, uint32_t events)
{
    struct load_peer *p = (struct load_peer *)io;
    uint64_t due;
    int n;

    (void)events;
    SL_ASSUME(worker);
    do
        (void)receive(p, BATCH, &n);
    while (n == BATCH);
    due = p->srtp ? load_rx_due_us(&p->rx) : sl_now_us() + SOON_US;
    if (due < p->due_us)
        p->due_us = due;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_socket(struct load_peer *p)
{
    socklen_t len = sizeof(p->local.addr);
    int size = BUFFER, one = 1;

    p->fd = socket(sl_addr_family(&p->conf->bind), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return -errno;
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
    (void)setsockopt(p->fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
    if (bind(p->fd, &p->conf->bind.sa, sl_addr_len(&p->conf->bind)) < 0 ||
        getsockname(p->fd, &p->local.addr.sa, &len) < 0)
        return -errno;
    return load_loop_add(p->conf->loop, p->fd, &p->io, EPOLLIN);
}

int load_peer_create(const struct load_peer_conf *conf, struct load_tally *tally,
                     struct load_peer **out)
{
    struct load_peer *p = calloc(1, sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    p->io.ready = on_ready;
    p->conf = conf;
    p->fd = -1;
    p->check_due_us = UINT64_MAX;
    p->local.twcc = conf->rx.twcc;
    sl_ice_creds_make(0, &p->local.creds);
    if (conf->cert)
        p->local.fingerprint = sl_cert_fingerprint(conf->cert);
    err = load_rx_init(&p->rx, &conf->rx, tally);
    if (!err)
        err = open_socket(p);
    if (err) {
        load_peer_destroy(p);
        return err;
    }
    *out = p;
    return 0;
}

void load_peer_destroy(struct load_peer *p)
{
    if (!p)
        return;
    if (p->conf->data)
        load_data_close(p->conf->data, p);
    if (p->dtls)
        sl_dtls_close(p->dtls);
    sl_dtls_destroy(p->dtls);
    sl_srtp_destroy(p->srtp);
    load_tx_destroy(p->tx);
    load_rx_fini(&p->rx);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

int load_peer_start(struct load_peer *p, const struct load_remote *r, bool controlling)
{
    static const struct sl_dtls_cb cb = { .send = on_dtls_send,
                                          .state = on_dtls_state,
                                          .data = on_dtls_data };
    int err = load_rx_describe(&p->rx, r->line, r->nlines);

    if (!err)
        err = sl_dtls_create(p->conf->cert, false, &r->fp, MTU, &cb, p, &p->dtls);
    if (err)
        return err;
    p->theirs = r->creds;
    p->controlling = controlling;
    if (connect(p->fd, &r->addr.sa, sl_addr_len(&r->addr)) < 0)
        return -errno;
    send_check(p, sl_now_us());
    p->due_us = p->check_due_us;
    return 0;
}

int load_peer_start_floor(struct load_peer *p, const struct sl_addr *to,
                          const struct floor_reg *reg)
{
    if (connect(p->fd, &to->sa, sl_addr_len(to)) < 0)
        return -errno;
    floor_reg_write(reg, p->reg);
    p->reg_len = FLOOR_REG_LEN;
    send_registration(p, sl_now_us());
    p->due_us = p->check_due_us;
    return 0;
}

void load_peer_cap(struct load_peer *p, uint64_t bps)
{
    int size = CAP_BUFFER;

    (void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    /* Read by the clock, not when something is there. */
    (void)load_loop_change(p->conf->loop, p->fd, &p->io, 0);
    p->read_bps = bps;
    p->read_at_us = sl_now_us();
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The packets of a turn in one call: they reach the server as the train that they are. */
static void send_media(struct load_peer *p, uint64_t now_us) SL_ON_WORKER
{
    static struct load_pkt pkts[LOAD_TRAIN_MAX];
    struct mmsghdr msgs[LOAD_TRAIN_MAX];
    struct iovec iov[LOAD_TRAIN_MAX];
    size_t n;

    while ((n = load_tx_take(p->tx, now_us, pkts)) > 0) {
        unsigned int ready = 0;

        memset(msgs, 0, n * sizeof(msgs[0]));
        for (size_t i = 0; i < n; i++) {
            if (sl_srtp_protect(p->srtp, pkts[i].data, &pkts[i].len) < 0)
                continue;
            iov[ready] = (struct iovec){ pkts[i].data, pkts[i].len };
            msgs[ready].msg_hdr.msg_iov = &iov[ready];
            msgs[ready].msg_hdr.msg_iovlen = 1;
            ready++;
        }
        (void)sendmmsg(p->fd, msgs, ready, MSG_DONTWAIT);
    }
}

static void send_reports(struct load_peer *p, uint64_t now_us) SL_ON_WORKER
{
    uint8_t buf[MTU + SL_SRTCP_OVERHEAD];
    struct sl_writer w = sl_writer_make(buf, MTU);
    size_t len;

    if (p->tx)
        load_tx_reports(p->tx, now_us, &w);
    load_rx_feedback(&p->rx, now_us, &w);
    len = sl_writer_len(&w);
    if (len && sl_srtcp_protect(p->srtp, buf, &len) == 0)
        send_raw(p, buf, len);
}

void load_peer_turn(struct load_peer *p, uint64_t now_us)
{
    uint64_t due = UINT64_MAX;

    if (p->check_due_us <= now_us) {
        if (p->reg_len)
            send_registration(p, now_us);
        else
            send_check(p, now_us);
    }
    if (p->dtls && sl_dtls_timeout_us(p->dtls) == 0)
        sl_dtls_timeout(p->dtls);
    if (p->srtp) {
        if (p->tx) {
            send_media(p, now_us);
            due = load_tx_due_us(p->tx);
        }
        send_reports(p, now_us);
        if (load_rx_due_us(&p->rx) < due)
            due = load_rx_due_us(&p->rx);
    } else if (p->checked) {
        due = now_us + SOON_US;
    }
    if (p->read_bps) {
        receive_capped(p, now_us);
        due = due < now_us + SOON_US ? due : now_us + SOON_US;
    }
    p->due_us = due < p->check_due_us ? due : p->check_due_us;
}
