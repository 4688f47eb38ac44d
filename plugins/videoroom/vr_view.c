#include "vr_view.h"
#include "vr_speaker.h"

/* ---- slots ----------------------------------------------------------------------------------- */

int vr_slot_ask(struct vr_req *r, const struct vr_sub *s, const json_t *item,
                struct vr_line_ask *out)
{
    static const struct sl_arg args[] = {
        { "slot", SL_ARG_UINT, SL_ARG_REQUIRED },
        { "type", SL_ARG_STRING },
        { "crossrefid", SL_ARG_STRING },
        { "send", SL_ARG_BOOL },
    };
    const char *type;

    if (VR_ARGS(r, item, args) < 0 || vr_arg_layers(r, item) < 0)
        return -1;
    if (sl_arg_int(item, "slot", 0) >= VR_SLOTS_MAX)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (slot should be below %d)",
                       VR_SLOTS_MAX);
    type = sl_arg_str(item, "type", "video");
    *out = (struct vr_line_ask){ NULL, item, SL_KIND_VIDEO, (int)sl_arg_int(item, "slot", 0) };
    if (strcmp(type, "audio") == 0)
        out->kind = SL_KIND_AUDIO;
    else if (strcmp(type, "video") != 0)
        return vr_fail(r, VR_ERR_INVALID, "Invalid element (type)");
    if (out->kind == SL_KIND_AUDIO && !s->room->set.audio_loudest)
        return vr_fail(r, VR_ERR_INVALID,
                       "Invalid element (slots of audio need a room with audio_loudest)");
    return 0;
}

void vr_slot_codec(const struct vr_room *room, enum sl_kind kind, struct sl_mcodec *codec,
                   bool *red)
{
    const struct vr_settings *set = &room->set;
    enum sl_codec c = kind == SL_KIND_AUDIO ? set->audio[0] : set->video[0];

    *red = c == SL_CODEC_RED;
    if (c == SL_CODEC_RED)
        c = SL_CODEC_OPUS;
    *codec = (struct sl_mcodec){ .codec = c, .pt = sl_codec_info_get(c)->pt };
    if (c == SL_CODEC_OPUS && set->opus_fec)
        snprintf(codec->fmtp, sizeof(codec->fmtp), "useinbandfec=1");
    if (c == SL_CODEC_H264)
        snprintf(codec->profile, sizeof(codec->profile), "%.15s",
                 set->h264_profile ? set->h264_profile : "42e01f");
    if (c == SL_CODEC_H264)
        snprintf(codec->fmtp, sizeof(codec->fmtp),
                 "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=%s",
                 codec->profile);
}

void vr_slot_set(struct vr_line *l, int slot)
{
    struct vr_room *room = l->sub->room;

    if (l->is_slot == (slot >= 0) && l->slot == slot)
        return;
    l->sub->nslots += (slot >= 0) - l->is_slot;
    room->nslots += (slot >= 0) - l->is_slot;
    l->is_slot = slot >= 0;
    l->slot = slot >= 0 ? slot : 0;
    if (room->nslots == 0 || room->nslots == 1)
        vr_speakers_apply(room); /* from now on somebody, or nobody, asks who speaks */
}

struct vr_line *vr_slot_find(const struct vr_sub *s, enum sl_kind kind, int slot)
{
    for (size_t i = 0; i < s->nlines; i++)
        if (s->lines[i]->is_slot && s->lines[i]->kind == kind && s->lines[i]->slot == slot)
            return s->lines[i];
    return NULL;
}

static bool is_own(const struct vr_sub *s, const struct vr_pub *p)
{
    return s->private_id && p->private_id == s->private_id;
}

/* What of @p a slot of @kind would show. */
static struct vr_stream *stream_of(const struct vr_sub *s, const struct vr_pub *p,
                                   enum sl_kind kind, enum sl_codec codec)
{
    if (is_own(s, p) || p->e2ee != s->e2ee || (kind == SL_KIND_AUDIO && !p->voice.is_open))
        return NULL;
    for (size_t i = 0; i < p->nstreams; i++) {
        struct vr_stream *src = p->streams[i];

        if (src->kind == kind && !src->disabled && !src->moderated && !src->unsent &&
            src->codec.codec == codec)
            return src;
    }
    return NULL;
}

