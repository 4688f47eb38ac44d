/*
 * stun_raw.h - STUN messages byte by byte, right and wrong ones, for tests and fuzzing. Written
 * from RFC 5389 without libnice, so that the wrapper is tested against something else than itself.
 */
#ifndef SL_TESTS_STUN_RAW_H
#define SL_TESTS_STUN_RAW_H

#include "base/bytes.h"
#include "base/secret.h"
#include <stdlib.h>

#define RAW_USERNAME        0x0006
#define RAW_INTEGRITY       0x0008
#define RAW_ERROR_CODE      0x0009
#define RAW_UNKNOWN         0x000a
#define RAW_XOR_MAPPED      0x0020
#define RAW_PRIORITY        0x0024
#define RAW_USE_CANDIDATE   0x0025
#define RAW_FINGERPRINT     0x8028
#define RAW_ICE_CONTROLLED  0x8029
#define RAW_ICE_CONTROLLING 0x802a

#define RAW_BINDING            0x0001
#define RAW_BINDING_INDICATION 0x0011
#define RAW_BINDING_SUCCESS    0x0101
#define RAW_BINDING_ERROR      0x0111

struct raw {
    uint8_t b[2048];
    size_t n;
};

static inline void raw_init(struct raw *r, uint16_t type, const uint8_t tid[12])
{
    sl_put16(r->b, type);
    sl_put16(r->b + 2, 0);
    sl_put32(r->b + 4, 0x2112A442);
    memcpy(r->b + 8, tid, 12);
    r->n = 20;
}

static inline void raw_attr(struct raw *r, uint16_t type, const void *data, size_t len)
{
    size_t padded = (len + 3) & ~(size_t)3;

    sl_put16(r->b + r->n, type);
    sl_put16(r->b + r->n + 2, (uint16_t)len);
    memset(r->b + r->n + 4, 0, padded);
    if (len)
        memcpy(r->b + r->n + 4, data, len);
    r->n += 4 + padded;
    sl_put16(r->b + 2, (uint16_t)(r->n - 20));
}

static inline void raw_attr32(struct raw *r, uint16_t type, uint32_t v)
{
    uint8_t b[4];

    sl_put32(b, v);
    raw_attr(r, type, b, sizeof(b));
}

static inline void raw_attr64(struct raw *r, uint16_t type, uint64_t v)
{
    uint8_t b[8];

    sl_put64(b, v);
    raw_attr(r, type, b, sizeof(b));
}

/* RFC 5389 section 15.4: over all before it, with the length as if it ended with this attribute. */
static inline void raw_integrity_key(struct raw *r, const void *key, size_t len)
{
    uint8_t mac[20] = { 0 };

    raw_attr(r, RAW_INTEGRITY, mac, sizeof(mac));
    (void)sl_hmac_sha1(key, len, r->b, r->n - 24, mac);
    memcpy(r->b + r->n - 20, mac, sizeof(mac));
}

static inline void raw_integrity(struct raw *r, const char *pwd)
{
    raw_integrity_key(r, pwd, strlen(pwd));
}

static inline uint32_t raw_crc32(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;

    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static inline void raw_fingerprint(struct raw *r)
{
    raw_attr32(r, RAW_FINGERPRINT, 0);
    sl_put32(r->b + r->n - 4, raw_crc32(r->b, r->n - 8) ^ 0x5354554e);
}

/* The value of the first attribute of @type, its length in *@len; NULL: none. */
static inline const uint8_t *raw_find(const uint8_t *b, size_t n, uint16_t type, size_t *len)
{
    for (size_t at = 20; at + 4 <= n;) {
        size_t alen = sl_get16(b + at + 2);

        if (at + 4 + alen > n)
            return NULL;
        if (sl_get16(b + at) == type) {
            *len = alen;
            return b + at + 4;
        }
        at += 4 + ((alen + 3) & ~(size_t)3);
    }
    return NULL;
}

/* Whether MESSAGE-INTEGRITY and FINGERPRINT of a message hold. */
static inline bool raw_is_sealed(const uint8_t *b, size_t n, const char *pwd)
{
    uint8_t copy[2048], mac[20];
    const uint8_t *mi, *fp;
    size_t len, at;

    mi = raw_find(b, n, RAW_INTEGRITY, &len);
    if (!mi || len != 20 || n > sizeof(copy))
        return false;
    at = (size_t)(mi - b) - 4;
    memcpy(copy, b, n);
    sl_put16(copy + 2, (uint16_t)(at + 24 - 20));
    if (sl_hmac_sha1(pwd, strlen(pwd), copy, at, mac) || memcmp(mac, mi, 20) != 0)
        return false;
    fp = raw_find(b, n, RAW_FINGERPRINT, &len);
    return fp && len == 4 && fp + 4 == b + n && sl_get32(fp) == (raw_crc32(b, n - 8) ^ 0x5354554e);
}

struct raw_check {
    const char *user; /* "ours:theirs" */
    const char *pwd;
    uint32_t priority;
    bool nominate;
    bool controlled; /* the sender says that it is controlled */
};

/* A connectivity check as a browser sends it. @nr makes the transaction id. */
static inline void raw_check_write(struct raw *r, const struct raw_check *c, uint32_t nr)
{
    uint8_t tid[12] = { 0 };

    sl_put32(tid + 8, nr);
    raw_init(r, RAW_BINDING, tid);
    raw_attr(r, RAW_USERNAME, c->user, strlen(c->user));
    raw_attr64(r, c->controlled ? RAW_ICE_CONTROLLED : RAW_ICE_CONTROLLING, 0x1122334455667788);
    if (c->nominate)
        raw_attr(r, RAW_USE_CANDIDATE, NULL, 0);
    raw_attr32(r, RAW_PRIORITY, c->priority);
    raw_integrity(r, c->pwd);
    raw_fingerprint(r);
}

#endif
