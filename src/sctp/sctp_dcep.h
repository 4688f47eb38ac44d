/*
 * sctp_dcep.h - the data channel establishment protocol: OPEN and ACK.
 *
 * Spec:   RFC 8832 section 5 (messages), RFC 8831 section 8 (payload protocol identifiers)
 * Thread: any; pure.
 *
 * DATA_CHANNEL_OPEN:
 *    0                   1                   2                   3
 *   |  type 0x03    | channel type  |            priority           |
 *   |                    reliability parameter                      |
 *   |         label length          |       protocol length         |
 *   | label ...                     | protocol ...                  |
 */
#ifndef SL_SCTP_DCEP_H
#define SL_SCTP_DCEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Payload protocol identifiers. */
enum {
    SL_PPID_DCEP = 50,
    SL_PPID_STRING = 51,
    SL_PPID_BINARY = 53,
    SL_PPID_STRING_EMPTY = 56, /* one byte, which says nothing */
    SL_PPID_BINARY_EMPTY = 57,
};

/* Bytes of a label or of a protocol that we take or send; the RFC's limit is 65535. */
#define SL_DCEP_NAME_MAX 1023
#define SL_DCEP_OPEN_MAX (12 + 2 * SL_DCEP_NAME_MAX)

enum sl_reliability {
    SL_RELIABLE,
    SL_RELIABLE_REXMIT, /* at most `limit` retransmissions */
    SL_RELIABLE_TIMED,  /* sent for `limit` milliseconds at most */
};

struct sl_dcep_open {
    bool ordered;
    enum sl_reliability reliability;
    uint32_t limit;
    uint16_t priority; /* RFC 8831 section 6.4: 256 is normal */
    const char *label; /* not terminated */
    size_t label_len;
    const char *protocol;
    size_t protocol_len;
};

/* @out points into @data. 0; -EBADMSG: no OPEN; -E2BIG: a name longer than we take; -EILSEQ: a name
 * that is no UTF-8 or has a NUL inside. */
int sl_dcep_open_parse(const uint8_t *data, size_t len, struct sl_dcep_open *out);
/* Bytes written; -EINVAL: a name too long; -ENOSPC. */
int sl_dcep_open_write(const struct sl_dcep_open *in, uint8_t *out, size_t cap);

bool sl_dcep_is_open(const uint8_t *data, size_t len);
bool sl_dcep_is_ack(const uint8_t *data, size_t len);
/* One byte. */
extern const uint8_t sl_dcep_ack;

#endif
