/*
 * http.h - the HTTP server: session protocol over POST and long poll, static pages, and the
 * handshake of WebSockets, which it hands to transports/websocket.
 *
 * Spec:   RFC 9110, 9112; client expectations H1..H9. The server is libmicrohttpd's.
 * Thread: one libmicrohttpd thread per listening socket, one small thread for time limits; the
 *         functions below are for the control thread. sl_http_transport.answer never blocks.
 *
 * Listeners: http.port and http.tls_port (session protocol under base_path, upgrade to WebSocket
 * on any path under it, /healthz, static pages elsewhere), websockets.port and .tls_port (upgrade
 * on any path, nothing else) and the administrator's.
 *
 * What differs from the reference protocol on purpose: an empty POST gets the JSON error 454, a
 * request that the core does not answer in time gets a JSON error (490), a refused WebSocket
 * handshake gets a status and a sentence.
 */
#ifndef SL_TRANSPORTS_HTTP_H
#define SL_TRANSPORTS_HTTP_H

#include <sluice/transport.h>

struct sl_ws_conf;

#define SL_HTTP_MAX_BODY        (1024 * 1024)
#define SL_HTTP_MAX_CONNECTIONS 10000
#define SL_HTTP_IDLE_S          60    /* a connection without progress is closed */
#define SL_HTTP_POST_MS         10000 /* the core's time to answer a request */
#define SL_HTTP_MAX_JSON_DEPTH  32
#define SL_HTTP_POLL_MS         45000 /* and a long poll, which it ends by itself after 30 s */

/* Groups `http` and `admin`. Strings are borrowed
 * while the server runs. Zero or NULL takes the default. */
struct sl_http_conf {
    bool enabled;
    const char *bind; /* comma list of numeric addresses; NULL, "", "all": all, both families */
    int port;         /* 0: no plain listener; -1: any free port */
    const char *base_path;          /* NULL: "/janus", the administrator's "/admin" */
    const char *static_dir;         /* served at "/"; NULL or "": nothing */
    int tls_port;                   /* as port */
    const char *tls_cert, *tls_key; /* PEM files */
    const char *allowed_origins;    /* comma list; NULL or "": any */
    size_t max_body;                /* bytes; more: 413 */
    unsigned int max_connections;   /* per listener, upgraded ones included */
    unsigned int max_per_address;   /* connections of one client address; 0: no limit */
    unsigned int idle_s;
    unsigned int max_json_depth; /* deeper: not JSON */
    unsigned int post_ms, poll_ms;
};

struct sl_http_args {
    const struct sl_http_conf *http;
    const struct sl_http_conf *admin; /* NULL: none */
    const struct sl_ws_conf *ws;
    const struct sl_tcore *core;    /* gets requests of HTTP */
    const struct sl_tcore *ws_core; /* and of WebSocket; NULL: the same */
};

extern const struct sl_transport sl_http_transport;

/* Starts the WebSocket thread and all listeners. 0 or -errno; then nothing runs and @err (size
 * @cap) is one sentence for the operator. */
int sl_http_start(const struct sl_http_args *args, char *err, size_t cap);

/* Answers new and pending requests with 503, closes WebSockets with 1001 and gives that up to 1.5 s
 * to go out. The core may still call answer and push, which do nothing but forget the request;
 * core->gone was called for every connection. */
void sl_http_stop(void);

enum sl_http_listener {
    SL_HTTP_PLAIN,
    SL_HTTP_TLS,
    SL_HTTP_ADMIN,
    SL_HTTP_ADMIN_TLS,
    SL_HTTP_WS,
    SL_HTTP_WSS,
    SL_HTTP_LISTENER_MAX
};

/* The port that the first socket of a listener is bound to; 0: it does not run. */
int sl_http_port(enum sl_http_listener which);

#endif
