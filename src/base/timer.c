#include "base/timer.h"
#include <limits.h>

#define SLOTS     (1u << SL_WHEEL_BITS)
#define SLOT_MASK (SLOTS - 1)
#define SPAN_BITS (SL_WHEEL_BITS * SL_WHEEL_LEVELS)

/*
 * A timer due at tick e sits on the level of the highest group of 6 bits in which e and the
 * current tick differ, in the slot that this group of e names: always one ahead of the current
 * slot of its level. When the tick gets there, the slot's timers move to lower levels or fire.
 */

static void wheel_place(struct sl_wheel *w, struct sl_timer *t)
{
    uint64_t due = t->at_us / 1000 + (t->at_us % 1000 != 0);
    unsigned int level, slot;

    if (due <= w->tick) {
        sl_list_add(&w->due, &t->link);
        return;
    }
    level = (63 - (unsigned int)__builtin_clzll(due ^ w->tick)) / SL_WHEEL_BITS;
    if (level >= SL_WHEEL_LEVELS) {
        sl_list_add(&w->far, &t->link);
        return;
    }
    slot = (unsigned int)(due >> (SL_WHEEL_BITS * level)) & SLOT_MASK;
    sl_list_add(&w->slot[level][slot], &t->link);
    w->pending[level] |= 1ull << slot;
}

/* Moves all of @from to the end of @to. */
static void list_move_all(struct sl_list *to, struct sl_list *from)
{
    if (sl_list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    sl_list_init(from);
}

static void wheel_replace(struct sl_wheel *w, struct sl_list *from)
{
    struct sl_list moving, *pos, *tmp;

    sl_list_init(&moving);
    list_move_all(&moving, from);
    sl_list_for_each_safe (pos, tmp, &moving) {
        sl_list_del(pos);
        wheel_place(w, sl_container(pos, struct sl_timer, link));
    }
}

void sl_wheel_init(struct sl_wheel *w, uint64_t now_us)
{
    for (unsigned int l = 0; l < SL_WHEEL_LEVELS; l++) {
        for (unsigned int s = 0; s < SLOTS; s++)
            sl_list_init(&w->slot[l][s]);
        w->pending[l] = 0;
    }
    sl_list_init(&w->due);
    sl_list_init(&w->far);
    w->tick = now_us / 1000;
    w->count = 0;
}

void sl_timer_init(struct sl_timer *t, sl_timer_fn fn)
{
    *t = (struct sl_timer){ .fn = fn };
    sl_list_init(&t->link);
}

void sl_timer_set(struct sl_wheel *w, struct sl_timer *t, uint64_t at_us)
{
    sl_timer_cancel(t);
    t->at_us = at_us ? at_us : 1;
    t->wheel = w;
    w->count++;
    wheel_place(w, t);
}

void sl_timer_cancel(struct sl_timer *t)
{
    struct sl_list *head = t->link.next;
    struct sl_wheel *w = t->wheel;

    if (!t->at_us)
        return;
    t->at_us = 0;
    w->count--;
    sl_list_del(&t->link);
    /* The last of a slot: nobody needs to wake up for it any more. */
    if (head->next == head && head >= &w->slot[0][0] &&
        head <= &w->slot[SL_WHEEL_LEVELS - 1][SLOTS - 1]) {
        size_t i = (size_t)(head - &w->slot[0][0]);

        w->pending[i >> SL_WHEEL_BITS] &= ~(1ull << (i & SLOT_MASK));
    }
}

/* The first tick after the current one at which timers fire or move; UINT64_MAX: none. */
static uint64_t wheel_next(const struct sl_wheel *w)
{
    for (unsigned int l = 0; l < SL_WHEEL_LEVELS; l++) {
        unsigned int shift = SL_WHEEL_BITS * l;
        unsigned int cur = (unsigned int)(w->tick >> shift) & SLOT_MASK;
        uint64_t ahead = w->pending[l] & ~((2ull << cur) - 1);

        if (ahead)
            return (w->tick >> (shift + SL_WHEEL_BITS) << (shift + SL_WHEEL_BITS)) |
                   (uint64_t)__builtin_ctzll(ahead) << shift;
    }
    if (!sl_list_is_empty(&w->far))
        return ((w->tick >> SPAN_BITS) + 1) << SPAN_BITS;
    return UINT64_MAX;
}

/* Opens the slots that begin at the current tick; what is due goes to @w->due. */
static void wheel_open(struct sl_wheel *w)
{
    if (!(w->tick & ((1ull << SPAN_BITS) - 1)))
        wheel_replace(w, &w->far);
    for (unsigned int l = SL_WHEEL_LEVELS; l-- > 0;) {
        unsigned int shift = SL_WHEEL_BITS * l;
        unsigned int slot = (unsigned int)(w->tick >> shift) & SLOT_MASK;

        if (w->tick & ((1ull << shift) - 1))
            continue;
        w->pending[l] &= ~(1ull << slot);
        wheel_replace(w, &w->slot[l][slot]);
    }
}

/* Fires what is due now; what callbacks add to the due list waits for the next run. */
static void wheel_fire(struct sl_wheel *w, struct sl_list *firing, uint64_t now_us)
{
    while (!sl_list_is_empty(firing)) {
        struct sl_timer *t = sl_container(firing->next, struct sl_timer, link);

        sl_list_del(&t->link);
        t->at_us = 0;
        w->count--;
        t->fn(t, now_us);
    }
}

void sl_wheel_run(struct sl_wheel *w, uint64_t now_us)
{
    uint64_t now = now_us / 1000;
    struct sl_list firing, later;

    sl_list_init(&firing);
    sl_list_init(&later);
    list_move_all(&firing, &w->due);
    wheel_fire(w, &firing, now_us);
    while (w->tick < now) {
        uint64_t next = wheel_next(w);

        if (next > now) {
            w->tick = now;
            break;
        }
        w->tick = next;
        list_move_all(&later, &w->due);
        wheel_open(w);
        list_move_all(&firing, &w->due);
        wheel_fire(w, &firing, now_us);
    }
    list_move_all(&later, &w->due);
    list_move_all(&w->due, &later);
}

int sl_wheel_timeout_ms(const struct sl_wheel *w, uint64_t now_us)
{
    uint64_t next, ms;

    if (!w->count)
        return -1;
    if (!sl_list_is_empty(&w->due))
        return 0;
    next = wheel_next(w);
    if (next <= now_us / 1000)
        return 0;
    ms = next - now_us / 1000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
