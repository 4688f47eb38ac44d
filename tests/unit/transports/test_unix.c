/* The session protocol over Unix sockets: connections and datagrams, files, limits. */

#include "../test_cmocka.h"
#include "base/log.h"
#include "fake_core.h"
#include "transports/unix/unix.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-unix-XXXXXX";
static char path[64], admin_path[64];
static struct sl_unix_conf conf;
static char text[2 * 1024 * 1024];

/* ---- setup ----------------------------------------------------------------------------------- */

static int make_dir(void **state)
{
    sl_log_set_level(SL_LOG_WARN);
    signal(SIGPIPE, SIG_IGN);
    fake_lasting = &sl_unix_transport;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(admin_path, sizeof(admin_path), "%s/a", dir);
    return 0;
}

static int remove_dir(void **state)
{
    return rmdir(dir); /* nothing is left behind */
}

static void start(bool datagrams)
{
    char err[256];
    int rc;

    conf.path = path;
    conf.admin_path = admin_path;
    conf.datagrams = datagrams;
    conf.probe_ms = 50;
    if (!conf.mode)
        conf.mode = 0600;
    fake_start();
    rc = sl_unix_start(&conf, &fake_core, err, sizeof(err));
    if (rc)
        print_error("%s\n", err);
    assert_int_equal(rc, 0);
}

static int setup_seqpacket(void **state)
{
    memset(&conf, 0, sizeof(conf));
    start(false);
    return 0;
}

static int setup_dgram(void **state)
{
    memset(&conf, 0, sizeof(conf));
    start(true);
    return 0;
}

static int teardown(void **state)
{
    struct sl_unix_stats st;

    sl_unix_stop();
    fake_stop();
    sl_unix_stats_get(&st);
    return st.open != 0 || fake_bad_order() != 0 || fake_gone() != (int)st.opened;
}

static struct sl_unix_stats stats(void)
{
    struct sl_unix_stats st;

    sl_unix_stats_get(&st);
    return st;
}

/* ---- a client -------------------------------------------------------------------------------- */

static struct sockaddr_un address(const char *at)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", at);
    return a;
}

