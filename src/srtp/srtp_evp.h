/*
 * srtp_evp.h - OpenSSL ciphers and HMAC for libsrtp2, in the form its public replace calls take.
 *
 * Spec:   RFC 3711 section 4.1.1 (AES counter mode), RFC 7714 (AES-GCM), RFC 2104 (HMAC)
 * Thread: sl_srtp_evp_install/_remove as sl_srtp_init/_fini; the cipher objects live inside an
 * srtp_t and belong to the thread that owns it.
 *
 * A context is keyed once, when libsrtp derives the session keys; a packet changes the IV only.
 */
#ifndef SL_SRTP_EVP_H
#define SL_SRTP_EVP_H

#include <srtp2/cipher.h>
#include <srtp2/auth.h>

/* Fetches the algorithms and registers them with libsrtp2, which runs its own tests on them (our
 * vectors, its vectors, random round trips). After srtp_init. 0 or -EIO. */
int sl_srtp_evp_install(void);
/* Lets the algorithms go. After the last srtp_t and srtp_shutdown. */
void sl_srtp_evp_remove(void);

/* What install registers under @id, or NULL; for tests. */
const srtp_cipher_type_t *sl_srtp_evp_cipher(srtp_cipher_type_id_t id);
const srtp_auth_type_t *sl_srtp_evp_auth(void);

#endif
