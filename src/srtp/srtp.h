/*
 * srtp.h - SRTP and SRTCP of one peer connection (RFC 3711, RFC 7714).
 *
 * Thread: worker.  Owner: the peer connection.  The only user of libsrtp2, whose ciphers and
 * authentication are replaced with OpenSSL ones at sl_srtp_init (2 to 5 times faster, 6.5 KB per peer
 * instead of 36; checked at start against the library's own output).
 *
 * Nonces: under one key an (SSRC, packet index) is encrypted once. sl_srtp_protect refuses a sequence
 * number it has seen (-EALREADY); resends are RTX or the stored ciphertext.
 */
#ifndef SL_SRTP_H
#define SL_SRTP_H

#include "base/role.h"
#include "dtls/dtls.h"

#define SL_SRTP_OVERHEAD  16 /* bytes that protect adds to RTP at most (GCM tag) */
#define SL_SRTCP_OVERHEAD 20 /* and to RTCP (tag and index) */

/* SSRCs heard from one peer at a time; each costs 0.6 KB and, for all others, a step in a list. */
#define SL_SRTP_SSRC_MAX 1024

struct sl_srtp;

/* Once per process, before threads start. 0 or -EIO (the self check failed, and was logged). */
int sl_srtp_init(void);
void sl_srtp_fini(void);

/* 0; -EINVAL: no such profile; -ENOMEM; -EIO. */
int sl_srtp_create(const struct sl_srtp_keys *keys, struct sl_srtp **out) SL_ON_WORKER;
void sl_srtp_destroy(struct sl_srtp *s) SL_ON_WORKER;

/* Keys that were agreed on elsewhere, the same both ways (the suites AES_CM_128_HMAC_SHA1_80 and _32
 * of RFC 4568 section 6.2). @suite: 80 or 32; @base64: 16 bytes of key and 14 of salt. Whoever gives
 * the same key to two sessions must see to it that they use different SSRCs.
 * 0 or -EINVAL. Any thread. */
int sl_srtp_static_keys(unsigned int suite, const char *base64, struct sl_srtp_keys *out);

/* All in place; the buffer needs OVERHEAD bytes of room after *len. 0, or -EBADMSG (malformed),
 * -EACCES (authentication failed), -EALREADY (replayed, or too old; when sending: this index or
 * SSRC was used up), -ENOBUFS (the peer has SL_SRTP_SSRC_MAX others), -ENOMEM. *len changes on
 * success only; the bytes are undefined after a failure. */
int sl_srtp_protect(struct sl_srtp *s, uint8_t *pkt, size_t *len) SL_ON_WORKER;
int sl_srtp_unprotect(struct sl_srtp *s, uint8_t *pkt, size_t *len) SL_ON_WORKER;
int sl_srtcp_protect(struct sl_srtp *s, uint8_t *pkt, size_t *len) SL_ON_WORKER;
int sl_srtcp_unprotect(struct sl_srtp *s, uint8_t *pkt, size_t *len) SL_ON_WORKER;

/* Forgets the state of one outgoing or incoming SSRC. An SSRC that was sent on is never used again
 * under the same keys: protect refuses it with -EALREADY (a mark of 24 bytes stays). An incoming one
 * loses its replay window: forget it only when nobody takes its packets any more. */
void sl_srtp_forget(struct sl_srtp *s, uint32_t ssrc) SL_ON_WORKER;

#endif
