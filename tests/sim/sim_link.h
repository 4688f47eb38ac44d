/*
 * sim_link.h - a link: capacity, drop-tail queue, delay, jitter, loss at random and in bursts,
 * reordering. tests/sim has it on a virtual clock, tests/impair between network namespaces.
 *
 * Random numbers come from a seed: a run is the same each time.
 * Units: microseconds, bits per second.
 */
#ifndef SL_SIM_LINK_H
#define SL_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_LINK_MAX 8192 /* packets in the queue; likewise on the way */

struct sim_packet {
    unsigned int flow;
    uint16_t seq; /* of all of a call */
    uint32_t ssrc;
    uint16_t rtp_seq; /* of this stream */
    uint32_t bytes;
    bool is_padding;
    uint64_t sent_us;
    uint64_t queued_us; /* spent in the queue */
    uint64_t at_us;     /* when it arrives */
    void *data;         /* the sender's own, comes out with it */
};

struct sim_link_conf {
    double bps;
    uint64_t queue_us; /* what is longer in the queue than this, at @bps, does not get in */
    uint64_t delay_us;
    uint64_t jitter_us; /* more delay, evenly from 0 to this; the order stays */
    double loss;        /* of packets, at random */
    double burst,
        burst_length;    /* a burst begins with this probability, and is so many packets long */
    double reorder;      /* of packets, */
    uint64_t reorder_us; /* come so much later than those behind them */
};

struct sim_link {
    struct sim_link_conf conf;
    uint32_t random;
    struct sim_packet queue[SIM_LINK_MAX], way[SIM_LINK_MAX]; /* way: by at_us */
    size_t head, nqueue, nway;
    double queued_bits, head_bits; /* of all; of the first, still to be sent */
    uint64_t head_us;              /* since when */
    uint64_t last_us;              /* when the newest packet arrives */
    unsigned int burst_left;
    uint64_t dropped, lost;
    void (*on_gone)(void *data); /* of each packet dropped or lost; may be NULL */
};

void sim_link_init(struct sim_link *l, const struct sim_link_conf *conf, uint32_t seed);
void sim_link_set(struct sim_link *l, const struct sim_link_conf *conf, uint64_t now_us);
void sim_link_set_bps(struct sim_link *l, double bps, uint64_t now_us);
void sim_link_send(struct sim_link *l, const struct sim_packet *p, uint64_t now_us);
/* What has arrived by now, one after the other; false: no more. */
bool sim_link_take(struct sim_link *l, uint64_t now_us, struct sim_packet *out);
/* When there may be something to take; UINT64_MAX: when something was sent. */
uint64_t sim_link_next_us(const struct sim_link *l);
/* How long a packet that came now would wait. */
uint64_t sim_link_queue_us(struct sim_link *l, uint64_t now_us);

/* 0 <= x < 1. */
double sim_random(uint32_t *state);

#endif
