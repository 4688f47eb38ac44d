#include "vr_data.h"
#include "vr_forward.h"
#include "vr_speaker.h"
#include "vr_view.h"
#include "vr_sub.h"
#include <errno.h>
#include <stdlib.h>

struct vr_pub *vr_pub_find(const struct vr_room *room, const struct pl_id *id)
{
    struct vr_node *n = vr_map_get(&room->by_id, id->s);

    return n ? vr_container(n, struct vr_pub, node) : NULL;
}

struct vr_pub *vr_pub_create(struct vr_room *room, struct vr_handle *h, const struct pl_id *id)
{
    struct vr_pub *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->room = room;
    p->id = *id;
    p->private_id = (uint32_t)vr_core->random_id() | 1; /* never 0 */
    p->bitrate = room->set.bitrate;
    p->audio_active_packets = room->set.audio_active_packets;
    p->audio_level_average = room->set.audio_level_average;
    vr_list_init(&p->recipients);
    vr_list_add(&room->members, &p->link);
    vr_map_add(&room->by_id, &p->node, p->id.s);
    room->nmembers++;
    if (h) {
        p->handle = h;
        p->h = p->media = h->h;
        h->role = VR_PUBLISHER;
        h->pub = p;
    }
    return p;
}

static void streams_free(struct vr_pub *p)
{
    for (size_t i = 0; i < p->nstreams; i++) {
        vr_stream_unsubscribe_all(p->streams[i]);
        while (!vr_list_is_empty(&p->streams[i]->forwards))
            vr_forward_destroy(vr_container(p->streams[i]->forwards.next, struct vr_forward, link));
        free(p->streams[i]->description);
        free(p->streams[i]);
    }
    free(p->streams);
    p->streams = NULL;
    p->nstreams = 0;
    vr_pub_changed(p);
}

void vr_pub_destroy(struct vr_pub *p)
{
    vr_speaker_leave(p);
    streams_free(p);
    while (!vr_list_is_empty(&p->recipients))
        vr_recipient_destroy(vr_container(p->recipients.next, struct vr_recipient, link));
    if (p->remote && p->media)
        vr_core->endpoint_del(p->media);
    vr_list_del(&p->link);
    vr_map_del(&p->room->by_id, &p->node);
    p->room->nmembers--;
    if (p->handle)
        p->handle->pub = NULL;
    json_decref(p->metadata);
    free(p->display);
    free(p);
}

static json_t *about(const struct vr_pub *p, const char *what)
{
    json_t *event = vr_room_event(p->room, "event");

    json_object_set_new(event, what, pl_id_json(&p->id));
    vr_pub_name(p, event);
    return event;
}

static void notify(const struct vr_pub *p, const char *what)
{
    vr_notify(p->h, json_pack("{s:s, s:o, s:o}", "event", what, "room", pl_id_json(&p->room->id),
                              "id", pl_id_json(&p->id)));
}

void vr_pub_stop(struct vr_pub *p, bool tell)
{
    const bool was_up = p->up;

    p->up = p->has_slot = p->e2ee = false;
    vr_speaker_leave(p);
    streams_free(p);
    vr_forwards_apply(p);
    if (was_up && tell)
        vr_room_tell(p->room, p, about(p, "unpublished"));
    if (was_up)
        notify(p, "unpublished");
}

void vr_pub_leave(struct vr_pub *p)
{
    struct vr_room *room = p->room;

    vr_pub_stop(p, true);
    vr_room_tell(room, p, about(p, "leaving"));
    notify(p, "leaving");
    vr_pub_destroy(p);
    vr_sub_flush(room);
}

void vr_pub_announce(struct vr_pub *p)
{
    json_t *event;

    vr_pub_changed(p);
    if (!p->up)
        return;
    event = vr_room_event(p->room, "event");
    json_object_set_new(event, "publishers", json_pack("[O]", vr_pub_info(p)));
    vr_room_tell(p->room, p, event);
}

void vr_pub_up(struct vr_pub *p)
{
    if (p->up || !p->has_slot)
        return;
    p->up = true;
    vr_speaker_join(p);
    vr_pub_announce(p);
    vr_notify(p->h, json_pack("{s:s, s:o, s:o, s:s*, s:O}", "event", "published", "room",
                              pl_id_json(&p->room->id), "id", pl_id_json(&p->id), "display",
                              p->display, "streams", json_object_get(vr_pub_info(p), "streams")));
}

struct vr_stream *vr_pub_stream(const struct vr_pub *p, const char *mid)
{
    for (size_t i = 0; i < p->nstreams; i++)
        if (strcmp(p->streams[i]->mid, mid) == 0)
            return p->streams[i];
    return NULL;
}

struct vr_stream *vr_pub_stream_make(struct vr_pub *p, uint16_t mindex)
{
    struct vr_stream **bigger, *s;

