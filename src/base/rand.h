/*
 * rand.h - cryptographic random numbers (OpenSSL RAND_bytes). Any thread. Never fail: a process
 * without randomness aborts.
 */
#ifndef SL_BASE_RAND_H
#define SL_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void sl_rand_bytes(void *buf, size_t len);
uint32_t sl_rand32(void);
uint64_t sl_rand64(void);
/* 1 .. 2^52-1: the ids of sessions, handles and participants (exact in JavaScript numbers). */
uint64_t sl_rand52(void);
/* @n characters of the ice-char alphabet (RFC 8839 section 5.4: letters, digits, '+', '/') and a
 * terminator. */
void sl_rand_ice_chars(char *out, size_t n);

#endif
