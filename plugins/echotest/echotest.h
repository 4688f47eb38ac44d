/*
 * echotest.h - sends a client's own media back to it.
 *
 * Spec:   EchoTest of the control protocol (docs/compatibility.md, "EchoTest").
 * Thread: control.  Owner: the core's handle, one struct echo each.
 * Echo is a route from each sendrecv m-line of the handle to itself; packets never come here.
 */
#ifndef ECHOTEST_H
#define ECHOTEST_H

#include "../common/pl_queue.h"
#include <sluice/codec.h>
#include <sluice/plugin.h>

#define ECHO_PACKAGE     "janus.plugin.echotest"
#define ECHO_LINES_MAX   64
#define ECHO_FALLBACK_US 250000

enum echo_error { ECHO_ERR_ELEMENT = 413, ECHO_ERR_SDP = 414 };

struct echo_line {
    enum sl_kind kind;
    enum sl_codec codec;
    bool routed; /* media goes back on it */
    bool red, simulcast, svc;
    struct sl_layer_event now; /* layers that are forwarded; -1: none yet */
};

struct echo {
    sl_hid h;

    /* What the client asked for; back to the defaults when its connection ends. */
    struct echo_wish {
        bool audio, video, svc, opusred;
        uint32_t bitrate;
        struct sl_layer_wish layers;
        enum sl_codec audiocodec, videocodec; /* SL_CODEC_NONE: whatever comes first */
        char videoprofile[16];
    } wish;

    /* The connection. */
    struct echo_line lines[ECHO_LINES_MAX];
    size_t nlines;
    bool has_pc, e2ee;
    uint32_t slow_links;

    /* Data channels: answers that wait for room, oldest first. */
    struct pl_queue held;
    bool data_paused;
};

extern const struct sl_core *echo_core;

/* echotest_request.c: one request, from body to reply. */
void echo_message(struct echo *e, struct sl_msg *m, const json_t *body,
                  const struct sl_jsep_in *jsep);
void echo_wish_reset(struct echo *e);

/* echotest_media.c */
/* Answers an offer with @data: 0, or -EINVAL with @text saying why (@data is released either way).
 */
int echo_answer(struct echo *e, struct sl_msg *m, const struct sl_jsep_in *offer, json_t *data,
                const char **text);
/* Brings gates, bitrate and layers of the connection in line with the wishes. */
void echo_apply(struct echo *e, const struct echo_wish *old);
void echo_media_reset(struct echo *e);

/* echotest_data.c: text comes back behind a prefix, binary as it is. Nothing is lost: while answers
 * wait, the client has to. */
void echo_data(struct echo *e, const char *label, const char *protocol, bool binary,
               const void *data, size_t len);
void echo_data_flush(struct echo *e);
void echo_data_reset(struct echo *e);

#endif
