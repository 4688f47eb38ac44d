/*
 * sdp_util.h - reading of golden files for the tests of src/sdp.
 */
#ifndef TEST_SDP_UTIL_H
#define TEST_SDP_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The text of tests/unit/sdp/golden/<name>, to be freed. */
static inline char *golden_read(const char *name)
{
    const char *top = getenv("top_srcdir");
    char path[4096];
    char *text = calloc(1, 65536);
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/tests/unit/sdp/golden/%s", top ? top : ".", name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

#endif
