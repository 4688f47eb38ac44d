/*
 * rtp_red.h - redundant audio payloads.
 *
 * Spec:   RFC 2198 section 3
 * Thread: any; pure.
 */
#ifndef SL_RTP_RTP_RED_H
#define SL_RTP_RTP_RED_H

#include <stddef.h>
#include <stdint.h>

#define SL_RED_MAX 8 /* blocks with the primary one; more are refused */

struct sl_red_block {
    uint8_t pt;
    uint16_t ts_back; /* ticks before the packet's timestamp; 0 for the primary */
    uint16_t off;     /* from the start of the payload */
    uint16_t len;
};

struct sl_red {
    uint8_t n;
    struct sl_red_block block[SL_RED_MAX]; /* oldest first; the last one is the primary */
};

/* 0 or -EBADMSG. */
int sl_red_parse(const void *payload, size_t len, struct sl_red *out);

#define SL_RED_BACK_MAX 0x3fff
#define SL_RED_LEN_MAX  0x3ff /* of all but the primary */

struct sl_red_part {
    uint8_t pt;
    uint16_t ts_back;
    uint16_t len;
    const uint8_t *data;
};

/* Writes a payload of @n parts, oldest first. Its length; -EINVAL: no part, or one that a header
 * cannot tell; -ENOBUFS. */
int sl_red_write(const struct sl_red_part *parts, size_t n, uint8_t *buf, size_t cap);

#endif
