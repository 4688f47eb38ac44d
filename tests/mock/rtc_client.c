#include "tests/mock/rtc_client.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "rtp/rtp_pkt.h"
#include "tests/unit/ice/stun_raw.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_send(void *arg, const uint8_t *data, size_t len)
{
    SL_ASSUME(worker);
    rtc_send_raw(arg, data, len);
}

static void on_state(void *arg, enum sl_dtls_state state)
{
    struct rtc_client *c = arg;
    struct sl_srtp_keys keys;

    SL_ASSUME(worker);
    c->state = state;
    if (state == SL_DTLS_CONNECTED && sl_dtls_keys(c->dtls, &keys) == 0)
        (void)sl_srtp_create(&keys, &c->srtp);
}

static int init(struct rtc_client *c, int type, const struct sl_addr *server,
                const struct sl_ice_creds *remote, const struct sl_cert *cert,
                const struct sl_fingerprint *fp) SL_ON_WORKER
{
    static const struct sl_dtls_cb cb = { .send = on_send, .state = on_state };
    struct sl_addr any;
    int size = 4 << 20;

    memset(c, 0, sizeof(*c));
    c->server = *server;
    c->remote = *remote;
    c->cert = cert;
    c->received = calloc(RTC_RECEIVED_MAX, sizeof(*c->received));
    c->fd = socket(AF_INET, type, 0);
    if (!c->received || c->fd < 0)
        return -errno;
    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)sl_addr_from_ip("127.0.0.1", 0, &any);
    if (bind(c->fd, &any.sa, sl_addr_len(&any)) < 0)
        return -errno;
    return sl_dtls_create(cert, false, fp, 1200, &cb, c, &c->dtls);
}

int rtc_init(struct rtc_client *c, const struct sl_addr *server, const struct sl_ice_creds *remote,
             const struct sl_cert *cert, const struct sl_fingerprint *fp)
{
    return init(c, SOCK_DGRAM, server, remote, cert, fp);
}

int rtc_init_tcp(struct rtc_client *c, const struct sl_addr *server,
                 const struct sl_ice_creds *remote, const struct sl_cert *cert,
                 const struct sl_fingerprint *fp)
{
    int err = init(c, SOCK_STREAM, server, remote, cert, fp);

    if (err)
        return err;
    c->frames = calloc(1, sizeof(*c->frames));
    if (!c->frames || connect(c->fd, &server->sa, sl_addr_len(server)))
        return -errno;
    return 0;
}

void rtc_fini(struct rtc_client *c)
{
    sl_dtls_destroy(c->dtls);
    sl_srtp_destroy(c->srtp);
    free(c->frames);
    free(c->received);
    if (c->fd >= 0)
        close(c->fd);
}

void rtc_send_raw(struct rtc_client *c, const void *data, size_t len)
{
    uint8_t frame[2 + SL_FRAME_MAX];

    if (!c->frames) {
        (void)sendto(c->fd, data, len, 0, &c->server.sa, sl_addr_len(&c->server));
        return;
    }
    sl_put16(frame, (uint16_t)len);
    memcpy(frame + 2, data, len);
    (void)!send(c->fd, frame, 2 + len, MSG_NOSIGNAL);
}

void rtc_check(struct rtc_client *c)
{
    char user[SL_ICE_UFRAG_MAX + 16];
    struct raw_check check = { user, c->remote.pwd, 0x6e0001ff, true, false };
    struct raw r;

    snprintf(user, sizeof(user), "%s:test", c->remote.ufrag);
    raw_check_write(&r, &check, ++c->checks);
    rtc_send_raw(c, r.b, r.n);
}

static void take(struct rtc_client *c, uint8_t *data, size_t len) SL_ON_WORKER
{
    enum sl_demux kind = sl_demux(data, len);
    struct rtc_packet *p;
    int err;

    if (kind == SL_DEMUX_STUN) {
        c->checked = true;
        return;
    }
    if (kind == SL_DEMUX_DTLS) {
        (void)sl_dtls_input(c->dtls, data, len);
        return;
    }
    if (!c->srtp || c->nreceived == RTC_RECEIVED_MAX)
        return;
    err = kind == SL_DEMUX_RTCP ? sl_srtcp_unprotect(c->srtp, data, &len)
                                : sl_srtp_unprotect(c->srtp, data, &len);
    if (err < 0) {
        c->unreadable++;
        return;
    }
    p = &c->received[c->nreceived++];
    p->is_rtcp = kind == SL_DEMUX_RTCP;
    p->len = (uint16_t)len;
    memcpy(p->data, data, len);
}

static void take_frames(struct rtc_client *c) SL_ON_WORKER
{
    uint8_t buf[SL_FRAME_MAX + 64], *data, *at;
    size_t len, room;
    ssize_t n;

    at = sl_frames_room(c->frames, &room);
    n = recv(c->fd, at, room, 0);
    if (n <= 0) {
        c->is_closed = true;
        return;
    }
    sl_frames_add(c->frames, (size_t)n);
    while (sl_frames_next(c->frames, &data, &len) == 1) {
        memcpy(buf, data, len);
        take(c, buf, len);
    }
}

void rtc_poll(struct rtc_client *c, int ms)
{
    uint64_t end_us = sl_now_us() + (uint64_t)ms * 1000;
    struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
    uint8_t buf[2048];

    for (;;) {
        uint64_t now_us = sl_now_us();
        int left = now_us < end_us ? (int)((end_us - now_us + 999) / 1000) : 0;
        ssize_t n;

        if (c->is_closed || poll(&pfd, 1, left) <= 0)
            return;
        if (c->frames) {
            take_frames(c);
            continue;
        }
        n = recv(c->fd, buf, sizeof(buf) - 64, 0);
        if (n > 0)
            take(c, buf, (size_t)n);
        if (sl_now_us() >= end_us)
            return;
    }
}

bool rtc_connect(struct rtc_client *c)
{
    const uint64_t end_us = sl_now_us() + RTC_PATIENCE_US;

    while (!c->checked && sl_now_us() < end_us) {
        rtc_check(c);
        rtc_poll(c, 20);
    }
    sl_dtls_start(c->dtls);
    while (c->state < SL_DTLS_CONNECTED && sl_now_us() < end_us) {
        rtc_poll(c, 5);
        if (sl_dtls_timeout_us(c->dtls) == 0)
            sl_dtls_timeout(c->dtls);
    }
    return c->state == SL_DTLS_CONNECTED && c->srtp;
}

void rtc_send_rtp(struct rtc_client *c, const uint8_t *pkt, size_t len)
{
    uint8_t buf[1600];

    memcpy(buf, pkt, len);
    if (sl_srtp_protect(c->srtp, buf, &len) == 0)
        rtc_send_raw(c, buf, len);
}

void rtc_send_rtcp(struct rtc_client *c, const uint8_t *pkt, size_t len)
{
    uint8_t buf[1600];

    memcpy(buf, pkt, len);
    if (sl_srtcp_protect(c->srtp, buf, &len) == 0)
        rtc_send_raw(c, buf, len);
}
