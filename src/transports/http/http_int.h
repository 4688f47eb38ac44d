/*
 * http_int.h - what the files of the HTTP server share.
 *
 * A request is known to two parties: libmicrohttpd (from the first bytes until it is completed) and
 * the core (from core->request until answer). Each holds a reference. Which of the core's answer,
 * the time limit and the stop of the server comes first decides what the client gets; the lock of
 * the server guards that.
 */
#ifndef SL_TRANSPORTS_HTTP_INT_H
#define SL_TRANSPORTS_HTTP_INT_H

#include "base/list.h"
#include "transports/http/http.h"
#include "transports/http/http_path.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define HTTP_SOCKETS_MAX 16 /* listening sockets of all listeners */

enum http_method { HTTP_GET, HTTP_POST, HTTP_OPTIONS, HTTP_HEAD, HTTP_OTHER };

/* One listening socket and the daemon that serves it. */
struct http_listener {
    enum sl_http_listener which;
    const struct sl_http_conf *conf; /* with defaults filled in */
    const char *group;               /* configuration group, for errors */
    int port;                        /* bound */
    int fd;                          /* -1 once the daemon owns it */
    bool admin, tls, ws_only;
    struct MHD_Daemon *daemon;
};

enum http_state {
    HTTP_READING,
    HTTP_WAITING, /* suspended, in http.waiting */
    HTTP_DONE,    /* resumed: status and text are the answer */
};

struct http_req {
    struct sl_list link; /* http.waiting, under the lock */
    atomic_int refs;
    const struct http_listener *l;
    struct MHD_Connection *mc;
    enum http_method method;
    struct http_path path;
    const char *url; /* valid within the access handler */
    bool keeps_body;
    bool local;
    bool upgraded; /* no longer counted in http.live */
    char *body;
    size_t body_len, body_cap;
    uint64_t body_seen; /* bytes, kept or not */
    /* Under the lock. */
    enum http_state state;
    bool late; /* ended by the time limit */
    uint64_t deadline_us;
    enum sl_tstatus status;
    char *text;          /* the answer, owned, or NULL */
    json_t *transaction; /* of the request, owned, or NULL */
};

struct http_server {
    struct sl_http_conf http, admin, ws; /* with defaults; ws: of the extra listener */
    const struct sl_tcore *core;
    struct http_listener listeners[HTTP_SOCKETS_MAX];
    size_t nlisteners;
    char *static_root; /* resolved, or NULL */
    atomic_int live;   /* requests that libmicrohttpd knows */
    pthread_t clock;
    bool clock_runs;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct sl_list waiting;
    bool stopping;
};
extern struct http_server http;

/* http_listen.c: opens the sockets of one group. 0 or -errno and @err. */
int http_listen(struct http_listener *proto, const char *bind_list, int port, char *err,
                size_t cap);

/* http_addr.c: loopback, private (RFC 1918, RFC 4193) or link-local. */
bool http_addr_is_local(const struct sockaddr *sa);

/* http_request.c: libmicrohttpd's callbacks. @cls is the struct http_listener. */
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mc, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_len, void **req);
void http_on_completed(void *cls, struct MHD_Connection *mc, void **req,
                       enum MHD_RequestTerminationCode why);

/* http_api.c: the session protocol. */
enum MHD_Result http_api(struct http_req *r);
enum MHD_Result http_api_finish(struct http_req *r); /* the request is HTTP_DONE */
void http_req_unref(struct http_req *r);
/* Ends what waits: all of it with @status, or (@now_us > 0) what is late. Under the lock. */
void http_end_waiting(enum sl_tstatus status, uint64_t now_us);

/* http_static.c */
enum MHD_Result http_static(struct http_req *r);

/* http_upgrade.c: whether @r asks for a WebSocket; the handshake. */
bool http_is_upgrade(struct http_req *r);
enum MHD_Result http_upgrade(struct http_req *r, const char *method, const char *version);

/* http_reply.c: queue a response with the CORS headers of the request. @text is copied. */
enum MHD_Result http_reply(struct http_req *r, unsigned int status, struct MHD_Response *resp);
enum MHD_Result http_reply_empty(struct http_req *r, unsigned int status);
enum MHD_Result http_reply_text(struct http_req *r, unsigned int status, const char *text);
/* Owns @text, from malloc; NULL closes the connection. */
enum MHD_Result http_reply_json(struct http_req *r, unsigned int status, char *text);
/* {"janus":"error","transaction":...,"error":{...}} */
enum MHD_Result http_reply_error(struct http_req *r, unsigned int status, int code,
                                 const char *reason);
void http_header(struct MHD_Response *resp, const char *name, const char *value);
const char *http_request_header(const struct http_req *r, const char *name);

/* http_origin.c: which origins may ask. Pure but for the headers. */
bool http_origin_is_allowed(const char *list, const char *origin, const char *referer);
/* The element of @list that @origin equals, or the first one; @len bytes. NULL: empty list. */
const char *http_origin_pick(const char *list, const char *origin, size_t *len);

#endif
