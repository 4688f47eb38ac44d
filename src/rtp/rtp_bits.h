/*
 * rtp_bits.h - reads numbers of any number of bits, the highest first.
 *
 * Thread: any; pure.  Past the end it reads 0 and remembers that it failed.
 */
#ifndef SL_RTP_RTP_BITS_H
#define SL_RTP_RTP_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_bits {
    const uint8_t *p;
    size_t pos, end; /* in bits */
    bool failed;
};

static inline uint32_t sl_bits_read(struct sl_bits *b, unsigned n)
{
    uint32_t v = 0;

    if (b->failed || b->end - b->pos < n) {
        b->failed = true;
        return 0;
    }
    for (; n; n--, b->pos++)
        v = v << 1 | (b->p[b->pos >> 3] >> (7 - (b->pos & 7)) & 1);
    return v;
}

#endif
