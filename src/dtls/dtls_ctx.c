#include "dtls/dtls_cert.h"
#include "dtls/dtls_assoc.h"

/* The suites of the browsers with forward secrecy, those that AES-NI makes cheap first. */
#define SUITES                                                                                     \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"

#define GROUPS "X25519:P-256:P-384"

/* In our order of preference: as server OpenSSL picks the first of ours that the client has. */
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

/* Bounds what a peer can make us reassemble; certificates of browsers have 300 bytes. */
#define MAX_CERT_LIST 16384

SSL_CTX *sl_dtls_ctx_create(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());

    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, MAX_CERT_LIST);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, sl_dtls_on_peer_cert, NULL);
    if (!SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(ctx, SUITES) || !SSL_CTX_set1_groups_list(ctx, GROUPS) ||
        SSL_CTX_set_tlsext_use_srtp(ctx, PROFILES) != 0) { /* 0 is success in this one */
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}
