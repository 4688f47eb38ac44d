/*
 * sdp_codec.h - codecs as session descriptions name them, and when two format-parameter lists mean
 * the same stream.
 *
 * Spec:   RFC 7587 (opus), 6184 (H.264), 7741 (VP8), 9628 (VP9), the AV1 RTP specification,
 *         7798 (H.265), 3551 (static payload types)
 * Thread: any; pure. Names of requests and default payload types: <sluice/codec.h>.
 */
#ifndef SL_SDP_CODEC_H
#define SL_SDP_CODEC_H

#include "sdp/sdp.h"
#include <sluice/plugin.h>

struct sl_sdp_codec {
    const char *name; /* "VP8", NULL: SL_CODEC_NONE */
    uint32_t clock;   /* Hz */
    uint8_t channels; /* as written in rtpmap; 0: not written */
};

/* Never NULL. */
const struct sl_sdp_codec *sl_sdp_codec_get(enum sl_codec c);

/* The codec that @s means by @pt (rtpmap or the static assignment), or SL_CODEC_NONE. */
enum sl_codec sl_sdp_codec_of(const struct sl_sdp_section *s, enum sl_kind kind, uint8_t pt);

/* Copies the value of parameter @key of "a=1;b=2"; false when it is not there or does not fit. */
bool sl_sdp_fmtp_value(const char *fmtp, const char *key, char *out, size_t size);

/* H.264 profile-level-id or VP9 profile-id as written, in lower case; "" when there is none. */
void sl_sdp_codec_profile(enum sl_codec c, const char *fmtp, char out[16]);

/* Whether a receiver of @a can take @b (levels are not compared): H.264 of one profile and one
 * packetization-mode, VP9, AV1 and H.265 of one profile; others always. */
bool sl_sdp_codec_is_compatible(enum sl_codec c, const char *a, const char *b);

/* The payload type of "rtx" for @apt in an m-line, or SL_PT_NONE. */
uint8_t sl_sdp_rtx_of(const struct sl_sdp_section *s, uint8_t apt);
/* The payload type of audio RED that carries @pt first ("111/111", or no fmtp), or SL_PT_NONE. */
uint8_t sl_sdp_red_of(const struct sl_sdp_section *s, uint8_t pt);

/* ---- header extensions ----------------------------------------------------------------------- */

const char *sl_sdp_ext_uri(enum sl_ext e);
enum sl_ext sl_sdp_ext_from_uri(const char *uri); /* SL_EXT_MAX: unknown */
uint8_t sl_sdp_ext_default_id(enum sl_ext e);     /* in the server's offers */
/* SL_EXT_BIT()s that make sense on an m-line of @kind in the server's offers. */
uint32_t sl_sdp_ext_offerable(enum sl_kind kind);

#endif
