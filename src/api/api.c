#include "api/api_dns.h"
#include "api/api_events.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>

static struct sl_api *the_api; /* control thread; plugins call without a context */

struct sl_api *sl_api_get(void)
{
    return the_api;
}

/* ---- deferred ends --------------------------------------------------------------------------- */

static void run_deferred(struct sl_api *api) SL_ON_CONTROL;
static void run_deferred(struct sl_api *api)
{
    while (!sl_list_is_empty(&api->deferred)) {
        struct sl_handle *h = sl_container(api->deferred.next, struct sl_handle, defer);

        sl_list_del(&h->defer);
        if (h->end_wanted)
            api_handle_destroy(h, true);
        else
            api_pc_run_deferred(h);
    }
}

void api_enter(struct sl_api *api)
{
    api->depth++;
}

void api_leave(struct sl_api *api)
{
    if (api->depth == 1)
        run_deferred(api); /* at depth 1 still: what it calls may mark more */
    api->depth--;
}

static void on_defer(struct sl_timer *t, uint64_t now_us)
{
    struct sl_api *api = sl_container(t, struct sl_api, defer_timer);

    SL_ASSUME(control);
    (void)now_us;
    api_enter(api);
    api_leave(api);
}

void api_handle_defer(struct sl_handle *h)
{
    struct sl_api *api = h->session->api;

    if (sl_list_is_empty(&h->defer))
        sl_list_add(&api->deferred, &h->defer);
    if (!api->depth)
        sl_timer_set(&api->cq->wheel, &api->defer_timer, api->cq->now_us);
}

/* ---- life ------------------------------------------------------------------------------------ */

int sl_api_create(const struct sl_api_conf *conf, struct sl_cq *cq, struct sl_plugins *plugins,
                  struct sl_pc_world *world, struct sl_api **out)
{
    struct sl_api *api;
    int err;

    if (the_api)
        return -EBUSY;
    api = calloc(1, sizeof(*api));
    if (!api)
        return -ENOMEM;
    api->conf = *conf;
    api->auth.api_secret = conf->api_secret;
    api->auth.token_secret = conf->token_secret;
    api->auth.token_auth = conf->token_auth;
    api->auth.anonymous = conf->anonymous;
    err = sl_auth_init(&api->auth);
    if (err) {
        free(api);
        return err;
    }
    api->cq = cq;
    api->plugins = plugins;
    api->world = world;
    api->accepting = true;
    api->log_level = (int)sl_log_get_level() + 2; /* the reference's warnings are 3 */
    sl_hmap_init(&api->conns);
    sl_hmap_init(&api->sessions);
    sl_hmap_init(&api->handles);
    sl_hmap_init(&api->msgs);
    sl_list_init(&api->session_list);
    sl_list_init(&api->deferred);
    sl_list_init(&api->waits);
    sl_timer_init(&api->defer_timer, on_defer);
    api_ev_init(api);
    the_api = api;
    *out = api;
    return 0;
}

void sl_api_close(struct sl_api *api)
{
    api->closing = true;
    api_enter(api);
    while (!sl_list_is_empty(&api->session_list)) {
        struct sl_session *s = sl_container(api->session_list.next, struct sl_session, link);

        api_polls_release(s, SL_TSTATUS_CLOSING);
        api_session_destroy(s);
    }
    api_waits_end(api);
    sl_dns_destroy(api->dns);
    api->dns = NULL;
    api_leave(api);
}

void sl_api_destroy(struct sl_api *api)
{
    if (!api)
        return;
    sl_api_close(api);
    sl_timer_cancel(&api->defer_timer);
    sl_timer_cancel(&api->stats_timer);
    api_conns_fini(api);
    sl_hmap_fini(&api->conns);
    sl_hmap_fini(&api->sessions);
    sl_hmap_fini(&api->handles);
    sl_hmap_fini(&api->msgs);
    sl_auth_fini(&api->auth);
    the_api = NULL;
    free(api);
}
