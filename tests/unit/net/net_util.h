/*
 * net_util.h - sockets on loopback for the tests of src/net.
 */
#ifndef SL_TEST_NET_UTIL_H
#define SL_TEST_NET_UTIL_H

#include "../test_cmocka.h"
#include "net/net_udp.h"
#include <poll.h>

static inline struct sl_udp *open_on(const char *where)
{
    struct sl_udp *u = NULL;
    struct sl_addr a;

    assert_int_equal(sl_addr_parse(where, &a), 0);
    assert_int_equal(sl_udp_open(&a, 0, &u), 0);
    return u;
}

/* Whether something comes within a second. */
static inline bool waits(const struct sl_udp *u, int ms)
{
    struct pollfd p = { .fd = u->fd, .events = POLLIN };

    return poll(&p, 1, ms) == 1;
}

/* Without IPv6 its rows are left out; said once. */
static inline bool has_ipv6(void)
{
    static int known = -1;
    struct sl_udp *u = NULL;
    struct sl_addr a;

    if (known < 0) {
        assert_int_equal(sl_addr_parse("::1", &a), 0);
        known = sl_udp_open(&a, 0, &u) == 0;
        sl_udp_close(u);
        if (!known)
            print_message("no IPv6 loopback on this machine: its rows are skipped\n");
    }
    return known != 0;
}

#endif
