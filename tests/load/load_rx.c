#include "load_rx.h"

#include "base/rand.h"
#include "load_tx.h"
#include "rtp/rtp_payload.h"
#include <errno.h>
#include <stdlib.h>

#define REPORT_US     1000000
#define NACK_EVERY_US 50000
#define NACK_TRIES    10
#define TWCC_US       100000

int load_rx_init(struct load_rx *rx, const struct load_rx_conf *conf, struct load_tally *tally)
{
    memset(rx, 0, sizeof(*rx));
    rx->conf = conf;
    rx->tally = tally;
    rx->ssrc = sl_rand32();
    rx->report_due_us = UINT64_MAX;
    return 0;
}

void load_rx_fini(struct load_rx *rx)
{
    for (size_t i = 0; i < rx->nstreams; i++)
        free(rx->streams[i]);
    free(rx->streams);
    free(rx->lines);
    free(rx->twcc);
}

int load_rx_describe(struct load_rx *rx, const struct load_line *lines, size_t n)
{
    bool has_twcc = false;

    rx->lines = calloc(n, sizeof(*lines));
    if (!rx->lines)
        return -ENOMEM;
    memcpy(rx->lines, lines, n * sizeof(*lines));
    rx->nlines = n;
    sl_ext_map_init(&rx->exts, lines[0].ext);
    for (size_t i = 0; i < n; i++) {
        sl_ext_map_add(&rx->exts, lines[i].ext);
        has_twcc |= lines[i].ext[SL_EXT_TWCC] != 0;
    }
    if (has_twcc && rx->conf->twcc) {
        rx->twcc = malloc(sizeof(*rx->twcc));
        if (!rx->twcc)
            return -ENOMEM;
        sl_twcc_rx_init(rx->twcc, TWCC_US);
    }
    return 0;
}

/* NULL: out of memory. */
static struct load_stream *stream_of(struct load_rx *rx, uint32_t ssrc)
{
    struct load_stream **grown, *s;

