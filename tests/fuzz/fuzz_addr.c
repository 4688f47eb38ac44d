/*
 * fuzz_addr.c - addresses as text: what is read is written and read back equal.
 */
#include "fuzz.h"
#include "net/net_addr.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256], again[SL_ADDR_TEXT_MAX];
    struct sl_addr a, b;
    size_t n = size < sizeof(text) ? size : sizeof(text) - 1;

    memcpy(text, data, n);
    text[n] = '\0';
    if (sl_addr_parse(text, &a))
        return 0;
    FUZZ_CHECK(sl_addr_parse(sl_addr_format(&a, again), &b) == 0);
    FUZZ_CHECK(sl_addr_is_equal(&a, &b));
    FUZZ_CHECK(sl_addr_hash(&a) == sl_addr_hash(&b));
    FUZZ_CHECK(sl_addr_from_ip(sl_addr_format_ip(&a, again), sl_addr_port(&a), &b) == 0);
    FUZZ_CHECK(sl_addr_is_equal(&a, &b));
    sl_addr_unmap(&b);
    FUZZ_CHECK(sl_addr_is_private(&a) == sl_addr_is_private(&b));
    FUZZ_CHECK(sl_addr_is_loopback(&a) == sl_addr_is_loopback(&b));
    return 0;
}
