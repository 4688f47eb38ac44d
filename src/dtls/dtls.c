#include "dtls/dtls.h"
#include "dtls/dtls_assoc.h"
#include "dtls/dtls_cert.h"
#include "dtls/dtls_mem.h"
#include "base/opt.h"
#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define RECORD_HEADER_LEN 13
#define RECORD_MAX        16384 /* RFC 6347 section 4.1: plaintext of one record */

#define MTU_MIN 256 /* libssl takes no less */
#define MTU_MAX 16384

/* RFC 6347 section 4.2.4.1 starts at 1 s; ICE has just shown that the path works, and a lost flight
 * would cost a join that second. Firefox starts at 50 ms too. libssl gives up after 12 (about 21
 * s). */
#define RETRANSMIT_FIRST_US 50000
#define RETRANSMIT_MAX_US   3000000

/* ---- libssl asks us -------------------------------------------------------------------------- */

static unsigned int next_timer_us(SSL *ssl, unsigned int now_us)
{
    (void)ssl;
    if (!now_us)
        return RETRANSMIT_FIRST_US;
    return now_us * 2 > RETRANSMIT_MAX_US ? RETRANSMIT_MAX_US : now_us * 2;
}

int sl_dtls_on_peer_cert(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sl_dtls *d = SSL_get_app_data(ssl);
    X509 *x = X509_STORE_CTX_get0_cert(store);

    (void)arg;
    d->peer_matched = x && !sl_fingerprint_check(&d->fp, x);
    X509_STORE_CTX_set_error(store, d->peer_matched ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return d->peer_matched;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int ssl_setup(struct sl_dtls *d, const struct sl_cert *cert)
{
    BIO *bio;

    d->ssl = SSL_new(cert->ctx);
    if (!d->ssl)
        return -ENOMEM;
    bio = sl_dtls_bio_create(d);
    if (!bio)
        return -ENOMEM;
    SSL_set_bio(d->ssl, bio, bio); /* takes our one reference for both */
    SSL_set_app_data(d->ssl, d);
    DTLS_set_timer_cb(d->ssl, next_timer_us);
    if (!DTLS_set_link_mtu(d->ssl, (long)d->mtu))
        return -ENOMEM;
    if (d->is_server)
        SSL_set_accept_state(d->ssl);
    else
        SSL_set_connect_state(d->ssl);
    return 0;
}

int sl_dtls_create(const struct sl_cert *cert, bool is_server, const struct sl_fingerprint *fp,
                   size_t mtu, const struct sl_dtls_cb *cb, void *arg, struct sl_dtls **out)
{
    struct sl_dtls *d = calloc(1, sizeof(*d));
    int err;

    if (!d)
        return -ENOMEM;
    d->cb = *cb;
    d->arg = arg;
    d->fp = *fp;
    d->is_server = is_server;
    d->mtu = mtu < MTU_MIN ? MTU_MIN : mtu > MTU_MAX ? MTU_MAX : mtu;
    err = ssl_setup(d, cert);
    ERR_clear_error();
    if (err) {
        sl_dtls_destroy(d);
        return err;
    }
    *out = d;
    return 0;
}

void sl_dtls_destroy(struct sl_dtls *d)
{
    if (!d)
        return;
    assert(!d->depth);
    SSL_free(d->ssl);
    sl_dtls_mem_forget(&d->cold);
    OPENSSL_cleanse(d, sizeof(*d));
    free(d);
}

/* ---- turning the crank ----------------------------------------------------------------------- */

/* libssl's error queue is per thread: what another association left there would look like ours. */
static void enter(struct sl_dtls *d)
{
    ERR_clear_error();
    if (!d->depth++)
        d->outer = sl_dtls_mem_watch(&d->cold);
}

static void leave(struct sl_dtls *d)
{
    ERR_clear_error();
    if (--d->depth)
        return;
    (void)sl_dtls_mem_watch(d->outer);
    /* 33 KB of record buffers; libssl allocates them again when a record comes. */
    if (d->state >= SL_DTLS_CONNECTED)
        SSL_free_buffers(d->ssl);
    if (d->state >= SL_DTLS_CONNECTED && !d->is_chilled) {
        sl_dtls_mem_chill(&d->cold);
        d->is_chilled = true;
    }
}

/* Never from within libssl, so that the callback may send or close. */
static void state_set(struct sl_dtls *d, enum sl_dtls_state state)
{
    if (d->state == state)
        return;
    d->state = state;
    if (d->cb.state)
        d->cb.state(d->arg, state);
}

static bool is_retryable(struct sl_dtls *d, int ret)
{
    int e = SSL_get_error(d->ssl, ret);

    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

static void handshake(struct sl_dtls *d)
{
    int ret;

    d->state = SL_DTLS_HANDSHAKE;
    ret = SSL_do_handshake(d->ssl);
    if (ret != 1) {
        if (!is_retryable(d, ret))
            state_set(d, SL_DTLS_FAILED);
        return;
    }
    /* Application data gets all of it: there libssl counts right, see dtls_bio.c. */
    SSL_set_mtu(d->ssl, (long)d->mtu);
    state_set(d, d->peer_matched ? SL_DTLS_CONNECTED : SL_DTLS_FAILED);
}

static void read_ended(struct sl_dtls *d, int ret)
{
    switch (SSL_get_error(d->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    case SSL_ERROR_ZERO_RETURN:
        SSL_alloc_buffers(d->ssl);
        SSL_shutdown(d->ssl); /* RFC 5246 section 7.2.1: answer with ours */
        state_set(d, SL_DTLS_CLOSED);
        return;
    default:
        state_set(d, SL_DTLS_FAILED);
    }
}

/* A datagram may hold several records. */
static void read_all(struct sl_dtls *d)
{
    uint8_t buf[RECORD_MAX];

    while (d->state == SL_DTLS_CONNECTED) {
        int n = SSL_read(d->ssl, buf, sizeof(buf));

        if (n <= 0) {
            read_ended(d, n);
            return;
        }
        if (d->cb.data)
            d->cb.data(d->arg, buf, (size_t)n);
    }
}

void sl_dtls_start(struct sl_dtls *d)
{
    if (d->is_server || d->state != SL_DTLS_NEW)
        return;
    enter(d);
    handshake(d);
    leave(d);
}

/* RFC 7983 section 7 for the first byte; 0xfeff stands in a first ClientHello, 0xfefd otherwise. */
static bool is_record(const uint8_t *data, size_t len)
{
    return len >= RECORD_HEADER_LEN && data[0] >= 20 && data[0] <= 63 && data[1] == 0xfe;
}

int sl_dtls_input(struct sl_dtls *d, const uint8_t *data, size_t len)
{
    if (!is_record(data, len))
        return -EBADMSG;
    if (d->state > SL_DTLS_CONNECTED || (d->state == SL_DTLS_NEW && !d->is_server))
        return 0;
    enter(d);
    d->in = data;
    d->in_len = len;
    if (d->state != SL_DTLS_CONNECTED)
        handshake(d);
    read_all(d);
    d->in = NULL;
    d->in_len = 0;
    leave(d);
    return 0;
}

int64_t sl_dtls_timeout_us(const struct sl_dtls *d)
{
    struct timeval tv;

    if (d->state != SL_DTLS_HANDSHAKE || !DTLSv1_get_timeout(d->ssl, &tv))
        return -1;
    return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

void sl_dtls_timeout(struct sl_dtls *d)
{
    if (d->state != SL_DTLS_HANDSHAKE)
        return;
    enter(d);
    if (DTLSv1_handle_timeout(d->ssl) < 0)
        state_set(d, SL_DTLS_FAILED);
    leave(d);
}

/* ---- connected ------------------------------------------------------------------------------- */

int sl_dtls_send(struct sl_dtls *d, const uint8_t *data, size_t len)
{
    int ret;

    if (d->state != SL_DTLS_CONNECTED)
        return -ENOTCONN;
    if (!len)
        return -EINVAL;
    if (len > DTLS_get_data_mtu(d->ssl))
        return -EMSGSIZE;
    enter(d);
    /* Writing into freed buffers would crash: libssl allocates them for reading only. */
    ret = SSL_alloc_buffers(d->ssl) ? SSL_write(d->ssl, data, (int)len) : 0;
    leave(d);
    return ret > 0 ? 0 : -EIO;
}

void sl_dtls_close(struct sl_dtls *d)
{
    if (d->state >= SL_DTLS_CLOSED)
        return;
    enter(d);
    if (d->state == SL_DTLS_CONNECTED && SSL_alloc_buffers(d->ssl))
        SSL_shutdown(d->ssl);
    d->state = SL_DTLS_CLOSED;
    leave(d);
}

enum sl_dtls_state sl_dtls_state(const struct sl_dtls *d)
{
    return d->state;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* RFC 5764 section 4.1.2, RFC 7714 section 14.2. */
static const struct profile {
    unsigned long id;
    size_t key_len, salt_len;
    const char *name;
} profiles[SL_SRTP_PROFILE_MAX] = {
    [SL_SRTP_NONE] = { 0, 0, 0, "none" },
    [SL_SRTP_AEAD_AES_128_GCM] = { SRTP_AEAD_AES_128_GCM, 16, 12, "AEAD_AES_128_GCM" },
    [SL_SRTP_AEAD_AES_256_GCM] = { SRTP_AEAD_AES_256_GCM, 32, 12, "AEAD_AES_256_GCM" },
    [SL_SRTP_AES128_CM_SHA1_80] = { SRTP_AES128_CM_SHA1_80, 16, 14, "AES128_CM_SHA1_80" },
    [SL_SRTP_AES128_CM_SHA1_32] = { SRTP_AES128_CM_SHA1_32, 16, 14, "AES128_CM_SHA1_32" },
};

const char *sl_srtp_profile_to_str(enum sl_srtp_profile p)
{
    return p < SL_SRTP_PROFILE_MAX ? profiles[p].name : "unknown";
}

static enum sl_srtp_profile profile_agreed(SSL *ssl)
{
    SRTP_PROTECTION_PROFILE *sel = SSL_get_selected_srtp_profile(ssl);

    for (int p = SL_SRTP_NONE + 1; sel && p < SL_SRTP_PROFILE_MAX; p++)
        if (profiles[p].id == sel->id)
            return (enum sl_srtp_profile)p;
    return SL_SRTP_NONE;
}

int sl_dtls_keys(const struct sl_dtls *d, struct sl_srtp_keys *out)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    enum sl_srtp_profile which;
    struct sl_srtp_keys keys = { 0 };
    uint8_t raw[2 * sizeof(keys.local)];
    uint8_t *client = d->is_server ? keys.remote : keys.local;
    uint8_t *server = d->is_server ? keys.local : keys.remote;
    size_t k, s;
    int ok;

    if (d->state != SL_DTLS_CONNECTED || !d->peer_matched)
        return -ENOTCONN;
    which = profile_agreed(d->ssl);
    if (which == SL_SRTP_NONE)
        return -ENOENT;
    keys.profile = which;
    keys.key_len = k = profiles[which].key_len;
    keys.salt_len = s = profiles[which].salt_len;
    ok = SSL_export_keying_material(d->ssl, raw, 2 * (k + s), label, sizeof(label) - 1, NULL, 0, 0);
    ERR_clear_error();
    if (ok == 1) {
        /* RFC 5764 section 4.2: both keys, then both salts, the client's first. */
        memcpy(client, raw, k);
        memcpy(server, raw + k, k);
        memcpy(client + k, raw + 2 * k, s);
        memcpy(server + k, raw + 2 * k + s, s);
        *out = keys;
    }
    OPENSSL_cleanse(raw, sizeof(raw));
    OPENSSL_cleanse(&keys, sizeof(keys));
    return ok == 1 ? 0 : -EIO;
}
