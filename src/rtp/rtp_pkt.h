/*
 * rtp_pkt.h - tells what a datagram is and parses the fixed part of an RTP packet, once.
 *
 * Spec:   RFC 3550 section 5.1 (header), RFC 7983 (demultiplexing), RFC 5761 section 4 (RTP beside
 *         RTCP), RFC 8285 (the extension block: rtp_ext.h reads inside it)
 * Thread: any; pure.  Allocates nothing.
 * Units:  offsets and lengths in bytes from the start of the packet, so that the result stays
 *         valid for a copy of the packet.
 */
#ifndef SL_RTP_RTP_PKT_H
#define SL_RTP_RTP_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_RTP_HDR     12    /* fixed header */
#define SL_RTP_MAX     65535 /* longest packet sl_rtp_parse takes */
#define SL_RTP_MARKER  0x80  /* in byte 1 */
#define SL_RTP_PADDING 0x20  /* in byte 0 */
#define SL_RTP_EXT     0x10  /* in byte 0 */

enum sl_demux {
    SL_DEMUX_UNKNOWN,
    SL_DEMUX_STUN,
    SL_DEMUX_DTLS,
    SL_DEMUX_TURN_CHANNEL,
    SL_DEMUX_RTP,
    SL_DEMUX_RTCP,
};

/* By the first two bytes and a minimal length; looks at nothing else. */
enum sl_demux sl_demux(const void *data, size_t len);

struct sl_rtp {
    uint32_t ssrc;
    uint32_t ts;
    uint16_t seq;
    uint8_t pt; /* 7 bits */
    bool marker;
    bool has_ext;
    uint8_t csrc_count;
    uint8_t pad_len;      /* with the length byte; 0: no padding */
    uint16_t ext_profile; /* 0 without extension */
    uint16_t ext_off;     /* first byte after the extension's four header bytes */
    uint16_t ext_len;
    uint16_t payload_off; /* also the length of the whole header */
    uint16_t payload_len; /* without padding; 0 for padding-only packets */
};

/* Parses @data. 0, or -EBADMSG: not version 2, or lengths that do not fit. Works on a protected
 * packet too, except for the payload and padding lengths, which are then those of the ciphertext
 * (use sl_rtp_parse_header there). */
int sl_rtp_parse(const void *data, size_t len, struct sl_rtp *out);

/* As above without looking at the padding (pad_len 0): for packets still under SRTP. */
int sl_rtp_parse_header(const void *data, size_t len, struct sl_rtp *out);

/* Writes the fixed header (no CSRC, no extension, no padding). @buf has SL_RTP_HDR bytes. */
void sl_rtp_write_header(void *buf, bool marker, uint8_t pt, uint16_t seq, uint32_t ts,
                         uint32_t ssrc);

/* Appends @pad bytes of padding (1..255) to the packet of @len bytes and sets its P bit.
 * The new length, or -EMSGSIZE. The packet must have none yet. */
int sl_rtp_pad(void *buf, size_t len, size_t cap, uint8_t pad);

#endif
