/*
 * srtp_ref.h - SRTP written straight from RFC 3711 and RFC 7714, to compare with; slow and simple.
 *
 * Checked itself with the vectors of the RFCs, which are given for session keys and so cannot go
 * through a library that derives them.
 */
#ifndef SL_TEST_SRTP_REF_H
#define SL_TEST_SRTP_REF_H

#include "srtp/srtp.h"

struct srtp_ref {
    enum sl_srtp_profile profile;
    uint8_t key[2][32]; /* [0] RTP, [1] RTCP */
    uint8_t salt[2][14];
    uint8_t auth[2][20];
};

/* RFC 3711 section 4.3. @master: key, then salt. */
void srtp_ref_derive(struct srtp_ref *r, enum sl_srtp_profile profile, const uint8_t *master);
/* In place; *len grows. */
void srtp_ref_protect(const struct srtp_ref *r, uint32_t roc, uint8_t *pkt, size_t *len);
void srtcp_ref_protect(const struct srtp_ref *r, uint32_t index, uint8_t *pkt, size_t *len);

#endif
