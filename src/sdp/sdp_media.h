/*
 * sdp_media.h - what offer and answer agreed on, as the worker needs it.
 *
 * Made by sdp_jsep.c when both descriptions are known, on the control thread; handed whole to the
 * worker, which owns it from then on (one malloc block, free with free()).
 * Directions are the server's. Payload types and extension ids are those on the wire of this
 * peer connection, the same both ways.
 */
#ifndef SL_SDP_MEDIA_H
#define SL_SDP_MEDIA_H

#include <sluice/types.h>

struct sl_media_line {
    uint16_t mindex;
    char mid[SL_MID_MAX + 1];
    enum sl_kind kind;
    enum sl_dir dir; /* after both descriptions; SL_DIR_INACTIVE for rejected lines */

    enum sl_codec codec;
    uint8_t pt;
    uint8_t rtx_pt; /* RFC 4588; SL_PT_NONE: not negotiated */
    uint8_t red_pt; /* audio RED beside or instead of opus; SL_PT_NONE: not negotiated */
    uint32_t clock_rate;
    uint8_t channels;

    bool is_e2ee;                    /* payloads are encrypted end to end */
    bool nack, pli, fir, remb, twcc; /* rtcp-fb that both sides named */
    bool ccfb;                       /* RFC 8888, for those without transport-cc */
    uint8_t ext[SL_EXT_MAX];         /* header extension id, 0: not negotiated */
    bool ext_mixed;                  /* a=extmap-allow-mixed (RFC 8285 section 6) */

    /* What the peer sends. Layer 0 is the lowest quality ("substream 0"). */
    uint8_t nlayers;                         /* 0 or 1: no simulcast */
    char rid[SL_LAYERS_MAX][SL_RID_MAX + 1]; /* "" when layers are told by SSRC */
    uint32_t ssrc[SL_LAYERS_MAX];            /* 0: not announced, learned from RTP */
    uint32_t rtx_ssrc[SL_LAYERS_MAX];
    /* SSRCs that were announced beside rids (Firefox): which layer they are is told by RTP only,
     * but each retransmission stream belongs to its primary. */
    uint8_t npairs;
    struct {
        uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: none */
    } pair[SL_LAYERS_MAX];

    /* What the server sends. */
    uint32_t tx_ssrc;     /* 0: that of the first packet (not for peer connections) */
    uint8_t tx_layer;     /* one more than the only simulcast layer to send; 0: as it fits */
    uint32_t tx_rtx_ssrc; /* 0 when rtx_pt is SL_PT_NONE */

    /* Data m-lines. */
    uint16_t sctp_port;        /* the peer's */
    uint64_t sctp_message_max; /* bytes that the peer takes; 0: any */
};

struct sl_media {
    size_t n;
    struct sl_media_line line[];
};

#endif
