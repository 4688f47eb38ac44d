#include "bwe/bwe.h"

#include "rtcp/rtcp_fb_twcc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EMPTY, FLYING, LOST, ARRIVED };

#define WRAP_US (INT64_C(64000) << 24) /* of the time in transport-cc reports */
#define EPOCH   (INT64_C(1) << 48)     /* arrival times are about here: never negative */

#define JUMP_US     INT64_C(10000000)
#define BASE_US     UINT64_C(10000000)
#define CUT         0.87    /* of what arrived, at over-use */
#define THROUGH     0.85    /* of what was sent arrived in time */
#define QUEUE_US    20000   /* without so much of a queue, over-use is noise */
#define LOSSY_US    60000   /* delay that makes loss a sign of a full queue */
#define STANDING_US 150000  /* a queue that stands: full, maybe, and so grows no more */
#define STANDING_N  2       /* reports in a row */
#define STUCK_US    1000000 /* twice; for so long it should have become shorter, */
#define STUCK_MIN   60000
#define STUCK       0.75   /* to this part of what it was */
#define DRAIN_US    100000 /* beyond which the target goes down, */
#define DRAIN_OVER  250000 /* to nothing (DRAIN_MIN) at so much more */
#define DRAIN_MIN   0.15
#define LESS        0.88              /* on trial, for loss */
#define MAY_GROW    0.05              /* loss up to which it grows */
#define OTHERS_US   UINT64_C(1000000) /* cuts for what others did come no sooner */
#define GROWTH      1.08              /* per second */
#define NEAR        0.15 /* of the known capacity: then it grows by packets, not by parts */
#define PACKET_BITS 9600

#define PROBE_STEP  1e6 /* sqrt of this times the estimate is added */
#define PROBE_CHAIN 2.0
#define PROBE_FIRST 3.0
#define PROBE_EVERY UINT64_C(3000000)
#define PROBE_CUT   UINT64_C(2000000) /* not so soon after over-use */
#define PROBE_QUEUE 30000
#define PROBE_WAIT  UINT64_C(500000) /* and a round trip: for the result */
#define PROBE_CALM  UINT64_C(150000) /* its queue drains */
#define WANTED      1.2              /* of what is wanted, at most */
#define FULL        0.95             /* of what a probe found that was the limit */
#define LIMITED     1.2  /* of what the path carried when it was full: more than noise */
#define PACE        1.25 /* of the estimate: what waits must get shorter */
#define REMB_NEAR   1.05 /* times what is sent */
#define REMB_RISES  1.02 /* times what it was */
#define REMB_REACH  2.5  /* times what is sent: so much more a layer may take */
#define SILENT_US   UINT64_C(1000000)
#define SILENT_STEP UINT64_C(500000)
#define SILENT_CUT  0.7

const char *sl_bwe_reason_to_str(enum sl_bwe_reason r)
{
    static const char *const names[] = {
        [SL_BWE_STARTING] = "starting", [SL_BWE_DELAY] = "delay",
        [SL_BWE_LOSS] = "loss",         [SL_BWE_PROBED] = "probed",
        [SL_BWE_GROWING] = "growing",   [SL_BWE_NO_REPORTS] = "no_reports",
        [SL_BWE_REMB] = "remb",
    };

    return r < sizeof(names) / sizeof(names[0]) ? names[r] : "?";
}

void sl_bwe_init(struct sl_bwe *b, double start_bps)
{
    memset(b, 0, sizeof(*b));
    sl_trend_init(&b->trend);
    b->estimate_bps = start_bps;
    b->wanted_bps = start_bps;
    b->chain = true;
}

void sl_bwe_fini(struct sl_bwe *b)
{
    free(b->sent);
}

static void set_estimate(struct sl_bwe *b, double bps, enum sl_bwe_reason why)
{
    b->estimate_bps = fmin(fmax(bps, SL_BWE_MIN), SL_BWE_MAX);
    b->reason = why;
}

/* False: as large as before. */
static bool grow_history(struct sl_bwe *b)
{
    uint16_t n = b->nsent ? b->nsent * 2 : SL_BWE_HISTORY_MIN;
    struct sl_bwe_packet *sent = n <= SL_BWE_HISTORY_MAX ? calloc(n, sizeof(*sent)) : NULL;

    if (!sent)
        return false;
    for (uint16_t i = 0; i < b->nsent; i++)
        if (b->sent[i].state != EMPTY)
            sent[b->sent[i].seq % n] = b->sent[i];
    free(b->sent);
    b->sent = sent;
    b->nsent = n;
    return true;
}

