#include "echotest.h"
#include <errno.h>
#include <stdlib.h>

const struct sl_core *echo_core;

static int echo_init(const struct sl_core *core)
{
    echo_core = core;
    return 0;
}

static void echo_fini(void)
{
    echo_core = NULL;
}

static int echo_attach(sl_hid h, const char *opaque_id, void **state)
{
    struct echo *e = calloc(1, sizeof(*e));

    (void)opaque_id;
    if (!e)
        return -ENOMEM;
    e->h = h;
    echo_wish_reset(e);
    *state = e;
    return 0;
}

static void echo_detach(sl_hid h, void *state)
{
    (void)h;
    echo_data_reset(state);
    free(state);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    (void)h;
    echo_message(state, m, body, jsep);
}

/* The administrator's requests are echoed, too. */
static json_t *echo_admin(const json_t *body)
{
    return json_deep_copy(body);
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    struct echo *e = state;

    (void)reason;
    echo_media_reset(e);
    echo_data_reset(e);
    echo_wish_reset(e);
    echo_core->event(h, NULL, json_pack("{s:s, s:s}", "echotest", "event", "result", "done"), NULL);
}

static void on_slow_link(sl_hid h, void *state, uint16_t mindex, bool uplink, uint32_t lost)
{
    struct echo *e = state;

    (void)lost;
    if (uplink || mindex >= e->nlines)
        return; /* only what the client sends is of interest */
    e->slow_links++;
    echo_core->event(h, NULL,
                     json_pack("{s:s, s:s, s:s, s:I}", "echotest", "event", "event", "slow_link",
                               "media", sl_kind_to_str(e->lines[mindex].kind), "current-bitrate",
                               (json_int_t)e->wish.bitrate),
                     NULL);
}

static void layer_set(json_t *ev, const char *name, int8_t v, int8_t *now)
{
    if (v < 0)
        return;
    *now = v;
    json_object_set_new(ev, name, json_integer(v));
}

static void total_set(json_t *ev, const char *name, int8_t n)
{
    if (n > 0)
        json_object_set_new(ev, name, json_integer(n));
}

static void on_layer(sl_hid h, void *state, uint16_t mindex, const struct sl_layer_event *le)
{
    struct echo *e = state;
    struct echo_line *l;
    json_t *ev;

    if (mindex >= e->nlines || !e->lines[mindex].routed)
        return;
    l = &e->lines[mindex];
    ev = json_pack("{s:s, s:s}", "echotest", "event", "videocodec", sl_codec_to_str(l->codec));
    layer_set(ev, "substream", le->substream, &l->now.substream);
    layer_set(ev, "temporal", le->temporal, &l->now.temporal);
    layer_set(ev, "spatial_layer", le->spatial, &l->now.spatial);
    layer_set(ev, "temporal_layer", le->svc_temporal, &l->now.svc_temporal);
    if (l->svc)
        total_set(ev, "tot_spatial_layers", le->nsubstreams);
    total_set(ev, "tot_temporal_layers", le->ntemporal);
    echo_core->event(h, NULL, ev, NULL);
}

static void on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                    const void *data, size_t len)
{
    (void)h;
    echo_data(state, label, protocol, binary, data, len);
}

static void on_data_writable(sl_hid h, void *state)
{
    (void)h;
    echo_data_flush(state);
}

static const struct echo_line *line_of(const struct echo *e, enum sl_kind kind)
{
    for (size_t i = 0; i < e->nlines; i++)
        if (e->lines[i].kind == kind && e->lines[i].codec != SL_CODEC_NONE)
            return &e->lines[i];
    return NULL;
}

static void query_video(const struct echo *e, const struct echo_line *v, json_t *q)
{
    const struct sl_layer_wish *w = &e->wish.layers;

    json_object_set_new(q, "video_codec", json_string(sl_codec_to_str(v->codec)));
    if (v->simulcast)
        json_object_update_new(q, json_pack("{s:b, s:i, s:i, s:i, s:i, s:I}", "simulcast", 1,
                                            "substream", v->now.substream, "substream-target",
                                            w->substream, "temporal-layer", v->now.temporal,
                                            "temporal-layer-target", w->temporal, "fallback",
                                            (json_int_t)w->fallback_us));
    if (v->svc)
        json_object_update_new(q, json_pack("{s:b, s:i, s:i, s:i, s:i}", "svc", 1, "spatial-layer",
                                            v->now.spatial, "target-spatial-layer", w->spatial,
                                            "temporal-layer", v->now.svc_temporal,
                                            "target-temporal-layer", w->svc_temporal));
}

static json_t *echo_query(sl_hid h, void *state)
{
    const struct echo *e = state;
    const struct echo_line *a = line_of(e, SL_KIND_AUDIO), *v = line_of(e, SL_KIND_VIDEO);
    json_t *q = json_pack("{s:b, s:b, s:I, s:I, s:b, s:i, s:i}", "audio_active", e->wish.audio,
                          "video_active", e->wish.video, "bitrate", (json_int_t)e->wish.bitrate,
                          "slowlink_count", (json_int_t)e->slow_links, "e2ee", e->e2ee, "hangingup",
                          0, "destroyed", 0);

    (void)h;
    if (a)
        json_object_update_new(q, json_pack("{s:s, s:b}", "audio_codec", sl_codec_to_str(a->codec),
                                            "audio_red", a->red));
    if (v)
        query_video(e, v, q);
    return q;
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = ECHO_PACKAGE,
    .name = "Sluice EchoTest",
    .author = "The Sluice authors",
    .description = "Sends a client's own audio, video and messages back to it",
    .version_string = "0.1.0",
    .version = 1,
    .init = echo_init,
    .fini = echo_fini,
    .attach = echo_attach,
    .detach = echo_detach,
    .message = on_message,
    .admin = echo_admin,
    .query = echo_query,
    .media_down = on_media_down,
    .on_slow_link = on_slow_link,
    .on_layer = on_layer,
    .on_data = on_data,
    .on_data_writable = on_data_writable,
};
