#include "srtp/srtp_evp.h"
#include "srtp/srtp_evp_vectors.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ICM_SALT_LEN      14
#define GCM_SALT_LEN      12 /* libsrtp counts it in the key length, and mixes it into the IV itself */
#define GCM_TAG_LEN       16
#define GCM_SHORT_TAG_LEN 8

enum { ALG_ICM_128, ALG_ICM_256, ALG_GCM_128, ALG_GCM_256, ALG_MAX };

struct alg {
    const char *name; /* for EVP_CIPHER_fetch */
    int key_len;      /* AES key, bytes */
    int total_len;    /* what libsrtp calls the key length: with the salt */
    EVP_CIPHER *evp;  /* fetched once: a fetch by name takes a lock and a search */
};

static struct alg algs[ALG_MAX] = {
    [ALG_ICM_128] = { "AES-128-CTR", 16, 16 + ICM_SALT_LEN, NULL },
    [ALG_ICM_256] = { "AES-256-CTR", 32, 32 + ICM_SALT_LEN, NULL },
    [ALG_GCM_128] = { "AES-128-GCM", 16, 16 + GCM_SALT_LEN, NULL },
    [ALG_GCM_256] = { "AES-256-GCM", 32, 32 + GCM_SALT_LEN, NULL },
};

static const srtp_cipher_type_t types[ALG_MAX];

/* One allocation holds what libsrtp sees and our state. */
struct evp_cipher {
    srtp_cipher_t pub;
    const struct alg *alg;
    EVP_CIPHER_CTX *ctx;
    int tag_len;
    uint8_t salt[16]; /* ICM: the session salt, shifted left by 16 bits */
};

static srtp_err_status_t evp_alloc(srtp_cipher_t **out, int key_len, int tag_len, size_t which)
{
    struct evp_cipher *c;

    if (key_len != algs[which].total_len || !algs[which].evp)
        return srtp_err_status_bad_param;
    c = calloc(1, sizeof(*c));
    if (!c)
        return srtp_err_status_alloc_fail;
    c->ctx = EVP_CIPHER_CTX_new();
    if (!c->ctx) {
        free(c);
        return srtp_err_status_alloc_fail;
    }
    c->alg = &algs[which];
    c->tag_len = tag_len;
    c->pub.type = &types[which];
    c->pub.state = c;
    c->pub.key_len = key_len;
    c->pub.algorithm = (int)types[which].id;
    *out = &c->pub;
    return srtp_err_status_ok;
}

static srtp_err_status_t icm_128_alloc(srtp_cipher_t **out, int key_len, int tag_len)
{
    return evp_alloc(out, key_len, tag_len, ALG_ICM_128);
}

static srtp_err_status_t icm_256_alloc(srtp_cipher_t **out, int key_len, int tag_len)
{
    return evp_alloc(out, key_len, tag_len, ALG_ICM_256);
}

/* Sessions use full tags (RFC 7714 section 13.1); libsrtp's own tests use short ones too. */
static bool tag_is_known(int tag_len)
{
    return tag_len == GCM_TAG_LEN || tag_len == GCM_SHORT_TAG_LEN;
}

static srtp_err_status_t gcm_128_alloc(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (!tag_is_known(tag_len))
        return srtp_err_status_bad_param;
    return evp_alloc(out, key_len, tag_len, ALG_GCM_128);
}

static srtp_err_status_t gcm_256_alloc(srtp_cipher_t **out, int key_len, int tag_len)
{
    if (!tag_is_known(tag_len))
        return srtp_err_status_bad_param;
    return evp_alloc(out, key_len, tag_len, ALG_GCM_256);
}

static srtp_err_status_t evp_dealloc(srtp_cipher_t *cp)
{
    struct evp_cipher *c = cp->state;

    EVP_CIPHER_CTX_free(c->ctx);
    OPENSSL_cleanse(c, sizeof(*c));
    free(c);
    return srtp_err_status_ok;
}

