#include "sdp/sdp_codec.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sluice/codec.h>

static const struct sl_sdp_codec codecs[SL_CODEC_MAX] = {
    [SL_CODEC_OPUS] = { "opus", 48000, 2 },   [SL_CODEC_MULTIOPUS] = { "multiopus", 48000, 6 },
    [SL_CODEC_RED] = { "red", 48000, 2 },     [SL_CODEC_PCMU] = { "PCMU", 8000, 0 },
    [SL_CODEC_PCMA] = { "PCMA", 8000, 0 },    [SL_CODEC_G722] = { "G722", 8000, 0 },
    [SL_CODEC_L16] = { "L16", 16000, 0 },     [SL_CODEC_L16_48] = { "L16", 48000, 0 },
    [SL_CODEC_ISAC16] = { "ISAC", 16000, 0 }, [SL_CODEC_ISAC32] = { "ISAC", 32000, 0 },
    [SL_CODEC_VP8] = { "VP8", 90000, 0 },     [SL_CODEC_VP9] = { "VP9", 90000, 0 },
    [SL_CODEC_H264] = { "H264", 90000, 0 },   [SL_CODEC_AV1] = { "AV1", 90000, 0 },
    [SL_CODEC_H265] = { "H265", 90000, 0 },
};

const struct sl_sdp_codec *sl_sdp_codec_get(enum sl_codec c)
{
    return &codecs[(unsigned)c < SL_CODEC_MAX ? c : SL_CODEC_NONE];
}

static bool codec_has_channels(enum sl_codec c, uint8_t channels)
{
    if (c == SL_CODEC_MULTIOPUS)
        return channels > 2;
    return channels == codecs[c].channels || (!codecs[c].channels && channels == 1);
}

enum sl_codec sl_sdp_codec_of(const struct sl_sdp_section *s, enum sl_kind kind, uint8_t pt)
{
    static const struct {
        uint8_t pt;
        enum sl_codec codec;
    } fixed[] = { { 0, SL_CODEC_PCMU }, { 8, SL_CODEC_PCMA }, { 9, SL_CODEC_G722 } };
    const struct sl_sdp_rtpmap *m = sl_sdp_rtpmap_get(s, pt);

    if (!m) {
        for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
            if (kind == SL_KIND_AUDIO && fixed[i].pt == pt)
                return fixed[i].codec;
        }
        return SL_CODEC_NONE;
    }
    for (int c = SL_CODEC_NONE + 1; c < SL_CODEC_MAX; c++) {
        enum sl_codec codec = (enum sl_codec)c;

        if (sl_codec_info_get(codec)->kind == kind && codecs[c].clock == m->clock &&
            codec_has_channels(codec, m->channels) && !strcasecmp(codecs[c].name, m->name))
            return codec;
    }
    return SL_CODEC_NONE;
}

bool sl_sdp_fmtp_value(const char *fmtp, const char *key, char *out, size_t size)
{
    size_t nkey = strlen(key);

    while (*fmtp) {
        size_t len;

        fmtp += strspn(fmtp, " \t;");
        len = strcspn(fmtp, ";");
        if (len > nkey && fmtp[nkey] == '=' && !strncasecmp(fmtp, key, nkey)) {
            const char *value = fmtp + nkey + 1;
            size_t n = len - nkey - 1;

            while (n && isspace((unsigned char)value[n - 1]))
                n--;
            if (n >= size)
                return false;
            memcpy(out, value, n);
            out[n] = '\0';
            return true;
        }
        fmtp += len;
    }
    return false;
}

/* The parameter that tells the profile, and its value when it is absent. */
static const struct {
    enum sl_codec codec;
    const char *key, *absent;
} profiles[] = {
    { SL_CODEC_H264, "profile-level-id", "42000a" }, /* Baseline, level 1 */
    { SL_CODEC_VP9, "profile-id", "0" },
    { SL_CODEC_AV1, "profile", "0" },
    { SL_CODEC_H265, "profile-id", "1" },
};

static void profile_get(enum sl_codec c, const char *fmtp, bool with_absent, char out[16])
{
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (profiles[i].codec != c)
            continue;
        if (!sl_sdp_fmtp_value(fmtp, profiles[i].key, out, 16) && with_absent)
            strcpy(out, profiles[i].absent);
    }
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

void sl_sdp_codec_profile(enum sl_codec c, const char *fmtp, char out[16])
{
    out[0] = '\0';
    if (c == SL_CODEC_H264 || c == SL_CODEC_VP9)
        profile_get(c, fmtp, false, out);
}

/* RFC 6184 table 5: several combinations of profile_idc and constraint flags mean one profile. 0
 * for combinations that are not in it. */
static int h264_profile(const char *id)
{
    static const struct {
        uint8_t idc, mask, bits;
        char profile;
    } table[] = {
        { 0x42, 0x4f, 0x40, 'C' }, { 0x4d, 0x8f, 0x80, 'C' }, { 0x58, 0xcf, 0xc0, 'C' },
        { 0x42, 0x4f, 0x00, 'B' }, { 0x58, 0xcf, 0x80, 'B' }, { 0x4d, 0xaf, 0x00, 'M' },
        { 0x58, 0xcf, 0x00, 'E' }, { 0x64, 0xff, 0x00, 'H' }, { 0x64, 0xff, 0x0c, 'K' },
        { 0x6e, 0xff, 0x00, 'T' }, { 0x7a, 0xff, 0x00, '2' }, { 0xf4, 0xff, 0x00, '4' },
    };
    unsigned long v;

    if (strlen(id) != 6 || strspn(id, "0123456789abcdef") != 6)
        return 0;
    v = strtoul(id, NULL, 16);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].idc == (v >> 16) && ((v >> 8) & table[i].mask) == table[i].bits)
            return table[i].profile;
    }
    return 0;
}

