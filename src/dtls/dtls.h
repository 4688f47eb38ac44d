/*
 * dtls.h - one DTLS association of a peer connection; exports SRTP keys (RFC 5764, RFC 8827).
 *
 * Spec:   RFC 6347 (DTLS 1.2), RFC 5764 (use_srtp), RFC 8842 (a=setup, a=fingerprint)
 * Thread: worker (struct sl_dtls); struct sl_cert is read-only after creation and shared by all.
 * Owner:  the peer connection.  The only user of libssl.
 *
 * Sans I/O: datagrams come in through sl_dtls_input and leave through the `send` callback, one call
 * per datagram, never glued. Time comes as an argument where our code needs it (libssl reads
 * gettimeofday for its own retransmission timer).
 */
#ifndef SL_DTLS_H
#define SL_DTLS_H

#include "base/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before anything in the process uses libcrypto; without it associations work, but each takes
 * 22 KB more (dtls_mem.h). 0, or -EBUSY: too late. */
int sl_dtls_init(void);

/* ---- certificate (any thread, read-only) ----------------------------------------------------- */

struct sl_cert;

/* ECDSA P-256, self-signed, made now. 0, -ENOMEM or -EIO. */
int sl_cert_create(struct sl_cert **out);
/* From PEM files. 0; -ENOENT, -EINVAL (unreadable, or key and certificate do not match). */
int sl_cert_load(const char *cert_file, const char *key_file, struct sl_cert **out);
void sl_cert_destroy(struct sl_cert *c);
/* "27:91:...:3B", SHA-256, 95 characters and a terminator, for a=fingerprint. */
const char *sl_cert_fingerprint(const struct sl_cert *c);

/* ---- fingerprint of the peer ----------------------------------------------------------------- */

struct sl_fingerprint {
    char algorithm[8]; /* "sha-1", "sha-256", "sha-384", "sha-512" */
    uint8_t bytes[64];
    size_t len;
};

/* From the SDP text "sha-256 AB:CD:..." (RFC 8122 section 5). 0 or -EBADMSG. */
int sl_fingerprint_parse(const char *text, struct sl_fingerprint *out);

/* ---- association ----------------------------------------------------------------------------- */

enum sl_srtp_profile {
    SL_SRTP_NONE,
    SL_SRTP_AEAD_AES_128_GCM, /* preferred, RFC 7714 */
    SL_SRTP_AEAD_AES_256_GCM,
    SL_SRTP_AES128_CM_SHA1_80, /* RFC 3711 */
    SL_SRTP_AES128_CM_SHA1_32, /* never over DTLS: static keys only (sl_srtp_static_keys) */
    SL_SRTP_PROFILE_MAX
};
const char *sl_srtp_profile_to_str(enum sl_srtp_profile p);

/* Keying material, master key followed by master salt, per direction (RFC 5764 section 4.2). */
struct sl_srtp_keys {
    enum sl_srtp_profile profile;
    uint8_t local[32 + 14]; /* what we encrypt with */
    uint8_t remote[32 + 14];
    size_t key_len, salt_len;
};

/* In order of life: comparisons with < and > are meant. */
enum sl_dtls_state { SL_DTLS_NEW, SL_DTLS_HANDSHAKE, SL_DTLS_CONNECTED, SL_DTLS_CLOSED, SL_DTLS_FAILED };

struct sl_dtls;

struct sl_dtls_cb {
    /* One datagram to the peer, at most the MTU. Runs inside libssl: call nothing of @d from it. */
    void (*send)(void *arg, const uint8_t *data, size_t len);
    /* State changed: CONNECTED (the peer's fingerprint matched; keys may be exported), CLOSED (the
     * peer's close_notify), FAILED (handshake error, fingerprint mismatch). Called at the end of
     * input/timeout, so destroying @d inside is allowed only when the callback says so: it is not;
     * mark and destroy after the call returned. */
    void (*state)(void *arg, enum sl_dtls_state state);
    /* Application data (SCTP, RFC 8261), one message. May be NULL. */
    void (*data)(void *arg, const uint8_t *data, size_t len);
};

/* @mtu: largest datagram we send, bytes of UDP payload, 256 to 16384. 0 or -ENOMEM.
 * @is_server: a=setup:passive on our side. @fp is what the peer's certificate must hash to; keys are
 * never exported before it did. */
int sl_dtls_create(const struct sl_cert *cert, bool is_server, const struct sl_fingerprint *fp,
                   size_t mtu, const struct sl_dtls_cb *cb, void *arg, struct sl_dtls **out)
    SL_ON_WORKER;
void sl_dtls_destroy(struct sl_dtls *d) SL_ON_WORKER;

/* Client: sends the ClientHello. Server: nothing. */
void sl_dtls_start(struct sl_dtls *d) SL_ON_WORKER;
/* One received datagram. -EBADMSG when it is no DTLS record; counted, harmless. */
int sl_dtls_input(struct sl_dtls *d, const uint8_t *data, size_t len) SL_ON_WORKER;
/* Microseconds until sl_dtls_timeout is due; -1: no retransmission timer runs. Changes with every
 * start, input and timeout. 50 ms at first, doubled up to 3 s; FAILED after 12. */
int64_t sl_dtls_timeout_us(const struct sl_dtls *d) SL_ON_WORKER;
void sl_dtls_timeout(struct sl_dtls *d) SL_ON_WORKER;

enum sl_dtls_state sl_dtls_state(const struct sl_dtls *d);
/* 0; -ENOTCONN when not CONNECTED; -ENOENT when no SRTP profile was agreed; -EIO. */
int sl_dtls_keys(const struct sl_dtls *d, struct sl_srtp_keys *out) SL_ON_WORKER;
/* Application data, one record in one datagram. 0; -ENOTCONN; -EINVAL when empty; -EMSGSIZE when the
 * record would exceed the MTU (37 bytes of overhead with the GCM suites, up to 80 with the CBC ones);
 * -EIO. */
int sl_dtls_send(struct sl_dtls *d, const uint8_t *data, size_t len) SL_ON_WORKER;
/* close_notify (once, and only when connected); the state is CLOSED, without a callback. */
void sl_dtls_close(struct sl_dtls *d) SL_ON_WORKER;

#endif
