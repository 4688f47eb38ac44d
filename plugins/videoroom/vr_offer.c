/*
 * vr_offer.c - what subscribers are offered and told about their m-lines.
 */
#include "vr_data.h"
#include "vr_sub.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

void vr_line_feed_json(const struct vr_line *l, json_t *o)
{
    const struct vr_stream *src = l->src;
    const struct vr_pub *feed = src->pub;

    json_object_set_new(o, "feed_id", pl_id_json(&feed->id));
    if (feed->display)
        json_object_set_new(o, "feed_display", json_string(feed->display));
    if (feed->metadata)
        json_object_set(o, "feed_metadata", feed->metadata);
    json_object_set_new(o, "feed_mid", json_string(src->mid));
    if (src->description)
        json_object_set_new(o, "feed_description", json_string(src->description));
    json_object_set_new(o, "codec", json_string(vr_stream_codec(src)));
    if (src->codec.profile[0] && src->codec.codec == SL_CODEC_H264)
        json_object_set_new(o, "h264-profile", json_string(src->codec.profile));
    if (src->codec.profile[0] && src->codec.codec == SL_CODEC_VP9)
        json_object_set_new(o, "vp9-profile", json_string(src->codec.profile));
}

static void layers_json(const struct vr_line *l, json_t *o)
{
    if (l->wish.min_delay >= 0 || l->wish.max_delay >= 0)
        json_object_set_new(o, "playout-delay",
                            json_pack("{s:i, s:i}", "min-delay", (int)l->wish.min_delay,
                                      "max-delay", (int)l->wish.max_delay));
    if (l->src->simulcast)
        json_object_set_new(o, "simulcast",
                            json_pack("{s:i, s:i, s:i, s:i, s:I}", "substream", l->now.substream,
                                      "substream-target", l->wish.substream, "temporal-layer",
                                      l->now.temporal, "temporal-layer-target", l->wish.temporal,
                                      "fallback", (json_int_t)l->wish.fallback_us));
    if (l->src->svc)
        json_object_set_new(o, "svc",
                            json_pack("{s:i, s:i, s:i, s:i}", "spatial-layer", l->now.spatial,
                                      "target-spatial-layer", l->wish.spatial, "temporal-layer",
                                      l->now.svc_temporal, "target-temporal-layer",
                                      l->wish.svc_temporal));
}

void vr_line_view_json(const struct vr_line *l, json_t *o)
{
    if (l->is_slot)
        json_object_set_new(o, "slot", json_integer(l->slot));
    if (l->src && l->sub->room->set.video_last && !l->is_slot && l->kind == SL_KIND_VIDEO)
        json_object_set_new(o, "rests", json_boolean(l->rests));
}

json_t *vr_sub_streams(const struct vr_sub *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->nlines; i++) {
        const struct vr_line *l = s->lines[i];
        char mid[8];
        json_t *o;

        snprintf(mid, sizeof(mid), "%u", l->mindex);
        o = json_pack("{s:s, s:b, s:i, s:s, s:b, s:b}", "type", sl_kind_to_str(l->kind), "active",
                      l->src || l->data || l->is_slot, "mindex", l->mindex, "mid", mid, "ready",
                      l->ready, "send", l->send);
        if (l->crossref)
            json_object_set_new(o, "crossrefid", json_string(l->crossref));
        vr_line_view_json(l, o);
        if (l->src) {
            vr_line_feed_json(l, o);
            layers_json(l, o);
        }
        if (l->data)
            vr_data_json(l, o);
        json_array_append_new(list, o);
    }
    return list;
}

static uint32_t exts_offered(const struct vr_settings *set, const struct vr_line *l, bool e2ee)
{
    uint32_t exts =
        SL_EXT_BIT(SL_EXT_MID) | SL_EXT_BIT(SL_EXT_ABS_SEND_TIME) | vr_exts_passed(l->kind);

    if (set->transport_wide_cc_ext)
        exts |= SL_EXT_BIT(SL_EXT_TWCC);
    if (l->kind == SL_KIND_AUDIO && set->audiolevel_ext)
        exts |= SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL);
    if (l->kind == SL_KIND_VIDEO && set->videoorient_ext)
        exts |= SL_EXT_BIT(SL_EXT_VIDEO_ORIENTATION);
    if (l->kind == SL_KIND_VIDEO && set->playoutdelay_ext)
        exts |= SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY);
    if (l->codec.codec == SL_CODEC_AV1 || l->codec.codec == SL_CODEC_VP9 ||
        (l->kind == SL_KIND_VIDEO && e2ee))
        exts |= SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR);
    return exts;
}

