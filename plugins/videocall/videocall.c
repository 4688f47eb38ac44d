#include "vc_request.h"
#include <errno.h>

static int on_init(const struct sl_core *core)
{
    vc_core = core;
    return vc_users_init();
}

static void on_fini(void)
{
    vc_users_fini();
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    (void)opaque_id;
    *state = vc_user_create(h);
    return *state ? 0 : -ENOMEM;
}

static void on_detach(sl_hid h, void *state)
{
    (void)h;
    vc_user_destroy(state);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    (void)h;
    vc_request_handle(state, m, body, jsep);
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    (void)h, (void)reason;
    vc_call_lost(state);
    vc_media_reset(state);
}

static void on_slow_link(sl_hid h, void *state, uint16_t mindex, bool uplink, uint32_t lost)
{
    struct vc_user *u = state;
    json_t *event;

    (void)lost;
    if (uplink || mindex >= u->nlines)
        return; /* only what the client sends is of interest */
    u->slow_links++;
    event = vc_result("slow_link", NULL);
    json_object_update_new(json_object_get(event, "result"),
                           json_pack("{s:s, s:I}", "media", sl_kind_to_str(u->lines[mindex].kind),
                                     "current-bitrate", (json_int_t)u->wish.bitrate));
    vc_core->event(h, NULL, event, NULL);
}

static void layer_tell(const struct vc_user *u, size_t i, const char *name, int8_t layer)
{
    json_t *event;
    size_t n;
    const struct sl_mline *lines = vc_core->lines(u->h, &n);

    if (layer < 0 || !lines || i >= n || !lines[i].ncodecs)
        return;
    event = vc_result("simulcast", NULL);
    json_object_update_new(json_object_get(event, "result"),
                           json_pack("{s:s, s:i}", "videocodec",
                                     sl_codec_to_str(lines[i].codecs[0].codec), name, layer));
    vc_core->event(u->h, NULL, event, NULL);
}

void vc_layers_tell(const struct vc_user *u, size_t i, const struct sl_layer_event *ev)
{
    layer_tell(u, i, "substream", ev->substream);
    layer_tell(u, i, "temporal", ev->temporal);
}

static void on_layer(sl_hid h, void *state, uint16_t mindex, const struct sl_layer_event *ev)
{
    struct vc_user *u = state;
    struct sl_layer_event *now;

    (void)h;
    if (mindex >= u->nlines || !u->lines[mindex].routed)
        return;
    now = &u->lines[mindex].now;
    now->substream = ev->substream < 0 ? now->substream : ev->substream;
    now->temporal = ev->temporal < 0 ? now->temporal : ev->temporal;
    vc_layers_tell(u, mindex, ev);
}

static void on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                    const void *data, size_t len)
{
    const struct pl_message m = { label, protocol, binary, data, len };

    (void)h;
    vc_data_pass(state, &m);
}

static void on_data_writable(sl_hid h, void *state)
{
    (void)h;
    vc_data_flush(state);
}

static json_t *on_query(sl_hid h, void *state)
{
    const struct vc_user *u = state;
    json_t *q = json_pack("{s:s, s:b, s:b, s:I, s:i}", "state",
                          !u->peer      ? "idle"
                          : u->accepted ? "incall"
                                        : "calling",
                          "audio_active", u->wish.audio, "video_active", u->wish.video, "bitrate",
                          (json_int_t)u->wish.bitrate, "slowlink_count", (int)u->slow_links);

    (void)h;
    if (u->name)
        json_object_set_new(q, "username", json_string(u->name));
    if (u->peer && u->peer->name)
        json_object_set_new(q, "peer", json_string(u->peer->name));
    return q;
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = VC_PACKAGE,
    .name = "Sluice VideoCall",
    .author = "The Sluice authors",
    .description = "Calls between two users",
    .version_string = "0.1.0",
    .version = 1,
    .init = on_init,
    .fini = on_fini,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .query = on_query,
    .media_down = on_media_down,
    .on_slow_link = on_slow_link,
    .on_layer = on_layer,
    .on_data = on_data,
    .on_data_writable = on_data_writable,
};
