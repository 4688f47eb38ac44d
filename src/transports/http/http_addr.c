#include "transports/http/http_int.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool v4_is_local(uint32_t a)
{
    static const struct {
        uint32_t net, mask;
    } nets[] = {
        { 0x7f000000, 0xff000000 }, /* 127/8 */
        { 0x0a000000, 0xff000000 }, /* 10/8 */
        { 0xac100000, 0xfff00000 }, /* 172.16/12 */
        { 0xc0a80000, 0xffff0000 }, /* 192.168/16 */
        { 0xa9fe0000, 0xffff0000 }, /* 169.254/16 */
    };

    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
        if ((a & nets[i].mask) == nets[i].net)
            return true;
    return false;
}

bool http_addr_is_local(const struct sockaddr *sa)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint32_t mapped;

    if (sa && sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        return v4_is_local(ntohl(v4.sin_addr.s_addr));
    }
    if (!sa || sa->sa_family != AF_INET6)
        return false;
    memcpy(&v6, sa, sizeof(v6));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        memcpy(&mapped, &v6.sin6_addr.s6_addr[12], 4);
        return v4_is_local(ntohl(mapped));
    }
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ||
           (v6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
}
