#include "sim_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PACKET      1200
#define FRAME_US    33333
#define KEY_US      (120 * MS) /* until an asked-for key frame comes */
#define KEY_FRAMES  4          /* it is as big as so many frames */
#define TICK_US     1000
#define PROBE_US    (10 * MS) /* as often as a worker would look */
#define AUDIO_BPS   40000.0
#define AUDIO_BYTES 100
#define SIM_TCP     SIM_CALLS_MAX /* as a flow of the link */

/* What each frame of a cycle of four has of its bits, and its temporal layer. */
static const struct {
    int tid;
    double part;
} cycle[4] = { { 0, 0.4 }, { 2, 0.2 }, { 1, 0.2 }, { 2, 0.2 } };
static const double upto_tid[SL_ALLOC_TIDS] = { 0.4, 0.6, 1 };

struct sim_world *sim_create(const struct sim_link_conf *conf, uint32_t seed)
{
    struct sim_world *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    sim_link_init(&w->link, conf, seed);
    w->random = seed * 48271 + 11;
    w->now_us = 10 * SECOND;
    return w;
}

void sim_destroy(struct sim_world *w)
{
    for (size_t i = 0; i < w->ncalls; i++)
        sl_bwe_fini(&w->call[i].bwe);
    free(w);
}

void sim_two_way(struct sim_world *w, const struct sim_link_conf *back)
{
    w->two_way = true;
    sim_link_init(&w->back, back, 77);
}

struct sim_call *sim_add_call(struct sim_world *w, double low, double mid, double high)
{
    struct sim_call *c = &w->call[w->ncalls++];

    sl_bwe_init(&c->bwe, SL_BWE_START);
    sl_twcc_rx_init(&c->rx, 100 * MS);
    sl_ccfb_rx_init(&c->rx_ccfb, 100 * MS);
    c->begin_us = w->now_us;
    c->back_us = 50 * MS;
    c->seq = 65000;
    sim_add_video(c, low, mid, high, 1);
    return c;
}

void sim_add_video(struct sim_call *c, double low, double mid, double high, uint8_t priority)
{
    struct sim_video *v = &c->video[c->nvideos++];
    const double bps[] = { low, mid, high };

    sl_alloc_init(&v->alloc, priority);
    for (int i = 0; i < SL_LAYERS_MAX; i++) {
        v->bps[i] = bps[i];
        for (int t = 0; t < SL_ALLOC_TIDS; t++)
            v->alloc.bps[i][t] = bps[i] * upto_tid[t];
    }
    v->sub = v->asked = SL_ALLOC_PAUSED;
    v->frame_us = c->nvideos * 45 * MS; /* big frames of two do not coincide */
}

static void send_packet(struct sim_world *w, struct sim_call *c, uint32_t bytes, bool is_padding)
{
    uint32_t ssrc = is_padding ? 2 : bytes == AUDIO_BYTES;
    struct sim_packet p = { .flow = (unsigned int)(c - w->call),
                            .seq = c->seq,
                            .ssrc = ssrc,
                            .rtp_seq = c->rtp_seq[ssrc]++,
                            .bytes = bytes,
                            .is_padding = is_padding };

    sl_bwe_ccfb_on_sent(&c->sent_ccfb, p.ssrc, p.rtp_seq, p.seq);
    if (c->remb)
        sl_bwe_note_sent(&c->bwe, bytes, w->now_us);
    else
        sl_bwe_on_sent(&c->bwe, c->seq++, bytes, w->now_us);
    sl_pace_on_sent(&c->pace, bytes);
    sim_link_send(c->backwards ? &w->back : &w->link, &p, w->now_us);
    c->sent += bytes;
    c->padding += is_padding ? bytes : 0;
    c->media += !is_padding;
}

static void send_bytes(struct sim_world *w, struct sim_call *c, uint32_t bytes, bool is_padding)
{
    while (bytes) {
        uint32_t n = bytes < PACKET ? bytes : PACKET;

        send_packet(w, c, n < 80 ? 80 : n, is_padding);
        bytes -= n;
    }
}

/* What a worker does at the end of a turn, and in steps while something waits. */
static void release(struct sim_world *w, struct sim_call *c, size_t may)
{
    while (may && c->held_out != c->held_in) {
        struct sim_held *h = &c->held[c->held_out++ % SIM_HELD_MAX];

        send_packet(w, c, h->bytes, false);
        c->held_bytes -= h->bytes;
        may = may > h->bytes ? may - h->bytes : 0;
        if (w->now_us - h->since_us > c->held_max_us)
            c->held_max_us = w->now_us - h->since_us;
    }
}

