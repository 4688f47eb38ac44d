/*
 * types.h - words that the core, plugins and transports share.
 *
 * Directions are always the server's: SL_DIR_RECV means that the server receives.
 */
#ifndef SLUICE_TYPES_H
#define SLUICE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_EXPORT __attribute__((visibility("default")))

#define SL_MID_MAX      16 /* characters of an SDP mid (RFC 8843), terminator not counted */
#define SL_RID_MAX      16 /* characters of a rid (RFC 8851) */
#define SL_MSID_MAX     128
#define SL_FMTP_MAX     255
#define SL_LAYERS_MAX   3 /* simulcast layers (rids or SIM group members) of one m-line */
#define SL_PT_NONE      255

enum sl_kind { SL_KIND_AUDIO, SL_KIND_VIDEO, SL_KIND_DATA, SL_KIND_MAX };

enum sl_dir {
    SL_DIR_INACTIVE = 0,
    SL_DIR_SEND = 1,
    SL_DIR_RECV = 2,
    SL_DIR_SENDRECV = 3,
};

enum sl_codec {
    SL_CODEC_NONE,
    SL_CODEC_OPUS,
    SL_CODEC_MULTIOPUS,
    SL_CODEC_RED, /* audio: RFC 2198 around opus */
    SL_CODEC_PCMU,
    SL_CODEC_PCMA,
    SL_CODEC_G722,
    SL_CODEC_L16,    /* 16 kHz */
    SL_CODEC_L16_48, /* 48 kHz */
    SL_CODEC_ISAC16,
    SL_CODEC_ISAC32,
    SL_CODEC_VP8,
    SL_CODEC_VP9,
    SL_CODEC_H264,
    SL_CODEC_AV1,
    SL_CODEC_H265,
    SL_CODEC_MAX
};

/* RTP header extensions that Sluice knows (RFC 8285). */
enum sl_ext {
    SL_EXT_AUDIO_LEVEL,  /* urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464) */
    SL_EXT_ABS_SEND_TIME,
    SL_EXT_TWCC,         /* transport-wide-cc-extensions-01 */
    SL_EXT_MID,          /* RFC 8843 */
    SL_EXT_RID,          /* RFC 8852 */
    SL_EXT_RRID,
    SL_EXT_ABS_CAPTURE_TIME,
    SL_EXT_PLAYOUT_DELAY,
    SL_EXT_VIDEO_ORIENTATION, /* urn:3gpp:video-orientation */
    SL_EXT_TOFFSET,           /* RFC 5450 */
    SL_EXT_DEPENDENCY_DESCRIPTOR,
    SL_EXT_VIDEO_LAYERS_ALLOCATION,
    SL_EXT_COLOR_SPACE,
    SL_EXT_CSRC_AUDIO_LEVEL, /* RFC 6465: of those whom a mixer mixed */
    SL_EXT_MAX
};
#define SL_EXT_BIT(e) (1u << (e))

#endif
