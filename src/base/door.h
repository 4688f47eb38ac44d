/*
 * door.h - wakes a thread that sleeps in epoll, with one system call per sleep at most.
 *
 * The sleeper:  sl_door_will_sleep(d); look at all queues once more; poll; sl_door_woke(d).
 * Anybody else: publish work; sl_door_ring(d).
 */
#ifndef SL_BASE_DOOR_H
#define SL_BASE_DOOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sl_door {
    int efd; /* eventfd, non-blocking; the sleeper polls it for reading */
    atomic_bool asleep;
    /* The sleeper's own. */
    bool announced;
    uint64_t owed; /* rings that took @asleep down and were not read from efd yet */
};

int sl_door_init(struct sl_door *d); /* 0 or -errno */
void sl_door_fini(struct sl_door *d);
bool sl_door_ring(struct sl_door *d);       /* any thread; true: it took a system call */
void sl_door_will_sleep(struct sl_door *d); /* the sleeper only */
void sl_door_woke(struct sl_door *d);       /* the sleeper only; drains the eventfd if it rang */

#endif
