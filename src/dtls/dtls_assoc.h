/*
 * dtls_assoc.h - the association as the files of src/dtls share it.
 *
 * Thread: worker.
 */
#ifndef SL_DTLS_ASSOC_H
#define SL_DTLS_ASSOC_H

#include "dtls/dtls.h"
#include <openssl/ssl.h>

struct sl_dtls {
    /* Given, outlive us. */
    struct sl_dtls_cb cb;
    void *arg;
    struct sl_fingerprint fp;
    bool is_server;
    size_t mtu; /* largest datagram, UDP payload */
    /* Owned. */
    SSL *ssl;
    /* The one datagram being read; NULL outside sl_dtls_input. */
    const uint8_t *in;
    size_t in_len;
    enum sl_dtls_state state;
    bool peer_matched;           /* the fingerprint did */
    bool is_chilled;             /* what the handshake needed was given back */
    int depth;                   /* inside our calls: destroying is a bug */
    struct sl_dtls_cold *cold;   /* libssl's handshake buffer */
    struct sl_dtls_cold **outer; /* of an association whose callback called us */
};

/* SSL_CTX_set_cert_verify_callback: 1 when the peer's certificate hashes to the association's
 * fingerprint; else 0, and the peer gets a bad_certificate alert. */
int sl_dtls_on_peer_cert(X509_STORE_CTX *store, void *arg);

/* A BIO between @d->in, @d->cb.send and libssl, one datagram per read and write. NULL: no memory.
 */
BIO *sl_dtls_bio_create(struct sl_dtls *d);

#endif
