#include "transports/http/http_int.h"
#include "base/clock.h"
#include "base/log.h"
#include "transports/websocket/ws.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS      100
#define STOP_WAIT_MS 600
#define PEM_MAX      (256 * 1024)
#define HEADER_MAX   ((size_t)16 * 1024) /* of a request; a WebSocket keeps it for life */

struct http_server http = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- time limits ----------------------------------------------------------------------------- */

static void *clock_run(void *arg)
{
    struct timespec ts;

    pthread_mutex_lock(&http.lock);
    while (!http.stopping) {
        clock_gettime(CLOCK_MONOTONIC, &ts);
        ts.tv_nsec += TICK_MS * 1000000L;
        if (ts.tv_nsec >= 1000000000L) {
            ts.tv_nsec -= 1000000000L;
            ts.tv_sec++;
        }
        (void)pthread_cond_timedwait(&http.wake, &http.lock, &ts);
        http_end_waiting(SL_TSTATUS_CLOSING, sl_now_us());
    }
    http_end_waiting(SL_TSTATUS_CLOSING, 0);
    pthread_mutex_unlock(&http.lock);
    return NULL;
}

static int clock_start(void)
{
    pthread_condattr_t attr;
    int err;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&http.wake, &attr);
    pthread_condattr_destroy(&attr);
    err = -pthread_create(&http.clock, NULL, clock_run, NULL);
    http.clock_runs = !err;
    if (err)
        pthread_cond_destroy(&http.wake);
    return err;
}

/* Ends the thread, which ends all that waits. */
static void clock_stop(void)
{
    pthread_mutex_lock(&http.lock);
    http.stopping = true;
    if (http.clock_runs)
        pthread_cond_signal(&http.wake);
    pthread_mutex_unlock(&http.lock);
    if (!http.clock_runs)
        return;
    pthread_join(http.clock, NULL);
    pthread_cond_destroy(&http.wake);
    http.clock_runs = false;
}

/* ---- daemons --------------------------------------------------------------------------------- */

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *fmt, va_list ap)
{
    char text[256];
    int n;

    if (!sl_log_wants(SL_LOG_DEBUG))
        return;
    n = vsnprintf(text, sizeof(text), fmt, ap);
    if (n > 0)
        text[strcspn(text, "\r\n")] = '\0';
    sl_debug("http", "library", "text=\"%s\"", text);
}

