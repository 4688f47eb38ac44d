/*
 * quality.h - what a subscriber gets on one m-line, and why it is not more.
 *
 * Thread: any; pure; header only.
 * Units:  bits per second, milliseconds, percent.
 */
#ifndef SLUICE_QUALITY_H
#define SLUICE_QUALITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Who could change it. */
enum sl_verdict {
    SL_VERDICT_GOOD,        /* all that there is, undamaged */
    SL_VERDICT_RECEIVER,    /* the receiver's link carries no more */
    SL_VERDICT_SENDER,      /* the sender's link: it lowered its layers, or packets are missing */
    SL_VERDICT_SERVER,      /* the server is short of time */
    SL_VERDICT_UNAVAILABLE, /* more was asked for than is sent */
    SL_VERDICT_REQUEST,     /* the receiver asked for no more */
    SL_VERDICT_MAX
};

enum sl_reason {
    SL_REASON_ALL,
    SL_REASON_BANDWIDTH,   /* more would not fit */
    SL_REASON_HOLDING,     /* more might fit, but not long enough ago it did not */
    SL_REASON_NO_ROOM,     /* nothing fits: others matter more */
    SL_REASON_LOSS,        /* on the way to the receiver */
    SL_REASON_LAYER_ENDED, /* the layer was sent before */
    SL_REASON_SENDER_LOSS, /* on the way from the sender, and not repaired */
    SL_REASON_LOAD,
    SL_REASON_NOT_SENT, /* the layer never was */
    SL_REASON_SILENT,   /* nothing is sent */
    SL_REASON_MAXIMUM,  /* `substream`, `temporal` and their like */
    SL_REASON_SIZE,     /* a larger picture than is shown */
    SL_REASON_HIDDEN,   /* it is not shown at all */
    SL_REASON_PAUSED,
    SL_REASON_MAX
};

struct sl_quality {
    enum sl_reason reason;
    bool has_layers;            /* simulcast or SVC */
    bool svc;                   /* layers are spatial ones */
    int8_t layer, tid;          /* forwarded now; -1: none, or not known */
    int8_t want_layer, want_tid; /* that would be, if only the receiver were asked */
    uint32_t estimate_bps, target_bps; /* of the whole path to the receiver; 0: not known */
    uint32_t rtt_ms, queue_ms;         /* on it; rtt 0: not known */
    double loss, sender_loss;
};

struct sl_reason_info {
    enum sl_verdict verdict;
    const char *name;
};

static inline const struct sl_reason_info *sl_reason_info_get(enum sl_reason r)
{
    /* In the order of enum sl_reason: C++ has no designated elements. */
    static const struct sl_reason_info info[SL_REASON_MAX] = {
        { SL_VERDICT_GOOD, "all" },
        { SL_VERDICT_RECEIVER, "bandwidth" },
        { SL_VERDICT_RECEIVER, "holding" },
        { SL_VERDICT_RECEIVER, "no_room" },
        { SL_VERDICT_RECEIVER, "loss" },
        { SL_VERDICT_SENDER, "layer_ended" },
        { SL_VERDICT_SENDER, "sender_loss" },
        { SL_VERDICT_SERVER, "load" },
        { SL_VERDICT_UNAVAILABLE, "not_sent" },
        { SL_VERDICT_UNAVAILABLE, "silent" },
        { SL_VERDICT_REQUEST, "maximum" },
        { SL_VERDICT_REQUEST, "size" },
        { SL_VERDICT_REQUEST, "hidden" },
        { SL_VERDICT_REQUEST, "paused" },
    };

    return &info[r];
}

static inline enum sl_verdict sl_reason_verdict(enum sl_reason r)
{
    return sl_reason_info_get(r)->verdict;
}

static inline const char *sl_verdict_to_str(enum sl_verdict v)
{
    static const char *const names[SL_VERDICT_MAX] = {
        "good", "receiver", "sender", "server", "unavailable", "request",
    };

    return names[v];
}

static inline const char *sl_reason_to_str(enum sl_reason r)
{
    return sl_reason_info_get(r)->name;
}

static inline void sl_quality_set_layers(json_t *j, bool svc, int layer, int tid)
{
    json_object_set_new(j, svc ? "spatial_layer" : "substream", json_integer(layer));
    json_object_set_new(j, svc ? "temporal_layer" : "temporal", json_integer(tid));
}

/* As clients, administrators and event handlers are told: a new object. */
static inline json_t *sl_quality_json(const struct sl_quality *q)
{
    json_t *wanted, *j = json_pack("{s:s, s:s}", "verdict",
                                   sl_verdict_to_str(sl_reason_verdict(q->reason)), "reason",
                                   sl_reason_to_str(q->reason));

    if (q->has_layers) {
        wanted = json_object();
        sl_quality_set_layers(j, q->svc, q->layer, q->tid);
        sl_quality_set_layers(wanted, q->svc, q->want_layer, q->want_tid);
        json_object_set_new(j, "wanted", wanted);
    }
    json_object_set_new(j, "estimate", json_integer(q->estimate_bps));
    json_object_set_new(j, "target", json_integer(q->target_bps));
    json_object_set_new(j, "rtt", json_integer(q->rtt_ms));
    json_object_set_new(j, "queue", json_integer(q->queue_ms));
    json_object_set_new(j, "loss", json_real(q->loss));
    json_object_set_new(j, "sender_loss", json_real(q->sender_loss));
    return j;
}

#endif
