/* The session protocol over HTTP: methods, paths, polls, limits, start and stop. */
#include "world.h"
#include <dirent.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void a_post_reaches_the_core_and_is_answered(void **state)
{
    struct reply r = world_ask("POST", "/janus/12/34", "Content-Type: text/plain\r\n",
                               "{\"janus\":\"x\",\"transaction\":\"t\"}");

    assert_string_equal(reply_header(&r, "Content-Type"), "application/json");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Origin"), "*");
    assert_reply(r, 200,
                 "{\"janus\":\"echo\",\"root\":{\"janus\":\"x\",\"transaction\":\"t\"},"
                 "\"session\":12,\"handle\":34,\"local\":true,\"admin\":false,\"conn\":false}");
}

static void answers_by_method_and_path(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *want; /* a part of the answer; "" empty */
    } v[] = {
        { "POST", "/janus", "{}", 200, "\"session\":0," },
        { "POST", "/janus/", "{}", 200, "\"session\":0," },
        { "POST", "/janus/7", "{}", 200, "\"session\":7," },
        { "POST", "/janus/7/8/", "{}", 200, "\"handle\":8," },
        { "POST", "/janus/7/8/9", "{}", 404, "" },
        { "POST", "/janus/abc", "{}", 404, "" },
        { "POST", "/janus/99999999999999999999", "{}", 404, "" },
        { "POST", "/janus", "[1]", 200, "\"root\":[1]" },
        { "POST", "/janus", "3", 200, "\"root\":3" },
        { "POST", "/janus", "", 200, "454" },
        { "POST", "/janus", "{", 200, "454" },
        { "POST", "/janus", "{} {}", 200, "454" },
        { "POST", "/janus/info", "{}", 400, "" },
        { "POST", "/janus/ping", "{}", 400, "" },
        { "GET", "/janus/info", NULL, 200, "\"janus\":\"info\",\"transaction\":\"" },
        { "GET", "/janus/ping", NULL, 200, "\"janus\":\"ping\"" },
        { "HEAD", "/janus/info", NULL, 200, "" },
        { "GET", "/janus", NULL, 404, "" },
        { "GET", "/janus/x", NULL, 404, "" },
        { "GET", "/janus/1", NULL, 200, "{\"janus\":\"keepalive\"}" },
        { "GET", "/janus/1?maxev=1&rid=5", NULL, 200, "{\"janus\":\"keepalive\"}" },
        { "GET", "/janus/1?maxev=10", NULL, 200, "[{\"janus\":\"keepalive\"}]" },
        { "GET", "/janus/1?maxev=-4", NULL, 200, "{\"janus\":\"keepalive\"}" },
        { "GET", "/janus/403", NULL, 403, "" },
        { "GET", "/janus/404", NULL, 404, "" },
        { "GET", "/janus/1/2", NULL, 302, "" },
        { "GET", "/janus/1/2/3", NULL, 404, "" },
        { "OPTIONS", "/janus", NULL, 200, "" },
        { "OPTIONS", "/anything", NULL, 200, "" },
        { "PUT", "/janus/1", "{\"a\":1}", 200, "450" },
        { "DELETE", "/janus", NULL, 200, "450" },
        { "GET", "/healthz", NULL, 200, "ok" },
        { "GET", "/janusx", NULL, 404, "Not found" },
        { "POST", "/elsewhere", "{}", 405, "GET" },
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct reply r = world_ask(v[i].method, v[i].path, NULL, v[i].body);

        if (r.status != v[i].status || !r.body || !strstr(r.body, v[i].want) ||
            (!*v[i].want && *r.body))
            fail_msg("%s %s: %d '%s'", v[i].method, v[i].path, r.status, r.body ? r.body : "");
        reply_free(&r);
    }
}

static void a_handle_path_leads_to_its_session(void **state)
{
    struct reply r = world_ask("GET", "/janus/17/18", NULL, NULL);

    assert_int_equal(r.status, 302);
    assert_string_equal(reply_header(&r, "Location"), "/janus/17");
    reply_free(&r);
}

