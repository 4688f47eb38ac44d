/* Socket files: made with their permissions, replaced when stale, removed when ours. */

#include "transports/unix/unix_int.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG    128
#define SEND_BYTES (4 * 1024 * 1024)

static int socket_new(const struct sl_unix_conf *conf)
{
    int type = conf->datagrams ? SOCK_DGRAM : SOCK_SEQPACKET;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

void unix_socket_widen(int fd)
{
    const int size = SEND_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Whether nobody listens on the socket file @a any more. */
static bool is_stale(const struct sl_unix_conf *conf, const struct sockaddr_un *a)
{
    int fd = socket_new(conf);
    bool stale;

    if (fd < 0)
        return false;
    /* A living socket of another type says EPROTOTYPE, a busy one EAGAIN. */
    stale = connect(fd, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

/* Makes room for a file at @a. 0; -EEXIST: it is no socket; -EADDRINUSE. */
static int clear_path(const struct sl_unix_conf *conf, const struct sockaddr_un *a)
{
    struct stat st;

    if (lstat(a->sun_path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    if (!is_stale(conf, a))
        return -EADDRINUSE;
    return unlink(a->sun_path) ? -errno : 0;
}

static int open_at(struct unix_socket *s, const struct sl_unix_conf *conf,
                   const struct sockaddr_un *a)
{
    int err = clear_path(conf, a);

    if (err)
        return err;
    s->fd = socket_new(conf);
    if (s->fd < 0)
        return s->fd;
    unix_socket_widen(s->fd);
    /* The file begins with the permissions of the descriptor, so that it is never open to more. */
    if (fchmod(s->fd, conf->mode) || bind(s->fd, (const struct sockaddr *)a, sizeof(*a)))
        return -errno;
    if (lstat(a->sun_path, &s->file))
        return -errno;
    if (chmod(a->sun_path, conf->mode) || (!conf->datagrams && listen(s->fd, BACKLOG))) {
        err = -errno;
        (void)unlink(a->sun_path);
        return err;
    }
    return 0;
}

int unix_socket_open(struct unix_socket *s, const struct sl_unix_conf *conf, char *err, size_t cap)
{
    const char *key = s->admin ? "admin_path" : "path";
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    size_t len = strlen(s->path);
    int rc;

    if (len >= sizeof(a.sun_path)) {
        snprintf(err, cap,
                 "unix.%s: '%s' is longer than the %zu bytes that a socket's path may have", key,
                 s->path, sizeof(a.sun_path) - 1);
        return -ENAMETOOLONG;
    }
    memcpy(a.sun_path, s->path, len);
    rc = open_at(s, conf, &a);
    if (!rc)
        return 0;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    snprintf(err, cap, "unix.%s: cannot listen on '%s': %s", key, s->path,
             rc == -EEXIST       ? "there is a file that is no socket"
             : rc == -EADDRINUSE ? "somebody else does"
                                 : strerror(-rc));
    return rc;
}

void unix_socket_close(struct unix_socket *s)
{
    struct stat st;

    if (s->fd < 0)
        return;
    if (!lstat(s->path, &st) && st.st_dev == s->file.st_dev && st.st_ino == s->file.st_ino)
        (void)unlink(s->path);
    close(s->fd);
    s->fd = -1;
}