/* Where @seq is remembered, whoever is there now; NULL: nowhere. */
static struct sl_bwe_packet *place_of(const struct sl_bwe *b, uint16_t seq)
{
    return b->sent ? &b->sent[seq % b->nsent] : NULL;
}

/* A report may still be about it. */
static bool is_open(const struct sl_bwe_packet *p, uint64_t now_us)
{
    return (p->state == FLYING || p->state == LOST) && now_us - p->send_us < SL_BWE_HISTORY_US;
}

static void remember(struct sl_bwe *b, const struct sl_bwe_packet *sent)
{
    struct sl_bwe_packet *p = place_of(b, sent->seq);

    while ((!p || is_open(p, sent->send_us)) && grow_history(b))
        p = place_of(b, sent->seq);
    if (p)
        *p = *sent;
}

void sl_bwe_on_sent(struct sl_bwe *b, uint16_t seq, size_t bytes, uint64_t now_us)
{
    struct sl_bwe_packet p = {
        .send_us = now_us,
        .bytes = bytes < UINT16_MAX ? (uint16_t)bytes : UINT16_MAX,
        .seq = seq,
        .state = FLYING,
    };

    p.cluster = sl_probe_on_sent(&b->probe, p.bytes, now_us);
    remember(b, &p);
    sl_rate_add(&b->out, p.bytes, now_us);
    b->sent_us = now_us;
    if (!b->unanswered_us)
        b->unanswered_us = now_us;
}

void sl_bwe_note_sent(struct sl_bwe *b, size_t bytes, uint64_t now_us)
{
    sl_rate_add(&b->out, bytes < UINT16_MAX ? (uint32_t)bytes : UINT16_MAX, now_us);
}

/* ---- reports --------------------------------------------------------------------------------- */

static void forget_clock(struct sl_bwe *b)
{
    memset(&b->arrived, 0, sizeof(b->arrived));
    sl_trend_init(&b->trend);
    b->base_since_us = 0;
}

/* The wire has a time that wraps after twelve days, and starts anywhere. */
static int64_t unwrap(struct sl_bwe *b, int64_t wire_us)
{
    int64_t d = (wire_us - b->arrival_us) % WRAP_US;

    if (d > WRAP_US / 2)
        d -= WRAP_US;
    else if (d < -WRAP_US / 2)
        d += WRAP_US;
    if (!b->arrival_us || d > JUMP_US || d < -JUMP_US) { /* another clock, for all we know */
        forget_clock(b);
        b->arrival_us = EPOCH - EPOCH % WRAP_US + wire_us % WRAP_US;
    } else {
        b->arrival_us += d;
    }
    return b->arrival_us;
}

void sl_bwe_new_way(struct sl_bwe *b)
{
    forget_clock(b);
    b->queue_us = b->standing_us = 0;
    b->standing_reports = 0;
    b->stuck_us = 0;
    b->link_bps = 0;
    b->probe_us = 0; /* how much it carries is found out soon */
    b->estimate_bps = fmin(b->estimate_bps, SL_BWE_START);
}

static int64_t base_us(const struct sl_bwe *b)
{
    return b->base_us[0] < b->base_us[1] ? b->base_us[0] : b->base_us[1];
}

static void note_delay(struct sl_bwe *b, int64_t delay_us, uint64_t send_us)
{
    if (!b->base_since_us)
        b->base_us[0] = b->base_us[1] = delay_us;
    if (!b->base_since_us || send_us > b->base_since_us + BASE_US) {
        b->base_us[1] = b->base_us[0];
        b->base_us[0] = delay_us;
        b->base_since_us = send_us;
    }
    if (delay_us < b->base_us[0])
        b->base_us[0] = delay_us;
    if (!b->any || delay_us < b->least_us)
        b->least_us = delay_us;
    b->newest_us = delay_us;
    b->any = true;
}

