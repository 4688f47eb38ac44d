#include "base/rand.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#define RAND_STEP 65536

void sl_rand_bytes(void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len) {
        size_t n = len < RAND_STEP ? len : RAND_STEP;

        if (RAND_bytes(p, (int)n) != 1) {
            (void)fputs("rand: the system gives no random numbers\n", stderr);
            abort();
        }
        p += n;
        len -= n;
    }
}

uint32_t sl_rand32(void)
{
    uint32_t v;

    sl_rand_bytes(&v, sizeof(v));
    return v;
}

uint64_t sl_rand64(void)
{
    uint64_t v;

    sl_rand_bytes(&v, sizeof(v));
    return v;
}

uint64_t sl_rand52(void)
{
    uint64_t v;

    do
        v = sl_rand64() >> 12;
    while (!v);
    return v;
}

void sl_rand_ice_chars(char *out, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    sl_rand_bytes(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[(uint8_t)out[i] & 63];
    out[n] = '\0';
}
