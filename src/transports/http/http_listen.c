#include "transports/http/http_int.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024

static int bound_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    char port[8];

    if (getsockname(fd, (struct sockaddr *)&ss, &len) ||
        getnameinfo((struct sockaddr *)&ss, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV))
        return 0;
    return (int)strtol(port, NULL, 10);
}

static int open_socket(const struct addrinfo *ai, bool dual)
{
    int one = 1, v6only = !dual, err;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        (ai->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only))) ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* @addr numeric; @dual: an IPv6 socket that takes IPv4 as well. A descriptor or -errno. */
static int listen_on(const char *addr, int port, bool dual)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
    struct addrinfo *ai;
    char service[12];
    int fd;

    snprintf(service, sizeof(service), "%d", port > 0 ? port : 0);
    if (getaddrinfo(addr, service, &hints, &ai))
        return -EADDRNOTAVAIL;
    fd = open_socket(ai, dual);
    freeaddrinfo(ai);
    return fd;
}

static int add(const struct http_listener *proto, const char *addr, int port, bool dual)
{
    struct http_listener *l = &http.listeners[http.nlisteners];
    int fd;

    if (http.nlisteners == HTTP_SOCKETS_MAX)
        return -E2BIG;
    fd = listen_on(addr, port, dual);
    if (fd < 0)
        return fd;
    *l = *proto;
    l->fd = fd;
    l->port = bound_port(fd);
    http.nlisteners++;
    return 0;
}

static int fail(const struct http_listener *proto, const char *addr, int port, int code, char *err,
                size_t cap)
{
    snprintf(err, cap, "%s: cannot listen on address %s, TCP port %d: %s", proto->group, addr, port,
             code == -E2BIG ? "too many addresses" : strerror(-code));
    return code;
}

int http_listen(struct http_listener *proto, const char *bind_list, int port, char *err, size_t cap)
{
    const char *p = bind_list ? bind_list : "";
    int code, n = 0;

    if (!*p || !strcmp(p, "all") || !strcmp(p, "*")) {
        code = add(proto, "::", port, true);
        if (code == -EAFNOSUPPORT || code == -EADDRNOTAVAIL) /* a host without IPv6 */
            code = add(proto, "0.0.0.0", port, false);
        return code ? fail(proto, "(all)", port, code, err, cap) : 0;
    }
    for (;; n++) {
        char addr[64];
        size_t len;

        p += strspn(p, ", \t");
        len = strcspn(p, ", \t");
        if (!len)
            break;
        snprintf(addr, sizeof(addr), "%.*s", (int)len, p);
        code = len < sizeof(addr) ? add(proto, addr, port, false) : -EADDRNOTAVAIL;
        if (code)
            return fail(proto, addr, port, code, err, cap);
        p += len;
    }
    return n ? 0 : fail(proto, bind_list, port, -EADDRNOTAVAIL, err, cap);
}
