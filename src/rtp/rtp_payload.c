#include "rtp/rtp_payload.h"

#include <errno.h>

#include "rtp/rtp_av1.h"
#include "rtp/rtp_h264.h"
#include "rtp/rtp_h265.h"
#include "rtp/rtp_vp8.h"
#include "rtp/rtp_vp9.h"

static int (*const parsers[SL_CODEC_MAX])(const uint8_t *, size_t, struct sl_payload_info *) = {
    [SL_CODEC_VP8] = sl_vp8_parse,   [SL_CODEC_VP9] = sl_vp9_parse, [SL_CODEC_H264] = sl_h264_parse,
    [SL_CODEC_H265] = sl_h265_parse, [SL_CODEC_AV1] = sl_av1_parse,
};

int sl_payload_parse(enum sl_codec codec, const void *payload, size_t len,
                     struct sl_payload_info *out)
{
    struct sl_payload_info info = { 0 };

    if ((unsigned)codec >= SL_CODEC_MAX)
        return -EBADMSG;
    if (parsers[codec]) {
        int err = len ? parsers[codec](payload, len, &info) : -EBADMSG;

        if (err)
            return err;
    }
    *out = info;
    return 0;
}