    if (mindex < p->nstreams)
        return p->streams[mindex];
    if (mindex > p->nstreams || mindex >= VR_STREAMS_MAX)
        return NULL;
    bigger = realloc(p->streams, (p->nstreams + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    p->streams = bigger;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->pub = p;
    s->mindex = mindex;
    s->min_delay = s->max_delay = -1;
    s->watched = -1;
    vr_list_init(&s->lines);
    vr_list_init(&s->forwards);
    vr_list_init(&s->feeds);
    p->streams[p->nstreams++] = s;
    return s;
}

void vr_stream_gate(const struct vr_stream *s)
{
    if (s->pub->media && !s->disabled && s->kind != SL_KIND_DATA)
        vr_core->gate(vr_stream_ref(s), s->moderated || s->unsent);
    if (s->pub->up)
        vr_views_update(s->pub->room); /* no slot for what is not sent */
}

void vr_stream_unsubscribe_all(struct vr_stream *s)
{
    while (!vr_list_is_empty(&s->lines))
        vr_line_lost(vr_container(s->lines.next, struct vr_line, in_stream));
    vr_data_lost(s);
}

void vr_stream_watched(const struct vr_stream *s)
{
    json_t *event;

    if (!s->pub->hears_watched || !(s->simulcast || s->svc) || s->watched < 0)
        return;
    event = vr_room_event(s->pub->room, "event");
    json_object_set_new(event, "mid", json_string(s->mid));
    json_object_set_new(event, "watched", json_integer(s->watched));
    vr_core->event(s->pub->h, NULL, event, NULL);
}

void vr_pub_talking(struct vr_pub *p, uint16_t mindex, bool talking, double level)
{
    struct vr_stream *s = mindex < p->nstreams ? p->streams[mindex] : NULL;
    json_t *event;

    if (!s || s->talking == talking)
        return;
    s->talking = talking;
    vr_pub_changed(p);
    if (!p->room->set.audiolevel_event || !p->up)
        return;
    event = vr_room_event(p->room, talking ? "talking" : "stopped-talking");
    json_object_set_new(event, "id", pl_id_json(&p->id));
    json_object_set_new(event, "mindex", json_integer(mindex));
    json_object_set_new(event, "mid", json_string(s->mid));
    json_object_set_new(event, "audio-level-dBov-avg", json_real(level));
    vr_notify(p->h, json_incref(event));
    vr_room_tell(p->room, NULL, event);
}

/* ---- dummies --------------------------------------------------------------------------------- */

static int dummy_stream_add(struct vr_pub *p, enum sl_codec codec, const char *fmtp)
{
    struct vr_stream *s = vr_pub_stream_make(p, (uint16_t)p->nstreams);
    const struct sl_codec_info *info = sl_codec_info_get(codec);

    if (!s)
        return -ENOMEM;
    snprintf(s->mid, sizeof(s->mid), "%u", s->mindex);
    s->kind = info->kind;
    s->codec.codec = codec;
    s->codec.pt = info->pt;
    snprintf(s->codec.fmtp, sizeof(s->codec.fmtp), "%s", fmtp);
    return 0;
}

static int dummy_streams_add(struct vr_pub *p, const json_t *streams)
{
    const json_t *item;
    size_t i;

    json_array_foreach(streams, i, item)
    {
        const char *name = sl_arg_str(item, "codec", ""), *fmtp = sl_arg_str(item, "fmtp", "");
        enum sl_codec c = sl_codec_from_str(SL_KIND_AUDIO, name);

        if (c == SL_CODEC_NONE)
            c = sl_codec_from_str(SL_KIND_VIDEO, name);
        if (!vr_settings_has_codec(&p->room->set, c) || strpbrk(fmtp, "\r\n"))
            return -EINVAL;
        if (dummy_stream_add(p, c, fmtp) < 0)
            return -ENOMEM;
    }
    return 0;
}

int vr_pub_create_dummy(struct vr_room *room, const json_t *streams)
{
    const struct vr_settings *set = &room->set;
    struct vr_pub *p;
    struct pl_id id;
    int err = 0;

    pl_id_random(vr_core, vr_conf.string_ids, &id);
    p = vr_pub_create(room, NULL, &id);
    if (!p)
        return -ENOMEM;
    p->dummy = p->up = true;
    p->e2ee = set->dummy_e2ee;
    p->display = strdup("Dummy publisher");
    if (streams)
        err = dummy_streams_add(p, streams);
    for (size_t i = 0; !streams && !err && i < VR_CODECS_MAX && set->audio[i]; i++)
        err = dummy_stream_add(p, set->audio[i], "");
    for (size_t i = 0; !streams && !err && i < VR_CODECS_MAX && set->video[i]; i++)
        err = dummy_stream_add(p, set->video[i], "");
    if (err || !p->display) {
        vr_pub_destroy(p);
        return err ? err : -ENOMEM;
    }
    return 0;
}
