/* What a connected association keeps. A program of its own: it watches the memory of the process.
 */
#include "../test_cmocka.h"
#include "dtls_pair.h"
#include "tests/unit/test_sanitized.h"
#include <stdio.h>
#include <stdlib.h>

#define PAIRS 100
/* KiB of two associations with a certificate and a context each, and the test's own struct; 80 when
 * this was written, 120 without dtls_mem.h. */
#define COST_MAX 100

static long rss_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    assert_non_null(f);
    while (kib < 0 && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmRSS: %ld", &kib) != 1)
            kib = -1;
    fclose(f);
    assert_true(kib > 0);
    return kib;
}

static void connect_pair(struct dtls_pair *p) SL_ON_WORKER
{
    pair_init(p, NULL);
    sl_dtls_start(p->end[CLIENT].d);
    pair_settle(p);
    assert_true(pair_is_up(p));
}

static void a_connected_association_is_small(void **state)
{
    struct dtls_pair *pairs = calloc(PAIRS, sizeof(*pairs));
    const uint8_t message[1000] = { 1 };
    long before, cost;

    (void)state;
    SL_ASSUME(worker);
    assert_non_null(pairs);
    connect_pair(&pairs[0]); /* what libcrypto makes once */
    before = rss_kib();
    for (size_t i = 1; i < PAIRS; i++)
        connect_pair(&pairs[i]);
    cost = (rss_kib() - before) / (PAIRS - 1);
    print_message("%ld KiB per pair of associations\n", cost);
#ifdef IS_SANITIZED
    print_message("not compared: the sanitizer keeps what was freed\n");
#else
    assert_in_range(cost, 1, COST_MAX);
#endif
    /* What was given back comes back when it is needed. */
    for (size_t i = 0; i < PAIRS; i++) {
        assert_int_equal(sl_dtls_send(pairs[i].end[i % 2].d, message, sizeof(message)), 0);
        pair_settle(&pairs[i]);
        assert_int_equal(pairs[i].end[!(i % 2)].data_len, sizeof(message));
        sl_dtls_close(pairs[i].end[i % 2].d);
        pair_settle(&pairs[i]);
        assert_int_equal(sl_dtls_state(pairs[i].end[!(i % 2)].d), SL_DTLS_CLOSED);
        pair_fini(&pairs[i]);
    }
    free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connected_association_is_small),
    };

    if (sl_dtls_init()) {
        print_error("libcrypto was in use before main\n");
        return 1;
    }
    sl_role_enter(&sl_role_worker);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
