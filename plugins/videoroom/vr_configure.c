/*
 * vr_configure.c - what publish, configure and joinandconfigure have in common.
 */
#include "vr_pub.h"
#include "vr_sub.h"
#include <stdlib.h>

static const struct sl_arg configure_args[] = {
    { "audiocodec", SL_ARG_STRING },
    { "videocodec", SL_ARG_STRING },
    { "bitrate", SL_ARG_UINT },
    { "keyframe", SL_ARG_BOOL },
    { "display", SL_ARG_STRING, SL_ARG_OPTIONAL, SL_ARG_NAME_MAX },
    { "metadata", SL_ARG_OBJECT, SL_ARG_OPTIONAL, SL_ARG_META_MAX },
    { "audio", SL_ARG_BOOL },
    { "video", SL_ARG_BOOL },
    { "data", SL_ARG_BOOL },
    { "streams", SL_ARG_ARRAY },
    { "descriptions", SL_ARG_ARRAY },
    { "update", SL_ARG_BOOL },
    { "audio_active_packets", SL_ARG_UINT },
    { "audio_level_average", SL_ARG_UINT },
    { "watched", SL_ARG_BOOL },
};

/* Members that are about one stream, in an item of `streams` or at the top. */
static const struct sl_arg item_args[] = {
    { "mid", SL_ARG_STRING },    { "send", SL_ARG_BOOL },     { "keyframe", SL_ARG_BOOL },
    { "min_delay", SL_ARG_INT }, { "max_delay", SL_ARG_INT },
};

/* ---- checks ---------------------------------------------------------------------------------- */

/* A mid of the publisher, or of the offer that comes with the request. */
static bool mid_is_known(const struct vr_req *r, const struct vr_pub *p, const char *mid)
{
    if (vr_pub_stream(p, mid))
        return true;
    for (size_t i = 0; r->jsep && i < r->jsep->nlines; i++)
        if (strcmp(r->jsep->lines[i].mid, mid) == 0)
            return true;
    return false;
}

static int item_check(struct vr_req *r, const struct vr_pub *p, const json_t *item, bool need_mid)
{
    const char *mid;

    if (VR_ARGS(r, item, item_args) < 0)
        return -1;
    mid = sl_arg_str(item, "mid", NULL);
    if (!mid && need_mid)
        return vr_fail(r, VR_ERR_MISSING, "Missing mandatory element (mid)");
    if (mid && !mid_is_known(r, p, mid))
        return vr_fail(r, VR_ERR_NO_SUCH_FEED, "No such mid '%.32s'", mid);
    return 0;
}

static int descriptions_check(struct vr_req *r)
{
    static const struct sl_arg args[] = { { "mid", SL_ARG_STRING, SL_ARG_REQUIRED },
                                          { "description", SL_ARG_STRING, SL_ARG_REQUIRED,
                                            SL_ARG_NAME_MAX } };
    const json_t *item;
    size_t i;

    json_array_foreach(sl_arg_get(r->body, "descriptions"), i, item)
    {
        if (VR_ARGS(r, item, args) < 0)
            return -1;
    }
    return 0;
}

/* Only read with an offer: it must be one of the room's. */
static int codec_check(struct vr_req *r, const struct vr_pub *p, enum sl_kind kind,
                       const char *member, const char *what)
{
    const char *name = sl_arg_str(r->body, member, NULL);

    if (!r->jsep || !name)
        return 0;
    if (!vr_settings_has_codec(&p->room->set, sl_codec_from_str(kind, name)))
        return vr_fail(r, VR_ERR_INVALID, "%s codec unavailable in this room", what);
    return 0;
}

int vr_configure_check(struct vr_req *r, struct vr_pub *p, bool joining)
{
    const json_t *streams, *item;
    size_t i;

    if (VR_ARGS(r, r->body, configure_args) < 0 || vr_arg_no_recording(r, r->body) < 0 ||
        vr_arg_objects(r, r->body, "streams", VR_STREAMS_MAX) < 0 ||
        vr_arg_objects(r, r->body, "descriptions", VR_STREAMS_MAX) < 0)
        return -1;
    if (codec_check(r, p, SL_KIND_AUDIO, "audiocodec", "Audio") < 0 ||
        codec_check(r, p, SL_KIND_VIDEO, "videocodec", "Video") < 0)
        return -1;
    if (descriptions_check(r) < 0)
        return -1;
    streams = sl_arg_get(r->body, "streams");
    json_array_foreach(streams, i, item) if (item_check(r, p, item, json_array_size(streams) > 1) <
                                             0) return -1;
    if (!streams && !joining)
        return item_check(r, p, r->body, false);
    return 0;
}

/* ---- application ----------------------------------------------------------------------------- */

static bool stream_is_meant(const struct vr_stream *s, const json_t *item, enum sl_kind def)
{
    const char *mid = sl_arg_str(item, "mid", NULL);

    return mid ? strcmp(mid, s->mid) == 0 : def == SL_KIND_MAX || s->kind == def;
}

