/* Sessions: creation, lookup, takeover, lifetime (control protocol, sections 5.2 and 6). */

#include "api/api_events.h"
#include "base/log.h"
#include "base/rand.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Wrong session ids that one connection may send at once, and the time that makes up for one. */
#define WRONG_MAX 20
#define WRONG_US  UINT64_C(1000000)

struct sl_session *api_session_get(const struct sl_api *api, uint64_t id)
{
    struct sl_hnode *n = sl_hmap_first(&api->sessions, sl_hash_u64(id));

    for (; n; n = sl_hmap_next(n)) {
        struct sl_session *s = sl_container(n, struct sl_session, node);

        if (s->id == id)
            return s;
    }
    return NULL;
}

struct sl_session *api_session_find(struct sl_api *api, uint64_t id, const struct api_from *from,
                                    const struct sl_principal *who)
{
    struct sl_session *s = api_session_get(api, id);
    struct api_conn *c = api_conn_get(api, from);
    uint64_t now = api->cq->now_us;

    if (s && c && s->owner == c)
        return sl_principal_owns(who, &s->principal) ? s : NULL;
    /* A connection that guessed too often learns nothing about sessions of others for a while. */
    if (c && c->wrong_until_us > now + WRONG_MAX * WRONG_US)
        return NULL;
    if (s && sl_principal_owns(who, &s->principal))
        return s;
    if (c)
        c->wrong_until_us = (c->wrong_until_us > now ? c->wrong_until_us : now) + WRONG_US;
    return NULL;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

int64_t api_session_timeout(const struct sl_session *s)
{
    return s->timeout_s < 0 ? s->api->conf.session_timeout_s : s->timeout_s;
}

/* When the session ends if nothing happens; 0: never. */
static uint64_t session_deadline(const struct sl_session *s) SL_ON_CONTROL;
static uint64_t session_deadline(const struct sl_session *s)
{
    uint64_t timeout_us = (uint64_t)api_session_timeout(s) * 1000000;
    uint64_t at = timeout_us ? s->active_us + timeout_us : 0;

    if (s->orphaned) {
        uint64_t reclaim = s->orphaned_us + (uint64_t)s->api->conf.reclaim_timeout_s * 1000000;

        return at && at < reclaim ? at : reclaim;
    }
    return at;
}

/* The deadline moves with every request; the timer follows only when it fires. */
static void on_timer(struct sl_timer *t, uint64_t now_us)
{
    struct sl_session *s = sl_container(t, struct sl_session, timer);
    struct sl_api *api = s->api;
    uint64_t at;
    json_t *j;

    SL_ASSUME(control);
    at = session_deadline(s);
    if (!at)
        return;
    if (at > now_us) {
        sl_timer_set(&api->cq->wheel, t, at);
        return;
    }
    api_enter(api);
    sl_info("session", "timeout", "orphaned=%d", s->orphaned);
    j = json_object();
    json_object_set_new(j, "janus", json_string("timeout"));
    json_object_set_new(j, "session_id", json_integer((json_int_t)s->id));
    api_session_send(s, j);
    api_ev_session(s, "timeout", NULL);
    s->timed_out = true;
    api_session_destroy(s);
    api_leave(api);
}

void api_session_rearm(struct sl_session *s)
{
    uint64_t at = session_deadline(s);

    if (at)
        sl_timer_set(&s->api->cq->wheel, &s->timer, at);
    else
        sl_timer_cancel(&s->timer);
}

void api_session_touch(struct sl_session *s)
{
    s->active_us = s->api->cq->now_us;
}

/* Gives the event stream to the connection that asks. */
static int session_own(struct sl_session *s, const struct api_from *from) SL_ON_CONTROL;
static int session_own(struct sl_session *s, const struct api_from *from)
{
    struct api_conn *c = api_conn_get(s->api, from);

    if (from->conn && !c)
        return -ENOMEM;
    sl_list_del(&s->owner_link);
    s->owner = c;
    s->transport = from->t;
    s->orphaned = false;
    if (c)
        sl_list_add(&c->sessions, &s->owner_link);
    api_session_rearm(s);
    return 0;
}

int api_session_create(struct sl_api *api, uint64_t id, const struct api_from *from,
                       const struct sl_principal *who, struct sl_session **out)
{
    struct sl_session *s;

    if (id && api_session_get(api, id))
        return -EEXIST;
    while (!id || api_session_get(api, id))
        id = sl_rand52();
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->api = api;
    s->id = id;
    s->principal = *who;
    s->active_us = api->cq->now_us;
    s->timeout_s = -1;
    sl_list_init(&s->owner_link);
    sl_list_init(&s->handles);
    sl_list_init(&s->events);
    sl_list_init(&s->polls);
    sl_timer_init(&s->timer, on_timer);
    if (session_own(s, from) || sl_hmap_add(&api->sessions, &s->node, sl_hash_u64(id))) {
        sl_timer_cancel(&s->timer);
        sl_list_del(&s->owner_link);
        free(s);
        return -ENOMEM;
    }
    sl_list_add(&api->session_list, &s->link);
    api->nsessions++;
    api_ev_session(s, "created", from);
    *out = s;
    return 0;
}

void api_session_destroy(struct sl_session *s)
{
    struct sl_api *api = s->api;

    s->dying = true;
    sl_timer_cancel(&s->timer);
    api_polls_release(s, SL_TSTATUS_OK);
    while (!sl_list_is_empty(&s->handles))
        api_handle_destroy(sl_container(s->handles.next, struct sl_handle, link), false);
    while (!sl_list_is_empty(&s->events)) {
        struct api_event *e = sl_container(s->events.next, struct api_event, link);

        sl_list_del(&e->link);
        json_decref(e->json);
        free(e);
    }
    if (!s->timed_out)
        api_ev_session(s, "destroyed", NULL);
    sl_list_del(&s->owner_link);
    sl_list_del(&s->link);
    sl_hmap_del(&api->sessions, &s->node);
    api->nsessions--;
    free(s);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void push(const struct sl_session *s, json_t *json) SL_ON_CONTROL;
static void push(const struct sl_session *s, json_t *json)
{
    s->owner->t->push(s->owner->id, json);
    json_decref(json);
}

void api_session_send(struct sl_session *s, json_t *json)
{
    struct api_event *e;

    if (s->dying) {
        json_decref(json);
        return;
    }
    if (s->owner) {
        push(s, json);
        return;
    }
    if (s->nevents >= s->api->conf.max_events) {
        e = sl_container(s->events.next, struct api_event, link);
        sl_list_del(&e->link);
        json_decref(e->json);
    } else {
        e = malloc(sizeof(*e));
        if (!e) {
            json_decref(json);
            return;
        }
        s->nevents++;
    }
    e->json = json;
    sl_list_add(&s->events, &e->link);
    if (!s->orphaned)
        api_polls_release(s, SL_TSTATUS_OK);
}

void api_session_claim(struct sl_session *s, const struct api_from *from)
{
    if ((s->owner && s->owner == api_conn_get(s->api, from)) || session_own(s, from))
        return;
    api_ev_session(s, "claimed", from);
    api_polls_release(s, SL_TSTATUS_OK);
    while (s->owner && !sl_list_is_empty(&s->events)) {
        struct api_event *e = sl_container(s->events.next, struct api_event, link);

        sl_list_del(&e->link);
        s->nevents--;
        push(s, e->json);
        free(e);
    }
}

/* ---- verbs ----------------------------------------------------------------------------------- */

void api_verb_create(struct api_req *r)
{
    uint64_t id = (uint64_t)sl_arg_int(r->root, "id", 0);
    struct sl_session *s;
    int err = api_session_create(r->api, id, &r->from, &r->who, &s);

    if (err == -EEXIST) {
        api_fail(r, SL_API_SESSION_CONFLICT, "Session ID already in use");
        return;
    }
    if (err) {
        api_fail(r, SL_API_UNKNOWN, "%s", strerror(-err));
        return;
    }
    api_ok(r, "success", json_pack("{s:{s:I}}", "data", "id", (json_int_t)s->id));
}

void api_verb_keepalive(struct api_req *r)
{
    api_ok(r, "ack", NULL);
}

void api_verb_claim(struct api_req *r)
{
    /* The answer goes first, then what was queued: it tells the client that events may come. */
    if (r->from.conn && !api_conn_get(r->api, &r->from)) {
        api_fail(r, SL_API_UNKNOWN, "Out of memory");
        return;
    }
    api_ok(r, "success", NULL);
    api_session_claim(r->session, &r->from);
}

void api_verb_destroy(struct api_req *r)
{
    api_ok(r, "success", NULL);
    api_session_destroy(r->session);
    r->session = NULL;
}
