#include "vr_data.h"
#include "vr_host.h"
#include "vr_speaker.h"
#include "vr_sub.h"
#include <errno.h>
#include <stdlib.h>

const struct sl_core *vr_core;

static int on_init(const struct sl_core *core)
{
    int err;

    vr_core = core;
    err = vr_rooms_init();
    if (err)
        return err;
    err = vr_conf_load();
    if (err) {
        vr_rooms_fini();
        vr_conf_free();
    }
    return err;
}

static void on_fini(void)
{
    vr_hosts_fini();
    vr_rooms_fini();
    vr_conf_free();
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    struct vr_handle *vh = calloc(1, sizeof(*vh));

    (void)opaque_id;
    if (!vh)
        return -ENOMEM;
    vh->h = h;
    *state = vh;
    return 0;
}

static void on_detach(sl_hid h, void *state)
{
    struct vr_handle *vh = state;

    (void)h;
    if (vh->pub)
        vr_pub_leave(vh->pub);
    if (vh->sub)
        vr_sub_destroy(vh->sub);
    free(vh);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    (void)h;
    vr_request_handle(state, m, body, jsep);
}

static void on_media_up(sl_hid h, void *state)
{
    struct vr_handle *vh = state;

    if (vh->pub)
        vr_pub_up(vh->pub);
    if (vh->sub)
        vr_notify(h, json_pack("{s:s, s:o}", "event", "subscribed", "room",
                               pl_id_json(&vh->sub->room->id)));
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    struct vr_handle *vh = state;

    (void)h, (void)reason;
    if (vh->pub) {
        vr_pub_stop(vh->pub, true);
        vr_sub_flush(vh->pub->room);
    }
    if (vh->sub)
        vr_sub_reset(vh->sub);
}

static void on_slow_link(sl_hid h, void *state, uint16_t mindex, bool uplink, uint32_t lost)
{
    const struct vr_handle *vh = state;

    (void)mindex, (void)lost;
    if (vh->pub && !uplink)
        vr_core->event(h, NULL,
                       json_pack("{s:s, s:I}", "videoroom", "slow_link", "current-bitrate",
                                 (json_int_t)vh->pub->bitrate),
                       NULL);
    if (vh->sub && uplink)
        vr_core->event(h, NULL, json_pack("{s:s}", "videoroom", "slow_link"), NULL);
}

static void on_talking(sl_hid h, void *state, uint16_t mindex, bool talking, double level)
{
    const struct vr_handle *vh = state;

    (void)h;
    if (vh->pub)
        vr_pub_talking(vh->pub, mindex, talking, level);
}

static void on_voice(sl_hid h, void *state, uint16_t mindex, const struct sl_voice_report *v)
{
    const struct vr_handle *vh = state;

    (void)h;
    if (vh->pub)
        vr_speaker_heard(vh->pub, mindex, v);
}

static void layer_tell(const struct vr_line *l, const char *name, int8_t v, int8_t *now)
{
    if (v < 0)
        return;
    *now = v;
    vr_line_tell(l, name, json_integer(v));
}

static void on_layer(sl_hid h, void *state, uint16_t mindex, const struct sl_layer_event *ev)
{
    const struct vr_handle *vh = state;
    struct vr_line *l;

    (void)h;
    if (!vh->sub || mindex >= vh->sub->nlines || !vh->sub->lines[mindex]->src)
        return;
    l = vh->sub->lines[mindex];
    layer_tell(l, "substream", ev->substream, &l->now.substream);
    layer_tell(l, "temporal", ev->temporal, &l->now.temporal);
    layer_tell(l, "spatial_layer", ev->spatial, &l->now.spatial);
    layer_tell(l, "temporal_layer", ev->svc_temporal, &l->now.svc_temporal);
}

static void on_quality(sl_hid h, void *state, uint16_t mindex, const struct sl_quality *q)
{
    const struct vr_handle *vh = state;
    const struct vr_sub *s = vh->sub;

    (void)h;
    if (s && s->tell && mindex < s->nlines && s->lines[mindex]->src)
        vr_line_tell(s->lines[mindex], "quality", sl_quality_json(q));
}

static void on_watched(sl_hid h, void *state, uint16_t mindex, int layer)
{
    const struct vr_handle *vh = state;
    const struct vr_pub *p = vh->pub;

    (void)h;
    if (!p || mindex >= p->nstreams)
        return;
    p->streams[mindex]->watched = (int8_t)layer;
    vr_stream_watched(p->streams[mindex]);
}

/* Whatever the publisher calls its channels. Subscribers have nothing to say. */
static void on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                    const void *data, size_t len)
{
    const struct vr_handle *vh = state;

    (void)h, (void)label, (void)protocol;
    if (vh->pub)
        vr_data_publish(vh->pub, binary, data, len);
}

static void on_data_writable(sl_hid h, void *state)
{
    const struct vr_handle *vh = state;

    (void)h;
    if (vh->sub)
        vr_data_writable(vh->sub);
}

static json_t *on_query(sl_hid h, void *state)
{
    (void)h;
    return vr_query(state);
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = VR_PACKAGE,
    .name = "Sluice VideoRoom",
    .author = "The Sluice authors",
    .description = "Rooms whose participants publish and subscribe to each other",
    .version_string = "0.1.0",
    .version = 1,
    .init = on_init,
    .fini = on_fini,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .admin = vr_request_admin,
    .query = on_query,
    .media_up = on_media_up,
    .media_down = on_media_down,
    .on_slow_link = on_slow_link,
    .on_talking = on_talking,
    .on_voice = on_voice,
    .on_layer = on_layer,
    .on_data = on_data,
    .on_data_writable = on_data_writable,
    .on_quality = on_quality,
    .on_watched = on_watched,
};
