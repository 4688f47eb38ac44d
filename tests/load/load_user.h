/*
 * load_user.h - a participant: a WebSocket, a session, and a handle and a peer connection for each
 * of publishing and subscribing, as a browser has them. Or a peer of the bare forwarder.
 *
 * Spec:   the session protocol and VideoRoom (docs/)
 * Thread: the loop's.  Owner: struct load_run.
 */
#ifndef TESTS_LOAD_USER_H
#define TESTS_LOAD_USER_H

#include "load_peer.h"
#include "load_ws.h"

#define LOAD_FEED(index) (1000u + (unsigned int)(index)) /* id of the publisher @index */

/* The same for all users of a run. */
struct load_user_conf {
    struct load_peer_conf peer;
    struct load_tx_conf tx;
    struct sl_addr server; /* of its WebSocket; of its UDP socket (floor) */
    bool is_floor;
    unsigned int publishers; /* of a room */
    unsigned int loudest;    /* whose audio it forwards; 0: all */
    bool simulcast;
    enum sl_srtp_profile profile; /* of the floor */
};

enum load_step {
    LOAD_IDLE,
    LOAD_ATTACHING,
    LOAD_CREATING, /* the room */
    LOAD_JOINING,
    LOAD_NEGOTIATING,
    LOAD_NEGOTIATED,
};

struct load_side {
    enum load_step step;
    uint64_t handle;
    struct load_peer *peer; /* NULL before it is needed */
    bool up;                /* the server said webrtcup */
};

struct load_who {
    size_t index;      /* of all users of the run */
    unsigned int room; /* 0 .. */
    bool publishes;
    bool creates; /* the room, before it joins */
};

struct load_user {
    /* Given, outlive us. */
    const struct load_user_conf *conf;
    struct load_tally *tally;
    /* Owned. */
    struct load_who who;
    struct load_ws *ws;
    uint64_t session; /* 0: not yet */
    struct load_side pub, sub;
    size_t first_feed, nfeeds; /* wants these publishers, itself left out */
    uint64_t started_us;       /* signalling began */
    uint64_t keepalive_us;
    bool failed; /* and the reason was printed */
    bool left;   /* the server has let it go */
};

int load_user_create(const struct load_user_conf *conf, struct load_tally *tally,
                     const struct load_who *who, struct load_user **out) SL_ON_WORKER;
void load_user_destroy(struct load_user *u) SL_ON_WORKER;

/* Subscribes to @n publishers from index @first on, as soon as there is a session. Once. */
void load_user_subscribe(struct load_user *u, size_t first, size_t n) SL_ON_WORKER;
/* Asks the server to end the session: look at @left, or do not wait. */
void load_user_leave(struct load_user *u) SL_ON_WORKER;

/* Every few milliseconds. */
void load_user_turn(struct load_user *u, uint64_t now_us) SL_ON_WORKER;

/* What it sends is up; what it receives is up (DTLS done, as far as it does so). */
bool load_user_has_session(const struct load_user *u);
bool load_user_is_publishing(const struct load_user *u);
bool load_user_is_connected(const struct load_user *u);
/* The peer connection that receives; NULL: none yet. */
struct load_peer *load_user_receiver(const struct load_user *u);
/* The one that sends; NULL: none yet. */
struct load_peer *load_user_sender(const struct load_user *u);

#endif
