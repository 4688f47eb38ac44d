/*
 * test_oom.h - lets the n-th allocation fail: replay a setup with n = 1, 2, 3 ... until it works.
 *
 * Included by one .c file of a test; link with $(oom_ldflags). Only calls out of our own objects
 * are counted, libraries allocate as ever. One thread.
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

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *s);

static unsigned int oom_left;
static bool oom_hit;

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

static bool oom_fails(void)
{
    if (!oom_left || --oom_left)
        return false;
    oom_hit = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return oom_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return oom_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return oom_fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return oom_fails() ? NULL : __real_aligned_alloc(align, size);
}

char *__wrap_strdup(const char *s)
{
    return oom_fails() ? NULL : __real_strdup(s);
}

#endif
