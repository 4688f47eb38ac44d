#include "../common/pl_layers.h"
#include "vc_request.h"

static uint32_t u32_get(const json_t *body, const char *name, uint32_t def)
{
    const long long v = sl_arg_int(body, name, def);

    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static int wish_read(struct vc_req *r, struct vc_wish *w)
{
    static const struct sl_arg args[] = {
        { "audio", SL_ARG_BOOL },    { "video", SL_ARG_BOOL },      { "bitrate", SL_ARG_UINT },
        { "record", SL_ARG_BOOL },   { "filename", SL_ARG_STRING }, { "substream", SL_ARG_UINT },
        { "temporal", SL_ARG_UINT }, { "fallback", SL_ARG_UINT },   { "restart", SL_ARG_BOOL },
    };
    long long substream, temporal;

    if (VC_ARGS(r, args) < 0)
        return -1;
    substream = sl_arg_int(r->body, "substream", w->layers.substream);
    temporal = sl_arg_int(r->body, "temporal", w->layers.temporal);
    if (substream > 2 || temporal > 2)
        return vc_fail(r, VC_ERR_INVALID, "Invalid value (%s should be 0, 1 or 2)",
                       substream > 2 ? "substream" : "temporal");
    if (pl_view_check(r->body, r->error.text) < 0) {
        r->error.code = VC_ERR_INVALID;
        return -1;
    }
    if (sl_arg_bool(r->body, "record", false) || sl_arg_str(r->body, "filename", "")[0])
        return vc_fail(r, VC_ERR_UNKNOWN, "recording is not available");
    w->audio = sl_arg_bool(r->body, "audio", w->audio);
    w->video = sl_arg_bool(r->body, "video", w->video);
    w->bitrate = u32_get(r->body, "bitrate", w->bitrate);
    w->layers.substream = (int8_t)substream;
    w->layers.temporal = (int8_t)temporal;
    w->layers.fallback_us = u32_get(r->body, "fallback", w->layers.fallback_us);
    pl_view_read(r->body, &w->layers);
    return 0;
}

static int renegotiate(struct vc_req *r)
{
    struct vc_user *u = r->user;
    json_t *event;
    int err;

    if (!u->peer)
        return vc_fail(r, VC_ERR_NO_CALL, "No call to renegotiate");
    if (!u->accepted) /* what was offered is gone: so is the call */
        return vc_fail_close(r, VC_ERR_INVALID_SDP, "Invalid SDP: the call is not accepted yet");
    event = vc_result("update", NULL);
    err = r->jsep->type == SL_JSEP_OFFER
              ? vc_offer_pass(u, r->jsep, event, sl_arg_bool(r->body, "restart", false))
              : vc_answer_pass(u, r->jsep, event);
    return err ? vc_fail(r, VC_ERR_INVALID_SDP, "Invalid SDP: it does not fit the call") : 0;
}

/* Who asks for the layer that it has already is told so at once: no change will follow. */
static void layers_confirm(const struct vc_req *r)
{
    const struct vc_user *u = r->user;

    for (size_t i = 0; i < u->nlines; i++) {
        const struct vc_line *l = &u->lines[i];
        struct sl_layer_event same = { -1, -1, -1, -1, 0, 0 };

        if (!l->routed || l->kind != SL_KIND_VIDEO)
            continue;
        if (sl_arg_get(r->body, "substream") && l->now.substream == u->wish.layers.substream)
            same.substream = l->now.substream;
        if (sl_arg_get(r->body, "temporal") && l->now.temporal == u->wish.layers.temporal)
            same.temporal = l->now.temporal;
        vc_layers_tell(u, i, &same);
    }
}

int req_set(struct vc_req *r)
{
    const struct vc_wish old = r->user->wish;
    struct vc_wish wish = old;

    if (wish_read(r, &wish) < 0)
        return -1;
    r->user->wish = wish;
    if (r->jsep && renegotiate(r) < 0) {
        r->user->wish = old;
        return -1;
    }
    vc_media_apply(r->user, &old);
    layers_confirm(r);
    vc_answer(r, vc_result("set", NULL));
    vc_notify(r->user,
              json_pack("{s:s, s:b, s:b, s:I}", "event", "configured", "audio_active", wish.audio,
                        "video_active", wish.video, "bitrate", (json_int_t)wish.bitrate));
    return 0;
}
