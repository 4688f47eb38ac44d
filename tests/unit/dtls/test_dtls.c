#include "dtls_pair.h"
#include "raw_peer.h"
#include "base/opt.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- our ends among themselves --------------------------------------------------------------- */

static void connect_pair(struct dtls_pair *p, const struct dtls_opts *opts)
{
    SL_ASSUME(worker);
    pair_init(p, opts);
    sl_dtls_start(p->end[SERVER].d);
    assert_int_equal(sl_dtls_state(p->end[SERVER].d), SL_DTLS_NEW);
    sl_dtls_start(p->end[CLIENT].d);
    pair_settle(p);
}

static void connects_and_tells_once(void **state)
{
    struct dtls_pair p;

    (void)state;
    connect_pair(&p, NULL);
    assert_true(pair_is_up(&p));
    for (int i = 0; i < 2; i++) {
        SL_ASSUME(worker);
        assert_int_equal(p.end[i].nstates, 1);
        assert_int_equal(p.end[i].states[0], SL_DTLS_CONNECTED);
        assert_int_equal(sl_dtls_timeout_us(p.end[i].d), -1);
    }
    pair_fini(&p);
}

static void both_ends_export_mirrored_keys(void **state)
{
    struct sl_srtp_keys c, s;
    struct dtls_pair p;

    (void)state;
    SL_ASSUME(worker);
    pair_init(&p, NULL);
    assert_int_equal(sl_dtls_keys(p.end[CLIENT].d, &c), -ENOTCONN);
    pair_fini(&p);

    connect_pair(&p, NULL);
    assert_int_equal(sl_dtls_keys(p.end[CLIENT].d, &c), 0);
    assert_int_equal(sl_dtls_keys(p.end[SERVER].d, &s), 0);
    assert_int_equal(c.profile, SL_SRTP_AEAD_AES_128_GCM);
    assert_int_equal(s.profile, SL_SRTP_AEAD_AES_128_GCM);
    assert_int_equal(c.key_len, 16);
    assert_int_equal(c.salt_len, 12);
    assert_memory_equal(c.local, s.remote, sizeof(c.local));
    assert_memory_equal(c.remote, s.local, sizeof(c.local));
    assert_memory_not_equal(c.local, c.remote, 28);
    pair_fini(&p);
}

static void refuses_another_certificate_than_announced(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct dtls_opts opts = { 0 };
        struct sl_srtp_keys keys;
        struct dtls_pair p;

        SL_ASSUME(worker);
        opts.wrong_fp[who] = true;
        connect_pair(&p, &opts);
        assert_int_equal(sl_dtls_state(p.end[who].d), SL_DTLS_FAILED);
        assert_int_equal(sl_dtls_state(p.end[!who].d), SL_DTLS_FAILED); /* the alert */
        assert_int_equal(p.end[who].nstates, 1);
        assert_int_equal(sl_dtls_keys(p.end[who].d, &keys), -ENOTCONN);
        assert_int_equal(sl_dtls_keys(p.end[!who].d, &keys), -ENOTCONN);
        pair_fini(&p);
    }
}

static void no_datagram_exceeds_the_mtu(void **state)
{
    static const size_t mtus[] = { 256, 300, 512, 1200, 1400 };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(mtus); i++) {
        struct dtls_opts opts = { .mtu = { mtus[i], mtus[i] } };
        struct dtls_pair p;

        connect_pair(&p, &opts);
        assert_true(pair_is_up(&p));
        for (int e = 0; e < 2; e++)
            assert_in_range(p.end[e].max_sent, 1, mtus[i]);
        if (mtus[i] == 300)
            assert_true(p.end[SERVER].nsent >= 4); /* its flight does not fit three */
        pair_fini(&p);
    }
}

