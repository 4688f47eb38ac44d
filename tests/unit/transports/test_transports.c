/* The transports over real sockets, with a fake core behind them. */
#include "../test_cmocka.h"
#include "client.h"
#include "base/log.h"
#include "fake_core.h"
#include "transports/http/http.h"
#include "transports/websocket/ws.h"
#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-transports-XXXXXX";
static char cert[64], key[64], html[64];
static struct sl_http_conf http_conf;
static struct sl_ws_conf ws_conf;
static struct sl_http_conf admin_conf;

static void start(void)
{
    struct sl_http_args args = {
        .http = &http_conf, .admin = &admin_conf, .ws = &ws_conf, .core = &fake_core
    };
    char err[256] = "";
    int ret;

    fake_start();
    ret = sl_http_start(&args, err, sizeof(err));
    if (ret)
        print_error("%s\n", err);
    assert_int_equal(ret, 0);
}

static int setup(void **state)
{
    http_conf = (struct sl_http_conf){ .enabled = true,
                                       .bind = "127.0.0.1",
                                       .port = -1,
                                       .static_dir = html,
                                       .tls_port = -1,
                                       .tls_cert = cert,
                                       .tls_key = key };
    admin_conf = (struct sl_http_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    ws_conf = (struct sl_ws_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    start();
    return 0;
}

/* Some tests want other settings. */
static void restart(void)
{
    sl_http_stop();
    fake_stop();
    start();
}

static int teardown(void **state)
{
    struct sl_ws_stats st;

    sl_http_stop();
    fake_stop();
    sl_ws_stats_get(&st);
    return st.open != 0 || fake_bad_order() != 0 || fake_gone() != (int)st.opened;
}

static int port(enum sl_http_listener which)
{
    int p = sl_http_port(which);

    assert_true(p > 0);
    return p;
}

static struct reply ask(const char *method, const char *path, const char *headers, const char *body)
{
    return http_ask(port(SL_HTTP_PLAIN), method, path, headers, body);
}

static json_t *json_of(const struct reply *r)
{
    json_t *j = json_loads(r->body, 0, NULL);

    if (!j)
        print_error("not JSON: %s %s\n", r->head, r->body ? r->body : "(none)");
    assert_non_null(j);
    return j;
}

static void assert_reply(struct reply r, int status, const char *body)
{
    assert_int_equal(r.status, status);
    assert_string_equal(r.body ? r.body : "(none)", body);
    reply_free(&r);
}

static void assert_ws_text(struct client *c, const char *want)
{
    char *data;
    size_t len;

    assert_int_equal(ws_recv(c, &data, &len), 1);
    assert_string_equal(data, want);
    free(data);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static void a_post_reaches_the_core_and_is_answered(void **state)
{
    struct reply r = ask("POST", "/janus/12/34", "Content-Type: text/plain\r\n",
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
        struct reply r = ask(v[i].method, v[i].path, NULL, v[i].body);

        if (r.status != v[i].status || !r.body || !strstr(r.body, v[i].want) ||
            (!*v[i].want && *r.body))
            fail_msg("%s %s: %d '%s'", v[i].method, v[i].path, r.status, r.body ? r.body : "");
        reply_free(&r);
    }
}

static void a_handle_path_leads_to_its_session(void **state)
{
    struct reply r = ask("GET", "/janus/17/18", NULL, NULL);

    assert_int_equal(r.status, 302);
    assert_string_equal(reply_header(&r, "Location"), "/janus/17");
    reply_free(&r);
}

static void preflight_headers_are_echoed(void **state)
{
    struct reply r = ask("OPTIONS", "/janus/5",
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

    http_conf.allowed_origins = "https://a.example, https://b.example:8443/";
    restart();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        r = ask("POST", "/janus", v[i].headers, "{}");
        if (r.status != v[i].status)
            fail_msg("%s -> %d", v[i].headers, r.status);
        reply_free(&r);
    }
    r = ask("POST", "/janus", "Origin: https://b.example:8443\r\n", "{}");
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

    client_open(&c, port(SL_HTTP_PLAIN), false);
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
    r = ask("POST", "/janus", NULL, body);
    assert_int_equal(r.status, 200);
    reply_free(&r);

    body[len] = ' ';
    body[len + 1] = '\0';
    r = ask("POST", "/janus", NULL, body);
    assert_int_equal(r.status, 413);
    j = json_of(&r);
    assert_string_equal(json_string_value(json_object_get(j, "janus")), "error");
    json_decref(j);
    reply_free(&r);
    free(body);
}

static void a_request_that_nobody_answers_gets_an_error(void **state)
{
    struct reply r;
    json_t *j;

    http_conf.post_ms = 200;
    http_conf.poll_ms = 300;
    restart();
    r = ask("POST", "/janus/1", NULL, "{\"janus\":\"hold\",\"transaction\":\"late one\"}");
    assert_int_equal(r.status, 200);
    j = json_of(&r);
    assert_string_equal(json_string_value(json_object_get(j, "transaction")), "late one");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "error"), "code")), 490);
    json_decref(j);
    reply_free(&r);
    assert_reply(ask("GET", "/janus/30", NULL, NULL), 503, "");
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

        client_open(&c[i], port(SL_HTTP_PLAIN), i % 3 == 0 ? false : false);
        client_send(&c[i], text, sizeof(text) - 1);
    }
    assert_true(fake_wait(fake_held, POLLS));
    assert_reply(ask("POST", "/janus", NULL, "[]"), 200,
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
        client_open(&c[i], port(SL_HTTP_PLAIN), false);
        client_send(&c[i], text, sizeof(text) - 1);
    }
    assert_true(fake_wait(fake_held, 5));
    t0 = now_ms();
    sl_http_stop();
    assert_true(now_ms() - t0 < 2000);
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

    client_open(&c, port(SL_HTTP_PLAIN), false);
    client_send(&c, text, sizeof(text) - 1);
    assert_true(fake_wait(fake_held, 1));
    client_close(&c);
    assert_int_equal(fake_release(SL_TSTATUS_OK), 1);
    assert_reply(ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
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

    http_conf.idle_s = 1;
    restart();
    before = open_files();
    for (int i = 0; i < 20; i++) {
        const char *text = halves[i % 5];

        client_open(&c[i], port(SL_HTTP_PLAIN), false);
        client_send(&c[i], text, strlen(text));
        shutdown(c[i].fd, SHUT_WR);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(client_is_at_end(&c[i]));
        client_close(&c[i]);
    }
    for (int i = 0; i < 200 && open_files() > before; i++)
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

        client_open(&c, port(SL_HTTP_PLAIN), false);
        client_send(&c, odd[i], strlen(odd[i]));
        shutdown(c.fd, SHUT_WR);
        (void)client_read(&c, &(char){ 0 }, 1);
        client_close(&c);
    }
    assert_reply(ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
}

