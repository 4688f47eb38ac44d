#include "ice/ice_stun_ask.h"

#include <errno.h>
#include <poll.h>
#include <stun/stunagent.h>
#include <stun/usages/bind.h>
#include <unistd.h>

#define TRIES         3
#define FIRST_WAIT_MS 500 /* doubled with each try */
#define MESSAGE_BYTES 1280

static int socket_open(const struct sl_addr *server, uint16_t local_port)
{
    struct sl_addr local;
    int fd = socket(sl_addr_family(server), SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

    if (fd < 0)
        return -errno;
    (void)sl_addr_from_ip(sl_addr_family(server) == AF_INET6 ? "::" : "0.0.0.0", local_port,
                          &local);
    if (bind(fd, &local.sa, sl_addr_len(&local)) == 0 &&
        connect(fd, &server->sa, sl_addr_len(server)) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

/* 0; -EAGAIN: not the answer that we wait for. */
static int answer_read(StunAgent *agent, const uint8_t *data, size_t len, struct sl_addr *out)
{
    struct sockaddr_storage mapped, other;
    socklen_t mapped_len = sizeof(mapped), other_len = sizeof(other);
    StunMessage m;

    if (stun_agent_validate(agent, &m, data, len, NULL, NULL) != STUN_VALIDATION_SUCCESS)
        return -EAGAIN;
    switch (stun_usage_bind_process(&m, (struct sockaddr *)&mapped, &mapped_len,
                                    (struct sockaddr *)&other, &other_len)) {
    case STUN_USAGE_BIND_RETURN_SUCCESS:
        return sl_addr_from_sockaddr((struct sockaddr *)&mapped, mapped_len, out) < 0 ? -EBADMSG
                                                                                      : 0;
    case STUN_USAGE_BIND_RETURN_INVALID:
        return -EAGAIN;
    default:
        return -EBADMSG;
    }
}

static int exchange(int fd, struct sl_addr *out)
{
    uint8_t request[MESSAGE_BYTES], answer[MESSAGE_BYTES];
    struct pollfd p = { .fd = fd, .events = POLLIN };
    StunAgent agent;
    StunMessage m;
    size_t len;
    ssize_t n;
    int err;

    stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389, 0);
    len = stun_usage_bind_create(&agent, &m, request, sizeof(request));
    for (int i = 0; i < TRIES; i++) {
        if (send(fd, request, len, MSG_NOSIGNAL) < 0)
            return -errno;
        /* What is not the answer begins the wait anew, at most as often as datagrams come. */
        for (int k = 0; k < 8 && poll(&p, 1, FIRST_WAIT_MS << i) > 0; k++) {
            n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
            if (n < 0)
                return -errno;
            err = answer_read(&agent, answer, (size_t)n, out);
            if (err != -EAGAIN)
                return err;
        }
    }
    return -ETIMEDOUT;
}

int sl_stun_ask(const struct sl_addr *server, uint16_t local_port, struct sl_addr *out)
{
    int fd = socket_open(server, local_port), err;

    if (fd < 0)
        return fd;
    err = exchange(fd, out);
    close(fd);
    return err;
}
