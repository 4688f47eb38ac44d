#include "bwe/bwe_ccfb.h"

#include "rtcp/rtcp_fb_ccfb.h"

#define REPORT_MAX 512 /* packets of one report that are looked at: an MTU has no more */

struct told {
    uint16_t number;
    bool arrived;
    int64_t arrival_us;
};

/* Neighbours of a stream never fall on one place. */
static size_t place(uint32_t ssrc, uint16_t seq)
{
    return (seq + (ssrc * UINT32_C(2654435761) >> 16)) % SL_BWE_CCFB_MAX;
}

void sl_bwe_ccfb_on_sent(struct sl_bwe_ccfb *c, uint32_t ssrc, uint16_t seq, uint16_t number)
{
    size_t i = place(ssrc, seq);

    c->slot[i].ssrc = ssrc;
    c->slot[i].seq = seq;
    c->slot[i].number = number;
    c->slot[i].used = true;
}

/* Reports go by stream, the estimator by the order of sending. */
static void insert(struct told *t, size_t n, struct told new)
{
    for (; n > 0 && (int16_t)(new.number - t[n - 1].number) < 0; n--)
        t[n] = t[n - 1];
    t[n] = new;
}

int sl_bwe_on_ccfb(struct sl_bwe *b, const struct sl_bwe_ccfb *c, const struct sl_rtcp_pkt *p,
                   uint64_t now_us)
{
    struct told t[REPORT_MAX];
    struct sl_ccfb_status s;
    struct sl_ccfb_it it;
    size_t n = 0;
    int err = sl_ccfb_begin(p, &it);

    if (err < 0)
        return err;
    while (n < REPORT_MAX && sl_ccfb_next(&it, &s)) {
        size_t i = place(s.ssrc, s.seq);

        if (!c->slot[i].used || c->slot[i].ssrc != s.ssrc || c->slot[i].seq != s.seq ||
            s.arrived != s.has_time) /* arrived, but nobody knows when */
            continue;
        insert(t, n++, (struct told){ c->slot[i].number, s.arrived, s.arrival_us });
    }
    for (size_t i = 0; i < n; i++)
        sl_bwe_report_packet(b, t[i].number, t[i].arrived, t[i].arrival_us);
    sl_bwe_report_end(b, now_us);
    return 0;
}
