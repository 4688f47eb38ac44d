#include "media/media_level.h"

#define PACKETS 100
#define BELOW   25
#define SILENT  127

void sl_level_init(struct sl_level *l, uint32_t packets, uint32_t below)
{
    *l = (struct sl_level){ .average = SILENT };
    sl_level_set(l, packets, below);
}

void sl_level_set(struct sl_level *l, uint32_t packets, uint32_t below)
{
    l->packets = packets ? packets : PACKETS;
    l->below = below ? below : BELOW;
    l->sum = l->n = 0;
}

enum sl_talk sl_level_add(struct sl_level *l, uint8_t level)
{
    bool talks;

    l->sum += level > SILENT ? SILENT : level;
    if (++l->n < l->packets)
        return SL_TALK_SAME;
    l->average = (double)l->sum / l->n;
    l->sum = l->n = 0;
    talks = l->average < l->below;
    if (talks == l->talking)
        return SL_TALK_SAME;
    l->talking = talks;
    return talks ? SL_TALK_BEGAN : SL_TALK_STOPPED;
}

enum sl_talk sl_level_stop(struct sl_level *l)
{
    bool was = l->talking;

    l->sum = l->n = 0;
    l->talking = false;
    l->average = SILENT;
    return was ? SL_TALK_STOPPED : SL_TALK_SAME;
}

/* ---- voice ----------------------------------------------------------------------------------- */

#define FLOOR_ONE 1024

void sl_voice_init(struct sl_voice *v)
{
    *v = (struct sl_voice){ .floor = SL_VOICE_QUIET * FLOOR_ONE };
}

static bool is_loud(struct sl_voice *v, uint8_t level)
{
    uint32_t fine = (uint32_t)level * FLOOR_ONE;

    if (fine > v->floor)
        v->floor += (fine - v->floor) / SL_VOICE_FLOOR_FAST;
    else
        v->floor -= (v->floor - fine) / SL_VOICE_FLOOR_SLOW;
    return level <= SL_VOICE_LOUD ||
           (level <= SL_VOICE_QUIET && fine + SL_VOICE_ABOVE * FLOOR_ONE <= v->floor);
}

static bool tell(struct sl_voice *v, bool speaks, uint64_t now_us, struct sl_voice_report *out)
{
    uint8_t level = v->n ? (uint8_t)(v->sum / v->n) : SILENT;

    *out = (struct sl_voice_report){ now_us, level, speaks };
    v->speaks = speaks;
    v->told_us = now_us;
    v->sum = v->n = 0;
    return true;
}

bool sl_voice_add(struct sl_voice *v, uint8_t level, uint64_t now_us, struct sl_voice_report *out)
{
    if (is_loud(v, level)) {
        v->sum += level;
        v->n++;
        v->loud_us = now_us;
        if (!v->speaks)
            return tell(v, true, now_us, out);
    }
    return sl_voice_tick(v, now_us, out);
}

bool sl_voice_tick(struct sl_voice *v, uint64_t now_us, struct sl_voice_report *out)
{
    if (!v->speaks)
        return false;
    if (now_us >= v->loud_us + SL_VOICE_HANG_US)
        return tell(v, false, now_us, out);
    return now_us >= v->told_us + SL_VOICE_REPORT_US && tell(v, true, now_us, out);
}

bool sl_voice_stop(struct sl_voice *v, uint64_t now_us, struct sl_voice_report *out)
{
    v->sum = v->n = 0;
    return v->speaks && tell(v, false, now_us, out);
}