    if (rx->last < rx->nstreams && rx->streams[rx->last]->ssrc == ssrc)
        return rx->streams[rx->last];
    for (rx->last = 0; rx->last < rx->nstreams; rx->last++)
        if (rx->streams[rx->last]->ssrc == ssrc)
            return rx->streams[rx->last];
    s = calloc(1, sizeof(*s));
    grown = s ? realloc(rx->streams, (rx->nstreams + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(s);
        return NULL;
    }
    s->ssrc = ssrc;
    rx->streams = grown;
    rx->streams[rx->nstreams++] = s;
    return s;
}

/* The stream that @ssrc resends, by what the server said or, where it said nothing, by payload
 * type; 0: it is no RTX. */
static uint32_t resent_by(const struct load_rx *rx, uint32_t ssrc, uint8_t pt)
{
    uint32_t only = 0;

    for (size_t i = 0; i < rx->nlines; i++) {
        const struct load_line *l = &rx->lines[i];

        if (l->rtx_pt != pt)
            continue;
        if (l->rtx_ssrc == ssrc)
            return l->ssrc;
        only = l->ssrc;
    }
    return only;
}

static void add_missing(struct load_stream *s, uint64_t from, uint64_t to, uint64_t now_us)
{
    for (uint64_t q = from; q < to && s->nmissing < LOAD_RX_MISSING; q++)
        s->missing[s->nmissing++] = (struct load_missing){ q, now_us, 0 };
}

static void found(struct load_stream *s, uint64_t seq)
{
    for (size_t i = 0; i < s->nmissing; i++)
        if (s->missing[i].seq == seq) {
            s->missing[i] = s->missing[--s->nmissing];
            return;
        }
}

/* Marks @seq as seen; numbers between the highest so far and it have not been. */
static void mark(struct load_stream *s, uint64_t before, uint64_t seq)
{
    for (uint64_t q = before + 1; q < seq && q <= before + LOAD_RX_WINDOW; q++)
        s->seen[q % LOAD_RX_WINDOW / 64] &= ~(UINT64_C(1) << q % 64);
    s->seen[seq % LOAD_RX_WINDOW / 64] |= UINT64_C(1) << seq % 64;
    s->received++;
}

static bool is_seen(const struct load_stream *s, uint64_t before, uint64_t seq)
{
    return before - seq >= LOAD_RX_WINDOW ||
           (s->seen[seq % LOAD_RX_WINDOW / 64] & UINT64_C(1) << seq % 64) != 0;
}

/* false: a duplicate, or older than the window. */
static bool is_new(struct load_rx *rx, struct load_stream *s, uint16_t wire, uint64_t now_us,
                   bool *late)
{
    bool first = !s->seq.started;
    uint64_t before = s->seq.max, seq = sl_seq_extend(&s->seq, wire);

    *late = !first && seq <= before;
    if (first)
        s->first = before = seq;
    if (*late) {
        if (is_seen(s, before, seq))
            return false;
        found(s, seq);
    } else if (seq > before + 1) {
        rx->tally->holes += seq - before - 1;
        if (rx->conf->nack)
            add_missing(s, before + 1, seq, now_us);
    }
    mark(s, before, seq);
    return true;
}

static void count(struct load_rx *rx, const uint8_t *payload, size_t len, uint64_t at_ns, bool late)
{
    struct load_tally *t = rx->tally;
    uint64_t sent_ns;

    if (!load_stamp_read(payload, len, &sent_ns)) {
        t->unreadable++;
        return;
    }
    if (!load_tally_wants(t, sent_ns))
        return;
    t->delivered++;
    t->bytes += len;
    t->repaired += late;
    load_hist_add(&t->latency, at_ns > sent_ns ? at_ns - sent_ns : 0);
}

static bool is_video(const struct load_rx *rx, uint8_t pt)
{
    for (size_t i = 0; i < rx->nlines; i++)
        if (rx->lines[i].kind == SL_KIND_VIDEO && rx->lines[i].pt == pt)
            return true;
    return false;
}

static void watch_key(struct load_rx *rx, const uint8_t *pkt, const struct sl_rtp *h,
                      uint64_t now_us)
{
    struct sl_payload_info info;

    if (rx->key_us || !is_video(rx, h->pt) ||
        sl_payload_parse(SL_CODEC_VP8, pkt + h->payload_off, h->payload_len, &info) < 0)
        return;
    if (info.key)
        rx->in_key = true;
    else if (info.start || h->seq != (uint16_t)(rx->key_seq + 1))
        rx->in_key = false;
    rx->key_seq = h->seq;
    if (rx->in_key && h->marker)
        rx->key_us = now_us;
}

static void take_twcc(struct load_rx *rx, const uint8_t *pkt, const struct sl_rtp *h,
                      uint64_t now_us)
{
    struct sl_ext_info x;

    if (sl_ext_parse(pkt, h, &rx->exts, &x) == 0 && x.present & SL_EXT_BIT(SL_EXT_TWCC))
        sl_twcc_rx_add(rx->twcc, x.twcc, now_us);
}

void load_rx_packet(struct load_rx *rx, const uint8_t *pkt, size_t len, uint64_t at_ns,
                    uint64_t now_us)
{
    struct load_stream *s;
    uint32_t primary;
    struct sl_rtp h;
    bool late;

    if (sl_rtp_parse(pkt, len, &h) < 0) {
        rx->tally->unreadable++;
        return;
    }
    if (rx->twcc)
        take_twcc(rx, pkt, &h, now_us);
    rx->tally->padding += h.pad_len;
    primary = resent_by(rx, h.ssrc, h.pt);
    if (h.payload_len < (primary ? 2 : 1))
        return; /* padding only: probing */
    watch_key(rx, pkt, &h, now_us);
    s = stream_of(rx, primary ? primary : h.ssrc);
    if (!s)
        return;
    if (!rx->first_us) {
        rx->first_us = now_us;
        rx->report_due_us = now_us + REPORT_US;
    }
    if (is_new(rx, s, primary ? sl_get16(pkt + h.payload_off) : h.seq, now_us, &late))
        count(rx, pkt + h.payload_off, h.payload_len, at_ns, late);
    else
        rx->tally->duplicates++;
}

static void write_reports(struct load_rx *rx, struct sl_writer *w)
{
    struct sl_rtcp_rb rb[SL_RTCP_RB_MAX];
    size_t n = 0;

    memset(rb, 0, sizeof(rb));
    for (size_t i = 0; i < rx->nstreams && n < SL_RTCP_RB_MAX; i++) {
        struct load_stream *s = rx->streams[i];
        uint64_t expected = s->seq.max - s->told_max, got = s->received - s->told_received;

        rb[n].ssrc = s->ssrc;
        rb[n].ext_seq = (uint32_t)s->seq.max;
        rb[n].lost = (int32_t)(s->seq.max - s->first + 1 - s->received);
        if (s->told_max && expected > got)
            rb[n].fraction = (uint8_t)((expected - got) * 256 / expected);
        s->told_max = s->seq.max;
        s->told_received = s->received;
        n++;
    }
    sl_rtcp_rr_write(w, rx->ssrc, rb, n);
}

static void write_nacks(struct load_rx *rx, struct load_stream *s, uint64_t now_us,
                        struct sl_writer *w)
{
    uint16_t seqs[LOAD_RX_MISSING];
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < s->nmissing; i++) {
        struct load_missing *m = &s->missing[i];

        if (m->due_us <= now_us && m->tries < NACK_TRIES) {
            seqs[n++] = (uint16_t)m->seq;
            m->tries++;
            m->due_us = now_us + NACK_EVERY_US;
        }
        if (m->tries < NACK_TRIES || m->due_us > now_us)
            s->missing[kept++] = *m;
    }
    s->nmissing = kept;
    if (n)
        sl_rtcp_nack_write(w, rx->ssrc, s->ssrc, seqs, n);
    rx->tally->nacks += n;
}

