/*
 * ice_nice_priv.h - what the files of full ICE share: the thread (ice_nice.c), the servers' names
 * (ice_nice_dns.c) and one peer connection's agent (ice_nice_agent.c).
 *
 * Thread: ICE. Nobody else looks into these structs, but for the mailbox and the counters.
 */
#ifndef SL_ICE_NICE_PRIV_H
#define SL_ICE_NICE_PRIV_H

#include "base/hmap.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "base/timer.h"
#include "ice/ice_nice.h"
#include <gio/gio.h>
#include <inttypes.h>
#include <nice/agent.h>
#include <pthread.h>
#include <stdatomic.h>

#define NICE_REMOTE_MAX 64 /* remote candidates that are kept or taken per peer and generation */

/* A STUN or TURN server: its name as configured and the address it has. */
struct nice_server {
    struct sl_nice *nice;
    char *host; /* NULL: not configured */
    uint16_t port;
    bool is_tcp;
    bool is_name; /* looked up again now and then */
    bool is_asking;
    char ip[64]; /* empty: not known (yet) */
};

struct sl_nice {
    /* Given. */
    const struct sl_nice_cb *cb;
    void *arg;
    /* Configuration, copied. */
    struct nice_server stun, turn;
    char *turn_user, *turn_password;
    uint16_t port_low, port_high;
    struct sl_addr *bind;
    size_t nbind;
    struct sl_addr *public_ip;
    size_t npublic;
    /* The thread. */
    pthread_t thread;
    bool has_thread;
    int epfd; /* of the door and of all loops */
    struct sl_wheel wheel;
    struct sl_list dead;    /* loops, until the end of the turn */
    struct sl_list changed; /* loops that have to look again what they wait for */
    struct nice_loop *main; /* of look-ups, tasks and our own timers */
    GCancellable *cancel;   /* of name look-ups */
    guint asking;           /* first look-ups under way: commands wait */
    atomic_bool ends;
    struct sl_door door;
    struct sl_mailbox box;
    struct sl_hmap pcs;
    guint nclosing; /* agents that say goodbye to their TURN server */
    /* Any thread. */
    atomic_uint sends_waiting;
    atomic_ullong drops;
    atomic_ullong refused; /* take-overs */
};

/*
 * A GMainContext of its own for each agent: an iteration costs time in proportion to the sources of
 * its context (0.2 ms at 100 agents in one), and so the whole would grow with the square of the
 * agents. We sleep in an epoll of all of them and iterate those for which something came.
 */
struct nice_loop {
    struct sl_nice *nice;
    GMainContext *ctx;
    int epfd; /* of its descriptors; stands in that of all */
    struct sl_timer timer;
    struct sl_list node;    /* nice->dead */
    struct sl_list changed; /* nice->changed */
    bool is_dead;
    bool is_calm;       /* only consent is left to do: its timers need not be exact */
    GPollFD *fds, *old; /* [cap]; old: [nold], those that are watched */
    gint cap, nold;
    gint priority; /* of what is ready, between prepare and check */
};

struct nice_pc {
    struct sl_hnode node; /* by id */
    sl_id id;
    struct sl_nice *nice;
    struct nice_loop *loop;
    NiceAgent *agent;
    guint stream;
    enum sl_ice_state state;
    bool was_connected;
    bool is_gathered;   /* all local candidates are there */
    bool is_restarting; /* ours restarted, the peer's new credentials are awaited */
    bool has_path;
    struct sl_addr taken; /* libnice's socket beside which the worker has one; no family: none */
    /* The peer's side. */
    bool has_remote;
    bool remote_done; /* end of candidates */
    struct sl_ice_creds remote;
    struct sl_ice_candidate *pending; /* candidates that came before credentials, NICE_REMOTE_MAX */
    unsigned int npending;
    unsigned int nremote; /* taken in this generation */
};

/* ---- ice_nice_loop.c ---- */
/* Before the thread begins, in it, or after its end. 0 or -errno. The calling thread owns the
 * context from here on; for GLib, but with OWNERLESS_POLLING, what its owner adds needs no wake-up
 * (a write, and a turn for nothing): see nice_loop_changed. */
int nice_loop_create(struct sl_nice *n, GMainContextFlags flags, struct nice_loop **out);
void nice_loop_free(struct nice_loop *l);          /* NULL is fine */
void nice_loop_end(struct nice_loop *l) SL_ON_ICE; /* frees it at the end of this turn */
/* Something was done with the context from outside of it, so sources may have come or gone. */
void nice_loop_changed(struct nice_loop *l) SL_ON_ICE;
/* Sleeps until something comes, but for @is_busy, and runs what it is for. */
void nice_loops_turn(struct sl_nice *n, bool is_busy) SL_ON_ICE;

/* ---- ice_nice_agent.c ---- */
int nice_pc_create(struct sl_nice *n, sl_id id, bool controlling, struct nice_pc **out) SL_ON_ICE;
void nice_pc_destroy(struct nice_pc *pc) SL_ON_ICE; /* the agent ends later, see nclosing */
void nice_pc_gather(struct nice_pc *pc) SL_ON_ICE;
void nice_pc_remote(struct nice_pc *pc, const struct sl_ice_creds *creds) SL_ON_ICE;
void nice_pc_candidate(struct nice_pc *pc, const char *text) SL_ON_ICE; /* NULL: no more */
void nice_pc_restart(struct nice_pc *pc) SL_ON_ICE;
void nice_pc_send(struct nice_pc *pc, const uint8_t *data, size_t len) SL_ON_ICE;

/* ---- ice_nice_dns.c ---- */
/* "host", "host:port", "[v6]:port", each with "?transport=tcp" (or udp) behind. 0, -EINVAL,
 * -ENOMEM. */
int nice_server_init(struct nice_server *s, struct sl_nice *n, const char *text);
void nice_server_fini(struct nice_server *s);
void nice_server_ask(struct nice_server *s) SL_ON_ICE; /* looks its name up, if it is one */

#endif
