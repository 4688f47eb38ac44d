/*
 * arena.h - memory of one request, freed together. One thread at a time.
 */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct sl_arena;

struct sl_arena *sl_arena_create(void);    /* NULL: out of memory */
void sl_arena_destroy(struct sl_arena *a); /* frees all that was allocated from it */

/* Zeroed, aligned for any type; NULL: out of memory (or above the limit of 16 MiB per arena, which
 * bounds what one hostile request can take). */
void *sl_arena_alloc(struct sl_arena *a, size_t size);
/* Room for @n more elements by copying; as realloc, old memory stays until the end. */
void *sl_arena_grow(struct sl_arena *a, const void *old, size_t old_size, size_t new_size);
char *sl_arena_strdup(struct sl_arena *a, const char *s);
char *sl_arena_strndup(struct sl_arena *a, const char *s, size_t n);
char *sl_arena_printf(struct sl_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