static void carries_messages_of_up_to_the_mtu(void **state)
{
    uint8_t msg[1200];
    struct dtls_pair p;

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < sizeof(msg); i++)
        msg[i] = (uint8_t)i;
    pair_init(&p, NULL);
    assert_int_equal(sl_dtls_send(p.end[CLIENT].d, msg, 1), -ENOTCONN);
    pair_fini(&p);

    connect_pair(&p, NULL);
    /* The very first write comes after libssl's buffers were freed. */
    for (int who = 0; who < 2; who++) {
        struct dtls_end *to = &p.end[!who];
        static const size_t lens[] = { 1, 700, 1163 };

        for (size_t i = 0; i < SL_COUNT(lens); i++) {
            size_t before = p.end[who].nsent;

            assert_int_equal(sl_dtls_send(p.end[who].d, msg, lens[i]), 0);
            assert_int_equal(p.end[who].nsent, before + 1);
            pair_settle(&p);
            assert_int_equal(to->data_len, lens[i]);
            assert_memory_equal(to->data, msg, lens[i]);
        }
        assert_int_equal(to->ndata, SL_COUNT(lens));
        assert_int_equal(p.end[who].max_sent, 1200);
        assert_int_equal(sl_dtls_send(p.end[who].d, msg, 1164), -EMSGSIZE);
        assert_int_equal(sl_dtls_send(p.end[who].d, msg, 0), -EINVAL);
    }
    pair_fini(&p);
}

static void a_replayed_message_is_delivered_once(void **state)
{
    struct dtls_pair p;

    (void)state;
    SL_ASSUME(worker);
    connect_pair(&p, NULL);
    p.duplicate = true;
    assert_int_equal(sl_dtls_send(p.end[CLIENT].d, (const uint8_t *)"x", 1), 0);
    pair_settle(&p);
    assert_int_equal(p.end[SERVER].ndata, 1);
    pair_fini(&p);
}

static void close_notify_closes_the_other_end(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct dtls_pair p;
        size_t sent;

        SL_ASSUME(worker);
        connect_pair(&p, NULL);
        sl_dtls_close(p.end[who].d);
        sent = p.end[who].nsent;
        sl_dtls_close(p.end[who].d);
        assert_int_equal(p.end[who].nsent, sent);
        pair_settle(&p);
        assert_int_equal(sl_dtls_state(p.end[who].d), SL_DTLS_CLOSED);
        assert_int_equal(p.end[who].nstates, 1); /* no callback for our own wish */
        assert_int_equal(sl_dtls_state(p.end[!who].d), SL_DTLS_CLOSED);
        assert_int_equal(p.end[!who].nstates, 2);
        assert_int_equal(p.end[!who].states[1], SL_DTLS_CLOSED);
        assert_int_equal(sl_dtls_send(p.end[!who].d, (const uint8_t *)"x", 1), -ENOTCONN);
        pair_fini(&p);
    }
}

static void garbage_does_no_harm(void **state)
{
    static const uint8_t stun[20] = { 0x00, 0x01 }, rtp[40] = { 0x80, 0x60 };
    static const uint8_t plain_alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
    uint8_t junk[1500];
    struct dtls_pair p;

    (void)state;
    SL_ASSUME(worker);
    connect_pair(&p, NULL);
    for (int who = 0; who < 2; who++) {
        struct sl_dtls *d = p.end[who].d;

        assert_int_equal(sl_dtls_input(d, stun, sizeof(stun)), -EBADMSG);
        assert_int_equal(sl_dtls_input(d, rtp, sizeof(rtp)), -EBADMSG);
        assert_int_equal(sl_dtls_input(d, NULL, 0), -EBADMSG);
        assert_int_equal(sl_dtls_input(d, plain_alert, sizeof(plain_alert)), 0);
        srand(7);
        for (int n = 0; n < 2000; n++) {
            size_t len = 13 + (size_t)rand() % (sizeof(junk) - 13);

            for (size_t i = 0; i < len; i++)
                junk[i] = (uint8_t)rand();
            junk[0] = (uint8_t)(20 + n % 8);
            junk[1] = 0xfe;
            junk[2] = 0xfd;
            junk[3] = 0;
            junk[4] = 1; /* the protected epoch: an attacker off the path cannot authenticate */
            assert_int_equal(sl_dtls_input(d, junk, len), 0);
        }
        assert_int_equal(sl_dtls_state(d), SL_DTLS_CONNECTED);
    }
    assert_int_equal(sl_dtls_send(p.end[CLIENT].d, (const uint8_t *)"still here", 10), 0);
    pair_settle(&p);
    assert_int_equal(p.end[SERVER].data_len, 10);
    pair_fini(&p);
}

