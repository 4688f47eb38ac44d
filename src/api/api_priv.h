/*
 * api_priv.h - what the files of src/api/ and src/plugin/ share.
 *
 * Thread: control.
 *
 * Re-entrance: a plugin may call the core from any of its callbacks, so whoever enters from outside
 * (request, timer, callback of a peer connection) does it between api_enter and api_leave. What a
 * plugin's call would end (its own handle, its peer connection) is only marked and ends in the
 * outermost api_leave; until then pointers stay good.
 */
#ifndef SL_API_PRIV_H
#define SL_API_PRIV_H

#include "api/api.h"
#include "api/api_auth.h"
#include "api/api_error.h"
#include "pc/pc.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/opt.h"
#include <sluice/args.h>

struct sl_dns;
struct sl_pcap;

#define API_TRANSPORTS_MAX 8
#define API_TIMEOUT_MAX_S  (INT64_C(100) * 365 * 86400) /* of a session; longer is a mistake */
#define API_TEXT_MAX       1024 /* bytes of what is kept of a client's: transactions, opaque ids */
#define API_NACK_QUEUE_MS  1500 /* SL_MIRROR_CACHE_US, as the administrator is told it */
#define API_REASON_MAX     47   /* characters of a hangup reason */
#define API_POLL_US        (30 * UINT64_C(1000000))

/* ---- transports and connections ------------------------------------------------------------ */

struct api_tslot {
    const struct sl_transport *t; /* NULL: free */
    struct sl_tcore core;
};

/* Where an answer goes. */
struct api_from {
    const struct sl_transport *t;
    sl_conn conn;
    void *tag;
    uint64_t request; /* counts those that stand alone, for event handlers; 0: none */
};

/* The other end of a connection or request, as event handlers are told. */
struct api_peer {
    bool admin;
    char ip[46]; /* "": not known */
    uint16_t port;
    int fd; /* Unix sockets; else -1 */
};

/* A lasting connection, known from its first request on. */
struct api_conn {
    struct sl_hnode node;
    const struct sl_transport *t;
    sl_conn id;
    struct sl_list sessions; /* that it owns */
    uint64_t wrong_until_us; /* grows with each wrong session id, see api_session_find */
};

/* ---- sessions -------------------------------------------------------------------------------- */

struct api_event { /* waits in a session */
    struct sl_list link;
    json_t *json;
};

struct api_poll {
    struct sl_list link;
    struct sl_session *session;
    struct api_from from;
    int maxev;
    struct sl_timer timer;
};

struct sl_session {
    struct sl_hnode node;
    struct sl_list link; /* in api->session_list */
    struct sl_api *api;
    uint64_t id;
    struct sl_principal principal; /* of the creator */
    struct api_conn *owner;        /* NULL: polled, or orphaned */
    struct sl_list owner_link;
    bool orphaned;  /* lost its connection; waits for a claim */
    bool dying;     /* nothing reaches the client any more */
    bool timed_out; /* for event handlers, which are told of one end only */

    struct sl_list handles;
    int64_t nhandles;

    struct sl_list events; /* struct api_event */
    int64_t nevents;
    struct sl_list polls;
    int64_t npolls;

    uint64_t active_us, orphaned_us;
    int64_t timeout_s;                    /* 0: never; -1: as all have it */
    const struct sl_transport *transport; /* of its creator, then of who claimed it */
    struct sl_timer timer;
};

/* ---- handles --------------------------------------------------------------------------------- */

/* One event on its way to the client; later ones of the handle wait while it is held or waits for
 * its description. */
struct api_out {
    struct sl_list link;
    struct sl_handle *handle;
    json_t *json;
    bool held, waiting;
    enum sl_jsep_type type;
};

struct api_trickle {
    struct sl_list link;
    uint64_t at_us;
    char *text, *mid; /* NULL: absent */
    int mindex;       /* -1: absent */
};

struct sl_handle {
    struct sl_hnode node; /* in api->handles, by hid */
    struct sl_list link;  /* in session->handles */
    struct sl_list defer; /* in api->deferred */
    sl_hid hid;
    uint64_t id;
    struct sl_session *session;
    const struct sl_plugin *plugin;
    void *state;
    char *opaque_id;
    uint64_t created_us;
    bool dying; /* its end has begun */