static void pace(struct sim_world *w, struct sim_call *c)
{
    c->pace.bps = w->unpaced ? 0 : sl_bwe_pace_bps(&c->bwe);
    if (c->held_bytes)
        release(w, c,
                sl_pace_may(&c->pace, c->held_bytes, c->held[c->held_out % SIM_HELD_MAX].since_us,
                            w->now_us));
}

static void hold_bytes(struct sim_world *w, struct sim_call *c, uint32_t bytes)
{
    while (bytes) {
        uint32_t n = bytes < PACKET ? bytes : PACKET;

        assert(c->held_in - c->held_out < SIM_HELD_MAX);
        c->held[c->held_in++ % SIM_HELD_MAX] = (struct sim_held){ n < 80 ? 80 : n, w->now_us };
        c->held_bytes += n < 80 ? 80 : n;
        bytes -= n;
    }
    pace(w, c);
}

/* A probe is made of what waits, and of padding. */
static void probe(struct sim_world *w, struct sim_call *c)
{
    uint32_t bytes = sl_bwe_probe_bytes(&c->bwe, w->now_us);
    size_t before = c->held_bytes;

    release(w, c, bytes);
    before -= c->held_bytes;
    if (bytes > before)
        send_bytes(w, c, bytes - (uint32_t)before, true);
}

static void send_video(struct sim_world *w, struct sim_call *c, struct sim_video *v)
{
    int want = v->alloc.sub, tid = v->alloc.tid;
    double bytes;
    bool key = false;

    if (w->now_us < v->frame_us)
        return;
    while (v->frame_us <= w->now_us)
        v->frame_us += FRAME_US;
    v->frame++;
    if (want != v->sub && want != v->asked) {
        v->asked = want;
        v->key_us = w->now_us + KEY_US;
    }
    if (want == SL_ALLOC_PAUSED)
        v->sub = v->asked = SL_ALLOC_PAUSED;
    else if (want != v->sub && w->now_us >= v->key_us) {
        v->sub = want;
        v->asked = want;
        v->switches++;
        v->frame = 0;
        key = true;
    } else if (want == v->sub) {
        v->asked = want;
    }
    if (v->sub == SL_ALLOC_PAUSED)
        return;
    if (want < v->sub) /* until the key frame comes, only what it takes */
        tid = 0;
    if (cycle[v->frame % 4].tid > tid)
        return;
    bytes = v->bps[v->sub] * 4 * FRAME_US / 8e6 * cycle[v->frame % 4].part;
    if (key)
        bytes = v->bps[v->sub] * KEY_FRAMES * FRAME_US / 8e6;
    bytes *= 0.85 + 0.3 * sim_random(&w->random);
    hold_bytes(w, c, (uint32_t)bytes);
}

static void allocate(struct sim_world *w, struct sim_call *c)
{
    struct sl_alloc_video *v[SIM_VIDEOS_MAX];
    double estimate = (c->remb ? SL_BWE_MAX : sl_bwe_estimate(&c->bwe)) - AUDIO_BPS;
    double target = sl_bwe_target(&c->bwe) - AUDIO_BPS;

    for (size_t i = 0; i < c->nvideos; i++)
        v[i] = &c->video[i].alloc;
    sl_bwe_want(&c->bwe, sl_alloc_wanted(v, c->nvideos) * SL_ALLOC_MARGIN + AUDIO_BPS);
    sl_alloc_run(v, c->nvideos, estimate, target, w->now_us);
    c->alloc_us = w->now_us + 100 * MS;
}

static bool write_report(struct sim_world *w, struct sim_call *c, struct sl_writer *wr)
{
    return c->ccfb ? sl_ccfb_rx_write(&c->rx_ccfb, wr, 1, w->now_us)
                   : sl_twcc_rx_write(&c->rx, wr, 1, 2, w->now_us);
}

static void read_report(struct sim_world *w, struct sim_call *c, const struct sim_report *r)
{
    struct sl_rtcp_it it = sl_rtcp_begin(r->data, r->len);
    struct sl_rtcp_pkt p;

    while (sl_rtcp_next(&it, &p) > 0)
        if ((p.fmt == SL_RTPFB_CCFB ? sl_bwe_on_ccfb(&c->bwe, &c->sent_ccfb, &p, w->now_us)
                                    : sl_bwe_on_twcc(&c->bwe, &p, w->now_us)) < 0)
            abort();
}

/* As browsers do it: once a second 8 % more, up to half as much again as what arrives, and less
 * than that, at once, when a queue grows; nothing before they know something. */