static void chunked_bodies_are_read(void **state)
{
    static const char text[] = "POST /janus/4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                               "\r\n1\r\n{\r\n7\r\n\"a\":12}\r\n0\r\n\r\n";
    struct client c;
    struct reply r;

    client_open(&c, port(SL_HTTP_PLAIN), false);
    client_send(&c, text, sizeof(text) - 1);
    client_reply(&c, &r, false);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body, "{\"a\":12}"));
    reply_free(&r);
    client_close(&c);
}

static void the_administrator_has_a_listener_of_its_own(void **state)
{
    struct reply r = http_ask(port(SL_HTTP_ADMIN), "POST", "/admin/3", NULL, "{}");

    assert_non_null(strstr(r.body, "\"admin\":true"));
    reply_free(&r);
    r = http_ask(port(SL_HTTP_ADMIN), "GET", "/admin/info", NULL, NULL);
    assert_non_null(strstr(r.body, "\"info\""));
    reply_free(&r);
    r = http_ask(port(SL_HTTP_ADMIN), "GET", "/admin/3", NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body, "454"));
    reply_free(&r);
    r = http_ask(port(SL_HTTP_ADMIN), "POST", "/janus", NULL, "{}");
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
        { "127.0.0.1", "/nonexistent.pem", NULL, "http.tls_cert" },
        { "127.0.0.1", NULL, "/nonexistent", "http.static_dir" },
    };
    struct sl_http_args args = { .http = &http_conf, .ws = &ws_conf, .core = &fake_core };
    char err[256], big[16];

    sl_http_stop();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        http_conf.bind = v[i].bind;
        http_conf.tls_cert = v[i].tls_cert ? v[i].tls_cert : cert;
        http_conf.static_dir = v[i].static_dir ? v[i].static_dir : html;
        assert_true(sl_http_start(&args, err, sizeof(err)) < 0);
        if (!strstr(err, v[i].want))
            fail_msg("'%s' does not name %s", err, v[i].want);
    }
    /* A port that is taken. */
    http_conf = (struct sl_http_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    assert_int_equal(sl_http_start(&args, err, sizeof(err)), 0);
    ws_conf.port = sl_http_port(SL_HTTP_PLAIN);
    snprintf(big, sizeof(big), "%d", ws_conf.port);
    sl_http_stop();
    http_conf.port = ws_conf.port;
    assert_true(sl_http_start(&args, err, sizeof(err)) < 0);
    assert_non_null(strstr(err, big));
    assert_non_null(strstr(err, "websockets"));
}

