#include "dtls/dtls_assoc.h"
#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int bio_write(BIO *b, const char *data, int len)
{
    struct sl_dtls *d = BIO_get_data(b);

    if (len > 0)
        d->cb.send(d->arg, (const uint8_t *)data, (size_t)len);
    return len; /* a datagram that the network lost is not an error */
}

static int bio_read(BIO *b, char *out, int cap)
{
    struct sl_dtls *d = BIO_get_data(b);
    size_t n = d->in_len;

    BIO_clear_retry_flags(b);
    if (!d->in) {
        BIO_set_retry_read(b);
        return -1;
    }
    if (n > (size_t)cap)
        n = (size_t)cap; /* as recv does; the record does not authenticate then */
    memcpy(out, d->in, n);
    d->in = NULL;
    d->in_len = 0;
    return (int)n;
}

/* libssl 3.0 packs handshake records up to the MTU without counting what AEAD suites add to them
 * (8 bytes of nonce, 16 of tag: 536 bytes were sent at an MTU of 512), so we call that overhead of
 * the link. Our MTU is the UDP payload already. */
#define AEAD_EXPANSION 24

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    if (cmd == BIO_CTRL_DGRAM_GET_MTU_OVERHEAD)
        return AEAD_EXPANSION;
    return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static void method_make(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice datagrams");

    if (!m)
        return;
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    method = m;
}

BIO *sl_dtls_bio_create(struct sl_dtls *d)
{
    BIO *b;

    pthread_once(&method_once, method_make);
    b = method ? BIO_new(method) : NULL;
    if (b) {
        BIO_set_data(b, d);
        BIO_set_init(b, 1);
    }
    return b;
}
