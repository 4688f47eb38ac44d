/* Events as POST requests, to a receiver that is well, slow, wrong, or gone. */

#include "../test_cmocka.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/event_bus.h"
#include "webhook.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern const struct sl_event_handler sl_event_handler;
#define PACKAGE "janus.eventhandler.webhook"

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
                    NULL);
}

/* ---- the receiver: one request per connection ------------------------------------------------ */

static struct {
    int fd, port;
    pthread_t thread;
    atomic_bool end;
    atomic_int status;   /* to answer with; 0: no answer at all */
    atomic_int delay_ms; /* before it */
    atomic_int fail;     /* so many are answered with 503 first */
    atomic_int requests, taken;
    pthread_mutex_t lock;
    char head[4096], body[65536]; /* of the last request */
    size_t events;                /* in those that were taken */
    json_int_t last_n;
} W = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t count_events(const char *body, json_int_t *last)
{
    json_t *j = json_loads(body, 0, NULL);
    json_t *one = json_is_array(j) ? json_array_get(j, json_array_size(j) - 1) : j;
    size_t n = json_is_array(j) ? json_array_size(j) : j != NULL;

    *last = json_integer_value(json_object_get(json_object_get(one, "event"), "n"));
    json_decref(j);
    return n;
}

static bool read_request(int fd)
{
    size_t len = 0, want = SIZE_MAX;
    char *text = calloc(1, 200000), *body = NULL, *field;
    bool ok;

    while (!body || (size_t)(text + len - body) < want) {
        ssize_t n = recv(fd, text + len, 199999 - len, 0);

        if (n <= 0)
            break;
        len += (size_t)n;
        body = strstr(text, "\r\n\r\n");
        if (!body)
            continue;
        body += 4;
        field = strcasestr(text, "Content-Length:");
        want = field ? strtoul(field + 15, NULL, 10) : 0;
    }
    ok = body && (size_t)(text + len - body) >= want;
    if (ok) {
        pthread_mutex_lock(&W.lock);
        snprintf(W.body, sizeof(W.body), "%s", body);
        *body = '\0';
        snprintf(W.head, sizeof(W.head), "%s", text);
        pthread_mutex_unlock(&W.lock);
    }
    free(text);
    return ok;
}

