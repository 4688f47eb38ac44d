/* The session protocol over WebSocket, plain and TLS. */
#include "world.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

        ws_open(&c, world_port(v[i].which), v[i].tls, v[i].path);
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

    client_open(&c, world_port(SL_HTTP_TLS), true);
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

    world_http.allowed_origins = "https://good.example";
    world_restart();
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct client c;
        struct reply r;

        client_open(&c, world_port(SL_HTTP_WS), false);
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

    client_open(&c, world_port(SL_HTTP_ADMIN), false);
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

    client_open(&c, world_port(SL_HTTP_PLAIN), false);
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

    ws_open(&c, world_port(SL_HTTP_WS), false, "/");
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

    ws_open(&c, world_port(SL_HTTP_WS), false, "/");
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

static void deep_json_is_bad_json(void **state)
{
    struct client c;
    char *data;
    size_t len;

    world_ws.max_json_depth = 4;
    world_ws.max_message = 64;
    world_restart();
    ws_open(&c, world_port(SL_HTTP_WS), false, "/");
    ws_text(&c, "{\"a\":[[[]]]} [[[[]]]]");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ws_recv(&c, &data, &len), 1);
        assert_non_null(strstr(data, "echo"));
        free(data);
    }
    ws_text(&c, "[] [[[[[]]]]]");
    assert_ws_text(&c,
                   "{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid JSON\"}}");
    ws_text(&c, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
    assert_int_equal(ws_wait_close(&c), 1009);
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

            ws_open(&c, world_port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
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
    ws_open(&c, world_port(SL_HTTP_TLS), true, "/janus");
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

    ws_open(&c, world_port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
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
        ws_open(&c, world_port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
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

    ws_open(&c, world_port(SL_HTTP_PLAIN), false, "/janus");
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

    world_ws.ping_interval_ms = 1500; /* a busy machine is not a dead peer */
    world_restart();
    sl_ws_stats_get(&a);
    gone = fake_gone();
    ws_open(&c, world_port(SL_HTTP_WS), false, "/");
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

        ws_open(&c, world_port(i % 2 ? SL_HTTP_PLAIN : SL_HTTP_TLS), i % 2 == 0, "/janus");
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
            ws_open(&c[i], world_port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls, "/janus");
            ws_text(&c[i], "{\"janus\":\"hold\"}");
        } else {
            client_open(&c[i], world_port(tls ? SL_HTTP_TLS : SL_HTTP_PLAIN), tls);
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
        ws_open(&c[i], world_port(i % 2 ? SL_HTTP_PLAIN : SL_HTTP_TLS), i % 2 == 0, "/janus");
    ws_open(&silent, world_port(SL_HTTP_WS), false, "/");
    t0 = world_now_ms();
    sl_http_stop();
    assert_true(world_now_ms() - t0 < 2000);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ws_wait_close(&c[i]), 1001);
        client_close(&c[i]);
    }
    assert_int_equal(ws_wait_close(&silent), 1001);
    client_close(&silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_message_is_answered_on_each_listener),
        WORLD_TEST(an_answer_over_https_works_too),
        WORLD_TEST(bad_handshakes_are_refused_in_words),
        WORLD_TEST(the_admin_port_wants_the_admin_protocol),
        WORLD_TEST(frames_sent_with_the_handshake_are_read),
        WORLD_TEST(fragments_make_one_message_and_pings_fit_between),
        WORLD_TEST(several_texts_in_one_frame_are_all_requests),
        WORLD_TEST(deep_json_is_bad_json),
        WORLD_TEST(wrong_frames_close_with_the_right_code),
        WORLD_TEST(a_message_at_the_limit_passes),
        WORLD_TEST(events_come_in_order_behind_the_answer),
        WORLD_TEST(a_client_that_does_not_read_is_closed),
        WORLD_TEST(unanswered_requests_stop_the_reading_not_the_connection),
        WORLD_TEST(dead_peers_are_found_by_pings),
        WORLD_TEST(a_broken_connection_is_gone_once),
        WORLD_TEST(idle_connections_cost_nothing),
        WORLD_TEST(stopping_says_going_away),
    };

    return cmocka_run_group_tests(tests, world_make_files, world_remove_files);
}
