#include "sim_link.h"

#include <string.h>

double sim_random(uint32_t *state)
{
    uint32_t x = *state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x / 4294967296.0;
}

void sim_link_init(struct sim_link *l, const struct sim_link_conf *conf, uint32_t seed)
{
    memset(l, 0, sizeof(*l));
    l->conf = *conf;
    l->random = seed * 2654435761u + 1;
    for (int i = 0; i < 8; i++)
        (void)sim_random(&l->random);
}

static bool is_lost(struct sim_link *l)
{
    if (l->burst_left) {
        l->burst_left--;
        return true;
    }
    if (l->conf.burst > 0 && sim_random(&l->random) < l->conf.burst)
        l->burst_left = (unsigned int)(2 * l->conf.burst_length * sim_random(&l->random));
    return l->conf.loss > 0 && sim_random(&l->random) < l->conf.loss;
}

static void gone(struct sim_link *l, const struct sim_packet *p, uint64_t *count)
{
    (*count)++;
    if (l->on_gone)
        l->on_gone(p->data);
}

static void put_on_way(struct sim_link *l, struct sim_packet *p, uint64_t left_us)
{
    size_t i = l->nway;

    p->at_us = left_us + l->conf.delay_us;
    p->at_us += (uint64_t)((double)l->conf.jitter_us * sim_random(&l->random));
    if (p->at_us < l->last_us)
        p->at_us = l->last_us;
    l->last_us = p->at_us;
    if (is_lost(l)) {
        gone(l, p, &l->lost);
        return;
    }
    if (l->nway == SIM_LINK_MAX) {
        gone(l, p, &l->dropped);
        return;
    }
    if (l->conf.reorder > 0 && sim_random(&l->random) < l->conf.reorder)
        p->at_us += l->conf.reorder_us;
    for (; i > 0 && l->way[i - 1].at_us > p->at_us; i--)
        l->way[i] = l->way[i - 1];
    l->way[i] = *p;
    l->nway++;
}

static void run(struct sim_link *l, uint64_t now_us)
{
    while (l->nqueue) {
        struct sim_packet p = l->queue[l->head];
        uint64_t done_us = l->head_us + (uint64_t)(l->head_bits * 1e6 / l->conf.bps);

        if (done_us > now_us)
            return;
        l->queued_bits -= 8.0 * p.bytes;
        l->head = (l->head + 1) % SIM_LINK_MAX;
        l->nqueue--;
        l->head_us = done_us;
        l->head_bits = l->nqueue ? 8.0 * l->queue[l->head].bytes : 0;
        p.queued_us = done_us - p.sent_us - (uint64_t)(8e6 * p.bytes / l->conf.bps);
        if (p.queued_us > done_us) /* the capacity changed meanwhile */
            p.queued_us = 0;
        put_on_way(l, &p, done_us);
    }
}

void sim_link_set(struct sim_link *l, const struct sim_link_conf *conf, uint64_t now_us)
{
    run(l, now_us);
    if (l->nqueue) {
        l->head_bits -= (double)(now_us - l->head_us) * l->conf.bps / 1e6;
        if (l->head_bits < 0)
            l->head_bits = 0;
        l->head_us = now_us;
    }
    l->conf = *conf;
}

void sim_link_set_bps(struct sim_link *l, double bps, uint64_t now_us)
{
    struct sim_link_conf conf = l->conf;

    conf.bps = bps;
    sim_link_set(l, &conf, now_us);
}

uint64_t sim_link_next_us(const struct sim_link *l)
{
    uint64_t out = l->nway ? l->way[0].at_us : UINT64_MAX;
    uint64_t done_us = l->head_us + (uint64_t)(l->head_bits * 1e6 / l->conf.bps);

    return l->nqueue && done_us < out ? done_us : out;
}

uint64_t sim_link_queue_us(struct sim_link *l, uint64_t now_us)
{
    double bits;

    run(l, now_us);
    if (!l->nqueue)
        return 0;
    bits = l->queued_bits - 8.0 * l->queue[l->head].bytes + l->head_bits -
           (double)(now_us - l->head_us) * l->conf.bps / 1e6;
    return bits > 0 ? (uint64_t)(bits * 1e6 / l->conf.bps) : 0;
}

void sim_link_send(struct sim_link *l, const struct sim_packet *p, uint64_t now_us)
{
    struct sim_packet *q;

    if (sim_link_queue_us(l, now_us) > l->conf.queue_us || l->nqueue == SIM_LINK_MAX) {
        gone(l, p, &l->dropped);
        return;
    }
    q = &l->queue[(l->head + l->nqueue) % SIM_LINK_MAX];
    *q = *p;
    q->sent_us = now_us;
    if (l->nqueue++ == 0) {
        l->head_us = now_us;
        l->head_bits = 8.0 * p->bytes;
    }
    l->queued_bits += 8.0 * p->bytes;
}

bool sim_link_take(struct sim_link *l, uint64_t now_us, struct sim_packet *out)
{
    run(l, now_us);
    if (!l->nway || l->way[0].at_us > now_us)
        return false;
    *out = l->way[0];
    memmove(l->way, l->way + 1, --l->nway * sizeof(l->way[0]));
    return true;
}
