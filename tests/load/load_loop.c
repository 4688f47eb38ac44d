#include "load_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256

int load_loop_init(struct load_loop *l)
{
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    return l->epfd < 0 ? -errno : 0;
}

void load_loop_fini(struct load_loop *l)
{
    if (l->epfd >= 0)
        close(l->epfd);
    l->epfd = -1;
}

static int control(struct load_loop *l, int op, int fd, struct load_io *io, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = io };

    return epoll_ctl(l->epfd, op, fd, &ev) < 0 ? -errno : 0;
}

int load_loop_add(struct load_loop *l, int fd, struct load_io *io, uint32_t events)
{
    return control(l, EPOLL_CTL_ADD, fd, io, events);
}

int load_loop_change(struct load_loop *l, int fd, struct load_io *io, uint32_t events)
{
    return control(l, EPOLL_CTL_MOD, fd, io, events);
}

void load_loop_turn(struct load_loop *l, uint64_t wait_us)
{
    struct timespec ts = { (time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000 };
    struct epoll_event ev[EVENTS_MAX];
    int n = epoll_pwait2(l->epfd, ev, EVENTS_MAX, &ts, NULL);

    for (int i = 0; i < n; i++) {
        struct load_io *io = ev[i].data.ptr;

        io->ready(io, ev[i].events);
    }
}
