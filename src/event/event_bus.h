/*
 * event_bus.h - what happens in the server, on its way to event handlers (<sluice/event.h>).
 *
 * Thread: control; each handler has a thread of its own that takes events from a queue.
 * Owner:  src/control/; made before the api, destroyed after it.
 *
 *   emit -> JSON text -> queue of each handler that wants it -> deliver (its thread, in batches)
 *
 * emit never waits: a queue that is full loses the event and counts it. For each handler, emitted =
 * delivered + lost + what waits. A NULL bus wants nothing.
 */
#ifndef SL_EVENT_BUS_H
#define SL_EVENT_BUS_H

#include "base/role.h"
#include <sluice/event.h>

#define SL_EVENTS_MAX_QUEUE (16 * 1024 * 1024)
#define SL_EVENTS_STOP_MS   800 /* for what waits when the server stops */
#define SL_EVENT_ALL        511
#define SL_EVENT_COST       64 /* what an event is counted beside its text */

struct sl_events;

/* Borrowed during create, but strings stay borrowed. */
struct sl_events_conf {
    const char *dir;        /* where <name>.so are */
    const char *handlers;   /* comma list of names; NULL: none */
    const char *config_dir; /* NULL: handlers have no configuration */
    /* A file as {"group": {"key": "value"}}, new; an empty object when there is none. NULL: @err.
     */
    json_t *(*load)(const char *path, char *err, size_t cap);
    const char *emitter; /* NULL: none */
    size_t max_queue;    /* bytes of each handler; 0: SL_EVENTS_MAX_QUEUE */
};

/* Loads and starts the handlers. 0, or -errno and one sentence in @err. */
int sl_events_create(const struct sl_events_conf *conf, struct sl_events **out, char *err,
                     size_t cap) SL_ON_CONTROL;
/* Starts one that is linked in (tests). */
int sl_events_add(struct sl_events *e, const struct sl_event_handler *h, char *err,
                  size_t cap) SL_ON_CONTROL;
/* Gives handlers SL_EVENTS_STOP_MS, then stops them, and logs what was lost. NULL is fine. */
void sl_events_destroy(struct sl_events *e) SL_ON_CONTROL;

/* Whether any handler wants @type: else there is no need to make a body. */
bool sl_events_wants(const struct sl_events *e, enum sl_event_type type) SL_ON_CONTROL;

struct sl_event_head {
    enum sl_event_type type;
    int subtype;              /* 0: none */
    uint64_t session, handle; /* 0: none */
    const char *opaque_id;    /* NULL: none */
};
/* Steals @body, an object or array; NULL counts as lost by everybody who wants it. */
void sl_events_emit(struct sl_events *e, const struct sl_event_head *head,
                    json_t *body) SL_ON_CONTROL;

struct sl_events_stats {
    uint64_t emitted, delivered, lost; /* since the start */
    uint64_t waiting;                  /* events in the queue or in deliver */
};
/* 0; -ENOENT: there is no such handler. */
int sl_events_stats_get(struct sl_events *e, const char *package,
                        struct sl_events_stats *out) SL_ON_CONTROL;

/* {package: {"name", "author", "description", "version_string", "version"}}, new. */
json_t *sl_events_info(const struct sl_events *e) SL_ON_CONTROL;

/* The administrator's query_eventhandler. {"request": "stats"} is answered for every handler; a
 * member `events` ("sessions,handles") changes what it gets, the rest is its own. A new object with
 * `result`, or `error_code` and `error`; NULL: there is no such handler. */
json_t *sl_events_query(struct sl_events *e, const char *package,
                        const json_t *request) SL_ON_CONTROL;

/* "sessions,handles" to a set; "none", "all". 0 or -EINVAL. */
int sl_event_types_parse(const char *list, unsigned int *out);

#endif
