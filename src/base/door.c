#include "base/door.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sl_door_init(struct sl_door *d)
{
    d->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->efd < 0)
        return -errno;
    atomic_init(&d->asleep, false);
    d->announced = false;
    d->owed = 0;
    return 0;
}

void sl_door_fini(struct sl_door *d)
{
    if (d->efd >= 0)
        (void)close(d->efd);
    d->efd = -1;
}

bool sl_door_ring(struct sl_door *d)
{
    /* Of all who ring during one sleep, the one that takes the flag down makes the call. */
    if (!atomic_load(&d->asleep) || !atomic_exchange(&d->asleep, false))
        return false;
    (void)!write(d->efd, &(uint64_t){ 1 }, sizeof(uint64_t));
    return true;
}

void sl_door_will_sleep(struct sl_door *d)
{
    d->announced = true;
    atomic_store(&d->asleep, true);
}

void sl_door_woke(struct sl_door *d)
{
    uint64_t rang;

    if (d->announced && !atomic_exchange(&d->asleep, false))
        d->owed++;
    d->announced = false;
    /* Who took the flag down may not have written yet: then the next waking reads it. */
    if (d->owed && read(d->efd, &rang, sizeof(rang)) == (ssize_t)sizeof(rang))
        d->owed -= rang < d->owed ? rang : d->owed;
}
