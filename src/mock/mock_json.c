/* JSON in tests: written with ' for ", compared with "*" for anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mock/mock_state.h"

json_t *mock_json(const char *text)
{
    char *copy = strdup(text);
    json_error_t err;
    json_t *j;

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    j = json_loads(copy, JSON_DECODE_ANY, &err);
    if (!j)
        mock_fail("bad JSON in the test: %s in %s", err.text, text);
    free(copy);
    return j;
}

static bool json_matches(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *v;

    if (json_is_string(want) && strcmp(json_string_value(want), "*") == 0)
        return got != NULL;
    if (json_is_object(want)) {
        if (!json_is_object(got) || json_object_size(got) != json_object_size(want))
            return false;
        json_object_foreach((json_t *)want, key,
                            v) if (!json_matches(json_object_get(got, key), v)) return false;
        return true;
    }
    if (json_is_array(want)) {
        if (!json_is_array(got) || json_array_size(got) != json_array_size(want))
            return false;
        for (size_t i = 0; i < json_array_size(want); i++)
            if (!json_matches(json_array_get(got, i), json_array_get(want, i)))
                return false;
        return true;
    }
    return json_equal(got, want);
}

void mock_data_check(const json_t *got, const char *text)
{
    json_t *want = mock_json(text);

    if (!json_matches(got, want)) {
        char *a = json_dumps(got, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        char *b = json_dumps(want, JSON_ENCODE_ANY | JSON_SORT_KEYS);

        mock_fail("\n   got %s\nwanted %s", a ? a : "nothing", b);
    }
    json_decref(want);
}
