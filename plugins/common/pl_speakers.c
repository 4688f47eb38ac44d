#include "pl_speakers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SILENT 127

void pl_speakers_init(struct pl_speakers *s, size_t open_max)
{
    *s = (struct pl_speakers){ .open_max = open_max };
}

void pl_speakers_fini(struct pl_speakers *s)
{
    free(s->order);
    s->order = NULL;
    s->n = s->cap = 0;
}

bool pl_speakers_has(const struct pl_speakers *s, const struct pl_voice *v)
{
    return v->rank < s->n && s->order[v->rank] == v;
}

static void place(struct pl_speakers *s, struct pl_voice *v, size_t rank)
{
    s->order[rank] = v;
    v->rank = rank;
}

/* ---- scores ---------------------------------------------------------------------------------- */

struct score {
    unsigned int slots, power;
};

static struct score score_at(const struct pl_voice *v, uint64_t slot)
{
    struct score out = { 0 };

    for (uint64_t i = 0; i < PL_VOICE_SLOTS && i <= v->slot; i++) {
        const uint8_t power = v->power[(v->slot - i) % PL_VOICE_SLOTS];

        if (v->slot - i + PL_VOICE_SLOTS <= slot)
            break;
        out.slots += power > 0;
        out.power += power;
    }
    return out;
}

static void note(struct pl_voice *v, const struct sl_voice_report *r)
{
    const uint64_t slot = r->at_us / PL_VOICE_SLOT_US;
    const uint8_t power = r->level < SILENT ? (uint8_t)(SILENT - r->level) : 0;
    uint8_t *p = &v->power[slot % PL_VOICE_SLOTS];

    if (slot > v->slot + PL_VOICE_SLOTS)
        memset(v->power, 0, sizeof(v->power));
    else
        for (uint64_t i = v->slot + 1; i <= slot; i++)
            v->power[i % PL_VOICE_SLOTS] = 0;
    if (slot >= v->slot)
        v->slot = slot;
    if (*p < power)
        *p = power;
    v->speaks = r->speaks;
    if (r->speaks)
        v->spoke_us = r->at_us;
}

static bool is_clearly_more(struct score a, struct score b)
{
    return a.slots >= PL_SPEAKER_MIN && 2 * a.power > 3 * b.power;
}

/* ---- who is open ----------------------------------------------------------------------------- */

static size_t count_open(const struct pl_speakers *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->order[i]->is_open && s->order[i]->has_level;
    return n;
}

/* Whom to close first: who does not speak, for longest; else the least loud. */
static struct pl_voice *first_to_close(const struct pl_speakers *s, uint64_t slot)
{
    struct pl_voice *least = NULL;

    for (size_t i = s->n; i-- > 0;) {
        struct pl_voice *v = s->order[i];

        if (!v->is_open || !v->has_level)
            continue;
        if (!least || (least->speaks && !v->speaks) ||
            (!least->speaks && !v->speaks && v->spoke_us < least->spoke_us) ||
            (least->speaks && v->speaks && score_at(v, slot).power < score_at(least, slot).power))
            least = v;
    }
    return least;
}

/* Whom to open first: who spoke last. */
static struct pl_voice *first_to_open(const struct pl_speakers *s)
{
    struct pl_voice *best = NULL;

    for (size_t i = 0; i < s->n; i++) {
        struct pl_voice *v = s->order[i];

        if (!v->is_open && (!best || v->spoke_us > best->spoke_us))
            best = v;
    }
    return best;
}

static unsigned int fill(struct pl_speakers *s, uint64_t slot)
{
    unsigned int changed = 0;
    size_t open = count_open(s);
    struct pl_voice *v;

    while (open < s->open_max && (v = first_to_open(s))) {
        v->is_open = true;
        open++;
        changed = PL_CHANGED_OPEN;
    }
    for (; open > s->open_max && (v = first_to_close(s, slot)); open--) {
        v->is_open = false;
        changed = PL_CHANGED_OPEN;
    }
    return changed;
}

static unsigned int open_for(struct pl_speakers *s, struct pl_voice *v)
{
    struct pl_voice *least;

    if (v->is_open || !v->speaks || s->open_max == 0)
        return 0;
    least = first_to_close(s, v->slot);
    if (!least ||
        (least->speaks && !is_clearly_more(score_at(v, v->slot), score_at(least, v->slot))))
        return 0;
    least->is_open = false;
    v->is_open = true;
    return PL_CHANGED_OPEN;
}

unsigned int pl_speakers_set_open_max(struct pl_speakers *s, size_t open_max)
{
    s->open_max = open_max;
    return fill(s, s->speaker ? s->speaker->slot : 0);
}

/* ---- members --------------------------------------------------------------------------------- */

int pl_speakers_add(struct pl_speakers *s, struct pl_voice *v, bool has_level)
{
    if (s->n == s->cap) {
        const size_t cap = s->cap ? 2 * s->cap : 8;
        struct pl_voice **bigger = realloc(s->order, cap * sizeof(struct pl_voice *));

        if (!bigger)
            return -ENOMEM;
        s->order = bigger;
        s->cap = cap;
    }
    *v = (struct pl_voice){ .has_level = has_level, .is_open = !has_level };
    place(s, v, s->n++);
    return (int)(PL_CHANGED_ORDER | fill(s, 0));
}

unsigned int pl_speakers_del(struct pl_speakers *s, struct pl_voice *v)
{
    if (!pl_speakers_has(s, v))
        return 0;
    for (size_t i = v->rank + 1; i < s->n; i++)
        place(s, s->order[i], i - 1);
    s->n--;
    if (s->speaker == v)
        s->speaker = NULL;
    return PL_CHANGED_ORDER | fill(s, v->slot);
}

unsigned int pl_speakers_hear(struct pl_speakers *s, struct pl_voice *v,
                              const struct sl_voice_report *report)
{
    struct score now = { 0 };
    unsigned int changed;

    if (!pl_speakers_has(s, v) || !v->has_level)
        return 0;
    note(v, report);
    changed = open_for(s, v);
    if (!v->speaks || s->speaker == v)
        return changed;
    if (s->speaker)
        now = score_at(s->speaker, v->slot);
    if (!is_clearly_more(score_at(v, v->slot), now))
        return changed;
    for (size_t i = v->rank; i > 0; i--)
        place(s, s->order[i - 1], i);
    place(s, v, 0);
    s->speaker = v;
    return changed | PL_CHANGED_SPEAKER | PL_CHANGED_ORDER;
}
