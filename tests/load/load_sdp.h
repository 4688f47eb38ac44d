/*
 * load_sdp.h - offers of publishers and answers of subscribers, as short as a server takes them,
 * and what the server's descriptions say.
 *
 * Spec:   RFC 8829, 8839, 8843, 8853.  Thread: any; pure.
 */
#ifndef TESTS_LOAD_SDP_H
#define TESTS_LOAD_SDP_H

#include "dtls/dtls.h"
#include "ice/ice.h"
#include "sdp/sdp.h"

#define LOAD_LINES_MAX 64 /* m-lines of one peer connection */

/* What we write into every description of a peer. */
struct load_local {
    struct sl_ice_creds creds;
    struct sl_addr addr;     /* of the socket */
    const char *fingerprint; /* of the certificate */
    bool twcc;               /* take transport-cc where it is offered */
};

/* A publisher's: one audio m-line ("0"), one video m-line ("1"), a data m-line ("2") if asked. */
struct load_offer {
    uint32_t audio_ssrc;
    uint32_t video_ssrc; /* not written with simulcast: rids tell */
    bool simulcast;
    bool data;
};

struct load_line {
    enum sl_kind kind;
    char mid[SL_MID_MAX + 1];
    uint8_t pt, rtx_pt;      /* SL_PT_NONE: none */
    uint8_t ext[SL_EXT_MAX]; /* id, 0: none */
    uint32_t ssrc, rtx_ssrc; /* what the server sends; 0: not told */
};

/* The server's description. */
struct load_remote {
    struct sl_ice_creds creds;
    struct sl_fingerprint fp;
    struct sl_addr addr;
    bool is_lite;
    struct load_line line[LOAD_LINES_MAX];
    size_t nlines;
};

void load_sdp_offer(const struct load_local *l, const struct load_offer *o, struct sl_strbuf *out);

/* Reads the server's offer or answer: 0, -EBADMSG (no credentials, fingerprint or UDP candidate),
 * -ENOMEM. @answer (may be NULL) gets our answer to it: everything received, DTLS client. */
int load_sdp_take(const char *sdp, const struct load_local *l, struct load_remote *out,
                  struct sl_strbuf *answer);

#endif
