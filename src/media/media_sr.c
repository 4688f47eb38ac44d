#include "media/media_sr.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

#define FIT_US     50000 /* a report farther from the line is doubted */
#define SMOOTH     4     /* 1/4 of the error is taken over: jitter of encoders goes, drift stays */
#define ELAPSED_US 10000000 /* more between two frames: not the same clock */

void sl_sr_src_init(struct sl_sr_src *s, uint32_t clock_rate)
{
    *s = (struct sl_sr_src){ .clock_rate = clock_rate };
}

static int64_t us_of(const struct sl_sr_src *s, int64_t ticks)
{
    int64_t rate = s->clock_rate;

    return ticks / rate * 1000000 + ticks % rate * 1000000 / rate;
}

static bool fits(int64_t error_us)
{
    return error_us <= FIT_US && error_us >= -FIT_US;
}

int sl_sr_src_on_sr(struct sl_sr_src *s, const struct sl_rtcp_sr *sr, uint64_t ts, uint64_t now_us)
{
    int64_t ntp_us = (int64_t)sl_us_from_ntp(sr->ntp), line, error;
    bool fresh = !s->valid;

    s->lsr = sl_ntp_mid(sr->ntp);
    s->lsr_us = now_us;
    if (sr->ntp == 0) { /* RFC 3550 section 6.4.1: the sender has no clock */
        s->lsr = 0;
        s->refused++;
        return -EINVAL;
    }
    if (s->valid) {
        line = s->ntp_us0 + us_of(s, (int64_t)(ts - s->ts0));
        error = ntp_us - line;
        if (fits(error)) {
            s->ntp_us0 = line + error / SMOOTH;
        } else if (s->doubt &&
                   fits(ntp_us - s->doubt_ntp_us - us_of(s, (int64_t)(ts - s->doubt_ts)))) {
            fresh = true; /* the publisher's clock was set */
        } else {
            s->doubt = true;
            s->doubt_ts = ts;
            s->doubt_ntp_us = ntp_us;
            s->refused++;
            return -EINVAL;
        }
    }
    if (fresh)
        s->ntp_us0 = ntp_us;
    s->ts0 = ts;
    s->valid = true;
    s->doubt = false;
    return 0;
}

int sl_sr_src_capture_us(const struct sl_sr_src *s, uint64_t ts, int64_t *ntp_us)
{
    if (!s->valid)
        return -EAGAIN;
    *ntp_us = s->ntp_us0 + us_of(s, (int64_t)(ts - s->ts0));
    return 0;
}

void sl_sr_make_local(uint32_t clock_rate, uint64_t out_ts, uint64_t out_us, uint64_t wall_ntp,
                      uint64_t now_us, uint64_t *ntp, uint32_t *rtp_ts)
{
    uint64_t us = now_us > out_us ? now_us - out_us : 0;

    *ntp = wall_ntp;
    *rtp_ts = (uint32_t)(out_ts + us / 1000000 * clock_rate + us % 1000000 * clock_rate / 1000000);
}

void sl_sr_sent_add(struct sl_sr_sent *t, uint64_t ntp, uint64_t now_us)
{
    t->mid[t->next] = sl_ntp_mid(ntp);
    t->at_us[t->next] = now_us;
    t->next = (uint8_t)((t->next + 1) % SL_SR_SENT);
}

int sl_sr_sent_rtt(const struct sl_sr_sent *t, const struct sl_rtcp_rb *rb, uint64_t now_us,
                   uint64_t *rtt_us)
{
    if (rb->lsr == 0)
        return -ENOENT;
    for (unsigned i = 0; i < SL_SR_SENT; i++) {
        uint64_t held = (uint64_t)rb->dlsr * 1000000 / 65536, since;

        if (t->mid[i] != rb->lsr)
            continue;
        since = now_us - t->at_us[i];
        if (now_us < t->at_us[i] || held > since + FIT_US || since > held + ELAPSED_US)
            return -ERANGE;
        *rtt_us = held < since ? since - held : 0; /* their clock may run a little faster */
        return 0;
    }
    return -ENOENT;
}
