/*
 * fuzz_rtcp.c - every RTCP packet that parses, written out again, parses to the same.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "rtcp/rtcp_fb_ccfb.h"
#include "rtcp/rtcp_fb_twcc.h"

static uint8_t buf[70000];

/* The one packet that was just written. */
static struct sl_rtcp_pkt again(const struct sl_writer *w)
{
    struct sl_rtcp_it it = sl_rtcp_begin(buf, sl_writer_len(w));
    struct sl_rtcp_pkt p;

    FUZZ_CHECK(!w->failed && sl_writer_len(w) % 4 == 0);
    FUZZ_CHECK(sl_rtcp_next(&it, &p) == 1);
    FUZZ_CHECK(it.p == it.end);
    return p;
}

static void check_blocks(const struct sl_rtcp_rb *a, const struct sl_rtcp_rb *b, int n)
{
    for (int i = 0; i < n; i++)
        FUZZ_CHECK(a[i].ssrc == b[i].ssrc && a[i].fraction == b[i].fraction &&
                   a[i].lost == b[i].lost && a[i].ext_seq == b[i].ext_seq &&
                   a[i].jitter == b[i].jitter && a[i].lsr == b[i].lsr && a[i].dlsr == b[i].dlsr);
}

static void check_reports(const struct sl_rtcp_pkt *p)
{
    struct sl_rtcp_rb a[SL_RTCP_RB_MAX], b[SL_RTCP_RB_MAX];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_sr sr, sr2;
    struct sl_rtcp_pkt q;
    uint32_t ssrc, ssrc2;
    int n;

    if (p->pt == SL_RTCP_SR) {
        n = sl_rtcp_sr_parse(p, &sr, a, SL_RTCP_RB_MAX);
        if (n < 0)
            return;
        sl_rtcp_sr_write(&w, &sr, a, (size_t)n);
        q = again(&w);
        FUZZ_CHECK(sl_rtcp_sr_parse(&q, &sr2, b, SL_RTCP_RB_MAX) == n);
        FUZZ_CHECK(sr.ntp == sr2.ntp && sr.rtp_ts == sr2.rtp_ts && sr.ssrc == sr2.ssrc);
    } else {
        n = sl_rtcp_rr_parse(p, &ssrc, a, SL_RTCP_RB_MAX);
        if (n < 0)
            return;
        sl_rtcp_rr_write(&w, ssrc, a, (size_t)n);
        q = again(&w);
        FUZZ_CHECK(sl_rtcp_rr_parse(&q, &ssrc2, b, SL_RTCP_RB_MAX) == n && ssrc == ssrc2);
    }
    check_blocks(a, b, n);
}

static void check_sdes(const struct sl_rtcp_pkt *p)
{
    char a[SL_RTCP_CNAME_MAX + 1], b[SL_RTCP_CNAME_MAX + 1];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_pkt q;
    uint32_t ssrc, ssrc2;

    if (sl_rtcp_sdes_parse(p, &ssrc, a))
        return;
    sl_rtcp_sdes_write(&w, ssrc, a);
    q = again(&w);
    FUZZ_CHECK(sl_rtcp_sdes_parse(&q, &ssrc2, b) == 0);
    FUZZ_CHECK(ssrc == ssrc2 && !strcmp(a, b));
}

static void check_nack(const struct sl_rtcp_pkt *p)
{
    uint16_t a[256], b[512];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_fb fb;
    struct sl_rtcp_pkt q;
    int n = sl_rtcp_nack_parse(p, &fb, a, 256);

    if (n < 0)
        return;
    sl_rtcp_nack_write(&w, fb.sender, fb.media, a, (size_t)n);
    q = again(&w);
    /* In the same order, unless numbers go backwards within one bit mask. */
    FUZZ_CHECK(sl_rtcp_nack_parse(&q, &fb, b, 512) <= n);
    for (int i = 0; i < n; i++) {
        int k = 0;

        while (k < 512 && b[k] != a[i])
            k++;
        FUZZ_CHECK(k < 512);
    }
}

static void check_psfb(const struct sl_rtcp_pkt *p)
{
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_rtcp_fir fir[64], fir2[64];
    uint32_t ssrc[SL_RTCP_SSRC_MAX], ssrc2[SL_RTCP_SSRC_MAX], sender, sender2;
    struct sl_rtcp_fb fb;
    struct sl_rtcp_pkt q;
    uint64_t bps, bps2;
    int n;

    if (p->fmt == SL_PSFB_FIR && (n = sl_rtcp_fir_parse(p, &fb, fir, 64)) >= 0) {
        sl_rtcp_fir_write(&w, fb.sender, fir, (size_t)n);
        q = again(&w);
        FUZZ_CHECK(sl_rtcp_fir_parse(&q, &fb, fir2, 64) == n);
        for (int i = 0; i < n; i++)
            FUZZ_CHECK(fir[i].ssrc == fir2[i].ssrc && fir[i].seq == fir2[i].seq);
    } else if (p->fmt == SL_PSFB_AFB &&
               (n = sl_rtcp_remb_parse(p, &sender, &bps, ssrc, SL_RTCP_SSRC_MAX)) >= 0) {
        sl_rtcp_remb_write(&w, sender, bps, ssrc, (size_t)n);
        q = again(&w);
        FUZZ_CHECK(sl_rtcp_remb_parse(&q, &sender2, &bps2, ssrc2, SL_RTCP_SSRC_MAX) == n);
        FUZZ_CHECK(sender == sender2 && bps == bps2 && !memcmp(ssrc, ssrc2, (size_t)n * 4));
    }
}

