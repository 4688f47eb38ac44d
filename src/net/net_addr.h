/*
 * net_addr.h - IPv4 and IPv6 socket addresses: text, equality, hashing, kinds, the machine's own.
 *
 * Spec:   RFC 4291 (IPv6, v4-mapped), RFC 5952 (its text), RFC 1918, 4193, 6598, 3927 (private)
 * Thread: any.  Plain values, nothing to free. Allocates only inside sl_addr_list_local.
 */
#ifndef SL_NET_ADDR_H
#define SL_NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Family AF_UNSPEC (all zeroes): no address. */
struct sl_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    };
};

/* Characters of the longest text, "[v6%interface]:port", with terminator. */
#define SL_ADDR_TEXT_MAX 80

static inline int sl_addr_family(const struct sl_addr *a)
{
    return a->sa.sa_family;
}

/* For bind, sendmsg and the like; 0 for no address. */
static inline socklen_t sl_addr_len(const struct sl_addr *a)
{
    return a->sa.sa_family == AF_INET    ? sizeof(struct sockaddr_in)
           : a->sa.sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                         : 0;
}

/* Host order; 0 for no address. */
uint16_t sl_addr_port(const struct sl_addr *a);
void sl_addr_set_port(struct sl_addr *a, uint16_t port);

/* "1.2.3.4", "1.2.3.4:80", "::1", "[::1]", "[::1]:80", "fe80::1%eth0"; the port is 0 where none is
 * given. No names are looked up. 0 or -EBADMSG. */
int sl_addr_parse(const char *text, struct sl_addr *out);
/* An address alone, as in SDP or candidates, and a port apart. 0 or -EBADMSG. */
int sl_addr_from_ip(const char *ip, uint16_t port, struct sl_addr *out);
/* From the kernel or a library; v4-mapped addresses become IPv4. 0, or -EINVAL: another family. */
int sl_addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct sl_addr *out);

/* "1.2.3.4:80", "[::1]:80"; "none" for no address. @out has SL_ADDR_TEXT_MAX; returns @out. */
char *sl_addr_format(const struct sl_addr *a, char out[SL_ADDR_TEXT_MAX]);
/* Without port and brackets. */
char *sl_addr_format_ip(const struct sl_addr *a, char out[SL_ADDR_TEXT_MAX]);

/* Family, address, port, and the scope of a link-local one. v4-mapped differs from IPv4: unmap
 * first (receiving does). */
bool sl_addr_is_equal(const struct sl_addr *a, const struct sl_addr *b);
bool sl_addr_is_same_ip(const struct sl_addr *a, const struct sl_addr *b); /* the port aside */
uint64_t sl_addr_hash(const struct sl_addr *a); /* of what sl_addr_is_equal compares */

/* The kinds look through v4-mapped addresses. */
bool sl_addr_is_any(const struct sl_addr *a);
bool sl_addr_is_loopback(const struct sl_addr *a);
bool sl_addr_is_link_local(const struct sl_addr *a);
/* RFC 1918, RFC 4193, RFC 6598 (carrier NAT) and link-local; loopback is not among them. */
bool sl_addr_is_private(const struct sl_addr *a);
bool sl_addr_is_multicast(const struct sl_addr *a);
bool sl_addr_is_v4mapped(const struct sl_addr *a);

/* ::ffff:1.2.3.4 becomes 1.2.3.4; others stay. */
void sl_addr_unmap(struct sl_addr *a);

/* Addresses of the interfaces that are up, for ICE host candidates (RFC 8445 section 5.1.1.1):
 * @family or both (AF_UNSPEC), loopback ones only if asked for, no link-local ones, each once, all
 * with @port. Returns how many there are, at most @cap of them written; or -errno. */
int sl_addr_list_local(int family, bool loopback, uint16_t port, struct sl_addr *out, size_t cap);

#endif
