/*
 * srtp_session.h - makes libsrtp2 sessions of one direction; inside src/srtp only.
 *
 * Thread: any; a session belongs to the thread that uses it.
 */
#ifndef SL_SRTP_SESSION_H
#define SL_SRTP_SESSION_H

#include "srtp/srtp.h"
#include <srtp2/srtp.h>

/* A session for any SSRC: @key (master key, then salt) of @profile, towards us or away from us.
 * 0; -EINVAL: no such profile; -ENOMEM; -EIO. */
int sl_srtp_session_create(enum sl_srtp_profile profile, const uint8_t *key, bool inbound,
                           srtp_t *out);

/* What the library says, in terms of srtp.h. */
int sl_srtp_errno(srtp_err_status_t st);

/* The self check: what a session of each profile makes of fixed keys and packets. */
struct sl_srtp_sample {
    int len[12];
    uint8_t bytes[12][160];
};
/* 0 or -EIO. */
int sl_srtp_sample_make(struct sl_srtp_sample *out);
/* Opens @s again. 0, or -EIO when the packets do not come out as they went in. */
int sl_srtp_sample_open(const struct sl_srtp_sample *s);

#endif
