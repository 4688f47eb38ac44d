/*
 * bwe_probe.h - short bursts of more than is needed, which show how much the path carries.
 *
 * A cluster is everything that is sent within SL_PROBE_US or less: the media that comes along, and
 * as much padding as makes the rate. How fast it arrives is what the path carries, or more than was
 * sent.
 *
 * Thread: the owner's; pure.  Owner: struct sl_bwe, embedded.
 * Units:  bytes, bits per second, microseconds.
 */
#ifndef SL_BWE_PROBE_H
#define SL_BWE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#define SL_PROBE_US       UINT64_C(50000)
#define SL_PROBE_MIN_US   UINT64_C(30000)
#define SL_PROBE_QUEUE_US UINT64_C(25000)

struct sl_probe {
    uint8_t cluster; /* of the running or the last probe; 0: there was none */
    bool running;    /* sending */
    bool awaited;    /* sent, results are to come */
    double rate_bps;
    uint64_t begin_us, end_us;
    uint64_t sent; /* bytes, media included */
    uint32_t packets;

    /* Results. */
    uint32_t arrived, lost;
    uint64_t bytes, first_bytes, last_bytes; /* all; first packet; last burst */
    uint64_t first_send_us, last_send_us;
    int64_t first_arrival_us, last_arrival_us;
};

/* Begins a cluster, so short that a path that carries @known_bps queues it for SL_PROBE_QUEUE_US at
 * most, if that can be. */
void sl_probe_begin(struct sl_probe *p, double rate_bps, double known_bps, uint64_t now_us);
/* What goes out now belongs to the cluster that this names; 0: none. */
uint8_t sl_probe_on_sent(struct sl_probe *p, uint32_t bytes, uint64_t now_us);
/* Bytes of padding that are to be sent now. Ask every few milliseconds. */
uint32_t sl_probe_bytes(struct sl_probe *p, uint64_t now_us);
/* Was lost, or arrived. */
void sl_probe_on_lost(struct sl_probe *p, uint8_t cluster);
void sl_probe_on_arrived(struct sl_probe *p, uint8_t cluster, uint32_t bytes, uint64_t send_us,
                         int64_t arrival_us);

/* Everything of it was reported: true, once. @carried_bps: what the path carries at least, 0: the
 * result is of no use; @full: it carries no more. */
bool sl_probe_result(struct sl_probe *p, double *carried_bps, bool *full);

#endif
