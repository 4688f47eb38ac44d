#include "transports/peer_addr.h"
#include <arpa/inet.h>
#include <string.h>

const struct sl_tpeer *sl_peer_addr(const struct sockaddr *sa, struct sl_peer_addr *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    const void *bytes = &v6.sin6_addr;
    int family = AF_INET6;

    *out = (struct sl_peer_addr){ .peer.fd = -1 };
    if (sa && sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        out->peer.port = ntohs(v4.sin_port);
        bytes = &v4.sin_addr;
        family = AF_INET;
    } else if (sa && sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof(v6));
        out->peer.port = ntohs(v6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            bytes = &v6.sin6_addr.s6_addr[12];
            family = AF_INET;
        }
    } else {
        return NULL;
    }
    if (!inet_ntop(family, bytes, out->text, sizeof(out->text)))
        return NULL;
    out->peer.ip = out->text;
    return &out->peer;
}

const struct sl_tpeer *sl_peer_addr_of(int fd, struct sl_peer_addr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *)&ss, &len))
        return NULL;
    return sl_peer_addr((const struct sockaddr *)&ss, out);
}
