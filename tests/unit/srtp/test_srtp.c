#include "srtp_ref.h"
#include "srtp/srtp_evp.h"
#include "base/bytes.h"
#include "base/opt.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../test_oom.h"

static const enum sl_srtp_profile profiles[] = { SL_SRTP_AEAD_AES_128_GCM, SL_SRTP_AEAD_AES_256_GCM,
                                                 SL_SRTP_AES128_CM_SHA1_80 };

/* ---- tools ----------------------------------------------------------------------------------- */

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (; hex[0] && hex[1]; hex += 2) {
        char byte[3] = { hex[0], hex[1], 0 };

        out[n++] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return n;
}

static void keys_make(enum sl_srtp_profile profile, bool mirrored, struct sl_srtp_keys *k)
{
    memset(k, 0, sizeof(*k));
    k->profile = profile;
    k->key_len = profile == SL_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    k->salt_len = profile == SL_SRTP_AES128_CM_SHA1_80 ? 14 : 12;
    for (size_t i = 0; i < k->key_len + k->salt_len; i++) {
        (mirrored ? k->remote : k->local)[i] = (uint8_t)(3 * i + 5);
        (mirrored ? k->local : k->remote)[i] = (uint8_t)(7 * i + 11);
    }
}

static void pair_make(enum sl_srtp_profile profile, struct sl_srtp **a, struct sl_srtp **b)
{
    struct sl_srtp_keys k;

    SL_ASSUME(worker);
    keys_make(profile, false, &k);
    assert_int_equal(sl_srtp_create(&k, a), 0);
    keys_make(profile, true, &k);
    assert_int_equal(sl_srtp_create(&k, b), 0);
}

static size_t rtp_make(uint8_t *p, uint32_t ssrc, uint16_t seq, size_t payload)
{
    p[0] = 0x80;
    p[1] = 96;
    sl_put16(p + 2, seq);
    sl_put32(p + 4, 90u * seq);
    sl_put32(p + 8, ssrc);
    for (size_t i = 0; i < payload; i++)
        p[12 + i] = (uint8_t)(i + seq);
    return 12 + payload;
}

static size_t rtcp_make(uint8_t *p, uint32_t ssrc)
{
    static const uint8_t pli[] = { 0x81, 206, 0, 2, 0, 0, 0, 0, 1, 2, 3, 4 };

    memcpy(p, pli, sizeof(pli));
    sl_put32(p + 4, ssrc);
    return sizeof(pli);
}

/* ---- vectors of the RFCs --------------------------------------------------------------------- */

/* RFC 3711 appendix B.3 */
static void the_reference_derives_keys_as_the_rfc(void **state)
{
    uint8_t master[30], want[20];
    struct srtp_ref r;

    (void)state;
    unhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6", master);
    srtp_ref_derive(&r, SL_SRTP_AES128_CM_SHA1_80, master);
    unhex("C61E7A93744F39EE10734AFE3FF7A087", want);
    assert_memory_equal(r.key[0], want, 16);
    unhex("30CBBC08863D8C85D49DB34A9AE1", want);
    assert_memory_equal(r.salt[0], want, 14);
    unhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", want);
    assert_memory_equal(r.auth[0], want, 20);
}

#define KEY_256   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RTP_HEAD  "8040f17b8041f8d35501a0b2"
#define RTP_TEXT  "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
#define RTCP_HEAD "81c8000d4d617273"
#define RTCP_TEXT                                                                                  \
    "4e5450314e545032525450200000042a0000e9304c756e61deadbeefde"                                   \
    "adbeefdeadbeefdeadbeefdeadbeef"

