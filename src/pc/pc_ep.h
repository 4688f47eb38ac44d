/*
 * pc_ep.h - the control half of forwarders, remote publishers and players; the other half lives on a
 * worker (src/relay/).
 *
 * Thread: control.  Owner: the plugin that asked for it, by id: core->endpoint_del.
 *
 * Sockets are opened here, so that a port that is taken is told at once; the worker gets them with
 * SL_WMSG_EP_OPEN.
 */
#ifndef SL_PC_EP_H
#define SL_PC_EP_H

#include "pc/pc.h"
#include "base/id.h"

struct sl_ep;

/* As in struct sl_remote. */
typedef void (*sl_ep_talking_fn)(void *arg, uint16_t mindex, bool talking, double level);
typedef void (*sl_ep_voice_fn)(void *arg, uint16_t mindex, const struct sl_voice_report *v);
typedef void (*sl_ep_keyframe_fn)(void *arg, uint16_t mindex); /* as in struct sl_player */
/* Call @fn: what must stand around it is the owner's. */
struct sl_ep_tell {
    void (*talking)(sl_ep_talking_fn fn, void *arg, uint16_t mindex, bool talking, double level);
    void (*voice)(sl_ep_voice_fn fn, void *arg, uint16_t mindex, const struct sl_voice_report *v);
    void (*data)(sl_remote_data_fn fn, void *arg, uint16_t mindex, bool binary, const char *data,
                 size_t len);
    void (*keyframe)(sl_ep_keyframe_fn fn, void *arg, uint16_t mindex);
};

/* @near: an endpoint whose worker it shares; SL_ID_NONE: any. @port: of the socket, where feedback
 * is taken. 0; -EINVAL: the address or the SRTP key; -ENOMEM, -EAGAIN, or -errno of the socket. */
int sl_ep_forward(struct sl_pc_world *w, const struct sl_forward *f, sl_id near, struct sl_ep **out,
                  uint16_t *port) SL_ON_CONTROL;
/* What it sends from now on, one line per source; earlier lines keep their numbering as long as
 * their SSRC stays. A line with source NULL sends nothing. 0 or -ENOMEM. */
struct sl_ep_line {
    const struct sl_pc_source *source;
    const struct sl_forward_line *line;
};
int sl_ep_forward_lines(struct sl_ep *ep, const struct sl_ep_line *lines, size_t n) SL_ON_CONTROL;

/* 0; -EINVAL: addresses, ports or the SRTP key; -EADDRINUSE: no port of the range is free, or that
 * one is taken; -ENOMEM, -EAGAIN or -errno. */
int sl_ep_remote(struct sl_pc_world *w, const struct sl_remote *r, const struct sl_ep_tell *tell,
                 struct sl_ep **out, struct sl_remote_at *at) SL_ON_CONTROL;
int sl_ep_remote_lines(struct sl_ep *ep, const struct sl_remote_line *lines,
                       size_t n) SL_ON_CONTROL;

/* A forwarder sends one data message; see core->forward_data. */
int sl_ep_send_data(struct sl_ep *ep, uint32_t ssrc, bool is_binary, const void *data,
                    size_t len) SL_ON_CONTROL;

/* See core->player_add and player_send. */
int sl_ep_player(struct sl_pc_world *w, const struct sl_player *p, const struct sl_ep_tell *tell,
                 struct sl_ep **out) SL_ON_CONTROL;
int sl_ep_play(struct sl_ep *ep, uint16_t mindex, const struct sl_player_packet *packets,
               size_t n) SL_ON_CONTROL;

/* NULL is fine. */
void sl_ep_destroy(struct sl_ep *ep) SL_ON_CONTROL;
sl_id sl_ep_id(const struct sl_ep *ep);
/* NULL: no such endpoint, or a peer connection. */
struct sl_ep *sl_ep_find(const struct sl_pc_world *w, sl_id id) SL_ON_CONTROL;

/* As a publisher: the same as for peer connections. */
int sl_ep_source(const struct sl_ep *ep, uint16_t mindex, struct sl_pc_source *out) SL_ON_CONTROL;
int sl_ep_keyframe(struct sl_ep *ep, uint16_t mindex) SL_ON_CONTROL;
int sl_ep_gate(struct sl_ep *ep, uint16_t mindex, bool closed) SL_ON_CONTROL;
int sl_ep_talk_detect(struct sl_ep *ep, uint16_t mindex, uint32_t packets,
                      uint8_t threshold) SL_ON_CONTROL;
int sl_ep_voice(struct sl_ep *ep, uint16_t mindex, enum sl_voice_mode mode) SL_ON_CONTROL;

/* Taps of publishers of either kind, by the id that workers know. Takes @tap over when it returns 0,
 * and then @tap->done comes in any case. 0 or -ENOMEM. */
struct sl_media_tap;
int sl_ep_tap(struct sl_pc_world *w, sl_id id, uint16_t mindex,
              struct sl_media_tap *tap) SL_ON_CONTROL;
int sl_ep_untap(struct sl_pc_world *w, sl_id id, uint16_t mindex, uint64_t tap) SL_ON_CONTROL;

#endif
