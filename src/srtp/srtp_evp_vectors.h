/*
 * srtp_evp_vectors.h - published test vectors that libsrtp2 runs when our ciphers are registered.
 *
 * Read-only, any thread. libsrtp2 refuses a cipher without vectors.
 */
#ifndef SL_SRTP_EVP_VECTORS_H
#define SL_SRTP_EVP_VECTORS_H

#include <srtp2/cipher.h>
#include <srtp2/auth.h>

extern const srtp_cipher_test_case_t sl_srtp_vector_icm_128; /* RFC 3711 appendix B.2 */
extern const srtp_cipher_test_case_t sl_srtp_vector_icm_256; /* RFC 6188 section 7.1 */
extern const srtp_cipher_test_case_t sl_srtp_vector_gcm_128; /* RFC 7714 section 16.1.1 */
extern const srtp_cipher_test_case_t sl_srtp_vector_gcm_256; /* RFC 7714 section 16.2.1 */
extern const srtp_auth_test_case_t sl_srtp_vector_hmac;      /* RFC 2202 section 3, case 1 */

#endif
