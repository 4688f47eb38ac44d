#include "base/secret.h"
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

/* Digests have one length and tell nothing about where the texts differ. */
bool sl_secret_is_equal(const char *a, const char *b)
{
    uint8_t da[SHA256_DIGEST_LENGTH], db[SHA256_DIGEST_LENGTH];

    if (!a || !b)
        return false;
    SHA256((const uint8_t *)a, strlen(a), da);
    SHA256((const uint8_t *)b, strlen(b), db);
    return CRYPTO_memcmp(da, db, sizeof(da)) == 0;
}

int sl_hmac_sha1(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[20])
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (key_len > INT_MAX)
        return -EIO;
    if (!HMAC(EVP_sha1(), key_len ? key : "", (int)key_len, data, len, md, &n) || n != 20)
        return -EIO;
    memcpy(out, md, 20);
    return 0;
}

int sl_sha1(const void *data, size_t len, uint8_t out[20])
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (!EVP_Digest(data, len, md, &n, EVP_sha1(), NULL) || n != 20)
        return -EIO;
    memcpy(out, md, 20);
    return 0;
}

void sl_base64_encode(const void *data, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;

    for (; len >= 3; len -= 3, p += 3) {
        *out++ = digits[p[0] >> 2];
        *out++ = digits[(p[0] & 3) << 4 | p[1] >> 4];
        *out++ = digits[(p[1] & 15) << 2 | p[2] >> 6];
        *out++ = digits[p[2] & 63];
    }
    if (len) {
        *out++ = digits[p[0] >> 2];
        *out++ = digits[(p[0] & 3) << 4 | (len == 2 ? p[1] >> 4 : 0)];
        *out++ = len == 2 ? digits[(p[1] & 15) << 2] : '=';
        *out++ = '=';
    }
    *out = '\0';
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int sl_base64_decode(const char *text, void *out, size_t cap)
{
    size_t len = strlen(text), pad = 0, n = 0, want;
    uint8_t *o = out;
    uint32_t acc = 0;

    if (len % 4 || len > INT_MAX)
        return -EINVAL;
    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    want = len / 4 * 3 - pad;
    if (want > cap)
        return -EINVAL;
    for (size_t i = 0; i < len - pad; i++) {
        int d = base64_digit(text[i]);

        if (d < 0)
            return -EINVAL;
        acc = acc << 6 | (uint32_t)d;
        if (i % 4 == 0)
            continue;
        o[n++] = (uint8_t)(acc >> (6 - 2 * (i % 4)));
    }
    /* Bits that stand for nothing are zero in what encoders write. */
    if (pad && (acc & (pad == 1 ? 3 : 15)))
        return -EINVAL;
    return (int)n;
}