/* RFC 7714 sections 16.1.1, 16.2.1, 17.1.1 and 17.2.1 */
static void the_reference_encrypts_gcm_as_the_rfc(void **state)
{
    static const struct {
        enum sl_srtp_profile profile;
        bool rtcp;
        const char *in, *out;
    } v[] = {
        { SL_SRTP_AEAD_AES_128_GCM, false, RTP_HEAD RTP_TEXT,
          RTP_HEAD "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
                   "899d7f27beb16a9152cf765ee4390cce" },
        { SL_SRTP_AEAD_AES_256_GCM, false, RTP_HEAD RTP_TEXT,
          RTP_HEAD "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
                   "7aa3db36dfffd6b0f9bb7878d7a76c13" },
        { SL_SRTP_AEAD_AES_128_GCM, true, RTCP_HEAD RTCP_TEXT,
          RTCP_HEAD "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303"
                    "ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4" },
        { SL_SRTP_AEAD_AES_256_GCM, true, RTCP_HEAD RTCP_TEXT,
          RTCP_HEAD "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de"
                    "0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4" },
    };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(v); i++) {
        uint8_t pkt[128], want[128];
        size_t len = unhex(v[i].in, pkt), want_len = unhex(v[i].out, want);
        struct srtp_ref r = { .profile = v[i].profile };

        unhex(KEY_256, r.key[v[i].rtcp]);
        unhex("517569642070726f2071756f", r.salt[v[i].rtcp]);
        if (v[i].rtcp)
            srtcp_ref_protect(&r, 0x5d4, pkt, &len);
        else
            srtp_ref_protect(&r, 0, pkt, &len);
        assert_int_equal(len, want_len);
        assert_memory_equal(pkt, want, len);
    }
}

/* RFC 3711 B.2, RFC 6188 7.1, RFC 7714 16, RFC 2202 3; the library's vectors went by at install. */
static void our_ciphers_pass_their_vectors(void **state)
{
    static const srtp_cipher_type_id_t ids[] = { SRTP_AES_ICM_128, SRTP_AES_ICM_256,
                                                 SRTP_AES_GCM_128, SRTP_AES_GCM_256 };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(ids); i++)
        assert_int_equal(srtp_cipher_type_self_test(sl_srtp_evp_cipher(ids[i])), 0);
    assert_null(sl_srtp_evp_cipher(SRTP_AES_ICM_192));
    assert_int_equal(srtp_auth_type_self_test(sl_srtp_evp_auth()), 0);
}

/* ---- against the reference ------------------------------------------------------------------- */

static void protects_as_the_reference_does(void **state)
{
    static const size_t payloads[] = { 0, 1, 15, 16, 17, 159, 1100, 1388 };

    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        uint8_t got[1500], want[1500];
        struct sl_srtp_keys k;
        struct srtp_ref ref;
        struct sl_srtp *s;
        uint32_t index = 1; /* libsrtp counts before it sends */

        SL_ASSUME(worker);
        keys_make(profiles[p], false, &k);
        srtp_ref_derive(&ref, profiles[p], k.local);
        assert_int_equal(sl_srtp_create(&k, &s), 0);
        for (size_t i = 0; i < SL_COUNT(payloads); i++) {
            uint16_t seq = (uint16_t)(65532 + i); /* the roll-over counter steps on the way */
            size_t len = rtp_make(got, 0xdecade00, seq, payloads[i]), ref_len = len;

            memcpy(want, got, len);
            srtp_ref_protect(&ref, seq < 1000, want, &ref_len);
            assert_int_equal(sl_srtp_protect(s, got, &len), 0);
            assert_int_equal(len, ref_len);
            assert_memory_equal(got, want, len);

            len = ref_len = rtcp_make(got, 0xdecade00);
            memcpy(want, got, len);
            srtcp_ref_protect(&ref, index++, want, &ref_len);
            assert_int_equal(sl_srtcp_protect(s, got, &len), 0);
            assert_int_equal(len, ref_len);
            assert_memory_equal(got, want, len);
        }
        sl_srtp_destroy(s);
    }
}

