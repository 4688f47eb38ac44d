/*
 * vr_answer.c - what a publisher's offer is answered with.
 */
#include "vr_forward.h"
#include "vr_speaker.h"
#include "vr_sub.h"
#include <stdlib.h>

uint32_t vr_exts_passed(enum sl_kind kind)
{
    const uint32_t video =
        SL_EXT_BIT(SL_EXT_COLOR_SPACE) | SL_EXT_BIT(SL_EXT_VIDEO_LAYERS_ALLOCATION);

    return SL_EXT_BIT(SL_EXT_ABS_CAPTURE_TIME) | (kind == SL_KIND_VIDEO ? video : 0);
}

/* abs-send-time and toffset are not for publishers: transport-wide-cc is what we want. In an
 * encrypted payload only the dependency descriptor tells key frames and layers. */
static uint32_t exts_accepted(const struct vr_settings *set, enum sl_kind kind, enum sl_codec codec,
                              bool e2ee)
{
    const bool video = kind == SL_KIND_VIDEO;
    uint32_t exts = SL_EXT_BIT(SL_EXT_MID) | vr_exts_passed(kind);

    if (set->transport_wide_cc_ext)
        exts |= SL_EXT_BIT(SL_EXT_TWCC);
    if (set->audiolevel_ext && !video)
        exts |= SL_EXT_BIT(SL_EXT_AUDIO_LEVEL) | SL_EXT_BIT(SL_EXT_CSRC_AUDIO_LEVEL);
    if (video)
        exts |= SL_EXT_BIT(SL_EXT_RID) | SL_EXT_BIT(SL_EXT_RRID);
    if (set->videoorient_ext && video)
        exts |= SL_EXT_BIT(SL_EXT_VIDEO_ORIENTATION);
    if (set->playoutdelay_ext && video)
        exts |= SL_EXT_BIT(SL_EXT_PLAYOUT_DELAY);
    if (codec == SL_CODEC_AV1 || codec == SL_CODEC_VP9 || (video && e2ee))
        exts |= SL_EXT_BIT(SL_EXT_DEPENDENCY_DESCRIPTOR);
    return exts;
}

static const struct sl_mcodec *codec_of(const struct vr_settings *set, const struct sl_mline *in,
                                        enum sl_codec c, bool *red)
{
    const char *profile = c == SL_CODEC_H264  ? set->h264_profile
                          : c == SL_CODEC_VP9 ? set->vp9_profile
                                              : NULL;

    *red = c == SL_CODEC_RED && in->red;
    if (c == SL_CODEC_RED)
        return in->red ? sl_mline_codec_find(in, SL_CODEC_OPUS, NULL) : NULL;
    return sl_mline_codec_find(in, c, profile);
}

static const struct sl_mcodec *codec_pick(const struct vr_pub *p, const struct sl_mline *in,
                                          bool *red)
{
    const struct vr_settings *set = &p->room->set;
    const bool audio = in->kind == SL_KIND_AUDIO;
    const enum sl_codec forced = audio ? p->audiocodec : p->videocodec;
    const enum sl_codec *order = audio ? set->audio : set->video;

    *red = false;
    if (forced != SL_CODEC_NONE)
        return codec_of(set, in, forced, red);
    for (size_t i = 0; i < VR_CODECS_MAX && order[i] != SL_CODEC_NONE; i++) {
        const struct sl_mcodec *c = codec_of(set, in, order[i], red);

        if (c)
            return c;
    }
    return NULL;
}

/* One line of the answer; @codec is where its one codec lives. */
static void line_answer(const struct vr_pub *p, const struct sl_mline *in, bool e2ee,
                        struct sl_mcodec *codec, struct sl_mline *out)
{
    const struct vr_settings *set = &p->room->set;
    const struct sl_mcodec *pick = NULL;
    bool red = false;

    *out = *in;
    out->stream[0] = out->track[0] = '\0';
    out->max_bitrate = 0;
    if (in->kind == SL_KIND_DATA && !in->rejected) {
        out->codecs = NULL;
        out->ncodecs = 0;
        return;
    }
    if (!in->rejected)
        pick = codec_pick(p, in, &red);
    if (in->rejected || (!pick && in->ncodecs == 0)) {
        out->rejected = true;
        out->dir = SL_DIR_INACTIVE;
        out->ncodecs = 0;
        return;
    }
    out->dir = pick && (in->dir & SL_DIR_RECV) ? SL_DIR_RECV : SL_DIR_INACTIVE;
    *codec = pick ? *pick : in->codecs[0];
    out->codecs = codec;
    out->ncodecs = 1;
    out->red = red;
    out->exts = in->exts & exts_accepted(set, in->kind, codec->codec, e2ee);
    if (pick && codec->codec == SL_CODEC_OPUS)
        sl_fmtp_opus_answer(pick->fmtp, set->opus_fec, set->opus_dtx, true, codec->fmtp);
    if (in->kind == SL_KIND_VIDEO && set->bitrate_cap)
        out->max_bitrate = set->bitrate;
}

