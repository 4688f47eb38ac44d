#include "impair_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TXQUEUE 4000 /* packets: what waits, waits in the model */

static int write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC), err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        err = -errno;
    close(fd);
    return err;
}

/* Who may not make a network namespace may as root of a user namespace. */
static int become_root(void)
{
    char uids[64], gids[64];
    int err;

    snprintf(uids, sizeof(uids), "0 %u 1", getuid());
    snprintf(gids, sizeof(gids), "0 %u 1", getgid());
    if (unshare(CLONE_NEWUSER))
        return -errno;
    err = write_file("/proc/self/setgroups", "deny");
    if (!err)
        err = write_file("/proc/self/uid_map", uids);
    return err ? err : write_file("/proc/self/gid_map", gids);
}

static struct sockaddr address(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr out;

    inet_pton(AF_INET, text, &in.sin_addr);
    memcpy(&out, &in, sizeof(out));
    return out;
}

static int bring_up(int sock, struct ifreq *r)
{
    if (ioctl(sock, SIOCGIFFLAGS, r))
        return -errno;
    r->ifr_flags |= IFF_UP | IFF_RUNNING;
    return ioctl(sock, SIOCSIFFLAGS, r) ? -errno : 0;
}

/* Loopback; the device with its two addresses; everything else goes through it. */
static int configure(int sock, const char *name, const char *own, const char *other)
{
    struct ifreq lo = { .ifr_name = "lo" }, r = { 0 };
    struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = r.ifr_name };
    int err = bring_up(sock, &lo);

    if (err)
        return err;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    r.ifr_addr = address(own);
    if (ioctl(sock, SIOCSIFADDR, &r))
        return -errno;
    r.ifr_dstaddr = address(other);
    if (ioctl(sock, SIOCSIFDSTADDR, &r))
        return -errno;
    r.ifr_mtu = IMPAIR_MTU;
    if (ioctl(sock, SIOCSIFMTU, &r))
        return -errno;
    r.ifr_qlen = TXQUEUE;
    (void)ioctl(sock, SIOCSIFTXQLEN, &r); /* root of a user namespace has to live with 500 */
    err = bring_up(sock, &r);
    if (err)
        return err;
    route.rt_dst = route.rt_genmask = address("0.0.0.0");
    return ioctl(sock, SIOCADDRT, &route) ? -errno : 0;
}

/* Enters a new namespace and furnishes it. */
static int open_end(struct impair_end *e, const char *own, const char *other)
{
    struct ifreq r = { .ifr_name = "link", .ifr_flags = IFF_TUN | IFF_NO_PI };
    int sock, err;

    if (unshare(CLONE_NEWNET))
        return -errno;
    (void)write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); /* chatter */
    e->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    e->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (e->netns < 0 || e->tun < 0 || ioctl(e->tun, TUNSETIFF, &r))
        return -errno;
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -errno;
    err = configure(sock, r.ifr_name, own, other);
    close(sock);
    return err;
}

int impair_net_open(struct impair_net *n)
{
    int err = open_end(&n->far, IMPAIR_FAR, IMPAIR_NEAR);

    if (err == -EPERM) {
        err = become_root();
        if (!err)
            err = open_end(&n->far, IMPAIR_FAR, IMPAIR_NEAR);
    }
    return err ? err : open_end(&n->near, IMPAIR_NEAR, IMPAIR_FAR);
}
