#include "ice/ice.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 8445 section 5.1.2.1: type preference of host candidates, and the place of the other parts.
 */
#define HOST_PREFERENCE 126u
#define TCP_PREFERENCE  90u        /* below that of UDP candidates of any type but relayed ones */
#define TCP_PASSIVE     (4u << 13) /* RFC 6544 section 4.2: direction preference */
#define TYPE_SHIFT      24
#define LOCAL_SHIFT     8
#define COMPONENT_RTP   1u

static bool is_ice_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* Firefox and libnice stay within ice-char; some mobile stacks put '-' or '_' into foundations. */
static bool is_foundation_char(char c)
{
    return is_ice_char(c) || c == '-' || c == '_' || c == '=';
}

static bool is_address_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '%';
}

/* The next word of *@text; its length, or 0 at the end. */
static size_t next_word(const char **text, const char **word)
{
    const char *p = *text;
    size_t n;

    while (*p == ' ')
        p++;
    n = strcspn(p, " \r\n");
    *word = p;
    *text = p + n;
    return n;
}

static int word_copy(const char **text, bool (*is_ok)(char), char *out, size_t cap)
{
    const char *word;
    size_t n = next_word(text, &word);

    if (n == 0 || n >= cap)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++)
        if (!is_ok(word[i]))
            return -EBADMSG;
    memcpy(out, word, n);
    out[n] = '\0';
    return 0;
}

static int word_number(const char **text, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *word;
    size_t n = next_word(text, &word);
    uint64_t v = 0;

    if (n == 0 || n > 10)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        if (word[i] < '0' || word[i] > '9')
            return -EBADMSG;
        v = v * 10 + (uint64_t)(word[i] - '0');
    }
    if (v < min || v > max)
        return -EBADMSG;
    *out = v;
    return 0;
}

static int word_transport(const char **text, bool *is_udp)
{
    const char *word;
    size_t n = next_word(text, &word);

    if (n != 3)
        return -EBADMSG;
    if (strncasecmp(word, "udp", 3) == 0)
        *is_udp = true;
    else if (strncasecmp(word, "tcp", 3) == 0)
        *is_udp = false;
    else
        return -EBADMSG;
    return 0;
}

static int word_type(const char **text, char out[8])
{
    static const char *const types[] = { "host", "srflx", "prflx", "relay" };
    const char *word;
    size_t n = next_word(text, &word);

    if (n != 3 || strncmp(word, "typ", 3) != 0)
        return -EBADMSG;
    n = next_word(text, &word);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (n == strlen(types[i]) && strncmp(word, types[i], n) == 0) {
            memcpy(out, types[i], n + 1);
            return 0;
        }
    }
    return -EBADMSG;
}

int sl_ice_candidate_parse(const char *text, struct sl_ice_candidate *out)
{
    struct sl_ice_candidate c = { 0 };
    uint64_t component, priority, port;

    if (strnlen(text, SL_ICE_CAND_MAX + 1) > SL_ICE_CAND_MAX)
        return -EBADMSG;
    if (strncmp(text, "a=", 2) == 0)
        text += 2;
    if (strncmp(text, "candidate:", 10) == 0)
        text += 10;
    /* What follows the type (raddr, rport, tcptype, extensions) is of no use to us. */
    if (word_copy(&text, is_foundation_char, c.foundation, sizeof(c.foundation)) ||
        word_number(&text, 1, 256, &component) || word_transport(&text, &c.is_udp) ||
        word_number(&text, 0, UINT32_MAX, &priority) ||
        word_copy(&text, is_address_char, c.address, sizeof(c.address)) ||
        word_number(&text, 0, UINT16_MAX, &port) || word_type(&text, c.type))
        return -EBADMSG;
    c.component = (unsigned int)component;
    c.priority = (uint32_t)priority;
    c.port = (uint16_t)port;
    *out = c;
    return 0;
}

int sl_ice_candidate_write_host(const struct sl_addr *addr, bool is_udp, unsigned int index,
                                char *out, size_t cap)
{
    struct sl_addr a = *addr;
    uint32_t most = is_udp ? 0xffff : 0x1fff;
    uint32_t local = (index < most ? most - index : 0) | (is_udp ? 0 : TCP_PASSIVE);
    uint32_t priority = (is_udp ? HOST_PREFERENCE : TCP_PREFERENCE) << TYPE_SHIFT |
                        local << LOCAL_SHIFT | (256 - COMPONENT_RTP);
    char ip[INET6_ADDRSTRLEN];
    int n;

    sl_addr_unmap(&a);
    if (sl_addr_family(&a) == AF_INET)
        (void)inet_ntop(AF_INET, &a.in4.sin_addr, ip, sizeof(ip));
    else if (sl_addr_family(&a) == AF_INET6)
        (void)inet_ntop(AF_INET6, &a.in6.sin6_addr, ip, sizeof(ip));
    else
        return -EINVAL;
    n = snprintf(out, cap, "candidate:%u 1 %s %" PRIu32 " %s %u typ host%s", index + 1,
                 is_udp ? "udp" : "tcp", priority, ip, (unsigned int)sl_addr_port(&a),
                 is_udp ? "" : " tcptype passive");
    return n > 0 && (size_t)n < cap ? n : -ENOSPC;
}
