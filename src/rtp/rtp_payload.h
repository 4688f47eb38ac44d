/*
 * rtp_payload.h - what a forwarder wants to know of a video payload, whatever its codec.
 *
 * Spec:   RFC 7741 (VP8), RFC 9628 (VP9), RFC 6184 (H.264), RFC 7798 (H.265), AV1 RTP payload
 *         specification section 4
 * Thread: any; pure.  Allocates nothing.
 * Units:  offsets in bytes from the start of the payload.
 */
#ifndef SL_RTP_RTP_PAYLOAD_H
#define SL_RTP_RTP_PAYLOAD_H

#include <sluice/types.h>

struct sl_payload_info {
    bool key;         /* begins a key frame (VP9, AV1: of the lowest spatial layer) */
    bool start;       /* first packet of a frame (VP9: of a layer's frame) */
    bool end;         /* VP9: last packet of a layer's frame; elsewhere the RTP marker tells */
    bool discardable; /* nobody refers to it (VP8 N bit, H.264 nal_ref_idc 0) */

    bool has_tid;
    uint8_t tid;
    bool sync; /* VP8 Y bit, VP9 U bit: from here on going up to @tid is allowed */
    uint8_t sync_tid; /* dependency descriptor with @sync: up to this one; else 0: up to @tid */
    bool has_sid;
    uint8_t sid;
    bool inter_layer; /* VP9 D bit: depends on the spatial layer below */
    bool inter_pic;   /* VP9 P bit: depends on earlier pictures of its layer */
    bool flexible;    /* VP9 F bit */
    bool has_ss;      /* VP9: scalability structure present */
    uint8_t nspatial; /* VP9: layers that the scalability structure names; 0: none there */

    /* VP8, VP9: in place rewriting. */
    uint8_t pid_bits; /* 7, 15 or 0: no picture id */
    uint16_t pid;
    uint16_t pid_off;
    bool has_tl0;
    uint8_t tl0;
    uint16_t tl0_off;
    bool has_keyidx; /* VP8 */
    uint8_t keyidx;  /* 5 bits */
    uint16_t keyidx_off;

    uint16_t hdr_len;       /* of the payload descriptor */
    uint16_t width, height; /* 0: not visible here */
};

/* 0 or -EBADMSG. Codecs without a payload descriptor (audio) give an empty info. */
int sl_payload_parse(enum sl_codec codec, const void *payload, size_t len,
                     struct sl_payload_info *out);

#endif