/* @own: what it binds; NULL: nothing. -errno when nobody takes it. */
static int client_try(int type, const char *own, const char *to)
{
    struct sockaddr_un a = address(to), mine = address(own ? own : "");
    struct timeval limit = { .tv_sec = 30 };
    int size = 1024 * 1024;
    int fd = socket(AF_UNIX, type, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (own)
        assert_int_equal(bind(fd, (struct sockaddr *)&mine, sizeof(mine)), 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

static int client_open(int type, const char *own)
{
    int fd = client_try(type, own, path);

    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *what)
{
    assert_int_equal(send(fd, what, strlen(what), 0), strlen(what));
}

static const char *hear(int fd)
{
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

    if (n < 0)
        return "(nothing)";
    text[n] = '\0';
    return text;
}

#define ECHO(admin)                                                                                \
    "{\"janus\":\"echo\",\"root\":{\"janus\":\"a\"},\"session\":0,\"handle\":0,\"local\":true,"    \
    "\"admin\":" admin ",\"conn\":true}"

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
                    NULL);
}

static bool open_becomes(uint64_t n)
{
    for (int i = 0; i < 1000 && stats().open != n; i++)
        pause_ms(5);
    return stats().open == n;
}

static int messages_wanted;

static int has_messages(void)
{
    return fake_messages() >= messages_wanted;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void a_message_is_answered_on_each_socket(void **state)
{
    int one = client_open(SOCK_SEQPACKET, NULL);
    int two = client_try(SOCK_SEQPACKET, NULL, admin_path);

    say(one, "{\"janus\":\"a\"}");
    assert_string_equal(hear(one), ECHO("false"));
    say(two, "{\"janus\":\"a\"}");
    assert_string_equal(hear(two), ECHO("true"));
    close(one);
    close(two);
    assert_true(open_becomes(0));
}

static void what_is_no_json_is_answered(void **state)
{
    int fd = client_open(SOCK_SEQPACKET, NULL);
    static const char *const v[] = { "{", "{} {}", "x", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1" };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        say(fd, v[i]);
        assert_non_null(strstr(hear(fd), "454"));
    }
    close(fd);
}

static void long_messages_go_both_ways(void **state)
{
    static char big[150000];
    int fd = client_open(SOCK_SEQPACKET, NULL);

    snprintf(big, sizeof(big), "{\"janus\":\"%0*d\"}", (int)sizeof(big) - 20, 7);
    say(fd, big);
    assert_non_null(strstr(hear(fd), "0000007"));
    close(fd);
}

static void beyond_the_limit_is_no_request(void **state)
{
    static char big[70000];
    int fd;

    teardown(state);
    conf.max_message = 65536;
    start(false);
    fd = client_open(SOCK_SEQPACKET, NULL);
    snprintf(big, sizeof(big), "{\"janus\":\"%0*d\"}", (int)sizeof(big) - 20, 7);
    say(fd, big);
    assert_non_null(strstr(hear(fd), "454"));
    say(fd, "{\"janus\":\"a\"}");
    assert_string_equal(hear(fd), ECHO("false"));
    close(fd);
}

static void who_does_not_read_is_disconnected(void **state)
{
    uint64_t before = stats().slow_closed;
    int fd;

    teardown(state);
    conf.max_queue = 100000;
    start(false);
    fd = client_open(SOCK_SEQPACKET, NULL);
    say(fd, "{\"janus\":\"push\",\"size\":10000,\"count\":5000}");
    assert_true(open_becomes(1));
    assert_true(open_becomes(0));
    assert_int_equal(stats().slow_closed, before + 1);
    close(fd);
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
    int fd = client_open(SOCK_SEQPACKET, NULL);

    say(fd, "{\"janus\":\"push\",\"size\":1000,\"count\":1000}");
    pause_ms(100);
    assert_non_null(strstr(hear(fd), "echo"));
    for (int i = 0; i < 1000; i++) {
        char want[32];

        snprintf(want, sizeof(want), "{\"n\":%d,", i);
        assert_memory_equal(hear(fd), want, strlen(want));
    }
    close(fd);
}

static void unanswered_requests_hold_a_client_back(void **state)
{
    int fd = client_open(SOCK_SEQPACKET, NULL);
    int before = fake_messages();

    for (int i = 0; i < SL_UNIX_INFLIGHT + 10; i++)
        say(fd, "{\"janus\":\"hold\"}");
    assert_true(fake_wait(fake_held, SL_UNIX_INFLIGHT));
    pause_ms(50);
    assert_int_equal(fake_messages() - before, SL_UNIX_INFLIGHT);
    assert_int_equal(fake_release(SL_TSTATUS_OK), SL_UNIX_INFLIGHT);
    messages_wanted = before + SL_UNIX_INFLIGHT + 10;
    assert_true(fake_wait(has_messages, 1));
    assert_true(fake_wait(fake_held, 10));
    close(fd);
    assert_int_equal(fake_release(SL_TSTATUS_OK), 10);
}

/* Its end must not be looked at again and again while its requests are held. */
static void a_client_that_waits_and_goes_costs_nothing(void **state)
{
    int fd = client_open(SOCK_SEQPACKET, NULL);

    for (int i = 0; i < SL_UNIX_INFLIGHT; i++)
        say(fd, "{\"janus\":\"hold\"}");
    assert_true(fake_wait(fake_held, SL_UNIX_INFLIGHT));
    close(fd);
    assert_true(open_becomes(0));
    assert_int_equal(fake_release(SL_TSTATUS_OK), SL_UNIX_INFLIGHT);
}

static void too_many_clients_are_refused(void **state)
{
    int one, two, three;

    teardown(state);
    conf.max_clients = 2;
    start(false);
    one = client_open(SOCK_SEQPACKET, NULL);
    two = client_open(SOCK_SEQPACKET, NULL);
    assert_true(open_becomes(2));
    three = client_open(SOCK_SEQPACKET, NULL);
    assert_int_equal(recv(three, text, sizeof(text), 0), 0);
    close(two);
    assert_true(open_becomes(1));
    close(three);
    three = client_open(SOCK_SEQPACKET, NULL);
    say(three, "{\"janus\":\"a\"}");
    assert_string_equal(hear(three), ECHO("false"));
    close(one);
    close(three);
}

static void stopping_ends_connections(void **state)
{
    int fd = client_open(SOCK_SEQPACKET, NULL);

    say(fd, "{\"janus\":\"a\"}");
    assert_string_equal(hear(fd), ECHO("false"));
    teardown(state);
    assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
    close(fd);
    start(false);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static char own[2][64];

static int own_open(int i)
{
    snprintf(own[i], sizeof(own[i]), "%s/c%d", dir, i);
    return client_open(SOCK_DGRAM, own[i]);
}

static void own_close(int i, int fd)
{
    close(fd);
    assert_int_equal(unlink(own[i]), 0);
}

static void datagrams_are_answered_to_their_address(void **state)
{
    int one = own_open(0), two = own_open(1);

    say(one, "{\"janus\":\"push\",\"size\":1,\"count\":1}");
    assert_non_null(strstr(hear(one), "push"));
    assert_string_equal(hear(one), "{\"n\":0,\"pad\":\"x\"}");
    say(two, "{\"janus\":\"a\"}");
    assert_string_equal(hear(two), ECHO("false"));
    assert_int_equal(stats().open, 2);
    own_close(0, one);
    own_close(1, two);
    assert_true(open_becomes(0)); /* nothing was sent to them: they were looked for */
}

static void a_full_receiver_gets_everything_in_order(void **state)
{
    int fd = own_open(0);

    say(fd, "{\"janus\":\"push\",\"size\":1000,\"count\":1000}");
    pause_ms(100);
    assert_non_null(strstr(hear(fd), "echo"));
    for (int i = 0; i < 1000; i++) {
        char want[32];

        snprintf(want, sizeof(want), "{\"n\":%d,", i);
        assert_memory_equal(hear(fd), want, strlen(want));
    }
    own_close(0, fd);
}

static void datagrams_from_nowhere_are_dropped(void **state)
{
    uint64_t before = stats().dropped;
    int fd = client_open(SOCK_DGRAM, NULL);

    say(fd, "{\"janus\":\"a\"}");
    for (int i = 0; i < 1000 && stats().dropped == before; i++)
        pause_ms(5);
    assert_int_equal(stats().dropped, before + 1);
    close(fd);
}

static void an_address_that_is_gone_ends_its_client(void **state)
{
    int fd = own_open(0);

    say(fd, "{\"janus\":\"hold\"}");
    assert_true(fake_wait(fake_held, 1));
    own_close(0, fd);
    (void)fake_release(SL_TSTATUS_OK);
    assert_true(open_becomes(0));
}

/* ---- files ----------------------------------------------------------------------------------- */

static int start_error(const char *want)
{
    char err[256];
    int rc = sl_unix_start(&conf, &fake_core, err, sizeof(err));

    assert_true(rc < 0);
    if (!strstr(err, want))
        print_error("%s\n", err);
    assert_non_null(strstr(err, want));
    return rc;
}

static void files_have_their_permissions(void **state)
{
    static const unsigned int modes[] = { 0600, 0660, 0666 };
    struct stat st;

    for (size_t i = 0; i < 3; i++) {
        mode_t old = umask(i == 1 ? 0 : 077);

        memset(&conf, 0, sizeof(conf));
        conf.mode = modes[i];
        start(i == 2);
        (void)umask(old);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, modes[i]);
        assert_int_equal(lstat(admin_path, &st), 0);
        assert_int_equal(st.st_mode & 0777, modes[i]);
        teardown(state);
        assert_int_equal(lstat(path, &st), -1);
        assert_int_equal(lstat(admin_path, &st), -1);
    }
}

static void leave_file(int type)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, type, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);
}

