#include "vr_forward.h"
#include <errno.h>
#include <stdlib.h>

/* SSRCs of publish_remotely: 1000 + 10 * mindex + substream. */
#define RECIPIENT_SSRC(mindex, layer) (1000u + 10u * (mindex) + (layer))

int vr_may_forward(struct vr_req *r, const struct vr_room *room)
{
    if (room->set.secret || !r->handle || vr_core->may(r->handle->h, "room.forward"))
        return 0;
    return vr_fail(r, VR_ERR_UNAUTHORIZED,
                   "Unauthorized (a credential or a room secret is needed)");
}

int vr_arg_forward_key(struct vr_req *r, const struct vr_room *room)
{
    if (vr_conf.lock_rtp_forward && vr_conf.admin_key)
        return vr_arg_secret(r, "admin_key", vr_conf.admin_key);
    return vr_may_forward(r, room);
}

int vr_arg_publisher(struct vr_req *r, struct vr_pub **out)
{
    struct vr_room *room;
    struct pl_id id;

    if (vr_arg_room_secret(r, &room) < 0 || vr_arg_id(r, r->body, "publisher_id", &id) < 0)
        return -1;
    *out = vr_pub_find(room, &id);
    return *out ? 0 : vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such feed (%s)", id.s);
}

static bool is_media(const struct vr_stream *s)
{
    return !s->disabled && s->kind != SL_KIND_DATA && s->codec.codec != SL_CODEC_NONE;
}

/* ---- forwarders ------------------------------------------------------------------------------ */

static int forward_apply(const struct vr_forward *f)
{
    const struct sl_forward_line line = {
        .from = is_media(f->stream) ? vr_stream_ref(f->stream) : (struct sl_mref){ 0 },
        .substream = f->substream,
        .pt = f->pt,
        .ssrc = f->ssrc,
    };

    return vr_core->forward_lines(f->ep, &line, 1);
}

int vr_forward_add(struct vr_req *r, const struct vr_forward *in, unsigned int suite,
                   const char *crypto, struct vr_forward **out)
{
    const struct sl_forward conf = {
        .near = in->stream->pub->media,
        .ip = in->ip,
        .port = in->port,
        .rtcp_port = in->rtcp_port,
        .srtp_suite = suite,
        .srtp_crypto = crypto,
    };
    struct vr_forward *f = calloc(1, sizeof(*f));
    int err;

    if (!f)
        return vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    if (suite && in->stream->kind == SL_KIND_DATA) {
        free(f);
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (srtp_suite can't be used for data)");
    }
    *f = *in;
    f->srtp = suite != 0;
    err = vr_core->forward_add(&conf, &f->ep, &f->local_rtcp_port);
    if (err) {
        free(f);
        return err == -EINVAL
                   ? vr_fail(r, VR_ERR_INVALID, "Invalid element (host, port or srtp_crypto)")
                   : vr_fail(r, VR_ERR_UNKNOWN, "Could not open a forwarder");
    }
    do
        f->id = (uint32_t)vr_core->random_id();
    while (!f->id || vr_forward_find(in->stream->pub, f->id));
    vr_list_add(&in->stream->forwards, &f->link);
    forward_apply(f);
    *out = f;
    return 0;
}

void vr_forward_destroy(struct vr_forward *f)
{
    vr_core->endpoint_del(f->ep);
    vr_list_del(&f->link);
    free(f);
}

struct vr_forward *vr_forward_find(const struct vr_pub *p, uint32_t id)
{
    const struct vr_link *l;

    for (size_t i = 0; i < p->nstreams; i++)
        vr_list_for_each(l, &p->streams[i]->forwards)
        {
            struct vr_forward *f = vr_container(l, struct vr_forward, link);

            if (f->id == id)
                return f;
        }
    return NULL;
}

size_t vr_forward_count(const struct vr_pub *p)
{
    const struct vr_link *l;
    size_t n = 0;

    for (size_t i = 0; i < p->nstreams; i++)
        vr_list_for_each(l, &p->streams[i]->forwards) n++;
    return n;
}

static void set_number(json_t *o, const char *name, uint32_t n)
{
    if (n)
        json_object_set_new(o, name, json_integer(n));
}

json_t *vr_forward_json(const struct vr_forward *f)
{
    json_t *o = json_pack("{s:I, s:s, s:i, s:s}", "stream_id", (json_int_t)f->id, "host", f->ip,
                          "port", f->port, "type", sl_kind_to_str(f->stream->kind));

    set_number(o, "pt", f->pt == SL_PT_NONE ? 0 : f->pt);
    set_number(o, "ssrc", f->ssrc);
    set_number(o, "substream", f->substream > 0 ? (uint32_t)f->substream : 0);
    if (f->rtcp_port) {
        set_number(o, "local_rtcp_port", f->local_rtcp_port);
        set_number(o, "remote_rtcp_port", f->rtcp_port);
    }
    if (f->srtp)
        json_object_set_new(o, "srtp", json_true());
    return o;
}

/* ---- recipients ------------------------------------------------------------------------------ */

struct vr_recipient *vr_recipient_find(const struct vr_pub *p, const char *id)
{
    const struct vr_link *l;

    vr_list_for_each(l, &p->recipients)
    {
        struct vr_recipient *c = vr_container(l, struct vr_recipient, link);

        if (strcmp(c->id, id) == 0)
            return c;
    }
    return NULL;
}

void vr_recipient_destroy(struct vr_recipient *c)
{
    vr_core->endpoint_del(c->ep);
    vr_list_del(&c->link);
    free(c->id);
    free(c);
}

void vr_recipient_apply(const struct vr_pub *p, struct vr_recipient *c)
{
    const size_t nstreams = p->nstreams > c->nstreams ? p->nstreams : c->nstreams;
    struct sl_forward_line *lines = calloc(nstreams ? nstreams : 1, SL_LAYERS_MAX * sizeof(*lines));

    if (!lines)
        return;
    for (size_t i = 0; i < nstreams; i++) {
        const struct vr_stream *s = i < p->nstreams ? p->streams[i] : NULL;

        for (size_t k = 0; k < SL_LAYERS_MAX; k++) {
            struct sl_forward_line *l = &lines[i * SL_LAYERS_MAX + k];

            l->substream = (int8_t)k;
            l->pt = SL_PT_NONE;
            l->ssrc = RECIPIENT_SSRC((uint32_t)i, (uint32_t)k);
            if (s && is_media(s) && (k == 0 || s->simulcast))
                l->from = vr_stream_ref(s);
        }
    }
    c->nstreams = nstreams;
    vr_core->forward_lines(c->ep, lines, nstreams * SL_LAYERS_MAX);
    free(lines);
}

void vr_forwards_data(const struct vr_stream *s, bool binary, const void *data, size_t len)
{
    const struct vr_link *l;

    /* What is lost is lost: this is UDP. */
    vr_list_for_each(l, &s->forwards)(void)
        vr_core->forward_data(vr_container(l, struct vr_forward, link)->ep, 0, binary, data, len);
    vr_list_for_each(l, &s->pub->recipients)(void)
        vr_core->forward_data(vr_container(l, struct vr_recipient, link)->ep,
                              RECIPIENT_SSRC(s->mindex, 0u), binary, data, len);
}

void vr_forwards_apply(const struct vr_pub *p)
{
    const struct vr_link *l;

    for (size_t i = 0; i < p->nstreams; i++)
        vr_list_for_each(l, &p->streams[i]->forwards)
            forward_apply(vr_container(l, struct vr_forward, link));
    vr_list_for_each(l, &p->recipients)
        vr_recipient_apply(p, vr_container(l, struct vr_recipient, link));
}
