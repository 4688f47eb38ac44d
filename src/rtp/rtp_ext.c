#include "rtp/rtp_ext.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define ONE_BYTE 0xbede
#define TWO_BYTE 0x1000 /* the low four bits are the application's */

void sl_ext_map_init(struct sl_ext_map *m, const uint8_t ids[SL_EXT_MAX])
{
    memset(m->ext, SL_EXT_MAX, sizeof(m->ext));
    sl_ext_map_add(m, ids);
}

void sl_ext_map_add(struct sl_ext_map *m, const uint8_t ids[SL_EXT_MAX])
{
    for (int e = 0; e < SL_EXT_MAX; e++)
        if (ids[e])
            m->ext[ids[e]] = (uint8_t)e;
}

/* What the protocols allow as the size of each, and who decodes it. */
static const struct {
    uint8_t min, max;
} sizes[SL_EXT_MAX] = {
    [SL_EXT_AUDIO_LEVEL] = { 1, 255 },
    [SL_EXT_ABS_SEND_TIME] = { 3, 255 },
    [SL_EXT_TWCC] = { 2, 255 },
    [SL_EXT_MID] = { 1, SL_MID_MAX },
    [SL_EXT_RID] = { 1, SL_RID_MAX },
    [SL_EXT_RRID] = { 1, SL_RID_MAX },
    [SL_EXT_ABS_CAPTURE_TIME] = { 8, 16 },
    [SL_EXT_PLAYOUT_DELAY] = { 3, 3 },
    [SL_EXT_VIDEO_ORIENTATION] = { 1, 1 },
    [SL_EXT_TOFFSET] = { 3, 3 },
    [SL_EXT_DEPENDENCY_DESCRIPTOR] = { 3, 255 },
    [SL_EXT_VIDEO_LAYERS_ALLOCATION] = { 1, 255 },
    [SL_EXT_COLOR_SPACE] = { 4, 28 },
    [SL_EXT_CSRC_AUDIO_LEVEL] = { 1, 15 },
};

static void copy_id(char *dst, const uint8_t *p, size_t len)
{
    memcpy(dst, p, len);
    dst[len] = '\0';
}

/* Letters that the ids are made of: what peers send ends up in logs and as map keys. */
static bool is_id(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] <= 0x20 || p[i] >= 0x7f)
            return false;
    return true;
}

static void take(struct sl_ext_info *out, enum sl_ext e, const uint8_t *base, size_t off,
                 uint8_t len)
{
    const uint8_t *p = base + off;
    uint32_t v;

    if (len < sizes[e].min || len > sizes[e].max)
        return;
    switch (e) {
    case SL_EXT_AUDIO_LEVEL:
        out->voice = p[0] & 0x80;
        out->level = p[0] & 0x7f;
        break;
    case SL_EXT_ABS_SEND_TIME:
        out->abs_send_time = sl_get24(p);
        break;
    case SL_EXT_TWCC:
        out->twcc = sl_get16(p);
        break;
    case SL_EXT_MID:
    case SL_EXT_RID:
    case SL_EXT_RRID:
        if (!is_id(p, len))
            return;
        copy_id(e == SL_EXT_MID ? out->mid : e == SL_EXT_RID ? out->rid : out->rrid, p, len);
        break;
    case SL_EXT_PLAYOUT_DELAY:
        v = sl_get24(p);
        out->playout_min_10ms = (uint16_t)(v >> 12);
        out->playout_max_10ms = (uint16_t)(v & 0xfff);
        break;
    case SL_EXT_VIDEO_ORIENTATION:
        out->orientation = p[0];
        break;
    default:
        break;
    }
    out->present |= SL_EXT_BIT(e);
    out->off[e] = (uint16_t)off;
    out->len[e] = len;
}

int sl_ext_parse(const void *data, const struct sl_rtp *rtp, const struct sl_ext_map *map,
                 struct sl_ext_info *out)
{
    const uint8_t *base = data;
    size_t off = rtp->ext_off, end = off + rtp->ext_len;
    bool two = (rtp->ext_profile & 0xfff0) == TWO_BYTE;
    uint8_t id, len;

    out->present = 0;
    if (!rtp->has_ext || (!two && rtp->ext_profile != ONE_BYTE))
        return 0; /* RFC 3550 section 5.3.1: other profiles are to be ignored */
    while (off < end) {
        if (base[off] == 0) { /* padding */
            off++;
            continue;
        }
        if (two) {
            if (end - off < 2)
                return -EBADMSG;
            id = base[off];
            len = base[off + 1];
            off += 2;
        } else {
            id = base[off] >> 4;
            len = (uint8_t)((base[off] & 0x0f) + 1);
            if (id == 15) /* RFC 8285 section 4.2: stop here */
                return 0;
            off += 1;
        }
        if (end - off < len)
            return -EBADMSG;
        if (id != 0 && map->ext[id] < SL_EXT_MAX)
            take(out, (enum sl_ext)map->ext[id], base, off, len);
        off += len;
    }
    return 0;
}

static bool fits_one_byte(const struct sl_ext_item *it)
{
    return it->id >= 1 && it->id <= 14 && it->len >= 1 && it->len <= 16;
}

int sl_ext_write(void *buf, size_t cap, struct sl_ext_item *items, size_t n, bool mixed)
{
    struct sl_writer w = sl_writer_make(buf, cap);
    bool two = false, any = false;
    size_t words;

    for (size_t i = 0; i < n; i++)
        two = two || !fits_one_byte(&items[i]);
    two = two && mixed;
    sl_write16(&w, two ? TWO_BYTE : ONE_BYTE);
    sl_write16(&w, 0);
    for (size_t i = 0; i < n; i++) {
        struct sl_ext_item *it = &items[i];
        uint8_t *p;

        it->off = 0;
        if (it->id == 0 || (!two && !fits_one_byte(it)))
            continue;
        if (two) {
            sl_write8(&w, it->id);
            sl_write8(&w, it->len);
        } else {
            sl_write8(&w, (uint8_t)(it->id << 4 | (it->len - 1)));
        }
        p = sl_write_room(&w, it->len);
        if (!p)
            return -EMSGSIZE;
        if (it->len && it->data)
            memcpy(p, it->data, it->len);
        else
            memset(p, 0, it->len);
        it->off = (uint16_t)(p - w.start);
        any = true;
    }
    if (!any)
        return w.failed ? -EMSGSIZE : 0;
    while (sl_writer_len(&w) % 4 && !w.failed)
        sl_write8(&w, 0);
    words = sl_writer_len(&w) / 4 - 1;
    if (w.failed || words > 0xffff)
        return -EMSGSIZE;
    sl_put16(w.start + 2, (uint16_t)words);
    return (int)sl_writer_len(&w);
}

uint32_t sl_ext_abs_send_time(uint64_t now_us)
{
    return (uint32_t)(((now_us % 64000000) << 18) / 1000000) & 0xffffff;
}

void sl_ext_patch_twcc(void *block, uint16_t off, uint16_t seq)
{
    sl_put16((uint8_t *)block + off, seq);
}

void sl_ext_patch_abs_send_time(void *block, uint16_t off, uint64_t now_us)
{
    sl_put24((uint8_t *)block + off, sl_ext_abs_send_time(now_us));
}
