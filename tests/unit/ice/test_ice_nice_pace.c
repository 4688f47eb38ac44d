/* How soon full ICE has a pair, and how quiet its thread is afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/clock.h"
#include "nice_net.h"
#include <dirent.h>

static void nap(unsigned int ms)
{
    struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&ts, NULL);
}

/* A check, a decision and a nomination, each a pace of libnice's later than the one before: at its
 * own pace of 20 ms that would be 60 ms and more, on any machine. */
static void selects_a_pair_within_45_ms(void **state)
{
    struct sl_nice_conf conf = { 0 };
    uint64_t best_us = UINT64_MAX;

    (void)state;
    for (int i = 0; i < 20 && best_us >= 45000; i++) {
        struct net *t = net_open(&conf, true);
        uint64_t start_us = sl_now_us(), took_us;

        open_both(t);
        wait_for(t, 1, has_path, 1);
        wait_for(t, 2, has_path, 1);
        took_us = sl_now_us() - start_us;
        best_us = took_us < best_us ? took_us : best_us;
        net_close(t);
    }
    assert_in_range(best_us, 0, 44999);
}

/* How often the ICE thread of this process went to sleep so far. */
static long sleeps(void)
{
    char path[300], line[128] = "";
    long n = -1;
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;

    assert_non_null(dir);
    while (n < 0 && (e = readdir(dir))) {
        bool is_ice = false;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
        f = fopen(path, "r");
        while (f && fgets(line, sizeof(line), f)) {
            is_ice = is_ice || strcmp(line, "Name:\tICE\n") == 0;
            if (is_ice && sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
                break;
        }
        if (f)
            fclose(f);
    }
    closedir(dir);
    assert_true(n >= 0);
    return n;
}

/* Consent is all that is left: libnice's thread must not go on at the pace of checks. */
static void sleeps_once_connected(void **state)
{
    struct sl_nice_conf conf = { 0 };
    struct net *t = net_open(&conf, true);
    long before;

    (void)state;
    open_both(t);
    wait_for(t, 1, has_path, 1);
    wait_for(t, 2, has_path, 1);
    nap(1500);
    before = sleeps();
    nap(1000);
    assert_in_range(sleeps() - before, 0, 25); /* libnice alone: 100, and 5 s long */
    assert_int_equal(side_get(t, 1).state, SL_ICE_CONNECTED);
    net_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selects_a_pair_within_45_ms),
        cmocka_unit_test(sleeps_once_connected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
