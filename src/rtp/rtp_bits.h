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

static inline void sl_bits_skip(struct sl_bits *b, unsigned n)
{
    b->failed = b->failed || b->end - b->pos < n;
    b->pos += b->failed ? 0 : n;
}

/* ue(v) of H.264 and H.265; 0xffffffff, which nothing that is read here may be, is a failure. */
static inline uint32_t sl_bits_ue(struct sl_bits *b)
{
    unsigned zeros = 0;

    while (!b->failed && !sl_bits_read(b, 1))
        zeros++;
    if (zeros > 31)
        b->failed = true;
    return b->failed ? 0 : (1u << zeros) - 1 + sl_bits_read(b, zeros);
}

#define SL_NAL_HEAD                                                                                \
    256 /* bytes of a unit that are looked at: the size stands before all that is long */

/* The first bytes of a unit without emulation prevention, in @buf. */
static inline struct sl_bits sl_bits_of_nal(const uint8_t *nal, size_t len, uint8_t *buf)
{
    size_t n = 0;
    int zeros = 0;

    for (size_t i = 0; i < len && n < SL_NAL_HEAD; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] ? 0 : zeros + 1;
        buf[n++] = nal[i];
    }
    return (struct sl_bits){ buf, 0, n * 8, false };
}

#endif