static void all_addresses_are_served_in_both_families(void **state)
{
    http_conf.bind = "all";
    restart();
    assert_reply(ask("GET", "/healthz", NULL, NULL), 200, "ok\n");
    http_conf.bind = "127.0.0.2, 127.0.0.1";
    restart();
    assert_true(port(SL_HTTP_PLAIN) > 0);
}

/* ---- static files ---------------------------------------------------------------------------- */

static void files_are_served_with_their_types(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *type, *body;
    } v[] = {
        { "/", 200, "text/html; charset=utf-8", "<p>root</p>" },
        { "/index.html", 200, "text/html; charset=utf-8", "<p>root</p>" },
        { "/a.mjs", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/a%2emjs?x=1", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/sub/", 200, "text/html; charset=utf-8", "<p>sub</p>" },
        { "/sub", 301, NULL, "" },
        { "/inside.mjs", 200, "text/javascript; charset=utf-8", "export {}" },
        { "/none", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/.hidden", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/empty/", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/outside", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/fifo", 404, "text/plain; charset=utf-8", "Not found.\n" },
        { "/../cert.pem", 404, NULL, "Not found.\n" },
        { "/sub/../../cert.pem", 404, NULL, "Not found.\n" },
        { "/%2e%2e/cert.pem", 404, NULL, "Not found.\n" },
        { "/..%2fcert.pem", 404, NULL, "Not found.\n" },
        { "//etc/passwd", 404, NULL, "Not found.\n" },
        { "/index.html/", 404, NULL, "Not found.\n" },
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct reply r = ask("GET", v[i].path, NULL, NULL);

        if (r.status != v[i].status || strcmp(r.body ? r.body : "", v[i].body) != 0 ||
            (v[i].type && strcmp(reply_header(&r, "Content-Type"), v[i].type) != 0))
            fail_msg("GET %s: %d '%s'\n%s", v[i].path, r.status, r.body ? r.body : "", r.head);
        if (r.status == 200)
            assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
        reply_free(&r);
    }
}

