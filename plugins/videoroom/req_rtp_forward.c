#include "vr_forward.h"
#include "vr_host.h"
#include <stdlib.h>

#define ITEMS_MAX 64

/* What one request makes. */
struct plan {
    size_t n;
    struct vr_forward f[VR_FORWARDS_MAX];
};

static int item_check(struct vr_req *r, const json_t *item)
{
    static const struct sl_arg args[] = {
        { "mid", SL_ARG_STRING, SL_ARG_REQUIRED },
        { "port", SL_ARG_UINT, SL_ARG_REQUIRED },
        { "simulcast", SL_ARG_BOOL },
    };
    static const char *const names[] = { "pt", "pt_2", "pt_3", "ssrc", "ssrc_2", "ssrc_3" };

    if (VR_ARGS(r, item, args) < 0)
        return -1;
    for (size_t i = 0; i < SL_ARG_COUNT(names); i++) {
        const struct sl_arg arg = { names[i], SL_ARG_UINT, SL_ARG_OPTIONAL };

        if (vr_args(r, item, &arg, 1) < 0)
            return -1;
        if (i < 3 && sl_arg_int(item, names[i], 0) > 127)
            return vr_fail(r, VR_ERR_INVALID, "Invalid element (%s)", names[i]);
    }
    return vr_arg_port(r, item, "port_2") < 0 || vr_arg_port(r, item, "port_3") < 0 ||
                   vr_arg_port(r, item, "rtcp_port") < 0
               ? -1
               : 0;
}

/* One port of an item: simulcast layer @k, or the one that is chosen. */
static int plan_port(struct vr_req *r, struct plan *plan, struct vr_stream *s, const json_t *item,
                     unsigned int k, const char *ip)
{
    static const char *const names[][3] = { { "port", "pt", "ssrc" },
                                            { "port_2", "pt_2", "ssrc_2" },
                                            { "port_3", "pt_3", "ssrc_3" } };
    const int port = vr_arg_port(r, item, names[k][0]);
    struct vr_forward *f = &plan->f[plan->n];
    const uint32_t pt = vr_arg_u32(item, names[k][1], 0);
    const bool is_data = s->kind == SL_KIND_DATA;

    if (port < 0 || (port == 0 && k == 0))
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (%s)", names[k][0]);
    if (port == 0)
        return 0;
    if (vr_forward_count(s->pub) + plan->n >= VR_FORWARDS_MAX)
        return vr_fail(r, VR_ERR_UNKNOWN, "Too many forwarders of one publisher");
    *f = (struct vr_forward){ .stream = s, .port = (uint16_t)port, .substream = (int8_t)k };
    snprintf(f->ip, sizeof(f->ip), "%s", ip);
    plan->n++;
    f->pt = pt && !is_data ? (uint8_t)pt : SL_PT_NONE;
    if (is_data) /* has nothing of RTP */
        return 0;
    f->ssrc = vr_arg_u32(item, names[k][2], 0);
    if (k == 0)
        f->rtcp_port = (uint16_t)sl_arg_int(item, "rtcp_port", 0);
    if (k == 0 && sl_arg_bool(item, "simulcast", false))
        f->substream = -1;
    return 0;
}

static int plan_item(struct vr_req *r, struct plan *plan, const struct vr_pub *p,
                     const json_t *item)
{
    struct vr_stream *s = vr_pub_stream(p, sl_arg_str(item, "mid", ""));
    const char *ip = vr_host_ip(r, item, r->body);

    if (!ip)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (host cannot be resolved)");
    if (!s || s->disabled)
        return 0;
    if (plan_port(r, plan, s, item, 0, ip) < 0)
        return -1;
    for (unsigned int k = 1; k < SL_LAYERS_MAX && s->simulcast; k++)
        if (plan_port(r, plan, s, item, k, ip) < 0)
            return -1;
    return 0;
}

/* The old form as items of the new one: the first stream of each kind. */
static json_t *items_from_legacy(const struct vr_pub *p, const json_t *body)
{
    static const char *const names[] = { "port",   "rtcp_port", "pt",   "ssrc",   "port_2",
                                         "port_3", "pt_2",      "pt_3", "ssrc_2", "ssrc_3" };
    json_t *items = json_array();

    for (int kind = 0; kind < SL_KIND_MAX; kind++) {
        json_t *item = json_object();
        size_t i = 0;

        for (size_t n = 0; n < SL_ARG_COUNT(names); n++) {
            char full[32];

            snprintf(full, sizeof(full), "%s_%s", sl_kind_to_str((enum sl_kind)kind), names[n]);
            if (sl_arg_get(body, full) && sl_arg_int(body, full, 1) > 0)
                json_object_set(item, names[n], sl_arg_get(body, full));
        }
        if (sl_arg_get(body, "simulcast"))
            json_object_set(item, "simulcast", sl_arg_get(body, "simulcast"));
        while (i < p->nstreams && ((int)p->streams[i]->kind != kind || p->streams[i]->disabled))
            i++;
        if (json_object_get(item, "port") && i < p->nstreams) {
            json_object_set_new(item, "mid", json_string(p->streams[i]->mid));
            json_array_append(items, item);
        }
        json_decref(item);
    }
    return items;
}