void sl_bwe_report_packet(struct sl_bwe *b, uint16_t seq, bool arrived, int64_t arrival_us)
{
    struct sl_bwe_packet *p = place_of(b, seq);
    int64_t before_us;

    if (!p || p->seq != seq || p->state == EMPTY || p->state == ARRIVED)
        return;
    if (!arrived) {
        if (p->state == LOST)
            return;
        p->state = LOST;
        b->reported++;
        b->lost++;
        sl_probe_on_lost(&b->probe, p->cluster);
        return;
    }
    if (p->state == LOST)
        b->lost--; /* it was late */
    else
        b->reported++;
    before_us = b->arrival_us;
    arrival_us = unwrap(b, arrival_us);
    note_delay(b, arrival_us - (int64_t)p->send_us, p->send_us);
    if (b->newest_us - base_us(b) < (arrival_us - before_us) / 2)
        memset(&b->arrived, 0, sizeof(b->arrived)); /* the path had nothing to do meanwhile */
    sl_rate_add(&b->arrived, p->bytes, (uint64_t)arrival_us);
    if (p->state == FLYING) {
        sl_trend_add(&b->trend, p->send_us, arrival_us);
        sl_probe_on_arrived(&b->probe, p->cluster, p->bytes, p->send_us, arrival_us);
    }
    p->state = ARRIVED;
    b->newest_send_us = p->send_us;
}

static double arrived_bps(const struct sl_bwe *b)
{
    return sl_rate_newest_bps(&b->arrived) / (1 - b->loss.own);
}

/* What came while the queue was busy is what the path carries. But who used little of it, and got
 * that through, was not the one who filled it: others were, and want a share as well. */
static void cut(struct sl_bwe *b, uint64_t now_us)
{
    double out = sl_rate_bps(&b->out, 300000, b->sent_us), bps = arrived_bps(b), to = CUT * bps;

    if (bps <= 0)
        return;
    if (out < SL_BWE_USED * b->estimate_bps && bps > THROUGH * out) {
        if (now_us < b->cut_us + OTHERS_US)
            return;
        to = fmax(to, CUT * b->estimate_bps);
    } else {
        b->link_bps = bps;
    }
    b->cut_us = now_us;
    b->chain = false;
    if (b->probe_us < now_us + PROBE_CUT)
        b->probe_us = now_us + PROBE_CUT;
    if (to < b->estimate_bps)
        set_estimate(b, to, SL_BWE_DELAY);
}

/* A queue of ours drains when we send less. One that stands though all comes through is that of
 * others, or none: the way has become longer. It is taken for that, and what comes on top counts.
 */
static void heed_standing(struct sl_bwe *b, uint64_t now_us)
{
    double out = sl_rate_bps(&b->out, STUCK_US, b->sent_us);
    bool ended = now_us >= b->stuck_us + 2 * STUCK_US;

    if (b->stuck_us && now_us < b->stuck_us + STUCK_US)
        b->stuck_most_us = b->standing_us > b->stuck_most_us ? b->standing_us : b->stuck_most_us;
    else if (b->standing_us < b->stuck_least_us)
        b->stuck_least_us = b->standing_us;
    if (b->stuck_us && ended && (double)b->stuck_least_us > STUCK * (double)b->stuck_most_us &&
        arrived_bps(b) > THROUGH * out) {
        b->base_us[0] = b->base_us[1] = base_us(b) + b->stuck_least_us;
        b->queue_us -= b->stuck_least_us;
        b->standing_us -= b->stuck_least_us;
        sl_trend_init(&b->trend);
    }
    if (b->standing_us <= STUCK_MIN) {
        b->stuck_us = 0;
    } else if (!b->stuck_us || ended) {
        b->stuck_us = now_us;
        b->stuck_most_us = b->standing_us;
        b->stuck_least_us = INT64_MAX;
    }
}

static bool is_over_used(const struct sl_bwe *b, uint64_t now_us)
{
    if (b->standing_reports >= STANDING_N)
        return true;
    if (now_us < b->calm_us)
        return false;
    if (b->trend.usage == SL_USAGE_OVER && b->queue_us > QUEUE_US)
        return true;
    return b->queue_us > LOSSY_US && b->lost > 0 && sl_loss_beyond(&b->loss) > MAY_GROW;
}

