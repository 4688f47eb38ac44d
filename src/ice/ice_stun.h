/*
 * ice_stun.h - the one place where STUN is coded: libnice's exported STUN library, held to what a
 * server needs of it. There is no STUN codec of our own.
 *
 * Spec:   RFC 5389 (messages, short-term credentials, FINGERPRINT), RFC 8445 sections 7.1 and 7.3.
 * Thread: one; a struct sl_stun holds the request that it read last. Owner: whoever created it.
 * Allocates nothing per message, opens no socket, reads no clock.
 *
 * libnice trusts the lengths of MESSAGE-INTEGRITY and checks nothing without a password; so each
 * message is looked over before libnice sees it, and an empty password is refused.
 */
#ifndef SL_ICE_STUN_H
#define SL_ICE_STUN_H

#include "net/net_addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_STUN_MSG_MAX 1280 /* bytes; a longer request is malformed to us */
#define SL_STUN_REPLY_MAX                                                                          \
    640 /* bytes that any of our answers needs at most (256 unknown attributes) */

/* What became of a message. Only after OK, UNKNOWN_ATTR and NO_PRIORITY is the sender
 * authenticated. */
enum sl_stun_result {
    SL_STUN_OK,           /* an authenticated Binding request */
    SL_STUN_UNKNOWN_ATTR, /* authenticated, with comprehension-required attributes that we do not
                           * know: answer 420 (RFC 5389 section 7.3.1) */
    SL_STUN_NO_PRIORITY,  /* authenticated, without PRIORITY: answer 400 (RFC 8445 section 7.1.1) */
    SL_STUN_MALFORMED,    /* not STUN, or bad lengths, or FINGERPRINT missing or wrong */
    SL_STUN_NOT_REQUEST,  /* a response, an indication (keepalive), or another method */
    SL_STUN_NO_CREDS,     /* a request without USERNAME or MESSAGE-INTEGRITY */
    SL_STUN_UNKNOWN_USER, /* the password callback knows no such user */
    SL_STUN_BAD_INTEGRITY /* MESSAGE-INTEGRITY does not match the password */
};

enum sl_stun_role { SL_STUN_NO_ROLE, SL_STUN_CONTROLLING, SL_STUN_CONTROLLED };

/* The ICE half of a request, valid when its sender is authenticated. */
struct sl_stun_check {
    uint32_t priority;
    bool use_candidate;
    enum sl_stun_role role; /* of the sender */
    uint64_t tie;           /* tie-breaker; 0 without a role */
};

struct sl_stun;

/* The password for @username (not terminated), or NULL: unknown. It must stay until the answer is
 * written. */
typedef const char *(*sl_stun_pwd_fn)(void *arg, const char *username, size_t len);

int sl_stun_create(struct sl_stun **out); /* 0 or -ENOMEM */
void sl_stun_destroy(struct sl_stun *s);

/* Reads one datagram. @data must stay until the answer is written. @out is written when the sender
 * is authenticated. */
enum sl_stun_result sl_stun_read(struct sl_stun *s, const uint8_t *data, size_t len,
                                 sl_stun_pwd_fn pwd, void *arg, struct sl_stun_check *out);

/* Answers to the request read last. Bytes written to @out (at least SL_STUN_REPLY_MAX), or -EINVAL
 * when there is no such request. With MESSAGE-INTEGRITY when the request was authenticated, always
 * with FINGERPRINT. @mapped is where the request came from; v4-mapped addresses are told as IPv4.
 * @code: 400, 401, 420 (with the list of unknown attributes) or 487 (RFC 8445 section 7.3.1.1). */
int sl_stun_write_success(struct sl_stun *s, const struct sl_addr *mapped, uint8_t *out,
                          size_t cap);
int sl_stun_write_error(struct sl_stun *s, int code, uint8_t *out, size_t cap);

#endif