static bool has_feedback(const struct load_rx *rx, uint64_t now_us)
{
    for (size_t i = 0; i < rx->nstreams; i++)
        for (size_t k = 0; k < rx->streams[i]->nmissing; k++)
            if (rx->streams[i]->missing[k].due_us <= now_us)
                return true;
    return rx->twcc && sl_twcc_rx_due_us(rx->twcc) <= now_us;
}

void load_rx_feedback(struct load_rx *rx, uint64_t now_us, struct sl_writer *w)
{
    /* We do not negotiate reduced size: feedback comes behind a report (RFC 4585 section 3.1). */
    if (rx->report_due_us <= now_us || has_feedback(rx, now_us)) {
        write_reports(rx, w);
        rx->report_due_us = now_us + REPORT_US;
    }
    for (size_t i = 0; i < rx->nstreams; i++)
        if (rx->streams[i]->nmissing)
            write_nacks(rx, rx->streams[i], now_us, w);
    if (rx->twcc && sl_twcc_rx_due_us(rx->twcc) <= now_us)
        while (sl_twcc_rx_write(rx->twcc, w, rx->ssrc, rx->nstreams ? rx->streams[0]->ssrc : 0,
                                now_us))
            ;
}

uint64_t load_rx_due_us(const struct load_rx *rx)
{
    uint64_t due = rx->report_due_us;

    if (rx->twcc && sl_twcc_rx_due_us(rx->twcc) < due)
        due = sl_twcc_rx_due_us(rx->twcc);
    for (size_t i = 0; i < rx->nstreams; i++)
        for (size_t k = 0; k < rx->streams[i]->nmissing; k++)
            if (rx->streams[i]->missing[k].due_us < due)
                due = rx->streams[i]->missing[k].due_us;
    return due;
}