static bool h264_is_compatible(const char *a, const char *b, const char *pa, const char *pb)
{
    char ma[8] = "0", mb[8] = "0";

    (void)sl_sdp_fmtp_value(a, "packetization-mode", ma, sizeof(ma));
    (void)sl_sdp_fmtp_value(b, "packetization-mode", mb, sizeof(mb));
    if (strcmp(ma, mb) != 0)
        return false;
    if (h264_profile(pa) || h264_profile(pb))
        return h264_profile(pa) == h264_profile(pb);
    return !strncmp(pa, pb, 4); /* not in the table: the same idc and flags */
}

bool sl_sdp_codec_is_compatible(enum sl_codec c, const char *a, const char *b)
{
    char pa[16], pb[16];

    profile_get(c, a, true, pa);
    profile_get(c, b, true, pb);
    if (c == SL_CODEC_H264)
        return h264_is_compatible(a, b, pa, pb);
    return !strcmp(pa, pb);
}

uint8_t sl_sdp_rtx_of(const struct sl_sdp_section *s, uint8_t apt)
{
    for (size_t i = 0; i < s->nfmts; i++) {
        uint8_t pt = sl_sdp_fmt_pt(s, i);
        const struct sl_sdp_rtpmap *m = sl_sdp_rtpmap_get(s, pt);
        const char *fmtp = sl_sdp_fmtp_get(s, pt);
        char value[8];

        if (pt != SL_PT_NONE && m && fmtp && !strcasecmp(m->name, "rtx") &&
            sl_sdp_fmtp_value(fmtp, "apt", value, sizeof(value)) &&
            isdigit((unsigned char)*value) && strtoul(value, NULL, 10) == apt)
            return pt;
    }
    return SL_PT_NONE;
}

uint8_t sl_sdp_red_of(const struct sl_sdp_section *s, uint8_t pt)
{
    for (size_t i = 0; i < s->nfmts; i++) {
        uint8_t red = sl_sdp_fmt_pt(s, i);
        const char *fmtp = sl_sdp_fmtp_get(s, red);

        if (red != SL_PT_NONE && sl_sdp_codec_of(s, SL_KIND_AUDIO, red) == SL_CODEC_RED &&
            (!fmtp || strtoul(fmtp, NULL, 10) == pt))
            return red;
    }
    return SL_PT_NONE;
}

/* ---- header extensions ----------------------------------------------------------------------- */

#define HDREXT "urn:ietf:params:rtp-hdrext:"
#define GOOGLE "http://www.webrtc.org/experiments/rtp-hdrext/"
#define AV1RTP "https://aomediacodec.github.io/av1-rtp-spec/"
#define TWCC   "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

enum { ON_AUDIO = 1, ON_VIDEO = 2 };

static const struct {
    const char *uri;
    uint8_t id; /* control protocol 10.3; 8 to 11 are ours */
    uint8_t offer;
} exts[SL_EXT_MAX] = {
    [SL_EXT_AUDIO_LEVEL] = { HDREXT "ssrc-audio-level", 1, ON_AUDIO },
    [SL_EXT_ABS_SEND_TIME] = { GOOGLE "abs-send-time", 2, ON_AUDIO | ON_VIDEO },
    [SL_EXT_TWCC] = { TWCC, 3, ON_AUDIO | ON_VIDEO },
    [SL_EXT_MID] = { HDREXT "sdes:mid", 4, ON_AUDIO | ON_VIDEO },
    [SL_EXT_RID] = { HDREXT "sdes:rtp-stream-id", 5, 0 },
    [SL_EXT_RRID] = { HDREXT "sdes:repaired-rtp-stream-id", 6, 0 },
    [SL_EXT_ABS_CAPTURE_TIME] = { GOOGLE "abs-capture-time", 7, ON_AUDIO | ON_VIDEO },
    [SL_EXT_DEPENDENCY_DESCRIPTOR] = { AV1RTP "#dependency-descriptor-rtp-header-extension", 8,
                                       ON_VIDEO },
    [SL_EXT_VIDEO_LAYERS_ALLOCATION] = { GOOGLE "video-layers-allocation00", 9, ON_VIDEO },
    [SL_EXT_COLOR_SPACE] = { GOOGLE "color-space", 10, ON_VIDEO },
    [SL_EXT_CSRC_AUDIO_LEVEL] = { HDREXT "csrc-audio-level", 11, ON_AUDIO },
    [SL_EXT_PLAYOUT_DELAY] = { GOOGLE "playout-delay", 12, ON_VIDEO },
    [SL_EXT_VIDEO_ORIENTATION] = { "urn:3gpp:video-orientation", 13, ON_VIDEO },
    [SL_EXT_TOFFSET] = { HDREXT "toffset", 14, ON_VIDEO },
};

const char *sl_sdp_ext_uri(enum sl_ext e)
{
    return exts[e].uri;
}

enum sl_ext sl_sdp_ext_from_uri(const char *uri)
{
    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (!strcmp(exts[e].uri, uri))
            return (enum sl_ext)e;
    }
    return SL_EXT_MAX;
}

uint8_t sl_sdp_ext_default_id(enum sl_ext e)
{
    return exts[e].id;
}

uint32_t sl_sdp_ext_offerable(enum sl_kind kind)
{
    uint8_t on = kind == SL_KIND_AUDIO ? ON_AUDIO : kind == SL_KIND_VIDEO ? ON_VIDEO : 0;
    uint32_t bits = 0;

    for (int e = 0; e < SL_EXT_MAX; e++) {
        if (exts[e].offer & on)
            bits |= SL_EXT_BIT(e);
    }
    return bits;
}
