#include "base/arena.h"
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 1024 /* some arenas live as long as a connection: little is left unused */
#define ARENA_LIMIT ((size_t)16 << 20)
#define ARENA_ALIGN alignof(max_align_t)

struct chunk {
    struct chunk *next;
    alignas(max_align_t) char data[];
};

struct sl_arena {
    struct chunk *chunks; /* the first is the one that is being filled */
    size_t used, cap;     /* of the first chunk */
    size_t total;         /* bytes in all chunks */
};

struct sl_arena *sl_arena_create(void)
{
    return calloc(1, sizeof(struct sl_arena));
}

void sl_arena_destroy(struct sl_arena *a)
{
    struct chunk *next;

    if (!a)
        return;
    for (struct chunk *c = a->chunks; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

static struct chunk *arena_chunk(struct sl_arena *a, size_t size)
{
    struct chunk *c;

    if (size > ARENA_LIMIT - a->total)
        return NULL;
    c = calloc(1, sizeof(*c) + size);
    if (c)
        a->total += size;
    return c;
}

void *sl_arena_alloc(struct sl_arena *a, size_t size)
{
    struct chunk *c;
    void *p;

    if (size > ARENA_LIMIT)
        return NULL;
    size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    if (!size)
        size = ARENA_ALIGN;
    if (size > ARENA_CHUNK / 4) {
        /* One of its own, behind the one that is being filled. */
        c = arena_chunk(a, size);
        if (!c)
            return NULL;
        if (a->chunks) {
            c->next = a->chunks->next;
            a->chunks->next = c;
        } else {
            a->chunks = c;
            a->used = a->cap = size;
        }
        return c->data;
    }
    if (a->cap - a->used < size) {
        c = arena_chunk(a, ARENA_CHUNK);
        if (!c)
            return NULL;
        c->next = a->chunks;
        a->chunks = c;
        a->used = 0;
        a->cap = ARENA_CHUNK;
    }
    p = a->chunks->data + a->used;
    a->used += size;
    return p;
}

void *sl_arena_grow(struct sl_arena *a, const void *old, size_t old_size, size_t new_size)
{
    void *p = sl_arena_alloc(a, new_size);

    if (p && old && old_size)
        memcpy(p, old, old_size < new_size ? old_size : new_size);
    return p;
}

char *sl_arena_strndup(struct sl_arena *a, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *p = sl_arena_alloc(a, len + 1);

    if (p)
        memcpy(p, s, len);
    return p;
}

char *sl_arena_strdup(struct sl_arena *a, const char *s)
{
    return sl_arena_strndup(a, s, strlen(s));
}

char *sl_arena_printf(struct sl_arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    p = sl_arena_alloc(a, (size_t)n + 1);
    if (!p)
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