    struct api_capture { /* of its packets, by the administrator */
        bool is_on, is_text;
        struct sl_pcap *waiting; /* for a peer connection; NULL: that has it */
        char *path;
    } capture;

    uint64_t group; /* where its peer connections are placed (sl_core.place) */
    struct sl_pc *pc;
    bool offered;       /* the client's offer waits for our answer */
    uint64_t offer_msg; /* the request that brought it; 0: the answer comes later than its end */

    struct sl_list out;
    struct sl_list trickles;
    int64_t ntrickles;
    struct sl_list msgs;
    int64_t nmsgs;

    /* Of the connection, as event handlers were told. */
    bool told_gathering, told_connecting, told_connected;
    struct sl_media_stats *stats;
    size_t nstats;
    uint64_t stats_us; /* when these were counted; 0: never */

    /* Left to do in the outermost api_leave. */
    bool end_wanted, close_wanted, down_wanted;
    char reason[API_REASON_MAX + 1];
};

/* A request that waits for the plugin's answer. */
struct api_msg {
    struct sl_hnode node; /* in api->msgs, by id */
    struct sl_list link;  /* in handle->msgs */
    uint64_t id;
    struct sl_handle *handle;
    struct api_from from;
    char *transaction;
    bool acked;
    bool held; /* the plugin replies later */
};

/* ---- the api --------------------------------------------------------------------------------- */

struct sl_api {
    struct sl_api_conf conf;
    struct sl_auth auth;
    struct sl_cq *cq;
    struct sl_plugins *plugins;
    struct sl_pc_world *world;

    struct api_tslot tslots[API_TRANSPORTS_MAX];
    struct sl_hmap conns;
    struct sl_hmap sessions, handles, msgs;
    struct sl_list session_list;
    int64_t nsessions;
    uint64_t last_hid, last_msg, last_request;
    bool accepting, closing;

    /* The administrator's. */
    int log_level;        /* 0 to 7, as it was set last */
    struct sl_list waits; /* struct api_wait */
    struct sl_dns *dns;   /* made with the first lookup */

    unsigned int depth; /* of api_enter */
    struct sl_list deferred;
    struct sl_timer defer_timer;
    struct sl_timer stats_timer;

    /* Of the request being handled; NULL outside. */
    const struct sl_principal *asking;
    sl_hid asking_hid;
};

void api_enter(struct sl_api *api) SL_ON_CONTROL;
void api_leave(struct sl_api *api) SL_ON_CONTROL;
/* Calls @fn with the result of a lookup between the two: the @run of sl_dns_create. */
void api_run_resolved(void (*fn)(void *arg, int err, const char *ip), void *arg, int err,
                      const char *ip);

/* ---- requests -------------------------------------------------------------------------------- */

struct api_req {
    struct sl_api *api;
    struct api_from from;
    const json_t *root;
    const char *transaction; /* NULL: could not be read */
    const char *verb;
    const char *token;
    uint64_t session_id, handle_id; /* 0: none */
    struct sl_session *session;
    struct sl_handle *handle;
    struct sl_principal who;
};

/* One mail of a transport: a copy of its sl_treq. */
struct api_in {
    struct sl_cq_mail head;
    int slot;
    struct sl_treq req; /* strings owned */
    struct api_peer peer;
};

void api_request_run(struct sl_api *api, struct api_in *in) SL_ON_CONTROL;
void api_answer(const struct api_from *from, enum sl_tstatus status, json_t *json) SL_ON_CONTROL;
/* The answers of a request; each ends it. ok steals @body: its members follow the common ones. */
void api_ok(struct api_req *r, const char *word, json_t *body) SL_ON_CONTROL;
void api_fail(struct api_req *r, int code, const char *fmt, ...) SL_ON_CONTROL
    __attribute__((format(printf, 3, 4)));
/* Checks members; false after having answered. @prefix as in "JSEP error" or NULL. */
bool api_check(struct api_req *r, const char *prefix, const json_t *obj, const struct sl_arg *args,
               size_t n) SL_ON_CONTROL;

