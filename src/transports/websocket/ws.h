/*
 * ws.h - the WebSocket transport: JSON of the session protocol over sockets that an HTTP server
 * upgraded.
 *
 * Spec:   RFC 6455; the framing is wslay's. Client expectations W1..W9, N1, N2.
 * Thread: one thread of its own (role transport) that owns all connections; push, answer and
 *         sl_ws_adopt post to it and never block.
 * Owner:  started and stopped by the HTTP server (transports/http/http.h), which does the
 *         handshake; nobody else calls sl_ws_start and sl_ws_stop.
 *
 * Text frames only. A frame may hold several JSON texts; each is one request, and when one of them
 * does not parse none is taken (SL_TREQ_BAD_JSON once). Requests carry a tag, so that the core
 * answers each exactly once: that is how the transport knows how many are outstanding, and it
 * stops reading from a client that has SL_WS_INFLIGHT of them.
 */
#ifndef SL_TRANSPORTS_WS_H
#define SL_TRANSPORTS_WS_H

#include <sluice/transport.h>

#define SL_WS_MAX_MESSAGE (1024 * 1024)     /* bytes of one message; more: close 1009 */
#define SL_WS_MAX_QUEUE   (4 * 1024 * 1024) /* bytes that wait for a slow reader; more: closed */
#define SL_WS_MAX_TEXTS   256               /* JSON texts in one message; more: bad JSON */
#define SL_WS_MAX_DEPTH   32                /* objects and arrays inside each other */
#define SL_WS_INFLIGHT    64                /* unanswered requests of one connection */

/* Group `websockets`. The addresses are those of the extra listener; the limits hold for all
 * connections. Strings are borrowed while the transport runs. Zero takes the default. */
struct sl_ws_conf {
    bool enabled; /* the extra listener; the HTTP ports upgrade in any case */
    const char *bind;
    int port;     /* 0: no plain listener; -1: any free port */
    int tls_port; /* 0: no TLS listener; -1: any free port */
    const char *tls_cert, *tls_key;
    unsigned int ping_interval_ms; /* server pings that find dead peers; 0: none */
    size_t max_message;
    size_t max_queue;
    unsigned int max_json_depth; /* deeper: bad JSON */
};

struct sl_ws_stats {
    uint64_t open;        /* connections now */
    uint64_t opened;      /* ever */
    uint64_t slow_closed; /* closed since they did not read */
    uint64_t ping_closed; /* closed since they did not answer pings */
    uint64_t bad_json;    /* messages refused */
};

/* One upgraded socket. */
struct sl_ws_adopt {
    int fd;            /* non-blocking is set here; closed by @close only */
    bool tls;          /* @fd is a pipe to a TLS layer, not the client's socket */
    int tls_fd;        /* TLS: a duplicate of the client's socket, watched for its end only, which
                          the TLS layer does not pass on; closed here. Else -1 */
    bool admin, local; /* for struct sl_treq */
    const void *extra; /* bytes that came behind the handshake; copied */
    size_t extra_len;
    void (*close)(void *arg); /* called once, on the WebSocket thread or the caller's */
    void *arg;
};

extern const struct sl_transport sl_ws_transport;

/* 0 or -errno. @conf is copied, @core outlives the transport. */
int sl_ws_start(const struct sl_ws_conf *conf, const struct sl_tcore *core);
/* Sends close 1001 to all, flushes for up to a second, ends the thread. Every connection got its
 * core->gone by then. Control thread, like push and answer, which do nothing from here on. */
void sl_ws_stop(void);

/* Takes over a socket; any thread. When the transport is not running (or out of memory) the socket
 * is closed. */
void sl_ws_adopt(const struct sl_ws_adopt *a);

void sl_ws_stats_get(struct sl_ws_stats *out); /* any thread */

#endif
