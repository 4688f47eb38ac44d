#include "base/clock.h"
#include <time.h>

#define NTP_UNIX_OFFSET_S 2208988800ull /* 1900-01-01 to 1970-01-01 */

static uint64_t clock_read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t sl_now_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

uint64_t sl_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

uint64_t sl_ntp_from_wall_us(uint64_t wall_us)
{
    return sl_ntp_from_us(wall_us) + (NTP_UNIX_OFFSET_S << 32);
}
