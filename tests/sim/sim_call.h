/*
 * sim_call.h - subscribers on a virtual clock: sources with layers, the estimator and the allocator
 * of src/bwe/, a link, and transport-cc reports as they are on the wire.
 */
#ifndef SL_SIM_CALL_H
#define SL_SIM_CALL_H

#include "bwe/bwe.h"
#include "bwe/bwe_alloc.h"
#include "bwe/bwe_ccfb.h"
#include "bwe/bwe_pace.h"
#include "rtcp/rtcp_ccfb.h"
#include "rtcp/rtcp_twcc.h"
#include "sim_link.h"

#define SECOND UINT64_C(1000000)
#define MS     UINT64_C(1000)

#define SIM_VIDEOS_MAX  9
#define SIM_REPORTS_MAX 128 /* on their way back */
#define SIM_CALLS_MAX   5
#define SIM_STREAMS     3    /* of a call: video, audio, padding */
#define SIM_TCP_MAX     1024 /* packets and losses on their way to the sender */
#define SIM_HELD_MAX    4096 /* packets that the pacer holds; a power of two */
#define SIM_HIST_MS     1024

/* Simulcast of three temporal layers each, 30 frames per second. */
struct sim_video {
    double bps[SL_LAYERS_MAX]; /* 0: not sent */
    struct sl_alloc_video alloc;
    int sub;         /* sent now; SL_ALLOC_PAUSED: nothing */
    int asked;       /* a key frame of this one was asked for */
    uint64_t key_us; /* when it comes */
    uint64_t frame_us;
    unsigned int frame;
    uint64_t switches;
};

struct sim_report {
    uint64_t at_us;
    size_t len;
    uint8_t data[1200];
};

struct sim_call {
    struct sl_bwe bwe;
    struct sl_pace pace;
    struct sim_held {
        uint32_t bytes;
        uint64_t since_us;
    } held[SIM_HELD_MAX];
    unsigned int held_in, held_out;
    size_t held_bytes;
    uint64_t held_max_us; /* longest that a packet waited, since sim_begin_measure */
    struct sl_twcc_rx rx;
    bool ccfb; /* RFC 8888 instead */
    bool remb; /* REMB instead, by: */
    double remb_bps;
    struct sl_rate arrived;
    uint64_t remb_us, cut_us,
        late_us; /* told again, told less; in the queue, of the newest packet */
    struct sl_bwe_ccfb sent_ccfb;
    struct sl_ccfb_rx rx_ccfb;
    uint16_t rtp_seq[SIM_STREAMS];
    struct sim_video video[SIM_VIDEOS_MAX];
    size_t nvideos;
    uint64_t begin_us, end_us; /* 0: never */
    uint64_t pause_us, resume_us;
    bool backwards;   /* with two_way: media goes by the link back, reports by the other one */
    uint64_t back_us; /* delay of reports, beside that of the link */
    double back_loss; /* of reports */
    uint16_t seq;
    uint64_t audio_us, alloc_us;
    struct sim_report report[SIM_REPORTS_MAX];
    unsigned int report_in, report_out;
    /* Since sim_call_begin_measure. */
    uint64_t sent, delivered, padding; /* bytes; delivered: media only */
    uint64_t media, media_arrived;     /* packets; without those still on their way */
    uint64_t since_us;
    uint64_t delivered_100ms; /* for plots */
};

/* A long download: loss halves it, each round trip without adds a packet (RFC 5681). */
struct sim_tcp {
    bool on;
    double window, threshold; /* packets */
    unsigned int flying;
    struct sim_ack {
        uint64_t at_us;
        bool lost;
    } ack[SIM_TCP_MAX];
    unsigned int ack_in, ack_out;
    uint64_t halved_us;
    uint64_t delivered; /* bytes, since sim_begin_measure */
};

struct sim_sample {
    double s, link, estimate[SIM_CALLS_MAX], target[SIM_CALLS_MAX], delivered[SIM_CALLS_MAX];
    double queue_ms;
    int layer[SIM_CALLS_MAX]; /* of the first video: substream * 3 + temporal; -1: paused */
};

struct sim_world {
    uint64_t now_us;
    uint32_t random;
    bool unpaced; /* a frame leaves as it comes */
    struct sim_link link;
    bool two_way; /* reports go by a link, too: */
    struct sim_link back;
    struct sim_call call[SIM_CALLS_MAX];
    size_t ncalls;
    struct sim_tcp tcp; /* in the same queue */
    /* Since sim_begin_measure. */
    uint64_t hist[SIM_HIST_MS], npackets; /* packets by ms in the queue */
    uint64_t over_us, over_max_us;        /* queue longer than 200 ms, without a break */
    double estimate_sum, link_sum;        /* of the first call */
    uint64_t nsums;
    /* Each 100 ms, when set. */
    void (*sample)(void *arg, const struct sim_sample *s);
    void *arg;
};

struct sim_world *sim_create(const struct sim_link_conf *conf, uint32_t seed);
void sim_destroy(struct sim_world *w);
/* From now on reports share the other link with the media there. */
void sim_two_way(struct sim_world *w, const struct sim_link_conf *back);
/* A call whose video has these layers. */
struct sim_call *sim_add_call(struct sim_world *w, double low, double mid, double high);
void sim_add_video(struct sim_call *c, double low, double mid, double high, uint8_t priority);
void sim_run(struct sim_world *w, uint64_t until_us);

void sim_begin_measure(struct sim_world *w);
/* Media that arrived, bits per second. */
double sim_goodput(const struct sim_world *w, const struct sim_call *c);
/* Fraction of the media packets. */
double sim_lost(const struct sim_call *c);
/* Milliseconds in the queue that 95 of 100 packets did not exceed. */
double sim_queue_p95(const struct sim_world *w);
/* Mean estimate of the first call over the mean capacity. */
double sim_estimate_share(const struct sim_world *w);

#endif
