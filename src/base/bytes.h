/*
 * bytes.h - bounded readers and writers of network-order bytes for wire formats.
 *
 * Errors stick: a read past the end gives zeroes and sets @failed; a write past the end writes
 * nothing and sets @failed. Parse first, look at @failed once.
 */
#ifndef SL_BASE_BYTES_H
#define SL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t sl_get16(const void *p)
{
    const uint8_t *b = p;

    return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t sl_get24(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline uint32_t sl_get32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t sl_get64(const void *p)
{
    return (uint64_t)sl_get32(p) << 32 | sl_get32((const uint8_t *)p + 4);
}

static inline void sl_put16(void *p, uint16_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static inline void sl_put24(void *p, uint32_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t)(v >> 16);
    b[1] = (uint8_t)(v >> 8);
    b[2] = (uint8_t)v;
}

static inline void sl_put32(void *p, uint32_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}

static inline void sl_put64(void *p, uint64_t v)
{
    sl_put32(p, (uint32_t)(v >> 32));
    sl_put32((uint8_t *)p + 4, (uint32_t)v);
}

struct sl_reader {
    const uint8_t *p;
    const uint8_t *end;
    bool failed;
};

static inline struct sl_reader sl_reader_make(const void *data, size_t len)
{
    return (struct sl_reader){ data, (const uint8_t *)data + len, false };
}

static inline size_t sl_reader_left(const struct sl_reader *r)
{
    return (size_t)(r->end - r->p);
}

/* @n bytes in place, or NULL and @failed. */
static inline const uint8_t *sl_read_bytes(struct sl_reader *r, size_t n)
{
    const uint8_t *p = r->p;

    if (r->failed || sl_reader_left(r) < n) {
        r->failed = true;
        return NULL;
    }
    r->p += n;
    return p;
}

static inline uint8_t sl_read8(struct sl_reader *r)
{
    const uint8_t *p = sl_read_bytes(r, 1);

    return p ? *p : 0;
}

static inline uint16_t sl_read16(struct sl_reader *r)
{
    const uint8_t *p = sl_read_bytes(r, 2);

    return p ? sl_get16(p) : 0;
}

static inline uint32_t sl_read24(struct sl_reader *r)
{
    const uint8_t *p = sl_read_bytes(r, 3);

    return p ? sl_get24(p) : 0;
}

static inline uint32_t sl_read32(struct sl_reader *r)
{
    const uint8_t *p = sl_read_bytes(r, 4);

    return p ? sl_get32(p) : 0;
}

static inline uint64_t sl_read64(struct sl_reader *r)
{
    const uint8_t *p = sl_read_bytes(r, 8);

    return p ? sl_get64(p) : 0;
}

struct sl_writer {
    uint8_t *start;
    uint8_t *p;
    uint8_t *end;
    bool failed;
};

static inline struct sl_writer sl_writer_make(void *buf, size_t cap)
{
    return (struct sl_writer){ buf, buf, (uint8_t *)buf + cap, false };
}

static inline size_t sl_writer_len(const struct sl_writer *w)
{
    return (size_t)(w->p - w->start);
}

/* Room for @n bytes, to be filled by the caller, or NULL and @failed. */
static inline uint8_t *sl_write_room(struct sl_writer *w, size_t n)
{
    uint8_t *p = w->p;

    if (w->failed || (size_t)(w->end - w->p) < n) {
        w->failed = true;
        return NULL;
    }
    w->p += n;
    return p;
}

static inline void sl_write8(struct sl_writer *w, uint8_t v)
{
    uint8_t *p = sl_write_room(w, 1);

    if (p)
        *p = v;
}

static inline void sl_write16(struct sl_writer *w, uint16_t v)
{
    uint8_t *p = sl_write_room(w, 2);

    if (p)
        sl_put16(p, v);
}

static inline void sl_write24(struct sl_writer *w, uint32_t v)
{
    uint8_t *p = sl_write_room(w, 3);

    if (p)
        sl_put24(p, v);
}

static inline void sl_write32(struct sl_writer *w, uint32_t v)
{
    uint8_t *p = sl_write_room(w, 4);

    if (p)
        sl_put32(p, v);
}

static inline void sl_write64(struct sl_writer *w, uint64_t v)
{
    uint8_t *p = sl_write_room(w, 8);

    if (p)
        sl_put64(p, v);
}

static inline void sl_write_bytes(struct sl_writer *w, const void *data, size_t n)
{
    uint8_t *p = sl_write_room(w, n);

    if (p && n)
        memcpy(p, data, n);
}

#endif
