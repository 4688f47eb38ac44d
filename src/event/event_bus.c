#include "base/clock.h"
#include "base/log.h"
#include "event/event_priv.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOLD_US UINT64_C(1000000) /* between two log lines about losses */

/* ---- what handlers call ---------------------------------------------------------------------- */

static struct event_slot *slot_of(const struct sl_event_core *core)
{
    return sl_container((struct sl_event_core *)(uintptr_t)core, struct event_slot, core);
}

static const json_t *core_config(const struct sl_event_core *core)
{
    return slot_of(core)->config;
}

static void core_log(const struct sl_event_core *core, int level, const char *event,
                     const char *text)
{
    const char *package = slot_of(core)->handler.package;
    const char *dot = strrchr(package, '.');

    SL_LOG_AT((enum sl_log_level)level, dot ? dot + 1 : package, event, "%s", text);
}

static bool core_wait(const struct sl_event_core *core, unsigned int ms)
{
    struct event_slot *s = slot_of(core);
    struct timespec ts;
    bool stopping;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += (long)(ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->stopping && rc != ETIMEDOUT) /* new events wake it up, too */
        rc = pthread_cond_timedwait(&s->wake, &s->lock, &ts);
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return !stopping;
}

static unsigned int core_patience_ms(const struct sl_event_core *core)
{
    struct event_slot *s = slot_of(core);
    unsigned int ms = UINT_MAX;
    uint64_t now_us;

    pthread_mutex_lock(&s->lock);
    if (s->stopping) {
        now_us = sl_now_us();
        ms = now_us < s->end_us ? (unsigned int)((s->end_us - now_us) / 1000) : 0;
    }
    pthread_mutex_unlock(&s->lock);
    return ms;
}

void event_core_init(struct event_slot *s)
{
    pthread_condattr_t attr;

    s->core = (struct sl_event_core){
        .abi = SL_EVENT_ABI,
        .size = sizeof(struct sl_event_core),
        .config = core_config,
        .log = core_log,
        .wait = core_wait,
        .patience_ms = core_patience_ms,
    };
    sl_list_init(&s->queue);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
}

/* ---- a handler's thread ---------------------------------------------------------------------- */

static size_t cost(const struct sl_event *e)
{
    return e->len + SL_EVENT_COST;
}

/* Under the lock, which is given up meanwhile. */
static void deliver_some(struct event_slot *s)
{
    struct event_item *items[SL_EVENT_BATCH];
    struct sl_event events[SL_EVENT_BATCH];
    size_t n = 0, lost, bytes = 0;

    while (n < SL_EVENT_BATCH && !sl_list_is_empty(&s->queue)) {
        items[n] = sl_container(s->queue.next, struct event_item, link);
        sl_list_del(&items[n]->link);
        events[n] = items[n]->event;
        bytes += cost(&events[n]);
        n++;
    }
    pthread_mutex_unlock(&s->lock);
    lost = s->handler.deliver(events, n);
    for (size_t i = 0; i < n; i++)
        free(items[i]);
    pthread_mutex_lock(&s->lock);
    if (lost > n)
        lost = n;
    s->stats.lost += lost;
    s->stats.delivered += n - lost;
    s->stats.waiting -= n;
    s->bytes -= bytes;
}

static void give_up(struct event_slot *s)
{
    while (!sl_list_is_empty(&s->queue)) {
        struct event_item *i = sl_container(s->queue.next, struct event_item, link);

        sl_list_del(&i->link);
        s->stats.lost++;
        s->stats.waiting--;
        free(i);
    }
}

static void *run(void *arg)
{
    struct event_slot *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping || (!sl_list_is_empty(&s->queue) && sl_now_us() < s->end_us)) {
        if (sl_list_is_empty(&s->queue))
            pthread_cond_wait(&s->wake, &s->lock);
        else
            deliver_some(s);
    }
    give_up(s);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int event_slot_start(struct event_slot *s)
{
    return -pthread_create(&s->thread, NULL, run, s);
}