static void tell_remb(struct sim_world *w, struct sim_call *c)
{
    double arrived = sl_rate_bps(&c->arrived, SECOND, w->now_us);
    bool over = c->late_us > 60 * MS;

    if (!c->remb_us)
        c->remb_us = w->now_us + 5 * SECOND;
    if (w->now_us < c->remb_us && (!over || w->now_us < c->cut_us + 300 * MS))
        return;
    if (over)
        c->cut_us = w->now_us;
    c->remb_bps = over ? 0.85 * arrived : c->remb_bps > 0 ? 1.08 * c->remb_bps : arrived;
    if (c->remb_bps > 1.5 * arrived + 10e3)
        c->remb_bps = 1.5 * arrived + 10e3;
    c->remb_us = w->now_us + SECOND;
    sl_bwe_on_remb(&c->bwe, (uint64_t)c->remb_bps, w->now_us);
}

#define REPORT_OVER 50 /* bytes of headers, and what SRTP adds */

/* By the link that leads there, between the media of others. */
static void send_report(struct sim_world *w, struct sim_call *c, struct sim_report *r)
{
    struct sim_packet p = { .flow = (unsigned int)(c - w->call),
                            .bytes = (uint32_t)r->len + REPORT_OVER,
                            .data = r };

    sim_link_send(c->backwards ? &w->link : &w->back, &p, w->now_us);
    r->at_us = UINT64_MAX;
}

/* Reports come from the receiver as packets of RTCP. */
static void report(struct sim_world *w, struct sim_call *c)
{
    while ((c->ccfb ? sl_ccfb_rx_due_us(&c->rx_ccfb) : sl_twcc_rx_due_us(&c->rx)) <= w->now_us) {
        struct sim_report *r = &c->report[c->report_in % SIM_REPORTS_MAX];
        struct sl_writer wr = sl_writer_make(r->data, sizeof(r->data));
        bool more = write_report(w, c, &wr);

        r->len = sl_writer_len(&wr);
        r->at_us = w->now_us + c->back_us;
        if (r->len && w->two_way)
            send_report(w, c, r);
        if (r->len && sim_random(&w->random) >= c->back_loss)
            c->report_in++;
        if (!more)
            break;
    }
    while (!w->two_way && c->report_out != c->report_in &&
           c->report[c->report_out % SIM_REPORTS_MAX].at_us <= w->now_us) {
        read_report(w, c, &c->report[c->report_out++ % SIM_REPORTS_MAX]);
        allocate(w, c);
    }
}

static void run_call(struct sim_world *w, struct sim_call *c)
{
    if (w->now_us < c->begin_us || (c->end_us && w->now_us >= c->end_us))
        return;
    if (w->now_us < c->pause_us || w->now_us >= c->resume_us || !c->pause_us) {
        if (w->now_us >= c->audio_us) {
            send_bytes(w, c, AUDIO_BYTES, false);
            c->audio_us = w->now_us + 20 * MS;
        }
        for (size_t i = 0; i < c->nvideos; i++)
            send_video(w, c, &c->video[i]);
    }
    if (c->remb)
        tell_remb(w, c);
    else
        report(w, c);
    if (w->now_us >= c->alloc_us)
        allocate(w, c);
    if (w->now_us % SL_PACE_STEP_US == 0)
        pace(w, c);
    if (w->now_us % PROBE_US == 0)
        probe(w, c);
    sl_bwe_tick(&c->bwe, w->now_us);
}

static void tcp_told(struct sim_world *w, uint64_t at_us, bool lost)
{
    struct sim_tcp *t = &w->tcp;

    assert(t->ack_in - t->ack_out < SIM_TCP_MAX);
    t->ack[t->ack_in++ % SIM_TCP_MAX] = (struct sim_ack){ at_us, lost };
}

static void tcp_on_ack(struct sim_tcp *t, const struct sim_ack *a, uint64_t rtt_us)
{
    t->flying--;
    if (!a->lost) {
        t->window += t->window < t->threshold ? 1 : 1 / t->window;
    } else if (a->at_us > t->halved_us + rtt_us) {
        t->halved_us = a->at_us;
        t->threshold = t->window = t->window > 4 ? t->window / 2 : 2;
    }
}

static void run_tcp(struct sim_world *w)
{
    struct sim_tcp *t = &w->tcp;
    uint64_t rtt_us = 2 * w->link.conf.delay_us + sim_link_queue_us(&w->link, w->now_us);

    if (!t->on)
        return;
    for (; t->ack_out != t->ack_in && t->ack[t->ack_out % SIM_TCP_MAX].at_us <= w->now_us;
         t->ack_out++)
        tcp_on_ack(t, &t->ack[t->ack_out % SIM_TCP_MAX], rtt_us);
    if (t->window < 2)
        t->window = 2;
    for (; t->flying < (unsigned int)t->window; t->flying++) {
        struct sim_packet p = { .flow = SIM_TCP, .bytes = PACKET };
        uint64_t before = w->link.dropped;

        sim_link_send(&w->link, &p, w->now_us);
        if (w->link.dropped != before)
            tcp_told(w, w->now_us + rtt_us, true);
    }
}

