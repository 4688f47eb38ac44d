#include "media/media_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FREE_RESENDS 6 /* before the pauses grow */

int sl_cache_init(struct sl_cache *c, size_t capacity, uint64_t keep_us, void (*unref)(void *))
{
    struct sl_cache_slot *slot;
    size_t n = 1;

    if (capacity > SIZE_MAX / 4 / sizeof(*slot))
        return -ENOMEM;
    while (n < capacity)
        n *= 2;
    slot = calloc(n, sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    *c = (struct sl_cache){ .slot = slot, .mask = n - 1, .keep_us = keep_us, .unref = unref };
    return 0;
}

static void clear(struct sl_cache *c, struct sl_cache_slot *s)
{
    if (!s->ref)
        return;
    c->unref(s->ref);
    s->ref = NULL;
    c->count--;
}

void sl_cache_fini(struct sl_cache *c)
{
    if (!c->slot)
        return;
    for (size_t i = 0; i <= c->mask; i++)
        clear(c, &c->slot[i]);
    free(c->slot);
    c->slot = NULL;
}

void sl_cache_put(struct sl_cache *c, uint64_t seq, void *ref, uint64_t now_us)
{
    struct sl_cache_slot *s = &c->slot[seq & c->mask];

    if (s->ref && s->seq > seq) {
        c->unref(ref);
        return;
    }
    clear(c, s);
    *s = (struct sl_cache_slot){ .ref = ref, .seq = seq, .at_us = now_us };
    if (c->count++ == 0)
        c->oldest = c->newest = seq;
    if (seq > c->newest)
        c->newest = seq;
    if (seq < c->oldest)
        c->oldest = seq;
}

void *sl_cache_peek(const struct sl_cache *c, uint64_t seq, uint64_t now_us)
{
    const struct sl_cache_slot *s = &c->slot[seq & c->mask];

    if (!s->ref || s->seq != seq || (now_us > s->at_us && now_us - s->at_us > c->keep_us))
        return NULL;
    return s->ref;
}

size_t sl_cache_expire(struct sl_cache *c, uint64_t now_us)
{
    uint64_t seq = c->oldest;
    size_t n = 0;

    if (c->count == 0)
        return 0;
    if (c->newest - seq > c->mask)
        seq = c->newest - c->mask;
    for (; seq <= c->newest; seq++) {
        struct sl_cache_slot *s = &c->slot[seq & c->mask];

        if (!s->ref || s->seq > seq)
            continue;
        if (s->seq == seq && (now_us <= s->at_us || now_us - s->at_us <= c->keep_us))
            break;
        clear(c, s); /* too old, or left behind by a jump */
        n++;
    }
    c->oldest = seq;
    return n;
}

/* How long the @n-th resend keeps the next one away. Under heavy loss several may be needed; who
 * asks for still more is no honest receiver, or out of reach. */
static uint64_t hold(uint64_t rtt_us, unsigned n)
{
    uint64_t t = rtt_us > SL_CACHE_RESEND_US ? rtt_us : SL_CACHE_RESEND_US;

    n = n < FREE_RESENDS ? 0 : n - FREE_RESENDS + 1;
    if (n > 8 || t << n > SL_CACHE_RESEND_MAX_US)
        return SL_CACHE_RESEND_MAX_US;
    return t << n;
}

int sl_resend_may(struct sl_resend *r, uint16_t out_seq, uint64_t rtt_us, uint64_t now_us)
{
    size_t i = out_seq % SL_RESEND_SLOTS;

    /* A hash by the low bits: neighbours, which are lost together, never push each other out. */
    if (r->s[i].again_us && r->s[i].seq == out_seq) {
        if (now_us < r->s[i].again_us)
            return -EALREADY;
        if (now_us - r->s[i].again_us > 4 * SL_CACHE_RESEND_MAX_US)
            r->s[i].n = 0; /* the number wrapped around: another packet */
    }
    if (r->debt >= SL_RESEND_DEBT_MAX)
        return -ENOBUFS;
    if (!r->s[i].again_us || r->s[i].seq != out_seq)
        r->s[i].n = 0;
    r->debt++;
    r->s[i].seq = out_seq;
    r->s[i].again_us = now_us + hold(rtt_us, r->s[i].n);
    if (r->s[i].n < UINT8_MAX)
        r->s[i].n++;
    return 0;
}
