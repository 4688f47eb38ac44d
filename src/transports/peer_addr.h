/*
 * peer_addr.h - the other end of a TCP connection, as event handlers are told. Any thread; pure.
 */
#ifndef SL_TRANSPORTS_PEER_ADDR_H
#define SL_TRANSPORTS_PEER_ADDR_H

#include <sluice/transport.h>
#include <netinet/in.h>

struct sl_peer_addr {
    struct sl_tpeer peer; /* its ip is the text */
    char text[INET6_ADDRSTRLEN];
};

/* An IPv4 address inside an IPv6 one is written as IPv4. The result points into @out; NULL: @sa is
 * no IP address. */
const struct sl_tpeer *sl_peer_addr(const struct sockaddr *sa, struct sl_peer_addr *out);
/* Of the socket @fd. */
const struct sl_tpeer *sl_peer_addr_of(int fd, struct sl_peer_addr *out);

#endif