/* ---- life ------------------------------------------------------------------------------------ */

int sl_events_create(const struct sl_events_conf *conf, struct sl_events **out, char *err,
                     size_t cap)
{
    struct sl_events *e = calloc(1, sizeof(*e));
    int rc;

    if (!e)
        return -ENOMEM;
    e->conf = *conf;
    if (!e->conf.max_queue)
        e->conf.max_queue = SL_EVENTS_MAX_QUEUE;
    rc = event_load(e, err, cap);
    if (rc) {
        sl_events_destroy(e);
        return rc;
    }
    *out = e;
    return 0;
}

int sl_events_add(struct sl_events *e, const struct sl_event_handler *h, char *err, size_t cap)
{
    return event_slot_add(e, h, NULL, "(linked in)", err, cap);
}

static void slot_stop(struct event_slot *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    s->end_us = sl_now_us() + SL_EVENTS_STOP_MS * 1000;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void sl_events_destroy(struct sl_events *e)
{
    if (!e)
        return;
    for (int i = 0; i < e->n; i++)
        slot_stop(e->slot[i]);
    for (int i = 0; i < e->n; i++) {
        struct event_slot *s = e->slot[i];

        pthread_join(s->thread, NULL);
        s->handler.fini();
        SL_LOG_AT(s->stats.lost ? SL_LOG_WARN : SL_LOG_INFO, "events", "stopped",
                  "package=%s delivered=%llu lost=%llu", s->handler.package,
                  (unsigned long long)s->stats.delivered, (unsigned long long)s->stats.lost);
        event_slot_free(s);
    }
    free(e);
}

void event_types_update(struct sl_events *e)
{
    e->types = 0;
    for (int i = 0; i < e->n; i++)
        e->types |= e->slot[i]->types;
}

/* ---- events ---------------------------------------------------------------------------------- */

bool sl_events_wants(const struct sl_events *e, enum sl_event_type type)
{
    return e && (e->types & (unsigned int)type);
}

/* NULL: out of memory. */
static char *write_event(const struct sl_events *e, const struct sl_event_head *h, json_t *body)
{
    json_t *j = json_object();
    char *text;

    if (e->conf.emitter)
        json_object_set_new(j, "emitter", json_string(e->conf.emitter));
    json_object_set_new(j, "type", json_integer(h->type));
    if (h->subtype)
        json_object_set_new(j, "subtype", json_integer(h->subtype));
    json_object_set_new(j, "timestamp", json_integer((json_int_t)sl_wall_us()));
    if (h->session)
        json_object_set_new(j, "session_id", json_integer((json_int_t)h->session));
    if (h->handle)
        json_object_set_new(j, "handle_id", json_integer((json_int_t)h->handle));
    if (h->opaque_id)
        json_object_set_new(j, "opaque_id", json_string(h->opaque_id));
    json_object_set_new(j, "event", body);
    text = body ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return text;
}

static struct event_item *item_new(enum sl_event_type type, const char *text, size_t len)
{
    struct event_item *i = text ? malloc(sizeof(*i) + len + 1) : NULL;

    if (!i)
        return NULL;
    memcpy(i + 1, text, len + 1);
    i->event = (struct sl_event){ type, (char *)(i + 1), len };
    return i;
}

static void tell_lost(struct event_slot *s, uint64_t lost) SL_ON_CONTROL;
static void tell_lost(struct event_slot *s, uint64_t lost)
{
    uint64_t now_us = sl_now_us();

    if (s->told_us && now_us < s->told_us + TOLD_US)
        return;
    s->told_us = now_us;
    sl_warn("events", "lost", "package=%s lost=%llu reason=\"the queue is full\"",
            s->handler.package, (unsigned long long)lost);
}

static void slot_put(struct event_slot *s, enum sl_event_type type, const char *text,
                     size_t len) SL_ON_CONTROL;
static void slot_put(struct event_slot *s, enum sl_event_type type, const char *text, size_t len)
{
    struct event_item *i = item_new(type, text, len);
    uint64_t lost;

    pthread_mutex_lock(&s->lock);
    s->stats.emitted++;
    if (i && s->bytes + cost(&i->event) <= s->bus->conf.max_queue) {
        if (sl_list_is_empty(&s->queue))
            pthread_cond_signal(&s->wake);
        sl_list_add(&s->queue, &i->link);
        s->bytes += cost(&i->event);
        s->stats.waiting++;
        i = NULL;
        lost = 0;
    } else {
        lost = ++s->stats.lost;
    }
    pthread_mutex_unlock(&s->lock);
    free(i);
    if (lost)
        tell_lost(s, lost);
}

void sl_events_emit(struct sl_events *e, const struct sl_event_head *head, json_t *body)
{
    char *text;
    size_t len;

    if (!sl_events_wants(e, head->type)) {
        json_decref(body);
        return;
    }
    text = write_event(e, head, body);
    len = text ? strlen(text) : 0;
    for (int i = 0; i < e->n; i++) {
        if (e->slot[i]->types & (unsigned int)head->type)
            slot_put(e->slot[i], head->type, text, len);
    }
    free(text);
}

/* ---- for administrators ---------------------------------------------------------------------- */

static struct event_slot *slot_find(const struct sl_events *e, const char *package)
{
    for (int i = 0; e && i < e->n; i++) {
        if (!strcmp(e->slot[i]->handler.package, package))
            return e->slot[i];
    }
    return NULL;
}

static struct sl_events_stats slot_stats(struct event_slot *s)
{
    struct sl_events_stats st;

    pthread_mutex_lock(&s->lock);
    st = s->stats;
    pthread_mutex_unlock(&s->lock);
    return st;
}

int sl_events_stats_get(struct sl_events *e, const char *package, struct sl_events_stats *out)
{
    struct event_slot *s = slot_find(e, package);

    if (!s)
        return -ENOENT;
    *out = slot_stats(s);
    return 0;
}

json_t *sl_events_info(const struct sl_events *e)
{
    json_t *all = json_object();

    for (int i = 0; e && i < e->n; i++) {
        const struct sl_event_handler *h = &e->slot[i]->handler;

        json_object_set_new(all, h->package,
                            json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", h->name, "author",
                                      h->author, "description", h->description, "version_string",
                                      h->version_string, "version", h->version));
    }
    return all;
}

