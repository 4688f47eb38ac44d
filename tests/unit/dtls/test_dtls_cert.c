#include "raw_peer.h"
#include "dtls/dtls_cert.h"
#include "base/opt.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/sluice-test-XXXXXX";

static const char *path(const char *name)
{
    static char buf[4][64];
    static int turn;
    char *p = buf[turn++ % 4];

    snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define B32                                                                                        \
    "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:"   \
    "67:89"
#define B20 "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33"

static void parses_fingerprints_of_known_hashes(void **state)
{
    static const struct {
        const char *text, *algorithm;
        size_t len;
        uint8_t last;
    } good[] = {
        { "sha-256 " B32, "sha-256", 32, 0x89 },
        { "SHA-256 " B32, "sha-256", 32, 0x89 },
        { "sha-1 " B20, "sha-1", 20, 0x33 },
        { "sha-512 " B32 ":" B32, "sha-512", 64, 0x89 },
    };
    static const char *const bad[] = {
        "",
        "sha-256",
        "sha-256 ",
        "sha-256 AB",
        " " B32,
        B32,
        "md5 " B20,
        "sha-1 " B32,
        "sha-256 " B32 ":00",
        "sha-256 " B32 " ",
        "sha-256 " B32 ":",
        "sha-256  " B32,
        "sha-256 GB" B32,
        "sha-25 " B32,
        "sha-2566 " B32,
        "sha-256 A:" B32,
        "sha-256\t" B32,
        "sha-384 " B32,
        "sha-512 " B32,
    };
    struct sl_fingerprint fp;

    (void)state;
    for (size_t i = 0; i < SL_COUNT(good); i++) {
        assert_int_equal(sl_fingerprint_parse(good[i].text, &fp), 0);
        assert_string_equal(fp.algorithm, good[i].algorithm);
        assert_int_equal(fp.len, good[i].len);
        assert_int_equal(fp.bytes[fp.len - 1], good[i].last);
    }
    for (size_t i = 0; i < SL_COUNT(bad); i++)
        assert_int_equal(sl_fingerprint_parse(bad[i], &fp), -EBADMSG);
}

static void a_new_certificate_has_its_fingerprint(void **state)
{
    struct sl_cert *a, *b;
    struct sl_fingerprint fp;
    char text[128] = "sha-256 ";

    (void)state;
    assert_int_equal(sl_cert_create(&a), 0);
    assert_int_equal(sl_cert_create(&b), 0);
    assert_int_equal(strlen(sl_cert_fingerprint(a)), 95);
    assert_string_not_equal(sl_cert_fingerprint(a), sl_cert_fingerprint(b));
    strcat(text, sl_cert_fingerprint(a));
    assert_int_equal(sl_fingerprint_parse(text, &fp), 0);
    assert_int_equal(sl_fingerprint_check(&fp, SSL_CTX_get0_certificate(a->ctx)), 0);
    assert_int_equal(sl_fingerprint_check(&fp, SSL_CTX_get0_certificate(b->ctx)), -EACCES);
    fp.len = 0; /* a match with nothing is no match */
    assert_int_equal(sl_fingerprint_check(&fp, SSL_CTX_get0_certificate(a->ctx)), -EINVAL);
    sl_cert_destroy(a);
    sl_cert_destroy(b);
    sl_cert_destroy(NULL);
}

static void loads_pem_files(void **state)
{
    static const char *const kinds[] = { "EC", "RSA" };
    struct sl_cert *c, *again;

    (void)state;
    for (size_t i = 0; i < SL_COUNT(kinds); i++) {
        raw_pem_write(kinds[i], path("cert"), path("key"));
        assert_int_equal(sl_cert_load(path("cert"), path("key"), &c), 0);
        assert_int_equal(sl_cert_load(path("cert"), path("key"), &again), 0);
        assert_string_equal(sl_cert_fingerprint(c), sl_cert_fingerprint(again));
        sl_cert_destroy(c);
        sl_cert_destroy(again);
    }
}

static void refuses_what_is_no_pair(void **state)
{
    struct sl_cert *c;

    (void)state;
    raw_pem_write("EC", path("cert"), path("key"));
    raw_pem_write("EC", path("cert2"), path("key2"));
    raw_pem_write("ED25519", path("cert3"), path("key3"));
    put("junk", "this is no PEM file\n");
    put("locked",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assert_int_equal(sl_cert_load(path("none"), path("key"), &c), -ENOENT);
    assert_int_equal(sl_cert_load(path("cert"), path("none"), &c), -ENOENT);
    assert_int_equal(sl_cert_load(path("cert"), path("key2"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(path("key"), path("cert"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(path("junk"), path("key"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(path("cert"), path("junk"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(path("cert"), path("locked"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(path("cert3"), path("key3"), &c), -EINVAL);
    assert_int_equal(sl_cert_load(dir, path("key"), &c), -EINVAL);
}

static int dir_make(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
    static const char *const names[] = { "cert",  "key",  "cert2", "key2",
                                         "cert3", "key3", "junk",  "locked" };

    (void)state;
    for (size_t i = 0; i < SL_COUNT(names); i++)
        unlink(path(names[i]));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_fingerprints_of_known_hashes),
        cmocka_unit_test(a_new_certificate_has_its_fingerprint),
        cmocka_unit_test(loads_pem_files),
        cmocka_unit_test(refuses_what_is_no_pair),
    };

    return cmocka_run_group_tests_name("dtls_cert", tests, dir_make, dir_remove);
}