/* Verbs: each answers its request. */
void api_verb_info(struct api_req *r) SL_ON_CONTROL;
void api_verb_ping(struct api_req *r) SL_ON_CONTROL;
void api_verb_create(struct api_req *r) SL_ON_CONTROL;
void api_verb_keepalive(struct api_req *r) SL_ON_CONTROL;
void api_verb_claim(struct api_req *r) SL_ON_CONTROL;
void api_verb_destroy(struct api_req *r) SL_ON_CONTROL;
void api_verb_attach(struct api_req *r) SL_ON_CONTROL;
void api_verb_detach(struct api_req *r) SL_ON_CONTROL;
void api_verb_hangup(struct api_req *r) SL_ON_CONTROL;
void api_verb_message(struct api_req *r) SL_ON_CONTROL;
void api_verb_trickle(struct api_req *r) SL_ON_CONTROL;
json_t *api_server_info(struct sl_api *api) SL_ON_CONTROL; /* without janus and transaction */

/* ---- the administrator ----------------------------------------------------------------------- */

void api_admin_run(struct api_req *r) SL_ON_CONTROL;

/* A row of a table of admin verbs: each answers its request, now or later. */
struct api_admin_verb {
    const char *name;
    void (*run)(struct api_req *r);
    const struct sl_arg *args;
    size_t nargs;
};
extern const struct api_admin_verb api_admin_session_verbs[], api_admin_handle_verbs[];
extern const size_t api_admin_session_nverbs, api_admin_handle_nverbs;

/* api_admin_tokens.c */
void api_admin_add_token(struct api_req *r) SL_ON_CONTROL;
void api_admin_allow_token(struct api_req *r) SL_ON_CONTROL;
void api_admin_disallow_token(struct api_req *r) SL_ON_CONTROL;
void api_admin_remove_token(struct api_req *r) SL_ON_CONTROL;
void api_admin_list_tokens(struct api_req *r) SL_ON_CONTROL;

/* A request that waits for another thread. */
struct api_wait {
    struct sl_list link; /* in api->waits */
    struct sl_api *api;
    struct api_from from;
    char *transaction;
    uint64_t session_id, since_us;
    json_t *body; /* of the answer, as far as it is known; may be NULL */
};
/* Steals @body. NULL: no memory, and it was answered so. */
struct api_wait *api_wait_new(struct api_req *r, json_t *body) SL_ON_CONTROL;
/* Ends it: answers with its body, or with an error. */
void api_wait_ok(struct api_wait *w) SL_ON_CONTROL;
void api_wait_fail(struct api_wait *w, int code, const char *text) SL_ON_CONTROL;
/* All that wait get SL_TSTATUS_CLOSING. */
void api_waits_end(struct sl_api *api) SL_ON_CONTROL;

/* api_admin_net.c */
void api_admin_resolve_address(struct api_req *r) SL_ON_CONTROL;
void api_admin_test_stun(struct api_req *r) SL_ON_CONTROL;

/* api_admin_pcap.c */
void api_admin_start_pcap(struct api_req *r) SL_ON_CONTROL;
void api_admin_start_text2pcap(struct api_req *r) SL_ON_CONTROL;
void api_admin_stop_pcap(struct api_req *r) SL_ON_CONTROL;
void api_admin_stop_text2pcap(struct api_req *r) SL_ON_CONTROL;
/* A capture that waits for a peer connection gets it. */
void api_capture_begin(struct sl_handle *h) SL_ON_CONTROL;
/* The connection ended, or the handle does. */
void api_capture_end(struct sl_handle *h) SL_ON_CONTROL;

/* ---- sessions and connections ---------------------------------------------------------------- */

/* The connection's entry, made when missing; NULL for stand-alone requests or out of memory. */
struct api_conn *api_conn_get(struct sl_api *api, const struct api_from *from) SL_ON_CONTROL;
void api_conn_gone(struct sl_api *api, const struct sl_transport *t, sl_conn id) SL_ON_CONTROL;
void api_conns_fini(struct sl_api *api) SL_ON_CONTROL;

/* 0; -EEXIST: @id (not 0) is taken; -ENOMEM. */
int api_session_create(struct sl_api *api, uint64_t id, const struct api_from *from,
                       const struct sl_principal *who, struct sl_session **out) SL_ON_CONTROL;
void api_session_destroy(struct sl_session *s) SL_ON_CONTROL;
/* NULL: unknown, not @who's, or the connection has guessed too often. */
struct sl_session *api_session_find(struct sl_api *api, uint64_t id, const struct api_from *from,
                                    const struct sl_principal *who) SL_ON_CONTROL;
