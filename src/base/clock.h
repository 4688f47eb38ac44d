/*
 * clock.h - the three clocks. Pure code takes now_us as an argument instead of calling these.
 */
#ifndef SL_BASE_CLOCK_H
#define SL_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic, microseconds since some start. Any thread. */
uint64_t sl_now_us(void);

/* Wall clock, microseconds since 1970-01-01 UTC. */
uint64_t sl_wall_us(void);

/* Wall clock as a 64-bit NTP timestamp (RFC 5905 section 6: 32 bits of seconds since 1900, 32 of
 * fraction), and conversions of durations. */
uint64_t sl_ntp_from_wall_us(uint64_t wall_us);
static inline uint64_t sl_ntp_from_us(uint64_t us)
{
    return ((us / 1000000) << 32) | (((us % 1000000) << 32) / 1000000);
}
static inline uint64_t sl_us_from_ntp(uint64_t ntp)
{
    return (ntp >> 32) * 1000000 + (((ntp & 0xffffffff) * 1000000) >> 32);
}

#endif
