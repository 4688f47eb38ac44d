/*
 * api_events.h - what event handlers are told of sessions, handles, connections and media.
 *
 * Spec:   admin and events, section 2. Thread: control.
 *
 * Each function looks first whether anybody wants events of its type, so that calls cost nothing
 * without handlers.
 */
#ifndef SL_API_EVENTS_H
#define SL_API_EVENTS_H

#include "api/api_priv.h"
#include "event/event_bus.h"

void api_ev_init(struct sl_api *api) SL_ON_CONTROL; /* starts the period of statistics */
/* Anything of a handle. Steals @body. */
void api_ev_emit(const struct sl_handle *h, enum sl_event_type type, int subtype,
                 json_t *body) SL_ON_CONTROL;

/* "created" and "claimed" by @from; "destroyed", "timeout" (NULL). */
void api_ev_session(const struct sl_session *s, const char *name,
                    const struct api_from *from) SL_ON_CONTROL;
/* "attached", with the token of the request or NULL; "detached". */
void api_ev_handle(const struct sl_handle *h, const char *name, const char *token) SL_ON_CONTROL;

/* A description; the candidates in it. @owner: "local" or "remote". */
void api_ev_candidates(const struct sl_handle *h, const char *owner, const char *sdp) SL_ON_CONTROL;
void api_ev_jsep(const struct sl_handle *h, const char *owner, enum sl_jsep_type type,
                 const char *sdp) SL_ON_CONTROL;
/* A trickled candidate, with or without "candidate:". */
void api_ev_candidate(const struct sl_handle *h, const char *owner, const char *text) SL_ON_CONTROL;
void api_ev_ice(const struct sl_handle *h, const char *state) SL_ON_CONTROL;
void api_ev_link(struct sl_handle *h, const struct sl_link *l) SL_ON_CONTROL;
void api_ev_up(const struct sl_handle *h) SL_ON_CONTROL;
void api_ev_hangup(const struct sl_handle *h, const char *reason) SL_ON_CONTROL;

const char *api_kind_to_str(enum sl_kind kind);
void api_ev_receiving(const struct sl_handle *h, const struct sl_mline *l, int substream,
                      bool receiving) SL_ON_CONTROL;
void api_ev_slow_link(const struct sl_handle *h, const struct sl_mline *l, bool uplink,
                      uint32_t lost) SL_ON_CONTROL;
/* What the worker counted; kept for the differences to the next. */
void api_ev_stats(struct sl_handle *h, const struct sl_media_stats *list, size_t n) SL_ON_CONTROL;
void api_ev_stats_forget(struct sl_handle *h) SL_ON_CONTROL; /* the connection is gone */

/* Steals @data. @hid 0: of no handle. */
void api_ev_plugin(struct sl_api *api, const char *package, sl_hid hid, json_t *data) SL_ON_CONTROL;
/* "connected", "request", with whom; "disconnected" (NULL). */
void api_ev_transport(struct sl_api *api, const struct api_from *from, const char *event,
                      const struct api_peer *peer) SL_ON_CONTROL;

/* The administrator's custom_event. */
void api_event_external(struct sl_api *api, const char *schema, json_t *data) SL_ON_CONTROL;

#endif