static void slot_show(struct vr_line *l, struct vr_stream *src)
{
    l->now = (struct sl_layer_event){ -1, -1, -1, -1, 0, 0 };
    l->is_news = true;
    if (src)
        vr_line_attach(l, src);
    else
        vr_line_detach(l);
}

/* Who is shown and shall be stays where he is. */
static void slots_fill(struct vr_sub *s, enum sl_kind kind)
{
    const struct pl_speakers *speakers = &s->room->speakers;
    struct vr_line *slots[VR_SLOTS_MAX] = { NULL };
    struct vr_stream *want[VR_SLOTS_MAX];
    size_t n = 0, nwant = 0;

    if (s->nslots == 0)
        return;
    for (size_t i = 0; i < s->nlines; i++)
        if (s->lines[i]->is_slot && s->lines[i]->kind == kind)
            slots[s->lines[i]->slot] = s->lines[i];
    for (size_t i = 0; i < VR_SLOTS_MAX; i++)
        if (slots[i])
            slots[n++] = slots[i];
    for (size_t i = 0; i < speakers->n && nwant < n; i++) {
        want[nwant] =
            stream_of(s, vr_pub_of_voice(speakers->order[i]), kind, slots[0]->codec.codec);
        nwant += want[nwant] != NULL;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nwant; k++)
            if (slots[i]->src && slots[i]->src == want[k]) {
                slots[i--] = slots[--n];
                want[k] = want[--nwant];
                break;
            }
    for (size_t i = 0; i < n; i++)
        if (slots[i]->src != (i < nwant ? want[i] : NULL))
            slot_show(slots[i], i < nwant ? want[i] : NULL);
}

/* ---- the last N ------------------------------------------------------------------------------ */

/* How many spoke after him, of those whose voice is known and who are not the subscriber. */
static void pauses_apply(struct vr_sub *s)
{
    const struct pl_speakers *speakers = &s->room->speakers;
    const uint32_t last = s->room->set.video_last;
    uint32_t before = 0;

    for (size_t i = 0; i < speakers->n; i++) {
        struct vr_pub *p = vr_pub_of_voice(speakers->order[i]);

        p->is_past = last && p->voice.has_level && !is_own(s, p) && before >= last;
        before += p->voice.has_level && !is_own(s, p);
    }
    for (size_t i = 0; i < s->nlines; i++) {
        struct vr_line *l = s->lines[i];
        const bool rests =
            l->src && !l->is_slot && l->kind == SL_KIND_VIDEO && l->src->pub->is_past;

        if (l->rests == rests)
            continue;
        l->rests = rests;
        l->is_news = true;
        vr_line_apply(l);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static json_t *news(const struct vr_line *l)
{
    char mid[8];
    json_t *o;

    snprintf(mid, sizeof(mid), "%u", l->mindex);
    o = json_pack("{s:s, s:s}", "type", sl_kind_to_str(l->kind), "mid", mid);
    vr_line_view_json(l, o);
    if (l->src)
        vr_line_feed_json(l, o);
    return o;
}

static void tell_news(struct vr_sub *s)
{
    json_t *list = json_array(), *event;

    for (size_t i = 0; i < s->nlines; i++) {
        if (s->lines[i]->is_news && !s->is_quiet)
            json_array_append_new(list, news(s->lines[i]));
        s->lines[i]->is_news = false;
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        return;
    }
    event = vr_room_event(s->room, "event");
    json_object_set_new(event, "view", list);
    vr_core->event(s->h, NULL, event, NULL);
}

void vr_view_update(struct vr_sub *s)
{
    slots_fill(s, SL_KIND_AUDIO);
    slots_fill(s, SL_KIND_VIDEO);
    pauses_apply(s);
    tell_news(s);
}

void vr_views_update(struct vr_room *room)
{
    struct vr_link *l;

    if (!room->nslots && !room->set.video_last && !room->has_views)
        return;
    room->has_views = room->nslots || room->set.video_last;
    vr_list_for_each(l, &room->subs) vr_view_update(vr_container(l, struct vr_sub, in_room));
}
