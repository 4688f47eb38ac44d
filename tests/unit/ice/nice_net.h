/*
 * nice_net.h - two peer connections of full ICE on loopback, and what the ICE thread told of them.
 */
#ifndef SL_TESTS_NICE_NET_H
#define SL_TESTS_NICE_NET_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ice/ice_nice.h"
#include "net/net_udp.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS   15000 /* the longest that anything here may take */
#define NSIDES    3     /* pc ids 1 and 2; 0 is not used */
#define CANDS_MAX 32

/* What the ICE thread told of one peer connection. */
struct side {
    struct sl_ice_creds creds;
    unsigned int ncreds;
    char cands[CANDS_MAX][SL_ICE_CAND_MAX];
    unsigned int ncands;
    unsigned int ndone;
    enum sl_ice_state state;
    struct sl_ice_path path;
    unsigned int npaths;
    uint8_t data[256];
    size_t len;
    unsigned int ndata;  /* of any way */
    unsigned int ntaken; /* of these, at our socket beside libnice's */
    struct sl_addr checked;
    unsigned int nchecked;
};

struct net {
    struct sl_nice *nice;
    struct sl_addr lo;
    bool linked;  /* what 1 says goes to 2 and the other way round, as it comes */
    bool relayed; /* of that, candidates only if they are relayed ones of 1, for 2 */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct side side[NSIDES];
    struct sl_udp_batch *batch;
    pthread_t reader; /* stands for the workers: reads our sockets */
    bool ends;
};

static inline struct side *side_lock(struct net *t, sl_id pc)
{
    pthread_mutex_lock(&t->lock);
    return &t->side[pc < NSIDES ? pc : 0];
}

static inline void side_unlock(struct net *t)
{
    pthread_cond_broadcast(&t->cond);
    pthread_mutex_unlock(&t->lock);
}

static inline void on_creds(void *arg, sl_id pc, const struct sl_ice_creds *creds)
{
    struct net *t = arg;
    struct side *s = side_lock(t, pc);

    s->creds = *creds;
    s->ncreds++;
    side_unlock(t);
    if (t->linked)
        sl_nice_remote(t->nice, 3 - pc, creds);
}

static inline void on_candidate(void *arg, sl_id pc, const char *text)
{
    struct net *t = arg;
    struct side *s = side_lock(t, pc);

    if (!text)
        s->ndone++;
    else if (s->ncands < CANDS_MAX)
        (void)snprintf(s->cands[s->ncands++], SL_ICE_CAND_MAX, "%s", text);
    side_unlock(t);
    if (t->relayed && (pc != 1 || !text || !strstr(text, "typ relay")))
        return;
    if (t->linked)
        sl_nice_candidate(t->nice, 3 - pc, text);
}

static inline void on_state(void *arg, sl_id pc, enum sl_ice_state state)
{
    struct net *t = arg;

    side_lock(t, pc)->state = state;
    side_unlock(t);
}

static inline void on_path(void *arg, sl_id pc, const struct sl_ice_path *path)
{
    struct net *t = arg;
    struct side *s = side_lock(t, pc);

    struct sl_ice_path old = s->path;

    s->path = *path;
    if (path->kind == SL_ICE_PATH_DIRECT && path->fd < 0) {
        s->path.udp = old.udp;
        s->path.fd = old.fd;
    } else {
        sl_udp_close(old.udp);
    }
    s->npaths++;
    side_unlock(t);
}

static inline void on_checked(void *arg, sl_id pc, const struct sl_addr *remote)
{
    struct net *t = arg;
    struct side *s = side_lock(t, pc);

    s->checked = *remote;
    s->nchecked++;
    side_unlock(t);
}

static inline void side_take(struct side *s, const uint8_t *data, size_t len)
{
    s->len = len < sizeof(s->data) ? len : sizeof(s->data);
    memcpy(s->data, data, s->len);
    s->ndata++;
}

