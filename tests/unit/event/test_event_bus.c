/* Events on their way to handlers: bodies, filters, batches, losses, the stop. */

#include "../test_cmocka.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/event_bus.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a handler ------------------------------------------------------------------------------- */

static struct {
    const struct sl_event_core *core;
    pthread_mutex_t lock;
    bool blocked; /* deliver waits */
    int calls, inits, finis, init_err;
    size_t seen, biggest, give_up;
    unsigned int patience;
    char last[4096];
    char types[1024];
} T = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int init(const struct sl_event_core *core)
{
    T.core = core;
    T.inits++;
    return T.init_err;
}

static void fini(void)
{
    T.finis++;
}

static bool is_blocked(void)
{
    bool b;

    pthread_mutex_lock(&T.lock);
    b = T.blocked;
    pthread_mutex_unlock(&T.lock);
    return b;
}

static size_t deliver(const struct sl_event *events, size_t n)
{
    while (is_blocked() && T.core->wait(T.core, 5))
        ;
    pthread_mutex_lock(&T.lock);
    T.calls++;
    T.seen += n;
    T.biggest = n > T.biggest ? n : T.biggest;
    T.patience = T.core->patience_ms(T.core);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(strlen(events[i].text), events[i].len);
        snprintf(T.types + strlen(T.types), sizeof(T.types) - strlen(T.types), "%d ",
                 (int)events[i].type);
    }
    snprintf(T.last, sizeof(T.last), "%s", events[n - 1].text);
    pthread_mutex_unlock(&T.lock);
    return T.give_up;
}

static json_t *query(const json_t *request)
{
    return json_object_get(request, "mine") ? json_pack("{s:i}", "result", 200) : NULL;
}

static struct sl_event_handler handler;
#define PACKAGE "test.eventhandler.one"

static const struct sl_event_handler good = {
    .abi = SL_EVENT_ABI,
    .size = sizeof(struct sl_event_handler),
    .package = PACKAGE,
    .name = "One",
    .author = "A",
    .description = "D",
    .version_string = "0.0.1",
    .version = 1,
    .init = init,
    .fini = fini,
    .deliver = deliver,
    .query = query,
};

static const char *conf_text;

static json_t *load(const char *path, char *err, size_t cap)
{
    assert_string_equal(path, "confdir/one.conf");
    return json_loads(conf_text, 0, NULL);
}

/* ---- setup ----------------------------------------------------------------------------------- */

static struct sl_events *bus;
static char err[512];

static void reset(void)
{
    pthread_mutex_t lock = T.lock;

    memset(&T, 0, sizeof(T));
    T.lock = lock;
    handler = good;
    conf_text = "{}";
}

static int add(const struct sl_events_conf *conf)
{
    int rc;

    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_create(conf, &bus, err, sizeof(err)), 0);
    rc = sl_events_add(bus, &handler, err, sizeof(err));
    sl_role_leave(&sl_role_control);
    return rc;
}

static void start(size_t max_queue)
{
    const struct sl_events_conf conf = {
        .config_dir = "confdir", .load = load, .emitter = "here", .max_queue = max_queue
    };

    assert_int_equal(add(&conf), 0);
}

static void stop(void)
{
    sl_role_enter(&sl_role_control);
    sl_events_destroy(bus);
    bus = NULL;
    sl_role_leave(&sl_role_control);
}

static int setup(void **state)
{
    sl_log_set_level(SL_LOG_ERROR);
    reset();
    return 0;
}

static int teardown(void **state)
{
    stop();
    return T.finis != (T.inits && !T.init_err);
}

static void emit(enum sl_event_type type, int subtype, json_t *body)
{
    const struct sl_event_head head = { .type = type,
                                        .subtype = subtype,
                                        .session = type == SL_EVENT_CORE ? 0 : 7,
                                        .handle = type == SL_EVENT_JSEP ? 8 : 0,
                                        .opaque_id = type == SL_EVENT_JSEP ? "op" : NULL };

    sl_role_enter(&sl_role_control);
    sl_events_emit(bus, &head, body);
    sl_role_leave(&sl_role_control);
}

static struct sl_events_stats stats(void)
{
    struct sl_events_stats st;

    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_stats_get(bus, PACKAGE, &st), 0);
    sl_role_leave(&sl_role_control);
    assert_int_equal(st.emitted, st.delivered + st.lost + st.waiting);
    return st;
}

