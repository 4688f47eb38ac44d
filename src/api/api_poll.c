/* Long polls (control protocol, section 8.2): the core's side. */

#include "api/api_priv.h"
#include <stdlib.h>

static json_t *keepalive_new(int maxev)
{
    json_t *j = json_object();

    json_object_set_new(j, "janus", json_string("keepalive"));
    return maxev > 1 ? json_pack("[o]", j) : j;
}

/* What is queued, as the client asked for it; a keepalive when nothing is. */
static json_t *events_take(struct sl_session *s, int maxev)
{
    json_t *list;

    if (sl_list_is_empty(&s->events))
        return keepalive_new(maxev);
    list = json_array();
    for (int n = 0; !sl_list_is_empty(&s->events) && n < (maxev > 1 ? maxev : 1); n++) {
        struct api_event *e = sl_container(s->events.next, struct api_event, link);

        sl_list_del(&e->link);
        s->nevents--;
        json_array_append_new(list, e->json);
        free(e);
    }
    if (maxev <= 1) {
        json_t *one = json_incref(json_array_get(list, 0));

        json_decref(list);
        return one;
    }
    return list;
}

static void poll_end(struct api_poll *p, enum sl_tstatus status, json_t *json) SL_ON_CONTROL;
static void poll_end(struct api_poll *p, enum sl_tstatus status, json_t *json)
{
    sl_timer_cancel(&p->timer);
    sl_list_del(&p->link);
    p->session->npolls--;
    api_answer(&p->from, status, json);
    free(p);
}

static void on_timer(struct sl_timer *t, uint64_t now_us)
{
    struct api_poll *p = sl_container(t, struct api_poll, timer);

    SL_ASSUME(control);
    (void)now_us;
    poll_end(p, SL_TSTATUS_OK, keepalive_new(p->maxev));
}

/* The newest gets the events: a client whose way was lost polls anew, and of its former connection
 * nothing tells us that nobody reads there any more. */
void api_polls_release(struct sl_session *s, enum sl_tstatus status)
{
    bool is_newest = true;

    while (!sl_list_is_empty(&s->polls)) {
        struct api_poll *p = sl_container(s->polls.prev, struct api_poll, link);
        json_t *json = NULL;

        if (status == SL_TSTATUS_OK)
            json = is_newest ? events_take(s, p->maxev) : keepalive_new(p->maxev);
        is_newest = false;
        poll_end(p, status, json);
    }
}

void api_poll_add(struct sl_session *s, const struct api_from *from, int maxev)
{
    struct api_poll *p;

    if (!s->owner && !s->orphaned && !sl_list_is_empty(&s->events)) {
        api_answer(from, SL_TSTATUS_OK, events_take(s, maxev));
        return;
    }
    if (s->npolls >= s->api->conf.max_polls) {
        p = sl_container(s->polls.next, struct api_poll, link);
        poll_end(p, SL_TSTATUS_OK, keepalive_new(p->maxev));
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        api_answer(from, SL_TSTATUS_OK, keepalive_new(maxev));
        return;
    }
    p->session = s;
    p->from = *from;
    p->maxev = maxev;
    sl_timer_init(&p->timer, on_timer);
    sl_list_add(&s->polls, &p->link);
    s->npolls++;
    sl_timer_set(&s->api->cq->wheel, &p->timer, s->api->cq->now_us + API_POLL_US);
}
