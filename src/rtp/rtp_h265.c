#include "rtp/rtp_h265.h"

#include <errno.h>

#include "base/bytes.h"
#include "rtp/rtp_h265_sps.h"

enum {
    NAL_BLA_W_LP = 16,
    NAL_CRA = 21,
    NAL_VPS = 32,
    NAL_SPS = 33,
    NAL_AP = 48,
    NAL_FU = 49,
    NAL_PACI = 50
};

/* IRAP pictures (16..21), or the parameter sets that come with them. */
static bool is_key(uint8_t type)
{
    return (type >= NAL_BLA_W_LP && type <= NAL_CRA) || type == NAL_VPS || type == NAL_SPS;
}

/* A parameter set that says nothing sensible is the decoder's business. */
static void note_size(const uint8_t *nal, size_t len, struct sl_payload_info *out)
{
    if (((nal[0] >> 1) & 0x3f) == NAL_SPS)
        (void)sl_h265_sps_size(nal, len, &out->width, &out->height);
}

int sl_h265_parse(const uint8_t *p, size_t len, struct sl_payload_info *out)
{
    struct sl_reader r = sl_reader_make(p, len);
    uint16_t h = sl_read16(&r);
    uint8_t type = (h >> 9) & 0x3f;
    uint8_t fu;

    if (r.failed || (h & 7) == 0 || sl_reader_left(&r) == 0) /* TID is at least 1 */
        return -EBADMSG;
    out->has_tid = true;
    out->tid = (uint8_t)((h & 7) - 1);
    out->hdr_len = 2;
    switch (type) {
    case NAL_AP:
        out->start = true;
        while (sl_reader_left(&r)) {
            uint16_t n = sl_read16(&r);
            const uint8_t *nal = sl_read_bytes(&r, n);

            if (!nal || n < 2)
                return -EBADMSG;
            out->key = out->key || is_key((nal[0] >> 1) & 0x3f);
            note_size(nal, n, out);
        }
        return 0;
    case NAL_FU:
        fu = sl_read8(&r);
        if (sl_reader_left(&r) == 0)
            return -EBADMSG;
        out->hdr_len = 3;
        out->start = fu & 0x80;
        out->end = fu & 0x40;
        out->key = out->start && is_key(fu & 0x3f);
        return 0;
    case NAL_PACI:
        return 0; /* not offered by browsers: forwarded, never a key frame */
    default:
        if (type > NAL_PACI)
            return -EBADMSG;
        out->start = true;
        out->key = is_key(type);
        note_size(p, len, out);
        return 0;
    }
}
