#include "media/media_rr.h"

#include <errno.h>
#include <string.h>

void sl_rr_init(struct sl_rr *r, uint32_t clock_rate)
{
    memset(r, 0, sizeof(*r));
    r->clock_rate = clock_rate;
}

/* RFC 3550 appendix A.8. */
static void measure_jitter(struct sl_rr *r, uint32_t ts, uint64_t now_us)
{
    uint64_t arrival =
        now_us / 1000000 * r->clock_rate + now_us % 1000000 * r->clock_rate / 1000000;
    uint32_t transit = (uint32_t)arrival - ts;
    uint32_t d = transit - (uint32_t)r->transit;

    r->transit = transit;
    if (!r->started)
        return;
    d = d > UINT32_MAX / 2 ? 0 - d : d;
    if (d > 10 * r->clock_rate)
        return; /* the timestamps were restarted: not jitter */
    r->jitter16 += d - ((r->jitter16 + 8) >> 4);
}

void sl_rr_on_packet(struct sl_rr *r, uint64_t seq, uint32_t ts, uint64_t now_us)
{
    if (!r->started || ts != r->last_ts) /* one measurement per frame: its packets share a ts */
        measure_jitter(r, ts, now_us);
    if (!r->started) {
        r->started = true;
        r->base = r->max = seq;
        r->origin = seq & ~UINT64_C(0xffff);
    }
    r->last_ts = ts;
    r->received++;
    if (seq > r->max)
        r->max = seq;
    if (seq < r->base)
        r->base = seq;
}

int64_t sl_rr_lost(const struct sl_rr *r)
{
    return r->started ? (int64_t)(r->max - r->base + 1 - r->received) : 0;
}

uint32_t sl_rr_jitter_us(const struct sl_rr *r)
{
    return (uint32_t)((uint64_t)(r->jitter16 >> 4) * 1000000 / r->clock_rate);
}

/* RFC 3550 appendix A.3. */
int sl_rr_report(struct sl_rr *r, uint32_t ssrc, uint32_t lsr, uint64_t lsr_us, uint64_t now_us,
                 struct sl_rtcp_rb *out)
{
    uint64_t expected, expected_now, received_now;
    int64_t lost, lost_now;
    struct sl_rtcp_rb rb = { .ssrc = ssrc };

    if (!r->started)
        return -EAGAIN;
    expected = r->max - r->base + 1;
    lost = (int64_t)(expected - r->received);
    expected_now = expected - r->expected_prior;
    received_now = r->received - r->received_prior;
    lost_now = (int64_t)(expected_now - received_now);
    r->expected_prior = expected;
    r->received_prior = r->received;
    if (expected_now && lost_now > 0) {
        uint64_t f = ((uint64_t)lost_now << 8) / expected_now;

        rb.fraction = f > 255 ? 255 : (uint8_t)f;
    }
    rb.lost = lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : (int32_t)lost;
    rb.ext_seq = (uint32_t)(r->max - r->origin);
    rb.jitter = r->jitter16 >> 4;
    if (lsr && now_us >= lsr_us) {
        uint64_t d = (now_us - lsr_us) * 65536 / 1000000;

        rb.lsr = lsr;
        rb.dlsr = d > UINT32_MAX ? UINT32_MAX : (uint32_t)d;
    }
    *out = rb;
    return 0;
}