static void serve(int fd)
{
    char answer[128];
    int status = W.status;

    if (!read_request(fd))
        return;
    W.requests++;
    if (W.fail > 0) {
        W.fail--;
        status = 503;
    }
    for (int i = 0; i < W.delay_ms && !W.end; i += 10)
        pause_ms(10);
    if (status >= 200 && status < 300) {
        pthread_mutex_lock(&W.lock);
        W.events += count_events(W.body, &W.last_n);
        pthread_mutex_unlock(&W.lock);
        W.taken++;
    }
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", status);
    if (status)
        (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    while (!status && !W.end)
        pause_ms(10);
}

static void *receive(void *arg)
{
    while (!W.end) {
        int fd = accept(W.fd, NULL, NULL);

        if (fd < 0)
            break;
        serve(fd);
        close(fd);
    }
    return NULL;
}

/* @port 0: any. */
static void receiver_start(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t len = sizeof(a);
    const int on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    W.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(W.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(W.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(W.fd, 64), 0);
    assert_int_equal(getsockname(W.fd, (struct sockaddr *)&a, &len), 0);
    W.port = ntohs(a.sin_port);
    W.end = false;
    assert_int_equal(pthread_create(&W.thread, NULL, receive, NULL), 0);
}

static void receiver_stop(void)
{
    if (W.fd < 0)
        return;
    W.end = true;
    (void)shutdown(W.fd, SHUT_RDWR);
    pthread_join(W.thread, NULL);
    close(W.fd);
    W.fd = -1;
}

/* ---- the bus --------------------------------------------------------------------------------- */

static struct sl_events *bus;
static char err[512], more[512]; /* further members of the configuration */

static json_t *load(const char *path, char *e, size_t cap)
{
    char text[1024];

    assert_string_equal(path, "confdir/webhook.conf");
    snprintf(text, sizeof(text),
             "{\"general\":{\"backend\":\"http://127.0.0.1:%d/ev?x=1\","
             "\"retransmissions_backoff\":\"20\"%s}}",
             W.port, more);
    return json_loads(text, 0, NULL);
}

static int try(size_t max_queue)
{
    const struct sl_events_conf conf = { .config_dir = "confdir",
                                         .load = load,
                                         .max_queue = max_queue };
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

static int setup(void **state)
{
    sl_log_set_level(SL_LOG_ERROR);
    W.status = 200;
    W.delay_ms = W.fail = W.requests = W.taken = 0;
    W.events = 0;
    more[0] = '\0';
    receiver_start(0);
    return 0;
}

static int teardown(void **state)
{
    stop();
    receiver_stop();
    return 0;
}

/* Nobody waits for the receiver: @n of them take no time to speak of. */
static void emit(int first, int n)
{
    const struct sl_event_head head = { .type = SL_EVENT_CORE };
    uint64_t begin_us = sl_now_us();

    sl_role_enter(&sl_role_control);
    for (int i = 0; i < n; i++)
        sl_events_emit(bus, &head, json_pack("{s:i}", "n", first + i));
    sl_role_leave(&sl_role_control);
    assert_true(sl_now_us() - begin_us < 100000 + (uint64_t)n * 1000);
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

static struct sl_events_stats wait_until_idle(void)
{
    for (int i = 0; i < 2000 && stats().waiting; i++)
        pause_ms(5);
    assert_int_equal(stats().waiting, 0);
    return stats();
}

static size_t received(void)
{
    size_t n;

    pthread_mutex_lock(&W.lock);
    n = W.events;
    pthread_mutex_unlock(&W.lock);
    return n;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void events_are_posted_in_groups(void **state)
{
    struct sl_events_stats st;

    assert_int_equal(try(0), 0);
    W.delay_ms = 50;
    emit(0, 250);
    st = wait_until_idle();
    assert_int_equal(st.delivered, 250);
    assert_int_equal(received(), 250);
    assert_int_equal(W.last_n, 249);
    assert_true(W.taken <= 5);
    assert_memory_equal(W.head, "POST /ev?x=1 HTTP/1.1\r\n", 23);
    assert_non_null(strstr(W.head, "Content-Type: application/json\r\n"));
    assert_null(strstr(W.head, "X-Sluice-Signature"));
    assert_null(strstr(W.head, "Authorization"));
    assert_null(strstr(W.head, "Expect"));
}

static void or_one_by_one(void **state)
{
    snprintf(more, sizeof(more), ",\"grouping\":\"no\"");
    assert_int_equal(try(0), 0);
    emit(0, 20);
    assert_int_equal(wait_until_idle().delivered, 20);
    assert_int_equal(W.taken, 20);
    assert_int_equal(W.body[0], '{');
}

static void credentials_and_signature_go_along(void **state)
{
    char want[WH_SIGNATURE_MAX], *at;
    long long t;

    snprintf(more, sizeof(more),
             ",\"backend_user\":\"joe\",\"backend_pwd\":\"pw\",\"secret\":\"key\"");
    assert_int_equal(try(0), 0);
    emit(0, 1);
    wait_until_idle();
    assert_non_null(strstr(W.head, "Authorization: Basic am9lOnB3\r\n"));
    at = strstr(W.head, "X-Sluice-Signature: t=");
    assert_non_null(at);
    t = strtoll(at + 22, NULL, 10);
    assert_true(t > 1600000000);
    assert_int_equal(wh_sign("key", t, W.body, strlen(W.body), want), 0);
    assert_memory_equal(at + 20, want, strlen(want));
}

static void the_signature_is_an_hmac(void **state)
{
    char out[WH_SIGNATURE_MAX];

    assert_int_equal(wh_sign("secret", 1, "{}", 2, out), 0);
    /* printf '1.{}' | openssl dgst -sha256 -hmac secret */
    assert_string_equal(out,
                        "t=1,v1=1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908");
}

static void a_receiver_with_hiccups_loses_nothing(void **state)
{
    assert_int_equal(try(0), 0);
    W.fail = 4;
    emit(0, 10);
    assert_int_equal(wait_until_idle().lost, 0);
    assert_int_equal(received(), 10);
    assert_int_equal(W.requests, W.taken + 4);
}

static void errors_are_repeated_then_counted(void **state)
{
    struct sl_events_stats st;

    snprintf(more, sizeof(more), ",\"max_retransmissions\":\"2\"");
    assert_int_equal(try(0), 0);
    W.status = 500;
    emit(0, 1);
    st = wait_until_idle();
    assert_int_equal(st.lost, 1);
    assert_int_equal(W.requests, 3);
    W.status = 400; /* asking again would not help */
    emit(1, 1);
    assert_int_equal(wait_until_idle().lost, 2);
    assert_int_equal(W.requests, 4);
    W.status = 204;
    emit(2, 1);
    st = wait_until_idle();
    assert_int_equal(st.lost, 2);
    assert_int_equal(st.delivered, 1);
    assert_int_equal(received(), 1);
}

static void a_silent_receiver_costs_its_time_only(void **state)
{
    snprintf(more, sizeof(more), ",\"max_retransmissions\":\"0\",\"timeout\":\"100\"");
    assert_int_equal(try(0), 0);
    W.status = 0;
    emit(0, 50);
    for (int i = 0; i < 1000 && !stats().lost; i++)
        pause_ms(5);
    assert_true(stats().lost > 0);
    receiver_stop();
    wait_until_idle();
    assert_int_equal(stats().lost, 50);
}

static void a_slow_receiver_fills_the_queue(void **state)
{
    struct sl_events_stats st;

    assert_int_equal(try(20000), 0);
    W.delay_ms = 300;
    emit(0, 1000);
    st = stats();
    assert_true(st.lost > 0); /* what did not fit */
    st = wait_until_idle();
    assert_int_equal(st.delivered, received());
    assert_int_equal(st.lost, 1000 - received());
    W.delay_ms = 0;
    emit(5000, 1); /* and then all is well again */
    assert_int_equal(wait_until_idle().lost, st.lost);
    assert_int_equal(W.last_n, 5000);
}

static void a_receiver_may_be_gone_for_a_while(void **state)
{
    struct sl_events_stats st;
    int port = W.port;

    snprintf(more, sizeof(more), ",\"max_retransmissions\":\"100\"");
    assert_int_equal(try(0), 0);
    receiver_stop();
    emit(0, 300);
    pause_ms(300);
    emit(300, 300);
    assert_int_equal(stats().waiting, 600);
    receiver_start(port);
    st = wait_until_idle();
    assert_int_equal(st.lost, 0);
    assert_int_equal(received(), 600);
}

static void a_stop_is_not_held_up(void **state)
{
    uint64_t begin_us;

    snprintf(more, sizeof(more), ",\"timeout\":\"60000\"");
    assert_int_equal(try(0), 0);
    W.status = 0;
    emit(0, 5);
    pause_ms(100);
    begin_us = sl_now_us();
    stop();
    assert_true(sl_now_us() - begin_us < (SL_EVENTS_STOP_MS + 700) * 1000);
}

static void a_stop_takes_what_waits_along(void **state)
{
    assert_int_equal(try(0), 0);
    W.delay_ms = 50;
    emit(0, 300);
    stop();
    assert_int_equal(received(), 300);
}

static json_t *ask(const char *text)
{
    json_t *request = json_loads(text, 0, NULL), *answer;

    sl_role_enter(&sl_role_control);
    answer = sl_events_query(bus, PACKAGE, request);
    sl_role_leave(&sl_role_control);
    json_decref(request);
    return answer;
}

static void administrators_may_tweak(void **state)
{
    static const char *const wrong[] = {
        "{\"request\":\"tweak\",\"backend\":\"ftp://x\"}",
        "{\"request\":\"tweak\",\"grouping\":5}",
        "{\"request\":\"tweak\",\"max_retransmissions\":-1}",
        "{\"request\":\"tweak\",\"backend\":[]}",
        "{\"request\":\"tweak\",\"backend\":\"\"}",
        "{\"request\":\"dance\"}",
    };
    char text[256];
    json_t *j;

    assert_int_equal(try(0), 0);
    receiver_stop();
    receiver_start(0); /* on another port */
    snprintf(text, sizeof(text),
             "{\"request\":\"tweak\",\"backend\":\"http://127.0.0.1:%d/b\",\"grouping\":false,"
             "\"max_retransmissions\":1,\"retransmissions_backoff\":5,\"events\":\"core\"}",
             W.port);
    j = ask(text);
    assert_int_equal(json_integer_value(json_object_get(j, "result")), 200);
    json_decref(j);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        j = ask(wrong[i]);
        if (json_integer_value(json_object_get(j, "error_code")) != 411)
            fail_msg("%s is taken", wrong[i]);
        json_decref(j);
    }
    emit(0, 3);
    assert_int_equal(wait_until_idle().delivered, 3);
    assert_int_equal(W.taken, 3);
    assert_memory_equal(W.head, "POST /b HTTP/1.1\r\n", 18);
}

static void wrong_configurations_are_refused(void **state)
{
    static const char *const wrong[] = {
        ",\"backend\":\"\"",
        ",\"backend\":\"ftp://x\"",
        ",\"backend_pwd\":\"x\"",
        ",\"grouping\":\"maybe\"",
        ",\"max_retransmissions\":\"1x\"",
        ",\"timeout\":\"0\"",
        ",\"retransmissions_backoff\":\"99999999999999999999\"",
        ",\"bakend\":\"http://x\"",
    };

    sl_log_set_level((enum sl_log_level) - 1); /* it would say why */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(more, sizeof(more), "%s", wrong[i]);
        if (try(0) != -EINVAL)
            fail_msg("%s is taken", wrong[i]);
        stop();
    }
    more[0] = '\0';
    assert_int_equal(try(0), 0);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T_(events_are_posted_in_groups),           T_(or_one_by_one),
        T_(credentials_and_signature_go_along),    cmocka_unit_test(the_signature_is_an_hmac),
        T_(a_receiver_with_hiccups_loses_nothing), T_(errors_are_repeated_then_counted),
        T_(a_silent_receiver_costs_its_time_only), T_(a_slow_receiver_fills_the_queue),
        T_(a_receiver_may_be_gone_for_a_while),    T_(a_stop_is_not_held_up),
        T_(a_stop_takes_what_waits_along),         T_(administrators_may_tweak),
        T_(wrong_configurations_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
