/*
 * tr_post.c - messages of rooms to web servers: a queue and a thread, which begins with the first
 * message. Nobody waits for it; what is lost is counted and logged.
 */
#include "tr.h"
#include "../common/pl_post.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_BYTES_MAX (1u << 20)
#define TIMEOUT_MS      5000
#define TELL_S          10 /* between two lines about losses */

struct item {
    struct item *next;
    size_t size; /* of all of it */
    const char *body;
    size_t len;
    char url[]; /* the body behind it */
};

static struct {
    bool is_running;
    pthread_t thread;
    struct pl_post *post;
    pthread_mutex_t lock; /* of the queue */
    pthread_cond_t wake;
    struct item *first, **end;
    size_t bytes;
    atomic_bool ends;
    atomic_uint lost;
    unsigned int lost_told;
    time_t told_at;
} self = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

bool tr_post_is_there(void)
{
    return true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool goes_on(void *arg)
{
    (void)arg;
    return !atomic_load(&self.ends);
}

/* NULL: the end. */
static struct item *take(void)
{
    struct item *i = NULL;

    pthread_mutex_lock(&self.lock);
    while (!self.first && !self.ends)
        pthread_cond_wait(&self.wake, &self.lock);
    if (!self.ends) {
        i = self.first;
        self.first = i->next;
        if (!self.first)
            self.end = &self.first;
        self.bytes -= i->size;
    }
    pthread_mutex_unlock(&self.lock);
    return i;
}

static void *run(void *arg)
{
    struct item *i;
    const char *why;

    while ((i = take())) {
        const struct pl_post_request r = { .url = i->url,
                                           .body = i->body,
                                           .len = i->len,
                                           .timeout_ms = TIMEOUT_MS,
                                           .goes_on = goes_on };
        int status = pl_post_run(self.post, &r, &why);

        if (status < 200 || status > 299)
            atomic_fetch_add(&self.lost, 1);
        free(i);
    }
    return arg;
}

/* ---- control --------------------------------------------------------------------------------- */

static bool start(void)
{
    sigset_t all, before;
    int err;

    if (self.is_running)
        return true;
    if (pl_post_create(&self.post))
        return false;
    self.end = &self.first;
    atomic_store(&self.ends, false);
    sigfillset(&all); /* signals are the server's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&self.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    self.is_running = !err;
    if (err)
        pl_post_destroy(self.post);
    return !err;
}

static bool put(const char *url, const char *text)
{
    size_t url_size = strlen(url) + 1, len = strlen(text);
    size_t size = sizeof(struct item) + url_size + len + 1;
    struct item *i = start() ? malloc(size) : NULL;
    bool fits;

    if (!i)
        return false;
    *i = (struct item){ .size = size, .body = i->url + url_size, .len = len };
    memcpy(i->url, url, url_size);
    memcpy(i->url + url_size, text, len + 1);
    pthread_mutex_lock(&self.lock);
    fits = self.bytes + size <= QUEUE_BYTES_MAX;
    if (fits) {
        self.bytes += size;
        *self.end = i;
        self.end = &i->next;
        pthread_cond_signal(&self.wake);
    }
    pthread_mutex_unlock(&self.lock);
    if (!fits)
        free(i);
    return fits;
}

static void tell_lost(void)
{
    unsigned int lost = atomic_load(&self.lost);
    time_t now = time(NULL);
    char text[48];

    if (lost == self.lost_told || now < self.told_at + TELL_S)
        return;
    snprintf(text, sizeof(text), "lost=%u", lost - self.lost_told);
    tr_core->log(1, "post-failing", text);
    self.lost_told = lost;
    self.told_at = now;
}

void tr_post(const char *url, const json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);

    if (!text || !put(url, text))
        atomic_fetch_add(&self.lost, 1);
    free(text);
    tell_lost();
}

void tr_post_fini(void)
{
    if (!self.is_running)
        return;
    pthread_mutex_lock(&self.lock);
    atomic_store(&self.ends, true);
    pthread_cond_signal(&self.wake);
    pthread_mutex_unlock(&self.lock);
    (void)pthread_join(self.thread, NULL);
    for (struct item *i; (i = self.first);) {
        self.first = i->next;
        free(i);
        atomic_fetch_add(&self.lost, 1);
    }
    self.bytes = 0;
    self.told_at = 0;
    tell_lost();
    pl_post_destroy(self.post);
    self.is_running = false;
}
