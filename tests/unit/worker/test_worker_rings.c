/* A room over two workers: what crosses, how often, and what it takes to wake the other. */
#include "tests/unit/worker/worker_world.h"

#include <dirent.h>
#include <sched.h>

#define FAR 5 /* subscribers on the other worker */

static void a_packet_crosses_once_and_a_batch_wakes_once(void **state)
{
    const unsigned int bursts = 20, burst = 30;
    struct sl_worker_stats from[2], to[2];
    struct rtc_client pub, near, far[FAR];
    sl_id p, n, f[FAR];

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 1, SL_DIR_RECV);
    n = join(&near, 1, SL_DIR_SEND);
    route(p, n);
    for (int i = 0; i < FAR; i++) {
        f[i] = join(&far[i], 0, SL_DIR_SEND);
        route(p, f[i]);
    }
    settle();
    send_video(&pub, 0, 0, true);
    for (int i = 0; i < FAR; i++)
        assert_int_equal(await_rtp(&far[i], SSRC_OUT, 1), 1);
    from[0] = next_stats(1);
    to[0] = next_stats(0);
    for (unsigned int b = 0; b < bursts; b++) {
        /* It finds the whole burst when it comes back. */
        stick();
        for (unsigned int i = 1; i <= burst; i++)
            send_video(&pub, (uint16_t)(b * burst + i), (b * burst + i) * 3000, false);
        usleep(1000);
        let_go();
        (void)await_rtp(&near, SSRC_OUT, 1 + (b + 1) * burst);
        for (int i = 0; i < FAR; i++)
            (void)await_rtp(&far[i], SSRC_OUT, 1 + (b + 1) * burst);
    }
    from[1] = next_stats(1);
    to[1] = next_stats(0);
    for (int i = 0; i < FAR; i++)
        assert_int_equal(count_rtp(&far[i], SSRC_OUT, NULL, NULL), bursts * burst + 1);
    print_message("%u packets crossed, %u wakes\n", (unsigned int)(to[1].ring_in - to[0].ring_in),
                  (unsigned int)(from[1].wakes - from[0].wakes));
    assert_int_equal(from[1].ring_out - from[0].ring_out, bursts * burst);
    assert_int_equal(to[1].ring_in - to[0].ring_in, bursts * burst);
    /* One for each burst; two when the worker looked while it was sent. */
    assert_in_range(from[1].wakes - from[0].wakes, 1, bursts * 2);
    for (int i = 0; i < FAR; i++)
        leave(&far[i], f[i]);
    leave(&near, n);
    leave(&pub, p);
}

/* One who does not read loses what his socket cannot hold; his neighbour on the same worker loses
 * nothing, and nothing waits. */
static void a_slow_subscriber_costs_only_himself(void **state)
{
    const unsigned int packets = 600;
    struct rtc_client pub, slow, near;
    struct sl_worker_stats before, after;
    sl_id p, s, n;
    int small = 4096;

    (void)state;
    SL_ASSUME(worker);
    p = join(&pub, 0, SL_DIR_RECV);
    s = join(&slow, 0, SL_DIR_SEND);
    n = join(&near, 0, SL_DIR_SEND);
    (void)setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    route(p, s);
    route(p, n);
    settle();
    before = next_stats(0);
    for (unsigned int i = 0; i < packets; i++) {
        send_video(&pub, (uint16_t)i, i * 3000, i == 0);
        if (i % 10 == 9)
            (void)await_rtp(&near, SSRC_OUT, i + 1);
    }
    after = next_stats(0);
    rtc_poll(&slow, 0);
    assert_int_equal(count_rtp(&near, SSRC_OUT, NULL, NULL), packets);
    assert_in_range(count_rtp(&slow, SSRC_OUT, NULL, NULL), 0, packets / 2);
    assert_true(after.latency.count - before.latency.count >= 2 * packets);
    leave(&near, n);
    leave(&slow, s);
    leave(&pub, p);
}

/* ---- cores ----------------------------------------------------------------------------------- */

/* How many cores the thread of @worker may use. */
static int cores_of(unsigned int worker)
{
    DIR *tasks = opendir("/proc/self/task");
    char want[24], path[300], name[32];
    struct dirent *d;
    cpu_set_t set;
    int n = 0;

    snprintf(want, sizeof(want), "sl-worker-%u\n", worker);
    while (tasks && (d = readdir(tasks))) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", d->d_name);
        f = fopen(path, "r");
        if (f && fgets(name, sizeof(name), f) && strcmp(name, want) == 0 &&
            sched_getaffinity(atoi(d->d_name), sizeof(set), &set) == 0)
            n = CPU_COUNT(&set);
        if (f)
            fclose(f);
    }
    if (tasks)
        closedir(tasks);
    return n;
}

static void workers_run_where_there_is_room(void **state)
{
    cpu_set_t all;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    for (unsigned int i = 0; i < NWORKERS; i++)
        assert_int_equal(cores_of(i), CPU_COUNT(&all));
}

static void pinned_workers_have_a_core_each(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < NWORKERS; i++) {
        for (int tries = 0; tries < 200 && cores_of(i) != 1; tries++)
            usleep(10000); /* it has only just begun */
        assert_int_equal(cores_of(i), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_crosses_once_and_a_batch_wakes_once),
        cmocka_unit_test(a_slow_subscriber_costs_only_himself),
        cmocka_unit_test(workers_run_where_there_is_room),
    };
    const struct CMUnitTest pinned[] = {
        cmocka_unit_test(pinned_workers_have_a_core_each),
        cmocka_unit_test(a_packet_crosses_once_and_a_batch_wakes_once),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);

    world_pin = true;
    return failed + cmocka_run_group_tests(pinned, setup, teardown);
}
