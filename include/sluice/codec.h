/*
 * codec.h - names and numbers of codecs, and what plugins ask of a format-parameter list.
 *
 * Spec: control protocol 10.3 (default payload types), videoroom 3.1 (names), RFC 7587 (opus),
 *       RFC 6184 (H.264 profile-level-id), RFC 9628 (VP9 profile-id).
 * Any thread; pure; header only.
 */
#ifndef SLUICE_CODEC_H
#define SLUICE_CODEC_H

#include <sluice/plugin.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct sl_codec_info {
    const char *name; /* as requests and events spell it */
    enum sl_kind kind;
    uint8_t pt; /* default payload type in the server's offers */
};

static inline const struct sl_codec_info *sl_codec_info_get(enum sl_codec c)
{
    /* In the order of enum sl_codec: C++ has no designated elements. */
    static const struct sl_codec_info info[SL_CODEC_MAX] = {
        { "none", SL_KIND_MAX, SL_PT_NONE },
        { "opus", SL_KIND_AUDIO, 111 },
        { "multiopus", SL_KIND_AUDIO, 110 },
        { "red", SL_KIND_AUDIO, 120 },
        { "pcmu", SL_KIND_AUDIO, 0 },
        { "pcma", SL_KIND_AUDIO, 8 },
        { "g722", SL_KIND_AUDIO, 9 },
        { "l16", SL_KIND_AUDIO, 106 },
        { "l16-48", SL_KIND_AUDIO, 105 },
        { "isac16", SL_KIND_AUDIO, 103 },
        { "isac32", SL_KIND_AUDIO, 104 },
        { "vp8", SL_KIND_VIDEO, 96 },
        { "vp9", SL_KIND_VIDEO, 101 },
        { "h264", SL_KIND_VIDEO, 107 },
        { "av1", SL_KIND_VIDEO, 98 },
        { "h265", SL_KIND_VIDEO, 100 },
    };

    return &info[(unsigned)c < SL_CODEC_MAX ? c : SL_CODEC_NONE];
}

static inline const char *sl_codec_to_str(enum sl_codec c)
{
    return sl_codec_info_get(c)->name;
}

/* The codec of @kind that is called @name (case does not matter); SL_CODEC_NONE: none is. */
static inline enum sl_codec sl_codec_from_str(enum sl_kind kind, const char *name)
{
    for (int c = SL_CODEC_NONE + 1; c < SL_CODEC_MAX; c++) {
        const struct sl_codec_info *i = sl_codec_info_get((enum sl_codec)c);

        if (i->kind == kind && strcasecmp(i->name, name) == 0)
            return (enum sl_codec)c;
    }
    return SL_CODEC_NONE;
}

static inline const char *sl_kind_to_str(enum sl_kind kind)
{
    static const char *const name[] = { "audio", "video", "data" };

    return (unsigned)kind < SL_KIND_MAX ? name[kind] : "none";
}

/* True when the list @fmtp ("a=1;b=2") has the parameter @name with the value @value. */
static inline bool sl_fmtp_has(const char *fmtp, const char *name, const char *value)
{
    const size_t nlen = strlen(name), vlen = strlen(value);

    while (*fmtp) {
        const char *eq;
        size_t len;

        fmtp += strspn(fmtp, " \t;");
        len = strcspn(fmtp, ";");
        eq = (const char *)memchr(fmtp, '=', len);
        while (len && (fmtp[len - 1] == ' ' || fmtp[len - 1] == '\t'))
            len--;
        if (eq && (size_t)(eq - fmtp) == nlen && strncasecmp(fmtp, name, nlen) == 0 &&
            len - nlen - 1 == vlen && strncasecmp(eq + 1, value, vlen) == 0)
            return true;
        fmtp += strcspn(fmtp, ";");
    }
    return false;
}

/* The first entry of @codec in @line: one with @profile when there is any, then one with
 * packetization-mode 1 (H.264), then any. NULL: the line has no such codec. */
static inline const struct sl_mcodec *sl_mline_codec_find(const struct sl_mline *line,
                                                          enum sl_codec codec, const char *profile)
{
    const struct sl_mcodec *best = NULL;
    int best_score = -1;

    for (size_t i = 0; i < line->ncodecs; i++) {
        const struct sl_mcodec *c = &line->codecs[i];
        int score = 0;

        if (c->codec != codec)
            continue;
        if (profile && *profile && strcasecmp(c->profile, profile) == 0)
            score += 2;
        if (codec == SL_CODEC_H264 && sl_fmtp_has(c->fmtp, "packetization-mode", "1"))
            score++;
        if (score > best_score) {
            best = c;
            best_score = score;
        }
    }
    return best;
}

/* What an answer says about opus when the offer said @offered: `useinbandfec`, `usedtx` and
 * `stereo` are mirrored as far as they are allowed. Writes SL_FMTP_MAX + 1 bytes. */
static inline void sl_fmtp_opus_answer(const char *offered, bool fec, bool dtx, bool stereo,
                                       char *out)
{
    static const char *const names[] = { "useinbandfec", "usedtx", "stereo" };
    const bool wanted[] = { fec, dtx, stereo };
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < 3; i++)
        if (wanted[i] && sl_fmtp_has(offered, names[i], "1"))
            len += (size_t)snprintf(out + len, SL_FMTP_MAX + 1 - len, "%s%s=1", len ? ";" : "",
                                    names[i]);
}

#endif
