/*
 * pl_speakers.h - who speaks in a room: the active speaker, those who were it lately, and the few
 * whose audio is passed on.
 *
 * From reports of voice (core->voice). Pure: time is in the reports. Three questions, by their
 * speed:
 *
 * - open: who is heard. At once: who begins to speak takes the place of one who does not,
 *   of him who has been silent for longest. When all are speaking, only somebody clearly
 *   louder.
 * - speaker: the one that is looked at. Slowly: an interval of 100 ms with speech in it
 *   counts as much as it is loud; whoever spoke in PL_SPEAKER_MIN of the last
 *   PL_VOICE_SLOTS and has half as much again as the present one follows him. So a cough
 *   changes nothing, who talks for a second is the speaker, and of two who talk at once it
 *   stays the first.
 * - rank: the order of having been the speaker, the present one first; then that of
 *   joining. Whoever shows the first N changes one picture per change of speaker.
 *
 * Owner: the room; entries are embedded in its members.
 */
#ifndef PL_SPEAKERS_H
#define PL_SPEAKERS_H

#include <sluice/plugin.h>

#define PL_VOICE_SLOTS   10
#define PL_VOICE_SLOT_US UINT64_C(100000)
#define PL_SPEAKER_MIN   6

struct pl_voice {
    size_t rank;    /* 0: the last who was the speaker */
    bool has_level; /* otherwise nobody knows when he speaks: he is always open and never counted */
    bool is_open;
    bool speaks;
    uint64_t spoke_us;             /* when he was last known to; 0: never */
    uint64_t slot;                 /* number of the newest interval */
    uint8_t power[PL_VOICE_SLOTS]; /* by number, modulo; 0: no speech in it */
};

struct pl_speakers {
    struct pl_voice **order; /* by rank */
    size_t n, cap;
    size_t open_max;          /* SIZE_MAX: all */
    struct pl_voice *speaker; /* NULL: nobody was */
};

/* What a call changed. */
#define PL_CHANGED_SPEAKER 1u /* and with it the order */
#define PL_CHANGED_OPEN    2u
#define PL_CHANGED_ORDER   4u

void pl_speakers_init(struct pl_speakers *s, size_t open_max);
void pl_speakers_fini(struct pl_speakers *s);
/* @v joins at the end. PL_CHANGED_ or -ENOMEM. */
int pl_speakers_add(struct pl_speakers *s, struct pl_voice *v, bool has_level);
/* PL_CHANGED_; harmless when it is not there. */
unsigned int pl_speakers_del(struct pl_speakers *s, struct pl_voice *v);
bool pl_speakers_has(const struct pl_speakers *s, const struct pl_voice *v);
/* PL_CHANGED_. */
unsigned int pl_speakers_hear(struct pl_speakers *s, struct pl_voice *v,
                              const struct sl_voice_report *report);
unsigned int pl_speakers_set_open_max(struct pl_speakers *s, size_t open_max);

#endif
