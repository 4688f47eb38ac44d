/*
 * worker_private.h - the inside of a worker, for src/worker/ only.
 */
#ifndef SL_WORKER_PRIVATE_H
#define SL_WORKER_PRIVATE_H

#include "base/door.h"
#include "base/hmap.h"
#include "base/ring.h"
#include "base/timer.h"
#include "ice/ice_lite.h"
#include "media/media_ctx.h"
#include "media/media_mirror.h"
#include "media/media_track.h"
#include "net/net_udp.h"
#include "peer/peer.h"
#include "relay/relay.h"
#include "worker/worker.h"
#include "worker/worker_drops.h"
#include "worker/worker_shed.h"
#include <pthread.h>
#include <sys/epoll.h>

/* A packet on its way to another worker. Holds one reference. NULL: what was before it is to be
 * forgotten (sl_mirror_forget). */
struct sl_ring_entry {
    sl_id pc;
    uint16_t mindex;
    struct sl_pkt *pkt;
};

#define SL_WORKER_EVENTS_MAX 32 /* of a turn */

/* Slot of the id table. */
struct sl_worker_slot {
    struct sl_endpoint *ep;
    struct sl_report *end; /* SL_REPORT_DOWN; NULL: it was told */
    uint32_t gen;
};

struct sl_worker {
    struct sl_worker_conf conf;
    pthread_t thread;
    bool started;
    bool stopping;
    bool handshakes_wait; /* the turn must not sleep */

    int epfd;
    struct epoll_event events[SL_WORKER_EVENTS_MAX]; /* of this turn */
    int nevents;
    struct sl_door door;
    struct sl_mailbox mailbox;
    struct sl_wheel wheel;
    struct sl_worker_sock {
        struct sl_watch watch;
        struct sl_worker *w;
    } socks[16];
    size_t nsocks;
    bool has_coarse_sleep;  /* the kernel knows milliseconds only */
    uint64_t hold_until_us; /* what is staged waits until then; 0: nothing is */
    struct sl_worker_tcp tcp;
    struct sl_udp_batch *batch;
    uint64_t overflows; /* of all sockets that were read */
    uint64_t overflows_seen;
    struct sl_shed shed;
    struct sl_txq *txq;

    struct sl_ice_lite *lite;
    struct sl_mctx ctx;
    struct sl_peer_env env;
    struct sl_relay_env relay_env;

    struct sl_worker_slot *slots;
    uint32_t nslots;
    struct sl_hmap mirrors; /* by publisher and m-line */

    /* All workers, by index; rings from each of them to us and back. */
    struct sl_worker *const *all;
    size_t nall;
    struct sl_ring *in;   /* [nall], consumer: us; in[i] is produced by worker i */
    uint64_t staged_mask; /* workers that we staged packets for in this turn */

    struct sl_worker_stats stats;
    struct sl_hist recent[2]; /* latency as of the last two times that `recent` began */
    uint64_t second_us;       /* when the current second began */
    unsigned int seconds;
    atomic_uint busy_permille, loads_told;
    pthread_mutex_t told_lock; /* taken once a second, and by readers */
    struct sl_worker_stats told;

    struct sl_worker_drops drops_told; /* as of the last second */
};

/* worker_loop.c */
void sl_worker_turn(struct sl_worker *w) SL_ON_WORKER;
void sl_worker_flush(void *arg); /* what is staged goes out */
void sl_worker_datagram(struct sl_watch *watch, const struct sl_udp_dgram *d);
int sl_worker_watch(void *arg, struct sl_watch *watch); /* 0 or -errno */
void sl_worker_unwatch(void *arg, struct sl_watch *watch);

/* worker_dispatch.c */
void sl_worker_dispatch(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER;
/* NULL: no such endpoint any more; sl_worker_peer: or no peer connection. */
struct sl_endpoint *sl_worker_endpoint(struct sl_worker *w, sl_id id) SL_ON_WORKER;
struct sl_peer *sl_worker_peer(struct sl_worker *w, sl_id pc) SL_ON_WORKER;
/* Tells control once that the endpoint is down; @reason: a literal. */
void sl_worker_down(struct sl_worker *w, sl_id id, const char *reason) SL_ON_WORKER;
struct sl_track *sl_worker_track(struct sl_worker *w, sl_id id, uint16_t mindex) SL_ON_WORKER;
struct sl_sink *sl_worker_sink(struct sl_worker *w, sl_id id, uint16_t mindex) SL_ON_WORKER;
void sl_worker_close_all(struct sl_worker *w) SL_ON_WORKER;

/* worker.c: what the peer connection is and did, to control. */
void sl_worker_info_report(struct sl_worker *w, sl_id id, bool for_events) SL_ON_WORKER;

/* worker_drops.c: once a second and at the end, a line when there is something to tell */
void sl_worker_drops_tell(struct sl_worker *w) SL_ON_WORKER;

/* worker_stats.c */
void sl_worker_stats_init(struct sl_worker *w) SL_ON_WORKER;
/* The kernel has the packet in @s since @now_us. */
static inline void sl_worker_stats_sent(struct sl_worker *w, const struct sl_slot *s,
                                        uint64_t now_us)
{
    if (s->rx_us)
        sl_hist_add(&w->stats.latency, now_us > s->rx_us ? now_us - s->rx_us : 0);
}
/* True when a second passed: the copy for others is new. */
bool sl_worker_stats_second(struct sl_worker *w, uint64_t now_us) SL_ON_WORKER;

/* worker_route.c: mirrors and the traffic between workers */
void sl_worker_route_add(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER;
void sl_worker_route_del(struct sl_worker *w, struct sl_sink *sink) SL_ON_WORKER;
/* After other m-lines: tracks that are new may have sinks that wait for them. */
void sl_worker_tracks_join(struct sl_worker *w, struct sl_endpoint *e) SL_ON_WORKER;
/* Once a second: cached packets that nobody may ask for any more go back to their pools. */
void sl_worker_mirrors_expire(struct sl_worker *w) SL_ON_WORKER;
/* At the end, those that were kept for other workers. */
void sl_worker_mirrors_drop(struct sl_worker *w) SL_ON_WORKER;
void sl_worker_mirror_open(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER;
void sl_worker_mirror_close(struct sl_worker *w, struct sl_wmsg *m) SL_ON_WORKER;
bool sl_worker_forward(void *arg, unsigned int to, sl_id pc, uint16_t mindex, struct sl_pkt *pkt);
void sl_worker_want(void *arg, unsigned int to, sl_id pc, uint16_t mindex, int layer);
void sl_worker_keyframe(void *arg, unsigned int to, sl_id pc, uint16_t mindex, int layer);
void sl_worker_publish(struct sl_worker *w) SL_ON_WORKER;
bool sl_worker_take_rings(struct sl_worker *w) SL_ON_WORKER;
bool sl_worker_rings_are_empty(struct sl_worker *w) SL_ON_WORKER;

#endif
