#include "../test_cmocka.h"
#include "base/secret.h"
#include <errno.h>
#include <string.h>

static void secrets_are_equal_only_when_they_are(void **state)
{
    static const struct {
        const char *a, *b;
        bool want;
    } v[] = {
        { "geheim", "geheim", true }, { "", "", true },        { "geheim", "geheiM", false },
        { "geheim", "geh", false },   { "geheim", "", false }, { NULL, "geheim", false },
        { "geheim", NULL, false },    { NULL, NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++)
        assert_int_equal(sl_secret_is_equal(v[i].a, v[i].b), v[i].want);
}

/* RFC 2202 section 3 */
static void hmac_sha1_gives_the_values_of_rfc_2202(void **state)
{
    static const struct {
        uint8_t key_byte, key_len;
        const char *key, *data;
        uint8_t want[20];
    } v[] = {
        { 0x0b,
          20,
          NULL,
          "Hi There",
          { 0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
            0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00 } },
        { 0, 4, "Jefe", "what do ya want for nothing?", { 0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f,
                                                          0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
                                                          0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79 } },
        { 0xaa,
          80,
          NULL,
          "Test Using Larger Than Block-Size Key - Hash Key First",
          { 0xaa, 0x4a, 0xe5, 0xe1, 0x52, 0x72, 0xd0, 0x0e, 0x95, 0x70,
            0x56, 0x37, 0xce, 0x8a, 0x3b, 0x55, 0xed, 0x40, 0x21, 0x12 } },
        { 0,
          0,
          "",
          "", /* RFC 2104 with nothing at all */
          { 0xfb, 0xdb, 0x1d, 0x1b, 0x18, 0xaa, 0x6c, 0x08, 0x32, 0x4b,
            0x7d, 0x64, 0xb7, 0x1f, 0xb7, 0x63, 0x70, 0x69, 0x0e, 0x1d } },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        uint8_t key[80], out[20];

        memset(key, v[i].key_byte, sizeof(key));
        if (v[i].key)
            memcpy(key, v[i].key, v[i].key_len);
        assert_int_equal(sl_hmac_sha1(key, v[i].key_len, v[i].data, strlen(v[i].data), out), 0);
        assert_memory_equal(out, v[i].want, 20);
    }
}

/* RFC 4648 section 10 */
static void base64_gives_the_values_of_rfc_4648(void **state)
{
    static const struct {
        const char *bytes, *text;
    } v[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xef\xbe", "/+++" },
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        size_t len = strlen(v[i].bytes);
        char text[16], back[16];

        sl_base64_encode(v[i].bytes, len, text);
        assert_string_equal(text, v[i].text);
        assert_int_equal(sl_base64_decode(text, back, sizeof(back)), len);
        assert_memory_equal(back, v[i].bytes, len);
        if (len)
            assert_int_equal(sl_base64_decode(text, back, len - 1), -EINVAL);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const v[] = {
        "Zg=",    "Zg",   "Z",    "Z===", "====", "Zg==Zg==",
        "Zm9v\n", "Zm9-", "Zh==", "Zm9=", " Zm9", "Z=g=",
    };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(v); i++) {
        char out[16];

        assert_int_equal(sl_base64_decode(v[i], out, sizeof(out)), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_equal_only_when_they_are),
        cmocka_unit_test(hmac_sha1_gives_the_values_of_rfc_2202),
        cmocka_unit_test(base64_gives_the_values_of_rfc_4648),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };

    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