static void large_headers_are_taken_and_larger_ones_refused(void **state)
{
    static const struct {
        const char *name;
        int bytes, want;
    } v[] = { { "Authorization", 12000, 200 }, { "Cookie", 6000, 200 }, { "Cookie", 20000, 431 } };
    char headers[20100];

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct reply r;

        snprintf(headers, sizeof(headers), "%s: %0*d\r\n", v[i].name, v[i].bytes, 0);
        r = world_ask("GET", "/janus/info", headers, NULL);
        assert_int_equal(r.status, v[i].want);
        reply_free(&r);
    }
}

static void preflight_headers_are_echoed(void **state)
{
    struct reply r =
        world_ask("OPTIONS", "/janus/5",
                  "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
                  "Access-Control-Request-Headers: content-type,x-a\r\n",
                  NULL);

    assert_int_equal(r.status, 200);
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Origin"), "*");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Methods"), "POST");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Headers"), "content-type,x-a");
    assert_string_equal(reply_header(&r, "Access-Control-Max-Age"), "86400");
    reply_free(&r);
}

static void foreign_origins_are_refused(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } v[] = {
        { NULL, 200 },
        { "Origin: https://a.example\r\n", 200 },
        { "Origin: https://b.example:8443\r\n", 200 },
        { "Origin: https://b.example\r\n", 403 },
        { "Origin: https://a.example.evil.com\r\n", 403 },
        { "Origin: null\r\n", 403 },
        { "Referer: https://a.example/room.html\r\n", 200 },
        { "Referer: https://a.example.evil.com/\r\n", 403 },
    };
    struct reply r;

    world_http.allowed_origins = "https://a.example, https://b.example:8443/";
    world_restart();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        r = world_ask("POST", "/janus", v[i].headers, "{}");
        if (r.status != v[i].status)
            fail_msg("%s -> %d", v[i].headers, r.status);
        reply_free(&r);
    }
    r = world_ask("POST", "/janus", "Origin: https://b.example:8443\r\n", "{}");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Origin"), "https://b.example:8443");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Credentials"), "true");
    assert_string_equal(reply_header(&r, "Vary"), "Origin");
    reply_free(&r);
}

static void one_connection_serves_many_requests(void **state)
{
    static const char text[] = "POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    struct client c;
    struct reply r;

    client_open(&c, world_port(SL_HTTP_PLAIN), false);
    for (int i = 0; i < 20; i++) {
        client_send(&c, text, sizeof(text) - 1);
        client_reply(&c, &r, false);
        assert_int_equal(r.status, 200);
        reply_free(&r);
    }
    /* pipelined */
    for (int i = 0; i < 5; i++)
        client_send(&c, text, sizeof(text) - 1);
    for (int i = 0; i < 5; i++) {
        client_reply(&c, &r, false);
        assert_int_equal(r.status, 200);
        reply_free(&r);
    }
    client_close(&c);
}

static void large_bodies_are_taken_up_to_the_limit(void **state)
{
    size_t len = 1024 * 1024;
    char *body = malloc(len + 2);
    struct reply r;
    json_t *j;

    assert_non_null(body);
    memset(body, ' ', len + 1);
    body[len] = '\0';
    body[0] = '{';
    body[len - 1] = '}';
    r = world_ask("POST", "/janus", NULL, body);
    assert_int_equal(r.status, 200);
    reply_free(&r);

    body[len] = ' ';
    body[len + 1] = '\0';
    r = world_ask("POST", "/janus", NULL, body);
    assert_int_equal(r.status, 413);
    j = world_json(&r);
    assert_string_equal(json_string_value(json_object_get(j, "janus")), "error");
    json_decref(j);
    reply_free(&r);
    free(body);
}