static srtp_err_status_t evp_init(void *state, const uint8_t *key)
{
    struct evp_cipher *c = state;

    if (!EVP_CipherInit_ex2(c->ctx, c->alg->evp, key, NULL, 1, NULL))
        return srtp_err_status_init_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t icm_init(void *state, const uint8_t *key)
{
    struct evp_cipher *c = state;

    memcpy(c->salt, key + c->alg->key_len, ICM_SALT_LEN);
    c->salt[14] = c->salt[15] = 0;
    return evp_init(state, key);
}

/* RFC 3711 section 4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16); libsrtp gives the
 * latter two. Encryption and decryption are the same. */
static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t dir)
{
    struct evp_cipher *c = state;
    uint8_t counter[16];

    (void)dir;
    for (size_t i = 0; i < sizeof(counter); i++)
        counter[i] = iv[i] ^ c->salt[i];
    if (!EVP_CipherInit_ex2(c->ctx, NULL, NULL, counter, 1, NULL))
        return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct evp_cipher *c = state;
    int n = 0;

    if (!EVP_CipherUpdate(c->ctx, buf, &n, buf, (int)*len))
        return srtp_err_status_cipher_fail;
    *len = (unsigned int)n;
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t dir)
{
    struct evp_cipher *c = state;

    if (!EVP_CipherInit_ex2(c->ctx, NULL, NULL, iv, dir == srtp_direction_encrypt, NULL))
        return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

/* libsrtp calls it twice for SRTCP: header, then E flag and index. */
static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t len)
{
    struct evp_cipher *c = state;
    int n;

    if (!EVP_CipherUpdate(c->ctx, NULL, &n, aad, (int)len))
        return srtp_err_status_algo_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct evp_cipher *c = state;
    uint8_t rest[GCM_TAG_LEN];
    int n = 0;

    if ((*len && !EVP_CipherUpdate(c->ctx, buf, &n, buf, (int)*len)) ||
        !EVP_CipherFinal_ex(c->ctx, rest, &n))
        return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *len)
{
    struct evp_cipher *c = state;

    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, (size_t)c->tag_len),
        OSSL_PARAM_END,
    };

    if (!EVP_CIPHER_CTX_get_params(c->ctx, params))
        return srtp_err_status_algo_fail;
    *len = (uint32_t)c->tag_len;
    return srtp_err_status_ok;
}

/* @buf ends with the tag. On failure libsrtp drops the packet, so nobody reads the plaintext. */
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct evp_cipher *c = state;
    uint8_t rest[GCM_TAG_LEN];
    unsigned int text_len;
    int n = 0;

    if (*len < (unsigned int)c->tag_len)
        return srtp_err_status_bad_param;
    text_len = *len - (unsigned int)c->tag_len;
    if (!EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, c->tag_len, buf + text_len))
        return srtp_err_status_algo_fail;
    if ((text_len && !EVP_CipherUpdate(c->ctx, buf, &n, buf, (int)text_len)) ||
        !EVP_CipherFinal_ex(c->ctx, rest, &n))
        return srtp_err_status_auth_fail;
    *len = text_len;
    return srtp_err_status_ok;
}

static const srtp_cipher_type_t types[ALG_MAX] = {
    [ALG_ICM_128] = { icm_128_alloc, evp_dealloc, icm_init, NULL, icm_crypt, icm_crypt, icm_set_iv,
                      NULL, "AES-128 counter mode (OpenSSL)", &sl_srtp_vector_icm_128,
                      SRTP_AES_ICM_128 },
    [ALG_ICM_256] = { icm_256_alloc, evp_dealloc, icm_init, NULL, icm_crypt, icm_crypt, icm_set_iv,
                      NULL, "AES-256 counter mode (OpenSSL)", &sl_srtp_vector_icm_256,
                      SRTP_AES_ICM_256 },
    [ALG_GCM_128] = { gcm_128_alloc, evp_dealloc, evp_init, gcm_set_aad, gcm_encrypt, gcm_decrypt,
                      gcm_set_iv, gcm_get_tag, "AES-128 GCM (OpenSSL)", &sl_srtp_vector_gcm_128,
                      SRTP_AES_GCM_128 },
    [ALG_GCM_256] = { gcm_256_alloc, evp_dealloc, evp_init, gcm_set_aad, gcm_encrypt, gcm_decrypt,
                      gcm_set_iv, gcm_get_tag, "AES-256 GCM (OpenSSL)", &sl_srtp_vector_gcm_256,
                      SRTP_AES_GCM_256 },
};

const srtp_cipher_type_t *sl_srtp_evp_cipher(srtp_cipher_type_id_t id)
{
    for (size_t i = 0; i < ALG_MAX; i++)
        if (types[i].id == id)
            return &types[i];
    return NULL;
}

void sl_srtp_evp_remove(void)
{
    for (size_t i = 0; i < ALG_MAX; i++) {
        EVP_CIPHER_free(algs[i].evp);
        algs[i].evp = NULL;
    }
}

int sl_srtp_evp_install(void)
{
    for (size_t i = 0; i < ALG_MAX; i++) {
        algs[i].evp = EVP_CIPHER_fetch(NULL, algs[i].name, NULL);
        if (!algs[i].evp || srtp_replace_cipher_type(&types[i], types[i].id))
            return -EIO;
    }
    return srtp_replace_auth_type(sl_srtp_evp_auth(), SRTP_HMAC_SHA1) ? -EIO : 0;
}
