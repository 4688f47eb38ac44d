#include "bwe/bwe_pace.h"

#define AT_ONCE 1500 /* bytes: one packet is never too much */

size_t sl_pace_may(struct sl_pace *p, size_t waiting, uint64_t oldest_us, uint64_t now_us)
{
    double us = (double)(now_us - p->at_us), bps = p->bps, may;

    if (bps <= 0)
        return waiting;
    if (now_us >= oldest_us + SL_PACE_MAX_US)
        return waiting;
    may = (double)waiting * 8e6 / (double)(oldest_us + SL_PACE_MAX_US - now_us);
    if (bps < may)
        bps = may;
    p->ahead -= bps * us / 8e6;
    if (p->ahead < 0)
        p->ahead = 0;
    p->at_us = now_us;
    may = bps * (double)SL_PACE_BURST_US / 8e6;
    if (may < AT_ONCE)
        may = AT_ONCE;
    may -= p->ahead;
    if (may <= 0)
        return 0;
    return may < (double)waiting ? (size_t)may : waiting;
}

void sl_pace_on_sent(struct sl_pace *p, size_t bytes)
{
    if (p->bps > 0)
        p->ahead += (double)bytes;
}
