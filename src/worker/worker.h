/*
 * worker.h - one of N threads that carry media: own epoll, timers, pools, UDP sockets; owns its
 * peer connections for life.
 *
 * A turn: sleep in epoll; take datagrams, messages, packets of other workers; run timers; publish
 * what is for other workers and ring their doors; encrypt and send all that was staged, now or,
 * when packets may wait for others, in a later turn.
 *
 * Life: create all, connect them, start all; stop all, destroy all (by the control thread).
 */
#ifndef SL_WORKER_H
#define SL_WORKER_H

#include "worker/worker_msg.h"
#include "worker/worker_stats.h"

#define SL_WORKERS_MAX 64

struct sl_nice;
struct sl_sctp;
struct sl_worker;

struct sl_worker_conf {
    unsigned int index;         /* 0 .. nworkers - 1 */
    const struct sl_addr *bind; /* UDP addresses with port; borrowed during create */
    size_t nbind;
    uint16_t tcp_port;          /* ICE-TCP on the same addresses, of worker 0; 0: none */
    const struct sl_cert *cert; /* borrowed, outlives the worker */
    struct sl_nice *nice;       /* full ICE; NULL: lite. Borrowed, outlives the thread */
    struct sl_sctp *sctp;       /* NULL: no data channels. Borrowed, outlives the thread */
    size_t mtu;
    uint32_t ice_grace_s;
    uint32_t slowlink_threshold;
    uint32_t no_media_s;
    uint64_t gop_us;         /* age of a key frame that new subscribers get at once; 0: none */
    size_t gop_bytes;        /* of the group of pictures that it begins */
    bool pin;                /* to one core, by index among those that the process may use */
    uint32_t burst_wait_us;  /* that packets may wait for more of their train; 0: not at all */
    uint64_t twcc_period_us; /* between transport-cc reports to publishers */
    bool estimates;          /* what paths carry, and layers to fit */
    unsigned int busy_limit; /* 1/1000 of a core, from which layers go down; 0: none do */
    uint32_t max_ssrcs;      /* that one peer may send; 0: as many as there is room for */
    /* Any report to control; called on the worker's thread, must only post. */
    void (*report)(void *arg, struct sl_report *r);
    void *arg;
};

/* 0 or -errno; on failure @err (size @cap) has one sentence, e.g. that a UDP port is taken. */
int sl_worker_create(const struct sl_worker_conf *conf, struct sl_worker **out, char *err,
                     size_t cap);
/* Rings between all of them. 0 or -ENOMEM. */
int sl_workers_connect(struct sl_worker *const *workers, size_t n);
int sl_worker_start(struct sl_worker *w);
/* Ends the thread after closing its peer connections (close_notify is sent). */
void sl_worker_stop(struct sl_worker *w);
/* All of them together, after all were stopped (packets may lie in each other's rings). NULL
 * members are passed over. */
void sl_workers_destroy(struct sl_worker *const *workers, size_t n);

/* Any thread. The worker owns @m from here on. */
void sl_worker_post(struct sl_worker *w, struct sl_wmsg *m);

struct sl_worker_load {
    unsigned int busy_permille; /* CPU time of the thread in the last second */
    unsigned int told;          /* how often that was measured */
};
/* Any thread. */
struct sl_worker_load sl_worker_load(const struct sl_worker *w);

#endif
