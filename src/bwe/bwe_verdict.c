#include "bwe/bwe_verdict.h"

static int lower(int a, int b)
{
    return a < b ? a : b;
}

int8_t sl_verdict_wanted(const struct sl_verdict_in *in)
{
    return (int8_t)lower(in->top, lower(in->max, in->size));
}

static bool is_in(uint8_t layers, int layer)
{
    return layers >> layer & 1;
}

/* What keeps layers away, or damages what comes. SL_REASON_ALL: nothing does. */
static enum sl_reason on_the_way(const struct sl_verdict_in *in)
{
    switch (in->alloc) {
    case SL_ALLOC_BANDWIDTH:
        return SL_REASON_BANDWIDTH;
    case SL_ALLOC_HOLDING:
        return SL_REASON_HOLDING;
    case SL_ALLOC_NO_ROOM:
        return SL_REASON_NO_ROOM;
    case SL_ALLOC_WANTED:
    case SL_ALLOC_NOT_SENT:
        break;
    }
    if (in->load < sl_verdict_wanted(in))
        return SL_REASON_LOAD;
    if (in->loss >= SL_VERDICT_LOSS)
        return SL_REASON_LOSS;
    return in->sender_loss >= SL_VERDICT_SENDER_LOSS ? SL_REASON_SENDER_LOSS : SL_REASON_ALL;
}

enum sl_reason sl_verdict_reason(const struct sl_verdict_in *in)
{
    int wanted = sl_verdict_wanted(in);
    enum sl_reason r;

    if (in->paused)
        return SL_REASON_PAUSED;
    if (in->hidden)
        return SL_REASON_HIDDEN;
    if (in->known && !in->sent)
        return SL_REASON_SILENT;
    r = on_the_way(in);
    if (r != SL_REASON_ALL)
        return r;
    if (in->known && !is_in(in->sent, wanted))
        return is_in(in->seen, wanted) ? SL_REASON_LAYER_ENDED : SL_REASON_NOT_SENT;
    if (in->max < in->top && in->max <= in->size)
        return SL_REASON_MAXIMUM;
    if (in->size < in->top)
        return SL_REASON_SIZE;
    return in->max_tid < SL_ALLOC_TIDS - 1 ? SL_REASON_MAXIMUM : SL_REASON_ALL;
}