static inline void on_data(void *arg, sl_id pc, const uint8_t *data, size_t len)
{
    struct net *t = arg;

    side_take(side_lock(t, pc), data, len);
    side_unlock(t);
}

static inline void *reader_main(void *arg)
{
    struct net *t = arg;
    bool ends;

    do {
        struct timespec ms = { 0, 1000000 };

        (void)nanosleep(&ms, NULL);
        pthread_mutex_lock(&t->lock);
        for (size_t i = 0; i < NSIDES; i++) {
            struct side *s = &t->side[i];
            int n = s->path.udp ? sl_udp_recv(s->path.udp, t->batch) : 0;

            for (int k = 0; k < n; k++)
                if (sl_addr_is_equal(t->batch->dgrams[k].remote, &s->path.remote)) {
                    side_take(s, t->batch->dgrams[k].data, t->batch->dgrams[k].len);
                    s->ntaken++;
                }
        }
        ends = t->ends;
        side_unlock(t);
    } while (!ends);
    return NULL;
}

static const struct sl_nice_cb callbacks = { on_creds, on_candidate, on_state,
                                             on_path,  on_checked,   on_data };

static inline struct net *net_open(const struct sl_nice_conf *conf, bool linked)
{
    struct net *t = calloc(1, sizeof(*t));
    struct sl_nice_conf c = *conf;

    assert_non_null(t);
    t->linked = linked;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->cond, NULL);
    assert_int_equal(sl_addr_from_ip("127.0.0.1", 0, &t->lo), 0);
    c.bind = &t->lo;
    c.nbind = 1;
    assert_int_equal(sl_nice_create(&c, &callbacks, t, &t->nice), 0);
    assert_int_equal(sl_udp_batch_create(&t->batch), 0);
    assert_int_equal(pthread_create(&t->reader, NULL, reader_main, t), 0);
    return t;
}

static inline void net_close(struct net *t)
{
    sl_nice_destroy(t->nice);
    pthread_mutex_lock(&t->lock);
    t->ends = true;
    pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->reader, NULL);
    for (size_t i = 0; i < NSIDES; i++)
        sl_udp_close(t->side[i].path.udp);
    sl_udp_batch_destroy(t->batch);
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Waits until @is_so of side @pc holds; fails the test when it takes too long. */
static inline void wait_for(struct net *t, sl_id pc,
                            bool (*is_so)(const struct side *s, unsigned int n), unsigned int n)
{
    struct timespec end;
    bool so;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&t->lock);
    while (!(so = is_so(&t->side[pc], n)))
        if (pthread_cond_timedwait(&t->cond, &t->lock, &end) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&t->lock);
    assert_true(so);
}

static inline bool is_in_state(const struct side *s, unsigned int state)
{
    return s->state == state;
}

static inline bool has_data(const struct side *s, unsigned int n)
{
    return s->ndata >= n;
}

static inline bool has_creds(const struct side *s, unsigned int n)
{
    return s->ncreds >= n;
}

static inline bool has_gathered(const struct side *s, unsigned int n)
{
    return s->ndone >= n;
}

static inline bool has_path(const struct side *s, unsigned int n)
{
    return s->npaths >= n;
}

static inline struct side side_get(struct net *t, sl_id pc)
{
    struct side s = *side_lock(t, pc);

    side_unlock(t);
    return s;
}

static inline void send_direct(struct net *t, sl_id pc, const char *text)
{
    struct side s = side_get(t, pc);

    assert_int_equal(s.path.kind, SL_ICE_PATH_DIRECT);
    assert_int_equal(
        sendto(s.path.fd, text, strlen(text), 0, &s.path.remote.sa, sl_addr_len(&s.path.remote)),
        strlen(text));
}

/* Opens both before the first callback can link them: who is not open yet hears nothing. */
static inline void open_both(struct net *t)
{
    pthread_mutex_lock(&t->lock);
    sl_nice_open(t->nice, 1, true);
    sl_nice_open(t->nice, 2, false);
    pthread_mutex_unlock(&t->lock);
}

#endif
