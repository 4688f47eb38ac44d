/* The message verb, and the plugin's answers. */

#include "api/api_priv.h"
#include "base/arena.h"
#include "base/log.h"
#include "plugin/plugin_check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Plugins hold requests by number: one that ended is not found, instead of being a stale pointer.
 */
static struct sl_msg *msg_name(uint64_t id)
{
    return (struct sl_msg *)(uintptr_t)id;
}

struct api_msg *api_msg_get(struct sl_api *api, const struct sl_msg *m)
{
    uint64_t id = (uint64_t)(uintptr_t)m;
    struct sl_hnode *n = sl_hmap_first(&api->msgs, sl_hash_u64(id));

    for (; n; n = sl_hmap_next(n)) {
        struct api_msg *msg = sl_container(n, struct api_msg, node);

        if (msg->id == id)
            return msg;
    }
    return NULL;
}

static void msg_free(struct api_msg *m)
{
    free(m->transaction);
    free(m);
}

static struct api_msg *msg_create(struct api_req *r) SL_ON_CONTROL;
static struct api_msg *msg_create(struct api_req *r)
{
    struct sl_handle *h = r->handle;
    struct api_msg *m;

    if (h->nmsgs >= r->api->conf.max_requests)
        return NULL;
    m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->id = ++r->api->last_msg;
    m->handle = h;
    m->from = r->from;
    m->transaction = strdup(r->transaction);
    if (!m->transaction || sl_hmap_add(&r->api->msgs, &m->node, sl_hash_u64(m->id))) {
        msg_free(m);
        return NULL;
    }
    sl_list_add(&h->msgs, &m->link);
    h->nmsgs++;
    return m;
}

static json_t *msg_answer(const struct api_msg *m, const char *word)
{
    json_t *j = json_object();

    json_object_set_new(j, "janus", json_string(word));
    json_object_set_new(j, "session_id", json_integer((json_int_t)m->handle->session->id));
    json_object_set_new(j, "transaction", json_string(m->transaction));
    return j;
}

void api_msg_end(struct api_msg *m)
{
    struct sl_handle *h = m->handle;

    if (m->held) { /* nobody will answer it any more */
        json_t *j = msg_answer(m, "error");

        json_object_set_new(j, "error",
                            json_pack("{s:i, s:s}", "code", SL_API_NO_HANDLE, "reason",
                                      sl_api_error_to_str(SL_API_NO_HANDLE)));
        api_answer(&m->from, SL_TSTATUS_OK, j);
    }
    if (h->offered && h->offer_msg == m->id)
        api_pc_drop_offer(h);
    sl_hmap_del(&h->session->api->msgs, &m->node);
    sl_list_del(&m->link);
    h->nmsgs--;
    msg_free(m);
}

void api_msg_ack(struct api_msg *m, const char *hint)
{
    json_t *j;

    if (m->acked)
        return;
    m->acked = true;
    m->held = false;
    j = msg_answer(m, "ack");
    if (hint)
        json_object_set_new(j, "hint", json_string(hint));
    api_answer(&m->from, SL_TSTATUS_OK, j);
    m->from.tag = NULL; /* answered */
}

/* The plugin's own doing: it must not name the message again. */
static void msg_answered(struct api_msg *m) SL_ON_CONTROL;
static void msg_answered(struct api_msg *m)
{
    sl_plugin_check_over(SL_PLUGIN_MESSAGE, m->id, m->handle->plugin->package);
    api_msg_end(m);
}

static json_t *plugindata(const struct sl_handle *h, json_t *data)
{
    return json_pack("{s:s, s:o}", "plugin", h->plugin->package, "data",
                     data ? data : json_object());
}

