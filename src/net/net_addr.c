#include "net/net_addr.h"
#include "base/bytes.h"
#include "base/hmap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint16_t sl_addr_port(const struct sl_addr *a)
{
    switch (a->sa.sa_family) {
    case AF_INET:
        return ntohs(a->in4.sin_port);
    case AF_INET6:
        return ntohs(a->in6.sin6_port);
    default:
        return 0;
    }
}

void sl_addr_set_port(struct sl_addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET)
        a->in4.sin_port = htons(port);
    else if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
}

/* ---- text ---- */

/* Digits only, the value within 0..max. */
static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
    size_t n = strspn(text, "0123456789");

    if (!n || n > 10 || text[n])
        return false;
    *out = strtoul(text, NULL, 10);
    return *out <= max;
}

static bool parse_scope(const char *text, uint32_t *out)
{
    unsigned long number;

    if (parse_number(text, UINT32_MAX, &number)) {
        *out = (uint32_t)number;
        return number != 0;
    }
    *out = if_nametoindex(text);
    return *out != 0;
}

int sl_addr_from_ip(const char *ip, uint16_t port, struct sl_addr *out)
{
    struct sl_addr a = { 0 };
    char text[SL_ADDR_TEXT_MAX];
    size_t len = strnlen(ip, sizeof(text));
    char *scope;

    if (len >= sizeof(text))
        return -EBADMSG;
    memcpy(text, ip, len + 1);
    if (inet_pton(AF_INET, text, &a.in4.sin_addr) == 1) {
        a.in4.sin_family = AF_INET;
        a.in4.sin_port = htons(port);
        *out = a;
        return 0;
    }
    scope = strchr(text, '%');
    if (scope)
        *scope++ = '\0';
    memset(&a, 0, sizeof(a));
    if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) != 1)
        return -EBADMSG;
    a.in6.sin6_family = AF_INET6;
    a.in6.sin6_port = htons(port);
    if (scope && (!sl_addr_is_link_local(&a) || !parse_scope(scope, &a.in6.sin6_scope_id)))
        return -EBADMSG;
    *out = a;
    return 0;
}

int sl_addr_parse(const char *text, struct sl_addr *out)
{
    char host[SL_ADDR_TEXT_MAX];
    size_t len = strnlen(text, sizeof(host));
    unsigned long port = 0;
    struct sl_addr a;
    char *ip = host, *colon;
    bool bracketed;

    if (len >= sizeof(host))
        return -EBADMSG;
    memcpy(host, text, len + 1);
    bracketed = *host == '[';
    if (bracketed) {
        char *end = strchr(host, ']');

        if (!end || (end[1] && end[1] != ':'))
            return -EBADMSG;
        ip = host + 1;
        colon = end[1] ? end + 1 : NULL;
        *end = '\0';
    } else {
        colon = strchr(host, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL; /* IPv6 without brackets has no port */
    }
    if (colon) {
        *colon = '\0';
        if (!parse_number(colon + 1, UINT16_MAX, &port))
            return -EBADMSG;
    }
    if (sl_addr_from_ip(ip, (uint16_t)port, &a))
        return -EBADMSG;
    if (bracketed && a.sa.sa_family != AF_INET6)
        return -EBADMSG;
    *out = a;
    return 0;
}

int sl_addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct sl_addr *out)
{
    struct sl_addr a = { 0 };

    if (sa->sa_family == AF_INET && len >= sizeof(a.in4)) {
        memcpy(&a.in4, sa, sizeof(a.in4));
        memset(a.in4.sin_zero, 0, sizeof(a.in4.sin_zero));
    } else if (sa->sa_family == AF_INET6 && len >= sizeof(a.in6)) {
        memcpy(&a.in6, sa, sizeof(a.in6));
        sl_addr_unmap(&a);
    } else {
        return -EINVAL;
    }
    *out = a;
    return 0;
}

char *sl_addr_format_ip(const struct sl_addr *a, char out[SL_ADDR_TEXT_MAX])
{
    size_t len;

    if (a->sa.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &a->in4.sin_addr, out, SL_ADDR_TEXT_MAX);
    } else if (a->sa.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &a->in6.sin6_addr, out, SL_ADDR_TEXT_MAX);
        len = strlen(out);
        if (a->in6.sin6_scope_id && sl_addr_is_link_local(a))
            (void)snprintf(out + len, SL_ADDR_TEXT_MAX - len, "%%%u", a->in6.sin6_scope_id);
    } else {
        (void)snprintf(out, SL_ADDR_TEXT_MAX, "none");
    }
    return out;
}

char *sl_addr_format(const struct sl_addr *a, char out[SL_ADDR_TEXT_MAX])
{
    char ip[SL_ADDR_TEXT_MAX];

    sl_addr_format_ip(a, ip);
    if (a->sa.sa_family == AF_INET)
        (void)snprintf(out, SL_ADDR_TEXT_MAX, "%.60s:%u", ip, (unsigned int)sl_addr_port(a));
    else if (a->sa.sa_family == AF_INET6)
        (void)snprintf(out, SL_ADDR_TEXT_MAX, "[%.60s]:%u", ip, (unsigned int)sl_addr_port(a));
    else
        memcpy(out, ip, sizeof(ip));
    return out;
}