static void header_extensions_stay_in_the_clear(void **state)
{
    static const struct {
        uint16_t profile, words;
    } v[] = { { 0xbede, 1 }, { 0xbede, 5 }, { 0x1000, 25 } /* two-byte headers */, { 0x1000, 0 } };

    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        struct sl_srtp_keys k;
        struct srtp_ref ref;
        struct sl_srtp *a, *b;

        SL_ASSUME(worker);
        keys_make(profiles[p], false, &k);
        srtp_ref_derive(&ref, profiles[p], k.local);
        pair_make(profiles[p], &a, &b);
        for (size_t i = 0; i < SL_COUNT(v); i++) {
            size_t h = 12 + 4 + 4 * (size_t)v[i].words, len = h + 300, ref_len = len;
            uint8_t pkt[600], want[600], plain[600];

            rtp_make(pkt, 7, (uint16_t)(i + 1), len - 12);
            pkt[0] |= 0x10;
            sl_put16(pkt + 12, v[i].profile);
            sl_put16(pkt + 14, v[i].words);
            memcpy(plain, pkt, len);
            memcpy(want, pkt, len);
            srtp_ref_protect(&ref, 0, want, &ref_len);
            assert_int_equal(sl_srtp_protect(a, pkt, &len), 0);
            assert_memory_equal(pkt, plain, h);
            assert_int_equal(len, ref_len);
            assert_memory_equal(pkt, want, len);
            assert_int_equal(sl_srtp_unprotect(b, pkt, &len), 0);
            assert_int_equal(len, h + 300);
            assert_memory_equal(pkt, plain, len);
        }
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

/* ---- what must not pass ---------------------------------------------------------------------- */

typedef int (*crypt_fn)(struct sl_srtp *s, uint8_t *pkt, size_t *len);

static void check_tampering(struct sl_srtp *b, crypt_fn open, const uint8_t *good, size_t len)
{
    uint8_t pkt[200];
    size_t n;

    for (size_t bit = 0; bit < len * 8; bit++) {
        memcpy(pkt, good, len);
        pkt[bit / 8] ^= (uint8_t)(1 << bit % 8);
        n = len;
        assert_true(open(b, pkt, &n) < 0);
        assert_int_equal(n, len);
    }
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(pkt, good, len);
        n = cut;
        assert_true(open(b, pkt, &n) < 0);
    }
    memcpy(pkt, good, len);
    n = len;
    assert_int_equal(open(b, pkt, &n), 0); /* the original still passes */
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        uint8_t good[200];
        struct sl_srtp *a, *b;
        size_t len;

        SL_ASSUME(worker);
        pair_make(profiles[p], &a, &b);
        len = rtp_make(good, 1, 1, 20);
        assert_int_equal(sl_srtp_protect(a, good, &len), 0);
        good[20] ^= 1;
        assert_int_equal(sl_srtp_unprotect(b, good, &len), -EACCES);
        len = rtp_make(good, 1, 2, 20);
        assert_int_equal(sl_srtp_protect(a, good, &len), 0);
        check_tampering(b, sl_srtp_unprotect, good, len);
        len = rtcp_make(good, 1);
        assert_int_equal(sl_srtcp_protect(a, good, &len), 0);
        check_tampering(b, sl_srtcp_unprotect, good, len);
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

static void replays_are_refused(void **state)
{
    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        static const uint16_t order[] = { 10, 12, 11, 2000, 1500 };
        uint8_t pkt[64], late[64], copy[64];
        struct sl_srtp *a, *b;
        size_t len, late_len, n;

        SL_ASSUME(worker);
        pair_make(profiles[p], &a, &b);
        late_len = rtp_make(late, 5, 9, 10);
        assert_int_equal(sl_srtp_protect(a, late, &late_len), 0);
        for (size_t i = 0; i < SL_COUNT(order); i++) {
            len = rtp_make(pkt, 5, order[i], 10);
            assert_int_equal(sl_srtp_protect(a, pkt, &len), 0);
            memcpy(copy, pkt, len);
            n = len;
            assert_int_equal(sl_srtp_unprotect(b, pkt, &len), 0);
            assert_int_equal(sl_srtp_unprotect(b, copy, &n), -EALREADY);
        }
        assert_int_equal(sl_srtp_unprotect(b, late, &late_len), -EALREADY); /* 1991 behind */
        len = rtcp_make(pkt, 5);
        assert_int_equal(sl_srtcp_protect(a, pkt, &len), 0);
        memcpy(copy, pkt, len);
        n = len;
        assert_int_equal(sl_srtcp_unprotect(b, pkt, &len), 0);
        assert_int_equal(sl_srtcp_unprotect(b, copy, &n), -EALREADY);
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

static int try_send(struct sl_srtp *s, uint32_t ssrc, uint16_t seq, size_t payload)
{
    uint8_t pkt[64];
    size_t len = rtp_make(pkt, ssrc, seq, payload), was = len;
    int err;

    SL_ASSUME(worker);
    err = sl_srtp_protect(s, pkt, &len);
    if (err)
        assert_int_equal(len, was);
    return err;
}

static void no_index_is_encrypted_twice(void **state)
{
    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        uint8_t pkt[64];
        struct sl_srtp *a, *b;
        size_t len;

        SL_ASSUME(worker);
        pair_make(profiles[p], &a, &b);
        assert_int_equal(try_send(a, 5, 100, 10), 0);
        assert_int_equal(try_send(a, 5, 100, 20), -EALREADY); /* other bytes, same nonce */
        assert_int_equal(try_send(a, 5, 99, 10), 0);          /* late, but never used */
        assert_int_equal(try_send(a, 5, 99, 10), -EALREADY);
        assert_int_equal(try_send(a, 6, 100, 10), 0); /* another SSRC is another nonce */

        sl_srtp_forget(a, 5);
        sl_srtp_forget(a, 5);
        assert_int_equal(try_send(a, 5, 101, 10), -EALREADY);
        len = rtcp_make(pkt, 5);
        assert_int_equal(sl_srtcp_protect(a, pkt, &len), -EALREADY);
        assert_int_equal(try_send(a, 6, 101, 10), 0);
        sl_srtp_forget(a, 77); /* never sent on: nothing to mark */
        assert_int_equal(try_send(a, 77, 1, 10), 0);
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

static void a_peer_has_a_limited_number_of_ssrcs(void **state)
{
    uint8_t pkt[64];
    struct sl_srtp *a, *b;
    size_t len;

    (void)state;
    SL_ASSUME(worker);
    pair_make(SL_SRTP_AEAD_AES_128_GCM, &a, &b);
    for (uint32_t i = 0; i < 5; i++) { /* what does not authenticate does not count */
        len = rtp_make(pkt, 5000 + i, 1, 40);
        assert_int_equal(sl_srtp_unprotect(b, pkt, &len), -EACCES);
    }
    for (uint32_t i = 0; i <= SL_SRTP_SSRC_MAX; i++) {
        len = rtp_make(pkt, i, 1, 10);
        assert_int_equal(sl_srtp_protect(a, pkt, &len), 0);
        assert_int_equal(sl_srtp_unprotect(b, pkt, &len), i < SL_SRTP_SSRC_MAX ? 0 : -ENOBUFS);
    }
    sl_srtp_forget(b, 3); /* makes room, for RTCP too */
    len = rtcp_make(pkt, 9999);
    assert_int_equal(sl_srtcp_protect(a, pkt, &len), 0);
    assert_int_equal(sl_srtcp_unprotect(b, pkt, &len), 0);
    len = rtp_make(pkt, 4, 2, 10); /* those known go on */
    assert_int_equal(sl_srtp_protect(a, pkt, &len), 0);
    assert_int_equal(sl_srtp_unprotect(b, pkt, &len), 0);
    sl_srtp_destroy(a);
    sl_srtp_destroy(b);
}

static void malformed_packets_are_refused(void **state)
{
    static const struct {
        const char *hex;
        bool rtcp;
    } v[] = {
        { "", false },
        { "8060000100000001000000", false },                   /* 11 bytes */
        { "406000010000000100000001aabbccdd", false },         /* version 1 */
        { "8f6000010000000100000001aabbccdd", false },         /* 15 CSRCs, none there */
        { "906000010000000100000001", false },                 /* X bit, no extension */
        { "906000010000000100000001bede00ffaabbccdd", false }, /* extension of 1020 bytes */
        { "", true },
        { "81c90001000000", true },
        { "41c9000100000001", true },
    };

    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        struct sl_srtp *a, *b;

        SL_ASSUME(worker);
        pair_make(profiles[p], &a, &b);
        for (size_t i = 0; i < SL_COUNT(v); i++) {
            crypt_fn seal = v[i].rtcp ? sl_srtcp_protect : sl_srtp_protect;
            crypt_fn open = v[i].rtcp ? sl_srtcp_unprotect : sl_srtp_unprotect;
            uint8_t pkt[64] = { 0 };
            size_t len = unhex(v[i].hex, pkt), was = len;

            assert_int_equal(seal(a, pkt, &len), -EBADMSG);
            assert_true(open(b, pkt, &len) < 0);
            assert_int_equal(len, was);
        }
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

static void an_unknown_profile_is_refused(void **state)
{
    struct sl_srtp_keys k = { .profile = SL_SRTP_NONE };
    struct sl_srtp *s;

    (void)state;
    SL_ASSUME(worker);
    assert_int_equal(sl_srtp_create(&k, &s), -EINVAL);
    k.profile = SL_SRTP_PROFILE_MAX;
    assert_int_equal(sl_srtp_create(&k, &s), -EINVAL);
    sl_srtp_destroy(NULL);
}

/* Our ciphers allocate from inside libsrtp2, which must hand the failure on and clean up. */
static void out_of_memory_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    for (size_t p = 0; p < SL_COUNT(profiles); p++) {
        for (unsigned int n = 1;; n++) {
            struct sl_srtp_keys k;
            struct sl_srtp *s;
            int err;

            SL_ASSUME(worker);
            keys_make(profiles[p], false, &k);
            oom_fail_at(n);
            err = sl_srtp_create(&k, &s);
            if (!oom_happened()) {
                assert_int_equal(err, 0);
                sl_srtp_destroy(s);
                assert_true(n > 5);
                break;
            }
            /* The library calls a failed key derivation init_fail, whatever the cause. */
            assert_true(err == -ENOMEM || err == -EIO);
        }
    }
}

static int init(void **state)
{
    (void)state;
    return sl_srtp_init();
}

static int fini(void **state)
{
    (void)state;
    sl_srtp_fini();
    return 0;
}

static void static_keys_protect_both_ways(void **state)
{
    static const char key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
    static const struct {
        unsigned int suite;
        size_t rtp_tag;
    } v[] = { { 80, 10 }, { 32, 4 } };

    (void)state;
    SL_ASSUME(worker);
    for (size_t i = 0; i < 2; i++) {
        struct sl_srtp *a = NULL, *b = NULL;
        struct sl_srtp_keys k;
        uint8_t rtp[64] = { 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 'x' };
        uint8_t rtcp[64] = { 0x80, 201, 0, 1, 0, 0, 0, 7 };
        size_t n = 20, c = 8;

        assert_int_equal(sl_srtp_static_keys(v[i].suite, key, &k), 0);
        assert_int_equal(k.local[29], 29);
        assert_int_equal(sl_srtp_create(&k, &a), 0);
        assert_int_equal(sl_srtp_create(&k, &b), 0);
        assert_int_equal(sl_srtp_protect(a, rtp, &n), 0);
        assert_int_equal(n, 20 + v[i].rtp_tag);
        assert_int_equal(sl_srtp_unprotect(b, rtp, &n), 0);
        assert_int_equal(n, 20);
        assert_int_equal(rtp[12], 'x');
        assert_int_equal(sl_srtcp_protect(b, rtcp, &c), 0);
        assert_int_equal(c, 8 + 4 + 10); /* SRTCP keeps the long tag */
        assert_int_equal(sl_srtcp_unprotect(a, rtcp, &c), 0);
        sl_srtp_destroy(a);
        sl_srtp_destroy(b);
    }
}

static void bad_static_keys_are_refused(void **state)
{
    static const struct {
        unsigned int suite;
        const char *key;
    } v[] = {
        { 0, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" },
        { 31, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" },
        { 80, "" },
        { 80, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka" },
        { 80, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdAAAA" },
        { 80, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaG*wd" },
        { 80, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" },
    };
    struct sl_srtp_keys k;

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        assert_int_equal(sl_srtp_static_keys(v[i].suite, v[i].key, &k), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_derives_keys_as_the_rfc),
        cmocka_unit_test(the_reference_encrypts_gcm_as_the_rfc),
        cmocka_unit_test(our_ciphers_pass_their_vectors),
        cmocka_unit_test(protects_as_the_reference_does),
        cmocka_unit_test(header_extensions_stay_in_the_clear),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(replays_are_refused),
        cmocka_unit_test(no_index_is_encrypted_twice),
        cmocka_unit_test(a_peer_has_a_limited_number_of_ssrcs),
        cmocka_unit_test(malformed_packets_are_refused),
        cmocka_unit_test(an_unknown_profile_is_refused),
        cmocka_unit_test(out_of_memory_is_told_and_leaks_nothing),
        cmocka_unit_test(static_keys_protect_both_ways),
        cmocka_unit_test(bad_static_keys_are_refused),
    };
    int failed;

    sl_role_enter(&sl_role_worker);
    failed = cmocka_run_group_tests_name("srtp", tests, init, fini);
    sl_role_leave(&sl_role_worker);
    return failed;
}
