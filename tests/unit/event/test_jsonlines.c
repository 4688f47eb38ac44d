/* Events as lines in a file: appending, rotation, what cannot be written. */

#include "../test_cmocka.h"
#include "base/log.h"
#include "event/event_bus.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

extern const struct sl_event_handler sl_event_handler;
#define PACKAGE "janus.eventhandler.jsonlines"

static char dir[] = "/tmp/sluice-jsonlines-XXXXXX";
static char path[64], other[64], err[512];
static struct sl_events *bus;
static const char *where; /* the key `path` */
static const char *extra_key;

static json_t *load(const char *file, char *e, size_t cap)
{
    json_t *general = json_object();

    assert_string_equal(file, "confdir/jsonlines.conf");
    if (where)
        json_object_set_new(general, "path", json_string(where));
    if (extra_key)
        json_object_set_new(general, extra_key, json_string("1"));
    return json_pack("{s:o}", "general", general);
}

static int try(void)
{
    const struct sl_events_conf conf = { .config_dir = "confdir", .load = load };
    int rc;

    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_create(&conf, &bus, err, sizeof(err)), 0);
    rc = sl_events_add(bus, &sl_event_handler, err, sizeof(err));
    sl_role_leave(&sl_role_control);
    return rc;
}

static void stop(void)
{
    sl_role_enter(&sl_role_control);
    sl_events_destroy(bus);
    bus = NULL;
    sl_role_leave(&sl_role_control);
}

static struct sl_events_stats emit(int n)
{
    const struct sl_event_head head = { .type = SL_EVENT_CORE };
    struct sl_events_stats st;

    sl_role_enter(&sl_role_control);
    sl_events_emit(bus, &head, json_pack("{s:i}", "n", n));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sl_events_stats_get(bus, PACKAGE, &st), 0);
        if (!st.waiting)
            break;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
    sl_role_leave(&sl_role_control);
    return st;
}

/* The numbers in the lines of a file, "1 2 "; each line must be JSON. */
static const char *lines(const char *file)
{
    static char out[256];
    char line[512];
    FILE *f = fopen(file, "re");

    assert_non_null(f);
    out[0] = '\0';
    while (fgets(line, sizeof(line), f)) {
        json_t *j = json_loads(line, 0, NULL);

        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%d ",
                 j ? (int)json_integer_value(json_object_get(json_object_get(j, "event"), "n"))
                   : -1);
        json_decref(j);
    }
    fclose(f);
    return out;
}

static int make_dir(void **state)
{
    sl_log_set_level(SL_LOG_ERROR);
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/events", dir);
    snprintf(other, sizeof(other), "%s/events.1", dir);
    return 0;
}

static int remove_dir(void **state)
{
    return rmdir(dir);
}

static int setup(void **state)
{
    where = path;
    extra_key = NULL;
    return 0;
}

static int teardown(void **state)
{
    stop();
    (void)unlink(path);
    (void)unlink(other);
    return 0;
}

static void an_event_is_a_line(void **state)
{
    struct stat st;

    assert_int_equal(try(), 0);
    emit(1);
    emit(2);
    assert_string_equal(lines(path), "1 2 ");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    stop();
    assert_int_equal(try(), 0);
    emit(3);
    assert_string_equal(lines(path), "1 2 3 ");
}

static void a_rotated_file_is_opened_anew(void **state)
{
    assert_int_equal(try(), 0);
    emit(1);
    assert_int_equal(rename(path, other), 0);
    emit(2);
    assert_string_equal(lines(other), "1 ");
    assert_string_equal(lines(path), "2 ");
    assert_int_equal(unlink(path), 0);
    emit(3);
    assert_string_equal(lines(path), "3 ");
}

static void what_cannot_be_written_is_lost(void **state)
{
    struct rlimit old, small;
    struct sl_events_stats st;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(try(), 0);
    emit(1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 70; /* within the second line */
    sl_log_set_level(SL_LOG_ERROR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    st = emit(2);
    assert_int_equal(st.lost, 1);
    st = emit(3);
    assert_int_equal(st.lost, 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    st = emit(4);
    assert_int_equal(st.lost, 2);
    assert_int_equal(st.delivered, 2);
    assert_string_equal(lines(path), "1 -1 4 "); /* the cut line ended where it was cut */
}

static void a_reader_that_stops_reading_stops_nobody(void **state)
{
    const struct sl_event_head head = { .type = SL_EVENT_CORE };
    struct sl_events_stats st;
    char big[4096];
    int fd;

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC); /* so that its open does not wait */
    assert_true(fd >= 0);
    assert_int_equal(try(), 0);
    sl_role_enter(&sl_role_control);
    for (int i = 0; i < 100; i++) /* a pipe holds 64 KiB */
        sl_events_emit(bus, &head, json_pack("{s:s}", "x", big));
    assert_int_equal(sl_events_stats_get(bus, PACKAGE, &st), 0);
    assert_int_equal(st.emitted, 100);
    sl_role_leave(&sl_role_control);
    stop(); /* returns */
    close(fd);
}

static void a_pipe_without_a_reader_holds_up_nobody(void **state)
{
    struct sl_events_stats st;
    int fd;

    signal(SIGPIPE, SIG_IGN); /* as the server does */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(try(), -ENXIO);
    stop();
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(try(), 0);
    close(fd);
    st = emit(1);
    assert_int_equal(st.lost, 1);
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* opened anew */
    st = emit(2);
    assert_int_equal(st.lost, 2);
}

static void a_wrong_configuration_is_refused(void **state)
{
    extra_key = "pth";
    assert_int_equal(try(), -EINVAL);
    stop();
    extra_key = NULL;
    where = "/nowhere/at/all";
    assert_int_equal(try(), -ENOENT);
    stop();
    where = NULL; /* stderr */
    assert_int_equal(try(), 0);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T_(an_event_is_a_line),
        T_(a_rotated_file_is_opened_anew),
        T_(what_cannot_be_written_is_lost),
        T_(a_reader_that_stops_reading_stops_nobody),
        T_(a_pipe_without_a_reader_holds_up_nobody),
        T_(a_wrong_configuration_is_refused),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
