/*
 * event_priv.h - what the files of src/event/ share.
 */
#ifndef SL_EVENT_PRIV_H
#define SL_EVENT_PRIV_H

#include "base/list.h"
#include "event/event_bus.h"
#include <pthread.h>

#define EVENT_HANDLERS_MAX 8

struct event_item {
    struct sl_list link;
    struct sl_event event; /* its text is behind the struct */
};

/* One handler. */
struct event_slot {
    struct sl_event_core core; /* as the handler sees us */
    struct sl_events *bus;
    struct sl_event_handler handler; /* a copy: fields that an older one does not have are NULL */
    void *dl;                        /* NULL: linked in */
    json_t *config;
    unsigned int types; /* that it wants; control thread's */
    uint64_t told_us;   /* when losses were last logged; control thread's */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    uint64_t end_us; /* when patience ends */
    struct sl_list queue;
    size_t bytes; /* of the queue, and of what is being delivered */
    struct sl_events_stats stats;
};

struct sl_events {
    struct sl_events_conf conf;
    struct event_slot *slot[EVENT_HANDLERS_MAX];
    int n;
    unsigned int types; /* that anybody wants */
};

/* event_loader.c: the handlers that the configuration names, checked, configured and initialised,
 * but without a thread. */
int event_load(struct sl_events *e, char *err, size_t cap) SL_ON_CONTROL;
int event_slot_add(struct sl_events *e, const struct sl_event_handler *h, void *dl,
                   const char *where, char *err, size_t cap) SL_ON_CONTROL;
void event_slot_free(struct event_slot *s) SL_ON_CONTROL;

/* event_bus.c */
int event_slot_start(struct event_slot *s) SL_ON_CONTROL;
void event_core_init(struct event_slot *s);
void event_types_update(struct sl_events *e) SL_ON_CONTROL;

#endif
