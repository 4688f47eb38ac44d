#include "raw_peer.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static EVP_PKEY *key_new(const char *kind)
{
    if (!strcmp(kind, "EC"))
        return EVP_EC_gen("P-256");
    return !strcmp(kind, "RSA") ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static X509 *x509_new(EVP_PKEY *key, bool own_hash)
{
    X509 *x = X509_new();

    assert_true(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL);
    assert_true(X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL);
    assert_true(X509_set_pubkey(x, key));
    assert_true(X509_sign(x, key, own_hash ? NULL : EVP_sha256()));
    return x;
}

void raw_pem_write(const char *kind, const char *cert_file, const char *key_file)
{
    EVP_PKEY *key = key_new(kind);
    X509 *x = x509_new(key, !strcmp(kind, "ED25519"));
    FILE *f = fopen(cert_file, "w");

    assert_true(f && PEM_write_X509(f, x));
    fclose(f);
    f = fopen(key_file, "w");
    assert_true(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void on_send(void *arg, const uint8_t *data, size_t len)
{
    struct raw_peer *r = arg;

    BIO_write(SSL_get_rbio(r->ssl), data, (int)len);
}

static void on_info(const SSL *ssl, int where, int ret)
{
    struct raw_peer *r = SSL_get_app_data(ssl);

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        r->alert = ret;
}

static int verify_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* 1413 bytes of ClientHello have Chromium's; OpenSSL 3.0 has no large key share, but ALPN. */
static void hello_inflate(SSL_CTX *ctx)
{
    uint8_t alpn[1200];

    for (size_t i = 0; i < sizeof(alpn); i += 100) {
        memset(alpn + i, 'x', 100);
        alpn[i] = 99;
    }
    assert_int_equal(SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn)), 0);
}

static void client_new(struct raw_peer *r, const struct raw_opts *opts, struct sl_fingerprint *fp)
{
    int version = opts->version ? opts->version : DTLS1_2_VERSION;
    EVP_PKEY *key = key_new("EC");
    X509 *x = x509_new(key, false);
    unsigned int n;

    r->ctx = SSL_CTX_new(DTLS_client_method());
    assert_non_null(r->ctx);
    SSL_CTX_set_min_proto_version(r->ctx, version);
    SSL_CTX_set_max_proto_version(r->ctx, version);
    SSL_CTX_set_cert_verify_callback(r->ctx, verify_any, NULL);
    if (opts->suites)
        assert_int_equal(SSL_CTX_set_cipher_list(r->ctx, opts->suites), 1);
    if (opts->profiles)
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(r->ctx, opts->profiles), 0);
    if (!opts->no_cert) {
        assert_int_equal(SSL_CTX_use_certificate(r->ctx, x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(r->ctx, key), 1);
    }
    SSL_CTX_set_info_callback(r->ctx, on_info);
    if (opts->big_hello)
        hello_inflate(r->ctx);
    r->ssl = SSL_new(r->ctx);
    SSL_set_app_data(r->ssl, r);
    SSL_set_bio(r->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(r->ssl), -1);
    SSL_set_options(r->ssl, SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(r->ssl, opts->big_hello ? 1200 : 1400);
    SSL_set_connect_state(r->ssl);

    memcpy(fp->algorithm, "sha-256", 8);
    fp->len = 32;
    assert_true(X509_digest(x, EVP_sha256(), fp->bytes, &n));
    fp->bytes[31] ^= opts->wrong_fp;
    X509_free(x);
    EVP_PKEY_free(key);
}

static void cert_rsa(struct sl_cert **out)
{
    char c[] = "/tmp/sluice-cert-XXXXXX", k[] = "/tmp/sluice-key-XXXXXX";
    int cfd = mkstemp(c), kfd = mkstemp(k);

    assert_true(cfd >= 0 && kfd >= 0);
    raw_pem_write("RSA", c, k);
    assert_int_equal(sl_cert_load(c, k, out), 0);
    close(cfd);
    close(kfd);
    unlink(c);
    unlink(k);
}

void raw_init(struct raw_peer *r, const struct raw_opts *opts)
{
    static const struct sl_dtls_cb cb = { on_send, NULL, NULL };
    struct sl_fingerprint fp = { 0 };

    SL_ASSUME(worker);
    memset(r, 0, sizeof(*r));
    client_new(r, opts, &fp);
    if (opts->our_rsa)
        cert_rsa(&r->cert);
    else
        assert_int_equal(sl_cert_create(&r->cert), 0);
    assert_int_equal(sl_dtls_create(r->cert, true, &fp, 1400, &cb, r, &r->d), 0);
}

void raw_fini(struct raw_peer *r)
{
    SL_ASSUME(worker);
    sl_dtls_destroy(r->d);
    sl_cert_destroy(r->cert);
    SSL_free(r->ssl);
    SSL_CTX_free(r->ctx);
    ERR_clear_error();
}

size_t raw_flight(struct raw_peer *r, uint8_t (*dgrams)[2048], size_t *lens, size_t max)
{
    uint8_t buf[16384];
    size_t n = 0;
    int got, at = 0;

    SSL_do_handshake(r->ssl);
    ERR_clear_error();
    got = BIO_read(SSL_get_wbio(r->ssl), buf, sizeof(buf));
    for (; at + 13 <= got && n < max; n++) { /* the memory BIO glued them together */
        lens[n] = 13u + (size_t)(buf[at + 11] << 8 | buf[at + 12]);
        memcpy(dgrams[n], buf + at, lens[n]);
        at += (int)lens[n];
    }
    assert_int_equal(at, got);
    return n;
}

void raw_run(struct raw_peer *r)
{
    SL_ASSUME(worker);
    for (int turn = 0; turn < 20; turn++) {
        uint8_t buf[16384];
        int n;

        if (SSL_do_handshake(r->ssl) == 1)
            SSL_read(r->ssl, buf, sizeof(buf));
        ERR_clear_error();
        n = BIO_read(SSL_get_wbio(r->ssl), buf, sizeof(buf));
        if (n > 0)
            assert_int_equal(sl_dtls_input(r->d, buf, (size_t)n), 0);
    }
}

void raw_check_keys(struct raw_peer *r, const struct sl_srtp_keys *keys)
{
    size_t k = keys->key_len, s = keys->salt_len;
    uint8_t raw[92];

    assert_int_equal(
        SSL_export_keying_material(r->ssl, raw, 2 * (k + s), "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
        1);
    assert_memory_equal(keys->remote, raw, k);
    assert_memory_equal(keys->local, raw + k, k);
    assert_memory_equal(keys->remote + k, raw + 2 * k, s);
    assert_memory_equal(keys->local + k, raw + 2 * k + s, s);
}