/* msid holds tokens only (RFC 8830); ids of other characters leave it to the core. */
static bool is_token(const char *s)
{
    while (isalnum((unsigned char)*s) || (*s && strchr("-._+~", *s)))
        s++;
    return !*s;
}

static void line_offer(const struct vr_sub *s, const struct vr_line *l, struct sl_mline *out)
{
    snprintf(out->mid, sizeof(out->mid), "%u", l->mindex);
    out->kind = l->kind;
    if (l->data) {
        out->dir = SL_DIR_SENDRECV;
        return;
    }
    out->dir = l->src || l->is_slot ? SL_DIR_SEND : SL_DIR_INACTIVE;
    out->codecs = &l->codec;
    out->ncodecs = 1;
    out->red = l->red;
    out->exts = exts_offered(&s->room->set, l, s->e2ee);
    if (l->src && !l->is_slot && s->use_msid && is_token(l->src->pub->id.s) &&
        is_token(l->src->mid)) {
        snprintf(out->stream, sizeof(out->stream), "%s", l->src->pub->id.s);
        snprintf(out->track, sizeof(out->track), "%s", l->src->mid);
    }
}

int vr_sub_offer(struct vr_sub *s, struct sl_msg *m, json_t *event, bool restart)
{
    struct sl_mline *lines = calloc(s->nlines + 1, sizeof(*lines));
    char name[PL_ID_MAX + 16];
    const struct sl_jsep_out out = {
        .type = SL_JSEP_OFFER,
        .lines = lines,
        .nlines = s->nlines,
        .session_name = name,
        .restart = restart,
        .e2ee = s->e2ee,
    };
    int err;

    if (!lines) {
        json_decref(event);
        return -ENOMEM;
    }
    snprintf(name, sizeof(name), "VideoRoom %s", s->room->id.s);
    for (size_t i = 0; i < s->nlines; i++)
        line_offer(s, s->lines[i], &lines[i]);
    err = vr_core->event(s->h, m, event, &out);
    free(lines);
    if (err)
        return err;
    s->awaits_answer = true;
    s->pending = s->pending_restart = s->stale = false;
    return 0;
}

int vr_sub_renegotiate(struct vr_sub *s, struct sl_msg *m)
{
    json_t *event;
    int err = -EBUSY;

    if (!s->awaits_answer) {
        event = vr_room_event(s->room, "updated");
        json_object_set_new(event, "streams", vr_sub_streams(s));
        err = vr_sub_offer(s, m, event, s->pending_restart);
    }
    if (err == -EBUSY) {
        s->pending = true;
        err = m ? vr_core->event(s->h, m, vr_room_event(s->room, "updating"), NULL) : 0;
    } else if (err) {
        s->stale = true; /* the next change tries again */
    }
    return err;
}

static void line_answered(struct vr_line *l, const struct sl_mline *in)
{
    const bool accepted = !in->rejected && (l->data || (in->dir & SL_DIR_SEND));

    l->accepted = accepted;
    l->ready |= accepted;
    if (l->data)
        vr_data_apply(l);
    if (l->src && l->routed && accepted)
        return; /* as it was */
    if (l->src)
        vr_line_attach(l, l->src); /* routes follow */
}

void vr_sub_answered(struct vr_sub *s, const struct sl_jsep_in *answer)
{
    if (!s->awaits_answer)
        return;
    s->awaits_answer = false;
    for (size_t i = 0; i < s->nlines && i < answer->nlines; i++)
        line_answered(s->lines[i], &answer->lines[i]);
}

void vr_sub_after_answer(struct vr_sub *s)
{
    if (s->pending && !s->awaits_answer)
        (void)vr_sub_renegotiate(s, NULL);
}
