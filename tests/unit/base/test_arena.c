#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/arena.h"
#include <string.h>

static void memory_is_zeroed_and_aligned(void **state)
{
    static const size_t sizes[] = { 0, 1, 7, 16, 17, 1000, 1025, 5000, 100000, 3 };
    struct sl_arena *a = sl_arena_create();

    (void)state;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
            uint8_t *p = sl_arena_alloc(a, sizes[i]);

            assert_non_null(p);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xa5, sizes[i]);
        }
    }
    sl_arena_destroy(a);
}

static void one_request_gets_16_mib_and_no_more(void **state)
{
    struct sl_arena *a = sl_arena_create();
    size_t got = 0;

    (void)state;
    assert_null(sl_arena_alloc(a, ((size_t)16 << 20) + 1));
    assert_null(sl_arena_alloc(a, SIZE_MAX));
    while (sl_arena_alloc(a, 1 << 20))
        got++;
    assert_int_equal(got, 16);
    assert_null(sl_arena_alloc(a, 1));
    sl_arena_destroy(a);
}

static void strings_are_copied(void **state)
{
    struct sl_arena *a = sl_arena_create();
    char *big;

    (void)state;
    assert_string_equal(sl_arena_strdup(a, "mid"), "mid");
    assert_string_equal(sl_arena_strndup(a, "candidate", 4), "cand");
    assert_string_equal(sl_arena_strndup(a, "x", 400), "x");
    assert_string_equal(sl_arena_printf(a, "a=%s:%d", "mid", 7), "a=mid:7");
    big = sl_arena_printf(a, "%09000d", 5);
    assert_int_equal(strlen(big), 9000);
    sl_arena_destroy(a);
}

static void growing_keeps_the_content_and_the_old_memory(void **state)
{
    struct sl_arena *a = sl_arena_create();
    char *old = sl_arena_strdup(a, "abc"), *new;

    (void)state;
    new = sl_arena_grow(a, old, 4, 64);
    assert_string_equal(new, "abc");
    new[0] = 'z';
    assert_string_equal(old, "abc");
    assert_int_equal(new[63], 0);
    assert_memory_equal(sl_arena_grow(a, new, 64, 2), "zb", 2);
    assert_non_null(sl_arena_grow(a, NULL, 0, 8));
    sl_arena_destroy(a);
}

static void a_failed_allocation_leaves_the_arena_usable(void **state)
{
    struct sl_arena *a = sl_arena_create();

    (void)state;
    oom_fail_at(1);
    assert_null(sl_arena_alloc(a, 100));
    assert_true(oom_happened());
    assert_non_null(sl_arena_alloc(a, 100));
    oom_fail_at(1);
    assert_null(sl_arena_printf(a, "%09000d", 5));
    assert_true(oom_happened());
    assert_non_null(sl_arena_alloc(a, 100));
    sl_arena_destroy(a);
    sl_arena_destroy(NULL);
    oom_fail_at(1);
    assert_null(sl_arena_create());
    assert_true(oom_happened());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(one_request_gets_16_mib_and_no_more),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(growing_keeps_the_content_and_the_old_memory),
        cmocka_unit_test(a_failed_allocation_leaves_the_arena_usable),
    };

    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
