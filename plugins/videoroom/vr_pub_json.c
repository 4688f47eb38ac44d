#include "vr_pub.h"

void vr_pub_name(const struct vr_pub *p, json_t *event)
{
    if (p->display)
        json_object_set_new(event, "display", json_string(p->display));
    if (p->metadata)
        json_object_set(event, "metadata", p->metadata);
}

const char *vr_stream_codec(const struct vr_stream *s)
{
    return s->red ? "red" : sl_codec_to_str(s->codec.codec);
}

const char *vr_pub_codec(const struct vr_pub *p, enum sl_kind kind)
{
    const char *found = NULL;

    for (size_t i = 0; i < p->nstreams; i++) {
        const struct vr_stream *s = p->streams[i];

        if (s->kind == kind && !s->disabled)
            return vr_stream_codec(s);
        if (s->kind == kind)
            found = "none";
    }
    return found;
}

static void set_true(json_t *o, const char *name, bool v)
{
    if (v)
        json_object_set_new(o, name, json_true());
}

static void set_profile(json_t *o, const struct vr_stream *s)
{
    if (!s->codec.profile[0])
        return;
    if (s->codec.codec == SL_CODEC_H264)
        json_object_set_new(o, "h264_profile", json_string(s->codec.profile));
    if (s->codec.codec == SL_CODEC_VP9)
        json_object_set_new(o, "vp9_profile", json_string(s->codec.profile));
}

static json_t *stream_json(const struct vr_stream *s)
{
    json_t *o = json_pack("{s:s, s:i, s:s}", "type", sl_kind_to_str(s->kind), "mindex", s->mindex,
                          "mid", s->mid);

    if (s->disabled) {
        set_true(o, "disabled", true);
        return o;
    }
    if (s->description)
        json_object_set_new(o, "description", json_string(s->description));
    if (s->kind != SL_KIND_DATA)
        json_object_set_new(o, "codec", json_string(vr_stream_codec(s)));
    set_profile(o, s);
    set_true(o, "stereo", s->stereo);
    set_true(o, "fec", s->fec);
    set_true(o, "dtx", s->dtx);
    set_true(o, "simulcast", s->simulcast);
    set_true(o, "svc", s->svc);
    set_true(o, "moderated", s->moderated);
    return o;
}

static bool has_level(const struct vr_stream *s)
{
    return s->kind == SL_KIND_AUDIO && !s->disabled && s->ext_id[SL_EXT_AUDIO_LEVEL];
}

void vr_pub_changed(struct vr_pub *p)
{
    json_decref(p->info);
    p->info = NULL;
}

json_t *vr_pub_info(struct vr_pub *p)
{
    const char *audio = vr_pub_codec(p, SL_KIND_AUDIO), *video = vr_pub_codec(p, SL_KIND_VIDEO);
    bool levels = false, talking = false;
    json_t *o, *streams;

    if (p->info)
        return p->info;
    o = json_pack("{s:o}", "id", pl_id_json(&p->id));
    streams = json_array();
    vr_pub_name(p, o);
    set_true(o, "dummy", p->dummy);
    if (audio && strcmp(audio, "none") != 0)
        json_object_set_new(o, "audio_codec", json_string(audio));
    if (video && strcmp(video, "none") != 0)
        json_object_set_new(o, "video_codec", json_string(video));
    for (size_t i = 0; i < p->nstreams; i++) {
        const struct vr_stream *s = p->streams[i];
        json_t *j = stream_json(s);

        if (has_level(s)) {
            json_object_set_new(j, "talking", json_boolean(s->talking));
            levels = true;
            talking |= s->talking;
        }
        json_array_append_new(streams, j);
    }
    json_object_set_new(o, "streams", streams);
    if (levels)
        json_object_set_new(o, "talking", json_boolean(talking));
    p->info = o;
    return o;
}

const struct vr_ext_id vr_ext_ids[VR_EXT_IDS] = {
    { "audiolevel_ext_id", SL_EXT_AUDIO_LEVEL },
    { "videoorient_ext_id", SL_EXT_VIDEO_ORIENTATION },
    { "playoutdelay_ext_id", SL_EXT_PLAYOUT_DELAY },
    { "depdesc_ext_id", SL_EXT_DEPENDENCY_DESCRIPTOR },
};

json_t *vr_pub_own_streams(const struct vr_pub *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->nstreams; i++) {
        const struct vr_stream *s = p->streams[i];
        json_t *o = stream_json(s);

        for (size_t k = 0; k < VR_EXT_IDS && !s->disabled; k++)
            if (s->ext_id[vr_ext_ids[k].ext])
                json_object_set_new(o, vr_ext_ids[k].name,
                                    json_integer(s->ext_id[vr_ext_ids[k].ext]));
        json_array_append_new(list, o);
    }
    return list;
}
