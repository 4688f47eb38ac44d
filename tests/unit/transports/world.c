#include "world.h"
#include "base/log.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-transports-XXXXXX";
char world_cert[64], world_key[64], world_html[64];
struct sl_http_conf world_http;
struct sl_ws_conf world_ws;
struct sl_http_conf world_admin;

static void world_start(void)
{
    struct sl_http_args args = {
        .http = &world_http, .admin = &world_admin, .ws = &world_ws, .core = &fake_core
    };
    char err[256] = "";
    int ret;

    fake_start();
    ret = sl_http_start(&args, err, sizeof(err));
    if (ret)
        print_error("%s\n", err);
    assert_int_equal(ret, 0);
}

int world_setup(void **state)
{
    world_http = (struct sl_http_conf){ .enabled = true,
                                        .bind = "127.0.0.1",
                                        .port = -1,
                                        .static_dir = world_html,
                                        .tls_port = -1,
                                        .tls_cert = world_cert,
                                        .tls_key = world_key };
    world_admin = (struct sl_http_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    world_ws = (struct sl_ws_conf){ .enabled = true, .bind = "127.0.0.1", .port = -1 };
    world_start();
    return 0;
}

/* Some tests want other settings. */
void world_restart(void)
{
    sl_http_stop();
    fake_stop();
    world_start();
}

int world_teardown(void **state)
{
    struct sl_ws_stats st;

    sl_http_stop();
    fake_stop();
    sl_ws_stats_get(&st);
    return st.open != 0 || fake_bad_order() != 0 || fake_gone() != (int)st.opened;
}

int world_port(enum sl_http_listener which)
{
    int p = sl_http_port(which);

    assert_true(p > 0);
    return p;
}

struct reply world_ask(const char *method, const char *path, const char *headers, const char *body)
{
    return http_ask(world_port(SL_HTTP_PLAIN), method, path, headers, body);
}

json_t *world_json(const struct reply *r)
{
    json_t *j = json_loads(r->body, 0, NULL);

    if (!j)
        print_error("not JSON: %s %s\n", r->head, r->body ? r->body : "(none)");
    assert_non_null(j);
    return j;
}

void assert_reply(struct reply r, int status, const char *body)
{
    assert_int_equal(r.status, status);
    assert_string_equal(r.body ? r.body : "(none)", body);
    reply_free(&r);
}

void assert_ws_text(struct client *c, const char *want)
{
    char *data;
    size_t len;

    assert_int_equal(ws_recv(c, &data, &len), 1);
    assert_string_equal(data, want);
    free(data);
}

int64_t world_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", world_html, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

int world_make_files(void **state)
{
    char path[128];

    sl_log_set_level(SL_LOG_WARN);
    signal(SIGPIPE, SIG_IGN); /* the clients' own TLS writes */
    assert_non_null(mkdtemp(dir));
    snprintf(world_cert, sizeof(world_cert), "%s/cert.pem", dir);
    snprintf(world_key, sizeof(world_key), "%s/key.pem", dir);
    snprintf(world_html, sizeof(world_html), "%s/html", dir);
    client_make_cert(world_cert, world_key);
    assert_int_equal(mkdir(world_html, 0700), 0);
    snprintf(path, sizeof(path), "%s/sub", world_html);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/empty", world_html);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("index.html", "<p>root</p>");
    write_file("sub/index.html", "<p>sub</p>");
    write_file("a.mjs", "export {}");
    write_file(".hidden", "secret");
    snprintf(path, sizeof(path), "%s/outside", world_html);
    assert_int_equal(symlink(world_cert, path), 0);
    snprintf(path, sizeof(path), "%s/inside.mjs", world_html);
    assert_int_equal(symlink("a.mjs", path), 0);
    snprintf(path, sizeof(path), "%s/fifo", world_html);
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

int world_remove_files(void **state)
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
