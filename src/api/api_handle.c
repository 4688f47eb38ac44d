/* Handles: attach and detach, and the order of their events. */

#include "api/api_events.h"
#include "plugin/plugin_check.h"
#include "plugin/plugin_loader.h"
#include "base/rand.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sl_handle *api_handle_get(struct sl_api *api, sl_hid hid)
{
    struct sl_hnode *n = sl_hmap_first(&api->handles, sl_hash_u64(hid));

    for (; n; n = sl_hmap_next(n)) {
        struct sl_handle *h = sl_container(n, struct sl_handle, node);

        if (h->hid == hid)
            return h;
    }
    return NULL;
}

struct sl_handle *api_handle_find(const struct sl_session *s, uint64_t id)
{
    struct sl_list *pos;

    sl_list_for_each (pos, &s->handles) {
        struct sl_handle *h = sl_container(pos, struct sl_handle, link);

        if (h->id == id && !h->dying && !h->end_wanted)
            return h;
    }
    return NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */

json_t *api_handle_event(const struct sl_handle *h, const char *word)
{
    json_t *j = json_object();

    json_object_set_new(j, "janus", json_string(word));
    json_object_set_new(j, "session_id", json_integer((json_int_t)h->session->id));
    json_object_set_new(j, "sender", json_integer((json_int_t)h->id));
    if (h->opaque_id && h->session->api->conf.opaqueid_in_api)
        json_object_set_new(j, "opaque_id", json_string(h->opaque_id));
    return j;
}

static void out_free(struct api_out *o)
{
    sl_list_del(&o->link);
    json_decref(o->json);
    free(o);
}

void api_handle_flush(struct sl_handle *h)
{
    while (!sl_list_is_empty(&h->out)) {
        struct api_out *o = sl_container(h->out.next, struct api_out, link);

        if (o->held || o->waiting)
            return;
        api_session_send(h->session, json_incref(o->json));
        out_free(o);
    }
}

void api_handle_send(struct sl_handle *h, json_t *json)
{
    struct api_out *o;

    if (sl_list_is_empty(&h->out)) {
        api_session_send(h->session, json);
        return;
    }
    o = calloc(1, sizeof(*o));
    if (!o) {
        json_decref(json);
        return;
    }
    o->handle = h;
    o->json = json;
    sl_list_add(&h->out, &o->link);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int handle_add(struct sl_session *s, struct sl_handle *h) SL_ON_CONTROL;
static int handle_add(struct sl_session *s, struct sl_handle *h)
{
    h->hid = ++s->api->last_hid;
    do
        h->id = sl_rand52();
    while (api_handle_find(s, h->id));
    if (sl_hmap_add(&s->api->handles, &h->node, sl_hash_u64(h->hid)))
        return -ENOMEM;
    sl_list_add(&s->handles, &h->link);
    s->nhandles++;
    return 0;
}

static void handle_free(struct sl_handle *h) SL_ON_CONTROL;
static void handle_free(struct sl_handle *h)
{
    if (!sl_list_is_empty(&h->link)) {
        sl_hmap_del(&h->session->api->handles, &h->node);
        sl_list_del(&h->link);
        h->session->nhandles--;
    }
    sl_list_del(&h->defer);
    free(h->opaque_id);
    free(h);
}

int api_handle_create(struct sl_session *s, const struct sl_plugin *plugin, const char *opaque_id,
                      struct sl_handle **out)
{
    struct sl_handle *h;
    int err = -ENOMEM;

    if (s->nhandles >= s->api->conf.max_handles)
        return -ENOSPC;
    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->session = s;
    h->plugin = plugin;
    h->created_us = s->api->cq->now_us;
    sl_list_init(&h->link);
    sl_list_init(&h->defer);
    sl_list_init(&h->out);
    sl_list_init(&h->trickles);
    sl_list_init(&h->msgs);
    if (opaque_id && !(h->opaque_id = strdup(opaque_id)))
        goto fail;
    err = handle_add(s, h);
    if (err)
        goto fail;
    err = plugin->attach(h->hid, opaque_id, &h->state);
    if (err)
        goto fail;
    *out = h;
    return 0;

fail:
    handle_free(h);
    return err;
}

void api_handle_destroy(struct sl_handle *h, bool tell)
{
    struct sl_session *s = h->session;
    json_t *j = NULL;

    if (h->dying)
        return;
    h->dying = true;
    sl_list_del(&h->defer);
    while (!sl_list_is_empty(&h->msgs))
        api_msg_end(sl_container(h->msgs.next, struct api_msg, link));
    api_pc_close(h, "", false);
    api_capture_end(h);
    h->plugin->detach(h->hid, h->state);
    sl_plugin_check_over(SL_PLUGIN_HANDLE, h->hid, h->plugin->package);
    api_ev_handle(h, "detached", NULL);
    api_trickles_clear(h);
    if (tell)
        j = api_handle_event(h, "detached");
    while (!sl_list_is_empty(&h->out)) {
        struct api_out *o = sl_container(h->out.next, struct api_out, link);

        if (tell)
            api_session_send(s, json_incref(o->json));
        out_free(o);
    }
    handle_free(h);
    if (j)
        api_session_send(s, j);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

void api_verb_attach(struct api_req *r)
{
    const char *package = sl_arg_str(r->root, "plugin", "");
    const struct sl_plugin *p = sl_plugins_find(r->api->plugins, package);
    struct sl_handle *h;
    int err;

    if (!p) {
        api_fail(r, SL_API_NO_PLUGIN, "No such plugin '%s'", package);
        return;
    }
    if (!sl_auth_may_attach(&r->api->auth, &r->who, r->token, package)) {
        api_fail(r, SL_API_UNAUTHORIZED_PLUGIN, "Provided token can't access plugin '%s'", package);
        return;
    }
    err = api_handle_create(r->session, p, sl_arg_str(r->root, "opaque_id", NULL), &h);
    if (err) {
        api_fail(r, SL_API_PLUGIN_ATTACH, "Couldn't attach to plugin: %s",
                 err == -ENOSPC ? "too many handles in this session" : strerror(-err));
        return;
    }
    api_ev_handle(h, "attached", r->token);
    api_ok(r, "success", json_pack("{s:{s:I}}", "data", "id", (json_int_t)h->id));
}

void api_verb_detach(struct api_req *r)
{
    api_ok(r, "success", NULL);
    api_handle_destroy(r->handle, true);
    r->handle = NULL;
}

void api_verb_hangup(struct api_req *r)
{
    api_ok(r, "success", NULL);
    api_pc_close(r->handle, "Janus API", true);
}
