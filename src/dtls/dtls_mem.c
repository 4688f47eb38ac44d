#include "dtls/dtls_mem.h"
#include "base/hmap.h"
#include "base/list.h"
#include "dtls/dtls.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE     4096 /* of x86 and most of arm; where pages are larger nothing is given back */
#define COLD_MIN (4 * PAGE)
/* Where BUF_MEM is made; libcrypto may be built without file names. */
#define COLD_FILE "/buffer/buffer.c"

struct sl_dtls_cold {
    struct sl_hnode node; /* in all, by address */
    uint8_t *data;
    size_t size;
    struct sl_dtls_cold **slot; /* NULL: forgotten */
};

static struct {
    pthread_mutex_t lock;
    struct sl_hmap all;
} mem = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct sl_dtls_cold **watch;

static bool is_cold_file(const char *file)
{
    const size_t len = file ? strlen(file) : 0, want = sizeof(COLD_FILE) - 1;

    return len >= want && strcmp(file + len - want, COLD_FILE) == 0;
}

static bool is_on_page(const void *p)
{
    return ((uintptr_t)p & (PAGE - 1)) == 0;
}

/* Not sl_hash_u64: its seed comes from libcrypto, which would be back here. */
static uint64_t hash_of(const void *p)
{
    return ((uintptr_t)p / PAGE) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static void *cold_alloc(size_t size)
{
    struct sl_dtls_cold *c = malloc(sizeof(*c));

    size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    if (!c)
        return NULL;
    c->data = aligned_alloc(PAGE, size);
    c->size = size;
    c->slot = watch;
    pthread_mutex_lock(&mem.lock);
    if (!c->data || sl_hmap_add(&mem.all, &c->node, hash_of(c->data))) {
        pthread_mutex_unlock(&mem.lock);
        free(c->data);
        free(c);
        return NULL;
    }
    if (*watch)
        (*watch)->slot = NULL;
    *watch = c;
    pthread_mutex_unlock(&mem.lock);
    return c->data;
}

/* @p is about to be freed or moved. */
static void cold_drop(const void *p)
{
    struct sl_dtls_cold *c = NULL;
    struct sl_hnode *n;

    pthread_mutex_lock(&mem.lock);
    for (n = sl_hmap_first(&mem.all, hash_of(p)); n; n = sl_hmap_next(n)) {
        c = sl_container(n, struct sl_dtls_cold, node);
        if (c->data == p)
            break;
    }
    if (n) {
        sl_hmap_del(&mem.all, n);
        if (c->slot)
            *c->slot = NULL;
    }
    pthread_mutex_unlock(&mem.lock);
    if (n)
        free(c);
}

/* ---- for libcrypto --------------------------------------------------------------------------- */

static void *on_malloc(size_t size, const char *file, int line)
{
    (void)line;
    return watch && size >= COLD_MIN && is_cold_file(file) ? cold_alloc(size) : malloc(size);
}

static void *on_realloc(void *p, size_t size, const char *file, int line)
{
    if (!p)
        return on_malloc(size, file, line);
    if (is_on_page(p))
        cold_drop(p);
    return realloc(p, size);
}

static void on_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p && is_on_page(p))
        cold_drop(p);
    free(p);
}

int sl_dtls_init(void)
{
    if (!mem.all.nbuckets)
        sl_hmap_init(&mem.all);
    return CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free) ? 0 : -EBUSY;
}

/* ---- for associations ------------------------------------------------------------------------ */

struct sl_dtls_cold **sl_dtls_mem_watch(struct sl_dtls_cold **slot)
{
    struct sl_dtls_cold **before = watch;

    watch = slot;
    return before;
}

void sl_dtls_mem_chill(struct sl_dtls_cold **slot)
{
    pthread_mutex_lock(&mem.lock);
    if (*slot)
        (void)madvise((*slot)->data, (*slot)->size, MADV_DONTNEED); /* else it stays: no harm */
    pthread_mutex_unlock(&mem.lock);
}

void sl_dtls_mem_forget(struct sl_dtls_cold **slot)
{
    pthread_mutex_lock(&mem.lock);
    if (*slot)
        (*slot)->slot = NULL;
    *slot = NULL;
    pthread_mutex_unlock(&mem.lock);
}
