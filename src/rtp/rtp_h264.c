#include "rtp/rtp_h264.h"

#include <errno.h>

#include "base/bytes.h"
#include "rtp/rtp_h264_sps.h"

enum {
    NAL_IDR = 5,
    NAL_SPS = 7,
    NAL_LAST_SINGLE = 23,
    NAL_STAP_A = 24,
    NAL_FU_A = 28,
    NAL_FU_B = 29
};

static bool is_key(uint8_t nal)
{
    return (nal & 0x1f) == NAL_IDR || (nal & 0x1f) == NAL_SPS;
}

/* A parameter set that says nothing sensible is the decoder's business. */
static void note_size(const uint8_t *nal, size_t len, struct sl_payload_info *out)
{
    if ((nal[0] & 0x1f) == NAL_SPS)
        (void)sl_h264_sps_size(nal, len, &out->width, &out->height);
}

/* Aggregation: every unit must fit; any IDR or SPS among them makes it a key frame. */
static int parse_stap(struct sl_reader *r, struct sl_payload_info *out)
{
    out->start = true;
    out->discardable = true;
    while (sl_reader_left(r)) {
        uint16_t n = sl_read16(r);
        const uint8_t *nal = sl_read_bytes(r, n);

        if (!nal || n == 0)
            return -EBADMSG;
        out->key = out->key || is_key(nal[0]);
        note_size(nal, n, out);
        out->discardable = out->discardable && (nal[0] & 0x60) == 0;
    }
    return 0;
}

int sl_h264_parse(const uint8_t *p, size_t len, struct sl_payload_info *out)
{
    struct sl_reader r = sl_reader_make(p, len);
    uint8_t nal = sl_read8(&r);
    uint8_t type = nal & 0x1f;
    uint8_t fu;

    out->discardable = (nal & 0x60) == 0;
    if (type >= 1 && type <= NAL_LAST_SINGLE) {
        out->start = true; /* of a slice: several make a frame, the timestamp tells which */
        out->key = is_key(nal);
        note_size(p, len, out);
        return 0;
    }
    switch (type) {
    case NAL_STAP_A:
        if (len < 4)
            return -EBADMSG;
        out->hdr_len = 1;
        return parse_stap(&r, out);
    case NAL_FU_A:
    case NAL_FU_B:
        fu = sl_read8(&r);
        if (r.failed || len < 3)
            return -EBADMSG;
        out->hdr_len = 2;
        out->start = fu & 0x80;
        out->end = fu & 0x40;
        out->key = out->start && is_key(fu);
        return 0;
    case 0: /* reserved, as 30 and 31 are */
    case 30:
    case 31:
        return -EBADMSG;
    default: /* STAP-B, MTAP: nobody sends them in packetization modes 0 and 1 */
        out->start = true;
        return 0;
    }
}
