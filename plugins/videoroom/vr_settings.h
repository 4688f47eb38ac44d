/*
 * vr_settings.h - what can be set about a room, in one table: requests, the configuration file and
 * the sample in conf/ use the same names.
 *
 * Strings are owned (NULL: not set); the struct is freed by vr_settings_fini.
 */
#ifndef VR_SETTINGS_H
#define VR_SETTINGS_H

#include "vr.h"

#define VR_CODECS_MAX 5

struct vr_settings {
    char *description, *secret, *pin, *rec_dir;
    char *audiocodec, *videocodec; /* comma lists, as given */
    char *vp9_profile, *h264_profile;
    bool is_private, require_pvtid, signed_tokens, bitrate_cap, opus_fec, opus_dtx, opus_red;
    bool audiolevel_ext, audiolevel_event, videoorient_ext, playoutdelay_ext;
    bool transport_wide_cc_ext, record, lock_record, notify_joining, require_e2ee, speaker_event;
    bool dummy_publisher, dummy_e2ee;
    uint32_t bitrate, fir_freq, publishers, audio_active_packets, audio_level_average, threads,
        audio_loudest, video_last;
    /* The lists, parsed. */
    enum sl_codec audio[VR_CODECS_MAX], video[VR_CODECS_MAX]; /* SL_CODEC_NONE ends */
};

enum vr_setting_type { VR_SET_BOOL, VR_SET_UINT, VR_SET_STR };

struct vr_setting {
    const char *name;
    enum vr_setting_type type;
    size_t offset; /* in struct vr_settings */
    bool editable; /* by `edit`, as new_<name> */
};

extern const struct vr_setting vr_settings_table[];
extern const size_t vr_settings_count;

/* Defaults, then the members of @body (types as in the table, unknown members ignored).
 * 0; -EINVAL with the protocol's words in @text (SL_ARG_TEXT_MAX); -ENOMEM. */
int vr_settings_init(struct vr_settings *s, const json_t *body, char *text);
void vr_settings_fini(struct vr_settings *s);
/* Takes over new_<name> members of @body where that is allowed; empty strings are ignored. 0 or
 * -EINVAL with @text, and then nothing changed. */
int vr_settings_edit(struct vr_settings *s, const json_t *body, char *text);
/* All that differs from the defaults, as texts for the configuration file: a new object. */
json_t *vr_settings_to_config(const struct vr_settings *s);
/* One key of the configuration file as JSON of its type; NULL: unknown key or bad value. */
json_t *vr_setting_from_text(const char *name, const char *value);

bool vr_settings_has_codec(const struct vr_settings *s, enum sl_codec codec);

#endif
