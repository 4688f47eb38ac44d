/*
 * bwe.h - how much the path to one receiver carries, estimated by the sender.
 *
 * Spec:   draft-ietf-rmcat-gcc-02 (delay-based control, AIMD), with the trendline; transport-wide
 *         feedback: draft-holmer-rmcat-transport-wide-cc-extensions-01; REMB for those who have
 *         nothing else: draft-alvestrand-rmcat-remb-03
 * Thread: the owner's; reads no clock.  Owner: the peer connection.
 * Memory: the history grows with the packets in flight; without memory some are not known.
 * Units:  microseconds of the owner's clock; bits per second; bytes as on the wire.
 *
 * What is forwarded comes in steps (layers), so the path is mostly used by less than it carries. An
 * estimate grows by use only while it is used (above SL_BWE_USED of it); beyond that it grows by
 * probes, small clusters of padding, sent while more is wanted. So it is never a guess:
 *  - over-use (delay grows): a little less than what arrived while the queue was busy;
 *  - loss with flat delay: bwe_loss.h;
 *  - a probe that arrived: what it showed.
 * The target, which layers are chosen by, is the estimate, and less while a queue stands that has
 * to drain.
 */
#ifndef SL_BWE_H
#define SL_BWE_H

#include "bwe/bwe_loss.h"
#include "bwe/bwe_probe.h"
#include "bwe/bwe_rate.h"
#include "bwe/bwe_trend.h"
#include "rtcp/rtcp.h"

/* Packets in flight that are known: powers of two. */
#define SL_BWE_HISTORY_MIN 64
#define SL_BWE_HISTORY_MAX 2048
#define SL_BWE_HISTORY_US  UINT64_C(2000000) /* what is older makes it grow no more */
#define SL_BWE_USED        0.9
#define SL_BWE_MIN         50000.0
#define SL_BWE_MAX         100e6
#define SL_BWE_START       2.5e6 /* good pictures at once; where it is too much, for a second */

struct sl_bwe_packet {
    uint64_t send_us;
    uint16_t bytes;
    uint16_t seq;
    uint8_t cluster;
    uint8_t state; /* enum in bwe.c */
};

/* Why the estimate is what it is. */
enum sl_bwe_reason {
    SL_BWE_STARTING,   /* no feedback yet */
    SL_BWE_DELAY,      /* the queue grew */
    SL_BWE_LOSS,       /* too much was lost */
    SL_BWE_PROBED,     /* a probe found it */
    SL_BWE_GROWING,    /* in use, and the queue is short */
    SL_BWE_NO_REPORTS, /* feedback stopped */
    SL_BWE_REMB,       /* the receiver says so */
};
const char *sl_bwe_reason_to_str(enum sl_bwe_reason r);

struct sl_bwe {
    struct sl_bwe_packet *sent; /* by number modulo nsent; NULL before the first packet */
    uint16_t nsent;
    struct sl_trend trend;
    struct sl_rate arrived; /* on the receiver's clock, since the path last had nothing to do */
    struct sl_rate out;
    struct sl_loss loss;
    struct sl_probe probe;

    double estimate_bps;
    enum sl_bwe_reason reason;
    double link_bps; /* what it carried when it was full; 0: not known, or it carries more by now */
    double wanted_bps;
    double remb_bps; /* 0: none */

    int64_t arrival_us; /* on the receiver's clock, unwrapped; 0: none yet */
    /* Least one-way delay of this period and the one before, on clocks that differ by a constant.
     */
    int64_t base_us[2];
    uint64_t base_since_us;
    int64_t queue_us;    /* delay of the newest packet beyond that */
    int64_t standing_us; /* the least of the last report */
    unsigned int standing_reports;
    /* Such a queue: since when, the most of its first half, the least of the second. */
    uint64_t stuck_us;
    int64_t stuck_most_us, stuck_least_us;

    uint64_t rtt_us; /* until the report about a packet comes, so a little more than a round trip */
    uint64_t sent_us, report_us, updated_us, cut_us;
    uint64_t unanswered_us; /* the first packet after the last report; 0: none */
    uint64_t calm_us;       /* no over-use is taken from reports before: a probe is under way */
    uint64_t probe_us;      /* the next one not before */
    uint64_t probe_end_us;  /* when the result has to be there */
    bool chain;             /* the last probe was not the limit: the next may follow at once */

    /* Of the report that is read. */
    uint32_t reported;
    int32_t lost;
    int64_t least_us, newest_us; /* delays */
    uint64_t newest_send_us;
    bool any;
};

void sl_bwe_init(struct sl_bwe *b, double start_bps);
void sl_bwe_fini(struct sl_bwe *b);

/* A packet with the transport-wide number @seq goes out. Retransmissions and padding count. */
void sl_bwe_on_sent(struct sl_bwe *b, uint16_t seq, size_t bytes, uint64_t now_us);

/* One without a number: what a receiver that tells by REMB only has to be compared with. */
void sl_bwe_note_sent(struct sl_bwe *b, size_t bytes, uint64_t now_us);

/* One transport-cc report. 0 or -EBADMSG; packets that are unknown or were reported are passed
 * over. */
int sl_bwe_on_twcc(struct sl_bwe *b, const struct sl_rtcp_pkt *p, uint64_t now_us);
/* The same for other formats: packets of one report in order, then the end of it. @arrival_us: on
 * the receiver's clock. */
void sl_bwe_report_packet(struct sl_bwe *b, uint16_t seq, bool arrived, int64_t arrival_us);
void sl_bwe_report_end(struct sl_bwe *b, uint64_t now_us);
/* The receiver's own estimate: all there is without reports, else a cap. Receivers grant half as
 * much again as what comes, which no larger layer may fit into; so where there are no reports, more
 * is tried while it does not go down. */
void sl_bwe_on_remb(struct sl_bwe *b, uint64_t bps, uint64_t now_us);

/* Packets go another way from now on: what was learned of delays says nothing about it. */
void sl_bwe_new_way(struct sl_bwe *b);

/* What all that is subscribed to could use: no more is probed for. */
void sl_bwe_want(struct sl_bwe *b, double bps);
/* Every few milliseconds: bytes of padding to be sent now (sl_bwe_on_sent as usual). */
uint32_t sl_bwe_probe_bytes(struct sl_bwe *b, uint64_t now_us);
/* sl_bwe_probe_bytes has to be called soon, and until this is false. */
bool sl_bwe_is_probing(const struct sl_bwe *b);
/* Several times a second: feedback that stopped. */
void sl_bwe_tick(struct sl_bwe *b, uint64_t now_us);

/* There was feedback; before, layers are not limited. */
bool sl_bwe_is_known(const struct sl_bwe *b);
double sl_bwe_estimate(const struct sl_bwe *b);
double sl_bwe_target(const struct sl_bwe *b);
/* What a burst may leave at (bwe_pace.h); 0: the path was not seen full, and nothing waits. */
double sl_bwe_pace_bps(const struct sl_bwe *b);

#endif