/* The file's text, to be freed; NULL and @err. */
static char *read_pem(const char *group, const char *key, const char *path, char *err, size_t cap)
{
    FILE *f = path && *path ? fopen(path, "re") : NULL;
    char *text = f ? calloc(1, PEM_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, PEM_MAX, f) : 0;

    if (!n) {
        snprintf(err, cap, "%s.%s: cannot read the PEM file '%s'%s%s", group, key, path ? path : "",
                 f ? "" : ": ",
                 f               ? ""
                 : path && *path ? strerror(errno)
                                 : "not set");
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

static struct MHD_Daemon *daemon_start(struct http_listener *l, const char *cert, const char *key)
{
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                         MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG | (l->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL" },
        { MHD_OPTION_END, 0, NULL },
    };

    if (!l->tls)
        tls[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, l->fd, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, l,
        MHD_OPTION_CONNECTION_TIMEOUT, l->conf->idle_s, MHD_OPTION_CONNECTION_LIMIT,
        l->conf->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, l->conf->max_per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_MAX, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static int serve(struct http_listener *l, char *err, size_t cap)
{
    char *cert = NULL, *key = NULL;
    int ret = 0;

    if (l->tls) {
        cert = read_pem(l->group, "tls_cert", l->conf->tls_cert, err, cap);
        key = cert ? read_pem(l->group, "tls_key", l->conf->tls_key, err, cap) : NULL;
        if (!key)
            ret = -EINVAL;
    }
    if (!ret) {
        l->daemon = daemon_start(l, cert, key);
        l->fd = -1; /* closed by the library, when it fails too */
        if (!l->daemon) {
            ret = -EINVAL;
            snprintf(err, cap, "%s: the HTTP server on TCP port %d does not start%s", l->group,
                     l->port, l->tls ? "; do tls_cert and tls_key belong together?" : "");
        }
    }
    if (key)
        memset(key, 0, strlen(key));
    free(key);
    free(cert);
    if (!ret)
        sl_info("http", "listening", "group=%s port=%d tls=%d", l->group, l->port, l->tls);
    return ret;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static void fill_defaults(struct sl_http_conf *c, const char *base_path)
{
    if (!c->base_path || !*c->base_path)
        c->base_path = base_path;
    if (!c->max_body)
        c->max_body = SL_HTTP_MAX_BODY;
    if (!c->max_connections)
        c->max_connections = SL_HTTP_MAX_CONNECTIONS;
    if (!c->idle_s)
        c->idle_s = SL_HTTP_IDLE_S;
    if (!c->max_json_depth)
        c->max_json_depth = SL_HTTP_MAX_JSON_DEPTH;
    if (!c->post_ms)
        c->post_ms = SL_HTTP_POST_MS;
    if (!c->poll_ms)
        c->poll_ms = SL_HTTP_POLL_MS;
}

static void conf_init(const struct sl_http_args *args)
{
    http.http = *args->http;
    fill_defaults(&http.http, "/janus");
    http.admin = args->admin ? *args->admin : (struct sl_http_conf){ .enabled = false };
    fill_defaults(&http.admin, "/admin");
    /* The extra listener has the limits of the first. */
    http.ws = http.http;
    http.ws.enabled = args->ws->enabled;
    http.ws.bind = args->ws->bind;
    http.ws.port = args->ws->port;
    http.ws.tls_port = args->ws->tls_port;
    http.ws.tls_cert = args->ws->tls_cert;
    http.ws.tls_key = args->ws->tls_key;
}

static int static_root_init(char *err, size_t cap)
{
    const char *dir = http.http.static_dir;
    struct stat st;

    if (!dir || !*dir)
        return 0;
    http.static_root = realpath(dir, NULL);
    if (http.static_root && stat(http.static_root, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    snprintf(err, cap, "http.static_dir: '%s' is not a folder that can be read", dir);
    return -ENOENT;
}

static int listen_all(char *err, size_t cap)
{
    const struct {
        const struct sl_http_conf *conf;
        const char *group;
        enum sl_http_listener plain, tls;
    } groups[] = {
        { &http.http, "http", SL_HTTP_PLAIN, SL_HTTP_TLS },
        { &http.admin, "admin", SL_HTTP_ADMIN, SL_HTTP_ADMIN_TLS },
        { &http.ws, "websockets", SL_HTTP_WS, SL_HTTP_WSS },
    };

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        const struct sl_http_conf *c = groups[i].conf;
        struct http_listener l = { .which = groups[i].plain,
                                   .conf = c,
                                   .group = groups[i].group,
                                   .admin = c == &http.admin,
                                   .ws_only = c == &http.ws };
        int ret;

        if (!c->enabled)
            continue;
        ret = c->port ? http_listen(&l, c->bind, c->port, err, cap) : 0;
        if (ret)
            return ret;
        l.which = groups[i].tls;
        l.tls = true;
        ret = c->tls_port ? http_listen(&l, c->bind, c->tls_port, err, cap) : 0;
        if (ret)
            return ret;
    }
    return 0;
}

int sl_http_start(const struct sl_http_args *args, char *err, size_t cap)
{
    int ret;

    conf_init(args);
    http.core = args->core;
    http.nlisteners = 0;
    http.stopping = false;
    sl_list_init(&http.waiting);
    ret = static_root_init(err, cap);
    if (!ret)
        ret = listen_all(err, cap);
    if (ret)
        goto fail;
    ret = sl_ws_start(args->ws, args->ws_core ? args->ws_core : args->core);
    if (!ret)
        ret = clock_start();
    if (ret) {
        snprintf(err, cap, "the transports do not start: %s", strerror(-ret));
        goto fail;
    }
    for (size_t i = 0; i < http.nlisteners; i++) {
        ret = serve(&http.listeners[i], err, cap);
        if (ret)
            goto fail;
    }
    return 0;

fail:
    sl_http_stop();
    return ret;
}

static void wait_for_requests(void)
{
    for (int i = 0; i < STOP_WAIT_MS / 5 && atomic_load(&http.live); i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5 * 1000 * 1000 }, NULL);
}

void sl_http_stop(void)
{
    /* MHD_quiesce_daemon would be the way to accept nobody from here on, but it and the daemon's
     * thread may both take the socket out of the epoll set, and the second of them aborts. Who
     * comes now gets 503. */
    clock_stop();
    sl_ws_stop();
    wait_for_requests();
    for (size_t i = 0; i < http.nlisteners; i++) {
        struct http_listener *l = &http.listeners[i];

        if (l->daemon)
            MHD_stop_daemon(l->daemon);
        if (l->fd >= 0)
            close(l->fd);
        l->daemon = NULL;
    }
    http.nlisteners = 0;
    free(http.static_root);
    http.static_root = NULL;
}

int sl_http_port(enum sl_http_listener which)
{
    for (size_t i = 0; i < http.nlisteners; i++)
        if (http.listeners[i].which == which && http.listeners[i].daemon)
            return http.listeners[i].port;
    return 0;
}
