/*
 * api.h - the session protocol: sessions, handles, requests, events.
 *
 * Spec:   control protocol, sections 2 to 9 and 11.
 * Thread: control; transports reach it through the struct sl_tcore that they get.
 * Owner:  src/control/, one per process (plugins and transports call without a context).
 *
 *   transport -> sl_tcore.request -> mailbox -> validation -> verb -> [plugin] -> answer / events
 *
 * Ownership: sl_api owns its sessions, a session its handles, a handle its peer connection and its
 * queue of events. Handles are known to plugins by sl_hid, requests by a number behind struct
 * sl_msg *, so whatever a plugin keeps too long resolves to nothing.
 */
#ifndef SL_API_API_H
#define SL_API_API_H

#include "base/cq.h"
#include <sluice/plugin.h>
#include <sluice/transport.h>

struct sl_api;
struct sl_events;
struct sl_plugins;
struct sl_pc_world;

/* All given; strings are copied by nobody and outlive the api. */
struct sl_api_conf {
    int64_t session_timeout_s;    /* no request for that long ends a session; 0: never */
    int64_t reclaim_timeout_s;    /* life after its connection is gone; 0: none */
    int64_t candidates_timeout_s; /* trickles that wait for a description */
    int64_t max_sessions;
    int64_t max_handles;               /* per session */
    int64_t max_events;                /* of a session that wait; beyond it the oldest goes */
    int64_t max_polls;                 /* of a session; beyond it the oldest is answered */
    int64_t max_requests;              /* of a handle that wait for their event */
    int64_t max_candidates;            /* of a handle that wait for a description */
    int64_t max_sdp_bytes, max_mlines; /* of a client's offer */
    int64_t no_media_timer_s;
    int64_t slowlink_threshold; /* packets lost per second; 0: no slowlink events */
    const char *server_name;
    const char *api_secret, *token_secret, *admin_secret; /* NULL: none */
    const char *capture_dir;   /* of packet captures; NULL: none are made */
    int64_t capture_max_bytes; /* of each */
    bool token_auth;
    bool anonymous; /* who shows no credential may create rooms */
    bool opaqueid_in_api;
    const json_t *info;       /* members to add to server_info, or NULL */
    struct sl_events *events; /* event/event_bus.h; NULL: nobody is told anything */
    int64_t stats_period_s;   /* of media statistics and core updates to event handlers; 0: none */
    bool combine_media_stats; /* of a handle in one event */
};

/* 0 or -ENOMEM; -EBUSY: there is one already. */
int sl_api_create(const struct sl_api_conf *conf, struct sl_cq *cq, struct sl_plugins *plugins,
                  struct sl_pc_world *world, struct sl_api **out) SL_ON_CONTROL;
/* Transports have stopped. NULL is fine. */
void sl_api_destroy(struct sl_api *api) SL_ON_CONTROL;

/* Ends all sessions (peer connections close, long polls end with SL_TSTATUS_CLOSING) and answers
 * everything later the same way. Plugins are still loaded. */
void sl_api_close(struct sl_api *api) SL_ON_CONTROL;

/* Gives @t its way into the core, valid until sl_api_destroy; NULL: there are too many. @t outlives
 * the api. */
const struct sl_tcore *sl_api_transport_add(struct sl_api *api,
                                            const struct sl_transport *t) SL_ON_CONTROL;

/* Events of the core: when all is started, and when @signum ends it. */
void sl_api_event_started(struct sl_api *api) SL_ON_CONTROL;
void sl_api_event_shutdown(struct sl_api *api, int signum) SL_ON_CONTROL;

/* The running api, for the functions of struct sl_core; NULL before create. */
struct sl_api *sl_api_get(void) SL_ON_CONTROL;

#endif