static void grow(struct sl_bwe *b, double s)
{
    double out = sl_rate_bps(&b->out, 1000000, b->sent_us), more;

    if (out < SL_BWE_USED * b->estimate_bps || b->standing_us > DRAIN_US ||
        b->trend.usage != SL_USAGE_NORMAL || sl_loss_beyond(&b->loss) > MAY_GROW)
        return;
    if (fabs(b->estimate_bps - b->link_bps) < NEAR * b->link_bps)
        more = PACKET_BITS / ((double)b->rtt_us / 1e6 + 0.1) * s;
    else
        more = b->estimate_bps * (pow(GROWTH, s) - 1);
    if (out > LIMITED * b->link_bps)
        b->link_bps = 0;
    set_estimate(b, b->estimate_bps + more, SL_BWE_GROWING);
}

static void heed_loss(struct sl_bwe *b, uint64_t now_us)
{
    double out = sl_rate_bps(&b->out, 1000000, b->sent_us);

    switch (sl_loss_judge(&b->loss, out, b->estimate_bps, b->standing_us > LOSSY_US, now_us)) {
    case SL_LOSS_LESS: /* where buffers are short, a burst is enough to be too much: pace */
        b->link_bps = out * (1 - b->loss.recent);
        set_estimate(b, LESS * b->estimate_bps, SL_BWE_LOSS);
        b->chain = false;
        break;
    case SL_LOSS_RESTORE:
        if (b->loss.trial_estimate > b->estimate_bps)
            set_estimate(b, b->loss.trial_estimate, SL_BWE_LOSS);
        break;
    case SL_LOSS_FINE:
        break;
    }
}

static void heed_probe(struct sl_bwe *b, uint64_t now_us)
{
    double bps;
    bool full;

    if (!sl_probe_result(&b->probe, &bps, &full))
        return;
    bps /= 1 - b->loss.own;
    b->chain = bps > b->estimate_bps && !full && b->cut_us < b->probe.begin_us;
    b->probe_us = b->chain ? now_us : now_us + PROBE_EVERY;
    if (full) {
        bps *= FULL;
        b->link_bps = bps;
        if (bps < b->estimate_bps) /* half of the way: one probe may be wrong */
            bps = (bps + b->estimate_bps) / 2;
    } else if (bps > LIMITED * b->link_bps) {
        b->link_bps = 0; /* it carries more by now */
    }
    if ((full || bps > b->estimate_bps) && b->cut_us < b->probe.begin_us)
        set_estimate(b, bps, SL_BWE_PROBED);
}

void sl_bwe_report_end(struct sl_bwe *b, uint64_t now_us)
{
    double s = b->updated_us ? (double)(now_us - b->updated_us) / 1e6 : 0;

    sl_loss_add(&b->loss, b->reported, b->lost);
    if (b->any) {
        if (b->reason == SL_BWE_STARTING)
            b->reason = SL_BWE_GROWING;
        b->report_us = b->updated_us = now_us;
        b->unanswered_us = 0;
        b->rtt_us = now_us - b->newest_send_us;
        b->queue_us = b->newest_us - base_us(b);
        b->standing_us = b->least_us - base_us(b);
        heed_standing(b, now_us);
        b->standing_reports = b->standing_us > STANDING_US ? b->standing_reports + 1 : 0;
        if (is_over_used(b, now_us))
            cut(b, now_us);
        else
            grow(b, s > 1 ? 1 : s);
    }
    heed_loss(b, now_us);
    heed_probe(b, now_us);
    b->reported = 0;
    b->lost = 0;
    b->any = false;
}

int sl_bwe_on_twcc(struct sl_bwe *b, const struct sl_rtcp_pkt *p, uint64_t now_us)
{
    struct sl_twcc_status s;
    struct sl_twcc_it it;
    int err = sl_twcc_begin(p, &it);

    if (err < 0)
        return err;
    while (sl_twcc_next(&it, &s))
        sl_bwe_report_packet(b, s.seq, s.received, s.arrival_us);
    sl_bwe_report_end(b, now_us);
    return 0;
}

