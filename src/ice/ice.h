/*
 * ice.h - what both ICE back ends have in common (RFC 8445; one stream, one component).
 *
 * ice_lite (ice_lite.h): runs on the worker, on the worker's own sockets; answers checks only.
 * ice_nice (ice_nice.h): a libnice agent per peer connection, all in the one ICE thread, which
 * posts selected paths, states and datagrams to whoever owns the peer connection.
 *
 * The peer (src/peer/) sees only struct sl_ice_path: where its datagrams go. Which back end made it
 * does not matter to it.
 */
#ifndef SL_ICE_H
#define SL_ICE_H

#include "base/id.h"
#include "net/net_addr.h"

struct sl_tcp;
struct sl_udp;

#define SL_ICE_UFRAG_MAX 256 /* RFC 8839 section 5.4 */
#define SL_ICE_PWD_MAX   256
#define SL_ICE_CAND_MAX  512 /* characters of one candidate line */

struct sl_ice_creds {
    char ufrag[SL_ICE_UFRAG_MAX + 1];
    char pwd[SL_ICE_PWD_MAX + 1];
};

/* A ufrag of 8 random characters (globally unique in practice: lite finds the peer by it) behind
 * one that names @worker (below 64), so that a TCP connection finds there; a pwd of 24. */
void sl_ice_creds_make(unsigned int worker, struct sl_ice_creds *out);
/* The worker of a ufrag of ours, which may be nobody's; -EBADMSG: it cannot be ours. */
int sl_ice_ufrag_worker(const char *ufrag, size_t len);

enum sl_ice_state {
    SL_ICE_NEW,
    SL_ICE_CONNECTING,   /* first check seen or sent */
    SL_ICE_CONNECTED,    /* a pair is selected */
    SL_ICE_DISCONNECTED, /* consent expired (RFC 7675): stop sending, wait for a restart */
    SL_ICE_FAILED,       /* never connected and no more hope */
};

enum sl_ice_path_kind {
    SL_ICE_PATH_NONE,
    SL_ICE_PATH_DIRECT, /* send datagrams on fd to remote */
    SL_ICE_PATH_TCP,    /* send frames on tcp */
    SL_ICE_PATH_AGENT,  /* relayed: by way of the ICE thread (sl_nice_send, cb.data) */
    SL_ICE_PATH_KINDS
};

struct sl_ice_path {
    enum sl_ice_path_kind kind;
    int fd;                /* DIRECT. lite: the worker's socket, borrowed. nice: that of udp */
    struct sl_udp *udp;    /* DIRECT, nice: our socket beside libnice's (sl_udp_open_beside). Owned
                            * by whoever received the path; all but STUN arrives there. NULL, and
                            * fd -1: the one of the path before, another remote */
    struct sl_tcp *tcp;    /* TCP (lite): the worker's, borrowed */
    struct sl_addr remote; /* DIRECT, TCP */
    struct sl_addr local;  /* source address to use (IP_PKTINFO); family 0: let the kernel choose */
    /* Full ICE, for information: of all kinds but NONE. */
    const char *local_type, *remote_type; /* "host", "srflx", "prflx", "relay"; NULL: lite */
    struct sl_addr local_candidate;       /* the remote one is `remote`, if it has a family */
};

/* One candidate-attribute line (RFC 8839 section 5.1), "candidate:" in front. */
struct sl_ice_candidate {
    char foundation[33];
    unsigned int component;
    bool is_udp;
    uint32_t priority;
    char address[256]; /* IP address, or a name (mDNS: ends in .local) */
    uint16_t port;
    char type[8]; /* host srflx prflx relay */
};
/* With or without "candidate:" or "a=candidate:". 0 or -EBADMSG. */
int sl_ice_candidate_parse(const char *text, struct sl_ice_candidate *out);
/* A host candidate of ours, UDP or passive TCP; @index counts the candidates of both (foundation,
 * and priority: RFC 8445 section 5.1.2, RFC 6544 section 4.2; any TCP one is below any UDP one). */
int sl_ice_candidate_write_host(const struct sl_addr *addr, bool is_udp, unsigned int index,
                                char *out, size_t cap);

#endif
