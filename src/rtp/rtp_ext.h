/*
 * rtp_ext.h - RTP header extensions: all known ones resolved in one pass, and block templates.
 *
 * Spec:   RFC 8285 (one-byte 0xBEDE, two-byte 0x100x), RFC 6464 (audio level), RFC 8843/8852 (mid,
 *         rid, repaired rid), draft-holmer-rmcat-transport-wide-cc-extensions-01,
 *         abs-send-time, playout-delay and video-orientation (3GPP TS 26.114)
 * Thread: any; pure.  Allocates nothing.
 */
#ifndef SL_RTP_RTP_EXT_H
#define SL_RTP_RTP_EXT_H

#include <sluice/types.h>

#include "rtp/rtp_pkt.h"

/* id on the wire -> enum sl_ext, SL_EXT_MAX for ids that were not negotiated. */
struct sl_ext_map {
    uint8_t ext[256];
};

/* @ids is indexed by enum sl_ext; 0: not negotiated (struct sl_media_line.ext). */
void sl_ext_map_init(struct sl_ext_map *m, const uint8_t ids[SL_EXT_MAX]);
/* Adds those of another m-line of the same bundle (ids are session wide). */
void sl_ext_map_add(struct sl_ext_map *m, const uint8_t ids[SL_EXT_MAX]);

struct sl_ext_info {
    uint32_t present; /* SL_EXT_BIT(e) for each valid one; nothing below is set without its bit */
    uint16_t off[SL_EXT_MAX]; /* its data, from the start of the packet */
    uint8_t len[SL_EXT_MAX];
    uint8_t level; /* audio level, -dBov: 0 loud .. 127 silent */
    bool voice;    /* the V bit of RFC 6464 */
    uint16_t twcc;
    uint32_t abs_send_time; /* 24 bits, 6.18 seconds */
    uint8_t orientation;    /* 0000CFRR */
    uint16_t playout_min_10ms, playout_max_10ms;
    char mid[SL_MID_MAX + 1];
    char rid[SL_RID_MAX + 1];
    char rrid[SL_RID_MAX + 1];
};

/* Resolves the extensions of @data, which sl_rtp_parse took as @rtp. 0 or -EBADMSG (a length that
 * runs out of the block). An element of a wrong size (an audio level of 0 bytes, a mid of more
 * than SL_MID_MAX) is left out, not an error; of an id that comes twice the last one counts. */
int sl_ext_parse(const void *data, const struct sl_rtp *rtp, const struct sl_ext_map *map,
                 struct sl_ext_info *out);

/* One element of a block to be written. */
struct sl_ext_item {
    uint8_t id;       /* 1..255 */
    uint8_t len;      /* data bytes */
    const void *data; /* NULL: zeroes, to be patched later */
    uint16_t off;     /* out: where its data lies, from the start of the block; 0: left out */
};

/* Writes a whole block with its four header bytes, padded to 32 bits, in one-byte form when all
 * items fit it (id 1..14, len 1..16), else in two-byte form if @mixed (a=extmap-allow-mixed) says
 * that the peer takes it, else without the items that do not fit. The length of the block (the
 * caller sets SL_RTP_EXT when it is not 0), or -EMSGSIZE. */
int sl_ext_write(void *buf, size_t cap, struct sl_ext_item *items, size_t n, bool mixed);

/* abs-send-time of a moment: 24 bits of seconds in 6.18 fixed point. */
uint32_t sl_ext_abs_send_time(uint64_t now_us);

/* @block: start of a block that sl_ext_write wrote; @off: of the item. */
void sl_ext_patch_twcc(void *block, uint16_t off, uint16_t seq);
void sl_ext_patch_abs_send_time(void *block, uint16_t off, uint64_t now_us);

#endif
