/*
 * fuzz_sdp.c - what the parser of session descriptions accepts, the writer writes so that it parses
 * back to the same.
 */
#include "fuzz.h"
#include "sdp/sdp.h"
#include <errno.h>
#include <string.h>

#define BYTES_MAX ((size_t)1 << 20) /* the writer adds CRs, so the second pass allows more */

static char *rewrite(struct sl_arena *a, const char *text, size_t len, size_t max)
{
    char err[SL_SDP_ERROR_MAX] = "";
    struct sl_strbuf out;
    struct sl_sdp *sdp;
    int rc = sl_sdp_parse(a, text, len, max, &sdp, err);

    FUZZ_CHECK(rc == 0 || rc == -EBADMSG);
    if (rc) {
        FUZZ_CHECK(*err);
        return NULL;
    }
    sl_strbuf_init(&out);
    sl_sdp_write(sdp, &out);
    return sl_strbuf_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_arena *a = sl_arena_create();
    char *first, *second;

    first = rewrite(a, (const char *)data, size, 0);
    if (first) {
        second = rewrite(a, first, strlen(first), BYTES_MAX);
        FUZZ_CHECK(second);
        FUZZ_CHECK(!strcmp(first, second));
        free(second);
    }
    free(first);
    sl_arena_destroy(a);
    return 0;
}
