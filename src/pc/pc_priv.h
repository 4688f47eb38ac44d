/*
 * pc_priv.h - what pc.c, pc_route.c and pc_world.c share.
 */
#ifndef SL_PC_PRIV_H
#define SL_PC_PRIV_H

#include "pc/pc_ep.h"
#include "pc/pc.h"
#include "pc/pc_place.h"
#include "pc/pc_world.h"
#include "ice/ice.h"
#include "net/net_pcap.h"
#include "peer/peer_info.h"
#include "sctp/sctp.h"
#include "sdp/sdp_jsep.h"
#include "worker/worker.h"

#define SL_PC_ADDRS_MAX 16
#define SL_PC_CANDS_MAX 64 /* of one side */

/* Ids of the endpoints on one worker. */
struct sl_pc_slots {
    struct sl_pc_slot {
        struct sl_pc *pc;      /* or ... */
        struct sl_ep *ep;      /* ... another kind; both NULL: it ended */
        struct sl_wmsg *close; /* made beforehand: its end must not fail */
        struct sl_home *home;  /* of its group; NULL: none */
    } * slot;
    uint32_t *gen;
    uint32_t *free; /* stack of free slots */
    uint32_t n, nfree;
    uint32_t live;
    uint32_t fresh; /* taken since the worker's load was measured */
    unsigned int load_told;
};

struct sl_pc_world {
    struct sl_cq *cq;
    struct sl_cert *cert;
    struct sl_nice *nice; /* NULL: lite */
    struct sl_sctp *sctp;
    bool keep_sdps;
    struct sl_worker **workers;
    struct sl_pc_slots *slots;
    struct sl_homes homes;
    unsigned int nworkers;
    int64_t npeers, max_peers;                 /* peer connections */
    struct sl_addr announced[SL_PC_ADDRS_MAX]; /* lite: what candidates name, port of worker 0 */
    size_t nannounced;
    uint16_t tcp_port; /* lite: announced beside UDP; 0: none */
    char address[SL_ADDR_TEXT_MAX];
    struct sl_addr bound; /* the one address that media is bound to; without family: all */
    uint32_t next_port;   /* of remote publishers, as a distance from the first */
};

/* Texts that come one by one: candidates. */
struct sl_pc_texts {
    char **text; /* NULL: none yet */
    size_t n;
};
int sl_pc_texts_add(struct sl_pc_texts *t, const char *text); /* 0, -ENOMEM, -ENOSPC */
void sl_pc_texts_clear(struct sl_pc_texts *t);

/* Where an m-line of ours gets its media from, kept so that it survives renegotiations. */
struct sl_pc_route {
    bool is_set;
    bool paused;
    sl_id from;
    uint16_t from_mindex;
    uint8_t nlayers;
    bool svc;
    struct sl_layer_wish wish;
};

/* The association of a peer connection, as control sees it. */
struct sl_pc_data {
    bool is_agreed; /* a data m-line stands */
    bool is_open;    /* the SCTP thread knows it */
    bool is_down;    /* it ended, and is not begun again while its m-line stands */
    bool is_closing; /* by us; nothing may begin before it is down */
    uint16_t port;  /* the peer's */
    uint64_t message_max;
    size_t waiting; /* charge of what was sent and has not left yet */
    bool is_full;   /* data_writable is owed */
    bool is_paused;
    size_t consumed; /* charge not yet given back */
    struct sl_pc_data_count count;
};

struct sl_pc {
    struct sl_pc_world *world;
    struct sl_pc_cb cb;
    void *arg;
    sl_id id;
    struct sl_jsep *jsep;

    bool is_open; /* the worker knows it */
    bool is_up, is_down, is_e2ee;

    /* Our side of ICE. */
    struct sl_ice_creds local;
    bool has_creds;
    bool gathered;
    struct sl_pc_texts local_cands; /* full ICE */

