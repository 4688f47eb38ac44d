/*
 * rtp_dd.h - the Dependency Descriptor header extension.
 *
 * Spec:   AV1 RTP payload specification, appendix A
 * Thread: any; pure.  Owner of the structure: the source (one per SSRC).
 */
#ifndef SL_RTP_RTP_DD_H
#define SL_RTP_RTP_DD_H

#include "rtp/rtp_payload.h"

#define SL_DD_TEMPLATES_MAX 64
#define SL_DD_TARGETS_MAX   32
#define SL_DD_CHAINS_MAX    32
#define SL_DD_FDIFFS_MAX    8 /* references of one frame that are kept */
#define SL_DD_LAYERS_MAX    4 /* spatial ids 0..3 */

/* Decode target indication of a frame (appendix A.8.1). */
enum sl_dd_dti { SL_DTI_NOT_PRESENT, SL_DTI_DISCARDABLE, SL_DTI_SWITCH, SL_DTI_REQUIRED };

struct sl_dd_template {
    uint8_t sid, tid;
    uint8_t nfdiffs;
    uint8_t fdiff[SL_DD_FDIFFS_MAX];
    uint8_t dti[SL_DD_TARGETS_MAX];
    uint8_t chain_diff[SL_DD_CHAINS_MAX];
};

/* Comes with key frames, holds until the next one. */
struct sl_dd_structure {
    bool valid;
    uint8_t id_offset;
    uint8_t ntemplates, ntargets, nchains;
    uint8_t target_sid[SL_DD_TARGETS_MAX], target_tid[SL_DD_TARGETS_MAX];
    uint8_t nresolutions;
    uint16_t width[SL_DD_LAYERS_MAX], height[SL_DD_LAYERS_MAX];
    struct sl_dd_template tpl[SL_DD_TEMPLATES_MAX];
};

struct sl_dd {
    bool start, end; /* of a frame */
    uint16_t frame;  /* frame number */
    bool has_structure;
    bool has_active;
    uint32_t active;   /* decode targets that are active, bit per target */
    uint16_t mask_pos; /* bit where their mask is, or would be; 0: three bytes only */
    uint8_t sid, tid;
    uint8_t nfdiffs;
    uint16_t fdiff[SL_DD_FDIFFS_MAX];
    uint8_t ntargets;
    uint8_t dti[SL_DD_TARGETS_MAX];
    uint8_t nchains;
    uint8_t chain_diff[SL_DD_CHAINS_MAX];
};

/* Parses a descriptor. A structure that it brings replaces @st, which is touched on success only.
 * 0; -EBADMSG; -ENOENT: it refers to a structure that has not come (or a template not in it). */
int sl_dd_parse(const void *data, size_t len, struct sl_dd_structure *st, struct sl_dd *out);

/* Decode targets as a rewritten descriptor names them. */
struct sl_dd_mask {
    uint16_t pos;     /* struct sl_dd.mask_pos */
    uint8_t ntargets; /* 0: leave it as it is */
    bool is_there;    /* the descriptor has a mask already */
    uint32_t active;  /* at least one */
};

/* Writes the descriptor @data, which sl_dd_parse took (for an unchanged mask three bytes are
 * enough), with another frame number and other active decode targets. The length, at most 5 bytes
 * more than @len; -EMSGSIZE. */
int sl_dd_rewrite(const void *data, size_t len, uint16_t frame, const struct sl_dd_mask *mask,
                  void *buf, size_t cap);

/* Tells what the descriptor knows in the words of the payload parsers: layers, frame and key frame
 * boundaries, switch points, the size of the highest layer. Other fields of @info stay. */
void sl_dd_fill(const struct sl_dd *dd, const struct sl_dd_structure *st,
                struct sl_payload_info *info);

#endif