static void wait_until_idle(void)
{
    for (int i = 0; i < 1000 && stats().waiting; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    assert_int_equal(stats().waiting, 0);
}

static void block(bool on)
{
    pthread_mutex_lock(&T.lock);
    T.blocked = on;
    pthread_mutex_unlock(&T.lock);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void an_event_has_its_envelope(void **state)
{
    json_t *j;
    json_int_t before = (json_int_t)sl_wall_us();

    start(0);
    emit(SL_EVENT_JSEP, 0, json_pack("{s:s}", "owner", "local"));
    wait_until_idle();
    assert_null(strchr(T.last, '\n'));
    j = json_loads(T.last, 0, NULL);
    assert_non_null(j);
    assert_true(json_integer_value(json_object_get(j, "timestamp")) >= before);
    json_object_del(j, "timestamp");
    {
        json_t *want = json_pack("{s:s, s:i, s:i, s:i, s:s, s:{s:s}}", "emitter", "here", "type", 8,
                                 "session_id", 7, "handle_id", 8, "opaque_id", "op", "event",
                                 "owner", "local");

        assert_true(json_equal(j, want));
        json_decref(want);
    }
    json_decref(j);
    emit(SL_EVENT_CORE, 2, json_pack("[i]", 1));
    wait_until_idle();
    assert_non_null(strstr(T.last, "\"type\":256,\"subtype\":2,\"timestamp\":"));
    assert_non_null(strstr(T.last, ",\"event\":[1]}"));
}

static void a_handler_gets_what_it_wants(void **state)
{
    static const unsigned int all[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };

    conf_text = "{\"general\":{\"events\":\"handles, core,webrtc\"}}";
    start(0);
    sl_role_enter(&sl_role_control);
    assert_false(sl_events_wants(NULL, SL_EVENT_CORE));
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(sl_events_wants(bus, all[i]), (all[i] & (2 | 16 | 256)) != 0);
    sl_role_leave(&sl_role_control);
    for (size_t i = 0; i < 9; i++)
        emit(all[i], 0, json_object());
    wait_until_idle();
    assert_string_equal(T.types, "2 16 256 ");
    assert_int_equal(stats().emitted, 3);
}

static void lists_of_types_are_read(void **state)
{
    static const struct {
        const char *text;
        int want;
    } v[] = {
        { "all", 511 },        { "none", 0 },        { "sessions", 1 },
        { "handles", 2 },      { "external", 4 },    { "jsep", 8 },
        { "webrtc", 16 },      { "media", 32 },      { "plugins", 64 },
        { "transports", 128 }, { "core", 256 },      { " jsep , media", 40 },
        { "none,core", 256 },  { "", -1 },           { " ,", -1 },
        { "session", -1 },     { "jsep;media", -1 }, { "handlesx", -1 },
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        unsigned int types = 12345;
        int rc = sl_event_types_parse(v[i].text, &types);

        assert_int_equal(rc, v[i].want < 0 ? -EINVAL : 0);
        assert_int_equal(types, v[i].want < 0 ? 12345 : (unsigned int)v[i].want);
    }
}

static void what_waited_comes_in_batches(void **state)
{
    start(0);
    block(true);
    for (int i = 0; i < 1001; i++)
        emit(SL_EVENT_SESSION, 0, json_pack("{s:i}", "n", i));
    block(false);
    wait_until_idle();
    assert_int_equal(T.seen, 1001);
    assert_int_equal(T.biggest, SL_EVENT_BATCH);
    assert_true(T.calls <= 12);
    assert_non_null(strstr(T.last, "\"n\":1000"));
    assert_int_equal(T.patience, UINT_MAX);
}

static void a_full_queue_loses_and_counts(void **state)
{
    uint64_t begin_us;

    start(10000);
    block(true);
    begin_us = sl_now_us();
    for (int i = 0; i < 10000; i++)
        emit(SL_EVENT_SESSION, 0, json_pack("{s:i}", "n", i));
    assert_true(sl_now_us() - begin_us < 5000000); /* nobody waited for the handler */
    assert_int_equal(stats().emitted, 10000);
    assert_true(stats().waiting >= 50 && stats().waiting < 100); /* of 130 to 170 bytes each */
    block(false);
    wait_until_idle();
    assert_int_equal(stats().delivered, T.seen);
    assert_int_equal(stats().lost, 10000 - T.seen);
    emit(SL_EVENT_SESSION, 0, json_object()); /* there is room again */
    wait_until_idle();
    assert_int_equal(stats().lost + T.seen, 10001);
    assert_non_null(strstr(T.last, "\"event\":{}"));
}

static void what_a_handler_gives_up_is_lost(void **state)
{
    start(0);
    T.give_up = 1;
    emit(SL_EVENT_SESSION, 0, json_object());
    wait_until_idle();
    assert_int_equal(stats().lost, 1);
    T.give_up = 1000; /* nonsense */
    emit(SL_EVENT_SESSION, 0, json_object());
    wait_until_idle();
    assert_int_equal(stats().lost, 2);
    assert_int_equal(stats().delivered, 0);
    T.give_up = 0;
}

static void a_stop_delivers_what_waits(void **state)
{
    start(0);
    block(true);
    for (int i = 0; i < 500; i++)
        emit(SL_EVENT_SESSION, 0, json_object());
    stop(); /* ends wait() */
    assert_int_equal(T.seen, 500);
    assert_true(T.patience <= SL_EVENTS_STOP_MS);
}

static size_t deliver_slowly(const struct sl_event *events, size_t n)
{
    while (T.core->patience_ms(T.core))
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    return n;
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    uint64_t begin_us;

    handler.deliver = deliver_slowly;
    start(0);
    for (int i = 0; i < 500; i++)
        emit(SL_EVENT_SESSION, 0, json_object());
    begin_us = sl_now_us();
    stop();
    assert_in_range(sl_now_us() - begin_us, SL_EVENTS_STOP_MS * 900, SL_EVENTS_STOP_MS * 2500);
}

static json_t *ask(const char *package, const char *text)
{
    json_t *request = json_loads(text, 0, NULL), *answer;

    sl_role_enter(&sl_role_control);
    answer = sl_events_query(bus, package, request);
    sl_role_leave(&sl_role_control);
    json_decref(request);
    return answer;
}

static void answers(const char *request, const char *want)
{
    json_t *j = ask(PACKAGE, request);
    char *text = json_dumps(j, JSON_COMPACT);

    assert_string_equal(text, want);
    free(text);
    json_decref(j);
}

static void administrators_may_ask(void **state)
{
    start(0);
    assert_null(ask("test.eventhandler.none", "{}"));
    emit(SL_EVENT_SESSION, 0, json_object());
    wait_until_idle();
    answers("{\"request\":\"stats\"}",
            "{\"result\":200,\"emitted\":1,\"delivered\":1,\"lost\":0,\"waiting\":0}");
    answers("{\"request\":\"tweak\",\"events\":\"core\"}", "{\"result\":200}");
    sl_role_enter(&sl_role_control);
    assert_false(sl_events_wants(bus, SL_EVENT_SESSION));
    assert_true(sl_events_wants(bus, SL_EVENT_CORE));
    sl_role_leave(&sl_role_control);
    answers("{\"request\":\"tweak\",\"events\":5}",
            "{\"error_code\":411,\"error\":"
            "\"Invalid element type (events should be a list of event types)\"}");
    answers("{\"mine\":1}", "{\"result\":200}");
    answers("{\"request\":\"dance\",\"events\":\"none\"}",
            "{\"error_code\":411,\"error\":\"Unknown request\"}");
    sl_role_enter(&sl_role_control);
    assert_true(sl_events_wants(bus, SL_EVENT_CORE)); /* what is refused changes nothing */
    sl_role_leave(&sl_role_control);
}

static void wrong_handlers_are_refused(void **state)
{
    const struct sl_events_conf conf = { .config_dir = "confdir", .load = load };
    static const struct sl_event_handler rows[] = {
        { .abi = 2, .size = sizeof(struct sl_event_handler) },
        { .abi = SL_EVENT_ABI, .size = 8 },
        { .abi = SL_EVENT_ABI, .size = sizeof(struct sl_event_handler), .package = "a.b" },
    };
    static const char *const want[] = { "built for ABI 2, this server needs 1",
                                        "has 8 bytes, which is too few", "does not set \"name\"" };

    for (size_t i = 0; i < 3; i++) {
        handler = rows[i];
        assert_int_equal(add(&conf), -EPROTO);
        assert_non_null(strstr(err, want[i]));
        stop();
    }
    handler = good;
    T.init_err = -EACCES;
    assert_int_equal(add(&conf), -EACCES);
    assert_non_null(strstr(err, "refuses to start: Permission denied"));
    stop();
    T.init_err = 0;
    conf_text = "{\"general\":{\"events\":\"sessions,nothing\"}}";
    assert_int_equal(add(&conf), -EINVAL);
    assert_non_null(strstr(err, "confdir/one.conf, group [general], key \"events\""));
    stop();
    conf_text = "{}";
    T.inits = T.finis = 0;
    assert_int_equal(add(&conf), 0);
    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_add(bus, &handler, err, sizeof(err)), -EEXIST);
    sl_role_leave(&sl_role_control);
}

static void missing_files_are_told(void **state)
{
    const struct sl_events_conf conf = { .dir = "nowhere", .handlers = " a, b" };

    sl_role_enter(&sl_role_control);
    assert_int_equal(sl_events_create(&conf, &bus, err, sizeof(err)), -ENOEXEC);
    sl_role_leave(&sl_role_control);
    bus = NULL;
    assert_non_null(strstr(err, "cannot load event handler: nowhere/a.so"));
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T_(an_event_has_its_envelope),     T_(a_handler_gets_what_it_wants),
        T_(lists_of_types_are_read),       T_(what_waited_comes_in_batches),
        T_(a_full_queue_loses_and_counts), T_(what_a_handler_gives_up_is_lost),
        T_(a_stop_delivers_what_waits),    T_(a_stop_does_not_wait_for_ever),
        T_(administrators_may_ask),        T_(wrong_handlers_are_refused),
        T_(missing_files_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
