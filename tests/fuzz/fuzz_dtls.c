/*
 * fuzz_dtls.c - whatever datagrams come, an association neither breaks nor hands out keys before
 * the peer's fingerprint matched. The first byte's lowest bit says whether it is client or server;
 * then come datagrams, each behind its length in 16 bits.
 */
#include "fuzz.h"
#include "base/bytes.h"
#include "dtls/dtls.h"
#include <errno.h>

#define MTU 1200

static struct sl_cert *cert;

struct seen {
    int states;
    enum sl_dtls_state last;
};

static void on_send(void *arg, const uint8_t *data, size_t len)
{
    (void)arg;
    FUZZ_CHECK(data && len > 0 && len <= MTU);
}

static void on_state(void *arg, enum sl_dtls_state state)
{
    struct seen *s = arg;

    s->states++;
    s->last = state;
}

static void on_data(void *arg, const uint8_t *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    FUZZ_CHECK(!"data from a peer without our fingerprint");
}

static struct sl_dtls *association(bool is_server, struct seen *seen)
{
    static const struct sl_dtls_cb cb = { on_send, on_state, on_data };
    const struct sl_fingerprint fp = { .algorithm = "sha-256", .len = 32 }; /* of no certificate */
    struct sl_dtls *d;

    SL_ASSUME(worker);
    if (!cert)
        FUZZ_CHECK(sl_cert_create(&cert) == 0);
    FUZZ_CHECK(sl_dtls_create(cert, is_server, &fp, MTU, &cb, seen, &d) == 0);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_reader r = sl_reader_make(data, size);
    bool is_server = !(sl_read8(&r) & 1);
    struct sl_srtp_keys keys;
    struct seen seen = { 0 };
    struct sl_dtls *d;

    SL_ASSUME(worker);
    d = association(is_server, &seen);
    sl_dtls_start(d);
    while (sl_reader_left(&r) >= 2) {
        size_t len = sl_read16(&r);
        const uint8_t *p;
        int err;

        if (len > sl_reader_left(&r))
            len = sl_reader_left(&r);
        p = sl_read_bytes(&r, len);
        err = sl_dtls_input(d, p, len);
        FUZZ_CHECK(err == 0 || err == -EBADMSG);
        FUZZ_CHECK(sl_dtls_timeout_us(d) >= -1);
    }
    FUZZ_CHECK(sl_dtls_state(d) != SL_DTLS_CONNECTED);
    FUZZ_CHECK(sl_dtls_keys(d, &keys) == -ENOTCONN);
    FUZZ_CHECK(seen.states <= 1 && (!seen.states || seen.last == sl_dtls_state(d)));
    sl_dtls_destroy(d);
    return 0;
}

/* Runs before the first input, in libFuzzer as in the replay. */
__attribute__((constructor)) SL_TSA(no_thread_safety_analysis) static void play_worker(void)
{
    sl_role_enter(&sl_role_worker);
}
