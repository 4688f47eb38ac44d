#include "vr_settings.h"
#include "../common/pl_conf.h"
#include <errno.h>
#include <stdlib.h>

#define ROW(n, t, e)                                                                               \
    {                                                                                              \
#n, t, offsetof(struct vr_settings, n), e                                                  \
    }

const struct vr_setting vr_settings_table[] = {
    ROW(description, VR_SET_STR, true),
    ROW(secret, VR_SET_STR, true),
    ROW(pin, VR_SET_STR, true),
    ROW(is_private, VR_SET_BOOL, true),
    ROW(require_pvtid, VR_SET_BOOL, true),
    ROW(signed_tokens, VR_SET_BOOL, false),
    ROW(bitrate, VR_SET_UINT, true),
    ROW(bitrate_cap, VR_SET_BOOL, false),
    ROW(fir_freq, VR_SET_UINT, true),
    ROW(publishers, VR_SET_UINT, true),
    ROW(audiocodec, VR_SET_STR, false),
    ROW(videocodec, VR_SET_STR, false),
    ROW(vp9_profile, VR_SET_STR, false),
    ROW(h264_profile, VR_SET_STR, false),
    ROW(opus_fec, VR_SET_BOOL, false),
    ROW(opus_dtx, VR_SET_BOOL, false),
    ROW(opus_red, VR_SET_BOOL, true),
    ROW(audiolevel_ext, VR_SET_BOOL, false),
    ROW(audiolevel_event, VR_SET_BOOL, false),
    ROW(audio_active_packets, VR_SET_UINT, false),
    ROW(audio_level_average, VR_SET_UINT, false),
    ROW(speaker_event, VR_SET_BOOL, true),
    ROW(audio_loudest, VR_SET_UINT, true),
    ROW(video_last, VR_SET_UINT, true),
    ROW(videoorient_ext, VR_SET_BOOL, false),
    ROW(playoutdelay_ext, VR_SET_BOOL, false),
    ROW(transport_wide_cc_ext, VR_SET_BOOL, false),
    ROW(record, VR_SET_BOOL, false),
    ROW(rec_dir, VR_SET_STR, true),
    ROW(lock_record, VR_SET_BOOL, true),
    ROW(notify_joining, VR_SET_BOOL, false),
    ROW(require_e2ee, VR_SET_BOOL, false),
    ROW(dummy_publisher, VR_SET_BOOL, false),
    ROW(dummy_e2ee, VR_SET_BOOL, false),
    ROW(threads, VR_SET_UINT, false),
};
const size_t vr_settings_count = SL_ARG_COUNT(vr_settings_table);

static const struct vr_settings defaults = {
    .opus_fec = true,
    .opus_red = true,
    .audiolevel_ext = true,
    .videoorient_ext = true,
    .playoutdelay_ext = true,
    .transport_wide_cc_ext = true,
    .publishers = 3,
    .audio_active_packets = 100,
    .audio_level_average = 25,
};
#define DEFAULT_AUDIO "opus"
#define DEFAULT_VIDEO "vp8"
#define BITRATE_MIN   64000

static const enum sl_arg_type arg_types[] = {
    [VR_SET_BOOL] = SL_ARG_BOOL,
    [VR_SET_UINT] = SL_ARG_UINT,
    [VR_SET_STR] = SL_ARG_STRING,
};

static void *member(const struct vr_settings *s, const struct vr_setting *row)
{
    return (char *)s + row->offset;
}

static int string_set(char **p, const char *v)
{
    char *copy = v && *v ? strdup(v) : NULL;

    if (v && *v && !copy)
        return -ENOMEM;
    free(*p);
    *p = copy;
    return 0;
}

static int value_set(struct vr_settings *s, const struct vr_setting *row, const json_t *v)
{
    if (row->type == VR_SET_STR)
        return string_set(member(s, row), json_string_value(v));
    if (row->type == VR_SET_BOOL)
        *(bool *)member(s, row) = json_is_true(v);
    else
        *(uint32_t *)member(s, row) =
            json_integer_value(v) > UINT32_MAX ? UINT32_MAX : (uint32_t)json_integer_value(v);
    return 0;
}

/* "opus,pcmu" by priority; names beyond the fifth do not count. */
static int codecs_parse(const char *list, enum sl_kind kind, enum sl_codec *out, char *text)
{
    size_t n = 0;

    while (*list) {
        const size_t len = strcspn(list, ", ");
        char name[16];
        enum sl_codec c;

        snprintf(name, sizeof(name), "%.*s", (int)len, list);
        list += len;
        list += strspn(list, ", ");
        if (!name[0])
            continue;
        c = sl_codec_from_str(kind, name);
        if (c == SL_CODEC_NONE) {
            snprintf(text, SL_ARG_TEXT_MAX, "Invalid element (%scodec can't contain '%s')",
                     sl_kind_to_str(kind), name);
            return -EINVAL;
        }
        if (n < VR_CODECS_MAX)
            out[n++] = c;
    }
    return 0;
}

