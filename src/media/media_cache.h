/*
 * media_cache.h - recent packets by sequence number, for retransmission. Holds references.
 *
 * Thread: the owner's; reads no clock.  Owner: the mirror (keys are input numbers) or the sink.
 * Units:  extended sequence numbers; microseconds.
 */
#ifndef SL_MEDIA_MEDIA_CACHE_H
#define SL_MEDIA_MEDIA_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define SL_CACHE_RESEND_US     40000   /* a packet is not resent sooner than this or the RTT ... */
#define SL_CACHE_RESEND_MAX_US 1000000 /* ... from the seventh on doubling up to this */

struct sl_cache_slot {
    void *ref; /* NULL: empty */
    uint64_t seq;
    uint64_t at_us;
};

struct sl_cache {
    struct sl_cache_slot *slot;
    size_t mask;  /* capacity - 1 */
    size_t count; /* references held */
    uint64_t keep_us;
    uint64_t newest;
    uint64_t oldest; /* nothing below is held */
    void (*unref)(void *ref);
};

/* @capacity: packets, rounded up to a power of two; @keep_us: nothing older is given out.
 * 0 or -ENOMEM. */
int sl_cache_init(struct sl_cache *c, size_t capacity, uint64_t keep_us, void (*unref)(void *));
/* Gives all references back. */
void sl_cache_fini(struct sl_cache *c);

/* Keeps @ref (takes over one reference) until it is pushed out. An entry of the same number or
 * of the same slot is released; one that is older than what the slot holds is released at once. */
void sl_cache_put(struct sl_cache *c, uint64_t seq, void *ref, uint64_t now_us);

/* Borrows the packet. NULL when it is not there or too old. */
void *sl_cache_peek(const struct sl_cache *c, uint64_t seq, uint64_t now_us);
/* Releases what is older than keep_us; call now and then. How many went. */
size_t sl_cache_expire(struct sl_cache *c, uint64_t now_us);

#define SL_RESEND_SLOTS 64

/* What keeps resends of one sink apart, by its output numbers; remembers the last ones only. */
struct sl_resend {
    struct {
        uint64_t again_us; /* 0: empty */
        uint16_t seq;
        uint8_t n;
    } s[SL_RESEND_SLOTS];
    uint16_t debt; /* resends that new packets have not made up for */
};

/* A NACK of few bytes asks for many packets, so resends are bounded by what is sent anyway: this
 * many more, each new packet pays for one. */
#define SL_RESEND_DEBT_MAX 512

/* 0: resend it now (and it is noted); -EALREADY: that was less than max(@rtt_us, 40 ms) ago (longer
 * after many); -ENOBUFS: more resends than packets. */
int sl_resend_may(struct sl_resend *r, uint16_t out_seq, uint64_t rtt_us, uint64_t now_us);
/* A new packet was sent, or what sl_resend_may allowed was not to be had. */
static inline void sl_resend_pay(struct sl_resend *r)
{
    if (r->debt)
        r->debt--;
}

#endif
