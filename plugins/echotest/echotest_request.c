#include "echotest.h"
#include "../common/pl_layers.h"
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
    { "width", SL_ARG_UINT },
    { "height", SL_ARG_UINT },
    { "priority", SL_ARG_INT },
};

void echo_wish_reset(struct echo *e)
{
    e->wish = (struct echo_wish){ .audio = true,
                                  .video = true,
                                  .layers = { 2, 2, 2, 2, ECHO_FALLBACK_US, -1, -1, 0, 0, 0, 0 } };
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

/* Reads @body into @w. False: @text has what is wrong with it. */
static bool wish_read(struct echo_wish *w, const json_t *body, char *text)
{
    const char *profile = sl_arg_str(body, "videoprofile", NULL);
    long long bitrate;

    if (sl_args_check(body, echo_args, SL_ARG_COUNT(echo_args), text, SL_ARG_TEXT_MAX) < 0 ||
        pl_layers_check(body, text) < 0 ||
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
    bitrate = sl_arg_int(body, "bitrate", w->bitrate);
    w->bitrate = bitrate > UINT32_MAX ? UINT32_MAX : (uint32_t)bitrate;
    pl_layers_read(body, &w->layers);
    return true;
}

/* Who asks for the layer that it has already is told so at once: no change will follow. */
static void layers_confirm(struct echo *e, const json_t *body)
{
    for (size_t i = 0; i < e->nlines; i++) {
        const struct echo_line *l = &e->lines[i];

        if (!l->routed || l->kind != SL_KIND_VIDEO || (!l->simulcast && !l->svc))
            continue;
        for (size_t k = 0; k < PL_LAYERS; k++) {
            const int8_t same = pl_layer_same(&pl_layers[k], body, &e->wish.layers, &l->now);

            if (same >= 0)
                echo_core->event(
                    e->h, NULL,
                    json_pack("{s:s, s:i}", "echotest", "event", pl_layers[k].name, same), NULL);
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
