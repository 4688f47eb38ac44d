#include "dtls/dtls_cert.h"
#include "base/rand.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKDATE_S (24 * 3600)             /* peers whose clock is slow */
#define VALID_S    (10L * 365 * 24 * 3600) /* nobody looks: the fingerprint is what counts */

static int hash_to_text(const X509 *x, char out[96])
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (!X509_digest(x, EVP_sha256(), md, &n) || n != 32)
        return -EIO;
    for (unsigned int i = 0; i < n; i++)
        snprintf(out + 3 * i, 4, "%02X%s", md[i], i + 1 < n ? ":" : "");
    return 0;
}

/* Takes neither @x nor @key. */
static int cert_from(X509 *x, EVP_PKEY *key, struct sl_cert **out)
{
    struct sl_cert *c = calloc(1, sizeof(*c));
    int err = -ENOMEM;

    if (!c)
        return -ENOMEM;
    c->ctx = sl_dtls_ctx_create();
    if (!c->ctx)
        goto fail;
    err = -EINVAL;
    if (SSL_CTX_use_certificate(c->ctx, x) != 1 || SSL_CTX_use_PrivateKey(c->ctx, key) != 1 ||
        SSL_CTX_check_private_key(c->ctx) != 1)
        goto fail;
    err = hash_to_text(x, c->fingerprint);
    if (err)
        goto fail;
    *out = c;
    return 0;

fail:
    sl_cert_destroy(c);
    return err;
}

static int self_sign(X509 *x, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(x);

    /* Two equal serial numbers of one issuer make some stacks refuse the second. */
    if (!X509_set_version(x, X509_VERSION_3) ||
        !ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), sl_rand64() >> 1) ||
        !X509_gmtime_adj(X509_getm_notBefore(x), -BACKDATE_S) ||
        !X509_gmtime_adj(X509_getm_notAfter(x), VALID_S) ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"WebRTC", -1, -1,
                                    0) ||
        !X509_set_issuer_name(x, name) || !X509_set_pubkey(x, key) ||
        !X509_sign(x, key, EVP_sha256()))
        return -EIO;
    return 0;
}

int sl_cert_create(struct sl_cert **out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    int err = x && key ? self_sign(x, key) : -ENOMEM;

    if (!err && cert_from(x, key, out))
        err = -EIO;
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

/* A server must not stop and ask the terminal. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static int file_open(const char *path, BIO **out)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return errno == ENOENT ? -ENOENT : -EINVAL;
    *out = BIO_new_fp(f, BIO_CLOSE);
    if (*out)
        return 0;
    fclose(f);
    return -ENOMEM;
}

int sl_cert_load(const char *cert_file, const char *key_file, struct sl_cert **out)
{
    BIO *cb = NULL, *kb = NULL;
    EVP_PKEY *key = NULL;
    X509 *x = NULL;
    int err = file_open(cert_file, &cb);

    if (!err)
        err = file_open(key_file, &kb);
    if (err)
        goto out;
    err = -EINVAL;
    x = PEM_read_bio_X509(cb, NULL, no_password, NULL);
    key = PEM_read_bio_PrivateKey(kb, NULL, no_password, NULL);
    /* The suites sign with ECDSA or RSA. */
    if (x && key && (EVP_PKEY_is_a(key, "EC") || EVP_PKEY_is_a(key, "RSA")))
        err = cert_from(x, key, out);
out:
    X509_free(x);
    EVP_PKEY_free(key);
    BIO_free(cb);
    BIO_free(kb);
    ERR_clear_error();
    return err;
}

void sl_cert_destroy(struct sl_cert *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}

const char *sl_cert_fingerprint(const struct sl_cert *c)
{
    return c->fingerprint;
}