void api_plugin_reply(struct sl_api *api, struct sl_msg *name, json_t *data)
{
    struct api_msg *m = api_msg_get(api, name);
    json_t *j;

    if (!m) {
        json_decref(data);
        return;
    }
    if (m->acked) { /* the client waits for an event now */
        api_plugin_event(api, m->handle->hid, name, data, NULL);
        return;
    }
    j = msg_answer(m, "success");
    json_object_set_new(j, "sender", json_integer((json_int_t)m->handle->id));
    if (m->handle->opaque_id && api->conf.opaqueid_in_api)
        json_object_set_new(j, "opaque_id", json_string(m->handle->opaque_id));
    json_object_set_new(j, "plugindata", plugindata(m->handle, data));
    api_answer(&m->from, SL_TSTATUS_OK, j);
    m->held = false;
    msg_answered(m);
}

static struct api_out *out_create(struct sl_handle *h, json_t *json)
{
    struct api_out *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->handle = h;
    o->json = json;
    o->held = true;
    sl_list_add(&h->out, &o->link);
    return o;
}

int api_plugin_event(struct sl_api *api, sl_hid hid, struct sl_msg *name, json_t *data,
                     const struct sl_jsep_out *jsep)
{
    struct sl_handle *h = api_handle_get(api, hid);
    struct api_msg *m = name ? api_msg_get(api, name) : NULL;
    struct api_out *o;
    json_t *j;
    int err;

    if (m && m->handle != h)
        m = NULL;
    if (!h || h->dying || h->session->dying) {
        json_decref(data);
        return -ESTALE;
    }
    j = api_handle_event(h, "event");
    if (m)
        json_object_set_new(j, "transaction", json_string(m->transaction));
    json_object_set_new(j, "plugindata", plugindata(h, data));
    o = out_create(h, j);
    if (!o) {
        json_decref(j);
        return -ENOMEM;
    }
    err = jsep && jsep->type != SL_JSEP_NONE ? api_pc_describe(h, jsep, o) : 0;
    if (err) {
        sl_list_del(&o->link);
        json_decref(j);
        free(o);
        return err;
    }
    if (m) {
        api_msg_ack(m, NULL); /* always before its event */
        msg_answered(m);
    }
    o->held = false;
    api_handle_flush(h);
    return 0;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static void plugin_message(struct sl_handle *h, struct sl_msg *m, const json_t *body,
                           const struct sl_jsep_in *jsep) SL_ON_CONTROL;
static void plugin_message(struct sl_handle *h, struct sl_msg *m, const json_t *body,
                           const struct sl_jsep_in *jsep)
{
    const json_t *lent = sl_plugin_checks ? sl_plugin_check_lend(body, h->plugin->package) : NULL;

    h->plugin->message(h->hid, h->state, m, lent ? lent : body, jsep);
    if (lent)
        sl_plugin_check_lent_back();
}

void api_verb_message(struct api_req *r)
{
    struct sl_handle *h = r->handle;
    struct sl_jsep_in jsep = { 0 };
    struct sl_arena *a = sl_arena_create();
    struct api_msg *m;
    uint64_t id;

    if (!a) {
        api_fail(r, SL_API_UNKNOWN, "Out of memory");
        return;
    }
    if (!api_jsep_take(r, a, &jsep))
        goto out;
    m = msg_create(r);
    if (!m) {
        if (jsep.type == SL_JSEP_OFFER)
            api_pc_drop_offer(h);
        api_fail(r, SL_API_UNKNOWN, "Too many requests of this handle wait for their answer");
        goto out;
    }
    id = m->id;
    if (jsep.type == SL_JSEP_OFFER)
        h->offer_msg = id;
    plugin_message(h, msg_name(id), json_object_get(r->root, "body"),
                   jsep.type != SL_JSEP_NONE ? &jsep : NULL);
    m = api_msg_get(r->api, msg_name(id));
    if (m && !m->acked && !m->held) {
        sl_plugin_check_callback(h->plugin->package, "message",
                                 "left a request without reply, ack or hold");
        sl_warn("plugin", "no_answer", "plugin=%s", h->plugin->package);
        api_fail(r, SL_API_PLUGIN_MESSAGE, "%s", sl_api_error_to_str(SL_API_PLUGIN_MESSAGE));
        msg_answered(m);
    }
out:
    sl_arena_destroy(a);
}