static void unchanged_files_are_not_sent_again(void **state)
{
    struct reply r = ask("GET", "/a.mjs", NULL, NULL);
    char etag[256], date[256];

    assert_string_equal(reply_header(&r, "Cache-Control"), "no-cache");
    snprintf(etag, sizeof(etag), "If-None-Match: \"x\", W/%s\r\n", reply_header(&r, "ETag"));
    snprintf(date, sizeof(date), "If-Modified-Since: %s\r\n", reply_header(&r, "Last-Modified"));
    reply_free(&r);
    r = ask("GET", "/a.mjs", etag, NULL);
    assert_int_equal(r.status, 304);
    reply_free(&r);
    r = ask("GET", "/a.mjs", date, NULL);
    assert_int_equal(r.status, 304);
    reply_free(&r);
    r = ask("GET", "/a.mjs", "If-None-Match: \"other\"\r\n", NULL);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    r = ask("GET", "/a.mjs", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", NULL);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    r = ask("HEAD", "/a.mjs", NULL, NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(reply_header(&r, "Content-Length"), "9");
    reply_free(&r);
}

/* ---- WebSocket ------------------------------------------------------------------------------- */

static void a_message_is_answered_on_each_listener(void **state)
{
    const struct {
        enum sl_http_listener which;
        bool tls;
        const char *path;
    } v[] = {
        { SL_HTTP_PLAIN, false, "/janus" }, { SL_HTTP_PLAIN, false, "/janus/any/thing" },
        { SL_HTTP_TLS, true, "/janus" },    { SL_HTTP_WS, false, "/" },
        { SL_HTTP_WS, false, "/whatever" },
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct client c;

        ws_open(&c, port(v[i].which), v[i].tls, v[i].path);
        ws_text(&c, "{\"janus\":\"a\"}");
        assert_ws_text(&c, "{\"janus\":\"echo\",\"root\":{\"janus\":\"a\"},\"session\":0,"
                           "\"handle\":0,\"local\":true,\"admin\":false,\"conn\":true}");
        ws_send(&c, true, 8, true, "\x03\xe8", 2);
        assert_int_equal(ws_wait_close(&c), 1000);
        assert_true(client_is_at_end(&c));
        client_close(&c);
    }
}

static void an_answer_over_https_works_too(void **state)
{
    static const char text[] = "POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    struct client c;
    struct reply r;

    client_open(&c, port(SL_HTTP_TLS), true);
    client_send(&c, text, sizeof(text) - 1);
    client_reply(&c, &r, false);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    client_close(&c);
}

#define UP  "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VER "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define SUB "Sec-WebSocket-Protocol: foo, janus-protocol\r\n"

static void bad_handshakes_are_refused_in_words(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *want;
    } v[] = {
        { UP VER KEY SUB, 101, "" },
        { UP VER KEY "Sec-WebSocket-Protocol: a\r\n" SUB, 101, "" },
        { UP VER KEY, 403, "janus-protocol" },
        { UP VER KEY "Sec-WebSocket-Protocol: janus-protocol2\r\n", 403, "janus-protocol" },
        { UP KEY SUB, 426, "13" },
        { UP "Sec-WebSocket-Version: 8\r\n" KEY SUB, 426, "13" },
        { UP VER SUB, 400, "Key" },
        { UP VER "Sec-WebSocket-Key: abc\r\n" SUB, 400, "Key" },
        { UP VER KEY KEY SUB, 400, "Key" },
        { "Upgrade: websocket\r\n" VER KEY SUB, 400, "Connection" },
        { UP VER KEY SUB "Origin: https://evil.example\r\n", 403, "origin" },
        { UP VER KEY SUB "Origin: https://good.example\r\n", 101, "" },
        { "", 403, "WebSocket" },
    };

    http_conf.allowed_origins = "https://good.example";
    restart();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct client c;
        struct reply r;

        client_open(&c, port(SL_HTTP_WS), false);
        if (ws_handshake(&c, "/", v[i].headers, &r) != v[i].status ||
            !strstr(r.body ? r.body : "", v[i].want))
            fail_msg("%s -> %d %s", v[i].headers, r.status, r.body ? r.body : "");
        reply_free(&r);
        client_close(&c);
    }
}

static void the_admin_port_wants_the_admin_protocol(void **state)
{
    struct client c;
    struct reply r;
    char *data;
    size_t len;

    client_open(&c, port(SL_HTTP_ADMIN), false);
    assert_int_equal(ws_handshake(&c, "/admin",
                                  UP VER KEY "Sec-WebSocket-Protocol: janus-admin-protocol\r\n",
                                  &r),
                     101);
    reply_free(&r);
    ws_text(&c, "{}");
    assert_int_equal(ws_recv(&c, &data, &len), 1);
    assert_non_null(strstr(data, "\"admin\":true"));
    free(data);
    client_close(&c);
}

static void frames_sent_with_the_handshake_are_read(void **state)
{
    static const char text[] = "GET /janus HTTP/1.1\r\nHost: x\r\n" UP VER KEY SUB "\r\n"
                               "\x81\x82\0\0\0\0{}\x81\x82\0\0\0\0[]";
    struct client c;
    struct reply r;
    char *data;
    size_t len;

    client_open(&c, port(SL_HTTP_PLAIN), false);
    client_send(&c, text, sizeof(text) - 1);
    client_reply(&c, &r, false);
    assert_int_equal(r.status, 101);
    reply_free(&r);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ws_recv(&c, &data, &len), 1);
        assert_non_null(strstr(data, i ? "\"root\":[]" : "\"root\":{}"));
        free(data);
    }
    client_close(&c);
}

