#include "dtls_pair.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void queue_add(struct dtls_pair *p, int to, const uint8_t *data, size_t len)
{
    struct dtls_dgram **at = &p->queue;
    struct dtls_dgram *g = calloc(1, sizeof(*g));
    int64_t delay;

    assert(g && len <= sizeof(g->bytes));
    g->to = to;
    g->len = len;
    memcpy(g->bytes, data, len);
    delay = p->link ? p->link(p, g) : 0;
    if (delay < 0) {
        free(g);
        return;
    }
    g->due_us = p->now_us + (uint64_t)delay;
    while (*at && (*at)->due_us <= g->due_us)
        at = &(*at)->next;
    g->next = *at;
    *at = g;
}

static void on_send(void *arg, const uint8_t *data, size_t len)
{
    struct dtls_end *e = arg;

    e->nsent++;
    if (len > e->max_sent)
        e->max_sent = len;
    queue_add(e->pair, !e->who, data, len);
    if (e->pair->duplicate)
        queue_add(e->pair, !e->who, data, len);
}

static void on_state(void *arg, enum sl_dtls_state state)
{
    struct dtls_end *e = arg;

    assert(e->nstates < 4);
    e->states[e->nstates++] = state;
}

static void on_data(void *arg, const uint8_t *data, size_t len)
{
    struct dtls_end *e = arg;

    assert(len <= sizeof(e->data));
    memcpy(e->data, data, len);
    e->data_len = len;
    e->ndata++;
}

void pair_init(struct dtls_pair *p, const struct dtls_opts *opts)
{
    static const struct sl_dtls_cb cb = { on_send, on_state, on_data };

    SL_ASSUME(worker);
    memset(p, 0, sizeof(*p));
    p->now_us = 1000000000;
    for (int i = 0; i < 2; i++)
        if (sl_cert_create(&p->end[i].cert))
            abort();
    for (int i = 0; i < 2; i++) {
        struct dtls_end *e = &p->end[i];
        bool wrong = opts && opts->wrong_fp[i];
        struct sl_fingerprint fp;
        char text[128] = "sha-256 ";

        e->pair = p;
        e->who = i;
        strcat(text, sl_cert_fingerprint(p->end[wrong ? i : !i].cert));
        if (sl_fingerprint_parse(text, &fp) ||
            sl_dtls_create(e->cert, i == SERVER, &fp, opts && opts->mtu[i] ? opts->mtu[i] : 1200,
                           &cb, e, &e->d))
            abort();
    }
}

void pair_drop_all(struct dtls_pair *p)
{
    while (p->queue) {
        struct dtls_dgram *g = p->queue;

        p->queue = g->next;
        free(g);
    }
}

void pair_fini(struct dtls_pair *p)
{
    SL_ASSUME(worker);
    pair_drop_all(p);
    for (int i = 0; i < 2; i++) {
        sl_dtls_destroy(p->end[i].d);
        sl_cert_destroy(p->end[i].cert);
    }
}

bool pair_deliver(struct dtls_pair *p)
{
    struct dtls_dgram *g = p->queue;

    SL_ASSUME(worker);
    if (!g || g->due_us > p->now_us)
        return false;
    p->queue = g->next;
    sl_dtls_input(p->end[g->to].d, g->bytes, g->len);
    free(g);
    return true;
}

void pair_settle(struct dtls_pair *p)
{
    while (pair_deliver(p))
        ;
}

bool pair_is_up(const struct dtls_pair *p)
{
    return sl_dtls_state(p->end[CLIENT].d) == SL_DTLS_CONNECTED &&
           sl_dtls_state(p->end[SERVER].d) == SL_DTLS_CONNECTED;
}

static bool is_down(const struct dtls_pair *p)
{
    return sl_dtls_state(p->end[CLIENT].d) > SL_DTLS_CONNECTED ||
           sl_dtls_state(p->end[SERVER].d) > SL_DTLS_CONNECTED;
}

/* When something happens next; false when a timer went off now. */
static bool next_event(struct dtls_pair *p, uint64_t *at)
{
    bool fired = false;

    SL_ASSUME(worker);
    for (int i = 0; i < 2; i++) {
        int64_t t = sl_dtls_timeout_us(p->end[i].d);

        if (t == 0) {
            sl_dtls_timeout(p->end[i].d);
            fired = true;
        } else if (t > 0 && p->now_us + (uint64_t)t < *at) {
            *at = p->now_us + (uint64_t)t;
        }
    }
    if (p->queue && p->queue->due_us < *at)
        *at = p->queue->due_us;
    return !fired;
}

void pair_run(struct dtls_pair *p, uint64_t until_us)
{
    while (p->now_us < until_us) {
        uint64_t at = until_us;

        pair_settle(p);
        if (pair_is_up(p) || is_down(p))
            return;
        if (next_event(p, &at))
            p->now_us = at;
    }
}
