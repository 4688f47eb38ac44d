/*
 * sdp.h - session descriptions as structures: parser and writer.
 *
 * Spec:   RFC 8866 (SDP), 8839 (ICE), 8843 (BUNDLE), 8829 (JSEP), 8830 (msid), 8842 and 8122
 * (DTLS), 8851 and 8853 (rid, simulcast), 5576 (ssrc), 8285 (extmap), 4585 and 5104 (rtcp-fb), 8841
 * (SCTP) Thread: any; pure.  Owner: everything lives in the arena that was handed in, text
 * included.
 *
 * Attributes that Sluice understands are fields; all others are kept in `attrs` in their order. The
 * writer writes every field, in the order of struct sl_sdp_section, lines ended by CRLF; what it
 * writes parses back to the same structures.
 *
 * Directions here are those of whoever wrote the description, not the server's.
 */
#ifndef SL_SDP_SDP_H
#define SL_SDP_SDP_H

#include "base/arena.h"
#include "base/strbuf.h"
#include <sluice/types.h>

#define SL_SDP_ERROR_MAX 160 /* bytes of an error text, terminator counted */

/* Limits on what a peer may send. */
#define SL_SDP_BYTES_MAX  (64u << 10) /* unless the caller allows more */
#define SL_SDP_MLINES_MAX 256
#define SL_SDP_ATTRS_MAX  1024 /* a= lines of one section */
#define SL_SDP_FMTS_MAX   128  /* payload types of one m-line */
#define SL_SDP_WORDS_MAX  256  /* members of one a=group, a=ssrc-group or a=simulcast list */

#define SL_SDP_DIR_NONE (-1) /* no direction attribute */

enum sl_sdp_setup {
    SL_SETUP_NONE,
    SL_SETUP_ACTPASS,
    SL_SETUP_ACTIVE,
    SL_SETUP_PASSIVE,
    SL_SETUP_HOLDCONN,
};

struct sl_sdp_line { /* a line other than v o s c b a m */
    char type;
    const char *text;
};

struct sl_sdp_attr {
    const char *name;
    const char *value; /* NULL: no colon */
};

struct sl_sdp_bw {
    const char *type; /* "AS": kbit/s, "TIAS": bit/s */
    uint64_t value;
};

struct sl_sdp_group {
    const char *semantics; /* "BUNDLE" */
    const char **mids;
    size_t n;
};

struct sl_sdp_fingerprint {
    const char *hash;  /* "sha-256", in lower case */
    const char *value; /* "AB:CD:...", in upper case */
};

struct sl_sdp_rtpmap {
    uint8_t pt;
    const char *name;
    uint32_t clock;
    uint8_t channels; /* 0: not written */
};

struct sl_sdp_fmtp {
    uint8_t pt;
    const char *params;
};

struct sl_sdp_fb {
    uint8_t pt;       /* SL_PT_NONE: "*" */
    const char *type; /* "nack pli" */
};

struct sl_sdp_extmap {
    uint16_t id;
    int dir; /* enum sl_dir or SL_SDP_DIR_NONE */
    const char *uri;
    const char *params; /* NULL: none */
};

struct sl_sdp_rid {
    const char *id;
    bool send;
    const char *params; /* NULL: none */
};

/* One position of a simulcast list; alternatives follow with `alternative` set. */
struct sl_sdp_stream {
    const char *rid;
    bool paused;      /* '~' */
    bool alternative; /* ',' instead of ';' before it */
};

struct sl_sdp_simulcast {
    struct sl_sdp_stream *streams;
    size_t n; /* 0: this direction is not there */
};

struct sl_sdp_ssrc {
    uint32_t ssrc;
    const char *name;
    const char *value; /* NULL: no colon */
};

struct sl_sdp_ssrc_group {
    const char *semantics; /* "FID", "SIM" */
    uint32_t *ssrcs;
    size_t n;
};

struct sl_sdp_msid {
    const char *stream;
    const char *track; /* NULL: not written */
};

