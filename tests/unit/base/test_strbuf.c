#include "../test_cmocka.h"
#include "../test_oom.h"
#include "base/strbuf.h"
#include <stdlib.h>
#include <string.h>

static void texts_are_appended(void **state)
{
    struct sl_strbuf b;
    char *text;

    (void)state;
    sl_strbuf_init(&b);
    assert_null(b.text);
    sl_strbuf_add(&b, "a=");
    sl_strbuf_addn(&b, "midnight", 3);
    sl_strbuf_addf(&b, ":%d", 7);
    sl_strbuf_addn(&b, NULL, 0);
    assert_string_equal(b.text, "a=mid:7");
    assert_int_equal(b.len, 7);
    text = sl_strbuf_take(&b);
    assert_string_equal(text, "a=mid:7");
    free(text);
    assert_null(b.text);
    assert_int_equal(b.len, 0);
}

static void it_grows_as_needed(void **state)
{
    struct sl_strbuf b;

    (void)state;
    sl_strbuf_init(&b);
    for (size_t i = 0; i < 10000; i++)
        sl_strbuf_addf(&b, "%05zu", i);
    assert_int_equal(b.len, 50000);
    assert_memory_equal(b.text + 49990, "0999809999", 11);
    sl_strbuf_fini(&b);
}

static void nothing_taken_is_an_empty_text(void **state)
{
    struct sl_strbuf b;
    char *text;

    (void)state;
    sl_strbuf_init(&b);
    text = sl_strbuf_take(&b);
    assert_string_equal(text, "");
    free(text);
}

static void running_out_of_memory_sticks(void **state)
{
    struct sl_strbuf b;

    (void)state;
    sl_strbuf_init(&b);
    sl_strbuf_add(&b, "kept");
    oom_fail_at(1);
    sl_strbuf_addf(&b, "%0500d", 1);
    assert_true(oom_happened());
    sl_strbuf_add(&b, "x");
    assert_true(b.failed);
    assert_string_equal(b.text, "kept");
    assert_null(sl_strbuf_take(&b));
    assert_false(b.failed);

    sl_strbuf_addn(&b, "x", SIZE_MAX - 1);
    assert_true(b.failed);
    sl_strbuf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_appended),
        cmocka_unit_test(it_grows_as_needed),
        cmocka_unit_test(nothing_taken_is_an_empty_text),
        cmocka_unit_test(running_out_of_memory_sticks),
    };

    return cmocka_run_group_tests_name("base/strbuf", tests, NULL, NULL);
}