/* ---- against plain OpenSSL ------------------------------------------------------------------- */

static void picks_the_profile_by_our_order(void **state)
{
    static const struct {
        const char *offered;
        int err;
        enum sl_srtp_profile want;
    } v[] = {
        /* Chromium's order, Firefox's order */
        { "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM", 0,
          SL_SRTP_AEAD_AES_128_GCM },
        { "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:"
          "SRTP_AES128_CM_SHA1_32",
          0, SL_SRTP_AEAD_AES_128_GCM },
        { "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", 0, SL_SRTP_AEAD_AES_256_GCM },
        { "SRTP_AES128_CM_SHA1_80", 0, SL_SRTP_AES128_CM_SHA1_80 },
        { "SRTP_AES128_CM_SHA1_32", -ENOENT, SL_SRTP_NONE }, /* data channels only */
        { NULL, -ENOENT, SL_SRTP_NONE },
    };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(v); i++) {
        struct raw_opts opts = { .profiles = v[i].offered };
        struct sl_srtp_keys keys;
        struct raw_peer r;

        SL_ASSUME(worker);
        raw_init(&r, &opts);
        raw_run(&r);
        assert_int_equal(sl_dtls_state(r.d), SL_DTLS_CONNECTED);
        assert_int_equal(sl_dtls_keys(r.d, &keys), v[i].err);
        if (!v[i].err) {
            assert_int_equal(keys.profile, v[i].want);
            raw_check_keys(&r, &keys);
        }
        raw_fini(&r);
    }
}

static void picks_128_bit_gcm_for_the_handshake_too(void **state)
{
    struct raw_opts opts = {
        .profiles = "SRTP_AES128_CM_SHA1_80",
        .suites = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-SHA:"
                  "ECDHE-ECDSA-AES128-GCM-SHA256",
    };
    struct raw_peer r;

    (void)state;
    raw_init(&r, &opts);
    raw_run(&r);
    assert_string_equal(SSL_get_cipher_name(r.ssl), "ECDHE-ECDSA-AES128-GCM-SHA256");
    raw_fini(&r);
}

static void a_client_without_certificate_fails(void **state)
{
    struct raw_opts opts = { .no_cert = true, .profiles = "SRTP_AEAD_AES_128_GCM" };
    struct sl_srtp_keys keys;
    struct raw_peer r;

    (void)state;
    SL_ASSUME(worker);
    raw_init(&r, &opts);
    raw_run(&r);
    assert_int_equal(sl_dtls_state(r.d), SL_DTLS_FAILED);
    assert_int_equal(sl_dtls_keys(r.d, &keys), -ENOTCONN);
    raw_fini(&r);
}

static void a_wrong_certificate_gets_bad_certificate(void **state)
{
    struct raw_opts opts = { .wrong_fp = true, .profiles = "SRTP_AEAD_AES_128_GCM" };
    struct raw_peer r;

    (void)state;
    raw_init(&r, &opts);
    raw_run(&r);
    assert_int_equal(sl_dtls_state(r.d), SL_DTLS_FAILED);
    assert_int_equal(r.alert, 2 << 8 | 42); /* RFC 5246 section 7.2.2: fatal, bad_certificate */
    raw_fini(&r);
}

static void dtls_1_0_is_refused(void **state)
{
    struct raw_opts opts = { .version = DTLS1_VERSION, .suites = "ALL:@SECLEVEL=0" };
    struct raw_peer r;

    (void)state;
    raw_init(&r, &opts);
    raw_run(&r);
    assert_int_equal(sl_dtls_state(r.d), SL_DTLS_FAILED);
    assert_int_equal(r.alert, 2 << 8 | 70); /* protocol_version */
    raw_fini(&r);
}

