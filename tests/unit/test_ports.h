/*
 * test_ports.h - ports on loopback for servers under test, below the ephemeral ones.
 *
 * Test programs run side by side, and their process numbers say little. Who holds a block says so
 * by a name in the abstract namespace, which like ports is that of the network namespace, and goes
 * with its process.
 */
#ifndef SL_TEST_PORTS_H
#define SL_TEST_PORTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEST_PORTS 16 /* in a block */

/* Nobody else, who knows nothing of blocks, is at it. */
static inline bool test_port_is_free(uint16_t port, int type)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, type, 0), one = 1;
    bool is_free;

    if (type == SOCK_STREAM) /* as servers do */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    is_free = bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
    (void)close(fd);
    return is_free;
}

/* The first port of a block that is this process's until its end; 0: none is left. */
static inline uint16_t test_ports(void)
{
    const unsigned int first = 20000 / TEST_PORTS, n = 12000 / TEST_PORTS;
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (unsigned int i = 0; i < n; i++) {
        const uint16_t port = (uint16_t)((first + ((unsigned int)getpid() + i) % n) * TEST_PORTS);
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        const int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "sluice-test-%u",
                                 (unsigned int)port);
        bool all = true;

        for (uint16_t k = 0; k < TEST_PORTS && all; k++)
            all =
                test_port_is_free(port + k, SOCK_DGRAM) && test_port_is_free(port + k, SOCK_STREAM);
        if (all && bind(fd, (const struct sockaddr *)&name,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
            return port; /* the name stays */
    }
    (void)close(fd);
    return 0;
}

#endif
