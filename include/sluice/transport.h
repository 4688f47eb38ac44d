/*
 * transport.h - the contract between the core and a transport (HTTP, WebSocket, Unix socket).
 *
 * A transport turns bytes into JSON and back, nothing else; sessions, errors and timeouts are the
 * core's. Threads: a transport has its own thread (or its library's); core->request and core->gone
 * may be called from any thread and never block (they post to the control thread). The transport's
 * callbacks run on the control thread and must not block either (they post to the transport's).
 *
 * JSON objects are read-only once handed over, from both sides: they may be shared.
 *
 * To write another one: fill a struct sl_transport, call sl_api_transport_add (src/api/api.h) with
 * it at start, as src/control/control_transports.c does, and keep the struct sl_tcore that it
 * returns. Then
 *   - a connection begins: choose its sl_conn, core->connected;
 *   - bytes are a request: parse them (what is no JSON is SL_TREQ_BAD_JSON), core->request. Each
 *     gets one answer, on the control thread, with its tag; events come as push;
 *   - the connection ends: core->gone, once. Answers that are under way still come;
 *   - the server stops: answer what is open, close, end the thread. No callback comes after that.
 * Sessions belong to the connection that created or claimed them; over a transport without lasting
 * connections, clients fetch events by SL_TREQ_POLL. src/transports/unix/ is the smallest example.
 */
#ifndef SLUICE_TRANSPORT_H
#define SLUICE_TRANSPORT_H

#include <sluice/types.h>
#include <jansson.h>

#define SL_TRANSPORT_ABI 1

/* A connection that lasts (WebSocket, Unix): chosen by the transport, never 0, never used twice.
 * 0: the request stands alone (HTTP). */
typedef uint64_t sl_conn;

enum sl_treq_kind {
    SL_TREQ_MESSAGE,  /* @root is a request */
    SL_TREQ_POLL,     /* HTTP long poll of @session */
    SL_TREQ_BAD_JSON, /* unparsable payload: core answers 454 */
};

/* The other end of a connection, for event handlers. */
struct sl_tpeer {
    const char *ip; /* as text; NULL: a Unix socket */
    uint16_t port;
    int fd; /* of a Unix socket; -1: it has none of its own */
};

/* One request. Filled by the transport; the core copies it. */
struct sl_treq {
    enum sl_treq_kind kind;
    sl_conn conn;
    void *tag;     /* the transport's own, handed back with the answer; may be NULL on a connection */
    json_t *root;  /* stolen by the core; any JSON value */
    bool admin;    /* came by the admin listener */
    bool local;    /* the client's address is loopback or private */
    /* HTTP only: what the path said; 0: not in the path. */
    uint64_t session, handle;
    const struct sl_tpeer *peer; /* who asks, copied; NULL: not known */
    /* Poll only. Strings are copied. */
    int maxev;
    const char *apisecret, *token;
};

/* How a poll or message ended. */
enum sl_tstatus {
    SL_TSTATUS_OK,        /* 200 with the JSON */
    SL_TSTATUS_FORBIDDEN, /* poll without valid secret or token: 403, empty */
    SL_TSTATUS_NOT_FOUND, /* poll of an unknown session: 404, empty */
    SL_TSTATUS_CLOSING,   /* server is shutting down: 503, empty */
};

struct sl_tcore {
    uint32_t abi;
    uint32_t size;
    void (*request)(const struct sl_treq *req);   /* any thread */
    void (*gone)(sl_conn conn);                   /* any thread; after the last request of @conn */
    void (*log)(int level, const char *mod, const char *event, const char *text);
    /* Any thread; a lasting connection begins, before its first request. */
    void (*connected)(sl_conn conn, bool admin, const struct sl_tpeer *peer);
};

struct sl_transport {
    uint32_t abi;
    uint32_t size;
    const char *package; /* "janus.transport.http" */
    const char *name, *author, *description, *version_string;
    int version;

    /* The answer to a request, exactly one per request that had a tag, also when the session is
     * gone. @json is borrowed (json_incref to keep it), NULL when @status is not OK. A long poll
     * answer is an array or an object, as the client asked (the core decides). */
    void (*answer)(sl_conn conn, void *tag, enum sl_tstatus status, json_t *json);
    /* An event to a lasting connection. Bounded queue: a client that does not read is closed. */
    void (*push)(sl_conn conn, json_t *json);
    /* The administrator's query_transport: a new object, for `response`. @request is borrowed, NULL
     * when there is none. NULL: this transport has nothing to tell. */
    json_t *(*query)(const json_t *request);
};

#endif