static void fragments_make_one_message_and_pings_fit_between(void **state)
{
    struct client c;
    char *data;
    size_t len;

    ws_open(&c, port(SL_HTTP_WS), false, "/");
    ws_send(&c, false, 1, true, "{\"a\":", 5);
    ws_send(&c, true, 9, true, "hello", 5);
    assert_int_equal(ws_recv(&c, &data, &len), 10);
    assert_string_equal(data, "hello");
    free(data);
    ws_send(&c, false, 0, true, "", 0);
    ws_send(&c, true, 0, true, "1}", 2);
    assert_int_equal(ws_recv(&c, &data, &len), 1);
    assert_non_null(strstr(data, "\"root\":{\"a\":1}"));
    free(data);
    client_close(&c);
}

static void several_texts_in_one_frame_are_all_requests(void **state)
{
    struct client c;
    char *data;
    size_t len;
    int before = fake_messages(), bad = fake_bad_json();

    ws_open(&c, port(SL_HTTP_WS), false, "/");
    ws_text(&c, "{\"n\":1} \r\n{\"n\":2}{\"n\":3}\n");
    for (int i = 1; i <= 3; i++) {
        char want[32];

        snprintf(want, sizeof(want), "\"root\":{\"n\":%d}", i);
        assert_int_equal(ws_recv(&c, &data, &len), 1);
        assert_non_null(strstr(data, want));
        free(data);
    }
    ws_text(&c, "{\"n\":4} {\"n\":5");
    assert_ws_text(&c,
                   "{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid JSON\"}}");
    ws_text(&c, "");
    assert_ws_text(&c,
                   "{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid JSON\"}}");
    assert_int_equal(fake_messages() - before, 3);
    assert_int_equal(fake_bad_json() - bad, 2);
    client_close(&c);
}

static void wrong_frames_close_with_the_right_code(void **state)
{
    static const struct {
        int opcode;
        bool masked;
        const char *data;
        size_t len; /* 0: strlen; more than @data has: zeroes */
        int code;
    } v[] = {
        { 1, false, "{}", 0, 1002 },
        { 2, true, "{}", 0, 1003 },
        { 1, true, "\xff\xfe", 0, 1007 },
        { 1, true, NULL, 1024 * 1024 + 1, 1009 },
        { 3, true, "x", 0, 1002 },
        { 0, true, "x", 0, 1002 },
        { 0x41, true, "{}", 0, 1002 },
        { 8, true,
          "\x03\xe8"
          "bye",
          5, 1000 },
    };
    char *zeroes = calloc(1, 1024 * 1024 + 1);

    assert_non_null(zeroes);
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        for (int tls = 0; tls < 2; tls++) {
            struct client c;
            int code, gone = fake_gone();

            ws_open(&c, port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
            ws_send(&c, true, v[i].opcode, v[i].masked, v[i].data ? v[i].data : zeroes,
                    v[i].len ? v[i].len : strlen(v[i].data));
            code = ws_wait_close(&c);
            if (code != v[i].code)
                fail_msg("case %zu tls %d: %d", i, tls, code);
            client_close(&c);
            assert_true(fake_wait(fake_gone, gone + 1));
        }
    }
    free(zeroes);
}

static void a_message_at_the_limit_passes(void **state)
{
    size_t len = 1024 * 1024;
    char *text = malloc(len), *data;
    struct client c;

    assert_non_null(text);
    memset(text, ' ', len);
    memcpy(text, "{\"a\":1}", 7);
    ws_open(&c, port(SL_HTTP_TLS), true, "/janus");
    ws_send(&c, true, 1, true, text, len);
    assert_int_equal(ws_recv(&c, &data, &len), 1);
    assert_non_null(strstr(data, "\"root\":{\"a\":1}"));
    free(data);
    free(text);
    client_close(&c);
}

