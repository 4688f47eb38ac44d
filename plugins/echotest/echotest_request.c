#include "echotest.h"
#include <sluice/args.h>

static const struct sl_arg echo_args[] = {
    { "audio", SL_ARG_BOOL },
    { "video", SL_ARG_BOOL },
    { "bitrate", SL_ARG_UINT },
    { "record", SL_ARG_BOOL },
    { "filename", SL_ARG_STRING },
    { "substream", SL_ARG_UINT },
    { "temporal", SL_ARG_UINT },
    { "fallback", SL_ARG_UINT },
    { "svc", SL_ARG_BOOL },
    { "spatial_layer", SL_ARG_UINT },
    { "temporal_layer", SL_ARG_UINT },
    { "audiocodec", SL_ARG_STRING },
    { "videocodec", SL_ARG_STRING },
    { "videoprofile", SL_ARG_STRING },
    { "opusred", SL_ARG_BOOL },
    { "min_delay", SL_ARG_INT },
    { "max_delay", SL_ARG_INT },
};

/* The four layer targets: where each is kept in the wish and in the layers that are forwarded. */
static const struct layer_arg {
    const char *name;
    size_t wish, now;
} layer_args[] = {
    { "substream", offsetof(struct sl_layer_wish, substream),
      offsetof(struct sl_layer_event, substream) },
    { "temporal", offsetof(struct sl_layer_wish, temporal),
      offsetof(struct sl_layer_event, temporal) },
    { "spatial_layer", offsetof(struct sl_layer_wish, spatial),
      offsetof(struct sl_layer_event, spatial) },
    { "temporal_layer", offsetof(struct sl_layer_wish, svc_temporal),
      offsetof(struct sl_layer_event, svc_temporal) },
};

static int8_t *layer_wish(struct sl_layer_wish *w, const struct layer_arg *a)
{
    return (int8_t *)w + a->wish;
}

void echo_wish_reset(struct echo *e)
{
    e->wish = (struct echo_wish){ .audio = true,
                                  .video = true,
                                  .layers = { 2, 2, 2, 2, ECHO_FALLBACK_US, -1, -1 } };
}

static void error_send(struct echo *e, struct sl_msg *m, enum echo_error code, const char *text)
{
    echo_core->event(
        e->h, m,
        json_pack("{s:s, s:i, s:s}", "echotest", "event", "error_code", (int)code, "error", text),
        NULL);
}

static bool body_has_known(const json_t *body)
{
    for (size_t i = 0; i < SL_ARG_COUNT(echo_args); i++)
        if (sl_arg_get(body, echo_args[i].name))
            return true;
    return false;
}

static bool layers_read(struct echo_wish *w, const json_t *body, char *text)
{
    for (size_t i = 0; i < SL_ARG_COUNT(layer_args); i++) {
        int8_t *wish = layer_wish(&w->layers, &layer_args[i]);
        const long long v = sl_arg_int(body, layer_args[i].name, *wish);

        if (v > 2) {
            snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (%s should be 0, 1 or 2)",
                     layer_args[i].name);
            return false;
        }
        *wish = (int8_t)v;
    }
    return true;
}

static bool codec_read(enum sl_kind kind, const char *name, const json_t *body, enum sl_codec *out,
                       char *text)
{
    const char *v = sl_arg_str(body, name, NULL);

    if (!v)
        return true;
    *out = sl_codec_from_str(kind, v);
    if (*out == SL_CODEC_NONE)
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (%s is no codec that the server knows)",
                 name);
    return *out != SL_CODEC_NONE;
}

static long long clamp(long long v, long long low, long long high)
{
    return v < low ? low : v > high ? high : v;
}

