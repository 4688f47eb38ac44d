/* Starts and stops the transports that the configuration enables. */

#include "control/control.h"
#include "base/log.h"
#include "transports/http/http.h"
#include "transports/unix/unix.h"
#include "transports/websocket/ws.h"
#include <errno.h>
#include <stdio.h>

static struct sl_http_conf http_conf(const struct sl_conf *conf)
{
    const struct sl_http_conf_group *g = &conf->http;

    return (struct sl_http_conf){
        .enabled = g->enabled,
        .bind = g->bind,
        .port = (int)g->port,
        .base_path = g->base_path,
        .static_dir = g->static_dir,
        .tls_port = (int)g->tls_port,
        .tls_cert = g->tls_cert,
        .tls_key = g->tls_key,
        .allowed_origins = g->allowed_origins,
        .max_body = (size_t)g->max_body,
        .max_connections = (unsigned int)g->max_connections,
        .max_per_address = (unsigned int)g->max_per_address,
        .idle_s = (unsigned int)g->idle_timeout_s,
        .max_json_depth = (unsigned int)conf->general.max_json_depth,
    };
}

/* It has the limits of the first listener. */
static struct sl_http_conf admin_conf(const struct sl_conf *conf)
{
    const struct sl_admin_conf_group *g = &conf->admin;
    struct sl_http_conf c = http_conf(conf);

    c.enabled = g->enabled;
    c.bind = g->bind;
    c.port = (int)g->port;
    c.base_path = g->base_path;
    c.static_dir = NULL;
    c.tls_port = (int)g->tls_port;
    c.tls_cert = g->tls_cert;
    c.tls_key = g->tls_key;
    return c;
}

static struct sl_ws_conf ws_conf(const struct sl_conf *conf)
{
    const struct sl_ws_conf_group *g = &conf->websockets;

    return (struct sl_ws_conf){
        .enabled = g->enabled,
        .bind = g->bind,
        .port = (int)g->port,
        .tls_port = (int)g->tls_port,
        .tls_cert = g->tls_cert,
        .tls_key = g->tls_key,
        .ping_interval_ms = (unsigned int)g->ping_interval_s * 1000,
        .max_message = (size_t)g->max_message,
        .max_queue = (size_t)g->max_queue,
        .max_json_depth = (unsigned int)conf->general.max_json_depth,
    };
}

static struct sl_unix_conf unix_conf(const struct sl_conf *conf)
{
    static const unsigned int modes[] = {
        [SL_CONF_ACCESS_OWNER] = 0600,
        [SL_CONF_ACCESS_GROUP] = 0660,
        [SL_CONF_ACCESS_ALL] = 0666,
    };
    const struct sl_unix_conf_group *g = &conf->sockets;

    return (struct sl_unix_conf){
        .path = g->path,
        .admin_path = g->admin_path,
        .datagrams = g->type == 1,
        .mode = modes[g->access],
        .max_message = (size_t)g->max_message,
        .max_queue = (size_t)g->max_queue,
        .max_clients = (unsigned int)g->max_connections,
        .max_json_depth = (unsigned int)conf->general.max_json_depth,
    };
}

static int unix_start(struct sl_control *c, char *err, size_t cap) SL_ON_CONTROL;
static int unix_start(struct sl_control *c, char *err, size_t cap)
{
    const struct sl_unix_conf conf = unix_conf(c->conf);
    const struct sl_tcore *core;

    if (!c->conf->sockets.enabled)
        return 0;
    core = sl_api_transport_add(c->api, &sl_unix_transport);
    return core ? sl_unix_start(&conf, core, err, cap) : -ENOSPC;
}

int sl_control_transports_start(struct sl_control *c, char *err, size_t cap)
{
    const struct sl_http_conf http = http_conf(c->conf);
    const struct sl_http_conf admin = admin_conf(c->conf);
    const struct sl_ws_conf ws = ws_conf(c->conf);
    struct sl_http_args args = { .http = &http, .admin = admin.enabled ? &admin : NULL, .ws = &ws };
    int rc;

    if (!http.enabled && !admin.enabled && !ws.enabled && !c->conf->sockets.enabled) {
        snprintf(err, cap,
                 "nobody could reach this server: http, websockets, unix and admin are all "
                 "disabled");
        return -EINVAL;
    }
    args.core = sl_api_transport_add(c->api, &sl_http_transport);
    args.ws_core = sl_api_transport_add(c->api, &sl_ws_transport);
    if (!args.core || !args.ws_core)
        return -ENOSPC;
    rc = unix_start(c, err, cap);
    if (!rc)
        rc = sl_http_start(&args, err, cap);
    if (rc) {
        sl_unix_stop();
        return rc;
    }
    c->has_transports = true;
    sl_info("control", "listening", "http=%d https=%d ws=%d wss=%d admin=%d admins=%d",
            sl_http_port(SL_HTTP_PLAIN), sl_http_port(SL_HTTP_TLS), sl_http_port(SL_HTTP_WS),
            sl_http_port(SL_HTTP_WSS), sl_http_port(SL_HTTP_ADMIN),
            sl_http_port(SL_HTTP_ADMIN_TLS));
    return 0;
}

void sl_control_transports_stop(struct sl_control *c)
{
    sl_unix_stop();
    if (c->has_transports)
        sl_http_stop();
    c->has_transports = false;
}