static void arrive(struct sim_world *w, const struct sim_packet *p)
{
    struct sim_call *c = &w->call[p->flow];
    uint64_t ms = p->queued_us / MS;

    if (p->data) {
        read_report(w, c, p->data);
        allocate(w, c);
        return;
    }
    if (p->flow == SIM_TCP) {
        w->tcp.delivered += p->bytes;
        tcp_told(w, w->now_us + w->link.conf.delay_us, false);
        return;
    }
    c->late_us = p->queued_us;
    if (c->remb)
        sl_rate_add(&c->arrived, p->bytes, p->at_us);
    else if (c->ccfb)
        sl_ccfb_rx_add(&c->rx_ccfb, p->ssrc, p->rtp_seq, p->at_us);
    else
        sl_twcc_rx_add(&c->rx, p->seq, p->at_us);
    if (!p->is_padding) {
        c->delivered += p->bytes;
        c->delivered_100ms += p->bytes;
        c->media_arrived++;
    }
    w->hist[ms < SIM_HIST_MS ? ms : SIM_HIST_MS - 1]++;
    w->npackets++;
}

static void take_sample(struct sim_world *w, uint64_t queue_us)
{
    struct sim_sample s = { .s = (double)(w->now_us - 10 * SECOND) / 1e6,
                            .link = w->link.conf.bps };

    s.queue_ms = (double)queue_us / 1000;
    for (size_t i = 0; i < w->ncalls; i++) {
        struct sim_call *c = &w->call[i];
        const struct sim_video *v = &c->video[0];

        s.estimate[i] = w->now_us < c->begin_us ? 0 : sl_bwe_estimate(&c->bwe);
        s.target[i] = w->now_us < c->begin_us ? 0 : sl_bwe_target(&c->bwe);
        s.delivered[i] = (double)c->delivered_100ms * 80;
        s.layer[i] = v->sub == SL_ALLOC_PAUSED || v->alloc.tid < 0 ? -1 : v->sub * 3 + v->alloc.tid;
        c->delivered_100ms = 0;
    }
    if (w->sample)
        w->sample(w->arg, &s);
}

void sim_run(struct sim_world *w, uint64_t until_us)
{
    struct sim_packet p;

    for (until_us += 10 * SECOND; w->now_us < until_us; w->now_us += TICK_US) {
        uint64_t queue_us;

        for (size_t i = 0; i < w->ncalls; i++)
            run_call(w, &w->call[i]);
        run_tcp(w);
        while (sim_link_take(&w->link, w->now_us, &p) ||
               (w->two_way && sim_link_take(&w->back, w->now_us, &p)))
            arrive(w, &p);
        queue_us = sim_link_queue_us(&w->link, w->now_us);
        w->over_us = queue_us > 200 * MS ? w->over_us + TICK_US : 0;
        if (w->over_us > w->over_max_us)
            w->over_max_us = w->over_us;
        if (w->now_us % (100 * MS) == 0) {
            double estimate = sl_bwe_estimate(&w->call[0].bwe), link = w->link.conf.bps;

            take_sample(w, queue_us);
            w->estimate_sum += estimate < link ? estimate : link; /* more than that is no merit */
            w->link_sum += link;
            w->nsums++;
        }
    }
}

void sim_begin_measure(struct sim_world *w)
{
    for (size_t i = 0; i < w->ncalls; i++) {
        w->call[i].sent = w->call[i].delivered = w->call[i].padding = 0;
        w->call[i].media = w->call[i].media_arrived = 0;
        w->call[i].held_max_us = 0;
        w->call[i].since_us = w->now_us;
    }
    memset(w->hist, 0, sizeof(w->hist));
    w->npackets = 0;
    w->tcp.delivered = 0;
    w->over_us = w->over_max_us = 0;
    w->estimate_sum = w->link_sum = 0;
    w->nsums = 0;
}

double sim_goodput(const struct sim_world *w, const struct sim_call *c)
{
    return (double)c->delivered * 8e6 / (double)(w->now_us - c->since_us);
}

double sim_lost(const struct sim_call *c)
{
    return c->media > c->media_arrived ? (double)(c->media - c->media_arrived) / (double)c->media
                                       : 0;
}

double sim_queue_p95(const struct sim_world *w)
{
    uint64_t n = 0;

    for (int i = 0; i < SIM_HIST_MS; i++) {
        n += w->hist[i];
        if (n * 100 >= w->npackets * 95)
            return i + 1;
    }
    return SIM_HIST_MS;
}

double sim_estimate_share(const struct sim_world *w)
{
    return w->link_sum > 0 ? w->estimate_sum / w->link_sum : 0;
}
