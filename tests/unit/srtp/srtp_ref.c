#define OPENSSL_SUPPRESS_DEPRECATED
#include "srtp_ref.h"
#include "base/bytes.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define E_FLAG 0x80000000u

static size_t key_len(const struct srtp_ref *r)
{
    return r->profile == SL_SRTP_AEAD_AES_256_GCM ? 32 : 16;
}

static bool is_gcm(const struct srtp_ref *r)
{
    return r->profile != SL_SRTP_AES128_CM_SHA1_80;
}

static void aes_cm(const uint8_t *key, size_t klen, const uint8_t iv[16], uint8_t *buf, size_t len)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;

    if (!EVP_EncryptInit_ex(c, klen == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, key, iv) ||
        !EVP_EncryptUpdate(c, buf, &n, buf, (int)len))
        abort();
    EVP_CIPHER_CTX_free(c);
}

static void aes_gcm(const struct srtp_ref *r, int rtcp, const uint8_t iv[12], const uint8_t *aad,
                    size_t aad_len, uint8_t *buf, size_t len)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;

    if (!EVP_EncryptInit_ex(c, key_len(r) == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL,
                            r->key[rtcp], iv) ||
        !EVP_EncryptUpdate(c, NULL, &n, aad, (int)aad_len) ||
        !EVP_EncryptUpdate(c, buf, &n, buf, (int)len) || !EVP_EncryptFinal_ex(c, buf + len, &n) ||
        !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, buf + len))
        abort();
    EVP_CIPHER_CTX_free(c);
}

/* Section 4.3.1 with a key derivation rate of 0: x = label * 2^48 XOR salt; key stream of x * 2^16.
 */
static void derive(const uint8_t *master, size_t klen, size_t slen, uint8_t label, uint8_t *out,
                   size_t len)
{
    uint8_t iv[16] = { 0 };

    memcpy(iv, master + klen, slen);
    iv[7] ^= label;
    memset(out, 0, len);
    aes_cm(master, klen, iv, out, len);
}

void srtp_ref_derive(struct srtp_ref *r, enum sl_srtp_profile profile, const uint8_t *master)
{
    size_t slen;

    memset(r, 0, sizeof(*r));
    r->profile = profile;
    slen = is_gcm(r) ? 12 : 14;
    for (uint8_t t = 0; t < 2; t++) {
        derive(master, key_len(r), slen, (uint8_t)(3 * t), r->key[t], key_len(r));
        derive(master, key_len(r), slen, (uint8_t)(3 * t + 1), r->auth[t], 20);
        derive(master, key_len(r), slen, (uint8_t)(3 * t + 2), r->salt[t], slen);
    }
}

static size_t header_len(const uint8_t *pkt)
{
    size_t n = 12 + 4 * (size_t)(pkt[0] & 15);

    return pkt[0] & 0x10 ? n + 4 + 4 * (size_t)sl_get16(pkt + n + 2) : n;
}

/* Section 4.1.1. @index has 48 bits for RTP, 31 for RTCP. */
static void cm_crypt(const struct srtp_ref *r, int rtcp, uint32_t ssrc, uint64_t index,
                     uint8_t *buf, size_t len)
{
    uint8_t iv[16] = { 0 };
    uint8_t x[16] = { 0 };

    sl_put32(x + 4, ssrc);
    sl_put16(x + 8, (uint16_t)(index >> 32));
    sl_put32(x + 10, (uint32_t)index);
    memcpy(iv, r->salt[rtcp], 14);
    for (int i = 0; i < 16; i++)
        iv[i] ^= x[i];
    aes_cm(r->key[rtcp], 16, iv, buf, len);
}

static void hmac_80(const uint8_t key[20], const uint8_t *data, size_t len, uint8_t *tag)
{
    uint8_t md[20];
    unsigned int n;

    HMAC(EVP_sha1(), key, 20, data, len, md, &n);
    memcpy(tag, md, 10);
}

void srtp_ref_protect(const struct srtp_ref *r, uint32_t roc, uint8_t *pkt, size_t *len)
{
    size_t h = header_len(pkt);
    uint32_t ssrc = sl_get32(pkt + 8);
    uint16_t seq = sl_get16(pkt + 2);

    if (is_gcm(r)) { /* RFC 7714 section 8.1 */
        uint8_t iv[12] = { 0 };

        sl_put32(iv + 2, ssrc);
        sl_put32(iv + 6, roc);
        sl_put16(iv + 10, seq);
        for (int i = 0; i < 12; i++)
            iv[i] ^= r->salt[0][i];
        aes_gcm(r, 0, iv, pkt, h, pkt + h, *len - h);
        *len += 16;
        return;
    }
    cm_crypt(r, 0, ssrc, (uint64_t)roc << 16 | seq, pkt + h, *len - h);
    sl_put32(pkt + *len, roc);
    hmac_80(r->auth[0], pkt, *len + 4, pkt + *len);
    *len += 10;
}

void srtcp_ref_protect(const struct srtp_ref *r, uint32_t index, uint8_t *pkt, size_t *len)
{
    uint32_t ssrc = sl_get32(pkt + 4);

    if (is_gcm(r)) { /* RFC 7714 section 9.1 */
        uint8_t iv[12] = { 0 };
        uint8_t aad[12];

        sl_put32(iv + 2, ssrc);
        sl_put32(iv + 8, index);
        for (int i = 0; i < 12; i++)
            iv[i] ^= r->salt[1][i];
        memcpy(aad, pkt, 8);
        sl_put32(aad + 8, E_FLAG | index);
        aes_gcm(r, 1, iv, aad, sizeof(aad), pkt + 8, *len - 8);
        sl_put32(pkt + *len + 16, E_FLAG | index);
        *len += 20;
        return;
    }
    cm_crypt(r, 1, ssrc, index, pkt + 8, *len - 8);
    sl_put32(pkt + *len, E_FLAG | index);
    *len += 4;
    hmac_80(r->auth[1], pkt, *len, pkt + *len);
    *len += 10;
}
