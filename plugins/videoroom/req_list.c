#include "vr_request.h"

static void set_true(json_t *o, const char *name, bool v)
{
    if (v)
        json_object_set_new(o, name, json_true());
}

static void codecs_json(json_t *o, const char *name, const enum sl_codec *codecs)
{
    char text[VR_CODECS_MAX * 16] = "";
    size_t len = 0;

    for (size_t i = 0; i < VR_CODECS_MAX && codecs[i] != SL_CODEC_NONE; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "",
                                sl_codec_to_str(codecs[i]));
    json_object_set_new(o, name, json_string(text));
}

static json_t *room_json(const struct vr_room *room)
{
    const struct vr_settings *s = &room->set;
    json_t *o = json_pack(
        "{s:o, s:s, s:b, s:b, s:I, s:I, s:I, s:b, s:b, s:b, s:b}", "room", pl_id_json(&room->id),
        "description", s->description, "pin_required", s->pin != NULL, "is_private", s->is_private,
        "max_publishers", (json_int_t)s->publishers, "bitrate", (json_int_t)s->bitrate, "fir_freq",
        (json_int_t)s->fir_freq, "require_pvtid", s->require_pvtid, "require_e2ee", s->require_e2ee,
        "dummy_publisher", s->dummy_publisher, "notify_joining", s->notify_joining);

    set_true(o, "bitrate_cap", s->bitrate_cap);
    codecs_json(o, "audiocodec", s->audio);
    codecs_json(o, "videocodec", s->video);
    set_true(o, "opus_fec", s->opus_fec);
    set_true(o, "opus_dtx", s->opus_dtx);
    json_object_set_new(o, "record", json_boolean(s->record));
    if (s->rec_dir)
        json_object_set_new(o, "rec_dir", json_string(s->rec_dir));
    json_object_set_new(o, "lock_record", json_boolean(s->lock_record));
    json_object_set_new(o, "num_participants", json_integer((json_int_t)room->nmembers));
    json_object_set_new(o, "audiolevel_ext", json_boolean(s->audiolevel_ext));
    json_object_set_new(o, "audiolevel_event", json_boolean(s->audiolevel_event));
    if (s->audiolevel_event) {
        json_object_set_new(o, "audio_active_packets",
                            json_integer((json_int_t)s->audio_active_packets));
        json_object_set_new(o, "audio_level_average",
                            json_integer((json_int_t)s->audio_level_average));
    }
    json_object_set_new(o, "videoorient_ext", json_boolean(s->videoorient_ext));
    json_object_set_new(o, "playoutdelay_ext", json_boolean(s->playoutdelay_ext));
    json_object_set_new(o, "transport_wide_cc_ext", json_boolean(s->transport_wide_cc_ext));
    return o;
}

int req_list(struct vr_req *r)
{
    const bool all = sl_arg_get(r->body, "admin_key") != NULL;
    const struct vr_link *l;
    json_t *list;

    if (all && vr_conf.admin_key && vr_arg_secret(r, "admin_key", vr_conf.admin_key) < 0)
        return -1;
    list = json_array();
    vr_list_for_each(l, &vr_rooms)
    {
        const struct vr_room *room = vr_container(l, struct vr_room, link);

        if (!room->set.is_private || (all && vr_conf.admin_key))
            json_array_append_new(list, room_json(room));
    }
    r->reply = json_pack("{s:s, s:o}", "videoroom", "success", "list", list);
    return 0;
}
