/*
 * sdp_jsep.h - the negotiator of one peer connection: offer and answer in both directions.
 *
 * Spec:   RFC 8829 (JSEP), RFC 3264; control protocol 10.2, 10.3, 10.5, 10.6
 * Thread: control; pure but for the random numbers it asks @rand32 for.
 * Owner:  the control half of a peer connection.
 *
 * A round is an offer of either side and its answer. Until the answer is there the last complete
 * round stays current; sl_jsep_rollback drops the open one. set_remote and set_local change nothing
 * when they fail.
 *
 * Directions are the server's (SL_DIR_RECV: the server receives).
 */
#ifndef SL_SDP_JSEP_H
#define SL_SDP_JSEP_H

#include "base/role.h"
#include "sdp/sdp.h"
#include "sdp/sdp_media.h"
#include <sluice/plugin.h>

struct sl_jsep;

typedef uint32_t (*sl_jsep_rand_fn)(void *arg);

struct sl_jsep_conf {
    const char *cname;   /* of our SSRCs */
    uint64_t session_id; /* of our offers (o= line) */
    sl_jsep_rand_fn rand32;
    void *rand_arg;
};

int sl_jsep_create(const struct sl_jsep_conf *conf, struct sl_jsep **out) SL_ON_CONTROL;
void sl_jsep_destroy(struct sl_jsep *j) SL_ON_CONTROL;

/* What a description of the peer says. Everything lives in the arena that was handed in. */
struct sl_jsep_remote {
    struct sl_mline *lines;
    size_t nlines;
    bool update;  /* there was a complete round before */
    bool restart; /* the ICE credentials are others than in the current round */
    bool dropped; /* an offer of ours that was open is rolled back (glare: the last offer wins) */

    uint16_t transport_mindex; /* the m-line that ICE runs on: the first that is not refused */
    const char *mid;           /* its mid */
    const char *ufrag, *pwd;
    bool ice_lite, trickle;  /* a=ice-lite; ice-options has "trickle" */
    const char **candidates; /* of that m-line, without "candidate:" */
    size_t ncandidates;
    bool end_of_candidates;
    const char *hash;        /* "sha-256" */
    const char *fingerprint; /* "AB:CD:..." in upper case */
    enum sl_sdp_setup setup;

    char error[SL_SDP_ERROR_MAX]; /* set with -EBADMSG and -EPROTO */
};

/* Takes an offer or answer of the peer. @rid_lmh: rids are listed from low to high.
 * 0; -EBADMSG: not usable, @out->error tells why; -EPROTO: an answer without an offer of ours;
 * -ENOMEM. In @out lines of an offer show what the server may do at most, of an answer what was
 * agreed on. */
int sl_jsep_set_remote(struct sl_jsep *j, struct sl_arena *a, enum sl_jsep_type type,
                       const char *sdp, size_t len, bool rid_lmh,
                       struct sl_jsep_remote *out) SL_ON_CONTROL;

/* Our offer or our answer, as plugins describe it.
 * Answer: one line per offered line, of the same kind, `dir` within what was offered, codecs[0]
 * among the offered ones (found by payload type, else by codec and profile). Extensions that were
 * not offered are left out; lines that were offered refused stay so; simulcast is taken when we
 * receive and SL_EXT_RID is among the extensions (or layers are told by SSRC).
 * Offer: existing lines stay in place with kind and mid, only a refused one may come back with
 * another mid. Payload types of the codecs are ours to choose; the fmtp is written as given.
 * 0; -EINVAL: does not fit; -EBUSY: an offer while an answer is outstanding; -ENOMEM. */
int sl_jsep_set_local(struct sl_jsep *j, enum sl_jsep_type type, const struct sl_mline *lines,
                      size_t n) SL_ON_CONTROL;

/* Drops the open offer of either side. */
void sl_jsep_rollback(struct sl_jsep *j) SL_ON_CONTROL;

struct sl_sdp_transport {
    const char *ufrag, *pwd;
    bool ice_lite;
    const char *const *candidates; /* "1 1 udp 2015363327 ...", with or without "candidate:" */
    size_t ncandidates;
    bool end_of_candidates;
    const char *hash, *fingerprint; /* "sha-256", "AB:CD:..." */
    const char *address;            /* for o= and c=, IPv4 or IPv6 */
    const char *session_name;       /* NULL: "Sluice" */
};

/* Appends our last description: the open offer, or the answer that closed the last round.
 * 0; -EINVAL: there is none; -ENOMEM. */
int sl_jsep_write_local(const struct sl_jsep *j, const struct sl_sdp_transport *t,
                        struct sl_strbuf *out) SL_ON_CONTROL;

/* What the current round agreed on, for the worker; free with free(). NULL: no complete round, or
 * out of memory. */
struct sl_media *sl_jsep_media(const struct sl_jsep *j) SL_ON_CONTROL;
/* The same for plugins; valid until the next round is complete. NULL: none. */
const struct sl_mline *sl_jsep_lines(const struct sl_jsep *j, size_t *n) SL_ON_CONTROL;
/* The m-lines of our open offer, with the mids and payload types that were chosen. NULL: none. */
const struct sl_mline *sl_jsep_offered(const struct sl_jsep *j, size_t *n) SL_ON_CONTROL;

bool sl_jsep_is_negotiated(const struct sl_jsep *j) SL_ON_CONTROL; /* one round was complete */
bool sl_jsep_awaits_answer(const struct sl_jsep *j) SL_ON_CONTROL; /* our offer is open */
bool sl_jsep_owes_answer(const struct sl_jsep *j) SL_ON_CONTROL;   /* the peer's offer is open */
/* Once negotiated: whether the server is the DTLS client. Never changes afterwards. */
bool sl_jsep_is_dtls_client(const struct sl_jsep *j) SL_ON_CONTROL;

#endif