static void renegotiation_is_refused(void **state)
{
    struct raw_opts opts = { .profiles = "SRTP_AEAD_AES_128_GCM" };
    struct sl_srtp_keys before, after;
    struct raw_peer r;

    (void)state;
    SL_ASSUME(worker);
    raw_init(&r, &opts);
    raw_run(&r);
    assert_int_equal(sl_dtls_keys(r.d, &before), 0);
    assert_int_equal(SSL_renegotiate(r.ssl), 1);
    raw_run(&r);
    assert_int_equal(r.alert & 0xff, 100); /* no_renegotiation */
    /* Whether the peer lives with that or gives up: nothing was negotiated anew. */
    if (!sl_dtls_keys(r.d, &after))
        assert_memory_equal(&before, &after, sizeof(before));
    raw_fini(&r);
}

static void an_rsa_certificate_serves_as_well(void **state)
{
    struct raw_opts opts = { .profiles = "SRTP_AEAD_AES_128_GCM", .our_rsa = true };
    struct raw_peer r;

    (void)state;
    raw_init(&r, &opts);
    raw_run(&r);
    assert_int_equal(sl_dtls_state(r.d), SL_DTLS_CONNECTED);
    assert_string_equal(SSL_get_cipher_name(r.ssl), "ECDHE-RSA-AES128-GCM-SHA256");
    raw_fini(&r);
}

/* As Chromium sends it: 1200 and 263 bytes. No state but the fragments before it is whole. */
static void a_client_hello_in_two_datagrams_is_put_together(void **state)
{
    static const int orders[][5] = {
        { 0, 1, -1 },    { 1, 0, -1 },       { 0, 0, 1, -1 },
        { 1, 1, 0, -1 }, { 0, 1, 1, 0, -1 }, { 1, 0, 1, 0, -1 },
    };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(orders); i++) {
        struct raw_opts opts = { .profiles = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM",
                                 .big_hello = true };
        uint8_t dgrams[4][2048];
        struct sl_srtp_keys keys;
        struct raw_peer r;
        size_t lens[4];

        SL_ASSUME(worker);
        raw_init(&r, &opts);
        assert_int_equal(raw_flight(&r, dgrams, lens, 4), 2);
        assert_int_equal(lens[0], 1200);
        assert_in_range(lens[1], 200, 400);
        for (size_t n = 0; orders[i][n] >= 0; n++)
            assert_int_equal(sl_dtls_input(r.d, dgrams[orders[i][n]], lens[orders[i][n]]), 0);
        raw_run(&r);
        assert_int_equal(sl_dtls_state(r.d), SL_DTLS_CONNECTED);
        assert_int_equal(sl_dtls_keys(r.d, &keys), 0);
        assert_int_equal(keys.profile, SL_SRTP_AEAD_AES_128_GCM);
        raw_check_keys(&r, &keys);
        raw_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_tells_once),
        cmocka_unit_test(both_ends_export_mirrored_keys),
        cmocka_unit_test(refuses_another_certificate_than_announced),
        cmocka_unit_test(no_datagram_exceeds_the_mtu),
        cmocka_unit_test(carries_messages_of_up_to_the_mtu),
        cmocka_unit_test(a_replayed_message_is_delivered_once),
        cmocka_unit_test(close_notify_closes_the_other_end),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(picks_the_profile_by_our_order),
        cmocka_unit_test(picks_128_bit_gcm_for_the_handshake_too),
        cmocka_unit_test(a_client_without_certificate_fails),
        cmocka_unit_test(a_wrong_certificate_gets_bad_certificate),
        cmocka_unit_test(dtls_1_0_is_refused),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(an_rsa_certificate_serves_as_well),
        cmocka_unit_test(a_client_hello_in_two_datagrams_is_put_together),
    };

    if (sl_dtls_init()) {
        print_error("libcrypto was in use before main\n");
        return 1;
    }
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests_name("dtls", tests, NULL, NULL);
    sl_role_leave(&sl_role_worker);
    return failed;
}
