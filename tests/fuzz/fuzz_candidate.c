/*
 * fuzz_candidate.c - a candidate that parses has printable parts only, and written out again it
 * parses to the same.
 */
#include "fuzz.h"
#include "ice/ice.h"
#include <errno.h>
#include <string.h>

static void check_text(const char *s)
{
    FUZZ_CHECK(*s);
    for (; *s; s++)
        FUZZ_CHECK(*s > ' ' && *s < 0x7f && *s != '"' && *s != '<' && *s != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_ice_candidate c = { 0 }, d = { 0 };
    char *text = malloc(size + 1), again[2 * SL_ICE_CAND_MAX];
    int rc;

    FUZZ_CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    rc = sl_ice_candidate_parse(text, &c);
    FUZZ_CHECK(rc == 0 || rc == -EBADMSG);
    if (rc == 0) {
        check_text(c.foundation);
        check_text(c.address);
        (void)snprintf(again, sizeof(again), "candidate:%s %u %s %u %s %u typ %s", c.foundation,
                       c.component, c.is_udp ? "udp" : "tcp", (unsigned int)c.priority, c.address,
                       (unsigned int)c.port, c.type);
        FUZZ_CHECK(sl_ice_candidate_parse(again, &d) == 0);
        FUZZ_CHECK(memcmp(&c, &d, sizeof(c)) == 0);
    }
    free(text);
    return 0;
}
