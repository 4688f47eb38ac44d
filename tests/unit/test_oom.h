/*
 * test_oom.h - lets the n-th allocation fail: replay a setup with n = 1, 2, 3 ... until it works.
 *
 * Included by one .c file of a test; link with $(oom_ldflags). Only calls out of our own objects
 * are counted, libraries allocate as ever. Thread: counts are of the thread that asks.
 *
 *   for (unsigned int n = 1;; n++) {
 *       oom_fail_at(n);
 *       err = thing_create(&t);
 *       if (!oom_happened())
 *           break;
 *       assert_int_equal(err, -ENOMEM);
 *   }
 */
#ifndef SL_TEST_OOM_H
#define SL_TEST_OOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static _Thread_local unsigned int oom_left;
static _Thread_local bool oom_hit, oom_spared;
static atomic_size_t oom_starved;

/* The @n-th allocation from now on fails, once. */
static inline void oom_fail_at(unsigned int n)
{
    oom_left = n;
    oom_hit = false;
}

/* Whether it failed; from now on nothing fails any more. */
static inline bool oom_happened(void)
{
    oom_left = 0;
    return oom_hit;
}

/* From now on no thread but this one gets blocks of @size bytes; SIZE_MAX: of any size; 0: all do
 * again. */
static inline void oom_starve_others(size_t size)
{
    oom_spared = size;
    atomic_store(&oom_starved, size);
}

static bool oom_fails(size_t size)
{
    size_t which = oom_spared ? 0 : atomic_load(&oom_starved);

    if (which == SIZE_MAX || (which && which == size))
        return true;
    if (!oom_left || --oom_left)
        return false;
    oom_hit = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return oom_fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return oom_fails(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return oom_fails(size) ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return oom_fails(size) ? NULL : __real_aligned_alloc(align, size);
}

char *__wrap_strdup(const char *s)
{
    return oom_fails(strlen(s) + 1) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return oom_fails(strnlen(s, n) + 1) ? NULL : __real_strndup(s, n);
}

#endif