static void stream_take(struct vr_stream *s, const struct sl_mline *in, const struct sl_mline *ans)
{
    const bool media = in->kind != SL_KIND_DATA && ans->dir == SL_DIR_RECV;
    const struct sl_mcodec *c = media ? &ans->codecs[0] : NULL;
    const bool opus = media && c->codec == SL_CODEC_OPUS;
    const bool other_codec = media && s->codec.codec && s->codec.codec != c->codec;

    /* The line is used again for something else. */
    if (s->kind != in->kind || (s->mid[0] && strcmp(s->mid, in->mid) != 0)) {
        vr_stream_unsubscribe_all(s);
        s->codec = (struct sl_mcodec){ 0 };
        s->red = s->fec = s->dtx = s->stereo = s->simulcast = s->svc = s->talking = false;
    }
    snprintf(s->mid, sizeof(s->mid), "%s", in->mid);
    s->kind = in->kind;
    s->disabled = in->kind == SL_KIND_DATA ? ans->rejected : !media;
    if (!media) {
        s->talking = false;
        return; /* the codec stays known: subscribers' lines wait for it */
    }
    if (other_codec)
        vr_stream_unsubscribe_all(s); /* what they negotiated does not fit any more */
    s->codec = *c;
    s->red = ans->red;
    s->fec = opus && sl_fmtp_has(c->fmtp, "useinbandfec", "1");
    s->dtx = opus && sl_fmtp_has(c->fmtp, "usedtx", "1");
    s->stereo = opus && sl_fmtp_has(c->fmtp, "stereo", "1");
    s->simulcast = in->kind == SL_KIND_VIDEO && in->nlayers > 1;
    s->svc = !s->simulcast && in->svc[0] && (c->codec == SL_CODEC_VP9 || c->codec == SL_CODEC_AV1);
    for (int e = 0; e < SL_EXT_MAX; e++)
        s->ext_id[e] = ans->exts & SL_EXT_BIT(e) ? in->ext_id[e] : 0;
}

void vr_pub_apply(struct vr_pub *p)
{
    if ((!p->has_slot && !p->remote) || !p->media)
        return;
    for (size_t i = 0; i < p->nstreams; i++) {
        const struct vr_stream *s = p->streams[i];

        if (s->kind == SL_KIND_AUDIO && !s->disabled && s->ext_id[SL_EXT_AUDIO_LEVEL])
            vr_core->talk_detect(vr_stream_ref(s), p->audio_active_packets,
                                 (uint8_t)p->audio_level_average);
        vr_stream_gate(s);
    }
    vr_speaker_apply(p);
    vr_forwards_apply(p);
}

static int offer_check(struct vr_req *r, const struct vr_pub *p)
{
    const struct vr_room *room = p->room;

    if (r->jsep->type != SL_JSEP_OFFER)
        return vr_fail(r, VR_ERR_SDP_TYPE, "Invalid SDP type: publishers send offers");
    if (room->set.require_e2ee && !r->jsep->e2ee)
        return vr_fail(r, VR_ERR_UNAUTHORIZED, "Room requires end-to-end encrypted media");
    if (!p->has_slot && vr_room_slots_used(room, p) >= room->set.publishers)
        return vr_fail(r, VR_ERR_FULL, "Maximum number of publishers (%u) already reached",
                       room->set.publishers);
    if (r->jsep->nlines == 0 || r->jsep->nlines > VR_STREAMS_MAX)
        return vr_fail(r, VR_ERR_INVALID_SDP, "Invalid SDP: %zu m-lines", r->jsep->nlines);
    return 0;
}

static int streams_take(struct vr_pub *p, const struct sl_jsep_in *in, const struct sl_mline *ans)
{
    for (size_t i = 0; i < in->nlines; i++) {
        struct vr_stream *s = vr_pub_stream_make(p, (uint16_t)i);

        if (!s)
            return -1;
        stream_take(s, &in->lines[i], &ans[i]);
    }
    return 0;
}

/* A descriptive part of the answer that needs the streams; they are made before it is sent. */
static void event_complete(const struct vr_pub *p, json_t *event)
{
    const char *audio = vr_pub_codec(p, SL_KIND_AUDIO), *video = vr_pub_codec(p, SL_KIND_VIDEO);

    if (audio)
        json_object_set_new(event, "audio_codec", json_string(audio));
    if (video)
        json_object_set_new(event, "video_codec", json_string(video));
    json_object_set_new(event, "streams", vr_pub_own_streams(p));
}

static int answer_send(struct vr_req *r, struct vr_pub *p, const struct sl_mline *lines,
                       json_t *event)
{
    char name[PL_ID_MAX + 16];
    const struct sl_jsep_out out = {
        .type = SL_JSEP_ANSWER,
        .lines = lines,
        .nlines = r->jsep->nlines,
        .session_name = name,
        .e2ee = r->jsep->e2ee,
    };

    snprintf(name, sizeof(name), "VideoRoom %s", p->room->id.s);
    if (vr_core->event(p->h, r->msg, event, &out) < 0)
        return vr_fail(r, VR_ERR_INVALID_SDP, "Invalid SDP: no answer fits the offer");
    return 0;
}

int vr_pub_negotiate(struct vr_req *r, struct vr_pub *p, json_t *event)
{
    const size_t n = r->jsep->nlines;
    struct sl_mline *lines = NULL;
    struct sl_mcodec *codecs = NULL;
    int err = offer_check(r, p);

    if (!err) {
        lines = calloc(n, sizeof(*lines));
        codecs = calloc(n, sizeof(*codecs));
        if (!lines || !codecs)
            err = vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    }
    for (size_t i = 0; !err && i < n; i++)
        line_answer(p, &r->jsep->lines[i], r->jsep->e2ee, &codecs[i], &lines[i]);
    if (!err && streams_take(p, r->jsep, lines) < 0)
        err = vr_fail(r, VR_ERR_UNKNOWN, "Out of memory");
    if (err) {
        json_decref(event);
    } else {
        event_complete(p, event);
        err = answer_send(r, p, lines, event);
    }
    free(lines);
    free(codecs);
    if (err) {
        if (!p->has_slot)
            vr_pub_stop(p, false); /* forget the streams of an offer that failed */
        return -1;
    }
    p->has_slot = true;
    p->e2ee = r->jsep->e2ee;
    vr_core->bitrate(p->h, p->bitrate);
    vr_core->fir_interval(p->h, p->room->set.fir_freq);
    vr_pub_apply(p);
    return 0;
}
