#include "bwe/bwe_probe.h"

#define PACKETS_MIN 4
#define CLUMSY      0.5 /* of the rate at which it was to be sent: nothing is learned from less */
#define CARRIED     0.88

void sl_probe_begin(struct sl_probe *p, double rate_bps, double known_bps, uint64_t now_us)
{
    double us = SL_PROBE_US, over = rate_bps / known_bps - 1;
    uint8_t cluster = p->cluster == UINT8_MAX ? 1 : (uint8_t)(p->cluster + 1);

    *p = (struct sl_probe){ .cluster = cluster, .running = true, .rate_bps = rate_bps };
    p->begin_us = now_us;
    if (over * us > SL_PROBE_QUEUE_US)
        us = SL_PROBE_QUEUE_US / over;
    p->end_us = now_us + (us > SL_PROBE_MIN_US ? (uint64_t)us : SL_PROBE_MIN_US);
}

uint8_t sl_probe_on_sent(struct sl_probe *p, uint32_t bytes, uint64_t now_us)
{
    if (!p->running && !(p->awaited && now_us == p->end_us)) /* the last burst closes it */
        return 0;
    p->sent += bytes;
    p->packets++;
    return p->cluster;
}

uint32_t sl_probe_bytes(struct sl_probe *p, uint64_t now_us)
{
    uint64_t us, due;

    if (!p->running)
        return 0;
    us = now_us - p->begin_us;
    if (us > p->end_us - p->begin_us)
        us = p->end_us - p->begin_us;
    due = (uint64_t)(p->rate_bps * (double)us / 8e6);
    if (now_us >= p->end_us) {
        p->running = false;
        p->awaited = true;
        p->end_us = now_us;
    }
    return due > p->sent ? (uint32_t)(due - p->sent) : 0;
}

void sl_probe_on_lost(struct sl_probe *p, uint8_t cluster)
{
    if (cluster && cluster == p->cluster)
        p->lost++;
}

void sl_probe_on_arrived(struct sl_probe *p, uint8_t cluster, uint32_t bytes, uint64_t send_us,
                         int64_t arrival_us)
{
    if (!cluster || cluster != p->cluster)
        return;
    if (!p->arrived || arrival_us < p->first_arrival_us) {
        p->first_arrival_us = arrival_us;
        p->first_bytes = bytes;
    }
    if (!p->arrived || arrival_us > p->last_arrival_us)
        p->last_arrival_us = arrival_us;
    if (!p->arrived || send_us < p->first_send_us)
        p->first_send_us = send_us;
    if (!p->arrived || send_us > p->last_send_us) {
        p->last_send_us = send_us;
        p->last_bytes = 0;
    }
    if (send_us == p->last_send_us)
        p->last_bytes += bytes;
    p->bytes += bytes;
    p->arrived++;
}

bool sl_probe_result(struct sl_probe *p, double *carried_bps, bool *full)
{
    double sent_bps, arrived_bps;

    if (!p->awaited || p->arrived + p->lost < p->packets)
        return false;
    p->awaited = false;
    *carried_bps = 0;
    *full = false;
    if (p->arrived < PACKETS_MIN || p->last_send_us <= p->first_send_us ||
        p->last_arrival_us <= p->first_arrival_us)
        return true;
    sent_bps =
        (double)(p->bytes - p->last_bytes) * 8e6 / (double)(p->last_send_us - p->first_send_us);
    arrived_bps = (double)(p->bytes - p->first_bytes) * 8e6 /
                  (double)(p->last_arrival_us - p->first_arrival_us);
    if (sent_bps < CLUMSY * p->rate_bps)
        return true;
    *full = arrived_bps < CARRIED * sent_bps;
    *carried_bps = arrived_bps < sent_bps ? arrived_bps : sent_bps;
    return true;
}
