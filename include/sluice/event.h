/*
 * event.h - the contract between the core and an event handler.
 *
 * Events tell what happens in the server: sessions, handles, descriptions, connections, media,
 * plugins, transports (reference: admin and events, section 2; docs/events.md). A handler takes
 * them elsewhere. It is a shared object that exports one symbol, `sl_event_handler` (see
 * SL_EVENT_HANDLER_EXPORT); the core refuses another `abi`, new fields are only appended and `size`
 * tells which exist.
 *
 * Threads: each handler has a thread of its own, on which deliver runs and may block as long as it
 * likes: events wait in a queue of so many bytes (events.max_queue) meanwhile, and what does not
 * fit is lost and counted. Nobody else waits. init, fini and query run on the control thread.
 */
#ifndef SLUICE_EVENT_H
#define SLUICE_EVENT_H

#include <sluice/types.h>
#include <jansson.h>

#define SL_EVENT_ABI 1

/* `type` of an event; a set of them is an `or`. */
enum sl_event_type {
    SL_EVENT_SESSION = 1,
    SL_EVENT_HANDLE = 2,
    SL_EVENT_EXTERNAL = 4,
    SL_EVENT_JSEP = 8,
    SL_EVENT_WEBRTC = 16,
    SL_EVENT_MEDIA = 32,
    SL_EVENT_PLUGIN = 64,
    SL_EVENT_TRANSPORT = 128,
    SL_EVENT_CORE = 256,
};

/* One event: a JSON object, compact, on one line, with a NUL behind it. */
struct sl_event {
    enum sl_event_type type;
    const char *text;
    size_t len;
};

#define SL_EVENT_BATCH 100 /* of one call of deliver, at most */

struct sl_event_core {
    uint32_t abi;
    uint32_t size;

    /* conf/<last part of the package>.conf as {"group": {"key": "value"}}; an empty object when
     * there is none. Valid until fini returned. The key `events` of the group `general` is the
     * core's: which events are wanted. */
    const json_t *(*config)(const struct sl_event_core *core);
    /* 0 error 1 warn 2 info 3 debug. Any thread. */
    void (*log)(const struct sl_event_core *core, int level, const char *event, const char *text);
    /* The handler's thread. Sleeps; false, at once, when the server stops. */
    bool (*wait)(const struct sl_event_core *core, unsigned int ms);
    /* Any thread. How long deliver may still take: UINT_MAX until the server stops, then the
     * milliseconds until all that is left counts as lost. */
    unsigned int (*patience_ms)(const struct sl_event_core *core);
};

struct sl_event_handler {
    uint32_t abi;  /* SL_EVENT_ABI */
    uint32_t size; /* sizeof(struct sl_event_handler) */

    const char *package; /* "janus.eventhandler.jsonlines" */
    const char *name, *author, *description, *version_string;
    int version;

    /* Once. 0, or -errno, which keeps the server from starting (log says why). */
    int (*init)(const struct sl_event_core *core);
    void (*fini)(void); /* after its thread has ended */

    /* @n events, the oldest first, valid for the call. How many of them it had to give up. */
    size_t (*deliver)(const struct sl_event *events, size_t n);

    /* The administrator's query_eventhandler: a new object. NULL: there is no such thing. The key
     * `events` of the request was taken by the core. */
    json_t *(*query)(const json_t *request);
};

#define SL_EVENT_HANDLER_EXPORT SL_EXPORT extern const struct sl_event_handler sl_event_handler; \
    const struct sl_event_handler sl_event_handler

#endif