static void legacy_add(json_t *o, const struct vr_forward *f)
{
    const char *kind = sl_kind_to_str(f->stream->kind);
    const char *suffix = f->substream == 1 ? "_2" : f->substream == 2 ? "_3" : "";
    char name[32];

    snprintf(name, sizeof(name), "%s_stream_id%s", kind, suffix);
    json_object_set_new(o, name, json_integer(f->id));
    snprintf(name, sizeof(name), "%s%s", kind, suffix);
    json_object_set_new(o, name, json_integer(f->port));
    snprintf(name, sizeof(name), "%s_rtcp", kind);
    if (f->rtcp_port)
        json_object_set_new(o, name, json_integer(f->rtcp_port));
}

static void forward_notify(const struct vr_pub *p, const struct vr_forward *f)
{
    json_t *event = vr_forward_json(f);

    json_object_set_new(event, "event", json_string("rtp_forward"));
    json_object_set_new(event, "room", pl_id_json(&p->room->id));
    json_object_set_new(event, "publisher_id", pl_id_json(&p->id));
    json_object_set_new(event, "media", json_string(f->stream->mid));
    if (f->stream->kind != SL_KIND_DATA)
        json_object_set_new(event, "codec", json_string(vr_stream_codec(f->stream)));
    vr_notify(p->h, event);
}

/* All of them or none. */
static int plan_make(struct vr_req *r, const struct plan *plan, struct vr_forward **made)
{
    unsigned int suite;
    const char *crypto;
    size_t n = 0;

    if (vr_arg_srtp(r, &suite, &crypto) < 0)
        return -1;
    while (n < plan->n && vr_forward_add(r, &plan->f[n], suite, crypto, &made[n]) == 0)
        n++;
    if (n == plan->n)
        return 0;
    while (n > 0)
        vr_forward_destroy(made[--n]);
    return -1;
}

static void answer(struct vr_req *r, const struct vr_pub *p, struct vr_forward *const *made,
                   size_t n, bool legacy)
{
    json_t *list = legacy ? json_object() : json_array();

    for (size_t i = 0; i < n; i++) {
        if (legacy)
            legacy_add(list, made[i]);
        else
            json_array_append_new(list, vr_forward_json(made[i]));
        forward_notify(p, made[i]);
    }
    if (legacy) {
        json_object_set_new(list, "warning", json_string("deprecated_api"));
        json_object_set_new(list, "host", json_string(vr_host_ip(r, r->body, NULL)));
    }
    r->reply = vr_room_event(p->room, "rtp_forward");
    json_object_set_new(r->reply, "publisher_id", pl_id_json(&p->id));
    json_object_set_new(r->reply, legacy ? "rtp_stream" : "forwarders", list);
}

static int forward_items(struct vr_req *r, const struct vr_pub *p, const json_t *items, bool legacy)
{
    struct vr_forward *made[VR_FORWARDS_MAX];
    json_t *hosts = json_object();
    struct plan *plan;
    const json_t *item;
    int err = 0;
    size_t i;

    if (legacy)
        err = vr_host_add(r, hosts, r->body, NULL);
    json_array_foreach(items, i, item) if (!err) err =
        item_check(r, item) < 0 || vr_host_add(r, hosts, item, r->body) < 0 ? -1 : 0;
    if (err) {
        json_decref(hosts);
        return -1;
    }
    err = vr_hosts_need(r, hosts);
    if (err)
        return err < 0 ? -1 : 0;
    if (legacy && !vr_host_ip(r, r->body, NULL))
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (host cannot be resolved)");
    plan = calloc(1, sizeof(*plan));
    if (!plan)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    json_array_foreach(items, i, item) if (!err) err = plan_item(r, plan, p, item);
    if (!err)
        err = plan_make(r, plan, made);
    if (!err)
        answer(r, p, made, plan->n, legacy);
    free(plan);
    return err;
}

int req_rtp_forward(struct vr_req *r)
{
    const json_t *streams = sl_arg_get(r->body, "streams");
    unsigned int suite;
    const char *crypto;
    struct vr_pub *p;
    json_t *items;
    int err;

    if (vr_arg_publisher(r, &p) < 0 || vr_arg_forward_key(r, p->room) < 0 ||
        vr_arg_srtp(r, &suite, &crypto) < 0 || vr_arg_objects(r, r->body, "streams", ITEMS_MAX) < 0)
        return -1;
    if (p->dummy)
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", p->id.s);
    if (streams)
        return forward_items(r, p, streams, false);
    items = items_from_legacy(p, r->body);
    err = forward_items(r, p, items, true);
    json_decref(items);
    return err;
}
