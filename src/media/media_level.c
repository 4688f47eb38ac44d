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
