/*
 * rtc_client.h - the client's end of a peer connection over a real loopback socket, UDP or TCP:
 * checks, DTLS, SRTP. For tests of peer and worker, which so meet nothing but bytes.
 *
 * Thread: one, which plays a worker (sl_role_worker): the DTLS and SRTP of the server are used.
 */
#ifndef SL_MOCK_RTC_CLIENT_H
#define SL_MOCK_RTC_CLIENT_H

#include "dtls/dtls.h"
#include "ice/ice.h"
#include "net/net_tcp.h"
#include "srtp/srtp.h"

#define RTC_RECEIVED_MAX 4096
#define RTC_PATIENCE_US  UINT64_C(30000000) /* machines may be busy */

struct rtc_packet {
    uint16_t len;
    bool is_rtcp;
    uint8_t data[1500];
};

struct rtc_client {
    int fd;
    struct sl_frames *frames; /* by TCP: what came; NULL: UDP */
    bool is_closed;           /* by TCP: from the other end */
    struct sl_addr server;
    struct sl_ice_creds remote; /* the server's */
    const struct sl_cert *cert;
    struct sl_dtls *dtls;
    struct sl_srtp *srtp;
    enum sl_dtls_state state;
    uint32_t checks;
    bool checked; /* a check was answered */
    struct rtc_packet *received;
    size_t nreceived;
    size_t unreadable; /* failed authentication or replayed */
};

/* @fp: of the server's certificate. 0 or -errno. */
int rtc_init(struct rtc_client *c, const struct sl_addr *server, const struct sl_ice_creds *remote,
             const struct sl_cert *cert, const struct sl_fingerprint *fp) SL_ON_WORKER;
/* The same by TCP. */
int rtc_init_tcp(struct rtc_client *c, const struct sl_addr *server,
                 const struct sl_ice_creds *remote, const struct sl_cert *cert,
                 const struct sl_fingerprint *fp) SL_ON_WORKER;
void rtc_fini(struct rtc_client *c) SL_ON_WORKER;

/* One nominating check. */
void rtc_check(struct rtc_client *c) SL_ON_WORKER;
/* Takes what comes for up to @ms. */
void rtc_poll(struct rtc_client *c, int ms) SL_ON_WORKER;
/* Checks and handshakes until both ends have keys; false when that fails, or for too long. */
bool rtc_connect(struct rtc_client *c) SL_ON_WORKER;

/* Protects and sends; @len without the room for the tag. */
void rtc_send_rtp(struct rtc_client *c, const uint8_t *pkt, size_t len) SL_ON_WORKER;
void rtc_send_rtcp(struct rtc_client *c, const uint8_t *pkt, size_t len) SL_ON_WORKER;
void rtc_send_raw(struct rtc_client *c, const void *data, size_t len) SL_ON_WORKER;

#endif
