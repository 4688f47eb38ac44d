#include "../test_cmocka.h"
#include "base/rand.h"
#include <ctype.h>
#include <string.h>

static void every_byte_of_a_long_buffer_is_drawn(void **state)
{
    static uint8_t buf[200001], seen[sizeof(buf)];

    (void)state;
    for (int round = 0; round < 8; round++) {
        sl_rand_bytes(buf, sizeof(buf) - 1);
        for (size_t i = 0; i < sizeof(buf); i++)
            seen[i] |= buf[i];
    }
    for (size_t i = 0; i < sizeof(buf) - 1; i++)
        assert_int_not_equal(seen[i], 0); /* wrong once in 2^64 / 2^18 runs */
    assert_int_equal(seen[sizeof(buf) - 1], 0);
}

static void ids_of_the_api_fit_a_javascript_number(void **state)
{
    uint64_t all = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t v = sl_rand52();

        assert_in_range(v, 1, ((uint64_t)1 << 52) - 1);
        all |= v;
    }
    assert_int_equal(all, ((uint64_t)1 << 52) - 1);
}

static void all_bits_of_words_are_used(void **state)
{
    uint64_t w64 = 0;
    uint32_t w32 = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        w32 |= sl_rand32();
        w64 |= sl_rand64();
    }
    assert_int_equal(w32, UINT32_MAX);
    assert_int_equal(w64, UINT64_MAX);
}

/* RFC 8839 section 5.4 */
static void ice_chars_come_from_their_alphabet(void **state)
{
    bool seen[256] = { false };
    size_t kinds = 0;
    char s[2001];

    (void)state;
    sl_rand_ice_chars(s, 2000);
    assert_int_equal(strlen(s), 2000);
    for (const char *p = s; *p; p++) {
        assert_true(isalnum((unsigned char)*p) || *p == '+' || *p == '/');
        seen[(unsigned char)*p] = true;
    }
    for (size_t i = 0; i < 256; i++)
        kinds += seen[i];
    assert_int_equal(kinds, 64);
    sl_rand_ice_chars(s, 0);
    assert_string_equal(s, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_a_long_buffer_is_drawn),
        cmocka_unit_test(ids_of_the_api_fit_a_javascript_number),
        cmocka_unit_test(all_bits_of_words_are_used),
        cmocka_unit_test(ice_chars_come_from_their_alphabet),
    };

    return cmocka_run_group_tests_name("base/rand", tests, NULL, NULL);
}