/* For the administrator, who needs no credential of its own. */
struct sl_session *api_session_get(const struct sl_api *api, uint64_t id) SL_ON_CONTROL;
/* Seconds; 0: never. */
int64_t api_session_timeout(const struct sl_session *s) SL_ON_CONTROL;
/* Its timeout, or that of all, changed. */
void api_session_rearm(struct sl_session *s) SL_ON_CONTROL;
void api_session_touch(struct sl_session *s) SL_ON_CONTROL;
/* Moves the event stream to the connection that asks, with what is queued. */
void api_session_claim(struct sl_session *s, const struct api_from *from) SL_ON_CONTROL;
void api_session_send(struct sl_session *s, json_t *json) SL_ON_CONTROL; /* steals */

/* Takes a poll; it is answered now or later. */
void api_poll_add(struct sl_session *s, const struct api_from *from, int maxev) SL_ON_CONTROL;
/* Answers all polls: the first gets what is queued, the others a keepalive. */
void api_polls_release(struct sl_session *s, enum sl_tstatus status) SL_ON_CONTROL;

/* ---- handles, messages, peer connections ----------------------------------------------------- */

struct sl_handle *api_handle_get(struct sl_api *api, sl_hid hid) SL_ON_CONTROL;
struct sl_handle *api_handle_find(const struct sl_session *s, uint64_t id) SL_ON_CONTROL;
/* 0; -ENOMEM; -ENOSPC: too many; or what the plugin's attach returned. */
int api_handle_create(struct sl_session *s, const struct sl_plugin *plugin, const char *opaque_id,
                      struct sl_handle **out) SL_ON_CONTROL;
/* Tells the plugin and frees. @tell: the client gets `detached`. */
void api_handle_destroy(struct sl_handle *h, bool tell) SL_ON_CONTROL;
void api_handle_defer(struct sl_handle *h) SL_ON_CONTROL;

/* {"janus": word, "session_id", "sender"[, "opaque_id"]} */
json_t *api_handle_event(const struct sl_handle *h, const char *word) SL_ON_CONTROL;
void api_handle_send(struct sl_handle *h, json_t *json) SL_ON_CONTROL; /* steals; keeps the order */
void api_handle_flush(struct sl_handle *h) SL_ON_CONTROL;

/* The peer connection is closed: the plugin's media_down, then `hangup` to the client. */
void api_pc_close(struct sl_handle *h, const char *reason, bool tell) SL_ON_CONTROL;
/* The same when the plugin asks: it is gone at once, and the rest follows in api_leave. */
void api_pc_close_later(struct sl_handle *h, const char *reason) SL_ON_CONTROL;
void api_pc_run_deferred(struct sl_handle *h) SL_ON_CONTROL;
int api_pc_ensure(struct sl_handle *h)
    SL_ON_CONTROL; /* creates it when there is none; 0 or -errno */
void api_pc_drop_offer(struct sl_handle *h) SL_ON_CONTROL; /* the client's offer stays unanswered */
/* Starts our description of @out, which waits for it. 0, -EINVAL, -EBUSY, ... */
int api_pc_describe(struct sl_handle *h, const struct sl_jsep_out *jsep,
                    struct api_out *out) SL_ON_CONTROL;
/* Takes jsep of a request. False after having answered with an error. @in is for the plugin. */
bool api_jsep_take(struct api_req *r, struct sl_arena *a, struct sl_jsep_in *in) SL_ON_CONTROL;

void api_trickles_replay(struct sl_handle *h) SL_ON_CONTROL;
void api_trickles_clear(struct sl_handle *h) SL_ON_CONTROL;

struct api_msg *api_msg_get(struct sl_api *api, const struct sl_msg *m) SL_ON_CONTROL;
void api_msg_ack(struct api_msg *m, const char *hint) SL_ON_CONTROL;
void api_msg_end(struct api_msg *m) SL_ON_CONTROL; /* frees; an offer it brought is dropped */

/* For struct sl_core. */
void api_plugin_reply(struct sl_api *api, struct sl_msg *m, json_t *data) SL_ON_CONTROL;
int api_plugin_event(struct sl_api *api, sl_hid hid, struct sl_msg *m, json_t *data,
                     const struct sl_jsep_out *jsep) SL_ON_CONTROL;

#endif
