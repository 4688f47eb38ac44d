/*
 * sdp_jsep_priv.h - between the files of the negotiator.
 */
#ifndef SL_SDP_JSEP_PRIV_H
#define SL_SDP_JSEP_PRIV_H

#include "sdp/sdp_codec.h"
#include "sdp/sdp_jsep.h"

/* A codec of an m-line with its payload types. */
struct jsep_codec {
    struct sl_mcodec codec; /* SL_CODEC_NONE: none */
    uint8_t channels;       /* 0: not written */
    uint8_t rtx_pt, red_pt; /* SL_PT_NONE: none */
};

/* One m-line of a round. With an offer alone it holds what was offered; with the answer what was
 * agreed on. */
struct jsep_line {
    char mid[SL_MID_MAX + 1];
    enum sl_kind kind;
    enum sl_dir dir;
    bool refused;                        /* port 0 */
    const struct sl_sdp_section *remote; /* the peer's; NULL: our offer has no answer yet */
    const char *type, *proto, *fmt;      /* to be written again; fmt: the first one */

    struct sl_mcodec codec;        /* SL_CODEC_NONE: none */
    uint8_t channels;              /* 0: not written */
    uint8_t rtx_pt, red_pt;        /* SL_PT_NONE: none */
    const struct jsep_codec *more; /* our open offer: what else the peer may choose */
    size_t nmore;
    bool nack, pli, fir, remb, twcc, ccfb;
    bool rsize, ext_mixed;
    uint8_t ext_id[SL_EXT_MAX]; /* 0: none */
    int8_t ext_dir[SL_EXT_MAX]; /* as we write it; SL_SDP_DIR_NONE */
    uint32_t max_bitrate;
    char stream[SL_MSID_MAX + 1], track[SL_MSID_MAX + 1]; /* ours; "": default */
    uint32_t ssrc, rtx_ssrc; /* ours; kept as long as the line sends; 0: never needed yet */

    /* What the peer sends; layer 0 is the lowest. */
    uint8_t nlayers;
    bool rid_lmh;
    char rid[SL_LAYERS_MAX][SL_RID_MAX + 1];
    uint32_t layer_ssrc[SL_LAYERS_MAX], layer_rtx[SL_LAYERS_MAX];
    uint8_t npairs;
    uint32_t pair_ssrc[SL_LAYERS_MAX], pair_rtx[SL_LAYERS_MAX];
};

struct jsep_round {
    struct sl_arena *arena; /* of all that follows */
    bool ours;              /* who offered */
    const struct sl_sdp *remote;
    struct jsep_line *lines;
    size_t n;
    struct sl_mline *views; /* of lines, for plugins */
    uint64_t version;       /* of our offer */

    /* The peer's transport. */
    uint16_t transport;
    const char *ufrag, *pwd, *hash, *fingerprint;
    enum sl_sdp_setup setup;
};

struct sl_jsep {
    struct sl_jsep_conf conf;
    char *cname;
    uint64_t version;        /* of our last offer */
    struct jsep_round *cur;  /* complete; NULL: none yet */
    struct jsep_round *next; /* an offer without its answer; NULL: none */
    bool dtls_client;
    uint32_t *used; /* every SSRC of ours, ever */
    size_t nused;
};

struct jsep_round *jsep_round_create(bool ours);
void jsep_round_destroy(struct jsep_round *r); /* NULL is fine */
/* The open round is complete, with @lines. Cannot fail. */
void jsep_round_complete(struct sl_jsep *j, struct jsep_line *lines, struct sl_mline *views);
/* The line of the current round that @mid at @i continues; NULL: it is a new one. */
const struct jsep_line *jsep_line_before(const struct sl_jsep *j, size_t i, const char *mid);
/* What plugins see of @l, which must outlive @out. */
void jsep_view(const struct jsep_line *l, struct sl_mline *out);
struct sl_mline *jsep_views(struct sl_arena *a, const struct jsep_line *lines, size_t n);
/* Sees to it that @l has the SSRCs that its direction and codec need. 0 or -ENOMEM. */
int jsep_ssrcs(struct sl_jsep *j, const struct jsep_round *r, struct jsep_line *l, bool recv_too);

/* Whether a plugin's line is well formed: its texts go into our description as they are. */
bool jsep_wish_is_sound(const struct sl_mline *wish);
/* Whether @c can be offered in a line of @kind. */
bool jsep_codec_is_sound(const struct sl_mcodec *c, enum sl_kind kind);
void jsep_line_codec(struct jsep_line *l, const struct jsep_codec *c);
void jsep_line_wishes(struct jsep_line *l, const struct sl_mline *wish);

/* ---- sdp_jsep_pick.c: what of a peer's m-line is taken --------------------------------------- */

/* The codecs that both sides know, in the peer's order, without RED. */
int jsep_pick_codecs(struct sl_arena *a, const struct sl_sdp_section *s, enum sl_kind kind,
                     struct sl_mcodec **out, size_t *n);
/* Whether the m-line has audio RED. */
bool jsep_has_red(const struct sl_sdp_section *s);
/* Sets ext_id and ext_dir of the wanted extensions that are in @s or at the session level. */
void jsep_pick_exts(struct jsep_line *l, const struct sl_sdp *sdp, const struct sl_sdp_section *s,
                    uint32_t wanted);
uint32_t jsep_exts(const struct jsep_line *l);
/* Leaves those feedback flags of @l that @s has for its codec. */
void jsep_pick_feedback(struct jsep_line *l, const struct sl_sdp_section *s);
/* Fills the fields about layers and SSRCs of the peer. */
void jsep_pick_layers(struct jsep_line *l, const struct sl_sdp_section *s, bool rids, bool lmh);
enum sl_dir jsep_dir_reverse(int dir);

/* ---- the four ways --------------------------------------------------------------------------- */

int jsep_remote_offer(struct sl_jsep *j, struct sl_arena *a, const char *sdp, size_t len, bool lmh,
                      struct sl_jsep_remote *out) SL_ON_CONTROL;
int jsep_remote_answer(struct sl_jsep *j, struct sl_arena *a, const char *sdp, size_t len, bool lmh,
                       struct sl_jsep_remote *out) SL_ON_CONTROL;
int jsep_local_offer(struct sl_jsep *j, const struct sl_mline *lines, size_t n) SL_ON_CONTROL;
int jsep_local_answer(struct sl_jsep *j, const struct sl_mline *lines, size_t n) SL_ON_CONTROL;

#endif