/* ---- equality ---- */

bool sl_addr_is_same_ip(const struct sl_addr *a, const struct sl_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    switch (a->sa.sa_family) {
    case AF_INET:
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    case AF_INET6:
        return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) &&
               (a->in6.sin6_scope_id == b->in6.sin6_scope_id || !sl_addr_is_link_local(a));
    default:
        return true;
    }
}

bool sl_addr_is_equal(const struct sl_addr *a, const struct sl_addr *b)
{
    return sl_addr_is_same_ip(a, b) && sl_addr_port(a) == sl_addr_port(b);
}

uint64_t sl_addr_hash(const struct sl_addr *a)
{
    struct {
        uint16_t family, port;
        uint32_t scope;
        uint8_t ip[16];
    } key = { a->sa.sa_family, sl_addr_port(a), 0, { 0 } };

    if (a->sa.sa_family == AF_INET)
        return sl_hash_u64((uint64_t)a->in4.sin_addr.s_addr << 16 | key.port);
    if (a->sa.sa_family == AF_INET6) {
        memcpy(key.ip, &a->in6.sin6_addr, sizeof(key.ip));
        if (sl_addr_is_link_local(a))
            key.scope = a->in6.sin6_scope_id;
    }
    return sl_hash_bytes(&key, sizeof(key));
}

/* ---- kinds ---- */

struct prefix {
    uint32_t net;
    unsigned int bits;
};

static bool is_in(uint32_t ip, const struct prefix *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((ip ^ p[i].net) >> (32 - p[i].bits) == 0)
            return true;
    }
    return false;
}

static bool is_link_local4(uint32_t ip)
{
    static const struct prefix link_local = { 0xa9fe0000, 16 }; /* RFC 3927 */

    return is_in(ip, &link_local, 1);
}

/* The IPv4 address, also of a v4-mapped one, in host order. */
static bool v4_get(const struct sl_addr *a, uint32_t *ip)
{
    if (a->sa.sa_family == AF_INET)
        *ip = sl_get32(&a->in4.sin_addr);
    else if (sl_addr_is_v4mapped(a))
        *ip = sl_get32(a->in6.sin6_addr.s6_addr + 12);
    else
        return false;
    return true;
}

bool sl_addr_is_v4mapped(const struct sl_addr *a)
{
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
}

bool sl_addr_is_any(const struct sl_addr *a)
{
    uint32_t ip;

    if (v4_get(a, &ip))
        return ip == INADDR_ANY;
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool sl_addr_is_loopback(const struct sl_addr *a)
{
    uint32_t ip;

    if (v4_get(a, &ip))
        return ip >> 24 == 127;
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool sl_addr_is_link_local(const struct sl_addr *a)
{
    uint32_t ip;

    if (v4_get(a, &ip))
        return is_link_local4(ip);
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
}

bool sl_addr_is_private(const struct sl_addr *a)
{
    static const struct prefix nets[] = {
        { 0x0a000000, 8 },  /* RFC 1918 */
        { 0xac100000, 12 }, /* RFC 1918 */
        { 0xc0a80000, 16 }, /* RFC 1918 */
        { 0x64400000, 10 }, /* RFC 6598 */
    };
    uint32_t ip;

    if (sl_addr_is_link_local(a))
        return true;
    if (v4_get(a, &ip))
        return is_in(ip, nets, sizeof(nets) / sizeof(nets[0]));
    return a->sa.sa_family == AF_INET6 && (a->in6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
}

bool sl_addr_is_multicast(const struct sl_addr *a)
{
    uint32_t ip;

    if (v4_get(a, &ip))
        return ip >> 28 == 14;
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
}

void sl_addr_unmap(struct sl_addr *a)
{
    struct sl_addr v4 = { 0 };

    if (!sl_addr_is_v4mapped(a))
        return;
    v4.in4.sin_family = AF_INET;
    v4.in4.sin_port = a->in6.sin6_port;
    memcpy(&v4.in4.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
    *a = v4;
}

/* ---- the machine's own ---- */

static bool is_wanted(const struct ifaddrs *i, int family, bool loopback, struct sl_addr *out)
{
    socklen_t len;

    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_RUNNING))
        return false;
    len = i->ifa_addr->sa_family == AF_INET6 ? sizeof(out->in6) : sizeof(out->in4);
    if (sl_addr_from_sockaddr(i->ifa_addr, len, out))
        return false;
    if (family != AF_UNSPEC && out->sa.sa_family != family)
        return false;
    return !sl_addr_is_any(out) && !sl_addr_is_link_local(out) &&
           (loopback || !sl_addr_is_loopback(out));
}

int sl_addr_list_local(int family, bool loopback, uint16_t port, struct sl_addr *out, size_t cap)
{
    struct ifaddrs *all;
    size_t n = 0;

    if (getifaddrs(&all))
        return -errno;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        struct sl_addr a;
        bool known = false;

        if (!is_wanted(i, family, loopback, &a))
            continue;
        sl_addr_set_port(&a, port);
        for (size_t k = 0; k < n && k < cap && !known; k++)
            known = sl_addr_is_equal(&out[k], &a);
        if (known)
            continue;
        if (n < cap)
            out[n] = a;
        n++;
    }
    freeifaddrs(all);
    return (int)n;
}