/* The session level and each m-line. */
struct sl_sdp_section {
    /* m=; NULL and zeros at the session level. */
    const char *type; /* "audio" */
    uint16_t port;
    uint16_t nports; /* 0: not written */
    const char *proto;
    const char **fmts; /* as written; numbers for RTP */
    size_t nfmts;

    struct sl_sdp_line *lines; /* i u e p t r z k, each kept */
    size_t nlines;
    const char *conn; /* c=, "IN IP4 192.0.2.1"; NULL: none */
    struct sl_sdp_bw *bws;
    size_t nbws;

    struct sl_sdp_group *groups;
    size_t ngroups;
    bool ice_lite;
    const char *mid; /* NULL: none */
    int dir;         /* enum sl_dir or SL_SDP_DIR_NONE */
    bool bundle_only, rtcp_mux, rtcp_rsize, ext_mixed;
    const char *ufrag, *pwd, *ice_options;
    struct sl_sdp_fingerprint *fingerprints;
    size_t nfingerprints;
    enum sl_sdp_setup setup;
    struct sl_sdp_extmap *extmaps;
    size_t nextmaps;
    struct sl_sdp_rtpmap *rtpmaps;
    size_t nrtpmaps;
    struct sl_sdp_fb *fbs;
    size_t nfbs;
    struct sl_sdp_fmtp *fmtps;
    size_t nfmtps;
    struct sl_sdp_msid *msids;
    size_t nmsids;
    struct sl_sdp_ssrc_group *ssrc_groups;
    size_t nssrc_groups;
    struct sl_sdp_ssrc *ssrcs;
    size_t nssrcs;
    struct sl_sdp_rid *rids;
    size_t nrids;
    struct sl_sdp_simulcast sim_send, sim_recv;
    bool has_sctp_port, has_max_message;
    uint16_t sctp_port;
    uint64_t max_message; /* bytes; 0: any */
    const char *sctpmap;  /* the older form; NULL: none */
    struct sl_sdp_attr *attrs;
    size_t nattrs;
    const char **candidates; /* without "candidate:" */
    size_t ncandidates;
    bool end_of_candidates;
};

struct sl_sdp {
    struct {
        const char *user, *id, *version, *addr; /* addr: "IN IP4 192.0.2.1" */
    } origin;
    const char *name; /* s= */
    struct sl_sdp_section session;
    struct sl_sdp_section *media;
    size_t nmedia;
};

/* Parses @len bytes, lines ended by CRLF or LF; more than @bytes_max (0: SL_SDP_BYTES_MAX) are
 * refused. 0; -EBADMSG with the reason in @err (SL_SDP_ERROR_MAX bytes); -ENOMEM. */
int sl_sdp_parse(struct sl_arena *a, const char *text, size_t len, size_t bytes_max,
                 struct sl_sdp **out, char *err);

/* Appends the text of @sdp; look at @out->failed. */
void sl_sdp_write(const struct sl_sdp *sdp, struct sl_strbuf *out);

/* A new last element of an array of @n elements of @size bytes, zeroed; NULL: out of memory.
 * The array moves to a place twice as large when its length reaches a power of two. */
void *sl_sdp_push(struct sl_arena *a, void **items, size_t *n, size_t size);
#define SL_SDP_PUSH(a, items, n)                                                                   \
    ((__typeof__(items))sl_sdp_push(a, (void **)&(items), &(n), sizeof(*(items))))

/* What a section says about a payload type; NULL: nothing. */
const struct sl_sdp_rtpmap *sl_sdp_rtpmap_get(const struct sl_sdp_section *s, uint8_t pt);
const char *sl_sdp_fmtp_get(const struct sl_sdp_section *s, uint8_t pt);
/* Whether "a=rtcp-fb:<pt or *> <type>" is there. */
bool sl_sdp_has_fb(const struct sl_sdp_section *s, uint8_t pt, const char *type);
/* The payload type that the m-line's format @i names, or SL_PT_NONE. */
uint8_t sl_sdp_fmt_pt(const struct sl_sdp_section *s, size_t i);
/* Whether @mid is in a=group:BUNDLE; *@has_group: whether there is such a group. */
bool sl_sdp_is_bundled(const struct sl_sdp *sdp, const char *mid, bool *has_group);

#endif