    /* The peer's side, as of the open or last round. */
    bool remote_told; /* the worker knows it */
    bool restart;     /* this round restarts ICE */
    struct sl_ice_creds remote;
    struct sl_fingerprint fingerprint;
    struct sl_pc_texts remote_cands; /* wait for the round to end */
    bool remote_end;
    char transport_mid[SL_MID_MAX + 1];

    /* Our description that waits for ICE. */
    sl_pc_local_fn done;
    void *done_arg;
    char *session_name;
    struct sl_timer gather_timer;

    char (*svc)[16]; /* scalability modes by m-line */
    size_t nsvc;
    struct sl_pc_route *routes; /* by our m-line */
    size_t nroutes;
    struct sl_pc_data data;

    /* For the administrator. */
    uint64_t created_us, opened_us, gathered_us;
    bool is_client_offer; /* the first offer was the client's */
    struct sl_pc_told {
        char *local, *remote;        /* the last descriptions; NULL: none, or not kept */
        struct sl_pc_texts trickled; /* by the client */
        struct sl_list waits;        /* for the worker's part */
        struct sl_pcap *capture;     /* waits until the worker knows us */
    } told;
};

/* pc_world.c */
int sl_pc_world_add(struct sl_pc_world *w, struct sl_pc *pc, uint64_t group) SL_ON_CONTROL;
/* On the worker of @near, unless that is SL_ID_NONE. */
int sl_pc_world_add_ep(struct sl_pc_world *w, struct sl_ep *ep, sl_id near, uint64_t group,
                       sl_id *id) SL_ON_CONTROL;
/* Closes it at the worker; the id is dead from now on. */
void sl_pc_world_del(struct sl_pc_world *w, sl_id id) SL_ON_CONTROL;
/* One that the worker never heard of. */
void sl_pc_world_forget(struct sl_pc_world *w, sl_id id) SL_ON_CONTROL;
struct sl_pc *sl_pc_world_find(const struct sl_pc_world *w, sl_id id) SL_ON_CONTROL;
void sl_pc_world_post(struct sl_pc_world *w, struct sl_wmsg *m) SL_ON_CONTROL;

/* pc.c: what the world tells a peer connection */
void sl_pc_on_report(struct sl_pc *pc, const struct sl_report *r) SL_ON_CONTROL;
void sl_pc_on_creds(struct sl_pc *pc, const struct sl_ice_creds *creds) SL_ON_CONTROL;
void sl_pc_on_candidate(struct sl_pc *pc, const char *text) SL_ON_CONTROL; /* NULL: complete */

/* pc_info.c: also sl_pc_stats_ask */
void sl_pc_told_sdp(struct sl_pc *pc, char **where, const char *sdp, size_t len);
void sl_pc_told_candidate(struct sl_pc *pc, const char *text);
void sl_pc_told_open(struct sl_pc *pc) SL_ON_CONTROL; /* the worker knows it from now on */
void sl_pc_told_fini(struct sl_pc *pc) SL_ON_CONTROL;
void sl_pc_on_info(struct sl_pc *pc, const struct sl_report *r) SL_ON_CONTROL;

/* pc_data.c */
int sl_pc_data_start(struct sl_pc_world *w, size_t mtu) SL_ON_CONTROL; /* w->sctp */
/* After a round, and when DTLS is up: opens or closes the association. */
void sl_pc_data_agree(struct sl_pc *pc, const struct sl_media *media) SL_ON_CONTROL;
void sl_pc_data_up(struct sl_pc *pc) SL_ON_CONTROL;
void sl_pc_data_fini(struct sl_pc *pc) SL_ON_CONTROL;

/* pc_ep.c */
void sl_ep_on_report(struct sl_ep *ep, const struct sl_report *r) SL_ON_CONTROL;

/* pc_route.c: all routes again, after the worker got other m-lines. 0 or -ENOMEM */
int sl_pc_routes_apply(struct sl_pc *pc) SL_ON_CONTROL;

#endif