/* Reads @body into @w. False: @text has what is wrong with it. */
static bool wish_read(struct echo_wish *w, const json_t *body, char *text)
{
    const char *profile = sl_arg_str(body, "videoprofile", NULL);

    if (sl_args_check(body, echo_args, SL_ARG_COUNT(echo_args), text, SL_ARG_TEXT_MAX) < 0 ||
        !layers_read(w, body, text) ||
        !codec_read(SL_KIND_AUDIO, "audiocodec", body, &w->audiocodec, text) ||
        !codec_read(SL_KIND_VIDEO, "videocodec", body, &w->videocodec, text))
        return false;
    if (sl_arg_bool(body, "record", false) || sl_arg_str(body, "filename", "")[0]) {
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (%s: recording is not available)",
                 sl_arg_bool(body, "record", false) ? "record" : "filename");
        return false;
    }
    if (profile && strlen(profile) >= sizeof(w->videoprofile)) {
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid value (videoprofile is too long)");
        return false;
    }
    if (profile)
        snprintf(w->videoprofile, sizeof(w->videoprofile), "%s", profile);
    w->audio = sl_arg_bool(body, "audio", w->audio);
    w->video = sl_arg_bool(body, "video", w->video);
    w->svc = sl_arg_bool(body, "svc", w->svc);
    w->opusred = sl_arg_bool(body, "opusred", w->opusred);
    w->bitrate = (uint32_t)clamp(sl_arg_int(body, "bitrate", w->bitrate), 0, UINT32_MAX);
    w->layers.fallback_us =
        (uint32_t)clamp(sl_arg_int(body, "fallback", w->layers.fallback_us), 0, UINT32_MAX);
    w->layers.min_delay =
        (int32_t)clamp(sl_arg_int(body, "min_delay", w->layers.min_delay), -1, 4095);
    w->layers.max_delay =
        (int32_t)clamp(sl_arg_int(body, "max_delay", w->layers.max_delay), -1, 4095);
    return true;
}

/* Who asks for the layer that it has already is told so at once: no change will follow. */
static void layers_confirm(struct echo *e, const json_t *body)
{
    for (size_t i = 0; i < e->nlines; i++) {
        const struct echo_line *l = &e->lines[i];

        if (!l->routed || l->kind != SL_KIND_VIDEO || (!l->simulcast && !l->svc))
            continue;
        for (size_t k = 0; k < SL_ARG_COUNT(layer_args); k++) {
            const struct layer_arg *a = &layer_args[k];
            const int8_t now = *((const int8_t *)&l->now + a->now);

            if (sl_arg_get(body, a->name) && now == *layer_wish(&e->wish.layers, a))
                echo_core->event(e->h, NULL,
                                 json_pack("{s:s, s:i}", "echotest", "event", a->name, now), NULL);
        }
    }
}

static void event_notify(const struct echo *e)
{
    echo_core->notify(e->h,
                      json_pack("{s:b, s:b, s:I}", "audio_active", e->wish.audio, "video_active",
                                e->wish.video, "bitrate", (json_int_t)e->wish.bitrate));
}

void echo_message(struct echo *e, struct sl_msg *m, const json_t *body,
                  const struct sl_jsep_in *jsep)
{
    const bool has_jsep = jsep && jsep->type != SL_JSEP_NONE;
    const struct echo_wish old = e->wish;
    struct echo_wish wish = e->wish;
    char text[SL_ARG_TEXT_MAX] = "";
    const char *why = NULL;
    json_t *ok;

    echo_core->ack(m, "I'm taking my time!");
    if (!wish_read(&wish, body, text)) {
        error_send(e, m, ECHO_ERR_ELEMENT, text);
        return;
    }
    if (!has_jsep && !body_has_known(body)) {
        error_send(e, m, ECHO_ERR_ELEMENT, "Message error: no supported attributes found");
        return;
    }
    e->wish = wish;
    ok = json_pack("{s:s, s:s}", "echotest", "event", "result", "ok");
    if (has_jsep) {
        if (echo_answer(e, m, jsep, ok, &why) < 0) {
            e->wish = old;
            error_send(e, m, ECHO_ERR_SDP, why);
            return;
        }
    } else {
        echo_apply(e, &old);
        layers_confirm(e, body);
        echo_core->event(e->h, m, ok, NULL);
    }
    event_notify(e);
}