static void events_in_order(bool tls)
{
    struct client c;
    char *data;
    size_t len;

    ws_open(&c, port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
    ws_text(&c, "{\"janus\":\"push\",\"count\":300,\"size\":9000}");
    assert_int_equal(ws_recv(&c, &data, &len), 1);
    assert_non_null(strstr(data, "\"echo\""));
    free(data);
    for (int i = 0; i < 300; i++) {
        char want[16];

        snprintf(want, sizeof(want), "{\"n\":%d,", i);
        assert_int_equal(ws_recv(&c, &data, &len), 1);
        assert_int_equal(strncmp(data, want, strlen(want)), 0);
        free(data);
    }
    client_close(&c);
}

static void events_come_in_order_behind_the_answer(void **state)
{
    events_in_order(false);
    events_in_order(true);
}

static void a_client_that_does_not_read_is_closed(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct sl_ws_stats a, b;
        struct client c;
        int gone = fake_gone(), small = 4096;

        sl_ws_stats_get(&a);
        ws_open(&c, port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
        assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
        ws_text(&c, "{\"janus\":\"push\",\"count\":200,\"size\":100000}");
        assert_true(fake_wait(fake_gone, gone + 1));
        sl_ws_stats_get(&b);
        assert_int_equal(b.slow_closed - a.slow_closed, 1);
        client_close(&c);
    }
}

static void unanswered_requests_stop_the_reading_not_the_connection(void **state)
{
    struct client c;
    int before = fake_messages(), released = 0;

    ws_open(&c, port(SL_HTTP_PLAIN), false, "/janus");
    for (int i = 0; i < 3000; i++)
        ws_text(&c, "{\"janus\":\"hold\"}");
    assert_true(fake_wait(fake_held, SL_WS_INFLIGHT));
    /* What was read already is delivered, no more. */
    (void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    assert_true(fake_messages() - before < 600);
    for (int i = 0; i < 10000 && released < 3000; i++) {
        if (fake_held())
            released += fake_release(SL_TSTATUS_OK);
        else
            (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    assert_int_equal(released, 3000);
    for (int i = 0; i < 3000; i++)
        assert_ws_text(&c, "{\"janus\":\"released\"}");
    client_close(&c);
}

static void dead_peers_are_found_by_pings(void **state)
{
    struct sl_ws_stats a, b;
    struct client c;
    char *data;
    size_t len;
    int gone;

    ws_conf.ping_interval_ms = 600;
    restart();
    sl_ws_stats_get(&a);
    gone = fake_gone();
    ws_open(&c, port(SL_HTTP_WS), false, "/");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ws_recv(&c, &data, &len), 9);
        ws_send(&c, true, 10, true, data, len);
        free(data);
    }
    assert_int_equal(fake_gone(), gone);
    assert_true(fake_wait(fake_gone, gone + 1)); /* silent from here on */
    sl_ws_stats_get(&b);
    assert_int_equal(b.ping_closed - a.ping_closed, 1);
    client_close(&c);
}

static void a_broken_connection_is_gone_once(void **state)
{
    struct linger hard = { .l_onoff = 1 };
    int gone = fake_gone();

    for (int i = 0; i < 20; i++) {
        struct client c;

        ws_open(&c, port(i % 2 ? SL_HTTP_PLAIN : SL_HTTP_TLS), i % 2 == 0, "/janus");
        ws_text(&c, "{\"janus\":\"hold\"}");
        if (i % 3 == 0)
            assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
        client_close(&c);
    }
    assert_true(fake_wait(fake_gone, gone + 20));
    (void)fake_release(SL_TSTATUS_OK);
    assert_int_equal(fake_gone(), gone + 20);
    assert_int_equal(fake_bad_order(), 0);
}

static int64_t cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void idle_connections_cost_nothing(void **state)
{
    static const char poll[] = "GET /janus/30 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct client c[8];
    int64_t t0;

    for (int i = 0; i < 8; i++) {
        bool tls = i % 2;

        if (i < 4) {
            ws_open(&c[i], port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
            ws_text(&c[i], "{\"janus\":\"hold\"}");
        } else {
            client_open(&c[i], port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls);
            client_send(&c[i], poll, sizeof(poll) - 1);
        }
    }
    assert_true(fake_wait(fake_held, 8));
    shutdown(c[6].fd, SHUT_WR); /* pollers that leave are noticed when the poll ends */
    shutdown(c[7].fd, SHUT_WR);
    t0 = cpu_us();
    (void)nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    assert_true(cpu_us() - t0 < 100000);
    for (int i = 0; i < 8; i++)
        client_close(&c[i]);
}

static void stopping_says_going_away(void **state)
{
    struct client c[6], silent;
    int64_t t0;

    for (int i = 0; i < 6; i++)
        ws_open(&c[i], port(i % 2 ? SL_HTTP_PLAIN : SL_HTTP_TLS), i % 2 == 0, "/janus");
    ws_open(&silent, port(SL_HTTP_WS), false, "/");
    t0 = now_ms();
    sl_http_stop();
    assert_true(now_ms() - t0 < 2000);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ws_wait_close(&c[i]), 1001);
        client_close(&c[i]);
    }
    assert_int_equal(ws_wait_close(&silent), 1001);
    client_close(&silent);
}

/* ---- the folder and the list ------------------------------------------------------------------
 */

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", html, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    char path[128];

    sl_log_set_level(SL_LOG_WARN);
    signal(SIGPIPE, SIG_IGN); /* the clients' own TLS writes */
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(key, sizeof(key), "%s/key.pem", dir);
    snprintf(html, sizeof(html), "%s/html", dir);
    client_make_cert(cert, key);
    assert_int_equal(mkdir(html, 0700), 0);
    snprintf(path, sizeof(path), "%s/sub", html);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/empty", html);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("index.html", "<p>root</p>");
    write_file("sub/index.html", "<p>sub</p>");
    write_file("a.mjs", "export {}");
    write_file(".hidden", "secret");
    snprintf(path, sizeof(path), "%s/outside", html);
    assert_int_equal(symlink(cert, path), 0);
    snprintf(path, sizeof(path), "%s/inside.mjs", html);
    assert_int_equal(symlink("a.mjs", path), 0);
    snprintf(path, sizeof(path), "%s/fifo", html);
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

static int remove_files(void **state)
{
    static const char *const names[] = {
        "html/index.html", "html/sub/index.html", "html/a.mjs", "html/.hidden", "html/outside",
        "html/inside.mjs", "html/fifo",           "cert.pem",   "key.pem"
    };
    static const char *const folders[] = { "html/sub", "html/empty", "html", "" };
    char path[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
        (void)rmdir(path);
    }
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_post_reaches_the_core_and_is_answered),
        T(answers_by_method_and_path),
        T(a_handle_path_leads_to_its_session),
        T(preflight_headers_are_echoed),
        T(foreign_origins_are_refused),
        T(one_connection_serves_many_requests),
        T(large_bodies_are_taken_up_to_the_limit),
        T(a_request_that_nobody_answers_gets_an_error),
        T(many_polls_wait_at_once),
        T(stopping_answers_pending_polls),
        T(a_poller_that_went_away_is_harmless),
        T(half_a_request_and_a_fin_leave_nothing_open),
        T(odd_requests_do_not_harm),
        T(chunked_bodies_are_read),
        T(the_administrator_has_a_listener_of_its_own),
        T(errors_at_start_say_what_is_wrong),
        T(all_addresses_are_served_in_both_families),
        T(files_are_served_with_their_types),
        T(unchanged_files_are_not_sent_again),
        T(a_message_is_answered_on_each_listener),
        T(an_answer_over_https_works_too),
        T(bad_handshakes_are_refused_in_words),
        T(the_admin_port_wants_the_admin_protocol),
        T(frames_sent_with_the_handshake_are_read),
        T(fragments_make_one_message_and_pings_fit_between),
        T(several_texts_in_one_frame_are_all_requests),
        T(wrong_frames_close_with_the_right_code),
        T(a_message_at_the_limit_passes),
        T(events_come_in_order_behind_the_answer),
        T(a_client_that_does_not_read_is_closed),
        T(unanswered_requests_stop_the_reading_not_the_connection),
        T(dead_peers_are_found_by_pings),
        T(a_broken_connection_is_gone_once),
        T(idle_connections_cost_nothing),
        T(stopping_says_going_away),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
