/*
 * rtcp.h - reads and writes RTCP.
 *
 * Spec:   RFC 3550 section 6 (SR, RR, SDES, BYE), RFC 4585 (NACK, PLI), RFC 5104 (FIR), RFC 5506
 *         (reduced size), draft-alvestrand-rmcat-remb-03, RFC 3611 (XR: passed over);
 *         transport-cc feedback is in rtcp_fb_twcc.h, RFC 8888 in rtcp_fb_ccfb.h
 * Thread: any; pure.  Allocates nothing.
 *
 * Reading: iterate over the compound packet, look at .pt and .fmt, call the parser of that kind.
 *     struct sl_rtcp_it it = sl_rtcp_begin(data, len);
 *     while ((n = sl_rtcp_next(&it, &p)) > 0) switch (p.pt) ...
 * Writing: one sl_rtcp_*_write after the other on one struct sl_writer; look at its @failed. A
 * write that does not fit leaves nothing behind but @failed.
 */
#ifndef SL_RTCP_RTCP_H
#define SL_RTCP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    SL_RTCP_SR = 200,
    SL_RTCP_RR = 201,
    SL_RTCP_SDES = 202,
    SL_RTCP_BYE = 203,
    SL_RTCP_APP = 204,
    SL_RTCP_RTPFB = 205, /* fmt: SL_RTPFB_* */
    SL_RTCP_PSFB = 206,  /* fmt: SL_PSFB_* */
    SL_RTCP_XR = 207,
};
enum { SL_RTPFB_NACK = 1, SL_RTPFB_CCFB = 11, SL_RTPFB_TWCC = 15 };
enum { SL_PSFB_PLI = 1, SL_PSFB_FIR = 4, SL_PSFB_AFB = 15 /* REMB */ };

#define SL_RTCP_RB_MAX    31 /* report blocks of one SR or RR */
#define SL_RTCP_CNAME_MAX 255
#define SL_RTCP_SSRC_MAX  64 /* SSRCs of a REMB or entries of a FIR that are looked at */

struct sl_rtcp_it {
    const uint8_t *p, *end;
};

struct sl_rtcp_pkt {
    uint8_t pt;
    uint8_t fmt;         /* or count: the five bits of the first byte */
    const uint8_t *body; /* after the four header bytes */
    size_t len;          /* of the body, without padding */
};

struct sl_rtcp_it sl_rtcp_begin(const void *data, size_t len);
/* 1 and the next packet, 0 at the end, -EBADMSG (lengths, version); then stop. */
int sl_rtcp_next(struct sl_rtcp_it *it, struct sl_rtcp_pkt *out);

struct sl_rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_ts;
    uint32_t packets;
    uint32_t octets;
};

struct sl_rtcp_rb {
    uint32_t ssrc;
    uint8_t fraction; /* lost / 256 since the last report */
    int32_t lost;     /* 24 bits signed, cumulative */
    uint32_t ext_seq; /* highest */
    uint32_t jitter;  /* RTP clock ticks */
    uint32_t lsr;     /* middle 32 bits of the last SR's NTP; 0: none */
    uint32_t dlsr;    /* since then, 1/65536 s */
};

/* Number of report blocks put into @rb (at most @max), or -EBADMSG. @rb may be NULL with 0. */
int sl_rtcp_sr_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_sr *sr, struct sl_rtcp_rb *rb,
                     size_t max);
int sl_rtcp_rr_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc, struct sl_rtcp_rb *rb,
                     size_t max);
void sl_rtcp_sr_write(struct sl_writer *w, const struct sl_rtcp_sr *sr, const struct sl_rtcp_rb *rb,
                      size_t n);
/* @n may be 0: the empty RR that other packets follow. At most SL_RTCP_RB_MAX. */
void sl_rtcp_rr_write(struct sl_writer *w, uint32_t ssrc, const struct sl_rtcp_rb *rb, size_t n);

/* First chunk with a CNAME: 0, -ENOENT without one, -EBADMSG. Always terminates @cname. */
int sl_rtcp_sdes_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc,
                       char cname[SL_RTCP_CNAME_MAX + 1]);
void sl_rtcp_sdes_write(struct sl_writer *w, uint32_t ssrc, const char *cname);

/* SSRCs that leave: how many were put into @ssrc, or -EBADMSG. */
int sl_rtcp_bye_parse(const struct sl_rtcp_pkt *p, uint32_t *ssrc, size_t max);
void sl_rtcp_bye_write(struct sl_writer *w, const uint32_t *ssrc, size_t n);

/* The two SSRCs that all feedback packets begin with. 0 or -EBADMSG. */
struct sl_rtcp_fb {
    uint32_t sender;
    uint32_t media;
};
int sl_rtcp_fb_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *out);

/* Generic NACK. Parse: how many sequence numbers were put into @seqs, at most @max (the rest is
 * ignored), or -EBADMSG. Write: @seqs ascending (modulo wrap) makes the shortest packet. */
int sl_rtcp_nack_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *fb, uint16_t *seqs,
                       size_t max);
void sl_rtcp_nack_write(struct sl_writer *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                        size_t n);

void sl_rtcp_pli_write(struct sl_writer *w, uint32_t sender, uint32_t media);

struct sl_rtcp_fir {
    uint32_t ssrc;
    uint8_t seq; /* command sequence number; a repeated one is the same request */
};
int sl_rtcp_fir_parse(const struct sl_rtcp_pkt *p, struct sl_rtcp_fb *fb, struct sl_rtcp_fir *out,
                      size_t max);
void sl_rtcp_fir_write(struct sl_writer *w, uint32_t sender, const struct sl_rtcp_fir *fir,
                       size_t n);

/* REMB. Parse: number of SSRCs (at most @max) and the bit rate; -ENOENT when the AFB packet is
 * something else; -EBADMSG. The bit rate has 18 bits of mantissa: writing rounds down. */
int sl_rtcp_remb_parse(const struct sl_rtcp_pkt *p, uint32_t *sender, uint64_t *bps, uint32_t *ssrc,
                       size_t max);
void sl_rtcp_remb_write(struct sl_writer *w, uint32_t sender, uint64_t bps, const uint32_t *ssrc,
                        size_t n);

/* The middle 32 bits of an NTP timestamp, as LSR and DLSR arithmetic uses them. */
static inline uint32_t sl_ntp_mid(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

#endif
