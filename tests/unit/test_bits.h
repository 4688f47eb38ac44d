/*
 * test_bits.h - bit strings made as syntax tables name their fields: for descriptors and parameter
 * sets. Highest bit first; begins as { 0 }.
 */
#ifndef SL_TEST_BITS_H
#define SL_TEST_BITS_H

#include <stddef.h>
#include <stdint.h>

struct bits {
    uint8_t b[256];
    size_t pos; /* bits that are there */
};

/* f(n), u(n): the lowest @n bits of @v. */
static inline void put(struct bits *w, unsigned int n, uint32_t v)
{
    while (n--) {
        if (v >> n & 1)
            w->b[w->pos >> 3] |= (uint8_t)(0x80 >> (w->pos & 7));
        w->pos++;
    }
}

/* ue(v): Exp-Golomb (H.264 section 9.1, H.265 section 9.2). @v: below 2^32 - 1. */
static inline void put_ue(struct bits *w, uint32_t v)
{
    unsigned int n = 0;

    while ((v + UINT64_C(1)) >> (n + 1))
        n++;
    put(w, n, 0);
    put(w, n + 1, v + 1);
}

/* Bytes that hold it. */
static inline size_t bits_len(const struct bits *w)
{
    return (w->pos + 7) / 8;
}

#endif