static void check_twcc(const struct sl_rtcp_pkt *p)
{
    static struct sl_twcc_rec rec[SL_TWCC_MAX];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_twcc_it it;
    struct sl_twcc_status s;
    struct sl_rtcp_pkt q;
    size_t n = 0, done, k = 0, count = 0;
    const int64_t later = INT64_C(20000000000); /* deltas may go below zero */

    if (sl_twcc_begin(p, &it))
        return;
    while (sl_twcc_next(&it, &s)) {
        FUZZ_CHECK(s.seq == (uint16_t)(it.base + count));
        if (s.received && n < SL_TWCC_MAX)
            rec[n++] =
                (struct sl_twcc_rec){ 65536 + it.base + count, (uint64_t)(s.arrival_us + later) };
        count++;
    }
    FUZZ_CHECK(count == it.count);
    if (n == 0)
        return;
    done = sl_twcc_write(&w, 1, 2, 3, 65536u + it.base, rec, n);
    FUZZ_CHECK(done > 0 && done <= n);
    q = again(&w);
    FUZZ_CHECK(sl_twcc_begin(&q, &it) == 0);
    while (sl_twcc_next(&it, &s)) {
        if (!s.received)
            continue;
        FUZZ_CHECK(k < done && s.seq == (uint16_t)rec[k].seq);
        /* The reference time has 24 bits: compare within its cycle. */
        FUZZ_CHECK((s.arrival_us - (int64_t)rec[k].arrival_us) % (INT64_C(64000) << 24) == 0);
        k++;
    }
    FUZZ_CHECK(k == done);
}

/* Stream by stream, as they were; a stream of two blocks stays two. */
static void check_ccfb(const struct sl_rtcp_pkt *p)
{
    static uint16_t metric[SL_CCFB_STREAM_MAX];
    struct sl_writer w = sl_writer_make(buf, sizeof(buf));
    struct sl_ccfb_it it, it2;
    struct sl_ccfb_status s, s2;
    struct sl_rtcp_pkt q;
    uint8_t *opened;
    size_t n = 0;

    if (sl_ccfb_begin(p, &it))
        return;
    opened = sl_ccfb_open(&w, it.sender);
    it2 = it;
    while (sl_ccfb_next(&it2, &s)) {
        FUZZ_CHECK(n < SL_CCFB_STREAM_MAX);
        metric[n++] = s.metric;
        if (!it2.left) {
            FUZZ_CHECK(sl_ccfb_stream(&w, s.ssrc, (uint16_t)(s.seq - n + 1), metric, n));
            n = 0;
        }
    }
    FUZZ_CHECK(n == 0);
    sl_ccfb_close(&w, opened, it.stamp);
    q = again(&w);
    FUZZ_CHECK(sl_ccfb_begin(&q, &it2) == 0 && it2.stamp == it.stamp);
    while (sl_ccfb_next(&it, &s)) {
        FUZZ_CHECK(sl_ccfb_next(&it2, &s2));
        FUZZ_CHECK(s.ssrc == s2.ssrc && s.seq == s2.seq && s.metric == s2.metric &&
                   s.arrival_us == s2.arrival_us);
    }
    FUZZ_CHECK(!sl_ccfb_next(&it2, &s2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_rtcp_it it = sl_rtcp_begin(data, size);
    struct sl_rtcp_pkt p;
    uint32_t ssrc[31];
    int n;

    while ((n = sl_rtcp_next(&it, &p)) == 1) {
        FUZZ_CHECK(p.body >= data && p.body + p.len <= data + size);
        if (p.pt == SL_RTCP_SR || p.pt == SL_RTCP_RR)
            check_reports(&p);
        else if (p.pt == SL_RTCP_SDES)
            check_sdes(&p);
        else if (p.pt == SL_RTCP_BYE)
            FUZZ_CHECK(sl_rtcp_bye_parse(&p, ssrc, 31) <= 31);
        else if (p.pt == SL_RTCP_RTPFB && p.fmt == SL_RTPFB_NACK)
            check_nack(&p);
        else if (p.pt == SL_RTCP_RTPFB && p.fmt == SL_RTPFB_TWCC)
            check_twcc(&p);
        else if (p.pt == SL_RTCP_RTPFB && p.fmt == SL_RTPFB_CCFB)
            check_ccfb(&p);
        else if (p.pt == SL_RTCP_PSFB)
            check_psfb(&p);
    }
    FUZZ_CHECK(n == 0 || n == -EBADMSG);
    return 0;
}
