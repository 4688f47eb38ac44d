/* UDP from one namespace to the other, and what becomes of it on the way. */
#include "tests/unit/test_cmocka.h"

#include "impair_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT       5000
#define HEADERS    28 /* of IPv4 and UDP */
#define PACKETS    2000
#define MS         1000
#define PATIENCE   1000      /* ms without a packet: no more will come */
#define MACHINE_US (60 * MS) /* a busy one lets the sender wait, but not as a rule */

struct probe {
    uint32_t n;
    uint64_t sent_us;
};

/* What came, in this order. */
struct arrivals {
    size_t n;
    struct {
        uint32_t n;
        uint64_t delay_us, at_us;
    } of[PACKETS];
};

static struct {
    struct impair_net net;
    int control;
    pid_t link;
    int near, far; /* sockets */
    struct arrivals got;
} world;

static uint64_t wall_us(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_nsec / 1000;
}

static int udp_socket(int netns, const char *own, const char *other)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT) }, there = here;
    int sock, one = 1;

    assert_int_equal(setns(netns, CLONE_NEWNET), 0);
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(sock >= 0);
    inet_pton(AF_INET, own, &here.sin_addr);
    inet_pton(AF_INET, other, &there.sin_addr);
    assert_int_equal(bind(sock, (void *)&here, sizeof(here)), 0);
    assert_int_equal(connect(sock, (void *)&there, sizeof(there)), 0);
    setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
    return sock;
}

static int begin(void **state)
{
    struct sched_param urgent = { .sched_priority = 1 };
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    world.link = fork();
    assert_true(world.link >= 0);
    if (world.link == 0) {
        struct impair_link *l = impair_link_create(&world.net, pair[0]);
        int err;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)sched_setscheduler(0, SCHED_RR, &urgent);
        close(pair[1]);
        err = l ? impair_link_run(l) : -ENOMEM;
        impair_link_destroy(l);
        _exit(err ? 1 : 0);
    }
    close(pair[0]);
    world.control = pair[1];
    world.far = udp_socket(world.net.far.netns, IMPAIR_FAR, IMPAIR_NEAR);
    world.near = udp_socket(world.net.near.netns, IMPAIR_NEAR, IMPAIR_FAR);
    return 0;
}

static int end(void **state)
{
    int status;

    (void)state;
    close(world.near);
    close(world.far);
    close(world.control);
    assert_int_equal(waitpid(world.link, &status, 0), world.link);
    assert_int_equal(status, 0);
    return 0;
}

static const char *say(const char *line)
{
    static char reply[IMPAIR_REPLY_MAX];
    size_t n = 0;

    assert_int_equal(write(world.control, line, strlen(line)), strlen(line));
    assert_int_equal(write(world.control, "\n", 1), 1);
    do {
        ssize_t got = read(world.control, reply + n, sizeof(reply) - 1 - n);

        assert_true(got > 0);
        n += (size_t)got;
    } while (reply[n - 1] != '\n');
    reply[n - 1] = '\0';
    return reply;
}

static void expect(const char *line)
{
    assert_string_equal(say(line), "ok");
}

/* Takes what is there. Meanwhile: a socket's buffer is small where we are not quite root. */
static void take(int sock)
{
    struct arrivals *a = &world.got;
    char data[IMPAIR_MTU], control[64];
    struct iovec iov = { data, sizeof(data) };

    for (; a->n < PACKETS; a->n++) {
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control) };
        struct timespec at;
        struct probe p;

        if (recvmsg(sock, &m, MSG_DONTWAIT) < (ssize_t)sizeof(p))
            return;
        memcpy(&p, data, sizeof(p));
        assert_non_null(CMSG_FIRSTHDR(&m));
        memcpy(&at, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(at));
        a->of[a->n].n = p.n;
        a->of[a->n].at_us = wall_us(&at);
        a->of[a->n].delay_us = wall_us(&at) - p.sent_us;
    }
}