static void stream_configure(struct vr_stream *s, const json_t *item)
{
    const struct vr_link *l;

    if (sl_arg_get(item, "send") && stream_is_meant(s, item, SL_KIND_MAX))
        s->unsent = !sl_arg_bool(item, "send", true);
    if (!stream_is_meant(s, item, SL_KIND_VIDEO))
        return;
    if (s->kind == SL_KIND_VIDEO && sl_arg_bool(item, "keyframe", false) && !s->disabled)
        vr_core->keyframe(vr_stream_ref(s));
    if (!sl_arg_get(item, "min_delay") && !sl_arg_get(item, "max_delay"))
        return;
    s->min_delay = (int32_t)sl_arg_int(item, "min_delay", s->min_delay);
    s->max_delay = (int32_t)sl_arg_int(item, "max_delay", s->max_delay);
    s->min_delay = s->min_delay < 0 ? -1 : s->min_delay > 4095 ? 4095 : s->min_delay;
    s->max_delay = s->max_delay < 0 ? -1 : s->max_delay > 4095 ? 4095 : s->max_delay;
    vr_list_for_each(l, &s->lines) vr_line_apply(vr_container(l, struct vr_line, in_stream));
}

static void streams_configure(struct vr_req *r, struct vr_pub *p)
{
    static const char *const kinds[] = { "audio", "video", "data" };
    const json_t *items = sl_arg_get(r->body, "streams"), *item;
    size_t k;

    for (size_t i = 0; i < p->nstreams; i++) {
        struct vr_stream *s = p->streams[i];
        const char *kind = kinds[s->kind];

        if (sl_arg_get(r->body, kind)) /* the old way */
            s->unsent = !sl_arg_bool(r->body, kind, true);
        json_array_foreach(items, k, item) stream_configure(s, item);
        if (!items)
            stream_configure(s, r->body);
        vr_stream_gate(s);
    }
}

/* True: some stream has another description now. */
static bool descriptions_take(struct vr_req *r, struct vr_pub *p)
{
    const json_t *item;
    bool changed = false;
    size_t i;

    json_array_foreach(sl_arg_get(r->body, "descriptions"), i, item)
    {
        struct vr_stream *s = vr_pub_stream(p, sl_arg_str(item, "mid", ""));

        if (!s)
            continue;
        free(s->description);
        s->description = strdup(sl_arg_str(item, "description", ""));
        changed = true;
    }
    if (changed)
        vr_pub_changed(p);
    return changed;
}

/* {"videoroom":"event","room":..,"id":..,<member>: the new value} to the others. */
static void change_tell(struct vr_pub *p, const char *member, json_t *value)
{
    json_t *event = vr_room_event(p->room, "event");

    json_object_set_new(event, "id", pl_id_json(&p->id));
    json_object_set(event, member, value);
    vr_room_tell(p->room, p, event);
}

static void name_take(struct vr_req *r, struct vr_pub *p)
{
    json_t *display = sl_arg_get(r->body, "display"), *meta = sl_arg_get(r->body, "metadata");

    if (display && (!p->display || strcmp(p->display, json_string_value(display)) != 0)) {
        const bool had_one = p->display != NULL;

        free(p->display);
        p->display = strdup(json_string_value(display));
        vr_pub_changed(p);
        if (had_one)
            change_tell(p, "display", display);
    }
    if (meta && !json_equal(meta, p->metadata)) {
        json_decref(p->metadata);
        p->metadata = json_incref(meta);
        vr_pub_changed(p);
        change_tell(p, "metadata", meta);
    }
}

static enum sl_codec codec_take(const struct vr_req *r, enum sl_kind kind, const char *member,
                                enum sl_codec old)
{
    const char *name = sl_arg_str(r->body, member, NULL);

    return r->jsep && name ? sl_codec_from_str(kind, name) : old;
}

static void watched_take(struct vr_req *r, struct vr_pub *p)
{
    if (!sl_arg_get(r->body, "watched"))
        return;
    p->hears_watched = sl_arg_bool(r->body, "watched", false);
    for (size_t i = 0; i < p->nstreams; i++)
        vr_stream_watched(p->streams[i]);
}

static void numbers_take(struct vr_req *r, struct vr_pub *p)
{
    p->audiocodec = codec_take(r, SL_KIND_AUDIO, "audiocodec", p->audiocodec);
    p->videocodec = codec_take(r, SL_KIND_VIDEO, "videocodec", p->videocodec);
    p->bitrate = vr_arg_u32(r->body, "bitrate", p->bitrate);
    p->audio_active_packets = vr_arg_u32(r->body, "audio_active_packets", p->audio_active_packets);
    p->audio_level_average = vr_arg_u32(r->body, "audio_level_average", p->audio_level_average);
    if (p->audio_level_average > 127)
        p->audio_level_average = 127;
}

int vr_configure_apply(struct vr_req *r, struct vr_pub *p, json_t *event, bool joining)
{
    const struct {
        uint32_t bitrate;
        enum sl_codec audio, video;
    } old = { p->bitrate, p->audiocodec, p->videocodec };
    bool described;

    numbers_take(r, p);
    if (r->jsep && vr_pub_negotiate(r, p, event) < 0) {
        p->bitrate = old.bitrate;
        p->audiocodec = old.audio;
        p->videocodec = old.video;
        return -1;
    }
    if (!r->jsep) {
        if (p->has_slot && p->bitrate != old.bitrate)
            vr_core->bitrate(p->h, p->bitrate);
        vr_pub_apply(p);
        vr_answer(r, event);
    }
    if (!joining)
        name_take(r, p);
    streams_configure(r, p);
    described = descriptions_take(r, p);
    if (r->jsep || described)
        vr_pub_announce(p);
    watched_take(r, p);
    vr_sub_flush(p->room); /* a stream that changed its codec lost its subscribers */
    vr_notify(p->h, json_pack("{s:s, s:o, s:o, s:I}", "event", "configured", "room",
                              pl_id_json(&p->room->id), "id", pl_id_json(&p->id), "bitrate",
                              (json_int_t)p->bitrate));
    return 0;
}
