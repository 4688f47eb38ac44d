/*
 * dtls_cert.h - what a certificate is made of; inside src/dtls only.
 *
 * Thread: any; read-only after creation (an SSL_CTX may be shared by SSL_new calls of many
 * threads).
 */
#ifndef SL_DTLS_CERT_H
#define SL_DTLS_CERT_H

#include "dtls/dtls.h"
#include <openssl/ssl.h>

struct sl_cert {
    SSL_CTX *ctx;
    char fingerprint[96];
};

/* 0 when the DER of @x hashes to @fp; -EACCES when it does not; -EINVAL: unknown algorithm. */
int sl_fingerprint_check(const struct sl_fingerprint *fp, const X509 *x);

/* An SSL_CTX with our versions, suites, groups and profiles, without a certificate. The peer's
 * certificate goes to sl_dtls_on_peer_cert. NULL on failure. */
SSL_CTX *sl_dtls_ctx_create(void);

#endif