static void send_packets(int from, int to, size_t n, size_t bytes, unsigned int apart_us)
{
    char data[IMPAIR_MTU] = { 0 };

    world.got.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct probe p = { .n = i };
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        p.sent_us = wall_us(&now);
        memcpy(data, &p, sizeof(p));
        assert_int_equal(send(from, data, bytes - HEADERS, 0), bytes - HEADERS);
        if (apart_us)
            usleep(apart_us);
        take(to);
    }
}

/* Until @most are there, or no more come. */
static const struct arrivals *receive(int sock, size_t most)
{
    struct pollfd fd = { .fd = sock, .events = POLLIN };

    while (world.got.n < most && poll(&fd, 1, PATIENCE) > 0)
        take(sock);
    return &world.got;
}

/* Both. */
static const struct arrivals *pass(int from, int to, size_t n, size_t bytes, unsigned int apart_us)
{
    send_packets(from, to, n, bytes, apart_us);
    return receive(to, n);
}

/* The same, when all come, however busy the machine is. */
static const struct arrivals *pass_all(int from, int to, size_t n, size_t bytes,
                                       unsigned int apart_us)
{
    send_packets(from, to, n, bytes, apart_us);
    for (int i = 0; i < 30 && world.got.n < n; i++)
        (void)receive(to, n);
    assert_int_equal(world.got.n, n);
    return &world.got;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The delay that @percent of the packets do not exceed. */
static uint64_t delay_of(const struct arrivals *a, size_t percent)
{
    static uint64_t all[PACKETS];

    assert_true(a->n > 0);
    for (size_t i = 0; i < a->n; i++)
        all[i] = a->of[i].delay_us;
    qsort(all, a->n, sizeof(all[0]), by_size);
    return all[(a->n - 1) * percent / 100];
}

static size_t late(const struct arrivals *a)
{
    size_t out = 0;
    uint32_t highest = 0;

    for (size_t i = 0; i < a->n; i++) {
        if (a->of[i].n < highest)
            out++;
        else
            highest = a->of[i].n;
    }
    return out;
}

/* A few at a time: when the link gets no time and passes them on all at once, the socket has room
 * for 90 of this size. */
static void packets_come_as_they_are_sent(void **state)
{
    uint64_t best_us = UINT64_MAX;

    (void)state;
    for (int i = 0; i < 5; i++) {
        const struct arrivals *a = pass_all(world.far, world.near, 40, 1500, 500);
        const uint64_t us = delay_of(a, 50);

        assert_int_equal(late(a), 0);
        best_us = us < best_us ? us : best_us;
    }
    assert_in_range(best_us, 0, 10 * MS);
}

/* All at once: the link alone decides when they come. */
static void rate_is_kept(void **state)
{
    const struct arrivals *a;
    double bps = 0;

    (void)state;
    expect("down rate=3M queue=2s");
    for (int i = 0; i < 5; i++) { /* a busy machine holds the link up now and then */
        a = pass_all(world.far, world.near, 300, 1200, 0);
        bps = 8e6 * 1200 * 299 / (double)(a->of[299].at_us - a->of[0].at_us);
        if (bps > 2.85e6 && bps < 3.15e6)
            return;
    }
    fail_msg("%.0f bit/s", bps);
}

static void rate_changes_under_way(void **state)
{
    const struct arrivals *a;

    (void)state;
    expect("down rate=100k queue=10s");
    send_packets(world.far, world.near, 50, 1250, 0); /* 5 s */
    usleep(250 * MS);
    expect("down rate=2M");
    a = receive(world.near, 50);
    assert_int_equal(a->n, 50);
    assert_in_range(a->of[49].at_us - a->of[0].at_us, 200 * MS, 1000 * MS);
}

static void full_queue_drops(void **state)
{
    const struct arrivals *a;
    uint64_t first_us, last_us; /* when they were sent, of those that came */
    unsigned long long packets, bytes, dropped, lost, p50, p95;

    (void)state;
    say("stats");
    expect("down rate=1M queue=100ms");
    a = pass(world.far, world.near, 100, 1250, 0); /* of 10 ms each */
    assert_true(a->n >= 11);
    first_us = a->of[0].at_us - a->of[0].delay_us;
    last_us = a->of[a->n - 1].at_us - a->of[a->n - 1].delay_us;
    assert_true(a->n <= 12 + (last_us - first_us + MACHINE_US) / (10 * MS));
    assert_int_equal(sscanf(say("stats"),
                            "{\"down\":{\"packets\":%llu,\"bytes\":%llu,\"dropped\":%llu,"
                            "\"lost\":%llu,\"queue_us\":{\"p50\":%llu,\"p95\":%llu}}",
                            &packets, &bytes, &dropped, &lost, &p50, &p95),
                     6);
    assert_int_equal(packets, a->n);
    assert_int_equal(bytes, 1250 * a->n);
    assert_int_equal(dropped, 100 - a->n);
    assert_int_equal(lost, 0);
    assert_in_range(p50, 30 * MS, 100 * MS);
    assert_in_range(p95, 80 * MS, 110 * MS);
}

static void delay_and_jitter(void **state)
{
    const struct arrivals *a;

    (void)state;
    expect("up delay=40ms");
    a = pass_all(world.near, world.far, 100, 200, 1000);
    assert_in_range(delay_of(a, 0), 40 * MS, 40 * MS + MACHINE_US);
    assert_in_range(delay_of(a, 50), 40 * MS, 40 * MS + MACHINE_US);
    expect("up jitter=60ms");
    a = pass_all(world.near, world.far, 20, 200, 20 * MS);
    assert_int_equal(late(a), 0);
    assert_true(delay_of(a, 0) >= 40 * MS);
    assert_true(delay_of(a, 90) - delay_of(a, 10) > 20 * MS);
}

static void loss_at_random_and_in_bursts(void **state)
{
    const struct arrivals *a;
    size_t bursts = 0;

    (void)state;
    expect("down loss=20%");
    a = pass(world.far, world.near, PACKETS, 100, 50);
    assert_in_range(a->n, PACKETS * 76 / 100, PACKETS * 84 / 100);
    expect("down loss=0 burst=1% burst_length=10");
    a = pass(world.far, world.near, PACKETS, 100, 50);
    for (size_t i = 1; i < a->n; i++)
        bursts += a->of[i].n > a->of[i - 1].n + 4;
    assert_in_range(a->n, PACKETS * 80 / 100, PACKETS * 96 / 100);
    assert_in_range(bursts, 4, 40);
}

static void reordering(void **state)
{
    const struct arrivals *a;

    (void)state;
    expect("down reorder=10% reorder_delay=30ms");
    a = pass_all(world.far, world.near, 500, 100, 500);
    assert_in_range(late(a), 500 * 6 / 100, 500 * 14 / 100);
}

static void directions_are_apart(void **state)
{
    (void)state;
    expect("up loss=100%");
    (void)pass_all(world.far, world.near, 10, 100, 0);
    assert_int_equal(pass(world.near, world.far, 10, 100, 0)->n, 0);
    expect("both loss=0");
    (void)pass_all(world.near, world.far, 10, 100, 0);
}

static void lines_that_make_no_sense(void **state)
{
    static const char *const lines[] = { "",
                                         "sideways",
                                         "down rate",
                                         "down rate=",
                                         "down rate=-1",
                                         "down rate=1",
                                         "down rate=nan",
                                         "down rate=1ms",
                                         "down loss=100% delay=20",
                                         "both delay=11s loss=100%",
                                         "down loss=101%",
                                         "down loss=1 =",
                                         "down tea=1" };

    (void)state;
    for (size_t i = 0; i < TEST_COUNT(lines); i++)
        if (strncmp(say(lines[i]), "error", 5) != 0)
            fail_msg("accepted: %s", lines[i]);
    (void)pass_all(world.far, world.near, 10, 100, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(packets_come_as_they_are_sent),
        TEST(rate_is_kept),
        TEST(rate_changes_under_way),
        TEST(full_queue_drops),
        TEST(delay_and_jitter),
        TEST(loss_at_random_and_in_bursts),
        TEST(reordering),
        TEST(directions_are_apart),
        TEST(lines_that_make_no_sense),
    };
    int err = impair_net_open(&world.net);

    if (err) {
        printf("skipped: no network namespaces with TUN devices here: %s\n", strerror(-err));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
