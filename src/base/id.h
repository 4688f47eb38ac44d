/*
 * id.h - names for objects that live on another thread.
 *
 * worker (8 bits), slot (24 bits), generation (32 bits). The owner looks an id up in its slot
 * table; a stale generation gives NULL. 0 is never a valid id. Control makes the ids of peer
 * connections (src/plugin/), the worker only resolves them.
 */
#ifndef SL_BASE_ID_H
#define SL_BASE_ID_H

#include <stdint.h>

typedef uint64_t sl_id;

#define SL_ID_NONE ((sl_id)0)

static inline sl_id sl_id_make(unsigned int worker, uint32_t slot, uint32_t gen)
{
    return ((sl_id)(worker & 0xff) << 56) | ((sl_id)(slot & 0xffffff) << 32) | gen;
}

static inline unsigned int sl_id_worker(sl_id id)
{
    return (unsigned int)(id >> 56);
}

static inline uint32_t sl_id_slot(sl_id id)
{
    return (uint32_t)(id >> 32) & 0xffffff;
}

static inline uint32_t sl_id_gen(sl_id id)
{
    return (uint32_t)id;
}

#endif
