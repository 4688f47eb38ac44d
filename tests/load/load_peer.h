/*
 * load_peer.h - the client's end of one peer connection on a UDP socket of its own: connectivity
 * checks and consent, DTLS, SRTP, what it sends and what it receives. Or a peer of the bare
 * forwarder (tests/bench/floor), which has none of the first two.
 *
 * Spec:   RFC 8445 (one pair, no gathering), RFC 7675, RFC 5764
 * Thread: the loop's.  Owner: struct load_user.
 */
#ifndef TESTS_LOAD_PEER_H
#define TESTS_LOAD_PEER_H

#include "load_data.h"
#include "load_loop.h"
#include "load_rx.h"
#include "load_tx.h"

/* The same for all peers of a run. */
struct load_peer_conf {
    struct load_loop *loop;
    const struct sl_cert *cert;
    struct load_data *data; /* NULL: no data channels */
    struct sl_addr bind;    /* port 0 */
    double loss;            /* share of received RTP that we throw away */
    struct load_rx_conf rx;
};

struct load_peer {
    struct load_io io;
    /* Given, outlive us. */
    const struct load_peer_conf *conf;
    /* Owned. */
    int fd;
    uint32_t overflows; /* SO_RXQ_OVFL as told last */
    struct load_local local;
    struct sl_ice_creds theirs;
    bool controlling;
    bool checked; /* a check was answered */
    uint32_t nchecks;
    uint64_t check_due_us;
    struct sl_dtls *dtls; /* NULL with the floor */
    sl_id data_id;        /* of the association; SL_ID_NONE: none */
    struct sl_srtp *srtp; /* NULL until connected */
    uint8_t reg[16];      /* registration at the floor; reg_len 0: a WebRTC peer */
    size_t reg_len;
    struct load_rx rx;
    struct load_tx *tx; /* NULL: sends nothing */
    uint64_t read_bps;  /* reads no faster than that; 0: no limit */
    uint64_t read_tokens, read_at_us;
    uint64_t checked_us, connected_us; /* when; 0: not yet */
    uint64_t due_us;                   /* call load_peer_turn then */
};

/* Opens the socket. 0 or -errno. */
int load_peer_create(const struct load_peer_conf *conf, struct load_tally *tally,
                     struct load_peer **out) SL_ON_WORKER;
/* With close_notify, where connected. NULL is fine. */
void load_peer_destroy(struct load_peer *p) SL_ON_WORKER;

/* Begins checks and DTLS with what the server said. */
int load_peer_start(struct load_peer *p, const struct load_remote *r,
                    bool controlling) SL_ON_WORKER;
/* Registers with the floor as peer @index. */
struct floor_reg;
int load_peer_start_floor(struct load_peer *p, const struct sl_addr *to,
                          const struct floor_reg *reg) SL_ON_WORKER;

/* A receiver with a small socket buffer that reads @bps: a capped link. */
void load_peer_cap(struct load_peer *p, uint64_t bps);

/* Sends what is due: checks, handshake, media, reports; then sets due_us anew. */
void load_peer_turn(struct load_peer *p, uint64_t now_us) SL_ON_WORKER;

#endif