/* It is the limit when it is about what is sent, or less, and does not rise. */
static void heed_remb(struct sl_bwe *b, double before, uint64_t now_us)
{
    double s = b->updated_us ? (double)(now_us - b->updated_us) / 1e6 : 0;
    double out = sl_rate_bps(&b->out, 1000000, now_us), bps = b->estimate_bps;

    bps = fmin(bps * pow(GROWTH, s < 1 ? s : 1), REMB_REACH * out);
    if (b->wanted_bps < b->remb_bps ||
        (b->remb_bps < REMB_NEAR * out && b->remb_bps < REMB_RISES * before))
        bps = 0;
    set_estimate(b, fmax(bps, b->remb_bps), SL_BWE_REMB);
    b->link_bps = b->estimate_bps; /* a burst would look like too much: pace */
    b->updated_us = now_us;
}

void sl_bwe_on_remb(struct sl_bwe *b, uint64_t bps, uint64_t now_us)
{
    double before = b->remb_bps;

    b->remb_bps = bps > (uint64_t)SL_BWE_MAX ? SL_BWE_MAX : fmax((double)bps, SL_BWE_MIN);
    if (!b->report_us) /* reports tell more */
        heed_remb(b, before, now_us);
}

/* ---- probes, silence ------------------------------------------------------------------------- */

void sl_bwe_want(struct sl_bwe *b, double bps)
{
    b->wanted_bps = bps;
}

/* Who has little asks for more of it than who has much, so that flows that share a path meet. */
static double probe_rate(const struct sl_bwe *b)
{
    double bps = b->estimate_bps + sqrt(PROBE_STEP * b->estimate_bps);

    if (b->chain)
        bps = (b->probe.cluster ? PROBE_CHAIN : PROBE_FIRST) * b->estimate_bps;
    return fmin(bps, fmin(WANTED * b->wanted_bps, SL_BWE_MAX));
}

/* Also when nothing is sent because nothing fits: how else would it be known that it does again? */
static bool may_probe(const struct sl_bwe *b, uint64_t now_us)
{
    return b->report_us && now_us >= b->probe_us && b->wanted_bps > b->estimate_bps &&
           b->queue_us < PROBE_QUEUE && sl_loss_beyond(&b->loss) <= MAY_GROW;
}

uint32_t sl_bwe_probe_bytes(struct sl_bwe *b, uint64_t now_us)
{
    struct sl_probe *p = &b->probe;

    if (p->awaited && now_us > b->probe_end_us) { /* its report was lost */
        p->awaited = false;
        b->probe_us = now_us + PROBE_EVERY;
    }
    if (!p->running && !p->awaited && may_probe(b, now_us)) {
        sl_probe_begin(p, probe_rate(b), b->estimate_bps, now_us);
        b->probe_end_us = p->end_us + PROBE_WAIT + 2 * b->rtt_us;
    }
    if (p->running)
        b->calm_us = now_us + b->rtt_us + PROBE_CALM;
    return sl_probe_bytes(p, now_us);
}

bool sl_bwe_is_probing(const struct sl_bwe *b)
{
    return b->probe.running;
}

void sl_bwe_tick(struct sl_bwe *b, uint64_t now_us)
{
    if (!b->report_us)
        return;
    if (!b->unanswered_us) {
        if (now_us < b->report_us + SILENT_US)
            return;
        b->queue_us = b->standing_us = 0; /* nothing of ours is under way */
        b->loss.recent = b->loss.own;
        return;
    }
    if (now_us < b->unanswered_us + SILENT_US || now_us < b->updated_us + SILENT_STEP)
        return;
    b->updated_us = now_us;
    set_estimate(b, SILENT_CUT * b->estimate_bps, SL_BWE_NO_REPORTS);
}

/* ---- answers --------------------------------------------------------------------------------- */

bool sl_bwe_is_known(const struct sl_bwe *b)
{
    return b->report_us || b->remb_bps > 0;
}

double sl_bwe_estimate(const struct sl_bwe *b)
{
    return b->report_us && b->remb_bps > 0 ? fmin(b->remb_bps, b->estimate_bps) : b->estimate_bps;
}

double sl_bwe_target(const struct sl_bwe *b)
{
    double drain = 1;

    if (b->standing_us > DRAIN_US)
        drain = fmax(1 - (double)(b->standing_us - DRAIN_US) / DRAIN_OVER, DRAIN_MIN);
    return drain * sl_bwe_estimate(b);
}

double sl_bwe_pace_bps(const struct sl_bwe *b)
{
    return PACE * fmin(sl_bwe_target(b), LIMITED * b->link_bps);
}
