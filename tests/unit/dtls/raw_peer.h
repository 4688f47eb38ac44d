/*
 * raw_peer.h - one association of ours as server, and a client of plain OpenSSL.
 *
 * Thread: one, in the role of a worker.
 */
#ifndef SL_TEST_RAW_PEER_H
#define SL_TEST_RAW_PEER_H

#include "dtls/dtls.h"
#include <openssl/ssl.h>

struct raw_opts {
    const char *profiles; /* use_srtp of the client; NULL: no extension */
    const char *suites;   /* NULL: the default */
    int version;          /* 0: DTLS 1.2 */
    bool no_cert;
    bool wrong_fp;
    bool our_rsa;
    bool big_hello; /* as long as the browsers' with their X25519MLKEM768 key share */
};

struct raw_peer {
    SSL_CTX *ctx;
    SSL *ssl;
    struct sl_cert *cert;
    struct sl_dtls *d;
    int alert; /* last one the client received: level << 8 | description */
};

void raw_init(struct raw_peer *r, const struct raw_opts *opts);
void raw_fini(struct raw_peer *r);
/* The client's next flight: up to @max records, each a datagram of its own. How many there are. */
size_t raw_flight(struct raw_peer *r, uint8_t (*dgrams)[2048], size_t *lens, size_t max);
/* Both sides until nothing moves. */
void raw_run(struct raw_peer *r);
/* @keys against the client's own export. */
void raw_check_keys(struct raw_peer *r, const struct sl_srtp_keys *keys);

/* Writes a new key and a self-signed certificate as PEM. @kind: "EC", "RSA", "ED25519". */
void raw_pem_write(const char *kind, const char *cert_file, const char *key_file);

#endif
