/*
 * impair_net.h - two network namespaces of this process's own, each with a TUN device whose packets
 * we carry.
 *
 * They have no names: the kernel removes them, and the devices, when the last process in them and
 * the last of these descriptors is gone, however that comes about. Without root a user namespace is
 * made first, in which this process is root.
 */
#ifndef SL_IMPAIR_NET_H
#define SL_IMPAIR_NET_H

#define IMPAIR_NEAR "10.77.0.1"
#define IMPAIR_FAR  "10.77.0.2" /* where servers are: what comes from there comes down */
#define IMPAIR_MTU  1500

struct impair_end {
    int netns; /* for setns() */
    int tun;   /* a packet per read() and write(), not blocking */
};

struct impair_net {
    struct impair_end near, far;
};

/* Moves this process, of one thread, into near. 0, or -errno after which it may be anywhere. */
int impair_net_open(struct impair_net *n);

#endif
