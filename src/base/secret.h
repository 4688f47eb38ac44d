/*
 * secret.h - comparing secrets and checking MACs (OpenSSL). Any thread.
 */
#ifndef SL_BASE_SECRET_H
#define SL_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compares two strings without telling by its run time where they differ. NULL equals nothing. */
bool sl_secret_is_equal(const char *a, const char *b);

/* HMAC-SHA1 (RFC 2104); @out gets 20 bytes. 0 or -EIO. */
int sl_hmac_sha1(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[20]);

/* SHA-1 (RFC 3174), for protocols that ask for it (RFC 6455 section 4.2.2). 0 or -EIO. */
int sl_sha1(const void *data, size_t len, uint8_t out[20]);

/* Standard base64 with padding; @out needs 4 * ((len + 2) / 3) + 1 bytes. */
void sl_base64_encode(const void *data, size_t len, char *out);
/* Bytes written (at most 3 * strlen / 4), or -EINVAL. */
int sl_base64_decode(const char *text, void *out, size_t cap);

#endif