static void the_operators_limits_hold(void **state)
{
    struct client c[3];
    struct reply r;
    char body[2048];

    world_http.max_body = 1024;
    world_http.max_json_depth = 4;
    world_http.max_per_address = 2;
    world_http.idle_s = 1;
    world_restart();

    memset(body, ' ', sizeof(body));
    memcpy(body, "{}", 2);
    body[1025] = '\0';
    r = world_ask("POST", "/janus", NULL, body);
    assert_int_equal(r.status, 413);
    reply_free(&r);
    r = world_ask("POST", "/janus", NULL, "{\"a\":[[[1]],\"[[[[\\\"[[\"]}");
    assert_non_null(strstr(r.body, "echo"));
    reply_free(&r);
    r = world_ask("POST", "/janus", NULL, "{\"a\":[[[[1]]]]}");
    assert_non_null(strstr(r.body, "454"));
    reply_free(&r);

    usleep(200 * 1000); /* the library counts those above until they are closed */
    for (int i = 0; i < 3; i++)
        client_open(&c[i], world_port(SL_HTTP_PLAIN), false);
    assert_true(client_is_at_end(&c[2])); /* one too many */
    assert_true(client_is_at_end(&c[0])); /* idle */
    for (int i = 0; i < 3; i++)
        client_close(&c[i]);
}

static void a_request_that_nobody_answers_gets_an_error(void **state)
{
    struct reply r;
    json_t *j;

    world_http.post_ms = 200;
    world_http.poll_ms = 300;
    world_restart();
    r = world_ask("POST", "/janus/1", NULL, "{\"janus\":\"hold\",\"transaction\":\"late one\"}");
    assert_int_equal(r.status, 200);
    j = world_json(&r);
    assert_string_equal(json_string_value(json_object_get(j, "transaction")), "late one");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "error"), "code")), 490);
    json_decref(j);
    reply_free(&r);
    assert_reply(world_ask("GET", "/janus/30", NULL, NULL), 503, "");
    /* The core may still answer; nothing happens. */
    assert_int_equal(fake_release(SL_TSTATUS_OK), 2);
}

#define POLLS 30

static void many_polls_wait_at_once(void **state)
{
    struct client *c = calloc(POLLS, sizeof(*c));
    struct reply r;

    assert_non_null(c);
    for (int i = 0; i < POLLS; i++) {
        static const char text[] = "GET /janus/30?maxev=10 HTTP/1.1\r\nHost: x\r\n\r\n";

        client_open(&c[i], world_port(SL_HTTP_PLAIN), false);
        client_send(&c[i], text, sizeof(text) - 1);
    }
    assert_true(fake_wait(fake_held, POLLS));
    assert_reply(world_ask("POST", "/janus", NULL, "[]"), 200,
                 "{\"janus\":\"echo\",\"root\":[],\"session\":0,\"handle\":0,\"local\":true,"
                 "\"admin\":false,\"conn\":false}");
    assert_int_equal(fake_release(SL_TSTATUS_OK), POLLS);
    for (int i = 0; i < POLLS; i++) {
        client_reply(&c[i], &r, false);
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body, "{\"janus\":\"released\"}");
        reply_free(&r);
        client_close(&c[i]);
    }
    free(c);
}

static void stopping_answers_pending_polls(void **state)
{
    static const char text[] = "GET /janus/30 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct client c[5];
    struct reply r;
    int64_t t0;

    for (int i = 0; i < 5; i++) {
        client_open(&c[i], world_port(SL_HTTP_PLAIN), false);
        client_send(&c[i], text, sizeof(text) - 1);
    }
    assert_true(fake_wait(fake_held, 5));
    t0 = world_now_ms();
    sl_http_stop();
    assert_true(world_now_ms() - t0 < 2000);
    for (int i = 0; i < 5; i++) {
        client_reply(&c[i], &r, false);
        assert_int_equal(r.status, 503);
        reply_free(&r);
        client_close(&c[i]);
    }
    assert_int_equal(fake_release(SL_TSTATUS_CLOSING), 5);
}

