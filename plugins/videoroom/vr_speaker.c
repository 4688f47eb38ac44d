#include "vr_speaker.h"
#include "vr_view.h"

static bool has_level(const struct vr_stream *s)
{
    return s->kind == SL_KIND_AUDIO && !s->disabled && s->ext_id[SL_EXT_AUDIO_LEVEL];
}

static bool pub_has_level(const struct vr_pub *p)
{
    for (size_t i = 0; i < p->nstreams; i++)
        if (has_level(p->streams[i]))
            return true;
    return false;
}

bool vr_speakers_wanted(const struct vr_room *room)
{
    return room->set.speaker_event || room->set.audio_loudest || room->set.video_last ||
           room->nslots || room->speakers.n > 2;
}

static size_t open_max(const struct vr_room *room)
{
    return room->set.audio_loudest ? room->set.audio_loudest : SIZE_MAX;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* What the core is to do with the audio of @p, where that is something else than before. */
static void pub_modes(const struct vr_pub *p)
{
    const bool wanted = vr_speakers_wanted(p->room);

    for (size_t i = 0; i < p->nstreams; i++) {
        struct vr_stream *s = p->streams[i];
        enum sl_voice_mode mode = SL_VOICE_OFF;

        if (wanted && has_level(s))
            mode = p->voice.is_open ? SL_VOICE_REPORT : SL_VOICE_HOLD;
        if (s->voice != mode && vr_core->voice(vr_stream_ref(s), mode) == 0)
            s->voice = mode;
    }
}

static void tell_speaker(struct vr_room *room)
{
    json_t *event;

    if (!room->set.speaker_event)
        return;
    event = vr_room_event(room, "event");
    vr_speaker_json(room, event);
    vr_notify(vr_pub_of_voice(room->speakers.speaker)->h, json_incref(event));
    vr_room_tell(room, NULL, event);
}

/* Its videos matter more than before, or less. */
static void lines_apply(const struct vr_pub *p)
{
    const struct vr_link *l;

    for (size_t i = 0; i < p->nstreams; i++)
        vr_list_for_each(l, &p->streams[i]->lines)
            vr_line_apply(vr_container(l, struct vr_line, in_stream));
}

/* @before: the speaker until now, or NULL. */
static void changed(struct vr_room *room, unsigned int what, const struct vr_pub *before)
{
    struct vr_pub *now = room->speakers.speaker ? vr_pub_of_voice(room->speakers.speaker) : NULL;

    for (size_t i = 0; (what & ~PL_CHANGED_SPEAKER) && i < room->speakers.n; i++)
        pub_modes(vr_pub_of_voice(room->speakers.order[i]));
    if (what & PL_CHANGED_SPEAKER) {
        if (before)
            lines_apply(before);
        lines_apply(now);
        tell_speaker(room);
    }
    if (what)
        vr_views_update(room);
}

void vr_speaker_json(const struct vr_room *room, json_t *event)
{
    if (room->set.speaker_event && room->speakers.speaker)
        json_object_set_new(event, "speaker",
                            pl_id_json(&vr_pub_of_voice(room->speakers.speaker)->id));
}

/* ---- members --------------------------------------------------------------------------------- */

void vr_speaker_join(struct vr_pub *p)
{
    const int what = pl_speakers_add(&p->room->speakers, &p->voice, pub_has_level(p));

    if (what < 0)
        return; /* no memory: it is forwarded as if it had no levels */
    pub_modes(p);
    changed(p->room, (unsigned int)what, NULL);
}

void vr_speaker_leave(struct vr_pub *p)
{
    changed(p->room, pl_speakers_del(&p->room->speakers, &p->voice), NULL);
}

void vr_speaker_apply(struct vr_pub *p)
{
    if (!pl_speakers_has(&p->room->speakers, &p->voice))
        return;
    if (p->voice.has_level != pub_has_level(p)) {
        vr_speaker_leave(p);
        vr_speaker_join(p);
    }
    pub_modes(p);
}

void vr_speaker_heard(struct vr_pub *p, uint16_t mindex, const struct sl_voice_report *v)
{
    struct vr_stream *s = mindex < p->nstreams ? p->streams[mindex] : NULL;
    struct sl_voice_report any = *v;
    struct vr_room *room = p->room;
    const struct vr_pub *before;
    unsigned int what;

    if (!s || s->voice == SL_VOICE_OFF)
        return;
    if (v->speaks && !s->speaks)
        s->voice = SL_VOICE_REPORT; /* the core opens it by itself */
    s->speaks = v->speaks;
    for (size_t i = 0; i < p->nstreams; i++)
        any.speaks |= p->streams[i]->speaks;
    before = room->speakers.speaker ? vr_pub_of_voice(room->speakers.speaker) : NULL;
    what = pl_speakers_hear(&room->speakers, &p->voice, &any);
    pub_modes(p);
    changed(room, what, before);
}

void vr_speakers_apply(struct vr_room *room)
{
    changed(room, pl_speakers_set_open_max(&room->speakers, open_max(room)) | PL_CHANGED_OPEN,
            NULL);
}