static json_t *query_stats(struct event_slot *s)
{
    struct sl_events_stats st = slot_stats(s);

    return json_pack("{s:i, s:I, s:I, s:I, s:I}", "result", 200, "emitted", (json_int_t)st.emitted,
                     "delivered", (json_int_t)st.delivered, "lost", (json_int_t)st.lost, "waiting",
                     (json_int_t)st.waiting);
}

/* What the handler itself says; a member `events` alone is enough for a tweak. */
static json_t *query_handler(struct event_slot *s, const char *verb, const json_t *request)
{
    json_t *answer = s->handler.query ? s->handler.query(request) : NULL;

    if (answer)
        return answer;
    if (verb && !strcmp(verb, "tweak"))
        return json_pack("{s:i}", "result", 200);
    return json_pack("{s:i, s:s}", "error_code", 411, "error", "Unknown request");
}

json_t *sl_events_query(struct sl_events *e, const char *package, const json_t *request)
{
    struct event_slot *s = slot_find(e, package);
    const char *verb = json_string_value(json_object_get(request, "request"));
    const json_t *events = json_object_get(request, "events");
    unsigned int types;
    json_t *answer;

    if (!s)
        return NULL;
    if (verb && !strcmp(verb, "stats"))
        return query_stats(s);
    types = s->types;
    if (events &&
        (!json_is_string(events) || sl_event_types_parse(json_string_value(events), &types)))
        return json_pack("{s:i, s:s}", "error_code", 411, "error",
                         "Invalid element type (events should be a list of event types)");
    answer = query_handler(s, verb, request);
    if (json_object_get(answer, "error_code"))
        return answer; /* all of it is refused */
    s->types = types;
    event_types_update(e);
    return answer;
}