static void a_poller_that_went_away_is_harmless(void **state)
{
    static const char text[] = "GET /janus/30 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct client c;

    client_open(&c, world_port(SL_HTTP_PLAIN), false);
    client_send(&c, text, sizeof(text) - 1);
    assert_true(fake_wait(fake_held, 1));
    client_close(&c);
    assert_int_equal(fake_release(SL_TSTATUS_OK), 1);
    assert_reply(world_ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
}

static int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void half_a_request_and_a_fin_leave_nothing_open(void **state)
{
    static const char *const halves[] = { "POST /janus HTTP/1.1\r\nContent-Length: 50\r\n\r\n{",
                                          "GET /jan", "", "\r\n",
                                          "GET /janus/1 HTTP/1.1\r\nHost: x\r\n" };
    struct client c[20];
    int before;

    world_http.idle_s = 1;
    world_restart();
    before = open_files();
    for (int i = 0; i < 20; i++) {
        const char *text = halves[i % 5];

        client_open(&c[i], world_port(SL_HTTP_PLAIN), false);
        client_send(&c[i], text, strlen(text));
        shutdown(c[i].fd, SHUT_WR);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(client_is_at_end(&c[i]));
        client_close(&c[i]);
    }
    for (int i = 0; i < 3000 && open_files() > before; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    assert_int_equal(open_files(), before);
}

static void odd_requests_do_not_harm(void **state)
{
    static const char *const odd[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /janus HTTP/1.1\r\n\r\n",
        "GET /janus/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET janus HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /janus HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /janus/1?maxev HTTP/1.1\r\nHost: x\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct client c;

        client_open(&c, world_port(SL_HTTP_PLAIN), false);
        client_send(&c, odd[i], strlen(odd[i]));
        shutdown(c.fd, SHUT_WR);
        (void)client_read(&c, &(char){ 0 }, 1);
        client_close(&c);
    }
    assert_reply(world_ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
}

static void chunked_bodies_are_read(void **state)
{
    static const char text[] = "POST /janus/4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                               "\r\n1\r\n{\r\n7\r\n\"a\":12}\r\n0\r\n\r\n";
    struct client c;
    struct reply r;

    client_open(&c, world_port(SL_HTTP_PLAIN), false);
    client_send(&c, text, sizeof(text) - 1);
    client_reply(&c, &r, false);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body, "{\"a\":12}"));
    reply_free(&r);
    client_close(&c);
}

static void the_administrator_has_a_listener_of_its_own(void **state)
{
    struct reply r = http_ask(world_port(SL_HTTP_ADMIN), "POST", "/admin/3", NULL, "{}");

    assert_non_null(strstr(r.body, "\"admin\":true"));
    reply_free(&r);
    r = http_ask(world_port(SL_HTTP_ADMIN), "GET", "/admin/info", NULL, NULL);
    assert_non_null(strstr(r.body, "\"info\""));
    reply_free(&r);
    r = http_ask(world_port(SL_HTTP_ADMIN), "GET", "/admin/3", NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body, "454"));
    reply_free(&r);
    r = http_ask(world_port(SL_HTTP_ADMIN), "POST", "/janus", NULL, "{}");
    assert_true(r.status == 404 || r.status == 405);
    reply_free(&r);
}

static void errors_at_start_say_what_is_wrong(void **state)
{
    static const struct {
        const char *bind, *tls_cert, *static_dir, *want;
    } v[] = {
        { "300.1.1.1", NULL, NULL, "300.1.1.1" },
        { "localhost:80", NULL, NULL, "localhost:80" },
        { "127.0.0.1", "/dev/null/none.pem", NULL, "http.tls_cert" },
        { "127.0.0.1", NULL, "/dev/null/none", "http.static_dir" },
    };
    struct sl_http_args args = { .http = &world_http, .ws = &world_ws, .core = &fake_core };
    char err[256], big[16];

    sl_http_stop();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        world_http.bind = v[i].bind;
        world_http.tls_cert = v[i].tls_cert ? v[i].tls_cert : world_cert;
        world_http.static_dir = v[i].static_dir ? v[i].static_dir : world_html;
        assert_true(sl_http_start(&args, err, sizeof(err)) < 0);
        if (!strstr(err, v[i].want))
            fail_msg("'%s' does not name %s", err, v[i].want);
    }
    /* A port that is taken. */
    world_http = (struct sl_http_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    assert_int_equal(sl_http_start(&args, err, sizeof(err)), 0);
    world_ws.port = sl_http_port(SL_HTTP_PLAIN);
    snprintf(big, sizeof(big), "%d", world_ws.port);
    sl_http_stop();
    world_http.port = world_ws.port;
    assert_true(sl_http_start(&args, err, sizeof(err)) < 0);
    assert_non_null(strstr(err, big));
    assert_non_null(strstr(err, "websockets"));
}

static void all_addresses_are_served_in_both_families(void **state)
{
    world_http.bind = "all";
    world_restart();
    assert_reply(world_ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
    world_http.bind = "127.0.0.2, 127.0.0.1";
    world_restart();
    assert_true(world_port(SL_HTTP_PLAIN) > 0);
}

static bool is_free(int port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;

    close(fd);
    return ok;
}

/* The end that closes first keeps the address for a while (RFC 9293, TIME-WAIT). */
static void a_server_that_had_clients_starts_again_at_once(void **state)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct client http, ws;
    struct reply r;
    char *answer;
    size_t len;

    world_http.port = world_port(SL_HTTP_PLAIN);
    world_ws.port = world_port(SL_HTTP_WS);
    client_open(&http, world_http.port, false);
    client_send(&http, text, sizeof(text) - 1);
    client_reply(&http, &r, false);
    assert_reply(r, 200, "ok\n");
    ws_open(&ws, world_ws.port, false, "/");
    ws_text(&ws, "{}"); /* once it is answered, its thread has it, and will close it in words */
    assert_int_equal(ws_recv(&ws, &answer, &len), 1);
    free(answer);

    for (int i = 0; i < 2; i++) { /* clients that are there still, and such that are not */
        sl_http_stop();
        if (i == 1) {
            client_close(&http);
            assert_int_equal(ws_wait_close(&ws), 1001); /* unread bytes would make it a reset */
            client_close(&ws);
        }
        assert_false(is_free(world_http.port));
        assert_false(is_free(world_ws.port));
        world_restart();
    }
    assert_reply(world_ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
    ws_open(&ws, world_ws.port, false, "/");
    client_close(&ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_post_reaches_the_core_and_is_answered),
        WORLD_TEST(answers_by_method_and_path),
        WORLD_TEST(a_handle_path_leads_to_its_session),
        WORLD_TEST(large_headers_are_taken_and_larger_ones_refused),
        WORLD_TEST(preflight_headers_are_echoed),
        WORLD_TEST(foreign_origins_are_refused),
        WORLD_TEST(one_connection_serves_many_requests),
        WORLD_TEST(large_bodies_are_taken_up_to_the_limit),
        WORLD_TEST(the_operators_limits_hold),
        WORLD_TEST(a_request_that_nobody_answers_gets_an_error),
        WORLD_TEST(many_polls_wait_at_once),
        WORLD_TEST(stopping_answers_pending_polls),
        WORLD_TEST(a_poller_that_went_away_is_harmless),
        WORLD_TEST(half_a_request_and_a_fin_leave_nothing_open),
        WORLD_TEST(odd_requests_do_not_harm),
        WORLD_TEST(chunked_bodies_are_read),
        WORLD_TEST(the_administrator_has_a_listener_of_its_own),
        WORLD_TEST(errors_at_start_say_what_is_wrong),
        WORLD_TEST(all_addresses_are_served_in_both_families),
        WORLD_TEST(a_server_that_had_clients_starts_again_at_once),
    };

    return cmocka_run_group_tests(tests, world_make_files, world_remove_files);
}