static void a_stale_file_is_replaced(void **state)
{
    static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM };
    int fd;

    for (size_t i = 0; i < 3; i++) {
        leave_file(types[i]);
        memset(&conf, 0, sizeof(conf));
        start(false);
        fd = client_open(SOCK_SEQPACKET, NULL);
        close(fd);
        teardown(state);
    }
}

static void a_living_socket_is_left_alone(void **state)
{
    static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };
    struct sockaddr_un a = address(path);

    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_UNIX, types[i / 2], 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        if (types[i / 2] == SOCK_SEQPACKET)
            assert_int_equal(listen(fd, 1), 0);
        conf = (struct sl_unix_conf){ .path = path, .mode = 0600, .datagrams = i % 2 };
        assert_int_equal(start_error("unix.path: cannot listen on"), -EADDRINUSE);
        close(fd);
        assert_int_equal(unlink(path), 0); /* it is still there */
    }
}

static void other_files_are_left_alone(void **state)
{
    FILE *f = fopen(path, "we");
    char longer[200];

    assert_non_null(f);
    fclose(f);
    conf = (struct sl_unix_conf){ .path = path, .mode = 0600 };
    assert_int_equal(start_error("no socket"), -EEXIST);
    assert_int_equal(unlink(path), 0);

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    conf.path = longer;
    assert_int_equal(start_error("longer than"), -ENAMETOOLONG);
    conf.path = "/nowhere/at/all";
    assert_int_equal(start_error("No such file"), -ENOENT);
    /* The first socket is closed again when the second fails. */
    conf.path = path;
    conf.admin_path = "/nowhere/at/all";
    assert_int_equal(start_error("unix.admin_path"), -ENOENT);
}

static void the_file_of_a_successor_is_not_removed(void **state)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    memset(&conf, 0, sizeof(conf));
    start(false);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    teardown(state);
    close(fd);
    assert_int_equal(unlink(path), 0);
}

#define CONNECTIONS(f) cmocka_unit_test_setup_teardown(f, setup_seqpacket, teardown)
#define DATAGRAMS(f)   cmocka_unit_test_setup_teardown(f, setup_dgram, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CONNECTIONS(a_message_is_answered_on_each_socket),
        CONNECTIONS(what_is_no_json_is_answered),
        CONNECTIONS(long_messages_go_both_ways),
        CONNECTIONS(beyond_the_limit_is_no_request),
        CONNECTIONS(who_does_not_read_is_disconnected),
        CONNECTIONS(a_slow_reader_gets_everything_in_order),
        CONNECTIONS(unanswered_requests_hold_a_client_back),
        CONNECTIONS(a_client_that_waits_and_goes_costs_nothing),
        CONNECTIONS(too_many_clients_are_refused),
        CONNECTIONS(stopping_ends_connections),
        DATAGRAMS(datagrams_are_answered_to_their_address),
        DATAGRAMS(a_full_receiver_gets_everything_in_order),
        DATAGRAMS(datagrams_from_nowhere_are_dropped),
        DATAGRAMS(an_address_that_is_gone_ends_its_client),
        cmocka_unit_test(files_have_their_permissions),
        cmocka_unit_test(a_stale_file_is_replaced),
        cmocka_unit_test(a_living_socket_is_left_alone),
        cmocka_unit_test(other_files_are_left_alone),
        cmocka_unit_test(the_file_of_a_successor_is_not_removed),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
