#include "net/net_tcp.h"
#include "base/bytes.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER  2
#define BACKLOG 256
#define UNSENT  (64 << 10) /* bytes that the kernel may hold before they are on their way */

/* ---- frames ---- */

uint8_t *sl_frames_room(struct sl_frames *f, size_t *room)
{
    if (f->start > 0) {
        memmove(f->buf, f->buf + f->start, f->end - f->start);
        f->end -= f->start;
        f->start = 0;
    }
    *room = sizeof(f->buf) - f->end;
    return f->buf + f->end;
}

void sl_frames_add(struct sl_frames *f, size_t len)
{
    f->end += len;
}

int sl_frames_next(struct sl_frames *f, uint8_t **data, size_t *len)
{
    size_t left = f->end - f->start, n;

    if (left < HEADER)
        return 0;
    n = sl_get16(f->buf + f->start);
    if (n > SL_FRAME_MAX)
        return -EBADMSG;
    if (left - HEADER < n)
        return 0;
    *data = f->buf + f->start + HEADER;
    *len = n;
    f->start += HEADER + n;
    return 1;
}

/* ---- connections ---- */

int sl_tcp_listen(const struct sl_addr *addr)
{
    int one = 1, err;
    int fd = socket(sl_addr_family(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (sl_addr_family(addr) == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, &addr->sa, sl_addr_len(addr)) || listen(fd, BACKLOG)) {
        err = -errno;
        (void)close(fd);
        return err;
    }
    return fd;
}

static int tcp_setup(struct sl_tcp *t)
{
    socklen_t len = sizeof(t->local);
    int one = 1, unsent = UNSENT;

    if (getsockname(t->fd, &t->local.sa, &len))
        return -errno;
    /* Whole turns are written at once, so there is nothing to wait for. */
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    /* Media that waits in the kernel is late: better that we drop it. */
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    return 0;
}

int sl_tcp_accept(int listener, struct sl_tcp **out)
{
    struct sl_addr remote = { 0 };
    socklen_t len = sizeof(remote);
    int err, fd = accept4(listener, &remote.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct sl_tcp *t;

    if (fd < 0)
        return -errno;
    t = malloc(sizeof(*t));
    if (!t) {
        (void)close(fd);
        return -ENOMEM;
    }
    /* Not the buffer: most of it may never be touched. */
    memset(t, 0, offsetof(struct sl_tcp, in));
    t->in.start = t->in.end = 0;
    sl_list_init(&t->dirty);
    t->out = NULL;
    t->out_start = t->out_end = 0;
    t->owner = NULL;
    t->fd = fd;
    t->remote = remote;
    err = tcp_setup(t);
    if (err) {
        sl_tcp_destroy(t);
        return err;
    }
    *out = t;
    return 0;
}

void sl_tcp_destroy(struct sl_tcp *t)
{
    if (!t)
        return;
    sl_list_del(&t->dirty);
    (void)close(t->fd);
    free(t->out);
    free(t);
}

int sl_tcp_read(struct sl_tcp *t)
{
    size_t room;
    uint8_t *at = sl_frames_room(&t->in, &room);
    ssize_t n;

    do
        n = recv(t->fd, at, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    if (n == 0)
        return -EPIPE;
    sl_frames_add(&t->in, (size_t)n);
    return (int)n;
}

/* Room for @len more bytes behind what waits. */
static bool make_room(struct sl_tcp *t, size_t len)
{
    if (SL_TCP_QUEUE_MAX - t->out_end >= len)
        return true;
    if (SL_TCP_QUEUE_MAX - (t->out_end - t->out_start) < len)
        return false;
    memmove(t->out, t->out + t->out_start, t->out_end - t->out_start);
    t->out_end -= t->out_start;
    t->out_start = 0;
    return true;
}

int sl_tcp_send(struct sl_tcp *t, const uint8_t *data, size_t len, struct sl_list *dirty)
{
    if (len > SL_FRAME_MAX)
        return -EMSGSIZE;
    if (!t->out)
        t->out = malloc(SL_TCP_QUEUE_MAX);
    if (!t->out)
        return -ENOMEM;
    if (!make_room(t, HEADER + len))
        return -ENOBUFS;
    sl_put16(t->out + t->out_end, (uint16_t)len);
    memcpy(t->out + t->out_end + HEADER, data, len);
    t->out_end += HEADER + len;
    if (sl_list_is_empty(&t->dirty))
        sl_list_add(dirty, &t->dirty);
    return 0;
}

int sl_tcp_flush(struct sl_tcp *t)
{
    ssize_t n;

    sl_list_del(&t->dirty);
    if (t->out_start == t->out_end)
        return 0;
    do
        n = send(t->fd, t->out + t->out_start, t->out_end - t->out_start,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN)
        return -errno;
    if (n > 0)
        t->out_start += (size_t)n;
    if (t->out_start == t->out_end)
        t->out_start = t->out_end = 0;
    return (int)(t->out_end - t->out_start);
}