bool vr_settings_has_codec(const struct vr_settings *s, enum sl_codec codec)
{
    for (size_t i = 0; i < VR_CODECS_MAX; i++)
        if (codec != SL_CODEC_NONE && (s->audio[i] == codec || s->video[i] == codec))
            return true;
    return false;
}

/* What follows from the members together. */
static int settings_complete(struct vr_settings *s, char *text)
{
    int err =
        codecs_parse(s->audiocodec ? s->audiocodec : DEFAULT_AUDIO, SL_KIND_AUDIO, s->audio, text);

    if (!err)
        err = codecs_parse(s->videocodec ? s->videocodec : DEFAULT_VIDEO, SL_KIND_VIDEO, s->video,
                           text);
    if (err)
        return err;
    if (s->audio_level_average > 127) {
        snprintf(text, SL_ARG_TEXT_MAX, "Invalid element (audio_level_average should be 0..127)");
        return -EINVAL;
    }
    if (s->bitrate > 0 && s->bitrate < BITRATE_MIN)
        s->bitrate = BITRATE_MIN;
    if (!vr_settings_has_codec(s, SL_CODEC_VP9))
        string_set(&s->vp9_profile, NULL);
    if (!vr_settings_has_codec(s, SL_CODEC_H264))
        string_set(&s->h264_profile, NULL);
    if (!vr_core->signed_tokens())
        s->signed_tokens = false;
    return 0;
}

int vr_settings_init(struct vr_settings *s, const json_t *body, char *text)
{
    int err = 0;

    *s = defaults;
    for (size_t i = 0; i < vr_settings_count && !err; i++) {
        const struct vr_setting *row = &vr_settings_table[i];
        const struct sl_arg arg = { row->name, arg_types[row->type], SL_ARG_OPTIONAL,
                                    row->type == VR_SET_STR ? SL_ARG_NAME_MAX : 0 };

        err = sl_args_check(body, &arg, 1, text, SL_ARG_TEXT_MAX);
        if (!err && sl_arg_get(body, row->name))
            err = value_set(s, row, sl_arg_get(body, row->name));
    }
    if (!err)
        err = settings_complete(s, text);
    if (err)
        vr_settings_fini(s);
    return err;
}

void vr_settings_fini(struct vr_settings *s)
{
    for (size_t i = 0; i < vr_settings_count; i++)
        if (vr_settings_table[i].type == VR_SET_STR)
            string_set(member(s, &vr_settings_table[i]), NULL);
}

int vr_settings_edit(struct vr_settings *s, const json_t *body, char *text)
{
    for (int apply = 0; apply <= 1; apply++)
        for (size_t i = 0; i < vr_settings_count; i++) {
            const struct vr_setting *row = &vr_settings_table[i];
            char name[48];
            const struct sl_arg arg = { name, arg_types[row->type], SL_ARG_OPTIONAL,
                                        row->type == VR_SET_STR ? SL_ARG_NAME_MAX : 0 };
            const json_t *v;

            snprintf(name, sizeof(name), "new_%s", row->name);
            v = sl_arg_get(body, name);
            if (!row->editable || !v)
                continue;
            if (!apply && sl_args_check(body, &arg, 1, text, SL_ARG_TEXT_MAX) < 0)
                return -EINVAL;
            if (apply && (row->type != VR_SET_STR || json_string_length(v) > 0))
                value_set(s, row, v);
        }
    if (s->bitrate > 0 && s->bitrate < BITRATE_MIN)
        s->bitrate = BITRATE_MIN;
    return 0;
}

json_t *vr_settings_to_config(const struct vr_settings *s)
{
    json_t *out = json_object();

    for (size_t i = 0; i < vr_settings_count; i++) {
        const struct vr_setting *row = &vr_settings_table[i];
        const void *v = member(s, row), *def = member(&defaults, row);
        char number[16];

        if (row->type == VR_SET_STR && *(char *const *)v)
            json_object_set_new(out, row->name, json_string(*(char *const *)v));
        else if (row->type == VR_SET_BOOL && *(const bool *)v != *(const bool *)def)
            json_object_set_new(out, row->name, json_string(*(const bool *)v ? "true" : "false"));
        else if (row->type == VR_SET_UINT && *(const uint32_t *)v != *(const uint32_t *)def) {
            snprintf(number, sizeof(number), "%u", *(const uint32_t *)v);
            json_object_set_new(out, row->name, json_string(number));
        }
    }
    return out;
}

json_t *vr_setting_from_text(const char *name, const char *value)
{
    for (size_t i = 0; i < vr_settings_count; i++) {
        const struct vr_setting *row = &vr_settings_table[i];
        char *end = NULL;
        long long n;

        if (strcmp(row->name, name) != 0)
            continue;
        if (row->type == VR_SET_STR)
            return json_string(value);
        if (row->type == VR_SET_BOOL)
            return pl_bool_from_text(value);
        n = strtoll(value, &end, 10);
        return *value && !*end && n >= 0 ? json_integer(n) : NULL;
    }
    return NULL;
}
