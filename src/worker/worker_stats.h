/*
 * worker_stats.h - what a worker did, for administrators and metrics.
 *
 * Thread: the worker counts and publishes a copy once a second; anybody reads the copy.
 * Counters grow from the worker's start on; `recent` is of the last 10 to 20 seconds.
 */
#ifndef SL_WORKER_STATS_H
#define SL_WORKER_STATS_H

#include "base/hist.h"
#include "ice/ice.h"
#include "media/media_ctx.h"
#include "net/net_udp.h"

struct sl_worker;

struct sl_worker_stats {
    uint64_t cpu_us;                    /* of its thread */
    uint64_t turns;                     /* of its loop */
    uint64_t rx_datagrams, rx_messages; /* a message may hold a train of them */
    struct sl_txq_stats tx;
    uint64_t padded_packets, padded_bytes; /* made equal in size to their neighbours */
    uint64_t ring_out, ring_in;            /* packets to and from other workers */
    uint64_t wakes;                        /* of other workers, a system call each */
    uint64_t drops[SL_DROP_MAX];
    uint32_t shed_step,
        shed_videos; /* of SL_SHED_STEPS; videos with fewer layers for want of time */
    uint32_t paths[SL_ICE_PATH_KINDS]; /* peer connections by the kind that they have now */
    /* Microseconds from the kernel's receive timestamp of a packet until the kernel took it again,
     * one value per subscriber. */
    struct sl_hist latency, recent;
};

/* The copy of the last second. Any thread. */
void sl_worker_stats_get(struct sl_worker *w, struct sl_worker_stats *out);

#endif
